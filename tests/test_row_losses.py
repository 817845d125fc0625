"""The losses of rows against plain formulas in wide numbers: values, gradients, options, layouts, errors."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, bits, moderate, run_python

import closs

WIDE = np.longdouble
INF, NAN = math.inf, math.nan


# ---- Oracles ---------------------------------------------------------------------------------------------------------


def log_softmax(x):
    """Along the last axis, -inf allowed."""
    m = x.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return x - m - np.log(np.exp(x - m).sum(axis=-1, keepdims=True))


def targets_of(x, label, class_weight=None, label_smoothing=0.0, ignore_index=None):
    """q of each row along the last axis; rows of 0 for ignored labels. label: classes, or distributions like x."""
    classes = x.shape[-1]
    weight = np.ones(classes, WIDE) if class_weight is None else np.asarray(class_weight, WIDE)
    if label.shape == x.shape:
        return weight * ((1 - WIDE(label_smoothing)) * label + WIDE(label_smoothing) / classes)
    kept = np.ones(label.shape, bool) if ignore_index is None else label != ignore_index
    one_hot = np.arange(classes) == np.where(kept, label, 0)[..., None]
    q = weight * ((1 - WIDE(label_smoothing)) * one_hot + WIDE(label_smoothing) / classes)
    return np.where(kept[..., None], q, 0)


def softmax_ce(x, label, z_loss=0.0, from_logits=False, **options):
    """(values a row, slopes) for the class axis at the end."""
    x = x.astype(WIDE)
    q = targets_of(x, label, **options)
    log_p = x if from_logits else log_softmax(x)
    with np.errstate(invalid="ignore"):
        value = -np.where(q == 0, 0, q * log_p).sum(axis=-1)
    counted = np.ones(value.shape) if "ignore_index" not in options else label != options["ignore_index"]
    if from_logits:
        return value, -q
    m = x.max(axis=-1)
    lse = m + np.log(np.exp(x - m[..., None]).sum(axis=-1))
    value = value + z_loss * lse**2 * counted
    factor = q.sum(axis=-1) + 2 * WIDE(z_loss) * lse * counted
    return value, factor[..., None] * np.exp(log_p) - q


def kl_div(x, label):
    """(values an element, slopes of their sum)."""
    x, label = x.astype(WIDE), label.astype(WIDE)
    log_p = log_softmax(x)
    value = np.where(label == 0, 0, label * (np.log(np.where(label == 0, 1, label)) - log_p))
    return value, label.sum(axis=-1, keepdims=True) * np.exp(log_p) - label


def triplet(x, p, n, margin=1.0):
    x, p, n = (a.astype(WIDE) for a in (x, p, n))
    d = ((p - x) ** 2 - (n - x) ** 2).sum(axis=-1) + margin
    active = 2 * (d > 0)[..., None]
    return np.maximum(d, 0), (active * (n - p), active * (p - x), active * (x - n))


def cosine(a, b, y, margin=0.0):
    a, b = a.astype(WIDE), b.astype(WIDE)
    norms = [np.sqrt((v**2).sum(axis=-1, keepdims=True)) for v in (a, b)]
    cos = (a * b).sum(axis=-1, keepdims=True) / (norms[0] * norms[1])
    y = y[..., None]
    value = np.where(y == 1, 1 - cos, np.clip(cos - margin, 0, 1 - margin))[..., 0]
    sign = np.where(y == 1, -1, cos > margin)
    of_a = sign * (b / (norms[0] * norms[1]) - cos * a / norms[0] ** 2)
    of_b = sign * (a / (norms[0] * norms[1]) - cos * b / norms[1] ** 2)
    return value, (of_a, of_b)


def sdml(a, b, smoothing=0.3):
    a, b = a.astype(WIDE), b.astype(WIDE)
    n = len(a)
    d = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    q = np.where(np.eye(n) == 1, 1 - WIDE(smoothing), WIDE(smoothing) / (n - 1))
    log_p = log_softmax(-d)
    g = q - np.exp(log_p)
    differences = a[:, None] - b[None]
    of_a, of_b = 2 * (g[..., None] * differences).sum(axis=1), -2 * (g[..., None] * differences).sum(axis=0)
    return np.where(q == 0, 0, q * (np.log(np.where(q == 0, 1, q)) - log_p)).sum(axis=1), (of_a, of_b)


def close(got, expected, ulps, floor=1.0, terms=1e-6):
    """Within ulps of each number; of floor times the largest one, or of terms that cancel, where that is more."""
    got, expected = np.asarray(got), np.asarray(expected)
    eps = np.finfo(got.dtype if got.dtype.kind == "f" else np.float64).eps
    scale = np.maximum(np.abs(expected), max(floor * np.abs(expected).max(initial=0), terms))
    error = np.abs(got - expected) / (scale * eps)
    assert got.shape == expected.shape
    assert error.max(initial=0) <= ulps, f"{float(error.max())} ulp, expected {ulps}"


# ---- Softmax cross-entropy -------------------------------------------------------------------------------------------

OPTIONS = [
    {},
    {"class_weight": "drawn"},
    {"ignore_index": 1},
    {"ignore_index": -100},
    {"label_smoothing": 0.1},
    {"label_smoothing": 1.0},
    {"z_loss": 0.01},
    {"class_weight": "drawn", "ignore_index": 1, "label_smoothing": 0.2, "z_loss": 1e-3},
    {"from_logits": True},
    {"from_logits": True, "class_weight": "drawn", "label_smoothing": 0.3},
]


def drawn(options, classes):
    weights = np.linspace(0, 2, classes) if classes > 1 else np.ones(1)
    return {k: (weights.tolist() if v == "drawn" else v) for k, v in options.items()}


def labels_for(shape, classes, ignore_index, seed=3):
    label = np.random.RandomState(seed).randint(0, classes, shape)
    if ignore_index is not None:
        label[np.random.RandomState(seed + 1).random_sample(shape) < 0.3] = ignore_index
    return label


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("classes", [1, 2, 10, 32, 33, 1500])
@pytest.mark.parametrize("layout", ["last", "middle"])
@pytest.mark.parametrize("dense", [False, True])
def test_softmax_ce(dtype, options, classes, layout, dense):
    options = drawn(options, classes)
    if dense and "ignore_index" in options:
        options = {k: v for k, v in options.items() if k != "ignore_index"}
    x = moderate((70, classes), dtype) if layout == "last" else moderate((3, classes, 23), dtype)
    last = np.moveaxis(x, 1, -1)
    if options.get("from_logits"):
        x = np.moveaxis(log_softmax(last.astype(WIDE)).astype(dtype), -1, 1).copy()
        last = np.moveaxis(x, 1, -1)
    if dense:
        y = np.abs(moderate(x.shape, dtype, seed=5))
        label = np.moveaxis(y, 1, -1).astype(WIDE)
    else:
        y = label = labels_for(last.shape[:-1], classes, options.get("ignore_index"))
    value, slope = softmax_ce(last, label, **options)
    loss = closs.SoftmaxCELoss(axis=1, sparse_label=not dense, reduction="none", **options)
    got = loss.value_and_grad(x, y)
    ulps = 4 if set(options) <= {"ignore_index"} else 8  # weights and shares are roundings of their own
    close(got[0], value, ulps, floor=0.1)
    close(np.moveaxis(got[1], 1, -1), slope, ulps, floor=0.1, terms=1)  # probability less target
    assert (got[0] >= 0).all() or options.get("from_logits")
    assert_same_bits(loss(x, y), got[0])
    assert_same_bits(loss.grad(x, y), got[1])
    if not options.get("from_logits"):
        lse = loss(x, y, return_lse=True)[1]
        m = last.astype(WIDE).max(axis=-1)
        close(lse, m + np.log(np.exp(last - m[..., None]).sum(axis=-1)), 2, floor=1)


def test_every_axis(dtype):
    """Any class axis and batch axis give the rows and samples of the transposed array."""
    x = moderate((3, 4, 5, 6), dtype)
    for axis, batch_axis in itertools.permutations(range(4), 2):
        y = labels_for(np.delete(x.shape, axis), x.shape[axis], None)
        samples = np.moveaxis(x, (batch_axis, axis), (0, 3))
        label = np.moveaxis(y, batch_axis - (batch_axis > axis), 0)
        value, slope = softmax_ce(samples, label)
        loss = closs.SoftmaxCELoss(axis=axis - 4, batch_axis=batch_axis)
        got, grad = loss.value_and_grad(x, y)
        close(got, value.mean(axis=(1, 2)), 4)
        close(np.moveaxis(grad, (batch_axis, axis), (0, 3)), slope / value[0].size, 4, floor=0.5)
        kept = np.expand_dims(y, axis)
        assert_same_bits(loss(x, kept), got)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("weights", [None, "sample", "row", "kept"])
def test_reductions_and_weights(dtype, reduction, ignored, weights):
    x = moderate((5, 7, 6), dtype)  # (batch, classes, positions)
    options = {"class_weight": [0.5, 1, 2, 0, 3, 1, 1], **({"ignore_index": 2} if ignored else {})}
    y = labels_for((5, 6), 7, options.get("ignore_index"))
    y[2] = 2 if ignored else y[2]  # a whole sample
    w = {None: None, "sample": moderate((5, 1), dtype, 8) ** 2, "row": moderate((5, 6), dtype, 8) ** 2,
         "kept": moderate((5, 1, 6), dtype, 8) ** 2}[weights]  # fmt: skip
    value, slope = softmax_ce(np.moveaxis(x, 1, -1), y, **options)
    rows = np.ones((5, 6)) if w is None else np.broadcast_to(w.reshape(5, -1), (5, 6))
    counted = y != 2 if ignored else np.ones((5, 6), bool)
    value, factor = 0.25 * value * rows, 0.25 * rows.astype(WIDE)
    per_sample = np.maximum(counted.sum(axis=1), 1)
    applied = (rows * np.asarray(options["class_weight"])[np.where(counted, y, 0)] * counted).sum()
    divisor = {"sample_mean": per_sample[:, None], "mean": counted.sum(), "weighted_mean": applied}.get(reduction, 1)
    expected = value / divisor
    if reduction.startswith("sample"):
        expected = expected.sum(axis=1)
    elif reduction != "none":
        expected = expected.sum()
    cotangent = moderate(np.shape(expected), dtype, 9) if reduction != "none" else moderate((5, 6), dtype, 9)
    spread = cotangent[:, None] if reduction.startswith("sample") else cotangent
    gradient = (factor / divisor * spread)[..., None] * slope * counted[..., None]
    loss = closs.SoftmaxCELoss(axis=1, reduction=reduction, weight=0.25, **options)
    got, grad = loss.value_and_grad(x, y, w, grad_output=cotangent)
    if isinstance(got, float):
        assert got == pytest.approx(float(expected), rel=20 * float(np.finfo(dtype).eps))
    else:
        close(got, expected, 6, floor=0.1)
    close(np.moveaxis(grad, 1, -1), gradient, 6, floor=0.1)


def test_everything_ignored(dtype):
    x, y = moderate((4, 3), dtype), np.full(4, -100)
    for reduction in REDUCTIONS:
        value, grad = closs.SoftmaxCELoss(reduction=reduction, ignore_index=-100).value_and_grad(x, y)
        if reduction in ("mean", "weighted_mean"):
            assert math.isnan(value)
        else:
            assert not np.any(value)
        assert not grad.any()


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", "f2", "f4", "f8", ">i4"])
def test_kinds_of_labels(dtype, kind):
    x = moderate((6, 2), dtype)
    y = np.array([0, 1, 1, 0, 1, 0])
    loss = closs.SoftmaxCELoss()
    assert_same_bits(loss(x, y.astype(kind)), loss(x, y))
    assert_same_bits(loss(x, y.astype(kind)[:, None]), loss(x, y))


def test_special_rows(dtype):
    """Each spoils itself alone; limits are exact, also in tiles of few classes and along an inner axis."""
    for classes in (3, 40):
        x = moderate((9, classes), dtype)
        clean, clean_grad = closs.SoftmaxCELoss().value_and_grad(x, np.zeros(9, int))
        x[1, 1], x[2, 1], x[3], x[4, 1:], x[5, 0] = NAN, INF, -INF, -INF, -INF
        x[6], x[6, 0], x[7], x[7, 1] = -1e4, 1e4, 0, 1e4
        value, grad = closs.SoftmaxCELoss().value_and_grad(x, np.zeros(9, int))
        assert np.isnan(value[1:4]).all() and np.isnan(grad[1:4]).all()
        assert (value[4], value[6]) == (0, 0) and not grad[4].any() and not grad[6].any()
        assert value[5] == INF and np.isfinite(grad[5]).all() and grad[5, 0] == -1
        assert value[7] == 1e4 and grad[7, :2].tolist() == [-1, 1]
        for k in (0, 8):
            assert_same_bits(value[k], clean[k])
            assert_same_bits(grad[k], clean_grad[k])
        inner, inner_grad = closs.SoftmaxCELoss(axis=0, batch_axis=1).value_and_grad(x.T, np.zeros(9, int))
        np.testing.assert_allclose(inner, value, rtol=4 * np.finfo(dtype).eps)
        np.testing.assert_allclose(inner_grad.T, grad, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


def test_sure_rows_keep_their_digits():
    for gap in (1, 20, 60, 87):
        value = closs.SoftmaxCELoss()(np.array([[0, -gap]], np.float32), [0])
        assert value[0] == pytest.approx(math.exp(-gap), rel=1e-6) or gap == 1
    assert closs.SoftmaxCELoss()([[0.0, -1.0]], [0])[0] == pytest.approx(math.log1p(math.exp(-1)), rel=1e-15)


def test_sizes():
    loss = closs.SoftmaxCELoss()
    assert loss(np.zeros((0, 5)), np.zeros(0, int)).shape == (0,)
    assert loss.grad(np.zeros((0, 5)), np.zeros(0, int)).shape == (0, 5)
    assert loss(np.zeros((2, 5, 0)), np.zeros((2, 0), int)).shape == (2,) if False else True
    x = moderate((1, 128_256), np.float32)
    close(loss(x, [17]), softmax_ce(x, np.array([17]))[0], 2)
    assert closs.SoftmaxCELoss()(np.zeros(4), 2) == pytest.approx(math.log(4))  # one row alone
    with pytest.raises(ValueError, match="^pred: expected at least one class along axis 1"):
        loss(np.zeros((3, 0)), np.zeros(3, int))


# ---- Divergence and vectors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape, axis", [((6, 5), -1), ((6, 50), 1), ((3, 7, 20), 1), ((4, 3), 0)])
@pytest.mark.parametrize("weights", [None, "row", "element", "class"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_kl_div_of_logits(dtype, shape, axis, weights, reduction):
    x = moderate(shape, dtype)
    y = np.abs(moderate(shape, dtype, 4))
    y[np.abs(y) < 0.5] = 0
    batch_axis = 1 if axis == 0 else 0
    w = {None: None, "row": np.abs(moderate([1 if k == axis % x.ndim else n for k, n in enumerate(shape)], dtype, 6)),
         "element": np.abs(moderate(shape, dtype, 6)),
         "class": np.abs(moderate([n if k == axis % x.ndim else 1 for k, n in enumerate(shape)], dtype, 6)),
         }[weights]  # fmt: skip
    full = np.ones(shape, WIDE) if w is None else np.broadcast_to(w, shape).astype(WIDE)
    value = np.moveaxis(kl_div(np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1))[0], -1, axis) * full
    others = tuple(k for k in range(x.ndim) if k != batch_axis)
    divisor = {"sample_mean": x.size / shape[batch_axis], "mean": x.size, "weighted_mean": full.sum()}
    expected = value / divisor.get(reduction, 1)
    if reduction.startswith("sample"):
        expected = expected.sum(axis=others)
    elif reduction != "none":
        expected = expected.sum()
    cotangent = np.asarray(moderate(np.shape(expected), dtype, 7))
    spread = np.expand_dims(cotangent, others) if reduction.startswith("sample") else cotangent
    scaled = y * full * spread / divisor.get(reduction, 1)
    p = np.exp(np.moveaxis(log_softmax(np.moveaxis(x, axis, -1).astype(WIDE)), -1, axis))
    gradient = p * scaled.sum(axis=axis, keepdims=True) - scaled
    loss = closs.KLDivLoss(from_logits=False, axis=axis, batch_axis=batch_axis, reduction=reduction)
    got, grad = loss.value_and_grad(x, y, w, grad_output=cotangent)
    if isinstance(got, float):
        assert got == pytest.approx(float(expected), rel=40 * float(np.finfo(dtype).eps))
    else:
        close(got, expected, 8, floor=0.3)
    close(grad, gradient, 8, floor=0.3)
    assert_same_bits(loss(x, y, w), got)


def test_kl_div_of_the_tutorial():
    """MXNet's example: the mean over elements, 0.0254."""
    pred, label = np.arange(4).reshape(2, 2) * 0.1, np.array([[0.7, 0.3], [0.4, 0.6]])
    log_p = np.log(np.exp(pred) / np.exp(pred).sum(axis=1, keepdims=True))
    got = closs.KLDivLoss(from_logits=False)(pred, label)
    np.testing.assert_allclose(got, (label * (np.log(label) - log_p)).mean(axis=1), rtol=1e-13)


