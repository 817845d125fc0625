"""TripletLoss, CosineEmbeddingLoss and SDMLLoss beyond test_rows.py: margins, zero vectors, batches, errors, sizes."""

import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate, run_python
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracle import MPMATH, assert_within
from row_oracles import BY_ID, ULPS_OF_ROW, Geometry, results

import closs

INF, NAN = math.inf, math.nan
SENTINEL = -123.25
Triplet, Cosine, Sdml = closs.TripletLoss, closs.CosineEmbeddingLoss, closs.SDMLLoss


# ---- Triplet ---------------------------------------------------------------------------------------------------------


def test_triplet_margin(dtype):
    """Exactly met: value and gradients are 0; just short of it: they are not."""
    pred, positive, negative = (np.array([[v]] * 3, dtype) for v in (0, 1, 2))
    positive[1] += 0.25
    positive[2] -= 0.25  # distances 1, 1.5625, 0.5625 and 4
    value, grads = Triplet(margin=3).value_and_grad(pred, positive, negative)
    assert value.tolist() == [0, 0.5625, 0]
    assert [g[:, 0].tolist() for g in grads] == [[0, 1.5, 0], [0, 2.5, 0], [0, -4, 0]]
    wide = (a.astype(float) for a in (pred, positive, negative))
    value, grads = Triplet(margin=np.nextafter(3, 4)).value_and_grad(*wide)
    assert value[0] == np.spacing(3.0)
    assert [g[0, 0] for g in grads] == [2, 2, -4]


def test_triplet_of_nothing(dtype):
    """Vectors without elements are as far from each other as the margin."""
    empty = np.zeros((3, 0), dtype)
    for margin in (2.5, 0, -1):
        value, grads = Triplet(margin=margin).value_and_grad(empty, empty, empty)
        assert value.tolist() == [max(margin, 0)] * 3
        assert [g.shape for g in grads] == [(3, 0)] * 3


def test_triplet_of_one_input(dtype):
    """The same array three times is only read; the loss is the margin."""
    x = moderate((4, 6), dtype)
    value, grads = Triplet(margin=0.5).value_and_grad(x, x, x)
    assert value.tolist() == [0.5] * 4
    assert not any(g.any() for g in grads)


