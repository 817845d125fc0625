"""Whatever comes in becomes flat, typed, contiguous arrays, or a clear error.

All checks happen here or in the C core's own checks, and all of them before the first write to an output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closs import _core

Array = NDArray[Any]

#: The type in which each type of pred is computed; everything else of a kind follows NumPy's rules.
COMPUTED_IN = {np.dtype(t): np.dtype(c) for t, c in (("f2", "f4"), ("f4", "f4"), ("f8", "f8"))}


@dataclass(frozen=True)
class Operand:
    """An array that is broadcast along pred: element e reads ``data[(e // repeat) % period]``; None if absent."""

    data: Array | None
    repeat: int = 0
    period: int = 0

    @property
    def steps(self) -> tuple[int, int]:
        return self.repeat, self.period


def real_array(name: str, array: ArrayLike) -> Array:
    """An ndarray of real numbers: bool, integer or floating."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected an array without a mask, got a masked one; weights of 0 serve as well")
    try:
        result = np.asarray(array)
    except ValueError as error:
        if not isinstance(array, list | tuple):  # what an object's own __array__ has to say
            raise
        raise TypeError(f"{name}: expected an array of real numbers, got a ragged {type(array).__name__}") from error
    if result.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected an array of real numbers, got dtype {result.dtype}")
    return result


def real_arrays(arguments: dict[str, ArrayLike | None]) -> dict[str, Array]:
    """The arguments that are given, as arrays: an object is asked for its array once, which may be a copy each time."""
    return {name: real_array(name, array) for name, array in arguments.items() if array is not None}


def as_pred(name: str, array: ArrayLike) -> tuple[Array, np.dtype[Any]]:
    """The array, C-contiguous in the type it is computed in, and the type of the results."""
    pred = real_array(name, array)
    result_type = pred.dtype.newbyteorder("=") if pred.dtype.kind == "f" else np.dtype("f8")
    if result_type not in COMPUTED_IN:
        raise TypeError(f"{name}: expected float16, float32, float64, integers or bools, got dtype {pred.dtype}")
    return ready(pred, COMPUTED_IN[result_type]), result_type


def ready(array: Array, dtype: np.dtype[Any]) -> Array:
    """C-contiguous, aligned, in native byte order; the array itself if it is all that. Keeps 0-d arrays 0-d."""
    if type(array) is np.ndarray and array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array  # what np.require finds too, in ten times as long
    with np.errstate(all="ignore"):  # a label outside the range of pred's type becomes 0 or inf, silently as in C
        return np.require(array, dtype, ("C", "A")).reshape(array.shape)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _check_shape(name: str, array: Array, expected: tuple[int, ...], whose: str) -> None:
    if _without_ones(array.shape) != _without_ones(expected):
        raise ValueError(
            f"{name}: expected the shape of {whose} {expected}, up to axes of length one, got {array.shape}"
        )


def as_label(name: str, array: ArrayLike, shape: tuple[int, ...], dtype: np.dtype[Any], whose: str = "pred") -> Array:
    """The array, contiguous in that type, if its shape is that one up to axes of length one."""
    label = real_array(name, array)
    _check_shape(name, label, shape, whose)
    return ready(label, dtype)


def position_in(name: str, shape: tuple[int, ...], position: int) -> str:
    """How an element is written, ``label[2, 5]``."""
    return f"{name}[{', '.join(map(str, np.unravel_index(position, shape)))}]" if shape else name


def as_whole_numbers(name: str, array: ArrayLike, shape: tuple[int, ...], whose: str) -> Array:
    """The array as contiguous int64: integers of any width, bools, or floats that are whole numbers."""
    values = real_array(name, array)
    _check_shape(name, values, shape, whose)
    if values.dtype == np.int64:
        return ready(values, values.dtype)
    is_whole, fits = np.ones(values.shape, bool), np.ones(values.shape, bool)
    if values.dtype.kind == "f":
        wide = values.astype(np.promote_types(values.dtype, np.float64))
        is_whole, fits = wide == np.floor(wide), np.abs(wide) < 2.0**63
    elif values.dtype == np.uint64:
        fits = values < 2**63
    if not (is_whole & fits).all():
        k = int(np.argmin(is_whole & fits))
        wrong = "does not fit in int64" if is_whole.flat[k] else "is not a whole number"
        raise ValueError(f"{position_in(name, values.shape, k)} = {values.flat[k]} {wrong}")
    return np.ascontiguousarray(values, np.int64).reshape(values.shape)


def as_operand(name: str, array: ArrayLike | None, shape: tuple[int, ...], dtype: np.dtype[Any], whose: str) -> Operand:
    """The array as an operand that is broadcast to a shape, copied only where that cannot be said in two steps."""
    if array is None:
        return Operand(None)
    values = real_array(name, array)
    lengths = (1,) * (len(shape) - values.ndim) + values.shape
    if len(lengths) > len(shape) or any(own not in (1, length) for own, length in zip(lengths, shape, strict=True)):
        raise ValueError(f"{name}: expected a shape that broadcasts to that of {whose} {shape}, got {values.shape}")
    own = [k for k, length in enumerate(lengths) if length != 1]  # axes along which the operand varies
    if own:
        first, last = own[0], own[-1] + 1
        if lengths[first:last] != shape[first:last]:  # it is repeated along an axis between them
            return Operand(ready(np.broadcast_to(values, shape), dtype).ravel())
        repeat = math.prod(shape[last:])
    else:
        repeat = 1
    return Operand(ready(values, dtype).ravel(), max(repeat, 1), max(values.size, 1))


def as_parameter(name: str, values: Array | None, pred: Array, whose: str) -> Operand:
    """An operand of numbers from 0 up, finite in pred's type too: pos_weight, epsilon."""
    if values is not None and values.size:
        largest = np.finfo(pred.dtype).max
        with np.errstate(invalid="ignore"):  # NaN is what this looks for
            if not (values.min() >= 0 and values.max() <= largest):
                k = int(np.argmin((values >= 0) & (values <= largest)))
                raise ValueError(
                    f"{position_in(name, values.shape, k)}: expected a number from 0 up that {pred.dtype} can hold, "
                    f"got {values.flat[k]}"
                )
    return as_operand(name, values, pred.shape, pred.dtype, whose)


def as_row_weights(weight: ArrayLike | None, pred: Array, shape: tuple[int, ...], kept: tuple[int, ...]) -> Operand:
    """A weight a row. Rows have a shape; with as many axes as pred the weight has those of a row too, of length one."""
    if weight is None:
        return Operand(None)
    values = real_array("sample_weight", weight)
    shape = kept if values.ndim == pred.ndim and pred.ndim > len(shape) > 0 else shape
    return as_operand("sample_weight", values, shape, pred.dtype, "the rows")


def as_cotangent(name: str, array: ArrayLike | None, shape: tuple[int, ...], pred: Array) -> Array | None:
    """grad_output, which has exactly the shape of the value."""
    if array is None:
        return None
    values = real_array(name, array)
    if values.shape != shape:
        raise ValueError(f"{name}: expected the shape of the value {shape}, got {values.shape}")
    return ready(values, pred.dtype).ravel()


def _steps(array: Array) -> list[tuple[int, int]]:
    """(stride, length) of each axis that leads somewhere; along others the stride may be anything."""
    return [(step, length) for step, length in zip(array.strides, array.shape, strict=True) if length > 1]


def _overlaps_itself(array: Array) -> bool:
    """Whether two places may lie in the same memory. Not if each axis steps over all that shorter steps cover.

    Slices, transposes and diagonals do. Axes that interleave without meeting, as only np.lib.stride_tricks makes them,
    count as overlapping: to tell them apart is a problem without a fast solution (see np.shares_memory).
    """
    covered = array.itemsize
    for step, length in sorted((abs(step), length) for step, length in _steps(array)):
        if step < covered:
            return array.size > 0
        covered += (length - 1) * step
    return False


def check_output(name: str, array: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """None, or an ndarray of that shape and type that can be written to."""
    if array is None:
        return
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a NumPy array without a mask, got {type(array).__name__}")
    if array.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {dtype}, got {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if not array.flags.writeable:
        raise ValueError(f"{name}: expected a writeable array, got a read-only one")
    if not array.flags.c_contiguous and _overlaps_itself(array):
        raise ValueError(f"{name}: expected an array that does not overlap itself, got strides {array.strides}")


def is_same_memory(a: Any, b: Any) -> bool:
    """Whether both are arrays with the same element at every place."""
    return (
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and (a.dtype, a.shape, _steps(a)) == (b.dtype, b.shape, _steps(b))
        and a.ctypes.data == b.ctypes.data
    )


def check_overlap(name: str, output: Array | None, others: dict[str, Any], in_place: str | None = None) -> None:
    """An output shares no memory with the others; but it may be the one named in_place itself."""
    for other_name, other in others.items():
        if output is None or other is None or (other_name == in_place and other is output):
            continue
        array = np.asarray(other)  # of a list or a number a copy, which shares nothing
        if not np.may_share_memory(output, array) or (other_name == in_place and is_same_memory(output, array)):
            continue
        if np.shares_memory(output, array):
            raise ValueError(f"{name}: expected memory of its own, got an array that overlaps {other_name}")


def as_axis(name: str, axis: int, pred: Array, whose: str = "pred") -> int:
    """An axis of pred, counted from the front."""
    if not -pred.ndim <= axis < pred.ndim:
        raise ValueError(f"{name}: expected an axis of {whose}, which has {pred.ndim}, got {axis}")
    return axis % pred.ndim


def around(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """A shape as (outer, length of the axis, inner)."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def _geometry(pred: Array, batch_axis: int) -> tuple[int, int, int]:
    """pred's shape as (outer, batch, inner). A 0-d pred is one sample; an empty pred has inner 0."""
    if pred.ndim == 0 and batch_axis in (0, -1):
        return 1, 1, 1
    outer, batch, inner = around(pred.shape, as_axis("batch_axis", batch_axis, pred))
    return (outer, batch, inner) if outer else (1, batch, 0)


def work_array(output: Array | None, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """The output itself where C can write to it, else a new array to be copied from."""
    if output is not None and output.dtype == dtype and output.flags.carray:
        return np.asarray(output)  # without the manners of a subclass
    return np.empty(shape, dtype)


def evaluate_elementwise(
    spec: _core.ElementwiseSpec,
    names: tuple[str, str],
    pred: ArrayLike,
    label: ArrayLike,
    sample_weight: ArrayLike | None,
    parameter: tuple[str, ArrayLike | None],
    out: Array | None,
    grad_out: Array | None,
    grad_output: ArrayLike | None,
    want_value: bool,
    want_grad: bool,
) -> tuple[Any, Any]:
    """(value or None, gradient or None) of an elementwise loss, for arguments of any kind.

    ``parameter`` is the name and value of the argument that takes the place of the spec's own parameter.
    """
    pred, label = real_array(names[0], pred), real_array(names[1], label)
    given = real_arrays({"sample_weight": sample_weight, parameter[0]: parameter[1], "grad_output": grad_output})
    inputs = {names[0]: pred, names[1]: label} | given
    x, result_type = as_pred(names[0], pred)
    y = as_label(names[1], label, x.shape, x.dtype, names[0])
    outer, batch, inner = _geometry(x, spec.batch_axis)
    value_type, value_shape = result_type, x.shape
    if spec.has_total:
        value_type, value_shape = np.dtype("f8"), ()
    elif not spec.is_unreduced and x.ndim:
        value_shape = (batch,)
    weights = as_operand("sample_weight", given.get("sample_weight"), x.shape, x.dtype, names[0])
    parameters = as_parameter(parameter[0], given.get(parameter[0]), x, names[0])
    cotangent = as_cotangent("grad_output", given.get("grad_output"), value_shape, x)
    check_output("out", out, value_shape, value_type)
    check_output("grad_out", grad_out, x.shape, result_type)
    check_overlap("out", out, inputs)
    check_overlap("grad_out", grad_out, inputs | {"out": out}, names[0])

    value = work_array(out, x.dtype, value_shape) if want_value and not spec.has_total else None
    grad = work_array(grad_out, x.dtype, x.shape) if want_grad else None
    total = _core.run_elementwise(
        spec,
        (outer, batch, inner),
        x.reshape(-1),
        y.reshape(-1),
        weights.data,
        weights.steps,
        parameters.data,
        parameters.steps,
        cotangent,
        None if value is None else value.reshape(-1),
        None if grad is None else grad.reshape(-1),
    )
    result = total_or_value(spec, total, value, out, value_type, want_value)
    return result, delivered(grad, grad_out, result_type)


def total_or_value(
    spec: Any, total: float, value: Array | None, out: Array | None, dtype: np.dtype[Any], want_value: bool
) -> Any:
    """What a call gives as the value: a float for a total, else the array, or out; None if it is not wanted."""
    if not want_value:
        return None
    if spec.has_total:
        return total if out is None else delivered(np.asarray(total), out, dtype)
    return delivered(value, out, dtype)


def delivered(result: Array | None, output: Array | None, dtype: np.dtype[Any]) -> Array | None:
    """The result where the caller wants it: in the output if there is one, else in an array of that type."""
    if result is None or result is output:
        return result
    if is_same_memory(result, output):  # a subclass, such as np.memmap: C wrote to its memory
        return output
    with np.errstate(all="ignore"):  # an exception here would leave an output beside one that is not written yet
        if output is None:
            return result.astype(dtype, copy=False)
        output[...] = result
    return output