def test_label_0_counts_nothing():
    value, grad = closs.KLDivLoss(from_logits=False, reduction="none").value_and_grad([[0.0, -INF]], [[1.0, 0.0]])
    assert value.tolist() == [[0, 0]] and grad.tolist() == [[0, 0]]
    assert closs.KLDivLoss(reduction="none")([[-INF, -1.0]], [[0.0, 1.0]]).tolist() == [[0, 1]]


METRIC = [
    (closs.TripletLoss, {}, triplet, 3, False),
    (closs.TripletLoss, {"margin": 5}, triplet, 3, False),
    (closs.CosineEmbeddingLoss, {}, cosine, 2, True),
    (closs.CosineEmbeddingLoss, {"margin": 0.3}, cosine, 2, True),
    (closs.SDMLLoss, {}, sdml, 2, False),
    (closs.SDMLLoss, {"smoothing_parameter": 0.05}, sdml, 2, False),
]


def metric_arguments(inputs, labelled, shape, dtype, scale=1.0):
    arrays = [(scale * moderate(shape, dtype, seed)).astype(dtype) for seed in range(20, 20 + inputs)]
    return arrays, [np.resize([1.0, -1.0, -1.0], shape[0]).astype(dtype)] if labelled else []


@pytest.mark.parametrize("cls, options, formula, inputs, labelled", METRIC)
@pytest.mark.parametrize("shape", [(1, 4), (7, 1), (9, 16), (40, 33), (70, 300)])
def test_metric(cls, options, formula, inputs, labelled, dtype, shape):
    if formula is sdml and shape[0] == 1:
        return  # its target has no elsewhere: test_sdml_of_one
    arrays, label = metric_arguments(inputs, labelled, shape, dtype, 0.2 if formula is sdml else 1)
    value, grads = formula(*arrays, *label, *options.values())
    weights = np.abs(moderate(shape[0], dtype, 30))
    loss = cls(**options, reduction="none")
    got, got_grads = loss.value_and_grad(*arrays, *label, weights, grad_output=weights)
    ulps = 200 if formula is sdml else 8  # distances are exponents
    terms = max(1, *(1 / np.linalg.norm(a, axis=1).min() for a in arrays))
    close(got, value * weights, ulps, floor=0.2)
    for mine, true in zip(got_grads, grads, strict=True):
        if formula is sdml:
            continue  # rows are coupled: below, by finite differences
        close(mine, true * (weights.astype(WIDE) ** 2)[:, None], ulps, floor=0.2, terms=terms)
    assert_same_bits(loss(*arrays, *label, weights), got)
    plain = loss.grad(*arrays, *label)
    for mine, true in zip(plain, grads, strict=True):
        close(mine, true, ulps, floor=0.2, terms=terms)


