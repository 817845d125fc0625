"""Arguments of the losses over classes become flat, typed arrays, or a clear error, before the first write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from closs import _core
from closs._arrays import (
    Array,
    Operand,
    around,
    as_axis,
    as_cotangent,
    as_label,
    as_operand,
    as_pred,
    as_row_weights,
    as_whole_numbers,
    check_output,
    check_overlap,
    delivered,
    position_in,
    ready,
    real_array,
    total_or_value,
    work_array,
)


@dataclass(frozen=True)
class Rows:
    """The shape of pred, seen as rows along the class axis."""

    outer: int
    classes: int
    inner: int
    axis: int
    shape: tuple[int, ...]  # of the rows: pred's without the class axis
    kept: tuple[int, ...]  # the same with the class axis at length one
    batch: int
    sample_inner: int

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.outer, self.classes, self.inner, self.batch, self.sample_inner


def rows_of(pred: Array, axis: int, batch_axis: int) -> Rows:
    """ValueError for axes that pred has not, or that are one. A pred of one axis is one row and one sample."""
    axis = as_axis("axis", axis, pred)
    outer, classes, inner = around(pred.shape, axis)
    shape = pred.shape[:axis] + pred.shape[axis + 1 :]
    kept = pred.shape[:axis] + (1,) + pred.shape[axis + 1 :]
    if classes == 0 and outer * inner > 0:
        raise ValueError(f"pred: expected at least one class along axis {axis}, got shape {pred.shape}")
    batch_axis = as_axis("batch_axis", batch_axis, pred)
    if not shape:
        return Rows(outer, classes, inner, axis, shape, kept, 1, 1)
    if batch_axis == axis:
        raise ValueError(f"batch_axis: expected another axis than the class axis {axis}, got {batch_axis}")
    _, batch, sample_inner = around(shape, batch_axis - (batch_axis > axis))
    if outer * inner == 0:
        outer, inner, sample_inner = 0, 1, 1
    return Rows(outer, classes, inner, axis, shape, kept, batch, sample_inner)


def _divergence_weights(weight: ArrayLike | None, pred: Array, rows: Rows) -> tuple[Operand, Array | None]:
    """A weight a row, or a weight an element where it varies along the class axis."""
    if weight is None:
        return Operand(None), None
    values = real_array("sample_weight", weight)
    data: Any = as_operand("sample_weight", values, pred.shape, pred.dtype, "pred").data
    lengths = (1,) * (pred.ndim - values.ndim) + values.shape
    if lengths[rows.axis] == 1:
        return as_operand("sample_weight", values.reshape(lengths), rows.kept, pred.dtype, "pred"), None
    if data.size == pred.size:
        return Operand(None), data
    return Operand(None), ready(np.broadcast_to(values, pred.shape), pred.dtype).ravel()


def evaluate_softmax(
    spec: _core.SoftmaxSpec,
    pred: ArrayLike,
    label: ArrayLike,
    sample_weight: ArrayLike | None,
    class_weight: Array | None,
    out: Array | None,
    grad_out: Array | None,
    grad_output: ArrayLike | None,
    want_value: bool,
    want_grad: bool,
    want_lse: bool,
) -> tuple[Any, Any, Any]:
    """(value, gradient, logsumexp a row) of a loss over classes, None for what is not wanted."""
    raw = {"pred": pred, "label": label, "sample_weight": sample_weight, "grad_output": grad_output}
    x, result_type = as_pred("pred", pred)
    rows = rows_of(x, spec.axis, spec.batch_axis)
    classes = as_whole_numbers("label", label, rows.shape, "the rows of pred") if spec.is_sparse else None
    dense = None if spec.is_sparse else as_label("label", label, x.shape, x.dtype).reshape(-1)
    weights, element_weight = (
        _divergence_weights(sample_weight, x, rows)
        if spec.is_divergence
        else (as_row_weights(sample_weight, x, rows.shape, rows.kept), None)
    )
    if class_weight is not None:
        if class_weight.size != rows.classes:
            raise ValueError(f"class_weight: expected one for each of {rows.classes} classes, got {class_weight.size}")
        with np.errstate(all="ignore"):
            class_weight = class_weight.astype(x.dtype)
        if not np.isfinite(class_weight).all():
            raise ValueError(f"class_weight: expected numbers that {x.dtype} can hold, got {class_weight}")

    value_type, value_shape = result_type, x.shape if spec.is_divergence else rows.shape
    if spec.has_total:
        value_type, value_shape = np.dtype("f8"), ()
    elif not spec.is_unreduced and rows.shape:
        value_shape = (rows.batch,)
    elif not spec.is_unreduced:
        value_shape = ()
    cotangent = as_cotangent("grad_output", grad_output, value_shape, x)
    check_output("out", out, value_shape, value_type)
    check_output("grad_out", grad_out, x.shape, result_type)
    check_overlap("out", out, raw)
    check_overlap("grad_out", grad_out, raw | {"out": out}, "pred")

    value = work_array(out, x.dtype, value_shape) if want_value and not spec.has_total else None
    grad = work_array(grad_out, x.dtype, x.shape) if want_grad else None
    lse = np.empty(rows.shape, x.dtype) if want_lse else None
    try:
        total = _core.run_softmax(
            spec, rows.sizes, x.reshape(-1), None if classes is None else classes.reshape(-1), dense,
            weights.data, weights.steps, element_weight, class_weight, cotangent,
            *(None if a is None else a.reshape(-1) for a in (value, grad, lse)),
        )  # fmt: skip
    except _core.BadLabel as error:
        position, found = error.args
        where = position_in("label", np.shape(label), position)
        raise ValueError(f"{where} = {found} is outside 0..{rows.classes - 1}") from None
    result = total_or_value(spec, total, value, out, value_type, want_value)
    return result, delivered(grad, grad_out, result_type), delivered(lse, None, result_type)
