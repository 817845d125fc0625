"""CTC against PyTorch's in float64, where that is installed: values, gradients, reductions of another implementation.

Run with `pytest -m torch`; skipped where there is no torch.
"""

import numpy as np
import pytest
from helpers import moderate

import closs

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def torch_ctc(torch, pred, label, frames, counts, reduction, log_probs=False):
    x = torch.tensor(pred, requires_grad=True)
    y = x if log_probs else x.log_softmax(-1)
    value = torch.nn.functional.ctc_loss(
        y, torch.tensor(label), torch.tensor(frames), torch.tensor(counts), reduction=reduction, zero_infinity=True
    )
    value.sum().backward()
    return value.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize(
    "frames, classes, labels, scale", [(40, 6, 9, 1), (150, 40, 30, 1), (150, 40, 30, 20), (400, 9, 120, 3)]
)
def test_values_and_gradients(torch, frames, classes, labels, scale):
    rng = np.random.default_rng(labels)
    pred = moderate((frames, 4, classes), np.float64) * scale
    label = rng.integers(1, classes, (4, labels))
    lengths, counts = [frames, frames - 7, labels + 2, 5], [labels, labels // 2, labels // 3, 0]
    loss = closs.CTCLoss("TNC", blank="first", infeasible="zero")
    value, grad = loss.value_and_grad(pred, label, lengths, counts)
    expected, slopes = torch_ctc(torch, pred, label, lengths, counts, "none")
    np.testing.assert_allclose(value, expected, rtol=1e-11)
    np.testing.assert_allclose(grad, slopes, atol=1e-9)


def test_concatenated_labels_and_sum(torch):
    pred = moderate((30, 3, 5), np.float64)
    label, counts = np.array([1, 2, 2, 4, 3, 1]), [3, 1, 2]
    value, grad = closs.CTCLoss("TNC", blank="first", reduction="sum").value_and_grad(pred, label, label_lengths=counts)
    expected, slopes = torch_ctc(torch, pred, label, [30] * 3, counts, "sum")
    assert value == pytest.approx(float(expected), rel=1e-12)
    np.testing.assert_allclose(grad, slopes, atol=1e-11)


def test_the_gradient_of_log_probabilities_is_of_what_was_passed(torch):
    """torch's is not (pytorch#52241): it subtracts the softmax that it supposes. Adding that back gives closs's."""
    pred = moderate((30, 2, 5), np.float64)
    y = pred - np.log(np.exp(pred).sum(-1, keepdims=True))
    label, counts = np.array([[1, 2, 4], [3, 3, 1]]), [3, 3]
    loss = closs.CTCLoss("TNC", blank="first", input="log_probs")
    value, grad = loss.value_and_grad(y, label)
    expected, slopes = torch_ctc(torch, y, label, [30] * 2, counts, "none", log_probs=True)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(grad, slopes - np.exp(y), atol=1e-11)
