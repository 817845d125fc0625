"""NaN, infinities, poles and zero weights: limits are exact, and what is spoiled is that element and its sums alone."""

import ctypes
import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate
from registry import FIRST_ROWS

import closs
from closs import capi

INF, NAN = math.inf, math.nan

# kernel: (pred, label, value, slope); the rows of the registry without a pos_weight and with the default epsilon
LIMITS = {
    "l1": [(INF, 0, INF, 1), (-INF, 0, INF, -1), (0, INF, INF, -1), (0, -INF, INF, 1), (INF, -INF, INF, 1),
           (INF, INF, NAN, NAN), (2, 2, 0, 0), (-0.0, 0.0, 0, 0)],
    "l2": [(INF, 0, INF, INF), (-INF, 0, INF, -INF), (0, INF, INF, -INF), (INF, INF, NAN, NAN), (2, 2, 0, 0)],
    "huber": [(INF, 0, INF, 1), (-INF, 0, INF, -1), (0, INF, INF, -1), (0, -INF, INF, 1), (INF, INF, NAN, NAN),
              (2, 2, 0, 0)],
    "sigmoid_bce": [(INF, 1, 0, 0), (INF, 0, INF, 1), (-INF, 1, INF, -1), (-INF, 0, 0, 0), (INF, 0.25, INF, 0.75),
                    (-INF, 0.25, INF, -0.25), (0, 0.5, math.log(2), 0)],
    "bce": [(0, 1, -math.log(1e-12), -1e12), (1, 0, -math.log(1e-12), 1e12),
            (1, 1, -math.log1p(1e-12), -1 / (1 + 1e-12)), (0, 0, -math.log1p(1e-12), 1 / (1 + 1e-12))],
    "hinge": [(INF, 1, 0, 0), (-INF, 1, INF, -1), (INF, -1, INF, 1), (-INF, -1, 0, 0)],
    "squared_hinge": [(INF, 1, 0, 0), (-INF, 1, INF, -INF), (INF, -1, INF, INF), (-INF, -1, 0, 0)],
    "logistic": [(INF, 1, 0, 0), (-INF, 1, INF, -1), (INF, -1, INF, 1), (-INF, -1, 0, 0), (0, 1, math.log(2), -0.5)],
    "logistic_binary": [(INF, 1, 0, 0), (-INF, 1, INF, -1), (INF, 0, INF, 1), (-INF, 0, 0, 0),
                        (0, 1, math.log(2), -0.5)],
    "kl_div": [(-INF, 0, 0, 0), (INF, 0, 0, 0), (-INF, 0.5, INF, -0.5), (0, 1, 0, -1), (-1, 1, 1, -1)],
    "poisson_nll": [(1000, INF, INF, NAN), (1000, -INF, INF, INF), (1000, NAN, NAN, NAN),
                    (INF, NAN, NAN, NAN), (INF, 0, INF, INF), (INF, 2, INF, INF),
                    (-INF, 0, 0, 0), (-INF, 2, INF, -2), (1000, 3, INF, INF),
                    (1, INF, -INF, -INF), (-1, INF, INF, -INF)],
    "poisson_nll_full": [(1000, INF, INF, NAN), (INF, 0, INF, INF), (INF, 2, INF, INF), (-INF, 0, 0, 0),
                         (-INF, 2, INF, -2), (1, INF, INF, -INF), (-1, INF, INF, -INF)],
    "poisson_rate_nll": [(INF, NAN, NAN, NAN), (INF, 0, INF, 1), (INF, 2, INF, 1), (0, 0, 0, 1),
                         (0, 1, -math.log(1e-8), 1 - 1e8),
                         (2, INF, -INF, -INF), (0.5, INF, INF, -INF)],
    "poisson_rate_nll_full": [(INF, 0, INF, 1), (INF, 2, INF, 1), (0, 0, 0, 1), (2, INF, INF, -INF),
                              (0.5, INF, INF, -INF)],
}  # fmt: skip


def test_every_kernel_has_limits():
    assert set(LIMITS) == set(FIRST_ROWS)


@pytest.mark.parametrize(
    "kernel, pred, label, value, slope", [(k, *limit) for k, limits in LIMITS.items() for limit in limits]
)
def test_limit(kernel, pred, label, value, slope, dtype):
    """Alone, and in each place of an array of harmless elements: vector body and scalar tail have the same limits."""
    loss = FIRST_ROWS[kernel].make(reduction="none")
    close = {"rtol": 4 * np.finfo(dtype).eps, "equal_nan": True}
    for count in (1, 37):
        x, y = np.full(count, pred, dtype), np.full(count, label, dtype)
        got_value, got_slope = loss.value_and_grad(x, y)
        np.testing.assert_allclose(got_value, np.full(count, value, dtype), **close)
        np.testing.assert_allclose(got_slope, np.full(count, slope, dtype), **close)


def test_probability_outside_its_range(dtype):
    """NaN, unless the logarithm that is undefined there has the factor 0."""
    loss = closs.SigmoidBCELoss(from_sigmoid=True, reduction="none")
    value = loss(np.array([2, 2, -1, -1, 2], dtype), np.array([0, 0.5, 1, 0.5, 1], dtype))
    assert np.isnan(value[:4]).all()
    assert value[4] == -np.log(dtype(2 + 1e-12))


