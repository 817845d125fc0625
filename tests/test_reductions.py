"""Reductions, weights and cotangents against a plain NumPy model in wider numbers."""

import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate
from oracle import LONGDOUBLE_IS_WIDE, ULPS_OF_SUM, Expected, assert_within, wide_numbers

import closs

pytestmark = pytest.mark.filterwarnings("error")

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
    "long rows": ((2, 50_021), 0),
    "long columns": ((50_021, 2), -1),
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
    w = np.abs(moderate(shape, dtype, seed=8)) + dtype(0.1)
    w[(np.arange(w.size) % 5 == 2).reshape(shape)] = 0
    return w


def model(row, x, y, reduction, batch_axis, weight=1.0, sample_weight=None, cotangent=1.0):
    """The true value and gradient, straight from the definitions."""
    n = wide_numbers(x.dtype)
    ones = np.ones(x.shape)
    w = n.lift(ones if sample_weight is None else sample_weight) * ones
    element_value, element_slope = row.expected(x, y, n)
    axes = None if x.ndim == 0 else tuple(k for k in range(x.ndim) if k != batch_axis % x.ndim)
    per_sample = math.prod(x.shape[k] for k in axes or ())
    axes, divisor = {
        "none": ((), 1),
        "sample_sum": (axes or (), 1),
        "sample_mean": (axes or (), per_sample),
        "sum": (None, 1),
        "mean": (None, x.size),
        "weighted_mean": (None, w.sum()),
    }[reduction]
    factor = n.lift(weight) / divisor

    def reduced(elements):
        return np.sum(elements * w, axis=axes) * factor

    value = Expected(reduced(element_value.exact), abs(reduced(element_value.magnitude)))
    if np.ndim(cotangent) == 1:  # one a sample
        cotangent = np.reshape(cotangent, [-1 if k == batch_axis % x.ndim else 1 for k in range(x.ndim)])
    scale = w * factor * n.lift(cotangent)
    return value, Expected(element_slope.exact * scale, element_slope.magnitude * abs(scale))


def check(row, x, y, reduction, batch_axis, weight=None, sample_weight=None, cotangent=None):
    __tracebackhide__ = True
    if x.dtype == np.float64 and not LONGDOUBLE_IS_WIDE:
        pytest.skip("long double is no wider than double on this platform")
    loss = row.make(reduction=reduction, batch_axis=batch_axis, **({} if weight is None else {"weight": weight}))
    got = loss.value_and_grad(x, y, sample_weight, **row.call, grad_output=cotangent)
    expected = model(row, x, y, reduction, batch_axis, 1.0 if weight is None else weight, sample_weight,
                     1.0 if cotangent is None else cotangent)  # fmt: skip
    if isinstance(got[0], float):  # the bound is that of the elements' type, although it is a double
        assert_within(ULPS_OF_SUM, x.dtype.type(got[0]), expected[0], wide_numbers(x.dtype), f"{row.id} {reduction}")
    else:
        assert_within(ULPS_OF_SUM, got[0], expected[0], wide_numbers(x.dtype), f"{row.id} {reduction} value")
    assert_within(ULPS_OF_SUM, got[1], expected[1], wide_numbers(x.dtype), f"{row.id} {reduction} gradient",
                  pred=x, label=y, weight=1 if sample_weight is None else sample_weight)  # fmt: skip


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights(row, dtype, reduction, weights):
    x, y = inputs(row, SHAPE, dtype)
    sample_weight = weights_of(WEIGHTS[weights], dtype)
    for batch_axis in (0, 1, -1):
        check(row, x, y, reduction, batch_axis, sample_weight=sample_weight)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_global_weight_and_cotangent(row, dtype, reduction):
    x, y = inputs(row, SHAPE, dtype)
    shape = {"none": SHAPE, "sample_mean": SHAPE[1:2], "sample_sum": SHAPE[1:2]}.get(reduction, ())
    cotangent = moderate(shape, dtype, seed=9)
    check(row, x, y, reduction, 1, weight=-0.3)
    check(row, x, y, reduction, 1, cotangent=cotangent)
    check(row, x, y, reduction, 1, weight=2.5, sample_weight=weights_of((4, 3, 1), dtype), cotangent=cotangent)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(row, dtype, shape):
    shape, batch_axis = SHAPES[shape]
    x, y = inputs(row, shape, dtype)
    for reduction in REDUCTIONS:
        check(row, x, y, reduction, batch_axis, sample_weight=weights_of(shape, dtype) if shape else None)


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
