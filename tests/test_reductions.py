"""Reductions, weights and cotangents against a plain NumPy model in wider numbers."""

import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate
from oracle import LONGDOUBLE_IS_WIDE, ULPS_OF_SUM, Expected, assert_within, wide_numbers

import closs

SHAPE = (4, 3, 5)
WEIGHTS = {  # shapes that broadcast to SHAPE
    "none": None,
    "scalar": (),
    "per sample": (4, 1, 1),
    "per element": (4, 3, 5),
    "per last axis": (5,),
    "per middle axis": (3, 1),
    "per trailing axes": (1, 3, 5),
    "per leading axes": (4, 3, 1),
    "repeated in the middle": (4, 1, 5),
}
SHAPES = {  # (shape, batch axis): one element, one task, several tasks, and several partial sums of a sample
    "0-d": ((), 0),
    "one": ((1,), 0),
    "vector": ((1000,), 0),
    "rows": ((3, 1025), 0),
    "columns": ((1025, 3), 1),
    "middle": ((3, 70, 41), 1),
    "long rows": ((2, 20_011), 0),
    "long columns": ((20_011, 2), -1),
    "many rows": ((20_011, 3), 0),
}


def inputs(row, shape, dtype):
    x = row.pred(moderate(shape, dtype, seed=7))
    labels = np.array([label for label in row.labels if abs(label) < 100], dtype)
    return x, np.resize(labels, x.size).reshape(shape)


def weights_of(shape, dtype):
    """Positive ones, and zeros."""
    if shape is None:
        return None
    w = np.asarray(np.abs(moderate(shape, dtype, seed=8)) + dtype(0.1))
    w[(np.arange(w.size) % 5 == 2).reshape(shape)] = 0
    return w


def model(elements, reduction, batch_axis, weight, sample_weight, cotangent):
    """The true value and gradient, straight from the definitions; elements are the true values and slopes."""
    value, slope = elements
    shape = value.exact.shape
    axes = tuple(k for k in range(len(shape)) if k != batch_axis % len(shape)) if shape else ()
    axes, divisor = {
        "none": ((), 1),
        "sample_sum": (axes, 1),
        "sample_mean": (axes, math.prod(shape[k] for k in axes)),
        "sum": (None, 1),
        "mean": (None, math.prod(shape)),
        "weighted_mean": (None, sample_weight.sum()),
    }[reduction]
    factor = weight / divisor

    def reduced(terms):
        return np.sum(terms, axis=axes) * factor

    if axes:  # one cotangent a sample
        cotangent = np.reshape(cotangent, [1 if k in axes else length for k, length in enumerate(shape)])
    scale = sample_weight * factor * cotangent
    return (
        Expected(reduced(value.exact * sample_weight), abs(reduced(value.magnitude * sample_weight))),
        Expected(slope.exact * scale, abs(slope.magnitude * scale)),
    )


def check(row, x, y, batch_axis, weight=None, sample_weight=None, with_cotangent=False):
    """Every reduction."""
    __tracebackhide__ = True
    n = wide_numbers(x.dtype)
    if x.dtype == np.float64 and not LONGDOUBLE_IS_WIDE:
        pytest.skip("long double is no wider than double on this platform")
    elements = row.expected(x, y, n)
    wide_weight = n.lift(np.broadcast_to(1 if sample_weight is None else sample_weight, x.shape))
    for reduction in REDUCTIONS:
        loss = row.make(reduction=reduction, batch_axis=batch_axis, **({} if weight is None else {"weight": weight}))
        shape = np.shape(loss(x, y, **row.call))
        cotangent = moderate(shape, x.dtype, seed=9) if with_cotangent else None
        value, grad = loss.value_and_grad(x, y, sample_weight, **row.call, grad_output=cotangent)
        expected_value, expected_grad = model(
            elements, reduction, batch_axis, 1 if weight is None else weight, wide_weight,
            n.lift(np.ones(shape) if cotangent is None else cotangent),
        )  # fmt: skip
        value = np.asarray(value, x.dtype)  # a float has the accuracy of the elements' type, although it is a double
        assert_within(ULPS_OF_SUM, value, expected_value, n, f"{row.id} {reduction} value")
        assert_within(ULPS_OF_SUM, grad, expected_grad, n, f"{row.id} {reduction} gradient",
                      pred=x, label=y, weight=wide_weight)  # fmt: skip


