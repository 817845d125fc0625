"""Arguments of the losses that compare vectors become flat, typed arrays, or a clear error, before the first write."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from closs import _core
from closs._arrays import (
    Array,
    around,
    as_axis,
    as_cotangent,
    as_label,
    as_pred,
    as_row_weights,
    check_output,
    check_overlap,
    delivered,
    position_in,
    real_array,
    total_or_value,
    work_array,
)

Grads = Sequence[Array | None] | None


@dataclass(frozen=True)
class Rows:
    """The shape of the inputs, seen as rows that are compared."""

    sizes: tuple[int, int, int, int, int]  # outer, rows, inner, batch, sample_inner: as closs.h has them
    shape: tuple[int, ...]  # of the rows
    kept: tuple[int, ...]  # the same with the inputs' axes, those of a row at length one
    value_shape: tuple[int, ...]  # of a value a sample


def whole_samples(first: Array, batch_axis: int) -> Rows:
    """A row is a sample; a 0-d input is one."""
    if first.ndim == 0:
        return Rows((1, 1, 1, 1, 1), (), (), ())
    axis = as_axis("batch_axis", batch_axis, first)
    outer, rows, inner = around(first.shape, axis)
    if outer * inner == 0:
        outer, inner = 1, 0
    kept = tuple(rows if k == axis else 1 for k in range(first.ndim))
    return Rows((outer, rows, inner, rows, 1), (rows,), kept, (rows,))


def last_axis(first: Array, batch_axis: int) -> Rows:
    """A row lies along the last axis."""
    if first.ndim == 0:
        raise ValueError("input1: expected at least one axis, got a 0-d array")
    shape, inner = first.shape[:-1], first.shape[-1]
    if not shape:
        return Rows((1, 1, inner, 1, 1), (), (1,), ())
    axis = as_axis("batch_axis", batch_axis, first, "input1")
    if axis == first.ndim - 1:
        raise ValueError(f"batch_axis: expected another axis than the last one, got {batch_axis}")
    rows = math.prod(shape)
    _, batch, sample_inner = around(shape, axis)
    return Rows((1, rows, inner, batch, sample_inner if rows else 1), shape, (*shape, 1), (batch,))


def _check_grads(
    grad_out: Grads, raw: dict[str, Any], shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any]
) -> list[Array | None]:
    """grad_out as a list: None, or arrays like the inputs, each of which may be its input itself."""
    if grad_out is None:
        return [None] * len(shapes)
    if not isinstance(grad_out, tuple | list):
        raise TypeError(f"grad_out: expected a tuple of {len(shapes)} arrays or None, got {type(grad_out).__name__}")
    if len(grad_out) != len(shapes):
        raise ValueError(f"grad_out: expected {len(shapes)} arrays or None, got {len(grad_out)}")
    names = list(raw)
    for k, (grad, shape) in enumerate(zip(grad_out, shapes, strict=True)):
        check_output(f"grad_out[{k}]", grad, shape, dtype)
        check_overlap(f"grad_out[{k}]", grad, raw | {f"grad_out[{j}]": grad_out[j] for j in range(k)}, names[k])
    return list(grad_out)


def _check_signs(label: Array) -> None:
    """As they were given, not as they are cast: 1 + 1e-12 is 1 in float32."""
    fits = np.abs(label) == 1
    if not fits.all():
        k = int(np.argmin(fits))
        raise ValueError(f"{position_in('label', label.shape, k)} = {label.flat[k]} is neither 1 nor -1")


def evaluate_vectors(
    spec: _core.VectorsSpec,
    inputs: dict[str, ArrayLike],
    label: Any,
    sample_weight: ArrayLike | None,
    out: Array | None,
    grad_out: Grads,
    grad_output: ArrayLike | None,
    want_value: bool,
    want_grad: bool,
) -> tuple[Any, Any]:
    """(value, tuple of gradients) of a loss that compares the inputs, None for what is not wanted."""
    raw = inputs | {"label": label, "sample_weight": sample_weight, "grad_output": grad_output}
    (name, pred), *others = inputs.items()
    x, result_type = as_pred(name, pred)
    arrays = [x, *(as_label(n, a, x.shape, x.dtype, name) for n, a in others)]
    shapes = [x.shape, *(real_array(n, a).shape for n, a in others)]  # a gradient looks like its input
    labelled, is_pairwise = spec.loss == 1, spec.loss == 2
    if is_pairwise:
        x, *_ = arrays = [_samples_first(array.reshape(x.shape), spec.batch_axis) for array in arrays]
    rows = last_axis(x, spec.batch_axis) if labelled else whole_samples(x, 0 if is_pairwise else spec.batch_axis)
    signs = None
    if labelled:
        given_label = real_array("label", label)
        signs = as_label("label", given_label, rows.shape, x.dtype, "the rows").reshape(-1)
        _check_signs(given_label)
    weights = as_row_weights(sample_weight, x, rows.shape, rows.kept)

    value_type, value_shape = result_type, rows.shape if spec.is_unreduced else rows.value_shape
    if spec.has_total:
        value_type, value_shape = np.dtype("f8"), ()
    cotangent = as_cotangent("grad_output", grad_output, value_shape, x)
    check_output("out", out, value_shape, value_type)
    check_overlap("out", out, raw)
    given = _check_grads(grad_out, raw | {"out": out}, shapes, result_type)

    value = work_array(out, x.dtype, value_shape) if want_value and not spec.has_total else None
    grads: list[Array | None] = [None] * len(arrays)
    if want_grad and is_pairwise:  # its inputs are read to the end, so that nothing can be in place
        grads = [np.empty(x.shape, x.dtype) for _ in arrays]
    elif want_grad:
        grads = [work_array(g, x.dtype, shape) for g, shape in zip(given, shapes, strict=True)]
    flat = [None if a is None else a.reshape(-1) for a in (*arrays, value, *grads)]
    steps = weights.data, weights.steps, cotangent
    if is_pairwise:
        first, second, flat_value, *flat_grads = flat
        total = _core.run_pairwise(spec, rows.sizes[1], rows.sizes[2], first, second, *steps, flat_value, *flat_grads)
        grads = [_samples_back(g, s, spec.batch_axis) for g, s in zip(grads, shapes, strict=True)]
    else:
        first, second, third, flat_value, *flat_grads = flat if len(arrays) == 3 else [*flat[:2], None, *flat[2:], None]
        total = _core.run_vectors(spec, rows.sizes, first, second, third, signs, *steps, flat_value, *flat_grads)
    result = total_or_value(spec, total, value, out, value_type, want_value)
    if not want_grad:
        return result, None
    return result, tuple(delivered(g, target, result_type) for g, target in zip(grads, given, strict=True))


def _samples_first(array: Array, batch_axis: int) -> Array:
    """The array with its samples along the first axis; itself if they are."""
    axis = as_axis("batch_axis", batch_axis, array, "x1")
    return np.ascontiguousarray(np.moveaxis(array, axis, 0)) if axis else array


def _samples_back(grad: Array | None, shape: tuple[int, ...], batch_axis: int) -> Array | None:
    """The same backwards, for an input of that shape, which may have dropped or added axes of length one."""
    if grad is None:
        return None
    return np.ascontiguousarray(np.moveaxis(grad, 0, batch_axis)).reshape(shape)
