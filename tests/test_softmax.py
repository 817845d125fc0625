"""SoftmaxCrossEntropyLoss and KLDivLoss beyond test_rows.py: labels, errors, ignored rows, limits, logsumexp, sizes."""

import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracle import FLOAT64, MPMATH, Expected, assert_within, has_fma, wide_numbers
from row_oracles import BY_ID, ULPS_OF_ROW, Geometry, class_numbers, cross_entropy, results

import closs

INF, NAN = math.inf, math.nan
SENTINEL = -123.25
CE, KL = closs.SoftmaxCELoss, closs.KLDivLoss


def assert_same_results(a, b, what=""):
    for one, other in zip(results(a), results(b), strict=True):
        assert_same_bits(one, other, what)


def test_alias():
    assert closs.SoftmaxCELoss is closs.SoftmaxCrossEntropyLoss


# ---- Labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", "f2", "f4", "f8", "g", ">f8", "list", "tuple"]
)
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_kinds_of_labels(dtype, kind, axis):
    """With the class axis left out, or kept at length one: all the same."""
    x = moderate((3, 4, 5), dtype)
    loss = CE(axis=axis, batch_axis=1 if axis == 0 else 0)
    shape = tuple(np.delete(x.shape, axis))
    label = class_numbers(shape, 2 if kind == "?" else 3, seed=1)
    expected = loss.value_and_grad(x, label.astype(np.int64))
    for given_label in (label, np.expand_dims(label, axis)):
        convert = {"list": np.ndarray.tolist, "tuple": lambda a: tuple(map(tuple, a.tolist()))}
        given_label = convert.get(kind, lambda a: a.astype(kind))(given_label)
        assert_same_results(loss.value_and_grad(x, given_label), expected)


def test_one_row(dtype):
    x = moderate(5, dtype)
    value, grad = CE(reduction="none").value_and_grad(x[np.newaxis], [3])
    for label in (3, np.int8(3), 3.0, [3], np.array(3), np.array([3], np.uint8)):
        for reduction in REDUCTIONS:
            got = CE(reduction=reduction).value_and_grad(x, label)
            assert_same_bits(np.asarray(got[0], dtype), value[0])
            assert_same_bits(got[1], grad[0])


@pytest.mark.parametrize(
    "shape, axis, label, message",
    [
        ((18, 10), -1, [0] * 17 + [12], r"label[17] = 12 is outside 0..9"),
        ((18, 10), -1, [0] * 17 + [10], r"label[17] = 10 is outside 0..9"),
        ((4, 3), -1, [0, -1, 2, 7], r"label[1] = -1 is outside 0..2"),
        ((4, 3), -1, [[0], [1], [2], [3]], r"label[3, 0] = 3 is outside 0..2"),
        ((4, 3), -1, np.array([0, 1, 255, 2], np.uint8), r"label[2] = 255 is outside 0..2"),
        ((4, 3), -1, np.array([0, 1, -128, 2], np.int8), r"label[2] = -128 is outside 0..2"),
        ((4, 3), -1, [0, 1, 2, 2**40], r"label[3] = 1099511627776 is outside 0..2"),
        ((4, 3), -1, [0, 1, 2, -(2**63)], r"label[3] = -9223372036854775808 is outside 0..2"),
        ((4, 3), -1, [0.0, 1.0, 2.0, 3.0], r"label[3] = 3 is outside 0..2"),
        ((4, 3), 0, [[0, 1, 4]], r"label[0, 2] = 4 is outside 0..3"),
        ((3, 9, 6), 1, np.where(np.arange(18).reshape(3, 6) == 17, 9, 0), r"label[2, 5] = 9 is outside 0..8"),
        ((3, 9, 6), 1, np.where(np.arange(18).reshape(3, 1, 6) == 9, 9, 0), r"label[1, 0, 3] = 9 is outside 0..8"),
        ((3, 1), -1, [False, True, False], r"label[1] = 1 is outside 0..0"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"ignore_index": -100}, {"from_logits": True}, {"label_smoothing": 0.5}])
def test_labels_out_of_range(dtype, shape, axis, label, message, options):
    """Position, value and range; no output is touched, whatever is computed, and pred is not if it is one."""
    batch_axis = 1 if axis == 0 else 0
    x = moderate(shape, dtype)
    for reduction in ("none", "sample_mean", "mean"):
        loss = CE(axis=axis, batch_axis=batch_axis, reduction=reduction, **options)
        out = np.full(np.shape(loss(x, np.zeros_like(label, int))), SENTINEL, float if reduction == "mean" else dtype)
        for grad_out in (np.full(shape, SENTINEL, dtype), x.copy()):
            before = grad_out.copy()
            pred = grad_out if grad_out.flat[0] != SENTINEL else x
            for method, outputs in (
                ("value_and_grad", {"grad_out": grad_out, "out": out}),
                ("value_and_grad", {"grad_out": grad_out}),
                ("grad", {"grad_out": grad_out}),
                ("__call__", {"out": out}),
                ("__call__", {}),
            ):
                for w in (None, np.zeros(())):
                    with pytest.raises(ValueError) as error:
                        getattr(loss, method)(pred, label, w, **outputs)
                    assert str(error.value) == message
            assert (out == SENTINEL).all()
            assert_same_bits(grad_out, before)


def test_the_first_bad_label_is_named(dtype):
    """However many there are, and however many threads look; in place, too, where rows before it were good."""
    x = moderate((20_000, 11), dtype)
    label = class_numbers(20_000, 11, 1)
    label[[9_999, 123, 19_999, 124]] = [-5, 77, 11, 12]
    for threads in (1, 2, 3, 8):
        with closs.num_threads(threads):
            for shape in ((20_000, 11), (4, 5_000, 11)):
                pred = x.reshape(shape).copy()
                y = label.reshape(shape[:-1])
                with pytest.raises(ValueError, match=r"^label\[(0, )?123\] = 77 is outside 0..10$"):
                    CE().value_and_grad(pred, y, grad_out=pred)
                assert_same_bits(pred, x.reshape(shape))


@pytest.mark.parametrize(
    "label, error, message",
    [
        ([0, 1.5, 2, 0], ValueError, r"^label\[1\] = 1.5 "),
        ([0, 1, NAN, 0], ValueError, r"^label\[2\] = nan "),
        ([0, 1, INF, 0], ValueError, r"^label\[2\] = inf "),
        ([[0], [1], [2], [-0.5]], ValueError, r"^label\[3, 0\] = -0.5 "),
        ([0, 1e30, 2, 0], ValueError, r"^label\[1\] = 1e\+30 "),
        (np.array([0, 1, 2, 2**64 - 1], np.uint64), ValueError, r"^label\[3\] = 18446744073709551615 "),
        (np.zeros(4, complex), TypeError, "^label: expected .+, got .+complex"),
        (np.zeros(4, object), TypeError, "^label: expected .+, got .+object"),
        (["0", "1", "2", "0"], TypeError, "^label: expected .+, got .+"),
        (np.zeros(4, "M8[s]"), TypeError, "^label: expected .+, got .+"),
        (None, TypeError, "^label: expected .+, got .+"),
        ([0, 1, 2], ValueError, r"^label: expected .+, got .*\(3,\)"),
        ([[0, 1], [2, 0]], ValueError, r"^label: expected .+, got .*\(2, 2\)"),
        (np.zeros((4, 3)), ValueError, r"^label: expected .+, got .*\(4, 3\)"),
        (0, ValueError, r"^label: expected .+, got .*\(\)"),
    ],
)
def test_labels_that_are_none(label, error, message):
    out, grad_out = np.full(4, SENTINEL), np.full((4, 3), SENTINEL)
    with pytest.raises(error, match=message):
        CE().value_and_grad(moderate((4, 3), float), label, out=out, grad_out=grad_out)
    assert (out == SENTINEL).all()
    assert (grad_out == SENTINEL).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_hot_labels_are_the_sparse_ones(dtype, axis):
    x = moderate((5, 6, 7), dtype)
    label = class_numbers(np.delete(x.shape, axis), x.shape[axis], 3)
    one_hot = np.moveaxis(np.eye(x.shape[axis], dtype=dtype)[label], -1, axis)
    options = {"axis": axis, "batch_axis": (axis + 1) % 3, "class_weight": np.arange(1, x.shape[axis] + 1) / 4}
    for smoothing in (0, 0.25):
        for reduction in ("none", "sample_mean", "sum"):
            more = {"label_smoothing": smoothing, "reduction": reduction}
            sparse = CE(**options, **more).value_and_grad(x, label)
            dense = CE(**options, **more, sparse_label=False).value_and_grad(x, one_hot)
            for a, b in zip(sparse, dense, strict=True):
                np.testing.assert_allclose(a, b, rtol=4 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)