@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights(row, dtype, weights):
    x, y = inputs(row, SHAPE, dtype)
    for batch_axis in (0, 1, -1):
        check(row, x, y, batch_axis, sample_weight=weights_of(WEIGHTS[weights], dtype))


def test_global_weight_and_cotangent(row, dtype):
    x, y = inputs(row, SHAPE, dtype)
    check(row, x, y, 1, weight=-0.3)
    check(row, x, y, 1, with_cotangent=True)
    check(row, x, y, 1, weight=2.5, sample_weight=weights_of((4, 3, 1), dtype), with_cotangent=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(row, dtype, shape):
    shape, batch_axis = SHAPES[shape]
    x, y = inputs(row, shape, dtype)
    check(row, x, y, batch_axis, sample_weight=weights_of(shape, dtype))


def test_equal_elements(row, dtype):
    """Where every rounding of a sum goes the same way."""
    x = np.full((1, 20_011), row.pred(dtype(0.7)), dtype)
    check(row, x, np.full_like(x, row.labels[1]), 0)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_types_and_shapes_of_results(row, dtype, reduction):
    x, y = inputs(row, SHAPE, dtype)
    value, grad = row.make(reduction=reduction, batch_axis=1).value_and_grad(x, y, **row.call)
    assert (type(grad), grad.dtype, grad.shape, grad.flags.c_contiguous) == (np.ndarray, dtype, SHAPE, True)
    if reduction in ("mean", "sum", "weighted_mean"):
        assert type(value) is float
    else:
        expected = SHAPE if reduction == "none" else (3,)
        assert (type(value), value.dtype, value.shape) == (np.ndarray, dtype, expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_neutral_arguments_change_no_bit(row, dtype, reduction):
    """The special kernels, which know of no weight, agree with the general one."""
    x, y = inputs(row, SHAPE, dtype)
    plain = row.make(reduction=reduction).value_and_grad(x, y, **row.call)
    ones = np.ones(np.shape(plain[0]), dtype)
    given = dict(row.call)
    if row.kernel in ("sigmoid_bce", "bce"):
        given.setdefault("pos_weight", np.ones(SHAPE))
    if row.kernel.startswith("poisson"):
        given.setdefault("epsilon", 1e-8)
    general = row.make(reduction=reduction, weight=1.0).value_and_grad(x, y, np.ones(SHAPE), **given, grad_output=ones)
    for a, b, what in zip(plain, general, ("value", "gradient"), strict=True):
        assert_same_bits(a, b, f"{row.id} {what}")


@pytest.mark.parametrize("weight_shape", [(), (5,), (3, 1), (4, 1, 1), (4, 3, 5)], ids=str)
def test_pos_weight_broadcasts(dtype, weight_shape):
    x, label = moderate(SHAPE, dtype, seed=7), np.ones(SHAPE, dtype)
    pos_weight = np.abs(moderate(weight_shape, dtype, seed=8))
    full = np.array(np.broadcast_to(pos_weight, SHAPE))
    for from_sigmoid in (False, True):
        x = abs(x) / 4 if from_sigmoid else x
        loss = closs.SigmoidBCELoss(from_sigmoid, reduction="none")
        weighted = loss.value_and_grad(x, label, None, pos_weight)
        for a, b, plain in zip(
            weighted, loss.value_and_grad(x, label, None, full), loss.value_and_grad(x, label), strict=True
        ):
            assert_same_bits(a, b, "pos_weight")
            np.testing.assert_allclose(a, plain * full, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape, batch_axis, batch", [((0,), 0, 0), ((0, 3), 0, 0), ((2, 0), 0, 2), ((0, 2), 1, 2)])
@pytest.mark.filterwarnings("error")
def test_empty(row, dtype, shape, batch_axis, batch):
    """A sum of nothing is 0, a mean of nothing NaN, and nobody is warned."""
    x = np.empty(shape, dtype)
    for reduction, nothing in (("sample_mean", np.nan), ("sample_sum", 0.0)):
        value, grad = row.make(reduction=reduction, batch_axis=batch_axis).value_and_grad(x, x, **row.call)
        assert_same_bits(value, np.full(batch, nothing, dtype))
        assert (grad.shape, grad.dtype) == (shape, dtype)
    assert row.make(reduction="none").value_and_grad(x, x, **row.call)[0].shape == shape
    assert row.make(reduction="sum")(x, x, **row.call) == 0.0
    assert math.isnan(row.make(reduction="mean")(x, x, **row.call))
    assert math.isnan(row.make(reduction="weighted_mean")(x, x, np.ones(shape), **row.call))
