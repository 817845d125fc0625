"""The tour's reader: a network of one hidden layer, in NumPy, learns to read lines of handwritten digits with CTCLoss.

A line is digits side by side with gaps of random width; a frame is a column of pixels and its neighbours. Which columns
belong to which digit is never told: only the digits in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import closs
from closs.datasets import Digits

Array = NDArray[Any]

HEIGHT, CLASSES, DIGITS_A_LINE = 8, 11, 5  # the eleventh class is the blank
GAPS = (1, 5)  # columns between digits: from, below
CONTEXT, HIDDEN, LINES, STEPS, RATE = 5, 128, 32, 1000, 0.003  # columns on either side; lines a step
FRAMES = DIGITS_A_LINE * (HEIGHT + GAPS[1]) + GAPS[1]


@dataclass(frozen=True)
class Lines:
    """Some lines: columns (N, FRAMES, HEIGHT), zeros beyond each one's length, and the digits (N, DIGITS_A_LINE)."""

    columns: Array
    lengths: Array
    labels: Array


def lines_of(data: Digits, chosen: range, count: int, rng: np.random.Generator) -> Lines:
    """Lines of random digits out of those chosen."""
    picked = rng.integers(chosen.start, chosen.stop, (count, DIGITS_A_LINE))
    columns, lengths = np.zeros((count, FRAMES, HEIGHT), np.float32), np.zeros(count, np.int64)
    for n, digits in enumerate(picked):
        place = rng.integers(*GAPS)
        for digit in digits:
            columns[n, place : place + HEIGHT] = data.images[digit].reshape(HEIGHT, HEIGHT).T
            place += HEIGHT + rng.integers(*GAPS)
        lengths[n] = place
    return Lines(columns, lengths, data.labels[picked])


def features_of(lines: Lines) -> Array:
    """Each frame's column with its neighbours, and a one."""
    padded = np.pad(lines.columns, ((0, 0), (CONTEXT, CONTEXT), (0, 0)))
    windows = [padded[:, k : k + FRAMES] for k in range(2 * CONTEXT + 1)]
    return np.concatenate([*windows, np.ones_like(windows[0][..., :1])], axis=2)


class Reader:
    """Columns -> logits, trained by Adam."""

    def __init__(self, rng: np.random.Generator) -> None:
        inputs = (2 * CONTEXT + 1) * HEIGHT + 1
        shapes = [(inputs, HIDDEN), (HIDDEN + 1, CLASSES)]
        self.weights = [(rng.standard_normal(s) / np.sqrt(s[0])).astype(np.float32) for s in shapes]
        self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.weights]
        self.steps = 0

    def logits(self, features: Array) -> tuple[Array, Array]:
        """And the hidden layer, with a one."""
        hidden = np.tanh(features @ self.weights[0])
        hidden = np.concatenate([hidden, np.ones_like(hidden[..., :1])], axis=2)
        return hidden @ self.weights[1], hidden

    def learn(self, lines: Lines, loss: closs.CTCLoss) -> float:
        """One step; the loss before it."""
        features = features_of(lines)
        logits, hidden = self.logits(features)
        value, grad = loss.value_and_grad(logits, lines.labels, lines.lengths, grad_out=logits)
        of_hidden = (grad @ self.weights[1].T * (1 - hidden**2))[..., :-1]
        rows = (features.reshape(-1, features.shape[2]), hidden.reshape(-1, HIDDEN + 1))
        slopes = (rows[0].T @ of_hidden.reshape(-1, HIDDEN), rows[1].T @ grad.reshape(-1, CLASSES))
        self.steps += 1
        for weight, slope, (mean, square) in zip(self.weights, slopes, self.moments, strict=True):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            scaled = mean / (1 - 0.9**self.steps) / (np.sqrt(square / (1 - 0.999**self.steps)) + 1e-8)
            weight -= RATE * (1 - (self.steps - 1) / STEPS) * scaled
        return float(value)

    def read(self, lines: Lines) -> list[Array]:
        """The digits of each line."""
        return closs.ctc_greedy_decode(self.logits(features_of(lines))[0], lines.lengths)[0]


def edits(a: Array, b: Array) -> int:
    """Insertions, deletions and replacements that make one of the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + int(x != y))
    return row[-1]


@dataclass(frozen=True)
class Result:
    """What was learned: the losses of the first and last steps, and what is read of lines of digits never seen."""

    before: float
    after: float
    error: float  # edits a digit
    lines: Lines
    read: list[Array]


def learn_to_read(data: Digits, trained: int, progress: Callable[[float], None], steps: int = STEPS) -> Result:
    """Train on lines of the first digits, read lines of the others. progress is told the loss at each step."""
    rng = np.random.default_rng(0)
    reader, loss, values = Reader(rng), closs.CTCLoss(reduction="mean"), []
    with closs.num_threads(1):  # a step is short, and NumPy's matrix products have threads of their own
        for _ in range(steps):
            values.append(reader.learn(lines_of(data, range(trained), LINES, rng), loss))
            progress(values[-1])
    lines = lines_of(data, range(trained, len(data.labels)), 200, rng)
    read = reader.read(lines)
    error = sum(edits(a, b) for a, b in zip(read, lines.labels, strict=True)) / lines.labels.size
    return Result(float(np.mean(values[:10])), float(np.mean(values[-10:])), error, lines, read)


def drawn(line: Array, length: int) -> list[str]:
    """A line of digits as eight lines of text."""
    shades = np.array(list(" .:*#"))
    levels = np.minimum((line[:length].T * len(shades)).astype(int), len(shades) - 1)
    return ["".join(shades[row]) for row in levels]


def as_text(digits: Array) -> str:
    return "".join(map(str, digits))


def report(result: Result, shown: int = 6) -> str:
    """A line as it looks, and some lines as they were read."""
    text = drawn(result.lines.columns[0], int(result.lines.lengths[0]))
    text.append(f"{'read':>10}  {'truth':>10}")
    for read, truth in zip(result.read[:shown], result.lines.labels[:shown], strict=True):
        mark = "" if np.array_equal(read, truth) else "  <- wrong"
        text.append(f"{as_text(read):>10}  {as_text(truth):>10}{mark}")
    text.append(
        f"CTC loss {result.before:.2f} -> {result.after:.3f}; of {result.lines.labels.size} digits never seen, "
        f"{100 * result.error:.1f} % were read wrongly"
    )
    return "\n".join(text)