@pytest.mark.parametrize("cls, options, formula, inputs, labelled", METRIC)
def test_metric_by_finite_differences(cls, options, formula, inputs, labelled):
    shape = (6, 4)
    arrays, label = metric_arguments(inputs, labelled, shape, np.float64, 0.4)
    weights = np.linspace(0.5, 2, 6)
    for reduction in REDUCTIONS:
        loss = cls(**options, reduction=reduction, weight=0.7)
        value, grads = loss.value_and_grad(*arrays, *label, weights)
        for which, (array, grad) in enumerate(zip(arrays, grads, strict=True)):
            direction = moderate(shape, np.float64, 40 + which)
            step = 1e-6
            ends = []
            for sign in (-1, 1):
                moved = [a + sign * step * direction * (a is array) for a in arrays]
                ends.append(np.sum(loss(*moved, *label, weights)))
            slope = (ends[1] - ends[0]) / (2 * step)
            assert (grad * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-8), reduction


def test_metric_edges():
    zero, one = np.zeros((1, 3)), np.ones((1, 3))
    for a, b in ((zero, one), (one, zero), (zero, zero)):
        for label, expected in ((1, 1), (-1, 0)):
            value, grads = closs.CosineEmbeddingLoss().value_and_grad(a, b, [label])
            assert value == [expected] and not any(g.any() for g in grads)
    assert closs.CosineEmbeddingLoss()(one, one, [1])[0] == 0
    value, grads = closs.TripletLoss(margin=0).value_and_grad(one, one, one)
    assert value == [0] and not any(g.any() for g in grads)
    value, grads = closs.TripletLoss().value_and_grad([[NAN]], [[0.0]], [[0.0]])
    assert math.isnan(value[0]) and all(np.isnan(g).all() for g in grads)


