"""Samples of CTC for several tests, and SHA-256s of the result bits for them and more, which make_hashes.py prints.

Inputs come from integer arithmetic and constants alone: every NumPy makes the same ones.
"""

import hashlib

import numpy as np
from helpers import bits, from_integers
from registry import DTYPES

import closs

#: Blank, first and second label among 1200 classes, and with them the largest class: on both sides of what the driver
#: takes at once, 512 classes, and first and last.
PLACES = [(1199, 0, 512), (511, 512, 1024), (512, 511, 0), (1023, 1199, 511)]
CANCELLING = ["small loss", "stationary", "no blanks"]


def cancelling(kind, places=PLACES[0], dtype=np.float32):
    """(pred, label, blank) of one sample whose float32 softmax is taken in double, for one of three reasons."""
    blank, first, second = places
    x = np.full((1, 80, 1200), -9 if kind == "small loss" else -30, dtype)
    x[0, ::3] += np.arange(1200) % 7 / dtype(8)
    if kind == "small loss":  # in one frame two classes are right: its log(2) is no part of the loss
        x[0, :40, first] = x[0, 39:, second] = 9.3
        label = [first, second]
    elif kind == "stationary":  # one visit is expected, 1/80 a frame, and one is wanted
        x[0, :, blank], x[0, :, first] = 3.3, 3.3 - 4.3694478
        label = [first]
    else:  # one path, which has half of each frame; the blank's softmax and visits are both next to nothing
        x[0, :, first], x[0, :, second] = 0.1, 0.2
        label = [first, second] * 40
    return x, np.array([label]), blank


def samples(dtype):
    """(name, pred, label, blank): scores of several sizes, up to emissions too small for float's exponents; rows that
    are narrow and wide; labels that fill the frames and that do not."""
    for scale, exponents in (("small", 2), ("moderate", 5), ("large", 10), ("huge", 30)):
        for frames, classes, labels in ((90, 37, 25), (40, 1100, 3), (130, 5, 70)):
            size = 3 * frames * classes
            x = from_integers(size, dtype, seed=classes, exponents=exponents).reshape(3, frames, classes)
            label = (np.arange(3 * labels) * 31 + np.arange(3 * labels) // 4) % (classes - 1)
            yield scale, x, label.reshape(3, labels), classes - 1
    for kind in CANCELLING:
        yield kind, *cancelling(kind, PLACES[1], dtype)


def digests() -> dict[str, str]:
    """A name to a digest."""
    totals = {}
    for dtype in DTYPES:
        for name, x, label, blank in samples(dtype):
            for input in ("logits", "log_probs"):
                loss = closs.CTCLoss(blank=blank, input=input)
                pred = x if input == "logits" else -abs(x)
                total = totals.setdefault(f"ctc {input} {name} {np.dtype(dtype).name}", hashlib.sha256())
                for frames in (None, np.full(len(x), x.shape[1] - 7)):
                    for result in loss.value_and_grad(pred, label, frames, sample_weight=0.75, return_feasible=True):
                        total.update(bits(result))
    return {name: total.hexdigest() for name, total in totals.items()}
