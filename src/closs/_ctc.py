"""Arguments of CTC become typed arrays that C can walk over, or a clear error, before the first write."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from closs import _checks, _core
from closs._arrays import (
    COMPUTED_IN,
    Array,
    as_cotangent,
    as_whole_numbers,
    check_output,
    check_overlap,
    delivered,
    is_same_memory,
    real_array,
    work_array,
)

LAYOUTS = ("NTC", "TNC")
LABEL_LAYOUTS = ("NT", "TN")


@dataclass(frozen=True)
class Frames:
    """pred as C reads it: an array with a contiguous class axis, its sizes (N, T, C) and its strides in elements."""

    array: Array
    result_type: np.dtype[Any]
    sizes: tuple[int, int, int]
    strides: tuple[int, int]


def _steps(array: Array, layout: str) -> tuple[int, int] | None:
    """Strides of the batch and time axes in elements; None where C cannot walk over the array."""
    if not (array.flags.aligned and array.dtype.isnative):
        return None
    if array.flags.c_contiguous:
        inner, outer = array.shape[2], array.shape[1] * array.shape[2]
        return (outer, inner) if layout == "NTC" else (inner, outer)
    n, t = layout.index("N"), layout.index("T")
    contiguous = [math.prod(array.shape[k + 1 :]) * array.itemsize for k in range(3)]
    steps = [own if length > 1 else plain for own, length, plain in zip(array.strides, array.shape, contiguous,
                                                                         strict=True)]  # fmt: skip
    rows = sorted((steps[k], array.shape[k]) for k in (n, t))
    reach = array.shape[2] * array.itemsize
    for step, length in rows:  # each axis steps over all that the ones inside it cover
        if length > 1 and (step % array.itemsize or step < reach):
            return None
        reach += (length - 1) * step
    if steps[2] != array.itemsize:
        return None
    return steps[n] // array.itemsize, steps[t] // array.itemsize


def _steps_in_place(
    grad_out: Array | None, layout: str, pred: Array, others: tuple[Array | None, ...]
) -> tuple[int, int] | None:
    """The same for an array that C is to write; None too where it lies between elements of an input: C takes an array
    to own all memory from its first to its last element. It may be pred itself.
    """
    if grad_out is None or grad_out.dtype != pred.dtype:
        return None
    inputs = others if is_same_memory(grad_out, pred) else (pred, *others)
    if any(array is not None and np.may_share_memory(grad_out, array) for array in inputs):
        return None
    return _steps(grad_out, layout)


def as_frames(pred: ArrayLike, layout: str) -> Frames:
    """pred in the type that it is computed in; copied only where its type or its strides need it."""
    x = real_array("pred", pred)
    result_type = x.dtype.newbyteorder("=") if x.dtype.kind == "f" else np.dtype("f8")
    if result_type not in COMPUTED_IN:
        raise TypeError(f"pred: expected float16, float32, float64, integers or bools, got dtype {x.dtype}")
    if x.ndim != 3:
        raise ValueError(f"pred: expected three axes, {layout}, got shape {x.shape}")
    if x.shape[2] == 0:
        raise ValueError(f"pred: expected at least one class, got shape {x.shape}")
    x = x.astype(COMPUTED_IN[result_type], copy=False)
    steps = None if x.size == 0 else _steps(x, layout)
    if steps is None:
        x = np.ascontiguousarray(x)
        steps = _steps(x, layout) or (0, 0)
    sizes = (x.shape[layout.index("N")], x.shape[layout.index("T")], x.shape[2])
    return Frames(x, result_type, sizes, steps if x.size else (0, 0))


def as_blank(blank: str | int, classes: int) -> int:
    index = _core.class_of_blank(blank, classes)
    if not 0 <= index < classes:
        raise ValueError(f"blank: expected a class of pred, 0..{classes - 1}, got {blank}")
    return index


def as_lengths(name: str, lengths: ArrayLike | None, batch: int) -> Array | None:
    """(batch,) whole numbers."""
    if lengths is None:
        return None
    values = real_array(name, lengths)
    if values.shape != (batch,):
        raise ValueError(f"{name}: expected one length a sample, shape {(batch,)}, got {values.shape}")
    return as_whole_numbers(name, values, values.shape, "the samples")


@dataclass(frozen=True)
class Labels:
    """Labels as C reads them: (width, batch stride, stride), and where each sample begins if they are concatenated."""

    array: Array
    steps: tuple[int, int, int]
    offsets: Array | None
    lengths: Array | None
    layout: str

    def place(self, sample: int, position: int) -> str:
        """How the user writes one of them."""
        if self.offsets is not None:
            return f"label[{self.offsets[sample] + position}]"
        return f"label[{sample}, {position}]" if self.layout == "NT" else f"label[{position}, {sample}]"


def as_labels(label: ArrayLike, lengths: ArrayLike | None, layout: str, batch: int) -> Labels:
    """(batch, width) in either layout, or all labels in one vector with lengths that add up to its own."""
    values = real_array("label", label)
    if values.size == 0:
        values = values.astype(np.int64)
    if values.dtype != np.int64 or not values.flags.carray:
        values = as_whole_numbers("label", values, values.shape, "itself")
    counts = as_lengths("label_lengths", lengths, batch)
    if values.ndim == 1:
        if counts is None:
            raise ValueError(f"label: expected two axes, {layout}, or label_lengths too, got shape {values.shape}")
        for n in np.flatnonzero((counts < 0) | (counts > values.size)):  # so that their sum is below 2^63
            raise ValueError(f"label_lengths[{n}] = {counts[n]} is outside 0..{values.size}")
        if counts.sum() != values.size:
            raise ValueError(f"label_lengths: expected a sum of {values.size}, the size of label, got {counts.sum()}")
        return Labels(values, (values.size, 0, 1), np.cumsum(counts) - counts, counts, layout)
    if values.ndim != 2 or values.shape[layout.index("N")] != batch:
        raise ValueError(f"label: expected two axes, {layout}, with {batch} samples, got shape {values.shape}")
    width = values.shape[layout.index("T")]
    return Labels(values, (width, *((width, 1) if layout == "NT" else (1, batch))), None, counts, layout)


def as_sample_weight(weight: ArrayLike | None, batch: int) -> Array | None:
    """(batch,) doubles from one factor for all, or one a sample with any axes of length one behind it."""
    if weight is None:
        return None
    values = real_array("sample_weight", weight)
    lengths = values.shape
    while len(lengths) > 1 and lengths[-1] == 1:
        lengths = lengths[:-1]
    if lengths not in ((), (1,), (batch,)):
        raise ValueError(f"sample_weight: expected one factor a sample, shape {(batch,)}, got {values.shape}")
    return np.broadcast_to(values.reshape(lengths).astype(np.float64), (batch,))


def _explain(error: _core.BadCTC, labels: Labels | None, frames: Frames, blank: int) -> ValueError:
    kind, sample, position, value = error.args
    _, time, classes = frames.sizes
    if kind == "infeasible" and position > value:
        return ValueError(f"label: sample {sample} needs {position} frames of pred, got {value}")
    if kind == "infeasible":
        return ValueError(f"pred: every path that spells sample {sample}'s label has a class at -inf")
    if kind == "length" and position == 0:
        return ValueError(f"pred_lengths[{sample}] = {value} is outside 0..{time}")
    assert labels is not None, "decoding has none"
    if kind == "length":
        return ValueError(f"label_lengths[{sample}] = {value} is outside 0..{labels.steps[0]}")
    place = labels.place(sample, position)
    if classes == 1:
        return ValueError(f"{place} = {value}, but pred has no class beside the blank")
    first, last = (1 if blank == 0 else 0), classes - (2 if blank == classes - 1 else 1)
    if value == blank:
        return ValueError(f"{place} = {value} is the blank; expected another class in {first}..{last}")
    return ValueError(f"{place} = {value} is outside {first}..{last}")


def checked_spec(
    layout: Any, label_layout: Any, weight: Any, reduction: Any, blank: Any, infeasible: Any, input: Any
) -> _core.CTCSpec:
    return _core.CTCSpec(
        _checks.choice("layout", layout, LAYOUTS),
        _checks.choice("label_layout", label_layout, LABEL_LAYOUTS),
        1.0 if weight is None else _checks.number("weight", weight),
        _checks.choice("reduction", reduction, _core.REDUCTIONS),
        check_blank(blank),
        _checks.choice("infeasible", infeasible, _core.CTC_INFEASIBLE),
        _checks.choice("input", input, _core.CTC_INPUTS),
    )


def check_blank(blank: Any) -> str | int:
    """'last', 'first', or a class number, whose upper bound is known when there is a pred."""
    if isinstance(blank, str):
        return _checks.choice("blank", blank, ("last", "first"))
    if (index := _checks.integer("blank", blank)) < 0:
        raise ValueError(f"blank: expected 'last', 'first' or a class number, got {index}")
    return index


def _factors(spec: _core.CTCSpec, weights: Array | None, batch: int) -> tuple[Array, float]:
    """Each sample's weight, and what the reduction divides by."""
    factors = np.full(batch, spec.weight) if weights is None else spec.weight * weights
    if weights is not None and spec.reduction == "weighted_mean":
        return factors, float(weights.sum())
    return factors, spec.divisor(batch)