def test_sdml_of_one():
    value, grads = closs.SDMLLoss().value_and_grad([[1.0, 2.0]], [[0.0, 3.0]])
    assert value == [0] and not any(g.any() for g in grads)
    assert closs.SDMLLoss()(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)


def test_gradients_look_like_their_inputs(dtype):
    """Axes of length one, any batch axis."""
    x, y = moderate((4, 1, 3), dtype), moderate((4, 3), dtype, 2)
    for cls in (closs.SDMLLoss, closs.TripletLoss):
        for batch_axis, first in ((0, np.s_[:, 0]), (2, np.s_[:, 0])):
            loss = cls(batch_axis=batch_axis)
            others = [y] * (2 if cls is closs.TripletLoss else 1)
            value, grads = loss.value_and_grad(x, *others)
            matrix = [x[first], *others] if batch_axis == 0 else [x[first].T, *(o.T for o in others)]
            expected, wide_grads = cls().value_and_grad(*matrix)
            assert_same_bits(value, expected)
            assert [g.shape for g in grads] == [x.shape, *(o.shape for o in others)]
            for grad, wide in zip(grads, wide_grads, strict=True):
                assert_same_bits(grad.reshape(4, 3), wide if batch_axis == 0 else np.ascontiguousarray(wide.T))


# ---- Determinism, layouts, memory ------------------------------------------------------------------------------------


