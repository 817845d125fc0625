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
    Operand,
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


def whole_samples(first: Array, batch_axis: int, name: str) -> Rows:
    """A row is a sample; a 0-d input is one."""
    if first.ndim == 0 and batch_axis in (0, -1):
        return Rows((1, 1, 1, 1, 1), (), (), ())
    axis = as_axis("batch_axis", batch_axis, first, name)
    outer, rows, inner = around(first.shape, axis)
    if outer * inner == 0:
        outer, inner = 1, 0
    kept = tuple(rows if k == axis else 1 for k in range(first.ndim))
    return Rows((outer, rows, inner, rows, 1), (rows,), kept, (rows,))


def last_axis(first: Array, batch_axis: int, name: str) -> Rows:
    """A row lies along the last axis; an input of one axis is a row, and a sample."""
    if first.ndim == 0:
        raise ValueError(f"{name}: expected at least one axis, got a 0-d array")
    shape, inner = first.shape[:-1], first.shape[-1]
    axis = as_axis("batch_axis", batch_axis, first, name)
    if not shape:
        return Rows((1, 1, inner, 1, 1), (), (1,), ())
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


@dataclass(frozen=True)
class Outputs:
    """Where value and gradients go, and what they look like: checked, before anything is written."""

    value_type: np.dtype[Any]
    value_shape: tuple[int, ...]
    grad_type: np.dtype[Any]
    out: Array | None
    grads: list[Array | None]

    def results(
        self, spec: _core.VectorsSpec, total: float, value: Array | None, grads: list[Array] | None, want_value: bool
    ) -> tuple[Any, Any]:
        """(value, tuple of gradients), None for what is not wanted."""
        result = total_or_value(spec, total, value, self.out, self.value_type, want_value)
        if grads is None:
            return result, None
        return result, tuple(delivered(g, given, self.grad_type) for g, given in zip(grads, self.grads, strict=True))


def _as_inputs(inputs: dict[str, ArrayLike]) -> tuple[list[Array], np.dtype[Any]]:
    """The inputs in the type that the first one is computed in, each in its own shape, and the type of the results."""
    (name, pred), *others = inputs.items()
    first, result_type = as_pred(name, pred)
    return [first, *(as_label(n, a, first.shape, first.dtype, name) for n, a in others)], result_type


def _checked_outputs(
    spec: _core.VectorsSpec,
    rows: Rows,
    arrays: Sequence[Array],
    result_type: np.dtype[Any],
    raw: dict[str, Any],
    out: Array | None,
    grad_out: Grads,
) -> tuple[Outputs, Array | None]:
    """The outputs, and the cotangent; raw is all that is read, as it was given, inputs first."""
    value_type, value_shape = result_type, rows.shape if spec.is_unreduced else rows.value_shape
    if spec.has_total:
        value_type, value_shape = np.dtype("f8"), ()
    cotangent = as_cotangent("grad_output", raw["grad_output"], value_shape, arrays[0])
    check_output("out", out, value_shape, value_type)
    check_overlap("out", out, raw)
    grads = _check_grads(grad_out, raw | {"out": out}, [a.shape for a in arrays], result_type)
    return Outputs(value_type, value_shape, result_type, out, grads), cotangent


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
    """(value, tuple of gradients), None for what is not wanted, for arguments of any kind."""
    if sample_weight is None and out is None and grad_output is None:
        result = _core.try_vectors(spec, tuple(inputs.values()), label, grad_out, want_value, want_grad)
        if result is not None:
            return result
    raw = inputs | {"label": label, "sample_weight": sample_weight, "grad_output": grad_output}
    arrays, result_type = _as_inputs(inputs)
    x = arrays[0]
    rows = (last_axis if spec.is_labelled else whole_samples)(x, spec.batch_axis, next(iter(inputs)))
    signs = None
    if spec.is_labelled:
        given_label = real_array("label", label)
        signs = as_label("label", given_label, rows.shape, x.dtype, "the rows").reshape(-1)
        _check_signs(given_label)
    weights = as_row_weights(sample_weight, x, rows.shape, rows.kept)
    outputs, cotangent = _checked_outputs(spec, rows, arrays, result_type, raw, out, grad_out)

    value = work_array(out, x.dtype, outputs.value_shape) if want_value and not spec.has_total else None
    flat_value = None if value is None else value.reshape(-1)
    given = outputs.grads if want_grad else None
    if spec.is_pairwise:
        total, grads = _run_pairwise(spec, rows, arrays, weights, cotangent, flat_value, given)
    else:
        total, grads = _run_rows(spec, rows, arrays, signs, weights, cotangent, flat_value, given)
    return outputs.results(spec, total, value, grads, want_value)


def _run_rows(
    spec: _core.VectorsSpec,
    rows: Rows,
    arrays: list[Array],
    signs: Array | None,
    weights: Operand,
    cotangent: Array | None,
    value: Array | None,
    given: list[Array | None] | None,
) -> tuple[float, list[Array] | None]:
    """(total, gradients) of a loss that compares a row of each input. given: for the gradients; None: not wanted."""
    grads = None if given is None else [work_array(g, a.dtype, a.shape) for g, a in zip(given, arrays, strict=True)]
    first, second, third = [a.reshape(-1) for a in arrays] + [None] * (3 - len(arrays))
    flat_grads = [g.reshape(-1) for g in grads or []]
    total = _core.run_vectors(
        spec, rows.sizes, first, second, third, signs, weights.data, weights.steps, cotangent, value,
        *flat_grads, *[None] * (3 - len(flat_grads)),
    )  # fmt: skip
    return total, grads


def _run_pairwise(
    spec: _core.VectorsSpec,
    rows: Rows,
    arrays: list[Array],
    weights: Operand,
    cotangent: Array | None,
    value: Array | None,
    given: list[Array | None] | None,
) -> tuple[float, list[Array] | None]:
    """The same for a loss that compares every sample of the first input with all of the second."""
    outer, samples, inner, *_ = rows.sizes
    grads = None
    if given is not None:
        given = [None if outer > 1 else _unless_read(g, a) for g, a in zip(given, arrays, strict=True)]
        grads = [work_array(g, a.dtype, a.shape) for g, a in zip(given, arrays, strict=True)]
    first, second = (_swapped(a, outer, samples, inner).reshape(-1) for a in arrays)
    flat_grads = [None, None] if grads is None else [g.reshape(-1) for g in grads]
    total = _core.run_pairwise(
        spec, samples, outer * inner, first, second, weights.data, weights.steps, cotangent, value, *flat_grads
    )
    if grads is not None and outer > 1:
        grads = [_swapped(g, samples, outer, inner).reshape(a.shape) for g, a in zip(grads, arrays, strict=True)]
    return total, grads


def _unless_read(given: Array | None, array: Array) -> Array | None:
    """The array given for a gradient, unless it is its input: every row of that is read to the end."""
    return None if given is None or np.may_share_memory(given, array) else given


def _swapped(array: Array, first: int, second: int, rest: int) -> Array:
    """An array of these lengths with the first two axes swapped, C-contiguous; not copied if one of them is 1."""
    return np.ascontiguousarray(array.reshape(first, second, rest).swapaxes(0, 1))
