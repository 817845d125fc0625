"""A call on plain arrays goes straight to C, in a few microseconds; the way of all other calls gives the same bits."""

import numpy as np
import pytest
from helpers import REDUCTIONS, assert_same_bits, moderate

import closs
from closs import _core


def vectors(dtype):
    return moderate((6, 5), dtype), moderate((6, 5), dtype)[::-1].copy()


def softmax_ce(reduction, dtype):
    return closs.SoftmaxCELoss(reduction=reduction), (moderate((6, 5), dtype), np.arange(6) % 5)


def kl_div(reduction, dtype):
    return closs.KLDivLoss(from_logits=False, reduction=reduction), (
        moderate((6, 5), dtype),
        np.full((6, 5), 0.25, dtype),
    )


def l2(reduction, dtype):
    return closs.L2Loss(reduction=reduction), vectors(dtype)


def triplet(reduction, dtype):
    return closs.TripletLoss(reduction=reduction), (*vectors(dtype), moderate((6, 5), dtype) / 2)


def cosine(reduction, dtype):
    return closs.CosineEmbeddingLoss(reduction=reduction), (*vectors(dtype), np.array([1, -1, 1, 1, -1, -1], dtype))


def sdml(reduction, dtype):
    return closs.SDMLLoss(reduction=reduction), vectors(dtype)


def ctc(reduction, dtype, **options):
    x, label = moderate((3, 9, 4), dtype), np.array([[0, 2, 2], [1, -1, -1], [3, 0, 1]])
    x[1, 4] = np.inf  # NaN in one sample
    return closs.CTCLoss(reduction=reduction, blank=3, **options), (x, np.where(label == 3, 0, label))


def ctc_with_lengths(reduction, dtype):
    loss, (x, label) = ctc(reduction, dtype, layout="TNC", label_layout="TN", infeasible="zero")
    lengths = np.array([9, 0, 2]), np.array([3, 1, 2])  # the second sample has too few frames
    return loss, (x.transpose(1, 0, 2).copy(), label.T.copy(), *lengths)


def flat(answer) -> list:
    """All arrays and numbers of a call's answer."""
    return [a for part in answer for a in flat(part)] if isinstance(answer, tuple) else [answer]


CASES = {
    "try_elementwise": [l2],
    "try_softmax": [softmax_ce, kl_div],
    "try_vectors": [triplet, cosine, sdml],
    "try_ctc": [ctc, ctc_with_lengths],
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("way, case", [(way, case) for way, cases in CASES.items() for case in cases])
def test_both_ways_give_the_same_bits(way, case, reduction, dtype, monkeypatch):
    loss, arguments = case(reduction, dtype)
    direct, answers = getattr(_core, way), []
    calls = (loss.value_and_grad, loss.grad, loss)

    def recorded(*given):
        answers.append(direct(*given))
        return answers[-1]

    monkeypatch.setattr(_core, way, recorded)
    plain = [call(*arguments) for call in calls]
    assert len(answers) == len(calls) and None not in answers
    monkeypatch.setattr(_core, way, lambda *_: None)
    for quick, call in zip(plain, calls, strict=True):
        for a, b in zip(flat(quick), flat(call(*arguments)), strict=True):
            assert type(a) is type(b)
            assert_same_bits(a, b)