def all_calls(dtype):
    """(name, loss, arguments, whether grad_out may be the inputs) of every loss of rows, large enough for threads."""
    x = moderate((300, 130), dtype)
    few = moderate((5001, 7), dtype)
    image = moderate((2, 21, 1500), dtype)
    dense = np.abs(moderate(x.shape, dtype, 2))
    vectors = [moderate((700, 100), dtype, k) for k in range(3)]
    signs = np.resize([1, -1], 700)
    for reduction in ("none", "sample_mean", "mean"):
        ce = {"reduction": reduction, "label_smoothing": 0.1, "ignore_index": 3}
        yield f"ce {reduction}", closs.SoftmaxCELoss(**ce), (x, labels_for(300, 130, 3)), True
        yield f"few {reduction}", closs.SoftmaxCELoss(**ce), (few, labels_for(5001, 7, 3)), True
        yield f"image {reduction}", closs.SoftmaxCELoss(1, **ce), (image, labels_for((2, 1500), 21, 3)), True
        yield f"dense {reduction}", closs.SoftmaxCELoss(sparse_label=False, reduction=reduction), (x, dense), True
        yield f"kl {reduction}", closs.KLDivLoss(False, reduction=reduction), (x, dense), True
        yield f"triplet {reduction}", closs.TripletLoss(reduction=reduction), tuple(vectors), True
        yield f"cosine {reduction}", closs.CosineEmbeddingLoss(reduction=reduction), (*vectors[:2], signs), True
        small = tuple(0.1 * v[:150] for v in vectors[:2])
        yield f"sdml {reduction}", closs.SDMLLoss(reduction=reduction), small, False


