"""CTC: every path enumerated at small sizes, double at large ones, and everything that users of other libraries met.

The enumeration shares nothing with the recursion under test: it goes over all C^T paths.
"""

from __future__ import annotations

import itertools
import json
import pickle
import warnings

import mpmath
import numpy as np
import pytest
from ctc_hashes import CANCELLING, PLACES, cancelling
from helpers import TESTS, assert_same_bits, run_python
from hypothesis import given
from hypothesis.strategies import data, integers, just, lists, sampled_from

import closs

RECORDED = np.load(TESTS / "data" / "gluon_1_9_1.npz")
CASES = [case for case in json.loads(str(RECORDED["cases"])) if case["cls"] == "CTCLoss"]
LONG = [(400, 50, 80), (2000, 100, 300), (4000, 30, 20)]


# ---- Oracles ---------------------------------------------------------------------------------------------------------


def log_softmax(x):
    x = np.asarray(x, np.longdouble)
    shifted = x - x.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def enumerate_paths(log_probs, label, blank):
    """-log p and the visits of each class in each frame (the sum over paths of their share), for one sample."""
    frames, classes = log_probs.shape
    y = np.exp(np.asarray(log_probs, np.longdouble))
    p, visits = np.longdouble(0), np.zeros((frames, classes), np.longdouble)
    for path in itertools.product(range(classes), repeat=frames):
        if [k for k, _ in itertools.groupby(path) if k != blank] == list(label):
            share = np.prod(y[range(frames), path]) if frames else np.longdouble(1)
            p += share
            visits[range(frames), path] += share
    return (-np.log(p), visits / p) if p > 0 else (np.longdouble(np.inf), None)


def draw(rng, frames, classes, labels, blank, scale=1.0):
    x = rng.standard_normal((frames, classes)) * scale
    return x, rng.choice([c for c in range(classes) if c != blank], labels)


def long_case(frames, classes, labels, kind, seed=3):
    """Logits of one kind for one sample, label 0 .. classes - 2."""
    rng = np.random.default_rng(seed)
    x, label = draw(rng, frames, classes, labels, classes - 1)
    if kind == "blank":
        x[:, -1] += 15
    elif kind in ("sure", "fairly sure"):  # of the right labels, at random places
        height = 12 if kind == "sure" else 4
        x *= 0.5
        x[:, -1] += height
        for t, k in zip(np.sort(rng.choice(frames, labels, replace=False)), label, strict=True):
            x[t, -1] -= height
            x[t, k] += height
    else:
        x *= float(kind)
    return x.astype(np.float32)[None], label[None]


# ---- Values and gradients --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_gluon(case):
    arrays = {key: RECORDED[f"{case['name']}/{key}"] for key in case["args"] + ["loss", "grad_pred"]}
    value, grad = closs.CTCLoss(**case["ctor"]).value_and_grad(*(arrays[k] for k in case["args"]))
    np.testing.assert_allclose(value, arrays["loss"], rtol=1e-6)
    np.testing.assert_allclose(grad, arrays["grad_pred"], atol=2e-4)  # MXNet's own error


@pytest.mark.parametrize("input", ["logits", "log_probs"])
@pytest.mark.parametrize("frames", range(8))
def test_against_all_paths(frames, input, dtype):
    rng = np.random.default_rng(frames)
    close = 1e-6 if dtype == np.float32 else 1e-13
    for classes, labels, scale in itertools.product((2, 3, 4 if frames < 7 else 2), range(4), (1, 8)):
        blank = int(rng.integers(classes))
        x, label = draw(rng, frames, classes, labels, blank, scale)
        x = np.asarray(log_softmax(x) if input == "log_probs" and frames else x, dtype)
        log_probs = x if input == "log_probs" or not frames else log_softmax(x)
        expected, visits = enumerate_paths(log_probs, label, blank)

        loss = closs.CTCLoss(blank=blank, input=input)
        value, grad, feasible = loss.value_and_grad(x[None], label[None], return_feasible=True)

        assert feasible == [visits is not None]
        if visits is None:
            assert value == [np.inf]
            assert not grad.any()
            continue
        np.testing.assert_allclose(
            value[0], float(expected), rtol=close, atol=close / 10 if input == "log_probs" else 1e-15
        )
        slopes = (np.exp(log_probs) if input == "logits" else 0) - visits
        if frames:
            assert abs(grad[0] - slopes).max() <= 10 * close * abs(slopes).max() + 1e-15


def exact(x, label):
    """-log p and its gradient from all paths in 60 digits, for one sample of logits whose blank is the last class."""
    frames, classes = x.shape
    with mpmath.workdps(60):
        y = [[mpmath.exp(mpmath.mpf(float(v))) for v in row] for row in x]
        y = [[v / sum(row) for v in row] for row in y]
        p, visits = mpmath.mpf(0), mpmath.zeros(frames, classes)
        for path in itertools.product(range(classes), repeat=frames):
            if [k for k, _ in itertools.groupby(path) if k != classes - 1] == list(label):
                share = mpmath.fprod(y[t][c] for t, c in enumerate(path))
                p += share
                for t, c in enumerate(path):
                    visits[t, c] += share
        slopes = [[float(y[t][c] - visits[t, c] / p) for c in range(classes)] for t in range(frames)]
        return float(-mpmath.log(p)), np.array(slopes)