# ---- Ignored rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ignore_index", [-100, 255, 0, 3, -1, 2**40, -(2**63), 2**63 - 1])
def test_ignored_rows_do_not_exist(dtype, ignore_index):
    """Whatever their logits are: value 0, gradient 0, and no part in a mean."""
    x = moderate((30, 5), dtype)
    label = np.arange(30) % 5
    label = np.where(label == ignore_index, 1, label)
    away = np.arange(30) % 3 == 1
    x[away] = NAN
    x[0 if away[0] else 1] = INF
    label[away] = ignore_index
    weights = np.abs(moderate(30, dtype, seed=5))
    for options in ({}, {"from_logits": True}, {"label_smoothing": 0.2, "class_weight": [1, 2, 3, 0.5, 0.25]}):
        for reduction in REDUCTIONS:
            loss = CE(ignore_index=ignore_index, reduction=reduction, **options)
            for w in (None, weights):
                value, grad = loss.value_and_grad(x, label, w)
                without = CE(reduction=reduction, **options).value_and_grad(
                    x[~away], label[~away], None if w is None else w[~away]
                )
                assert not grad[away].any()
                np.testing.assert_allclose(grad[~away], without[1], rtol=4 * np.finfo(dtype).eps)
                if np.ndim(value):
                    assert not value[away].any()
                    assert_same_bits(value[~away], without[0])
                else:
                    np.testing.assert_allclose(value, without[0], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("options", [
    {}, {"from_logits": True}, {"label_smoothing": 0.2, "class_weight": [1, 2, 3, 0.5, 0]}, {"z_loss": 0.5},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ignored_rows_have_no_weight(dtype, bad, options, reduction):
    """NaN and infinity among their weights reach no value, gradient or total."""
    x, label = moderate((30, 5), dtype), np.arange(30) % 5
    ignored = np.arange(30) % 3 == 1
    label[ignored] = -100
    weights = np.abs(moderate(30, dtype, seed=5))
    loss = CE(ignore_index=-100, reduction=reduction, **options)
    expected = loss.value_and_grad(x, label, weights)
    weights[ignored] = bad
    value, grad = loss.value_and_grad(x, label, weights)
    assert_same_bits(value, expected[0])
    assert_same_bits(grad[~ignored], expected[1][~ignored])
    assert not grad[ignored].any()


@pytest.mark.parametrize("kind", ["i1", "u1", "i4", "i8", "f4", "f8"])
def test_ignored_labels_of_every_kind(dtype, kind):
    ignore = 255 if kind == "u1" else -100
    label = np.array([0, ignore, 2, ignore], kind)
    x = moderate((4, 3), dtype)
    value, grad = CE(ignore_index=ignore).value_and_grad(x, label)
    assert value[[1, 3]].tolist() == [0, 0]
    assert not grad[[1, 3]].any()
    assert (value[[0, 2]] > 0).all()


def test_sample_means_count_what_is_left(dtype):
    x = moderate((3, 4, 5), dtype)
    label = np.array([[0, 1, -100, -100], [-100] * 4, [1, 2, 3, 4]])
    rows = CE(reduction="none", ignore_index=-100)(x, label)
    value, grad = CE(ignore_index=-100).value_and_grad(x, label)
    np.testing.assert_allclose(value, [rows[0, :2].mean(), 0, rows[2].mean()], rtol=4 * np.finfo(dtype).eps)
    assert value[1] == 0
    assert not grad[1].any()
    total = CE(ignore_index=-100, reduction="mean")(x, label)
    np.testing.assert_allclose(total, rows.sum() / 6, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "options", [{}, {"class_weight": [1, 2, 3]}, {"label_smoothing": 0.1}, {"z_loss": 0.5}], ids=str
)
@pytest.mark.filterwarnings("error")
def test_all_ignored(dtype, reduction, options):
    """Sums and sample means are 0, means NaN, the gradient 0, and nobody is warned."""
    for x in (moderate((4, 2, 3), dtype), np.full((4, 2, 3), NAN, dtype)):
        for w in (None, np.ones((4, 1))):
            loss = CE(ignore_index=7, reduction=reduction, **options)
            value, grad = loss.value_and_grad(x, np.full((4, 2), 7), w)
            assert not grad.any()
            assert np.isnan(value) if reduction in ("mean", "weighted_mean") else not np.any(value)


def test_weighted_mean_is_that_of_the_weights(dtype):
    x, label = moderate((6, 3), dtype), np.array([0, 1, 2, 9, 1, 0])
    class_weight, w = np.array([0.5, 2, 0]), np.array([1, 3, 1, 5, 0, 2], dtype)
    rows = CE(reduction="none", class_weight=class_weight, ignore_index=9)(x, label)
    value = CE(reduction="weighted_mean", class_weight=class_weight, ignore_index=9)(x, label, w)
    applied = w * np.append(class_weight, [0] * 7)[label]
    np.testing.assert_allclose(value, (w * rows).sum() / applied.sum(), rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("from_logits", [False, True])
def test_weighted_mean_of_classes_without_weight(dtype, from_logits):
    """A mean of nothing: NaN, and the gradient is 0."""
    x = -np.abs(moderate((4, 3), dtype))
    loss = CE(from_logits=from_logits, reduction="weighted_mean", class_weight=[1, 0, 2])
    value, grad = loss.value_and_grad(x, [1, 1, 1, 1])
    assert math.isnan(value)
    assert not grad.any()


# ---- Limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("big", [1e4, 1e30])
@pytest.mark.parametrize("classes", [2, 5, 40])
def test_large_logits(dtype, big, classes):
    """Values are differences of logits; nothing overflows."""
    x = np.full((3, classes), -big, dtype)
    x[:, 1] = big
    value, grad, lse = CE(reduction="none").value_and_grad(x, [0, 1, 1], return_lse=True)
    assert value.tolist() == [float(dtype(big)) * 2, 0, 0]
    assert lse.tolist() == [dtype(big)] * 3
    expected = np.zeros((3, classes))
    expected[0, :2] = -1, 1
    assert grad.tolist() == expected.tolist()


@pytest.mark.parametrize("classes", [3, 10, 33, 257])
@pytest.mark.parametrize("axis", [0, 1])
def test_masks(dtype, classes, axis):
    """A class at -inf has probability 0, as if it were not there; a label there costs inf."""
    x = moderate((4, classes), dtype)
    masked = np.arange(classes) % 2 == 1
    x[:, masked] = -INF
    label = np.array([0, 2, 0, 1])
    without = CE(reduction="none").value_and_grad(x[:, ~masked], label // 2)
    if axis == 0:
        loss = CE(reduction="none", axis=0, batch_axis=1)
        value, grad = loss.value_and_grad(np.ascontiguousarray(x.T), label)
        grad = grad.T
    else:
        value, grad = CE(reduction="none").value_and_grad(x, label)
    np.testing.assert_allclose(value[:3], without[0][:3], rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(grad[:3, ~masked], without[1][:3], rtol=4 * np.finfo(dtype).eps, atol=1e-30)
    assert not grad[:3, masked].any()
    assert value[3] == INF
    assert grad[3, 1] == -1
    assert not grad[3, masked][1:].any()


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"sparse_label": False}, {"z_loss": 0.1}], ids=str)
@pytest.mark.parametrize("classes", [1, 2, 10, 65, 1000])
@pytest.mark.parametrize("bad", ["all -inf", "nan", "inf"])
def test_a_row_without_softmax_is_nan(dtype, options, classes, bad):
    """And no other row is."""
    x = moderate((37, classes), dtype)
    label = np.zeros(37, int) if options.get("sparse_label", True) else np.full(x.shape, 1 / classes, dtype)
    loss = CE(reduction="none", **options)
    clean = loss.value_and_grad(x, label, return_lse=True)
    for row in (0, 17, 36):
        spoiled = x.copy()
        where = slice(None) if bad == "all -inf" else classes // 2
        spoiled[row, where] = {"all -inf": -INF, "nan": NAN, "inf": INF}[bad]
        got = loss.value_and_grad(spoiled, label, return_lse=True)
        assert np.isnan(got[0][row])
        assert np.isnan(got[1][row]).all()
        assert_same_bits(got[2][row], dtype({"all -inf": -INF, "nan": NAN, "inf": INF}[bad]))
        others = np.arange(37) != row
        for a, b in zip(got, clean, strict=True):
            assert_same_bits(a[others], b[others])


@pytest.mark.parametrize("classes", [2, 10, 65, 1000])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("bad, lse", [
    ((-INF, -INF), -INF), ((INF, 0), INF), ((INF, -INF), INF), ((INF, INF), INF), ((NAN, 0), NAN), ((NAN, INF), NAN),
    ((NAN, -INF), NAN),
])  # fmt: skip
def test_lse_without_softmax(dtype, classes, axis, bad, lse):
    """It is the limit, where value and gradient have none."""
    x = moderate((3, classes), dtype)
    expected = CE()(x, [0, 0, 0], return_lse=True)[1]
    x[1] = bad[1]
    x[1, classes - 1] = bad[0]
    expected[1] = lse
    loss = CE(axis=axis, batch_axis=1 - axis)
    given_x = x if axis == 1 else np.ascontiguousarray(x.T)
    np.testing.assert_array_equal(np.isnan(loss(given_x, [0, 0, 0])), [False, True, False])
    for answer in (
        loss(given_x, [0, 0, 0], return_lse=True),
        loss.grad(given_x, [0, 0, 0], return_lse=True),
    ):
        np.testing.assert_allclose(answer[-1], expected, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("classes", [4, 40, 300, 1300])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("other", [INF, -INF, 0])
@pytest.mark.parametrize("in_place", [False, True])
def test_the_logsumexp_of_nan_is_nan(dtype, classes, axis, other, in_place):
    """Wherever it is, and whatever comes before and after it."""
    places = np.unique([0, 1, classes // 2, classes - 1])
    x = np.full((len(places), classes), other, dtype)
    x[:, 2] = INF
    x[np.arange(len(places)), places] = NAN
    x[:, 3] = np.where(places == 3, NAN, 0)
    x = np.ascontiguousarray(x if axis == 1 else x.T)
    loss, label = CE(axis=axis, batch_axis=1 - axis, reduction="none"), np.zeros(len(places), int)
    value, grad, lse = loss.value_and_grad(x, label, return_lse=True, grad_out=x if in_place else None)
    assert np.isnan(value).all() and np.isnan(grad).all() and np.isnan(lse).all()


ONE_CLASS = [
    *({"label_smoothing": s} for s in (0, 0.1, 0.3, 0.5)),
    *({"class_weight": [w]} for w in (0.1, 0.3, 3.0)),
    {"label_smoothing": 0.1, "class_weight": [0.3]},
]


@pytest.mark.parametrize("options", ONE_CLASS, ids=str)
@pytest.mark.parametrize("weight", [None, 0.1, 0.3])
@pytest.mark.parametrize("sparse", [True, False])
def test_one_class(dtype, options, weight, sparse):
    """Its probability is 1, of which no rounding of a target or a weight leaves anything."""
    x = moderate((5, 1), dtype) * 1000
    label = np.zeros(5, int) if sparse else np.ones((5, 1))
    for reduction in ("none", "mean"):
        loss = CE(sparse_label=sparse, reduction=reduction, **options)
        weights = None if weight is None else np.full(5, weight)
        value, grad, lse = loss.value_and_grad(x, label, weights, return_lse=True)
        assert not np.any(value)
        assert not grad.any()
        assert_same_bits(lse, x[:, 0])


WITHOUT_TARGET = {  # options, label of a row
    "weight of its class 0": ({"class_weight": 0}, 0),
    "weight of all classes 0": ({"class_weight": "all", "label_smoothing": 0.2}, 0),
    "distribution of zeros": ({"sparse_label": False}, 0.0),
    "distribution over a class of weight 0": ({"sparse_label": False, "class_weight": 0}, 1.0),
}


@pytest.mark.parametrize("name", WITHOUT_TARGET)
@pytest.mark.parametrize("classes", [2, 10, 65, 1000])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("bad", ["all -inf", "nan", "inf"])
def test_a_row_without_target_is_0(dtype, name, classes, axis, bad):
    """Whatever its logits are, as if its weight were 0; it spoils no sum."""
    options, at_0 = WITHOUT_TARGET[name]
    options = dict(options)
    if "class_weight" in options:
        zeros = slice(None) if options["class_weight"] == "all" else 0
        options["class_weight"] = np.ones(classes)
        options["class_weight"][zeros] = 0
    sparse = options.get("sparse_label", True)
    label = np.array([1, 0, 1]) if sparse else np.eye(classes)[[1, 0, 1]] * [[1], [at_0], [1]]
    x = moderate((3, classes), dtype)
    x[1, slice(None) if bad == "all -inf" else classes // 2] = {"all -inf": -INF, "nan": NAN, "inf": INF}[bad]
    finite = np.where(np.arange(3)[:, np.newaxis] == 1, dtype(0), x)
    for reduction in REDUCTIONS:
        loss = CE(axis=axis, batch_axis=1 - axis, reduction=reduction, **options)
        turned = [x, finite] if axis == 1 else [np.ascontiguousarray(x.T), np.ascontiguousarray(finite.T)]
        given_label = label if axis == 1 or sparse else label.T
        (value, grad), expected = (loss.value_and_grad(pred, given_label) for pred in turned)
        assert_same_bits(value, expected[0])
        assert_same_bits(grad + 0, expected[1] + 0)
        assert not np.take(grad, 1, 1 - axis).any()
        if reduction == "none":
            assert value[1] == 0


@pytest.mark.parametrize("offset", [0, 3, -100, 247, 248.1, 1000, 1501])
def test_a_row_that_is_sure_keeps_its_digits(dtype, offset):
    """log1p(exp(-gap)) where 1 - p would have rounded to 0, down to the smallest subnormal number, then 0."""
    last = 105 if dtype == np.float32 else 746
    gap = np.concatenate([np.linspace(0, last, 331), np.linspace(last, 2 * last, 71), [1e4, 1e30]]).astype(dtype)
    x = np.stack([offset + 0 * gap, offset - gap], axis=1)
    n = FLOAT64 if dtype == np.float32 else MPMATH
    e = n.exp(n.lift(x[:, 1]) - n.lift(x[:, 0]))
    value, grad = CE(reduction="none").value_and_grad(x, np.zeros(len(gap), int))
    assert_within(ULPS_OF_ROW, value, Expected(n.log1p(e), e), n, "value", gap=gap)
    assert_within(ULPS_OF_ROW, grad[:, 1], Expected(e / (1 + e), e / (1 + e)), n, "gradient", gap=gap)


@pytest.mark.parametrize("classes", [2, 9, 32, 33, 40, 63, 64, 65, 100, 127, 128, 255, 256, 1000, 1025, 2100])
@pytest.mark.parametrize("gap", [30, 600])
def test_a_row_that_is_sure_of_any_class(dtype, classes, gap):
    """Its largest logit is left out of the sum wherever it is, and one of two that are; the other one is not."""
    rows = np.arange(classes)
    x = np.full((classes, classes), -gap / 3, dtype)
    x[rows, rows] = gap * 2 / 3
    other = np.exp(-float(gap)) if dtype == np.float64 or gap < 100 else 0
    for axis in (1, 0):
        value = CE(reduction="none", axis=axis, batch_axis=1 - axis)(x, rows)
        np.testing.assert_allclose(value, np.log1p((classes - 1) * other), rtol=4 * np.finfo(dtype).eps)
    x[rows, rows[::-1]] = gap * 2 / 3
    value = CE(reduction="none")(x, rows)
    tied = rows != rows[::-1]
    np.testing.assert_allclose(value, np.log1p(tied + (classes - 1 - tied) * other), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("classes", [33, 255, 256, 300, 1000, 1025, 2100, 5000])
@pytest.mark.parametrize("m", [0, 0.0078125, 3.25, -100.75, 1600])
def test_a_row_that_is_sure_of_a_class_no_label_names(dtype, classes, m):
    """Its logsumexp keeps its digits, as the loss of a distribution does, wherever the largest logit is."""
    top = np.array([c for c in (0, 1, 63, 64, 250, 1023, 1024, 2047, 2048, 4999, classes - 1) if c < classes])
    rows, gap = np.arange(len(top)), 40 if dtype == np.float32 else 100
    x = np.full((len(top), classes), m - gap, dtype)
    x[rows, top] = m
    expected = np.log1p((classes - 1) * np.exp(-float(gap)))
    value, _, lse = CE(reduction="none").value_and_grad(x, (top + 1) % classes, return_lse=True)
    assert np.all(value == gap)
    np.testing.assert_allclose(lse, m + expected, rtol=4 * np.finfo(dtype).eps)
    y = np.zeros_like(x)
    y[rows, top] = 1
    value, grad = CE(reduction="none", sparse_label=False).value_and_grad(x, y)
    np.testing.assert_allclose(value, expected, rtol=4 * np.finfo(dtype).eps)
    assert not grad[rows, top].any()


@pytest.mark.parametrize("tops", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("gap", [30, 100])
def test_the_logsumexp_of_several_largest_logits(dtype, tops, gap):
    """A sum of 2 to 6 exponentials of 1: in some of those one of them is left out, and in others it is taken off."""
    m = np.linspace(-2, 2, 81).astype(dtype)
    x = np.repeat(m[:, np.newaxis] - dtype(gap), 1300, axis=1)
    x[:, 100 : 100 * (tops + 1) : 100] = m[:, np.newaxis]
    n = wide_numbers(dtype)
    truth = cross_entropy([n.lift(x)], np.full(len(m), 7), n)
    value, grad, lse = CE(reduction="none").value_and_grad(x, np.full(len(m), 7), return_lse=True)
    assert_within(ULPS_OF_ROW, lse, truth.lse, n, "logsumexp", m=m)
    assert_within(ULPS_OF_ROW, value, truth.value, n, "value", m=m)
    assert_within(ULPS_OF_ROW, grad, truth.gradients(n.lift(np.ones(len(m))))[0], n, "gradient")


@pytest.mark.parametrize("classes", [33, 100, 255, 256, 1000, 1025])
@pytest.mark.parametrize("m", [0, 3.25, -100.75, 300])
@pytest.mark.parametrize("z", [0, 0.3])
def test_the_gradient_of_a_class_that_a_row_is_sure_of(dtype, classes, m, z):
    """p - 1 keeps its digits too, where p rounds to 1."""
    rows = np.arange(classes)
    x = np.full((classes, classes), m - 40, dtype)
    x[rows, rows] = m
    others = (classes - 1) * np.exp(-40.0)
    expected = (2 * z * (m + np.log1p(others)) - others) / (1 + others)
    grad = CE(reduction="none", z_loss=z).value_and_grad(x, rows)[1]
    np.testing.assert_allclose(grad[rows, rows], expected, rtol=4 * np.finfo(dtype).eps)


def rows_that_rise(above, dtype):
    """Long rows whose largest logit is at some place and `above` the largest but it, and one that rises throughout."""
    top = [0, 63, 64, 700, 1023, 1024, 1299]
    x = moderate((len(top) + 1, 1300), dtype)
    x[np.arange(len(top)), top] = 4 + above
    x[-1] = np.linspace(-4, 4 + above, 1300)
    return x, np.array([*top, 1299])


@pytest.mark.parametrize("own", ["largest", "other"])
@pytest.mark.parametrize("shift", [0, -150.5, 230, 5000])
@pytest.mark.parametrize("above", [0.5, 20, 39, 41, 80, 90, 200, 1e4])
def test_the_largest_logit_need_not_be_among_the_first(dtype, above, shift, own):
    """Exponentials start from a guess at it, of the row's first logits and its own class's."""
    x, top = rows_that_rise(above, dtype)
    x += dtype(shift)
    label = top if own == "largest" else (top + 37) % 1300
    n = wide_numbers(dtype)
    truth = cross_entropy([n.lift(x)], label, n)
    loss = CE(reduction="none")
    value, grad, lse = loss.value_and_grad(x, label, return_lse=True)
    assert_within(ULPS_OF_ROW, value, truth.value, n, "value")
    assert_within(ULPS_OF_ROW, grad, truth.gradients(n.lift(np.ones(len(x))))[0], n, "gradient")
    assert_within(ULPS_OF_ROW, lse, truth.lse, n, "logsumexp")
    assert_same_bits(loss(x, label), value, "without gradient")
    assert_same_bits(loss.value_and_grad(x, label, grad_out=x)[0], value, "in place")
    assert_same_bits(x, grad, "gradient in place")


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("place", [slice(0, 64), 0, 64, 1299])
def test_what_is_no_number_in_a_long_row(dtype, value, place):
    """In each pass over it: among the logits that the guess is made of, and after them."""
    x = moderate((2, 1300), dtype)
    label = np.array([700, 700])
    loss = CE(reduction="none")
    alone = loss.value_and_grad(x[1:], label[1:], return_lse=True)
    x[0, place] = value
    again = x.copy()
    for out in (None, x):
        got, grad, lse = loss.value_and_grad(x, label, return_lse=True, grad_out=out)
        for one, other in zip((got, grad, lse), alone, strict=True):
            assert_same_bits(one[1:], other, "the other row")
        if value == -INF:
            assert np.all(grad[0, place] == 0)
            assert np.isfinite(got[0]) and np.isfinite(lse[0]) and np.isfinite(grad[0]).all()
        else:
            assert np.isnan(got[0]) and np.isnan(grad[0]).all()
            np.testing.assert_equal(lse[0], dtype(value))
    ignoring = CE(reduction="none", ignore_index=700).value_and_grad(again, label, return_lse=True)
    assert_same_bits(ignoring[2], lse, "logsumexp of rows without a class")


@pytest.mark.parametrize("shape", [(300, 300), (260, 2100)])
@pytest.mark.parametrize("return_lse", [False, True])
def test_rows_of_every_kind_in_place(dtype, shape, return_lse):
    """There a row's largest logit is found while the row before it is computed, or not, whatever that one is."""
    random = np.random.RandomState(5)
    x = np.asarray(random.normal(0, 2, shape), dtype)
    kind = random.randint(7, size=shape[0])
    label = np.where(kind == 1, -100, random.randint(shape[1], size=shape[0]))
    x[kind == 2] += 1000
    x[kind == 3, -1] = 60
    x[kind == 4, 7] = NAN
    x[kind == 5] = -INF
    x[kind == 6, ::3] = -INF
    loss = CE(reduction="none", ignore_index=-100)
    one_by_one = [loss.value_and_grad(x[[r]], label[[r]], return_lse=return_lse) for r in range(shape[0])]
    answer = loss.value_and_grad(x, label, return_lse=return_lse)
    in_place = loss.value_and_grad(x, label, return_lse=return_lse, grad_out=x)
    assert in_place[1] is x
    for alone, together, other in zip(zip(*one_by_one, strict=True), answer, in_place, strict=True):
        assert_same_bits(together, np.concatenate(alone), "alone")
        assert_same_bits(other, together, "in place")


@pytest.mark.parametrize("classes", [2, 10, 40, 300, 1300])
def test_log_probabilities_that_are_0(dtype, classes):
    """A row that is sure: its loss is 0, and its gradient that of any log-probability."""
    x = np.full((1, classes), -INF, dtype)
    x[0, 1] = 0
    value, grad = CE(reduction="none", from_logits=True).value_and_grad(x, [1])
    assert value[0] == 0
    np.testing.assert_array_equal(grad, -np.eye(1, classes, 1, dtype))


@pytest.mark.parametrize("above", [0.5, 39, 41])
@pytest.mark.parametrize("of_limit", ["largest", "smallest", "subnormal"])
def test_cotangents_near_the_limits_of_the_type(dtype, above, of_limit):
    """Nothing overflows or is lost on the way to a gradient that is a number."""
    info = np.finfo(dtype)
    size = {"largest": info.max * dtype(0.99), "smallest": info.tiny * dtype(1.5), "subnormal": info.tiny * dtype(0.3)}
    x, top = rows_that_rise(above, dtype)
    cotangent = np.full(len(x), size[of_limit], dtype)
    n = wide_numbers(dtype)
    truth = cross_entropy([n.lift(x)], (top + 37) % 1300, n)
    grad = CE(reduction="none").value_and_grad(x, (top + 37) % 1300, grad_output=cotangent)[1]
    assert_within(ULPS_OF_ROW, grad, truth.gradients(n.lift(cotangent))[0], n, "gradient")


@pytest.mark.parametrize("axis", [-1, 0])
def test_128256_classes(dtype, axis):
    x = moderate((3, 128256), dtype) * 4
    label = np.array([0, 77_777, 128255])
    n = wide_numbers(dtype)
    truth = cross_entropy([n.lift(x)], label, n)
    if axis == 0:
        loss = CE(reduction="none", axis=0, batch_axis=1)
        value, grad, lse = loss.value_and_grad(np.ascontiguousarray(x.T), label, return_lse=True)
        grad = grad.T
    else:
        value, grad, lse = CE(reduction="none").value_and_grad(x, label, return_lse=True)
    assert_within(ULPS_OF_ROW, value, truth.value, n, "value")
    assert_within(ULPS_OF_ROW, grad, truth.gradients(n.lift(np.ones(3)))[0], n, "gradient")
    assert_within(ULPS_OF_ROW, lse, truth.lse, n, "logsumexp")


def test_equal_logits_of_many_classes(dtype):
    """Where every rounding of a sum goes the same way."""
    for classes in (4097, 128256):
        value, grad = CE(reduction="none").value_and_grad(np.full((1, classes), 0.7, dtype), [5])
        np.testing.assert_allclose(value, np.log(classes), rtol=4 * np.finfo(dtype).eps)
        np.testing.assert_allclose(np.delete(grad[0], 5), 1 / classes, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("from_logits", [True, False])
def test_divergence_of_label_0(dtype, from_logits):
    """It counts 0, where pred is -inf too; a label at -inf costs inf."""
    x = np.array([[0, -INF, 0], [-INF, 0, 0]], dtype)
    y = np.array([[0.5, 0, 0.5], [0.5, 0.5, 0]], dtype)
    value, grad = KL(from_logits, reduction="none").value_and_grad(x, y)
    assert value[0, 1] == 0
    assert value[1].tolist()[0] == INF
    assert value[1, 2] == 0
    assert abs(grad[0, 1]) == 0
    assert np.isfinite(value[0]).all()
    assert np.isfinite(grad).all()


def test_divergence_from_itself_is_0(dtype):
    x = moderate((6, 50), dtype)
    p = np.exp(x.astype(float))
    p = (p / p.sum(1, keepdims=True)).astype(dtype)
    value, grad = KL(from_logits=False, reduction="sample_sum").value_and_grad(x, p)
    np.testing.assert_allclose(value, 0, atol=50 * np.finfo(dtype).eps)
    np.testing.assert_allclose(grad, 0, atol=8 * np.finfo(dtype).eps)


def test_divergence_is_the_mean_of_the_elements(dtype):
    x, y = moderate((3, 4, 5), dtype), BY_ID["kl"].label(Geometry((3, 4, 5)), dtype)[0]
    elements = KL(reduction="none", from_logits=False)(x, y)
    eps = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(KL(from_logits=False)(x, y), elements.mean((1, 2)), rtol=eps, atol=eps)
    sums = KL(from_logits=False, reduction="sample_sum")(x, y)
    np.testing.assert_allclose(sums, elements.sum((1, 2)), rtol=eps, atol=20 * eps)


def test_divergence_of_the_tutorial():
    """Of MXNet 2.0: logits of (0.2, 0.5, 0.2, 0.1); it prints 0.02542."""
    pred, label = [[0.39056206, 1.3068528, 0.39056206, -0.30258512]], [[0.1, 0.4, 0.3, 0.2]]
    assert KL(from_logits=False)(pred, label)[0] == pytest.approx(0.02542, abs=1e-5)


def test_fused_divergence_is_that_of_log_softmax(dtype):
    for axis in (0, 1, 2):
        x, y = moderate((3, 4, 5), float), BY_ID["kl"].label(Geometry((3, 4, 5), {"axis": axis}), float)[0]
        log_p = x - np.log(np.exp(x).sum(axis, keepdims=True))
        fused = KL(False, axis, batch_axis=(axis + 1) % 3)(x.astype(dtype), y)
        apart = KL(batch_axis=(axis + 1) % 3)(log_p, y)
        np.testing.assert_allclose(fused, apart, rtol=1e-5 if dtype == np.float32 else 1e-13)


# ---- Logsumexp -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("g", BY_ID["ce"].family.geometries, ids=str)
@pytest.mark.parametrize("id", ["ce", "ce-ignore", "ce-all", "ce-dense", "ce-dense-all"])
def test_lse(dtype, id, g):
    case, n = BY_ID[id], wide_numbers(dtype)
    x, label = case.arguments(g, dtype, scale=3)
    truth = case.truth(g, [x, label], n).lse
    truth = Expected(np.atleast_1d(truth.exact), np.atleast_1d(truth.magnitude))
    for reduction in REDUCTIONS:
        loss = case.make(g, dtype, reduction=reduction)
        plain = loss.value_and_grad(x, label)
        answers = [
            loss(x, label, return_lse=True),
            loss.value_and_grad(x, label, return_lse=True),
            loss.grad(x, label, return_lse=True),
            loss.value_and_grad(x, label, np.ones(case.family.unreduced(g)), return_lse=True),
        ]
        assert [len(answer) for answer in answers] == [2, 3, 2, 3]
        assert_same_bits(answers[0][0], plain[0])
        assert_same_results(answers[1][:2], plain)
        assert_same_bits(answers[2][0], plain[1])
        for answer in answers:
            lse = answer[-1]
            assert (type(lse), lse.dtype, lse.shape) == (np.ndarray, dtype, case.family.unreduced(g))
            assert_same_bits(lse, answers[0][-1])
        assert_within(ULPS_OF_ROW, np.atleast_1d(answers[0][-1]), truth, n, "logsumexp")


def test_lse_in_place_and_threads(dtype):
    x, label = moderate((9000, 12), dtype), class_numbers(9000, 12, 1)
    with closs.num_threads(1):
        expected = CE().value_and_grad(x, label, return_lse=True)
    for threads in (1, 2, 3, 8):
        with closs.num_threads(threads):
            pred = x.copy()
            got = CE().value_and_grad(pred, label, grad_out=pred, return_lse=True)
        for a, b in zip(got, expected, strict=True):
            assert_same_bits(a, b, f"{threads} threads")


def test_lse_of_float16_and_of_nothing(dtype):
    x = moderate((3, 4), np.float16)
    wide = CE()(x.astype(np.float32), [0, 1, 2], return_lse=True)
    half = CE()(x, [0, 1, 2], return_lse=True)
    assert_same_bits(half[1], wide[1].astype(np.float16))
    assert CE()(np.zeros((0, 3), dtype), np.zeros(0, int), return_lse=True)[1].shape == (0,)


def test_z_loss_is_lse_squared(dtype):
    x, label = moderate((7, 9), dtype), class_numbers(7, 9, 2)
    for options in ({}, {"class_weight": np.arange(9) / 2}, {"label_smoothing": 0.3}):
        plain = CE(reduction="none", **options)(x, label)
        value, lse = CE(reduction="none", z_loss=0.5, **options)(x, label, return_lse=True)
        np.testing.assert_allclose(value, plain + 0.5 * lse**2, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("classes", [10, 40, 300, 1300])
def test_z_loss_of_classes_without_weight(dtype, classes):
    """All that is left of such a row, in value and gradient."""
    x, label, n = moderate((3, classes), dtype), np.array([1, 2, 3]), wide_numbers(dtype)
    options = {"class_weight": np.arange(classes) % 2, "z_loss": 0.5}
    truth = cross_entropy([n.lift(x)], label, n, **options)
    value, grad = CE(reduction="none", **options).value_and_grad(x, label)
    assert_within(ULPS_OF_ROW, value, truth.value, n, "value")
    assert_within(ULPS_OF_ROW, grad, truth.gradients(n.lift(np.ones(3)))[0], n, "gradient")


# ---- Other errors ----------------------------------------------------------------------------------------------------

SHAPE = (4, 3)


def float32s(*shape) -> np.ndarray:
    return np.full(shape, SENTINEL, np.float32)


def read_only(*shape) -> np.ndarray:
    array = float32s(*shape)
    array.flags.writeable = False
    return array


def arguments(cls, sparse=True) -> dict:
    y = np.arange(4) % 3
    return {
        "pred": moderate(SHAPE, np.float32),
        "label": y if cls is CE and sparse else np.eye(3, dtype=np.float32)[y],
        "sample_weight": np.ones((4, 1), np.float32),
        "grad_output": np.ones(4, np.float32),
        "out": float32s(4),
        "grad_out": float32s(*SHAPE),
    }


LOSSES = {  # class, constructor's options
    "ce": (CE, {}),
    "dense ce": (CE, {"sparse_label": False}),
    "ce of log-probabilities": (CE, {"from_logits": True}),
    "weighted ce": (CE, {"class_weight": [1, 2, 3]}),
    "kl": (KL, {"from_logits": False}),
}

BAD = {  # what is replaced in a valid call: error, argument named, values or a function of the valid ones
    "pred longer": (ValueError, "label", {"pred": float32s(5, 3), "sample_weight": None}),
    "pred complex": (TypeError, "pred", {"pred": np.ones(SHAPE, complex)}),
    "pred of objects": (TypeError, "pred", {"pred": np.ones(SHAPE, object)}),
    "pred of strings": (TypeError, "pred", {"pred": np.full(SHAPE, "1")}),
    "pred missing": (TypeError, "pred", {"pred": None}),
    "pred without classes": (ValueError, "pred", lambda a: {"pred": np.zeros((4, 0), np.float32),
                                                            "label": a["label"][..., :0] if a["label"].ndim == 2 else
                                                            a["label"], "grad_out": None}),
    "pred 0-d": (ValueError, "axis", {"pred": np.float32(1), "label": 0}),
    "label of strings": (TypeError, "label", {"label": np.full(4, "1")}),
    "label of other shape": (ValueError, "label", {"label": np.zeros((3, 4), int)}),
    "sample_weight of wrong length": (ValueError, "sample_weight", {"sample_weight": np.ones((5, 1))}),
    "sample_weight with more axes": (ValueError, "sample_weight", {"sample_weight": np.ones((1, 4, 1))}),
    "sample_weight empty": (ValueError, "sample_weight", {"sample_weight": np.ones((0, 1))}),
    "sample_weight complex": (TypeError, "sample_weight", {"sample_weight": np.ones((4, 1), complex)}),
    "sample_weight a string": (TypeError, "sample_weight", {"sample_weight": "balanced"}),
    "grad_output of wrong length": (ValueError, "grad_output", {"grad_output": np.ones(3)}),
    "grad_output of pred's shape": (ValueError, "grad_output", {"grad_output": np.ones(SHAPE)}),
    "grad_output complex": (TypeError, "grad_output", {"grad_output": np.ones(4, complex)}),
    "out of wrong length": (ValueError, "out", {"out": float32s(3)}),
    "out of pred's shape": (ValueError, "out", {"out": float32s(*SHAPE)}),
    "out of other type": (TypeError, "out", {"out": np.full(4, SENTINEL)}),
    "out a list": (TypeError, "out", {"out": [0.0] * 4}),
    "out read-only": (ValueError, "out", {"out": read_only(4)}),
    "out in pred": (ValueError, "out", lambda a: {"out": a["pred"].ravel()[:4]}),
    "out is sample_weight": (ValueError, "out", lambda a: {"out": a["sample_weight"][:, 0]}),
    "out is grad_output": (ValueError, "out", lambda a: {"out": a["grad_output"]}),
    "grad_out of wrong shape": (ValueError, "grad_out", {"grad_out": float32s(3, 4)}),
    "grad_out of other type": (TypeError, "grad_out", {"grad_out": np.full(SHAPE, SENTINEL)}),
    "grad_out read-only": (ValueError, "grad_out", {"grad_out": read_only(*SHAPE)}),
    "grad_out overlaps itself": (ValueError, "grad_out", {"grad_out": np.lib.stride_tricks.as_strided(
        float32s(3), SHAPE, (0, 4))}),
    "grad_out is pred reversed": (ValueError, "grad_out", lambda a: {"grad_out": a["pred"][::-1]}),
    "grad_out holds out": (ValueError, "grad_out", lambda a: {"out": a["grad_out"].ravel()[:4]}),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(name, case):
    cls, options = LOSSES[name]
    error, argument, change = BAD[case]
    valid = arguments(cls, options.get("sparse_label", True))
    given_arguments = valid | (change(valid) if callable(change) else change)
    before = {k: v.tobytes() for k, v in given_arguments.items() if isinstance(v, np.ndarray)}
    with pytest.raises(error, match=rf"^{argument}: expected .+, got .+"):
        cls(**options).value_and_grad(**given_arguments)
    assert before == {k: given_arguments[k].tobytes() for k in before}, "an array was written to"


@pytest.mark.parametrize("name", LOSSES)
def test_the_call_is_valid_but_for_what_is_replaced(name):
    cls, options = LOSSES[name]
    valid = arguments(cls, options.get("sparse_label", True))
    value, grad = cls(**options).value_and_grad(**valid)
    assert value is valid["out"]
    assert grad is valid["grad_out"]
    assert not (value == SENTINEL).any()
    assert not (grad == SENTINEL).any()


def test_outputs_over_labels():
    """Whatever is read cannot be written to."""
    label = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    for loss in (CE(sparse_label=False), KL(from_logits=False)):
        with pytest.raises(ValueError, match="^grad_out: expected .+, got .+ label"):
            loss.value_and_grad(moderate(SHAPE, np.float32), label, grad_out=label)
    numbers = np.arange(4.0) % 3
    with pytest.raises(ValueError, match="^out: expected .+, got .+ label"):
        CE()(moderate(SHAPE, float), numbers, out=numbers)


@pytest.mark.parametrize(
    "options, error, argument",
    [
        *(({"axis": bad}, TypeError, "axis") for bad in (1.0, "1", None, True)),
        *(({"batch_axis": bad}, TypeError, "batch_axis") for bad in (1.0, "1", None, True)),
        ({"sparse_label": 1}, TypeError, "sparse_label"),
        ({"from_logits": None}, TypeError, "from_logits"),
        *(({"weight": bad}, ValueError, "weight") for bad in (NAN, INF)),
        ({"weight": "1"}, TypeError, "weight"),
        ({"reduction": "average"}, ValueError, "reduction"),
        ({"reduction": None}, TypeError, "reduction"),
        *(({"label_smoothing": bad}, ValueError, "label_smoothing") for bad in (-0.1, 1.1, NAN)),
        ({"label_smoothing": "0"}, TypeError, "label_smoothing"),
        *(({"z_loss": bad}, ValueError, "z_loss") for bad in (NAN, INF, -1e-3)),
        ({"z_loss": None}, TypeError, "z_loss"),
        ({"z_loss": 0.1, "from_logits": True}, ValueError, "z_loss"),
        *(({"ignore_index": bad}, TypeError, "ignore_index") for bad in (1.0, "1", True)),
        *(({"ignore_index": bad}, ValueError, "ignore_index") for bad in (2**63, -(2**63) - 1)),
        ({"ignore_index": 1, "sparse_label": False}, ValueError, "ignore_index"),
        *(({"class_weight": bad}, ValueError, "class_weight") for bad in ([1, -1], [NAN, 1], [INF], [[1, 2]], 1.0)),
        *(({"class_weight": bad}, TypeError, "class_weight") for bad in ("balanced", [1j], [None])),
    ],
    ids=str,
)
def test_constructor(options, error, argument):
    with pytest.raises(error, match=rf"^{argument}: expected .+, got .+"):
        CE(**options)


@pytest.mark.parametrize(
    "options, argument",
    [
        ({"axis": 2}, "axis"),
        ({"axis": -3}, "axis"),
        ({"axis": 2**70}, "axis"),
        ({"batch_axis": 2}, "batch_axis"),
        ({"batch_axis": 1}, "batch_axis"),
        ({"batch_axis": -1}, "batch_axis"),
        ({"axis": 0}, "batch_axis"),
    ],
    ids=str,
)
@pytest.mark.parametrize("cls, more", [(CE, {"sparse_label": False}), (KL, {"from_logits": False})], ids=["ce", "kl"])
def test_axes(cls, more, options, argument):
    out, grad_out = np.full(4, SENTINEL), np.full(SHAPE, SENTINEL)
    with pytest.raises(ValueError, match=rf"^{argument}: expected .+, got .+"):
        cls(**more, **options).value_and_grad(np.zeros(SHAPE), np.zeros(SHAPE), out=out, grad_out=grad_out)
    assert (out == SENTINEL).all()
    assert (grad_out == SENTINEL).all()


@pytest.mark.parametrize("cls, more", [(CE, {"sparse_label": False}), (KL, {"from_logits": False})], ids=["ce", "kl"])
def test_batch_axis_of_one_row(cls, more):
    """0 and -1 are the only axis, which is that of the classes."""
    x, y = moderate(3, float), np.array([0.25, 0.75, 0])
    expected = cls(**more).value_and_grad(x, y)
    assert expected[0].shape == ()
    assert_same_results(cls(**more, batch_axis=-1).value_and_grad(x, y), expected)
    for batch_axis in (1, -2, 5):
        with pytest.raises(ValueError, match="^batch_axis: expected .+ which has 1, got .+"):
            cls(**more, batch_axis=batch_axis)(x, y)


def test_class_weights_of_other_length():
    for weights in ([1, 2], [1, 2, 3, 4], []):
        with pytest.raises(ValueError, match="^class_weight: expected .+3.+, got"):
            CE(class_weight=weights)(np.zeros(SHAPE), [0] * 4)


def test_class_weights_are_kept_by_value(dtype):
    weights = np.array([1.0, 2.0, 3.0])
    loss = CE(class_weight=weights)
    weights[:] = 0
    assert_same_bits(loss(np.zeros(SHAPE, dtype), [0] * 4), CE(class_weight=[1, 2, 3])(np.zeros(SHAPE, dtype), [0] * 4))


def test_log_probabilities_have_no_lse():
    loss = CE(from_logits=True)
    for call in (loss, loss.value_and_grad, loss.grad):
        with pytest.raises(ValueError, match="^return_lse: expected .+, got"):
            call(np.zeros(SHAPE), [0] * 4, return_lse=True)


# ---- Properties ------------------------------------------------------------------------------------------------------


MODERATE = st.integers(-640_000, 640_000).map(lambda k: k / 64)  # up to 1e4; shifts by integers are exact


@st.composite
def logits_and_labels(draw, elements=MODERATE):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=12))
    x = draw(hnp.arrays(np.float64, shape, elements=elements))
    label = draw(hnp.arrays(np.int64, shape[:-1], elements=st.integers(0, shape[-1] - 1)))
    return x, label


@given(logits_and_labels())
def test_values_are_not_negative_and_slopes_are_between_minus_1_and_1(case):
    logits, label = case
    for x in (logits, logits.astype(np.float32)):
        value, grad = CE(reduction="none").value_and_grad(x, label)
        assert (value >= 0).all()
        assert not np.signbit(value).any()
        assert (abs(grad) <= 1 + 4 * np.finfo(x.dtype).eps).all()
        at = np.take_along_axis(grad, label[..., np.newaxis], -1)
        assert (at <= 0).all()
        assert (np.count_nonzero(grad < 0, axis=-1) <= 1).all()


@given(logits_and_labels())
def test_slopes_of_a_row_sum_to_0(case):
    x, label = case
    for options in ({}, {"label_smoothing": 0.3}):
        grad = CE(reduction="none", **options).grad(x, label)
        np.testing.assert_allclose(grad.sum(-1), 0, atol=16 * np.finfo(float).eps)


@given(logits_and_labels(), st.integers(-1000, 1000))
def test_a_shift_of_a_row_changes_nothing(case, shift):
    x, label = case
    for dtype in (np.float32, np.float64):
        value, grad, lse = CE(reduction="none").value_and_grad(x.astype(dtype), label, return_lse=True)
        moved = CE(reduction="none").value_and_grad((x + shift).astype(dtype), label, return_lse=True)
        eps = 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(moved[0], value, rtol=eps, atol=eps * 1e-3)
        np.testing.assert_allclose(moved[1], grad, rtol=eps, atol=eps)
        np.testing.assert_allclose(moved[2], lse + shift, rtol=eps, atol=eps * 2e4)


@given(logits_and_labels(), st.randoms(use_true_random=False))
def test_classes_have_no_order(case, random):
    x, label = case
    order = list(range(x.shape[-1]))
    random.shuffle(order)
    value, grad = CE(reduction="none").value_and_grad(x, label)
    moved = CE(reduction="none").value_and_grad(x[..., order], np.argsort(order)[label])
    eps, expected = np.finfo(float).eps, grad[..., order]
    own = (np.arange(x.shape[-1]) == label[..., np.newaxis])[..., order]
    np.testing.assert_allclose(moved[0], value, rtol=8 * eps)
    np.testing.assert_allclose(moved[1][~own], expected[~own], rtol=8 * eps, atol=1e-300)
    # p - 1: where no multiplication is fused p is rounded first, and two orders are up to two of its ulp apart
    loose = {} if has_fma(closs.config()["isa"]) else {"atol": 2 * eps}
    np.testing.assert_allclose(moved[1][own], expected[own], **({"rtol": 8 * eps, "atol": 1e-300} | loose))


@given(logits_and_labels(), st.sampled_from([np.float32, np.float64]))
def test_whatever_comes_the_oracle_agrees(case, dtype):
    x, label = case
    x = x.astype(dtype)
    n = wide_numbers(dtype)
    truth = cross_entropy([n.lift(x)], label, n, label_smoothing=0.125)
    value, grad = CE(reduction="none", label_smoothing=0.125).value_and_grad(x, label)
    assert_within(ULPS_OF_ROW, value, truth.value, n, "value")
    assert_within(ULPS_OF_ROW, grad, truth.gradients(n.lift(np.ones(label.shape)))[0], n, "gradient")


@given(logits_and_labels(elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_no_number_is_too_strange(case):
    """Rows that are finite are finite, the others NaN or a limit; the direct and the general way agree."""
    logits, label = case
    with np.errstate(over="ignore"):
        arrays = [logits, logits.astype(np.float32)]
    for x in arrays:
        value, grad = CE(reduction="none").value_and_grad(x, label)
        general = CE(reduction="none").value_and_grad(x, label, np.ones(label.shape), return_lse=True)
        assert_same_results((value, grad), general[:2])
        good = np.isfinite(x).all(-1)
        assert not np.isnan(value[good]).any()
        assert np.isfinite(grad[good]).all()
        assert np.isnan(value[np.isnan(x).any(-1)]).all()


# ---- Size ------------------------------------------------------------------------------------------------------------


def free_memory() -> int:
    """Bytes that this process could still use."""
    try:
        with open("/proc/meminfo") as lines:
            kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 0
    return kilobytes * 1024


def zeros(*shape):
    """Pages that nobody has written to are free."""
    try:
        return np.zeros(shape, np.float32)
    except MemoryError:
        pytest.skip("this process may not have 8 GB of address space")


ROWS = 2**21 + 64  # times 1024: more than 2^31 elements


@pytest.mark.parametrize(
    "shape, axis, batch_axis", [((ROWS, 1024), 1, 0), ((1024, ROWS), 0, 1), ((1, ROWS * 1024), 1, 0)], ids=str
)
def test_more_than_31_bits_of_elements(shape, axis, batch_axis):
    x = zeros(*shape)
    rows, classes = (shape[k] for k in (batch_axis, axis))
    x.reshape(-1)[-1] = 20
    label = np.zeros(rows, np.int8)
    label[-1] = 1
    value = CE(axis=axis, batch_axis=batch_axis, reduction="none")(x, label)
    np.testing.assert_allclose(value[:-1], np.log(classes), rtol=1e-6)
    np.testing.assert_allclose(value[-1], np.logaddexp(20, np.log(classes - 1)), rtol=1e-6)
    x.reshape(-1)[-1] = 0
    if rows > 1:
        with pytest.raises(ValueError, match=rf"^label\[{rows - 1}\] = -1 is outside 0..{classes - 1}$"):
            CE(axis=axis, batch_axis=batch_axis)(x, np.where(np.arange(rows) == rows - 1, -1, 0).astype(np.int8))


def test_more_than_31_bits_of_largest_logits():
    classes = ROWS * 1024
    assert CE(reduction="sum")(zeros(1, classes), [classes - 1]) == pytest.approx(np.log(classes), rel=1e-7)


@pytest.mark.skipif(free_memory() < 12 << 30, reason=f"{free_memory() >> 30} GiB of memory are free, 12 are needed")
def test_gradient_of_more_than_31_bits_of_elements():
    """Half a minute, most of which goes to the first touch of 8 GiB: both geometries write to the same ones."""
    memory, label = np.empty(ROWS * 1024, np.float32), np.full(ROWS, 1023, np.int16)
    for shape, axis in (((ROWS, 1024), 1), ((1024, ROWS), 0)):
        grad = memory.reshape(shape)
        CE(axis=axis, batch_axis=1 - axis).grad(zeros(*shape), label, grad_out=grad)
        ends = np.take(grad, [0, 1, ROWS // 2, -2, -1], 1 - axis)
        assert (np.take(ends, range(1023), axis) == np.float32(1 / 1024)).all()
        assert (np.take(ends, 1023, axis) == np.float32(1 / 1024 - 1)).all()
