"""Every shape, stride, dtype and batch axis gives the bits of the plain call on C-contiguous arrays."""

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate
from hypothesis import given, settings
from hypothesis import strategies as st

import closs


def unaligned(x):
    memory = np.empty(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape) if x.size else x
    view[...] = x
    return view


def spread_out(x):
    memory = np.empty([3 * length for length in x.shape], x.dtype)
    view = memory[tuple(slice(1, None, 3) for _ in x.shape)]
    view[...] = x
    return view


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


class Subclass(np.ndarray):
    """Like np.matrix and others: an ndarray with ideas of its own."""


LAYOUTS = {  # each gives an array with the same elements
    "C": lambda x: x,
    "Fortran": np.asfortranarray,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "spread out": spread_out,
    "unaligned": unaligned,
    "read-only": read_only,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "subclass": lambda x: x.view(Subclass),
    "axes of length one": lambda x: x[np.newaxis, ..., np.newaxis],
    "list": lambda x: x.tolist(),
}
SAME_IF_0D = ("Fortran", "reversed", "spread out")
OUTPUT_LAYOUTS = ["C", "Fortran", "reversed", "spread out", "unaligned"]
WEIGHT_LAYOUTS = [k for k in LAYOUTS if k != "axes of length one"]
PRED_LAYOUTS = [k for k in WEIGHT_LAYOUTS if k != "list"]


def laid_out(layout: str, x) -> np.ndarray | list:
    x = np.asarray(x)
    return x if x.ndim == 0 and layout in SAME_IF_0D else LAYOUTS[layout](x)


EXTREMES = st.floats(allow_subnormal=True)  # NaN and infinities, too


@st.composite
def calls(draw):
    """(shape, batch_axis, reduction, elements to plant) of a call."""
    shape = tuple(draw(st.lists(st.integers(0, 9), max_size=4)))
    batch_axis = draw(st.integers(-len(shape), len(shape) - 1)) if shape else 0
    return shape, batch_axis, draw(st.sampled_from(REDUCTIONS)), draw(st.lists(EXTREMES, max_size=4))


def planted(row, shape, dtype, extremes):
    """Predictions, some of them extreme, and labels."""
    x = row.pred(moderate(shape, dtype, seed=21)).reshape(-1)
    with np.errstate(over="ignore"):
        x[: len(extremes)] = np.array(extremes, dtype)[: x.size]
    return x.reshape(shape), row.labels_like(x).reshape(shape)


def assert_same_results(a, b, what=""):
    assert_same_bits(a[0], b[0], f"{what} value")
    assert_same_bits(a[1], b[1], f"{what} gradient")


@given(call=calls(), data=st.data())
def test_memory_layouts(row, dtype, call, data):
    shape, batch_axis, reduction, extremes = call
    x, y = planted(row, shape, dtype, extremes)
    w = np.asarray(np.abs(moderate(shape, dtype, seed=22)))
    loss = row.make(reduction=reduction, batch_axis=batch_axis)
    plain = loss.value_and_grad(x, y, w, **row.call)

    def drawn(array, layouts):
        layout = data.draw(st.sampled_from(layouts))
        return laid_out(layout if array.size or layout != "list" else "C", array)  # [] has lost its shape

    given_x, given_y, given_w = drawn(x, PRED_LAYOUTS), drawn(y, list(LAYOUTS)), drawn(w, WEIGHT_LAYOUTS)
    out, grad_out = (drawn(np.full_like(result, 7), OUTPUT_LAYOUTS) for result in plain)

    assert_same_results(loss.value_and_grad(given_x, given_y, given_w, **row.call), plain)
    value, grad = loss.value_and_grad(given_x, given_y, given_w, **row.call, out=out, grad_out=grad_out)
    assert value is out
    assert grad is grad_out
    assert_same_results((value, grad), plain)
    assert_same_bits(given_x.astype(dtype), x, "pred was written to")


@given(call=calls())
def test_in_place(row, dtype, call):
    shape, batch_axis, reduction, extremes = call
    x, y = planted(row, shape, dtype, extremes)
    loss = row.make(reduction=reduction, batch_axis=batch_axis)
    expected = loss.value_and_grad(x, y, **row.call)
    for layout in OUTPUT_LAYOUTS:
        pred = laid_out(layout, x.copy())
        value, grad = loss.value_and_grad(pred, y, **row.call, grad_out=pred)
        assert grad is pred
        assert_same_results((value, grad), expected, layout)


@given(call=calls())
def test_parts_of_a_call_agree(row, dtype, call):
    """The value is that of a plain call, the gradient that of grad(), bit for bit."""
    shape, batch_axis, reduction, extremes = call
    x, y = planted(row, shape, dtype, extremes)
    loss = row.make(reduction=reduction, batch_axis=batch_axis)
    value, grad = loss.value_and_grad(x, y, **row.call)
    assert_same_results((loss(x, y, **row.call), loss.grad(x, y, **row.call)), (value, grad))


@given(call=calls())
def test_batch_axis(row, dtype, call):
    """Which axis holds the samples only decides what is summed."""
    shape, batch_axis, _, extremes = call
    x, y = planted(row, shape, dtype, extremes)
    for reduction in ("none", "sum") if x.ndim < 2 else ("none", "sample_sum"):
        value, grad = row.make(reduction=reduction, batch_axis=batch_axis).value_and_grad(x, y, **row.call)
        if x.ndim >= 2:
            x_first, y_first = (np.moveaxis(a, batch_axis, 0) for a in (x, y))
            first = row.make(reduction=reduction).value_and_grad(x_first, y_first, **row.call)
            assert_same_bits(np.moveaxis(first[1], 0, batch_axis), grad, "gradient")
            again = np.moveaxis(first[0], 0, batch_axis) if reduction == "none" else first[0]
            np.testing.assert_allclose(value, again, rtol=16 * np.finfo(dtype).eps, atol=64 * np.finfo(dtype).eps)
        else:
            assert np.shape(value) == (shape if reduction == "none" else ())