def evaluate_ctc(
    spec: _core.CTCSpec,
    pred: ArrayLike,
    label: ArrayLike,
    pred_lengths: ArrayLike | None,
    label_lengths: ArrayLike | None,
    sample_weight: ArrayLike | None,
    out: Array | None,
    grad_out: Array | None,
    grad_output: ArrayLike | None,
    want_value: bool,
    want_grad: bool,
) -> tuple[Any, Any, Array]:
    """(value or None, gradient or None, mask of the feasible samples), for arguments of any kind."""
    if sample_weight is None and out is None and grad_output is None:
        result = _core.try_ctc(spec, pred, label, pred_lengths, label_lengths, grad_out, want_grad)
        if result is not None:
            value, grad, feasible = result
            return _unweighted(spec, value) if want_value else None, grad, feasible
    frames = as_frames(pred, spec.layout)
    x, result_type = frames.array, frames.result_type
    batch, _, classes = frames.sizes
    blank = as_blank(spec.blank, classes)
    frame_counts = as_lengths("pred_lengths", pred_lengths, batch)
    labels = as_labels(label, label_lengths, spec.label_layout, batch)
    weights = as_sample_weight(sample_weight, batch)
    with np.errstate(all="ignore"):
        as_type = x.dtype.type(spec.weight)
    if not np.isfinite(as_type) or (as_type == 0) != (spec.weight == 0):
        raise ValueError(f"weight: expected a number that {x.dtype} can hold, got {spec.weight}")
    value_shape, value_type = ((), np.dtype("f8")) if spec.has_total else ((batch,), result_type)
    cotangent = as_cotangent("grad_output", grad_output, value_shape, x)
    raw = {
        "pred": pred, "label": label, "pred_lengths": pred_lengths, "label_lengths": label_lengths,
        "sample_weight": sample_weight, "grad_output": grad_output,
    }  # fmt: skip
    check_output("out", out, value_shape, value_type)
    check_output("grad_out", grad_out, x.shape, result_type)
    check_overlap("out", out, raw)
    check_overlap("grad_out", grad_out, raw | {"out": out}, "pred")

    factors, divisor = _factors(spec, weights, batch)
    scale, grad, grad_strides = None, None, (0, 0)
    if want_grad:
        with np.errstate(all="ignore"):
            scale = factors if cotangent is None else factors * np.where(factors == 0, 0, cotangent)
            scale = np.where((scale == 0) | (divisor == 0), 0, scale / divisor).astype(x.dtype)
        own_steps = _steps_in_place(grad_out, spec.layout, x, (frame_counts, labels.array, labels.lengths))
        grad = np.empty(x.shape, x.dtype) if grad_out is None or own_steps is None else grad_out
        grad_strides = (own_steps or _steps(grad, spec.layout) or (0, 0)) if grad.size else (0, 0)
    value = np.empty(batch, x.dtype)
    feasible = np.empty(batch, np.bool_)
    try:
        _core.run_ctc(
            x, frames.sizes, frames.strides, frame_counts, blank, spec.input, spec.infeasible,
            labels.array, labels.steps, labels.offsets, labels.lengths,
            scale, value, grad, grad_strides, feasible,
        )  # fmt: skip
    except _core.BadCTC as error:
        raise _explain(error, labels, frames, blank) from None
    result = _reduced(spec, value, factors, divisor, out, value_type) if want_value else None
    return result, delivered(grad, grad_out, result_type), feasible