def test_epsilon_0(dtype):
    loss = closs.PoissonNLLLoss(from_logits=False, reduction="none")
    value, slope = loss.value_and_grad(np.zeros(2, dtype), np.array([0, 2], dtype), epsilon=0)
    assert value.tolist() == [0, INF]
    assert slope.tolist() == [1, -INF]


def assert_nan_spoils_its_element_alone(loss, arguments: list[np.ndarray], spoiled: np.ndarray, **call) -> None:
    """NaN in each of a few places of one of the arguments."""
    clean = loss.value_and_grad(*arguments, **call)
    for place in ((0, 0), (2, 17), (4, 28)):
        before, spoiled[place] = spoiled[place], NAN
        for got, expected, what in zip(loss.value_and_grad(*arguments, **call), clean, ("value", "slope"), strict=True):
            given = [argument[place] for argument in arguments]
            assert np.isnan(got[place]), f"{loss} {what} of {given}: expected NaN, got {got[place]}"
            got[place] = expected[place]
            assert_same_bits(got, expected, f"{loss} {what}")
        spoiled[place] = before


@pytest.mark.parametrize("spoiled", [0, 1, 2], ids=["pred", "label", "sample_weight"])
def test_nan_spoils_its_element_alone(row, dtype, spoiled):
    for label in row.labels:
        x = row.pred(moderate((5, 29), dtype, seed=11))
        arguments = [x, np.full_like(x, label), np.ones_like(x)]
        assert_nan_spoils_its_element_alone(row.make(reduction="none"), arguments, arguments[spoiled], **row.call)


@pytest.mark.parametrize("kernel", ["sigmoid_bce", "bce"])
def test_pos_weight_that_only_c_accepts(kernel):
    """NaN, infinity and a negative number spoil their element alone; Python refuses them."""
    pred, label, pos_weight, value, grad = np.full((5, 145), 0.5)
    pos_weight[[3, 77, 144]] = NAN, INF, -4
    args = capi.closs_elementwise_f64(
        batch=145, inner=1, pred=pred.ctypes.data, label=label.ctypes.data, value=value.ctypes.data,
        grad=grad.ctypes.data, reduction=capi.CLOSS_NONE,
    )  # fmt: skip
    weight = capi.closs_broadcast_f64(data=pos_weight.ctypes.data)
    assert capi.function(f"closs_{kernel}_f64")(ctypes.byref(args), ctypes.byref(weight)) == capi.CLOSS_OK
    assert np.isnan([value[3], grad[3]]).all()
    assert not np.isfinite([value[77], grad[77]]).any()
    assert value[144] < 0
    harmless = np.delete(np.arange(145), [3, 77, 144])
    assert len(set(value[harmless])) == len(set(grad[harmless])) == 1


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_sample_spoils_itself_alone(row, dtype, bad):
    x = row.pred(moderate((4, 50), dtype, seed=12))
    y = row.labels_like(x)
    for reduction in ("sample_mean", "sample_sum"):
        loss = row.make(reduction=reduction)
        clean = loss.value_and_grad(x, y, **row.call)
        spoiled = x.copy()
        spoiled[2, 17] = bad
        value, grad = loss.value_and_grad(spoiled, y, **row.call)
        assert np.isnan(value[2]) or not np.isnan(bad)
        value[2], grad[2, 17] = clean[0][2], clean[1][2, 17]
        assert_same_bits(value, clean[0])
        assert_same_bits(grad, clean[1])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_weight_0_removes(row, dtype, reduction, bad):
    """An element, finite or not, from value and gradient, as if its loss were 0."""
    x = row.pred(moderate((4, 50), dtype, seed=13))
    y = row.labels_like(x)
    removed = np.zeros(x.shape, bool)
    removed[1] = removed[2, 17] = True
    weights = np.where(removed, 0, dtype(1.5))
    harmless = row.make(reduction=reduction).value_and_grad(x, y, weights, **row.call)
    for spoil_label in (False, True):
        spoiled_x, spoiled_y = np.where(removed, dtype(bad), x), np.where(removed & spoil_label, dtype(bad), y)
        got = row.make(reduction=reduction).value_and_grad(spoiled_x, spoiled_y, weights, **row.call)
        assert_same_bits(got[0], harmless[0], "value")
        assert_same_bits(abs(got[1]), abs(harmless[1]), "gradient")
        assert not got[1][removed].any()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_factors_of_0(row, dtype, reduction):
    """The global weight, and the cotangent."""
    x, y = np.full((3, 7), NAN, dtype), np.full((3, 7), row.labels[0], dtype)
    value, grad = row.make(reduction=reduction, weight=0.0).value_and_grad(x, y, **row.call)
    assert not np.any(value)
    assert not grad.any()
    grad = row.make(reduction=reduction).grad(x, y, **row.call, grad_output=np.zeros_like(value, dtype))
    assert not grad.any()


@pytest.mark.parametrize("weights", [[0, 0], [1, -1]])
@pytest.mark.parametrize("pred", [0.5, INF])
def test_weights_that_add_up_to_0(row, dtype, weights, pred):
    """No weighted mean, and no gradient, not even of an element whose slope is infinite."""
    with np.errstate(invalid="ignore"):  # of infinity, the prediction of some rows is NaN
        x = row.pred(np.array([pred, 0.25], dtype))
    value, grad = row.make(reduction="weighted_mean").value_and_grad(x, row.labels_like(x), weights, **row.call)
    assert math.isnan(value)
    assert not grad.any()
