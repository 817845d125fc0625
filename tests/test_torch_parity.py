"""Parity with PyTorch, where it is installed: its conventions for class weights, ignored labels and label smoothing,
and autograd's gradients of plain formulas. ``pytest -m torch`` runs these alone."""

import numpy as np
import pytest
from helpers import moderate
from row_oracles import class_numbers, distributions

import closs

torch = pytest.importorskip("torch", reason="torch is not installed")
F = torch.nn.functional
pytestmark = pytest.mark.torch

RELATIVE = {np.float32: 2e-5, np.float64: 1e-12}


def tensors(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def assert_close(got, tensor, dtype) -> None:
    expected = tensor.detach().numpy()
    scale = np.abs(expected).max(initial=1e-30)
    np.testing.assert_allclose(got, expected, rtol=RELATIVE[dtype], atol=RELATIVE[dtype] * scale)


def check(loss, inputs, rest, value, grads_of, dtype) -> None:
    """closs's value and gradients against torch's, whose value is a scalar or stands for itself."""
    got, grads = loss.value_and_grad(*inputs, *rest)
    value.sum().backward()
    assert_close(got, value, dtype)
    for grad, tensor in zip(grads if isinstance(grads, tuple) else (grads,), grads_of, strict=True):
        assert_close(grad, tensor.grad, dtype)


REDUCTIONS = {"none": "none", "sum": "sum", "mean": "weighted_mean"}  # torch's, closs's
SHAPES = {"rows": (8, 6), "images": (3, 6, 4, 5), "one": (6,)}  # torch's class axis is 1, or the only one


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "class_weight"])
@pytest.mark.parametrize("ignore_index", [None, -100, 2])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy(dtype, reduction, shape, weighted, ignore_index, smoothing):
    if shape == (6,) and ignore_index is not None:
        label = np.asarray(1)  # torch's mean of nothing but ignored rows has a NaN gradient, closs's is 0
    else:
        rows = shape[:1] + shape[2:] if len(shape) > 1 else ()
        label = class_numbers(rows, 6, seed=1, ignore_index=ignore_index)
    x, w = moderate(shape, dtype), np.abs(moderate(6, dtype, seed=2)) + dtype(0.1)
    (pred,) = tensors(x)
    value = F.cross_entropy(
        pred, torch.tensor(label), torch.tensor(w) if weighted else None, reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index, label_smoothing=smoothing,
    )  # fmt: skip
    loss = closs.SoftmaxCELoss(
        axis=1 if len(shape) > 1 else 0, reduction=REDUCTIONS[reduction], class_weight=w if weighted else None,
        ignore_index=ignore_index, label_smoothing=smoothing,
    )  # fmt: skip
    check(loss, [x], [label], value, [pred], dtype)


@pytest.mark.parametrize("reduction", ["none", "sum"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "class_weight"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(8, 6), (3, 6, 4, 5)], ids=str)
def test_cross_entropy_of_distributions(dtype, reduction, weighted, smoothing, shape):
    x, w = moderate(shape, dtype), np.abs(moderate(6, dtype, seed=2))
    y = distributions(shape, dtype, seed=3, axis=1)
    (pred,) = tensors(x)
    value = F.cross_entropy(
        pred, torch.tensor(y), torch.tensor(w) if weighted else None, reduction=reduction, label_smoothing=smoothing
    )
    loss = closs.SoftmaxCELoss(
        axis=1, sparse_label=False, reduction=reduction, class_weight=w if weighted else None, label_smoothing=smoothing
    )
    check(loss, [x], [y], value, [pred], dtype)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_mean_of_distributions(dtype, smoothing):
    """torch divides by the number of rows."""
    x, y = moderate((8, 6), dtype), distributions((8, 6), dtype, seed=3, axis=1)
    (pred,) = tensors(x)
    value = F.cross_entropy(pred, torch.tensor(y), label_smoothing=smoothing)
    loss = closs.SoftmaxCELoss(sparse_label=False, reduction="mean", label_smoothing=smoothing)
    check(loss, [x], [y], value, [pred], dtype)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nll_of_log_probabilities(dtype, reduction):
    x, w, label = moderate((8, 6), dtype), np.abs(moderate(6, dtype, seed=2)), class_numbers(8, 6, 1, -100)
    (pred,) = tensors(x)
    value = F.nll_loss(pred, torch.tensor(label), torch.tensor(w), reduction=reduction, ignore_index=-100)
    loss = closs.SoftmaxCELoss(from_logits=True, class_weight=w, ignore_index=-100, reduction=REDUCTIONS[reduction])
    check(loss, [x], [label], value, [pred], dtype)