@given(call=calls())
@settings(max_examples=10)
def test_float16(row, call):
    """Computed in float32, then rounded."""
    shape, batch_axis, reduction, _ = call
    x, y = planted(row, shape, np.float16, [])
    loss = row.make(reduction=reduction, batch_axis=batch_axis)
    value, grad = loss.value_and_grad(x, y, **row.call)
    wide_value, wide_grad = loss.value_and_grad(x.astype(np.float32), y.astype(np.float32), **row.call)
    with np.errstate(over="ignore"):
        whole = isinstance(wide_value, float)
        assert_same_results((value, grad), (wide_value if whole else wide_value.astype("f2"), wide_grad.astype("f2")))
    grad_out, out = np.empty_like(x), np.empty(np.shape(value), float if whole else np.float16)
    assert_same_results(loss.value_and_grad(x, y, **row.call, out=out, grad_out=grad_out), (np.asarray(value), grad))


@pytest.mark.parametrize(
    "kind", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "list", "nested tuple", "scalar"]
)
def test_integers_become_float64(row, kind):
    x = np.array([[1, 0, 1], [0, 1, 1]])
    y = np.array([[1, 1, 1], [1, 1, 1]])
    if kind == "scalar":
        x, y = x[0, 0], y[0, 0]
    convert = {"list": np.ndarray.tolist, "nested tuple": lambda a: tuple(map(tuple, a)), "scalar": int}
    as_kind = convert.get(kind, lambda a: a.astype(kind))
    expected = row.make().value_and_grad(x.astype(float), y.astype(float), **row.call)
    assert expected[1].dtype == np.float64
    assert_same_results(row.make().value_and_grad(as_kind(x), as_kind(y), **row.call), expected)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "g", "?", "i1", "u8", ">f4", ">i8"])
def test_labels_and_weights_are_cast_to_pred(row, dtype, kind):
    x = row.pred(moderate((3, 4), dtype, seed=23))
    y = np.resize([1, 0 if 0 in row.labels else 1], x.shape)
    w = np.resize([1, 0, 1], x.shape)
    expected = row.make().value_and_grad(x, y.astype(dtype), w.astype(dtype), **row.call)
    got = row.make().value_and_grad(x, y.astype(kind), w.astype(kind), **row.call)
    assert_same_results(got, expected, kind)


def test_0d(row, dtype):
    """One sample; its value is 0-d, or a float."""
    x = np.asarray(row.pred(dtype([0.5]))[0])
    y = np.asarray(row.labels[1], dtype)
    value, grad = row.make(reduction="none").value_and_grad(x[np.newaxis], y[np.newaxis], **row.call)
    for reduction in REDUCTIONS:
        for axis in (0, -1):
            got = row.make(reduction=reduction, batch_axis=axis).value_and_grad(x, y, **row.call)
            assert isinstance(got[0], float if reduction in ("mean", "sum", "weighted_mean") else np.ndarray)
            assert_same_bits(np.asarray(got[0], dtype), value[0], reduction)
            assert_same_bits(got[1], grad[0], reduction)
            assert isinstance(got[1], np.ndarray)


def test_broadcast_input(row, dtype):
    """Arrays with strides of 0, read-only as np.broadcast_to gives them."""
    x = np.broadcast_to(row.pred(moderate(5, dtype)), (4, 5))
    y = np.broadcast_to(dtype(row.labels[1]), (4, 5))
    expected = row.make().value_and_grad(x.copy(), y.copy(), **row.call)
    assert_same_results(row.make().value_and_grad(x, y, **row.call), expected)


def test_axes_of_length_one(row, dtype):
    """label may have more or fewer of them than pred, wherever they are."""
    x = row.pred(moderate((3, 1, 4), dtype))
    y = row.labels_like(x)
    expected = row.make().value_and_grad(x, y, **row.call)
    for shape in ((3, 4), (1, 3, 4), (3, 4, 1), (1, 3, 1, 1, 4)):
        assert_same_results(row.make().value_and_grad(x, y.reshape(shape), **row.call), expected, shape)


def test_results_are_fresh(row, dtype):
    """No call hands out memory that an earlier one handed out, or that came in."""
    x = row.pred(moderate((3, 4), dtype))
    first = row.make(reduction="none").value_and_grad(x, row.labels_like(x), **row.call)
    second = row.make(reduction="none").value_and_grad(x, row.labels_like(x), **row.call)
    arrays = [x, *first, *second]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])


def test_more_than_31_bits_of_elements():
    """Offsets are 64 bits wide. Pages that nobody has written to are free, so this takes no 8 GB of memory."""
    n = 2**31 + 2**17
    try:
        x = np.zeros(n, np.float32)
    except MemoryError:
        pytest.skip("this process may not have 8 GB of address space")
    x[-1024:] = 2
    assert closs.HingeLoss(reduction="sum")(x, x) == n - 1024
    assert closs.HingeLoss(reduction="sample_sum")(x.reshape(2, -1), x.reshape(2, -1)).tolist() == [n / 2, n / 2 - 1024]