def test_mpmath():
    """A loss near 0, whose digits come from the probabilities of the other classes."""
    x = np.array([[9.0, -3, 1], [-2, 11, 0.5], [1, 14, -1], [12, 0, 2]])
    expected, _ = exact(x, [0, 1, 0])
    assert 0 < expected < 1e-2
    np.testing.assert_allclose(closs.CTCLoss()(x[None], [[0, 1, 0]]), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(closs.CTCLoss()(x.astype(np.float32)[None], [[0, 1, 0]]), expected, rtol=1e-6)


@pytest.mark.parametrize("height", [25, 28.3, 33, 36.7, 40, 48.1, 60])
def test_the_floor_below_which_a_loss_has_no_digits(height, dtype):
    """Each frame is sure of its class, or of two that are both right: what other paths add to a probability of 1 is
    rounded with it. So the bound is absolute where the loss is next to nothing."""
    close, steep = (1e-6, 1e-5) if dtype == np.float32 else (1e-12, 1e-12)
    for label, right in [
        ([0], [[0], [2]]), ([0], [[0, 2], [0]]), ([0], [[0], [0, 2], [2]]), ([0, 1], [[0], [1]]), ([], [[2], [2], [2]]),
        ([0, 1], [[0], [0, 1], [1]]), ([1, 1], [[1], [2], [1], [1, 2]]), ([0, 1], [[2], [0], [1], [2]]),
    ]:  # fmt: skip
        x = np.zeros((1, len(right), 3), dtype)
        for t, k in enumerate(right):
            x[0, t, k] = height
        expected, slopes = exact(x[0], label)
        value, grad = closs.CTCLoss().value_and_grad(x, np.array([label], int))
        assert abs(value[0] - expected) <= max(close * expected, 2e-16 * len(right))
        assert abs(grad[0] - slopes).max() <= max(steep * abs(slopes).max(), 1e-15)


def log_space(x, label, blank):
    """The textbook recursion on logarithms, in long double, forwards only."""
    y = log_softmax(x)
    states = np.full(2 * len(label) + 1, blank)
    states[1::2] = label
    skips = np.zeros(len(states), bool)
    skips[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    a = np.full(len(states), -np.inf, np.longdouble)
    a[:2] = y[0, states[:2]]
    for row in y[1:]:
        one = np.concatenate([[-np.inf], a[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], a[:-2]])[: len(a)], -np.inf)
        a = np.logaddexp(np.logaddexp(a, one), two) + row[states]
    return -np.logaddexp(a[-1], a[-2]) if len(a) > 1 else -a[-1]


@pytest.mark.parametrize("kind", ["1", "10", "30", "blank", "sure", "fairly sure"])
@pytest.mark.parametrize("frames, classes, labels", LONG)
def test_long_samples(frames, classes, labels, kind):
    """float32 against float64, float64 against the textbook; negative never."""
    x, label = long_case(frames, classes, labels, kind)
    value, grad = closs.CTCLoss().value_and_grad(x, label)
    exact, slopes = closs.CTCLoss().value_and_grad(x.astype(np.float64), label)
    textbook = log_space(x[0], label[0], classes - 1)
    assert value[0] >= 0
    np.testing.assert_allclose(exact[0], float(textbook), rtol=1e-12)
    np.testing.assert_allclose(value, exact, rtol=1e-6)
    assert abs(grad - slopes).max() <= 1e-5 * abs(slopes).max()
    assert abs(slopes.sum(-1)).max() <= 1e-9  # a softmax's gradient


@pytest.mark.parametrize("input", ["logits", "log_probs"])
def test_finite_differences(input):
    rng = np.random.default_rng(5)
    x, label = draw(rng, 30, 6, 9, 5)
    label[4] = label[3]
    loss = closs.CTCLoss(input=input, reduction="sum")
    x, label = x[None], label[None]
    if input == "log_probs":  # not normalised: the gradient is of what was passed, whatever that is
        x = x - 2
    grad = loss.grad(x, label)
    for t, c in zip(rng.integers(30, size=20), rng.integers(6, size=20), strict=True):
        step = np.zeros_like(x)
        step[0, t, c] = 1e-5
        slope = (loss(x + step, label) - loss(x - step, label)) / 2e-5
        assert abs(slope - grad[0, t, c]) < 1e-8


def test_log_probs_may_be_negative_if_not_normalised():
    assert closs.CTCLoss(input="log_probs")(np.full((1, 4, 2), 3.0), [[0]]) < -12
    for x in (np.log([[[1.0, 1e-30]]]), np.float32([[[5e-8, -60]]])):  # normalised, but for rounding
        value = closs.CTCLoss(input="log_probs")(x, [[0]])
        assert value == 0 and not np.signbit(value)


# ---- Samples of special shapes ---------------------------------------------------------------------------------------


def test_empty_label_is_the_all_blank_path(dtype):
    x = np.random.default_rng(0).standard_normal((2, 9, 4)).astype(dtype)
    value, grad = closs.CTCLoss().value_and_grad(x, np.empty((2, 0)))
    np.testing.assert_allclose(value, -log_softmax(x)[:, :, 3].sum(-1).astype(float), rtol=1e-6)
    np.testing.assert_allclose(grad, np.exp(log_softmax(x)).astype(float) - [0, 0, 0, 1], atol=1e-6)
    assert_same_bits(value, closs.CTCLoss()(x, np.full((2, 3), -1)))


def test_sure_blanks_keep_their_digits():
    """All frames nearly certain: the loss is the sum of what is left, 1e-9 a frame, which 1 - 1e-9 does not hold. Nor
    does the difference of two logits, rounded, hold the digits of its exp."""
    for logits in ([0, 20.7], [-2.5773125, 67.397614], [-3.1, 33.3], [60.123456, 99.9]):
        x = np.tile(np.float32(logits), (1, 50, 1))
        left = np.exp(np.float64(x[0, 0, 0]) - np.float64(x[0, 0, 1]))
        value, grad = closs.CTCLoss().value_and_grad(x, np.empty((1, 0), int))
        np.testing.assert_allclose(value, 50 * left, rtol=1e-6)
        np.testing.assert_allclose(grad[0], np.tile([left, -left], (50, 1)), rtol=1e-6)


@pytest.mark.parametrize("case", ["stationary", "no blanks"])
def test_gradients_that_cancel_keep_their_digits(case):
    """Where the softmax is nearly the expected path their difference is far below either; the value does not depend on
    whether it is asked for."""
    if case == "stationary":  # one visit is expected, and one is wanted
        x, label = np.tile(np.float32([-4.9937992, 3.3]), (1, 4000, 1)), np.array([[0]])
    else:  # one path, of which the blanks' share in the gradient is nothing
        x, label = np.tile(np.float32([0.1, 0.2, -20]), (1, 300, 1)), np.arange(300)[None] % 2
    value, grad = closs.CTCLoss().value_and_grad(x, label)
    exact, slopes = closs.CTCLoss().value_and_grad(x.astype(np.float64), label)
    np.testing.assert_allclose(value, exact, rtol=1e-6)
    assert abs(grad - slopes).max() <= 1e-5 * abs(slopes).max()
    assert_same_bits(value, closs.CTCLoss()(x, label))


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("kind", CANCELLING)
def test_softmax_in_double_over_many_classes(kind, places):
    """Against double, which takes a row as a whole; one sample for all threads; in place."""
    x, label, blank = cancelling(kind, places)
    loss = closs.CTCLoss(blank=blank)
    with closs.num_threads(1):
        value, grad = loss.value_and_grad(x, label)
    expected, slopes = loss.value_and_grad(x.astype(np.float64), label)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert abs(grad - slopes).max() <= 1e-5 * abs(slopes).max()
    for threads in (1, 3):
        with closs.num_threads(threads):
            pred = x.copy()
            results = loss.value_and_grad(pred, label, grad_out=pred)
            assert_same_bits(results[0], value)
            assert_same_bits(pred, grad)


@pytest.mark.parametrize("infeasible, value", [("inf", np.inf), ("zero", 0.0)])
def test_infeasible(infeasible, value, dtype):
    x = np.random.default_rng(1).standard_normal((4, 3, 4)).astype(dtype)
    label = [[0, 1, 2, 0], [0, 0, -1, -1], [1, 1, 1, -1], [2, 1, 0, -1]]
    loss = closs.CTCLoss(infeasible=infeasible)
    values, grad, feasible = loss.value_and_grad(x, label, return_feasible=True)
    assert feasible.tolist() == [False, True, False, True]
    assert feasible.dtype == np.bool_
    assert (values[[0, 2]] == value).all()
    assert not grad[[0, 2]].any()
    assert np.isfinite(values[[1, 3]]).all() and grad[[1, 3]].any((1, 2)).all()


def test_infeasible_raises_before_anything_is_written():
    x = np.random.default_rng(1).standard_normal((3, 3, 4))
    out, grad = np.full(3, 7.0), np.full((3, 3, 4), 7.0)
    loss = closs.CTCLoss(infeasible="raise")
    with pytest.raises(ValueError, match="sample 1"):
        loss.value_and_grad(x, [[0, 1], [1, 1], [0, -1]], [3, 2, 3], out=out, grad_out=grad)
    x[2, :, 3] = -np.inf  # only the scores can tell
    x[2, 1, 0] = -np.inf
    with pytest.raises(ValueError, match="sample 2"):
        loss.value_and_grad(x, [[0, 1], [1, 1], [0, -1]], out=out, grad_out=grad)
    assert (out == 7).all() and (grad == 7).all()
    x[2] = 0
    loss.value_and_grad(x, [[0, 1], [1, 1], [0, -1]], out=out, grad_out=grad)
    assert_same_bits(out, closs.CTCLoss()(x, [[0, 1], [1, 1], [0, -1]]))


def test_no_frames(dtype):
    value, grad, feasible = closs.CTCLoss().value_and_grad(
        np.zeros((2, 0, 3), dtype), [[-1], [0]], return_feasible=True
    )
    assert value.tolist() == [0, np.inf] and feasible.tolist() == [True, False] and grad.shape == (2, 0, 3)
    x = np.ones((2, 4, 3), dtype)
    value, grad = closs.CTCLoss().value_and_grad(x, [[-1], [0]], [0, 0])
    assert value.tolist() == [0, np.inf] and not grad.any()


def test_no_samples(dtype):
    value, grad = closs.CTCLoss().value_and_grad(np.zeros((0, 5, 3), dtype), np.zeros((0, 2)))
    assert value.shape == (0,) and grad.shape == (0, 5, 3) and value.dtype == dtype
    assert np.isnan(closs.CTCLoss(reduction="mean")(np.zeros((0, 5, 3)), np.zeros((0, 2))))
    assert closs.CTCLoss(reduction="sum")(np.zeros((0, 5, 3)), np.zeros((0, 2))) == 0


def test_one_frame():
    x = np.array([[[1.0, 2.0, 3.0]]])
    np.testing.assert_allclose(closs.CTCLoss()(x, [[1]]), -log_softmax(x)[0, 0, 1:2].astype(float), rtol=1e-14)


def test_pred_lengths():
    rng = np.random.default_rng(2)
    x, label = rng.standard_normal((3, 20, 5)), rng.integers(0, 4, (3, 4))
    value, grad = closs.CTCLoss().value_and_grad(x, label, [20, 13, 9])
    for n, frames in enumerate((20, 13, 9)):
        one, slopes = closs.CTCLoss().value_and_grad(x[n : n + 1, :frames], label[n : n + 1])
        assert_same_bits(one[0], value[n])
        assert_same_bits(slopes[0], grad[n, :frames])
        assert not grad[n, frames:].any()


@pytest.mark.parametrize("labels", [0, 1, 14, 15, 16, 17, 31, 32, 33, 50])
@pytest.mark.parametrize("spare", [0, 1, 7, 40])
def test_widths(labels, spare, dtype):
    """Around whole blocks of states, with no frame to spare and many."""
    rng = np.random.default_rng(labels)
    label = np.arange(labels) % 7
    x = rng.standard_normal((labels + spare, 8)) * 4
    x = x.astype(dtype)
    value = closs.CTCLoss()(x[None], label[None])
    expected = float(log_space(x, label, 7)) if len(x) else 0.0
    np.testing.assert_allclose(value[0], expected, rtol=1e-6 if dtype == np.float32 else 1e-12)


# ---- NaN, infinity, extremes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["nan", "inf", "two inf", "all -inf"])
def test_bad_frames_stay_in_their_sample(bad, dtype):
    x = np.random.default_rng(3).standard_normal((3, 12, 5)).astype(dtype)
    label = [[0, 1], [2, 2], [3, -1]]
    expected, slopes = closs.CTCLoss().value_and_grad(x, label)
    if bad == "nan":
        x[1, 4, 0] = np.nan
    elif bad.endswith("inf") and bad != "all -inf":
        x[1, 4, : 2 if bad == "two inf" else 1] = np.inf
    else:
        x[1, 4] = -np.inf
    value, grad = closs.CTCLoss().value_and_grad(x, label, [12, 10, 12])
    assert np.isnan(value[1]) and np.isnan(grad[1, :10]).all() and not grad[1, 10:].any()
    assert_same_bits(value[[0, 2]], expected[[0, 2]])
    assert_same_bits(grad[[0, 2]], slopes[[0, 2]])
    value, grad = closs.CTCLoss().value_and_grad(x, label, [12, 4, 12])  # not in its frames any more
    assert np.isfinite(value).all() and np.isfinite(grad).all()


def test_minus_infinity_is_probability_zero(dtype):
    """As a very low logit, which all but vanishes."""
    x = np.random.default_rng(4).standard_normal((1, 12, 5)).astype(dtype)
    masked, low = x.copy(), x.copy()
    masked[0, 3:6, 1], low[0, 3:6, 1] = -np.inf, -300
    value, grad = closs.CTCLoss().value_and_grad(masked, [[1, 2]])
    expected, slopes = closs.CTCLoss().value_and_grad(low, [[1, 2]])
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(grad, slopes, atol=1e-6)
    assert not grad[0, 3:6, 1].any()


def test_too_few_frames_are_told_before_nan_is():
    x = np.full((1, 2, 3), np.nan)
    value, grad, feasible = closs.CTCLoss().value_and_grad(x, [[1, 1]], return_feasible=True)
    assert value == np.inf and not grad.any() and not feasible


def test_of_log_probabilities_only_classes_in_use_are_read(dtype):
    x = np.log(np.full((1, 3, 4), 0.25, dtype))
    x[0, :, 1] = [np.nan, np.inf, -np.inf]
    value, grad = closs.CTCLoss(input="log_probs").value_and_grad(x, [[0, 2]])
    np.testing.assert_allclose(value, -np.log(5 / 64), rtol=1e-6)
    assert np.isfinite(grad).all() and not grad[..., 1].any()
    assert np.isnan(closs.CTCLoss(input="log_probs")(x, [[0, 1]]))


def test_a_sum_beyond_the_type_is_no_infeasible_sample(dtype):
    x = np.full((1, 4, 3), np.finfo(dtype).min / 2)
    value, grad, feasible = closs.CTCLoss(input="log_probs").value_and_grad(x, [[0, 1]], return_feasible=True)
    assert value == np.inf and feasible and abs(grad.sum() + 4) < 1e-5


def test_log_probabilities_that_leave_the_type_midway(dtype):
    """Whatever the order of the frames: a large sum of some is no result, and the small ones keep their digits."""
    large = np.finfo(dtype).max
    for tops in ([large, large, -large, -large, -1.25], [-1.25, -large, -large, large, large]):
        x = np.full((1, 5, 2), -np.inf, dtype)
        x[0, :, 1] = tops
        value, grad, feasible = closs.CTCLoss(input="log_probs").value_and_grad(x, np.empty((1, 0)), return_feasible=1)
        assert value == 1.25 and feasible and (grad == [0, -1]).all()


def test_visits_that_the_type_cannot_hold_are_zero(dtype):
    """The blank is visited with a probability of exp(-800), not of whatever the recursion takes for small."""
    x = np.array([[[-1, -1, -801]] * 3], dtype)
    grad = closs.CTCLoss(input="log_probs").grad(x, [[0, 1]])
    assert (grad[..., 2] == 0).all() and abs(grad.sum() + 3) < 1e-6


def test_scores_far_below_the_largest_count_as_just_so_far():
    x = np.zeros((1, 1, 2))
    x[0, 0, 0] = -1e300
    value, feasible = closs.CTCLoss()(x, [[0]], return_feasible=True)
    np.testing.assert_allclose(value, 2.0**40 * np.log(2), rtol=1e-12)
    assert feasible


@pytest.mark.parametrize("scale", [1e3, 1e4, 1e6, 1e12, 1e30, "max"])
def test_finite_in_no_nan_out(scale, dtype):
    rng = np.random.default_rng(6)
    with np.errstate(over="ignore"):
        x = rng.standard_normal((2, 60, 4)) * (np.finfo(dtype).max / 5 if scale == "max" else scale)
        x = x.astype(dtype)
    for input in ("logits", "log_probs"):
        value, grad = closs.CTCLoss(input=input).value_and_grad(x, rng.integers(0, 3, (2, 11)))
        assert not np.isnan(value).any() and np.isfinite(grad).all()
        assert input == "log_probs" or (value >= 0).all()


@pytest.mark.parametrize("scale", [1e3, 1e4, 1e6])
def test_large_logits_are_exact_too(scale):
    """Far beyond what a float's exponent could hold, in one frame."""
    x = (np.random.default_rng(7).standard_normal((300, 5)) * scale).astype(np.float32)
    label = np.arange(40) % 4
    value, grad = closs.CTCLoss().value_and_grad(x[None], label[None])
    exact, slopes = closs.CTCLoss().value_and_grad(x.astype(float)[None], label[None])
    np.testing.assert_allclose(value[0], float(log_space(x, label, 4)), rtol=1e-6)
    assert abs(grad - slopes).max() <= 1e-5


# ---- Layouts, types, reductions --------------------------------------------------------------------------------------


def forms(x, label):
    """The same call in every way to write it."""
    lengths = [4, 2, 3]
    padded = np.where(np.arange(4) < np.array(lengths)[:, None], label, -1)
    beyond = np.where(padded < 0, 99, padded)  # not looked at
    flat = np.concatenate([row[:k] for row, k in zip(label, lengths, strict=True)])
    wide = np.full((3, 30, 14), np.nan, x.dtype)
    wide[:, ::2, 2:8] = x
    yield "padded", {}, x, (padded,), {}
    yield "lengths", {}, x, (beyond,), {"label_lengths": lengths}
    yield "concatenated", {}, x, (flat,), {"label_lengths": lengths}
    yield "TN", {"label_layout": "TN"}, x, (padded.T,), {}
    yield "TNC", {"layout": "TNC"}, np.ascontiguousarray(x.transpose(1, 0, 2)), (padded,), {}
    yield "TNC view", {"layout": "TNC"}, x.transpose(1, 0, 2), (padded,), {}
    yield "part of a larger array", {}, wide[:, ::2, 2:8], (padded,), {}
    yield "classes not contiguous", {}, np.asfortranarray(x), (padded,), {}
    yield "backwards", {}, x[::-1].copy()[::-1], (padded,), {}
    yield "byte order", {}, x.astype(x.dtype.newbyteorder()), (padded,), {}
    yield "float labels", {}, x, (padded.astype(np.float32),), {}
    yield "int8 labels", {}, x, (padded.astype(np.int8),), {"pred_lengths": np.full(3, 15, np.uint8)}


def test_forms(dtype):
    rng = np.random.default_rng(8)
    x, label = rng.standard_normal((3, 15, 6)).astype(dtype), rng.integers(0, 5, (3, 4))
    expected = None
    for what, options, pred, (labels,), named in forms(x, label):
        before = pred.copy()
        value, grad = closs.CTCLoss(**options).value_and_grad(pred, labels, **named)
        assert_same_bits(pred, before, what)
        assert grad.shape == pred.shape and grad.dtype == dtype
        grad = grad.transpose(1, 0, 2) if options.get("layout") == "TNC" else grad
        expected = expected or (value, grad)
        assert_same_bits(value, expected[0], what)
        assert_same_bits(np.ascontiguousarray(grad), expected[1], what)


@given(data())
def test_any_call_against_all_paths(data):
    """Any shape, layout, form of labels, lengths, blank and scale."""
    batch, time, classes, width = (data.draw(integers(*ends)) for ends in ((1, 3), (0, 5), (1, 4), (0, 3)))
    layout, label_layout = data.draw(sampled_from(["NTC", "TNC"])), data.draw(sampled_from(["NT", "TN"]))
    input, form = data.draw(sampled_from(["logits", "log_probs"])), data.draw(sampled_from(["-1", "lengths", "vector"]))
    dtype, blank = data.draw(sampled_from([np.float32, np.float64])), data.draw(integers(0, classes - 1))
    frames = data.draw(lists(integers(0, time), min_size=batch, max_size=batch))
    others = [c for c in range(classes) if c != blank]
    some = lists(sampled_from(others), max_size=width) if others else just([])
    labels = data.draw(lists(some, min_size=batch, max_size=batch))
    rng = np.random.default_rng(data.draw(integers(0, 2**32)))
    x = rng.standard_normal((batch, time, classes)) * data.draw(sampled_from([0.1, 1, 8, 60]))
    x = np.asarray(log_softmax(x) if input == "log_probs" else x, dtype)

    padded = np.array([row + [-1] * (width - len(row)) for row in labels]).reshape(batch, width)
    lengths = [len(row) for row in labels]
    label = np.concatenate([*labels, []]) if form == "vector" else padded if label_layout == "NT" else padded.T
    pred = x if layout == "NTC" else x.swapaxes(0, 1)
    pred = data.draw(sampled_from([np.ascontiguousarray, np.asfortranarray, np.asarray]))(pred)
    loss = closs.CTCLoss(layout, label_layout, blank=blank, input=input)
    value, grad = loss.value_and_grad(pred, label, frames, None if form == "-1" else lengths)

    grad = grad if layout == "NTC" else grad.swapaxes(0, 1)
    close = 1e-6 if dtype == np.float32 else 1e-12
    for n in range(batch):
        y = x[n, : frames[n]]
        log_probs = y if input == "log_probs" or not y.size else log_softmax(y)
        expected, visits = enumerate_paths(log_probs, labels[n], blank)
        assert not grad[n, frames[n] :].any()
        if visits is None:
            assert value[n] == np.inf and not grad[n].any()
            continue
        floor = 1e-15 if input == "logits" else close / 2  # what log-probabilities add up to beyond 1 is no loss
        assert abs(value[n] - expected) <= close * expected + floor
        slopes = (np.exp(log_probs) if input == "logits" else 0) - visits
        assert (abs(grad[n, : frames[n]] - slopes) <= 10 * close * abs(slopes).max(initial=0) + 1e-15).all()


@pytest.mark.parametrize("view", [slice(None), slice(None, None, 2)])
def test_in_place_and_strided_outputs(view, dtype):
    rng = np.random.default_rng(9)
    big = rng.standard_normal((3, 20, 6)).astype(dtype)
    label = rng.integers(0, 5, (3, 4))
    untouched = big.copy()
    pred = big[:, view]
    value, grad = closs.CTCLoss().value_and_grad(pred.copy(), label)
    out = np.empty(3, dtype)
    results = closs.CTCLoss().value_and_grad(pred, label, out=out, grad_out=pred)
    assert results[0] is out and results[1] is pred
    assert_same_bits(out, value)
    assert_same_bits(np.ascontiguousarray(pred), grad)
    if view.step:
        assert_same_bits(big[:, 1::2], untouched[:, 1::2])


def test_float16_and_integers():
    rng = np.random.default_rng(10)
    x, label = rng.standard_normal((2, 10, 4)).astype(np.float16), [[0, 1], [2, -1]]
    value, grad = closs.CTCLoss().value_and_grad(x, label)
    wide, slopes = closs.CTCLoss().value_and_grad(x.astype(np.float32), label)
    assert value.dtype == grad.dtype == np.float16
    assert_same_bits(value, wide.astype(np.float16))
    assert_same_bits(grad, slopes.astype(np.float16))
    assert_same_bits(closs.CTCLoss().grad(x, label, grad_out=np.empty_like(x)), grad)
    whole = rng.integers(-3, 4, (2, 10, 4))
    assert_same_bits(closs.CTCLoss()(whole, label), closs.CTCLoss()(whole.astype(float), label))
    assert_same_bits(closs.CTCLoss()(whole.tolist(), label), closs.CTCLoss()(whole.astype(float), label))


def test_reductions_and_weights(dtype):
    rng = np.random.default_rng(11)
    x, label = rng.standard_normal((3, 10, 4)).astype(dtype), rng.integers(0, 3, (3, 3))
    x[2, 0] = np.nan  # its weight is 0
    plain, slopes = (a.astype(float) for a in closs.CTCLoss().value_and_grad(x, label))
    plain[2], slopes[2] = 0, 0
    w = np.array([0.5, 2.0, 0.0])
    for reduction in ("none", "sample_mean", "sample_sum"):
        loss = closs.CTCLoss(weight=3, reduction=reduction)
        value, grad = loss.value_and_grad(x, label, sample_weight=w[:, None], grad_output=[1, -2, 5])
        np.testing.assert_allclose(value, 3 * w * plain, rtol=1e-6)
        np.testing.assert_allclose(grad, (3 * w * [1, -2, 5])[:, None, None] * slopes, rtol=1e-5, atol=1e-6)
    for reduction, divisor in (("sum", 1), ("mean", 3), ("weighted_mean", 2.5)):
        loss = closs.CTCLoss(weight=3, reduction=reduction)
        value, grad = loss.value_and_grad(x, label, sample_weight=w, grad_output=-2)
        assert type(value) is float
        assert value == pytest.approx(3 * (w * plain).sum() / divisor, rel=1e-6)
        np.testing.assert_allclose(grad, (3 * w * -2 / divisor)[:, None, None] * slopes, rtol=1e-5, atol=1e-6)
        out = np.empty(())
        assert loss(x, label, sample_weight=w, out=out) is out and out == value
    for reduction, divisor in (("sum", 1), ("mean", 2), ("weighted_mean", 2)):  # without weights
        value, grad = closs.CTCLoss(reduction=reduction).value_and_grad(x[:2], label[:2])
        assert value == pytest.approx(plain.sum() / divisor, rel=1e-6)
        np.testing.assert_allclose(grad, slopes[:2] / divisor, rtol=1e-5, atol=1e-6)
    nothing = closs.CTCLoss(reduction="weighted_mean").value_and_grad(x[:2], label[:2], sample_weight=[1, -1])
    assert np.isnan(nothing[0]) and not nothing[1].any()


def test_total_beyond_all_floats():
    """Values that are finite, with a sum that is not."""
    x = np.zeros((3, 2, 2))
    loss = closs.CTCLoss(weight=1e308, reduction="sum")
    assert np.isfinite(closs.CTCLoss(weight=1e308, reduction="none")(x, [[-1]] * 3)).all()
    assert loss(x, [[-1]] * 3) == np.inf


def test_nothing_is_raised_halfway(dtype):
    """Neither by what is computed here nor by the user's settings of NumPy."""
    x = np.full((2, 4, 3), np.finfo(dtype).tiny, dtype)
    with np.errstate(all="raise"):
        value, grad = closs.CTCLoss().value_and_grad(x, [[0], [1]], sample_weight=[1e-300, 1e300])
    assert value[0] == (0 if dtype == np.float32 else value[0]) and np.isfinite(grad[0]).all()


def test_value_is_the_same_with_and_without_gradient(dtype):
    for kind in ("1", "30", "blank", "sure"):
        x, label = long_case(200, 12, 30, kind)
        x = x.astype(dtype)
        value, grad = closs.CTCLoss().value_and_grad(x, label)
        assert_same_bits(closs.CTCLoss()(x, label), value)
        assert_same_bits(closs.CTCLoss().grad(x, label), grad)


def assert_threads_agree(loss, *arguments):
    with closs.num_threads(1):
        expected = loss.value_and_grad(*arguments, return_feasible=True)
    for threads in (2, 3, 8):
        with closs.num_threads(threads):
            results = loss.value_and_grad(*arguments, return_feasible=True)
        for a, b in zip(results, expected, strict=True):
            assert_same_bits(a, b)


@pytest.mark.parametrize("batch", [1, 2, 5, 9])
def test_threads(batch, dtype):
    rng = np.random.default_rng(batch)
    x = rng.standard_normal((batch, 150, 70)).astype(dtype)
    label, frames = rng.integers(0, 69, (batch, 20)), rng.integers(60, 151, batch)
    assert_threads_agree(closs.CTCLoss(), x, label, frames)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_threads_with_the_softmax_in_double(batch):
    """Of some samples, the first or not, between others that need no double or have no path."""
    for turn in range(3):
        samples = [cancelling(CANCELLING[(n + turn) % 3]) for n in range(batch)]
        x, label = np.concatenate([x for x, _, _ in samples]), np.full((batch, 80), -1)
        for n, (_, row, _) in enumerate(samples):
            label[n, : row.size] = row
        x[1::3] *= 0.25
        label[2::3] = 0
        assert_threads_agree(closs.CTCLoss(blank=samples[0][2]), x, label)


def test_baseline_is_as_exact():
    """Without FMA too: the long samples once more in a process of their own."""
    some = "long_samples and 400 or against_all_paths or large_logits"
    run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_ctc.py", "-k", some, CLOSS_ISA="baseline")


# ---- Errors ----------------------------------------------------------------------------------------------------------

X, Y = np.zeros((3, 20, 10)), np.zeros((3, 18), int)


def with_label(position, value):
    label = Y.copy()
    label[position] = value
    return label


ERRORS = [
    ({}, {"label": with_label((2, 17), 12)}, ValueError, r"label\[2, 17\] = 12 is outside 0\.\.8"),
    ({}, {"label": with_label((2, 17), 10)}, ValueError, r"label\[2, 17\] = 10 is outside 0\.\.8"),
    ({}, {"label": with_label((1, 3), -2)}, ValueError, r"label\[1, 3\] = -2 is outside 0\.\.8"),
    ({}, {"label": with_label((1, 3), 9)}, ValueError, r"label\[1, 3\] = 9 is the blank"),
    ({"blank": "first"}, {"label": with_label((), 1) + 0 * Y}, None, ""),
    ({"blank": "first"}, {}, ValueError, r"label\[0, 0\] = 0 is the blank; expected another class in 1\.\.9"),
    ({"blank": 4}, {"label": with_label((0, 1), 10)}, ValueError, r"label\[0, 1\] = 10 is outside 0\.\.9"),
    ({"label_layout": "TN"}, {"label": with_label((2, 5), 11).T}, ValueError, r"label\[5, 2\] = 11 is outside"),
    ({}, {"label": [0, 1, 2, 3, 44], "label_lengths": [2, 2, 1]}, ValueError, r"label\[4\] = 44 is outside 0\.\.8"),
    ({}, {"label": [0, 1, 2, 3], "label_lengths": [2, 2, 1]}, ValueError, "label_lengths: expected a sum of 4"),
    ({}, {"label": [0, 1, 2, 3], "label_lengths": [4, -3, 3]}, ValueError,
     r"label_lengths\[1\] = -3 is outside 0\.\.4"),
    ({}, {"label": [0, 1, 2, 3], "label_lengths": [2, 2**62, 2**62]}, ValueError,
     r"label_lengths\[1\] = 4611686018427387904 is outside 0\.\.4"),
    ({}, {"label": [0, 1, 2]}, ValueError, "label: expected two axes"),
    ({}, {"label": Y[:2]}, ValueError, "label: expected two axes"),
    ({}, {"label": Y[None]}, ValueError, "label: expected two axes"),
    ({}, {"label": Y + 0.5}, ValueError, r"label\[0, 0\] = 0\.5 is not a whole number"),
    ({}, {"label": np.where(np.arange(18) < 9, Y, np.nan), "label_lengths": [9, 9, 9]}, ValueError,
     r"label\[0, 9\] = nan is not a whole number"),
    ({}, {"label": with_label((1, 2), 2**63 - 1).astype(np.uint64) + np.uint64(1)}, ValueError,
     r"label\[1, 2\] = 9223372036854775808 does not fit in int64"),
    ({}, {"label": Y - 1e300}, ValueError, r"label\[0, 0\] = -1e\+300 does not fit in int64"),
    ({}, {"label": Y + 1j}, TypeError, "label: expected an array of real numbers"),
    ({}, {"label": [["a"]] * 3}, TypeError, "label: expected an array of real numbers"),
    ({}, {"label_lengths": [18, 19, 0]}, ValueError, r"label_lengths\[1\] = 19 is outside 0\.\.18"),
    ({}, {"label_lengths": [18, -1, 0]}, ValueError, r"label_lengths\[1\] = -1 is outside 0\.\.18"),
    ({}, {"label_lengths": [18, 1]}, ValueError, r"label_lengths: expected one length a sample"),
    ({}, {"label_lengths": [1.5, 1, 1]}, ValueError, "is not a whole number"),
    ({}, {"pred_lengths": [20, 1, 21]}, ValueError, r"pred_lengths\[2\] = 21 is outside 0\.\.20"),
    ({}, {"pred_lengths": [20, -1, 20]}, ValueError, r"pred_lengths\[1\] = -1 is outside 0\.\.20"),
    ({}, {"pred_lengths": [[20, 1, 1]]}, ValueError, "pred_lengths: expected one length a sample"),
    ({}, {"pred": X[0]}, ValueError, "pred: expected three axes, NTC"),
    ({}, {"pred": X[..., :0]}, ValueError, "pred: expected at least one class"),
    ({}, {"pred": X.astype(complex)}, TypeError, "pred: expected an array of real numbers"),
    ({}, {"pred": X.astype(np.longdouble)}, TypeError, "pred: expected float16"),
    ({"blank": 10}, {}, ValueError, r"blank: expected a class of pred, 0\.\.9, got 10"),
    ({}, {"sample_weight": [1, 2]}, ValueError, "sample_weight: expected one factor a sample"),
    ({}, {"sample_weight": np.ones((3, 20))}, ValueError, "sample_weight: expected one factor a sample"),
    ({}, {"grad_output": [1, 2]}, ValueError, "grad_output: expected the shape of the value"),
    ({"weight": 1e39}, {"pred": X.astype(np.float32)}, ValueError, "weight: expected a number that float32 can hold"),
    ({"infeasible": "raise"}, {"pred_lengths": [20, 20, 4]}, ValueError,
     "label: sample 0 needs 35 frames of pred, got 20"),
    ({"infeasible": "raise"}, {"pred": np.where(np.arange(10) < 9, -np.inf, X), "label": Y[:, :2]}, ValueError,
     "pred: every path that spells sample 0's label has a class at -inf"),
]  # fmt: skip


@pytest.mark.parametrize("options, changed, error, message", ERRORS)
def test_errors_leave_outputs_untouched(options, changed, error, message):
    arguments = {"pred": X, "label": Y} | changed
    out, grad = np.full(3, 7.0), np.full(X.shape, 7.0)
    loss = closs.CTCLoss(**options)
    if error is None:
        loss.value_and_grad(**arguments, out=out, grad_out=grad)
        return
    with warnings.catch_warnings(), pytest.raises(error, match=message):
        warnings.simplefilter("error")  # an error comes alone
        loss.value_and_grad(**arguments, out=out, grad_out=grad)
    assert (out == 7).all() and (grad == 7).all()


@pytest.mark.parametrize("blank", [10, 2**63])
def test_blank_out_of_range(blank):
    """Arrays that need no preparation go to C on a way of their own."""
    with pytest.raises(ValueError, match=rf"blank: expected a class of pred, 0\.\.9, got {blank}"):
        closs.CTCLoss(blank=blank)(X, Y)
    with pytest.raises(ValueError, match="blank"):
        closs.ctc_greedy_decode(X, blank=blank)


@pytest.mark.parametrize("outputs, error", [
    ({"out": np.zeros(4)}, ValueError),
    ({"out": np.zeros(3, np.float32)}, TypeError),
    ({"out": [0.0] * 3}, TypeError),
    ({"grad_out": np.zeros((3, 20, 9))}, ValueError),
    ({"grad_out": np.broadcast_to(0.0, X.shape)}, ValueError),
    ({"grad_out": X.astype(np.float32)}, TypeError),
])  # fmt: skip
def test_bad_outputs(outputs, error):
    with pytest.raises(error, match=next(iter(outputs))):
        closs.CTCLoss().value_and_grad(X, Y, **outputs)


def test_one_class_is_the_blank():
    with pytest.raises(ValueError, match=r"label\[0, 0\] = 0, but pred has no class beside the blank"):
        closs.CTCLoss()(np.zeros((1, 2, 1)), [[0]])


def test_outputs_between_inputs(dtype):
    """No element is shared, although each array lies within the other's first and last."""
    rng = np.random.default_rng(10)
    memory = rng.standard_normal((3, 2, 20, 6)).astype(dtype)
    pred, grad_out = memory[:, 0], memory[:, 1]
    label, before = rng.integers(0, 5, (3, 4)), pred.copy()
    value, grad = closs.CTCLoss().value_and_grad(pred.copy(), label)
    results = closs.CTCLoss().value_and_grad(pred, label, grad_out=grad_out)
    assert results[1] is grad_out
    assert_same_bits(results[0], value)
    assert_same_bits(grad_out.copy(), grad)
    assert_same_bits(pred.copy(), before)


def test_outputs_that_overlap():
    memory = np.zeros(3 * 21 * 10)
    pred, shifted = memory[:600].reshape(X.shape), memory[10:610].reshape(X.shape)
    with pytest.raises(ValueError, match="grad_out: expected memory of its own"):
        closs.CTCLoss().value_and_grad(pred, Y, grad_out=shifted)
    with pytest.raises(ValueError, match="out: expected memory of its own"):
        closs.CTCLoss()(pred, Y, out=memory[:3])


@pytest.mark.parametrize("options, error", [
    ({"layout": "NCT"}, ValueError),
    ({"layout": 1}, TypeError),
    ({"label_layout": "NTC"}, ValueError),
    ({"reduction": "max"}, ValueError),
    ({"infeasible": "nan"}, ValueError),
    ({"input": "probs"}, ValueError),
    ({"blank": "middle"}, ValueError),
    ({"blank": -1}, ValueError),
    ({"blank": 1.0}, TypeError),
    ({"blank": True}, TypeError),
    ({"weight": np.nan}, ValueError),
    ({"weight": "1"}, TypeError),
])  # fmt: skip
def test_bad_options(options, error):
    with pytest.raises(error, match=next(iter(options))):
        closs.CTCLoss(**options)


def test_object():
    loss = closs.CTCLoss("TNC", weight=2, blank=3, infeasible="zero")
    for other in (eval(repr(loss), vars(closs)), pickle.loads(pickle.dumps(loss))):
        assert other == loss and hash(other) == hash(loss)
        assert_same_bits(other(X, np.zeros((20, 3))), loss(X, np.zeros((20, 3))))
    with pytest.raises(AttributeError):
        loss.blank = 1


# ---- Decoding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 5, 63, 64, 65, 200, 1100])
@pytest.mark.parametrize("input", ["logits", "log_probs"])
def test_greedy_decode(classes, input, dtype):
    rng = np.random.default_rng(classes)
    x = rng.standard_normal((4, 33, classes)).astype(dtype)
    frames, blank = [33, 20, 1, 0], classes // 2
    labels, scores = closs.ctc_greedy_decode(x, frames, blank=blank, input=input)
    assert scores.dtype == dtype
    for n, count in enumerate(frames):
        best = x[n, :count].argmax(-1)
        assert labels[n].tolist() == [k for k, _ in itertools.groupby(best) if k != blank]
        y = log_softmax(x[n]) if input == "logits" else x[n]
        np.testing.assert_allclose(scores[n], float(y[range(count), best].sum()), rtol=1e-6)
    swapped = closs.ctc_greedy_decode(x.transpose(1, 0, 2), frames, layout="TNC", blank=blank, input=input)
    assert_same_bits(swapped[1], scores)
    assert [a.tolist() for a in swapped[0]] == [a.tolist() for a in labels]


@pytest.mark.parametrize("input", ["logits", "log_probs"])
@pytest.mark.parametrize("what, classes, of_logits, of_log_probs", [
    ("nan", 3, "nan", "nan"), ("nan", slice(None), "nan", "nan"),
    ("inf", 3, "nan", "nan"), ("inf", slice(3), "nan", "nan"),
    ("-inf", 3, "finite", "finite"), ("-inf", slice(None), "nan", "-inf"),
])  # fmt: skip
def test_greedy_decode_of_a_bad_frame(what, classes, of_logits, of_log_probs, input, dtype):
    """Alone among good ones: what its sample's score is, and that no other sample changes."""
    x = -np.abs(np.random.default_rng(13).standard_normal((3, 5, 70))).astype(dtype)
    expected = closs.ctc_greedy_decode(x, input=input)
    x[1, 2, classes] = float(what)
    labels, scores = closs.ctc_greedy_decode(x, input=input)
    score = of_logits if input == "logits" else of_log_probs
    assert np.isfinite(scores[1]) if score == "finite" else str(scores[1]) == score
    assert_same_bits(scores[[0, 2]], expected[1][[0, 2]])
    assert [labels[n].tolist() for n in (0, 2)] == [expected[0][n].tolist() for n in (0, 2)]
    if input == "logits":  # as of the loss
        assert np.isnan(closs.CTCLoss()(x, np.full((3, 1), -1))[1]) == (score == "nan")


def test_greedy_decode_edges():
    tie = np.zeros((1, 2, 70))
    assert closs.ctc_greedy_decode(tie)[0][0].tolist() == [0]
    for only in (np.nan, np.inf, -np.inf):  # a class that no other one is compared with
        assert np.isnan(closs.ctc_greedy_decode(np.full((1, 1, 1), only))[1])
    labels, scores = closs.ctc_greedy_decode(np.zeros((0, 4, 3), np.float16))
    assert labels == [] and scores.shape == (0,) and scores.dtype == np.float16
    closs.ctc_greedy_decode(tie, input=np.str_("logits"), layout=np.str_("NTC"))
    with pytest.raises(ValueError, match=r"pred_lengths\[0\] = 3 is outside 0\.\.2"):
        closs.ctc_greedy_decode(tie, [3])
    with pytest.raises(ValueError, match="blank"):
        closs.ctc_greedy_decode(tie, blank=70)