def test_z_loss_and_logsumexp(dtype):
    x, label = moderate((8, 6), dtype), class_numbers(8, 6, 1)
    (pred,) = tensors(x)
    lse = torch.logsumexp(pred, 1)
    value = F.cross_entropy(pred, torch.tensor(label), reduction="none") + 0.25 * lse**2
    check(closs.SoftmaxCELoss(z_loss=0.25, reduction="none"), [x], [label], value, [pred], dtype)
    assert_close(closs.SoftmaxCELoss()(x, label, return_lse=True)[1], lse, dtype)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("from_logits", [True, False])
def test_divergence(dtype, reduction, from_logits):
    x, y = moderate((8, 6), dtype), distributions((8, 6), dtype, seed=3, axis=1)
    (pred,) = tensors(x)
    value = F.kl_div(pred if from_logits else F.log_softmax(pred, 1), torch.tensor(y), reduction=reduction)
    check(closs.KLDivLoss(from_logits, reduction=reduction), [x], [y], value, [pred], dtype)


def test_divergence_batchmean(dtype):
    """torch's "batchmean" is the mean of closs's "sample_sum"."""
    x, y = moderate((8, 6), dtype), distributions((8, 6), dtype, seed=3, axis=1)
    value = F.kl_div(torch.tensor(x), torch.tensor(y), reduction="batchmean")
    assert_close(closs.KLDivLoss(reduction="sample_sum")(x, y).mean(), value, dtype)


@pytest.mark.parametrize("margin", [0.0, 0.3])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_cosine(dtype, margin, reduction):
    """torch has no upper bound, which no cosine reaches, and another floor for the lengths."""
    a, b = moderate((9, 7), dtype), moderate((9, 7), dtype, seed=2)
    label = np.array([1, -1, -1] * 3)
    inputs = tensors(a, b)
    value = F.cosine_embedding_loss(*inputs, torch.tensor(label), margin=margin, reduction=reduction)
    loss = closs.CosineEmbeddingLoss(margin=margin, reduction=reduction)
    check(loss, [a, b], [label], value, inputs, dtype)


@pytest.mark.parametrize("margin", [1, 40])
def test_triplet(dtype, margin):
    """Of squared distances; torch's own takes roots."""
    arrays = [moderate((9, 7), dtype, seed=k) for k in range(3)]
    inputs = tensors(*arrays)
    pred, positive, negative = inputs
    value = F.relu(((positive - pred) ** 2).sum(1) - ((negative - pred) ** 2).sum(1) + margin)
    assert 0 < (value > 0).sum() < 9 or margin > 1
    check(closs.TripletLoss(margin=margin), arrays, [], value, inputs, dtype)


@pytest.mark.parametrize("smoothing", [0.3, 0.0])
def test_sdml(dtype, smoothing):
    arrays = [moderate((9, 7), dtype, seed=k) / 4 for k in range(2)]
    inputs = tensors(*arrays)
    distance = ((inputs[0][:, None] - inputs[1]) ** 2).sum(-1)
    target = torch.full((9, 9), smoothing / 8, dtype=distance.dtype).fill_diagonal_(1 - smoothing)
    value = F.kl_div(F.log_softmax(-distance, 1), target, reduction="none").sum(1)
    check(closs.SDMLLoss(smoothing), arrays, [], value, inputs, dtype)