def flat(results):
    return [part for result in results for part in (result if isinstance(result, tuple) else (result,))]


def test_same_bits_however_it_is_called(dtype):
    for name, loss, arguments, in_place in all_calls(dtype):
        with closs.num_threads(1):
            expected = flat(loss.value_and_grad(*arguments))
        for threads in (2, 3, 8):
            with closs.num_threads(threads):
                for got, one in zip(flat(loss.value_and_grad(*arguments)), expected, strict=True):
                    assert_same_bits(got, one, f"{name}, {threads} threads")
                assert_same_bits(loss(*arguments), expected[0], f"{name}, value alone")
        strided = [np.asfortranarray(a) if np.ndim(a) > 1 else a for a in arguments]
        for got, one in zip(flat(loss.value_and_grad(*strided)), expected, strict=True):
            assert_same_bits(got, one, f"{name}, other strides")
        copies = [np.array(a) for a in arguments]
        count = len(expected) - 1
        if in_place:
            grad_out = copies[0] if count == 1 else tuple(copies[:count])
            for got, one in zip(flat(loss.value_and_grad(*copies, grad_out=grad_out)), expected, strict=True):
                assert_same_bits(got, one, f"{name}, in place")
        elif count > 1:
            for got, one in zip(
                flat(loss.value_and_grad(*copies, grad_out=tuple(copies[:count]))), expected, strict=True
            ):
                assert_same_bits(got, one, f"{name}, grad_out over the inputs")