@pytest.mark.parametrize(
    "first, value, slopes",
    [
        ((NAN, 0, 0), NAN, (NAN, NAN, NAN)),
        ((0, INF, 0), INF, (-INF, INF, 0)),
        ((0, 0, INF), 0, (0, 0, 0)),
        ((0, -INF, 0), INF, (INF, -INF, 0)),
        ((1e30, -1e30, 1e30), INF, (4e30, -4e30, 0)),
        ((1e30, 1e30, -1e30), 0, (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("rest", [0, 40])
def test_triplet_limits(first, value, slopes, rest):
    """In float32, whose squares are summed in double."""
    pred, positive, negative = (np.zeros((1, 1 + rest), np.float32) for _ in range(3))
    pred[0, 0], positive[0, 0], negative[0, 0] = first
    got, grads = Triplet().value_and_grad(pred, positive, negative)
    assert_same_bits(got, np.array([value], np.float32))
    if not math.isnan(value):
        np.testing.assert_array_equal([g[0, 0] for g in grads], np.array(slopes, np.float32))
    assert np.isnan(grads[0]).all() == math.isnan(value)


@given(
    hnp.arrays(np.int64, st.tuples(st.just(3), st.integers(1, 6), st.integers(1, 20)), elements=st.integers(-99, 99)),
    st.integers(-5, 5000),
)
def test_triplet_of_whole_numbers_is_exact(x, margin):
    for dtype in (np.float32, np.float64):
        pred, positive, negative = x.astype(dtype)
        value, grads = Triplet(margin=margin).value_and_grad(pred, positive, negative)
        exact = ((x[1] - x[0]) ** 2 - (x[2] - x[0]) ** 2).sum(1) + margin
        assert value.tolist() == np.maximum(exact, 0).tolist()
        active = (exact > 0)[:, np.newaxis]
        for got, wanted in zip(grads, (x[2] - x[1], x[1] - x[0], x[0] - x[2]), strict=True):
            assert got.tolist() == np.where(active, 2 * wanted, 0).tolist()


# ---- Cosine ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["i1", "i8", "f2", "f4", "f8", ">f4", "list", "kept", "kept list"])
def test_cosine_kinds_of_labels(dtype, kind):
    a, b = moderate((4, 3, 5), dtype), moderate((4, 3, 5), dtype, seed=2)
    label = np.where(np.arange(12) % 3 == 0, -1, 1).reshape(4, 3)
    expected = Cosine().value_and_grad(a, b, label)
    if "kept" in kind:
        label = label[..., np.newaxis]
    given_label = label.tolist() if "list" in kind else label if kind == "kept" else label.astype(kind)
    for got, wanted in zip(results(Cosine().value_and_grad(a, b, given_label)), results(expected), strict=True):
        assert_same_bits(got, wanted)


@pytest.mark.parametrize(
    "label, message",
    [
        ([1, 1, 0, 1], r"label[2] = 0 is neither 1 nor -1"),
        ([1, -1, 1, 2], r"label[3] = 2 is neither 1 nor -1"),
        ([1.0, 0.5, 1.0, 3.0], r"label[1] = 0.5 is neither 1 nor -1"),
        ([1, NAN, 1, 1], r"label[1] = nan is neither 1 nor -1"),
        ([1, 1, 1, -INF], r"label[3] = -inf is neither 1 nor -1"),
        ([[1], [1], [-2], [1]], r"label[2, 0] = -2 is neither 1 nor -1"),
        ([True, False, True, True], r"label[1] = False is neither 1 nor -1"),
        (np.array([1, 255, 1, 1], np.uint8), r"label[1] = 255 is neither 1 nor -1"),
    ],
)
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_cosine_bad_labels(dtype, label, message, reduction):
    a, b = moderate((4, 5), dtype), moderate((4, 5), dtype, seed=2)
    before = a.copy(), b.copy()
    out = np.full(() if reduction == "mean" else 4, SENTINEL, float if reduction == "mean" else dtype)
    loss = Cosine(reduction=reduction)
    for threads in (1, 3):
        with closs.num_threads(threads):
            for call in (
                lambda: loss(a, b, label, out=out),
                lambda: loss.value_and_grad(a, b, label, out=out, grad_out=(a, b)),
                lambda: loss.grad(a, b, label, grad_out=(a, b)),
            ):
                with pytest.raises(ValueError) as error:
                    call()
                assert str(error.value) == message
    assert (out == SENTINEL).all()
    assert_same_bits(a, before[0])
    assert_same_bits(b, before[1])


def test_cosine_names_the_first_bad_label(dtype):
    a = moderate((30, 500, 6), dtype)
    label = np.ones((30, 500), np.int8)
    label[[20, 3, 29], [7, 499, 499]] = 5, 0, 9
    for threads in (1, 2, 8):
        with closs.num_threads(threads), pytest.raises(ValueError, match=r"^label\[3, 499\] = 0 is neither"):
            Cosine().value_and_grad(a, a, label)


@pytest.mark.parametrize("margin", [0, 0.25, -0.25])
def test_cosine_of_zero_vectors(dtype, margin):
    """The cosine is 0, the gradients, too; neither is NaN."""
    zero, other = np.zeros((3, 7), dtype), moderate((3, 7), dtype)
    for a, b in ((zero, other), (other, zero), (zero, zero)):
        for label, expected in ((1, 1), (-1, max(-margin, 0))):
            value, grads = Cosine(margin=margin).value_and_grad(a, b, [label] * 3)
            assert value.tolist() == [expected] * 3
            assert not any(g.any() for g in grads)


def test_cosine_of_no_elements(dtype):
    empty = np.zeros((2, 0), dtype)
    value, grads = Cosine().value_and_grad(empty, empty, [1, -1])
    assert value.tolist() == [1, 0]
    assert [g.shape for g in grads] == [(2, 0)] * 2


def test_cosine_margin(dtype):
    """Where it is exactly met value and gradients are 0."""
    a, b = np.array([[3, 4], [3, 4], [3, 4]], dtype), np.array([[5, 0], [0, 5], [-5, 0]], dtype)  # cosines .6, .8, -.6
    value, grads = Cosine(margin=0.8).value_and_grad(a, b, [-1, -1, -1])
    np.testing.assert_allclose(value, 0, atol=np.finfo(dtype).eps)
    value, grads = Cosine(margin=0).value_and_grad(a[:, ::-1].copy() * [1, -1], b, [-1] * 3)
    eps = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, [0.8, 0, 0], rtol=eps)
    assert grads[0][0].any()
    assert not grads[0][1:].any()
    assert not grads[1][1:].any()
    right = Cosine().value_and_grad(np.array([[1, 0]], dtype), np.array([[0, 1]], dtype), [-1])
    assert right[0].tolist() == [0]
    assert not any(g.any() for g in right[1])


def test_cosine_of_parallel_vectors(dtype):
    a = moderate((50, 33), dtype)
    eps = np.finfo(dtype).eps
    value, grads = Cosine().value_and_grad(a, 2 * a, [1] * 50)
    assert (value >= 0).all()
    np.testing.assert_allclose(value, 0, atol=2 * eps)
    lengths = np.linalg.norm(a, axis=1, keepdims=True)
    for g in grads:
        np.testing.assert_allclose(g * lengths, 0, atol=8 * eps)
    value = Cosine().value_and_grad(a, -a, [1] * 50)[0]
    np.testing.assert_allclose(value, 2, rtol=2 * eps)
    value = Cosine().value_and_grad(a, 2 * a, [-1] * 50)[0]
    assert (value <= 1).all()
    np.testing.assert_allclose(value, 1, rtol=2 * eps)


@pytest.mark.parametrize("power", [-60, -3, 3, 60])
def test_cosine_has_no_scale(dtype, power):
    """Powers of two change no bit of the value, nor of gradients, as far as float32 holds the factors of these."""
    a, b = moderate((9, 21), dtype), moderate((9, 21), dtype, seed=2)
    label = [1, -1, 1] * 3
    value, (of_a, of_b) = Cosine(margin=0.1).value_and_grad(a, b, label)
    for other in (3 - power, 70):  # far beyond float32's squares
        scaled = Cosine(margin=0.1).value_and_grad(np.ldexp(a, power), np.ldexp(b, other), label)
        assert_same_bits(scaled[0], value)
        if dtype == np.float64 or max(abs(power), other) < 50:
            assert_same_bits(scaled[1][0], np.ldexp(of_a, -power))
            assert_same_bits(scaled[1][1], np.ldexp(of_b, -other))


@pytest.mark.parametrize("powers", [(0, 0), (57, 57), (60, 60), (-58, 58), (-62, 62), (100, -90), (-70, -2)])
def test_cosine_of_long_and_short_vectors(powers):
    """Gradients in float32 on both sides of where their factors leave its range, and are taken in double."""
    case, g = BY_ID["cosine"], Geometry((9, 21))
    a, b, label = case.arguments(g, np.float32)
    inputs = [np.ldexp(a, powers[0]), np.ldexp(b, powers[1]), label]
    grads = Cosine().value_and_grad(*inputs)[1]
    slopes = case.truth(g, inputs, MPMATH).gradients(np.ones(9))
    for grad, slope in zip(grads, slopes, strict=True):
        assert_within(ULPS_OF_ROW, grad, slope, MPMATH, "gradient")


def test_cosine_floor(dtype):
    """Below |a| |b| = 1e-12 the product is divided by 1e-12, and the gradient is that of the product."""
    a, b = np.array([[3e-8, 4e-8]], dtype), np.array([[1e-6, 0]], dtype)
    value, (of_a, of_b) = Cosine().value_and_grad(a, b, [1])
    eps = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, 1 - 3e-14 / 1e-12, rtol=eps)
    np.testing.assert_allclose(of_a, -b / 1e-12, rtol=eps)
    np.testing.assert_allclose(of_b, -a / 1e-12, rtol=eps)


def test_cosine_what_is_not_finite(dtype):
    for bad in (NAN, INF):
        for k in (0, 1):
            inputs = [moderate((3, 20), dtype), moderate((3, 20), dtype, seed=2)]
            inputs[k][1, 13] = bad
            for label in (1, -1):
                value, grads = Cosine().value_and_grad(*inputs, [label] * 3)
                assert np.isnan(value).tolist() == [False, True, False]
                assert np.isnan(grads[0]).any(1).tolist() == [False, True, False]


def test_cosine_means_over_the_rows_of_a_sample(dtype):
    a, b = moderate((2, 3, 4, 5), dtype), moderate((2, 3, 4, 5), dtype, seed=2)
    label = np.where(np.arange(24) % 2, 1, -1).reshape(2, 3, 4)
    rows = Cosine(reduction="none")(a, b, label)
    assert rows.shape == (2, 3, 4)
    for axis in (0, 1, 2, -2):
        others = tuple(k for k in range(3) if k != (axis if axis >= 0 else axis + 4))
        value = Cosine(batch_axis=axis)(a, b, label)
        np.testing.assert_allclose(value, rows.mean(others), rtol=8 * np.finfo(dtype).eps)


# ---- SDML ------------------------------------------------------------------------------------------------------------


def test_sdml_batch_of_one(dtype):
    value, grads = Sdml().value_and_grad(moderate((1, 9), dtype), moderate((1, 9), dtype, seed=2))
    assert value.tolist() == [0]
    assert not any(g.any() for g in grads)


@pytest.mark.parametrize("rows", [2, 3, 64, 65, 200])
@pytest.mark.parametrize("smoothing", [0, 0.3, 1])
def test_sdml_of_equal_vectors(dtype, rows, smoothing):
    """The prediction is uniform; no pair pulls."""
    x = np.full((rows, 5), 1.5, dtype)
    value, grads = Sdml(smoothing).value_and_grad(x, x)
    shares = np.array([1 - smoothing, *[smoothing / (rows - 1)] * (rows - 1)])
    shares = shares[shares > 0]
    exact = (shares * np.log(shares * rows)).sum()
    np.testing.assert_allclose(value, exact, rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps * np.log(rows))
    assert not any(g.any() for g in grads)


def test_sdml_far_apart(dtype):
    """Distances of 1e4 and more, where exp(-distance) is 0: the value is theirs."""
    x = np.array([[0, 0], [100, 0], [0, 200]], dtype)
    value, grads = Sdml(0.5).value_and_grad(x, x)
    distance = ((x[:, np.newaxis] - x) ** 2).sum(-1)
    exact = 0.5 * np.log(0.5) + 2 * 0.25 * np.log(0.25) + 0.25 * distance.sum(1)
    np.testing.assert_allclose(value, exact, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(grads[0], 2 * 0.25 * (x[:, np.newaxis] - x).sum(1), rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(grads[1], grads[0], rtol=4 * np.finfo(dtype).eps)
    value, grads = Sdml(0).value_and_grad(x, x)
    assert not value.any()
    assert not any(g.any() for g in grads)


@pytest.mark.parametrize(
    "x1, x2, exact",
    [
        ([0, 0], [1e20, 2e20], [0, INF]),  # distances of 1e40 and 4e40
        ([0, 5000], [3000, np.nextafter(np.float32(3000), np.float32(4000))], [0.2079195208, 0.3196192140]),
    ],
    ids=["beyond float32", "neighbours far away"],
)
def test_sdml_float32_distances_are_double(x1, x2, exact):
    """They neither overflow nor lose the digits that their softmax depends on."""
    inputs = [np.array(x, np.float32)[:, np.newaxis] for x in (x1, x2)]
    value, grads = Sdml(0).value_and_grad(*inputs)
    np.testing.assert_allclose(value, exact, rtol=2.4e-7)
    truth = BY_ID["sdml-0"].truth(Geometry((2, 1)), inputs, MPMATH)
    assert_within(ULPS_OF_ROW, value, truth.value, MPMATH, "value")
    for grad, slope in zip(grads, truth.gradients(MPMATH.lift(np.ones(2))), strict=True):
        assert_within(ULPS_OF_ROW, grad, slope, MPMATH, "gradient")


def test_sdml_common_offset(dtype):
    """Distances are of differences: an offset that both share loses no digit."""
    x1, x2 = np.round(moderate((20, 7), dtype) * 16) / 16, np.round(moderate((20, 7), dtype, seed=2) * 16) / 16
    offset = dtype(2**12)
    expected = Sdml().value_and_grad(x1, x2)
    for a, b in zip(results(Sdml().value_and_grad(x1 + offset, x2 + offset)), results(expected), strict=True):
        assert_same_bits(a, b)


def test_sdml_weight_is_applied(dtype):
    """MXNet 1.9.1 forgets it."""
    x1, x2 = moderate((5, 3), dtype) / 4, moderate((5, 3), dtype, seed=2) / 4
    plain, weighted = Sdml().value_and_grad(x1, x2), Sdml(weight=2).value_and_grad(x1, x2)
    for a, b in zip(results(weighted), results(plain), strict=True):
        assert_same_bits(a, 2 * b)


@given(st.permutations(range(9)), st.sampled_from([np.float32, np.float64]))
def test_sdml_samples_have_no_order(order, dtype):
    x1, x2 = moderate((9, 4), dtype) / 4, moderate((9, 4), dtype, seed=2) / 4
    eps = 32 * np.finfo(dtype).eps
    for a, b in zip(
        results(Sdml().value_and_grad(x1[order], x2[order])), results(Sdml().value_and_grad(x1, x2)), strict=True
    ):
        np.testing.assert_allclose(a, b[order], rtol=eps, atol=eps)


def test_sdml_nan_of_x1_is_a_row_and_of_x2_all(dtype):
    x1, x2 = moderate((6, 4), dtype) / 4, moderate((6, 4), dtype, seed=2) / 4
    clean = Sdml()(x1, x2)
    spoiled = x1.copy()
    spoiled[2, 1] = NAN
    value, grads = Sdml().value_and_grad(spoiled, x2)
    others = np.arange(6) != 2
    assert np.isnan(value[2])
    assert_same_bits(value[others], clean[others])
    assert np.isnan(grads[0]).any(1).tolist() == (~others).tolist()
    spoiled = x2.copy()
    spoiled[2, 1] = NAN
    assert np.isnan(Sdml()(x1, spoiled)).all()


def test_sdml_makes_no_cube():
    """(N, N, D) would be 2 GiB, and 64 times N rows of D numbers are 256 MiB."""
    program = """
import resource, sys
import numpy as np, closs
x = np.random.RandomState(0).rand(512, 2048).astype(np.float32)
loss = closs.SDMLLoss(reduction="sum")
loss.value_and_grad(x[:3], x[:3])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loss.value_and_grad(x, x)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown // (1024 if sys.platform == "darwin" else 1))
"""
    pytest.importorskip("resource")
    assert int(run_python("-c", program)) < 100_000  # KiB: two gradients of 4 MiB, N^2 numbers, stacks


# ---- Errors ----------------------------------------------------------------------------------------------------------

SHAPE = (4, 3)
NAMES = {Triplet: ("pred", "positive", "negative"), Cosine: ("input1", "input2"), Sdml: ("x1", "x2")}


def float32s(*shape) -> np.ndarray:
    return np.full(shape, SENTINEL, np.float32)


def read_only(*shape) -> np.ndarray:
    array = float32s(*shape)
    array.flags.writeable = False
    return array


def arguments(cls) -> dict:
    """A valid call's, outputs filled with a sentinel."""
    names = NAMES[cls]
    return {
        **{name: moderate(SHAPE, np.float32, seed=k) for k, name in enumerate(names)},
        **({"label": np.array([1, -1, 1, -1], np.float32)} if cls is Cosine else {}),
        "sample_weight": np.ones((4, 1), np.float32),
        "grad_output": np.ones(4, np.float32),
        "out": float32s(4),
        "grad_out": tuple(float32s(*SHAPE) for _ in names),
    }


def grad_out(k, array):
    """The valid ones, but for one."""

    def change(a):
        k_positive = k % len(a["grad_out"])
        bad = array(a) if callable(array) else array
        return {"grad_out": tuple(bad if j == k_positive else g for j, g in enumerate(a["grad_out"]))}

    return change


FIRST, LAST = "first", "last"  # inputs; each class has its own names

BAD = {  # error, argument named, what is replaced
    "other length": (ValueError, LAST, {LAST: float32s(3, 3)}),
    "shape that would broadcast": (ValueError, LAST, {LAST: float32s(1, 3)}),
    "shape that would reshape": (ValueError, LAST, {LAST: float32s(3, 4)}),
    "first complex": (TypeError, FIRST, {FIRST: np.ones(SHAPE, complex)}),
    "first of objects": (TypeError, FIRST, {FIRST: np.ones(SHAPE, object)}),
    "first missing": (TypeError, FIRST, {FIRST: None}),
    "last complex": (TypeError, LAST, {LAST: np.ones(SHAPE, complex)}),
    "last of strings": (TypeError, LAST, {LAST: np.full(SHAPE, "1")}),
    "last missing": (TypeError, LAST, {LAST: None}),
    "sample_weight of wrong length": (ValueError, "sample_weight", {"sample_weight": np.ones(5)}),
    "sample_weight an element": (ValueError, "sample_weight", {"sample_weight": np.ones(SHAPE)}),
    "sample_weight complex": (TypeError, "sample_weight", {"sample_weight": np.ones(4, complex)}),
    "grad_output of wrong shape": (ValueError, "grad_output", {"grad_output": np.ones((4, 1))}),
    "grad_output complex": (TypeError, "grad_output", {"grad_output": np.ones(4, complex)}),
    "out of wrong shape": (ValueError, "out", {"out": float32s(5)}),
    "out of other type": (TypeError, "out", {"out": np.full(4, SENTINEL)}),
    "out read-only": (ValueError, "out", {"out": read_only(4)}),
    "out in an input": (ValueError, "out", lambda a: {"out": a[LAST].ravel()[:4]}),
    "out is sample_weight": (ValueError, "out", lambda a: {"out": a["sample_weight"][:, 0]}),
    "grad_out an array": (TypeError, "grad_out", {"grad_out": float32s(*SHAPE)}),
    "grad_out too short": (ValueError, "grad_out", lambda a: {"grad_out": a["grad_out"][1:]}),
    "grad_out too long": (ValueError, "grad_out", lambda a: {"grad_out": (*a["grad_out"], None)}),
    "grad_out of wrong shape": (ValueError, "grad_out.0.", grad_out(0, float32s(3, 4))),
    "grad_out of other type": (TypeError, "grad_out...", grad_out(-1, np.full(SHAPE, SENTINEL))),
    "grad_out read-only": (ValueError, "grad_out...", grad_out(-1, read_only(*SHAPE))),
    "grad_out a list": (TypeError, "grad_out.0.", grad_out(0, [[0.0] * 3] * 4)),
    "grad_out is the other input": (ValueError, "grad_out.0.", grad_out(0, lambda a: a[LAST])),
    "grad_out is the other input, backwards": (ValueError, "grad_out...", grad_out(-1, lambda a: a[FIRST])),
    "grad_out is its input reversed": (ValueError, "grad_out.0.", grad_out(0, lambda a: a[FIRST][::-1])),
    "grad_out is another gradient": (ValueError, "grad_out...", grad_out(-1, lambda a: a["grad_out"][0])),
    "grad_out holds out": (ValueError, "grad_out.0.", lambda a: {"out": a["grad_out"][0].ravel()[:4]}),
}  # fmt: skip


@pytest.mark.parametrize("cls", NAMES)
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(cls, case):
    error, argument, change = BAD[case]
    first, last = NAMES[cls][0], NAMES[cls][-1]
    valid = arguments(cls)
    changed = change(valid | {FIRST: valid[first], LAST: valid[last]}) if callable(change) else change
    renamed = {FIRST: first, LAST: last}
    call = valid | {renamed.get(k, k): v for k, v in changed.items()}
    arrays = [a for v in call.values() for a in (v if isinstance(v, tuple) else [v]) if isinstance(a, np.ndarray)]
    before = [a.tobytes() for a in arrays]
    with pytest.raises(error, match=rf"^{renamed.get(argument, argument)}: expected .+, got .+"):
        cls().value_and_grad(**call)
    assert [a.tobytes() for a in arrays] == before, "an array was written to"


@pytest.mark.parametrize("cls", NAMES)
def test_the_call_is_valid_but_for_what_is_replaced(cls):
    valid = arguments(cls)
    value, grads = cls().value_and_grad(**valid)
    assert value is valid["out"]
    assert all(a is b for a, b in zip(grads, valid["grad_out"], strict=True))
    assert not any((a == SENTINEL).any() for a in (value, *grads))


@pytest.mark.parametrize(
    "cls, options, error, argument",
    [
        *((cls, {"weight": bad}, ValueError, "weight") for cls in NAMES for bad in (NAN, INF)),
        *((cls, {"weight": "1"}, TypeError, "weight") for cls in NAMES),
        *((cls, {"batch_axis": bad}, TypeError, "batch_axis") for cls in NAMES for bad in (1.0, None, True)),
        *((cls, {"reduction": "average"}, ValueError, "reduction") for cls in NAMES),
        *((cls, {"reduction": None}, TypeError, "reduction") for cls in NAMES),
        *((cls, {"margin": bad}, ValueError, "margin") for cls in (Triplet, Cosine) for bad in (NAN, INF)),
        *((cls, {"margin": bad}, TypeError, "margin") for cls in (Triplet, Cosine) for bad in ("1", None, True)),
        *((Sdml, {"smoothing_parameter": bad}, ValueError, "smoothing_parameter") for bad in (-0.1, 1.1, NAN)),
        (Sdml, {"smoothing_parameter": None}, TypeError, "smoothing_parameter"),
    ],
)
def test_constructors(cls, options, error, argument):
    with pytest.raises(error, match=rf"^{argument}: expected .+, got .+"):
        cls(**options)


@pytest.mark.parametrize("cls", NAMES)
@pytest.mark.parametrize("batch_axis", [2, -3, 2**70])
def test_batch_axis_out_of_range(cls, batch_axis):
    call = arguments(cls)
    with pytest.raises(ValueError, match="^batch_axis: expected .+, got .+"):
        cls(batch_axis=batch_axis).value_and_grad(**call)
    assert (call["out"] == SENTINEL).all()


@pytest.mark.parametrize("cls", NAMES)
def test_batch_axis_of_one_row(cls):
    """0 and -1 are the only axis, also of a 0-d input where there may be one."""
    vectors = [np.arange(3.0) + k for k in range(len(NAMES[cls]))]
    label = [1] if cls is Cosine else []
    expected = cls().value_and_grad(*vectors, *label)
    assert_same_bits(cls(batch_axis=-1)(*vectors, *label), expected[0])
    for batch_axis in (1, -2, 5):
        with pytest.raises(ValueError, match="^batch_axis: expected .+ which has 1, got .+"):
            cls(batch_axis=batch_axis)(*vectors, *label)
    if cls is Cosine:
        return
    for batch_axis in (0, -1):
        value, grads = cls(batch_axis=batch_axis).value_and_grad(*(v[1] for v in vectors))
        assert value.shape == () == grads[0].shape
    for batch_axis in (1, -2, 5):
        with pytest.raises(ValueError, match="^batch_axis: expected .+ which has 0, got .+"):
            cls(batch_axis=batch_axis)(*(v[1] for v in vectors))


@pytest.mark.parametrize("batch_axis", [1, -1])
def test_cosine_batch_axis_is_not_the_rows(batch_axis):
    with pytest.raises(ValueError, match="^batch_axis: expected .+, got .+"):
        Cosine(batch_axis=batch_axis)(np.ones((4, 3)), np.ones((4, 3)), [1] * 4)


@pytest.mark.parametrize("label", [[1] * 3, np.ones((4, 3)), 1, np.ones(4, complex), None, ["1"] * 4])
def test_cosine_labels_of_other_shapes_and_kinds(label):
    with pytest.raises(ValueError if np.asarray(label).dtype.kind in "if" else TypeError, match="^label: expected"):
        Cosine()(np.ones((4, 3)), np.ones((4, 3)), label)


# ---- Size ------------------------------------------------------------------------------------------------------------


def zeros(*shape):
    """Pages that nobody has written to are free."""
    try:
        return np.zeros(shape, np.float32)
    except MemoryError:
        pytest.skip("this process may not have 8 GB of address space")


@pytest.mark.parametrize(
    "shape, batch_axis", [((2**21 + 64, 1024), 0), ((2, 2**20 + 64, 1024), 1), ((2, 2**30 + 64), 0)]
)
def test_triplet_of_more_than_31_bits_of_elements(shape, batch_axis):
    x, negative = zeros(*shape), zeros(*shape)
    negative.reshape(-1)[-1] = 0.5
    value = Triplet(margin=2, batch_axis=batch_axis)(x, x, negative)
    assert (value[:-1] == 2).all()
    assert value[-1] == 1.75


def test_cosine_of_more_than_31_bits_of_elements():
    x, other = zeros(2**21 + 64, 1024), zeros(2**21 + 64, 1024)
    x[-1, -1] = other[-1, -1] = 2
    label = np.ones(len(x), np.int8)
    value = Cosine(reduction="none")(x, other, label)
    assert (value[:-1] == 1).all()
    assert value[-1] == 0
    label[-1] = 3
    with pytest.raises(ValueError, match=rf"^label\[{len(x) - 1}\] = 3 is neither"):
        Cosine(reduction="none")(x, other, label)


@pytest.mark.parametrize("cls", NAMES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_weight_is_a_factor(cls, reduction, dtype):
    """Of value and gradients; a power of two changes no digit."""
    call = {k: v for k, v in arguments(cls).items() if k in (*NAMES[cls], "label")}
    plain = results(cls(reduction=reduction).value_and_grad(**call))
    weighted = results(cls(reduction=reduction, weight=-4).value_and_grad(**call))
    if cls is Sdml:
        plain = results(cls(reduction=reduction, weight=1).value_and_grad(**call))
    for a, b in zip(weighted, plain, strict=True):
        assert np.array_equal(a, -4 * np.asarray(b))