def _unweighted(spec: _core.CTCSpec, value: Array) -> Any:
    """What :func:`_reduced` makes of values without weights, with less ado."""
    return _total(value) / spec.divisor(len(value)) if spec.has_total else value


def _total(values: Array) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond all floats, or inf - inf
        with np.errstate(all="ignore"):
            return float(values.sum())


def _reduced(
    spec: _core.CTCSpec, value: Array, factors: Array, divisor: float, out: Array | None, dtype: np.dtype[Any]
) -> Any:
    """The weighted values, or their total as a float."""
    with np.errstate(all="ignore"):
        weighted = np.where(factors == 0, 0, value * factors)
        if not spec.has_total:
            return delivered(weighted.astype(value.dtype), out, dtype)
        total = _total(weighted) / divisor if divisor else math.nan  # a mean of nothing
    return total if out is None else delivered(np.asarray(total), out, dtype)


def greedy_decode(
    pred: ArrayLike, pred_lengths: ArrayLike | None, layout: str, blank: str | int, input: str
) -> tuple[list[Array], Array]:
    """Labels of each sample, and the logarithm of its best path's probability."""
    layout = _checks.choice("layout", layout, LAYOUTS)
    input = _checks.choice("input", input, _core.CTC_INPUTS)
    blank = check_blank(blank)
    frames = as_frames(pred, layout)
    batch, time, classes = frames.sizes
    blank = as_blank(blank, classes)
    counts = as_lengths("pred_lengths", pred_lengths, batch)
    label, lengths = np.empty((batch, time), np.int64), np.empty(batch, np.int64)
    score = work_array(None, frames.array.dtype, (batch,))
    try:
        _core.run_ctc_greedy(frames.array, frames.sizes, frames.strides, counts, blank, input, label, lengths, score)
    except _core.BadCTC as error:
        raise _explain(error, None, frames, blank) from None
    rows = [row[:length].copy() for row, length in zip(label, lengths, strict=True)]
    return rows, score.astype(frames.result_type, copy=False)