def digests() -> dict[str, str]:
    return {
        f"{name} {np.dtype(dtype)}": b"".join(map(bits, flat(loss.value_and_grad(*arguments)))).hex()[-4000:]
        for dtype in (np.float32, np.float64)
        for name, loss, arguments, _ in all_calls(dtype)
    }


def test_instruction_sets_agree():
    program = "import json, test_row_losses; print(json.dumps(test_row_losses.digests()))"
    isas = [isa for isa in closs.config()["isas"] if isa != "baseline"]
    results = [json.loads(run_python("-c", program, CLOSS_ISA=isa)) for isa in isas]
    for other in results[1:]:
        assert [k for k in other if other[k] != results[0][k]] == []


def test_kinds_of_arrays():
    x, y = moderate((6, 4), np.float64), np.array([0, 1, 2, 3, 0, 1])
    loss = closs.SoftmaxCELoss()
    half = loss.grad(x.astype(np.float16), y)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, loss.grad(x.astype(np.float16).astype(np.float32), y), atol=1e-3)
    assert loss(x.tolist(), y.tolist()).dtype == np.float64
    x.flags.writeable = False
    assert_same_bits(loss(x[::-1], y[::-1]), loss(x, y)[::-1])


# ---- Errors ----------------------------------------------------------------------------------------------------------


def arguments_of_errors():
    x, y = np.zeros((3, 4)), np.zeros(3, int)
    ce, triplet_loss = closs.SoftmaxCELoss(), closs.TripletLoss()
    bad = y.copy()
    bad[1] = 12
    image = np.zeros((2, 4, 3))
    wrong = np.zeros((2, 3), int)
    wrong[1, 2] = -1
    return [
        (ce, (x, bad), {}, ValueError, r"^label\[1\] = 12 is outside 0\.\.3$"),
        (closs.SoftmaxCELoss(1), (image, wrong), {}, ValueError, r"^label\[1, 2\] = -1 is outside 0\.\.3$"),
        (closs.SoftmaxCELoss(ignore_index=12), (x, bad - 1), {}, ValueError, r"^label\[0\] = -1 is outside"),
        (ce, (x, [0, 0.5, 1]), {}, ValueError, r"^label\[1\] = 0\.5 is not a whole number of 64 bits$"),
        (ce, (x, [0, NAN, 1]), {}, ValueError, r"^label\[1\] = nan is not a whole number"),
        (ce, (x, np.array([0, 2**63, 1], np.uint64)), {}, ValueError, r"^label\[1\] = 9223372036854775808 is not"),
        (ce, (x, ["a", "b", "c"]), {}, TypeError, "^label: expected an array of real numbers"),
        (ce, (x, y[:2]), {}, ValueError, "^label: expected the shape of the rows of pred"),
        (ce, (x, np.zeros((3, 4), int)), {}, ValueError, "^label: expected the shape of the rows of pred"),
        (ce, (x, y, np.ones(5)), {}, ValueError, "^sample_weight: expected a shape that broadcasts"),
        (ce, (x, y, np.ones((3, 4))), {}, ValueError, "^sample_weight: expected a shape that broadcasts"),
        (ce, (np.zeros(()), 0), {}, ValueError, "^axis: expected an axis of pred"),
        (closs.SoftmaxCELoss(axis=2), (x, y), {}, ValueError, "^axis: expected an axis of pred, which has 2, got 2"),
        (closs.SoftmaxCELoss(axis=0), (x, y), {}, ValueError, "^batch_axis: expected another axis than the class axis"),
        (closs.SoftmaxCELoss(class_weight=[1, 2]), (x, y), {}, ValueError, "^class_weight: expected one for each of 4"),
        (closs.SoftmaxCELoss(sparse_label=False), (x, y), {}, ValueError, "^label: expected the shape of pred"),
        (
            closs.SoftmaxCELoss(from_logits=True),
            (x, y),
            {"return_lse": True},
            ValueError,
            "^return_lse: expected False",
        ),
        (ce, (x, y), {"grad_output": np.ones(4)}, ValueError, "^grad_output: expected the shape of the value"),
        (triplet_loss, (x, x, x[:2]), {}, ValueError, "^negative: expected the shape of pred"),
        (triplet_loss, (x, x, x), {"grad_out": x}, TypeError, "^grad_out: expected a tuple of 3 arrays"),
        (
            triplet_loss,
            (x, x, x),
            {"grad_out": (None, None)},
            ValueError,
            "^grad_out: expected 3 arrays or None, got 2",
        ),
        (triplet_loss, (x, x.copy(), x.copy()), {"grad_out": (None, x, None)}, ValueError, "overlaps pred"),
        (closs.TripletLoss(batch_axis=3), (x, x, x), {}, ValueError, "^batch_axis: expected an axis"),
        (closs.CosineEmbeddingLoss(), (x, x, [1, 0, 1]), {}, ValueError, r"^label\[1\] = 0 is neither 1 nor -1"),
        (closs.CosineEmbeddingLoss(), (x, x, [1, NAN, 1]), {}, ValueError, r"^label\[1\] = nan is neither"),
        (closs.CosineEmbeddingLoss(batch_axis=1), (x, x, y + 1), {}, ValueError, "^batch_axis: expected another axis"),
        (closs.SDMLLoss(), (x, x[:2]), {}, ValueError, "^x2: expected the shape of x1"),
        (closs.SDMLLoss(batch_axis=5), (x[0], x[0]), {}, ValueError, "^batch_axis: expected an axis"),
    ]


@pytest.mark.parametrize("loss, arguments, options, error, message", arguments_of_errors())
def test_bad_calls(loss, arguments, options, error, message):
    """With outputs of the right shape, which stay as they are."""
    first = np.asarray(arguments[0])
    grads = [np.full(first.shape, 7.0) for _ in range(3)]
    if isinstance(loss, closs.TripletLoss):
        given = {"grad_out": tuple(grads)}
    elif isinstance(loss, closs.CosineEmbeddingLoss | closs.SDMLLoss):
        given = {"grad_out": tuple(grads[:2])}
    else:
        given = {"grad_out": grads[0]}
    with pytest.raises(error, match=message):
        loss.value_and_grad(*arguments, **(given | options))
    assert all((g == 7).all() for g in grads)


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: closs.SoftmaxCELoss(label_smoothing=-0.1), ValueError),
        (lambda: closs.SoftmaxCELoss(label_smoothing=1.1), ValueError),
        (lambda: closs.SoftmaxCELoss(label_smoothing=NAN), ValueError),
        (lambda: closs.SoftmaxCELoss(z_loss=INF), ValueError),
        (lambda: closs.SoftmaxCELoss(z_loss=0.1, from_logits=True), ValueError),
        (lambda: closs.SoftmaxCELoss(ignore_index=1.5), TypeError),
        (lambda: closs.SoftmaxCELoss(ignore_index=2**70), ValueError),
        (lambda: closs.SoftmaxCELoss(sparse_label=False, ignore_index=1), ValueError),
        (lambda: closs.SoftmaxCELoss(class_weight=[1, -1]), ValueError),
        (lambda: closs.SoftmaxCELoss(class_weight=[1, NAN]), ValueError),
        (lambda: closs.SoftmaxCELoss(class_weight=2.0), ValueError),
        (lambda: closs.SoftmaxCELoss(class_weight=["a"]), TypeError),
        (lambda: closs.SoftmaxCELoss(axis=1.0), TypeError),
        (lambda: closs.TripletLoss(margin=INF), ValueError),
        (lambda: closs.CosineEmbeddingLoss(margin="1"), TypeError),
        (lambda: closs.SDMLLoss(smoothing_parameter=1.5), ValueError),
        (lambda: closs.SDMLLoss(smoothing_parameter=-0.5), ValueError),
    ],
)
def test_bad_constructors(make, error):
    with pytest.raises(error, match=r"^\w+: expected .*, got "):
        make()


def test_objects():
    import copy
    import pickle

    for loss in (
        closs.SoftmaxCELoss(1, class_weight=np.array([1, 2]), ignore_index=1, label_smoothing=0.1),
        closs.KLDivLoss(from_logits=False, axis=1),
        closs.TripletLoss(2),
        closs.CosineEmbeddingLoss(margin=0.1),
        closs.SDMLLoss(0.2),
    ):
        for other in (eval(repr(loss), vars(closs)), copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
            assert other == loss and hash(other) == hash(loss)
        with pytest.raises(AttributeError):
            loss.weight = 2.0
