"""`python -m closs tour`: every loss fits a model to real data, by the gradients of closs alone.

The losses of single predictions fit a linear model of health insurance data. The losses over classes fit a linear
classifier of handwritten digits, those of metric learning a linear map of them into eight dimensions, in which the
nearest neighbour tells the digit. Last, CTC teaches a network to read lines of digits (tour_ctc.py).
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import closs
from closs.datasets import Digits, HealthInsurance, load_digits, load_health_insurance
from closs.gallery import CLASSIFIERS, EXHIBITS, METRICS, Exhibit, RowExhibit
from closs.tour_ctc import STEPS as READER_STEPS
from closs.tour_ctc import learn_to_read, report

TIMED_ROUNDS, SECONDS_A_ROUND = 15, 0.002
TRAINED_DIGITS, DIMENSIONS, STEPS = 1200, 8, 60

#: weights -> (value, gradient of the weights).
Objective = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


@dataclass(frozen=True)
class Row:
    """What the table says about one loss."""

    name: str
    before: float
    after: float
    gradient_norm: float
    closs_us: float
    numpy_us: float
    score: str = ""


def minimised(objective: Objective, start: NDArray[np.float64], steps: int = 15_000) -> NDArray[np.float64]:
    """Weights after L-BFGS."""
    from scipy.optimize import minimize

    return np.asarray(minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x)


def check(name: str, ours: tuple[Any, Any], plain: tuple[Any, Any]) -> None:
    """ArithmeticError unless closs and NumPy agree on value and gradients."""
    flat = [np.concatenate([np.ravel(g) for g in (grad if isinstance(grad, tuple) else (grad,))])
            for _, grad in (ours, plain)]  # fmt: skip
    if not (np.isclose(ours[0], plain[0], rtol=1e-10) and np.allclose(flat[0], flat[1], rtol=1e-8, atol=1e-12)):
        raise ArithmeticError(f"{name}: closs and NumPy disagree: {ours[0]} and {plain[0]}")


def timed(*contestants: Callable[[], Any]) -> list[float]:
    """Median microseconds a call, the contestants taking turns."""
    calls = []
    for contestant in contestants:
        begin = time.perf_counter()
        contestant()
        calls.append(int(max(1, min(50, SECONDS_A_ROUND / (time.perf_counter() - begin)))))
    seconds: list[list[float]] = [[] for _ in contestants]
    for _ in range(TIMED_ROUNDS):
        for contestant, count, times in zip(contestants, calls, seconds, strict=True):
            begin = time.perf_counter()
            for _ in range(count):
                contestant()
            times.append((time.perf_counter() - begin) / count)
    return [median(times) * 1e6 for times in seconds]


# ---- Single predictions ----------------------------------------------------------------------------------------------


def labels_of(data: HealthInsurance, item: Exhibit) -> NDArray[np.float64]:
    """The targets that a loss is fitted to."""
    labels: NDArray[np.float64] = getattr(data, item.target)
    return 2 * labels - 1 if item.signed else labels


def fit(data: HealthInsurance, item: Exhibit, progress: Any) -> Row:
    """Fit a linear model, check the last value and gradient against NumPy, and time both."""
    x, y = data.features, labels_of(data, item)
    loss = item.cls(reduction="mean")
    grad_of_pred = np.empty(len(y))

    def objective(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, grad = loss.value_and_grad(x @ w, y, grad_out=grad_of_pred)
        progress(value)
        return value, x.T @ grad

    start = np.zeros(x.shape[1])
    before, _ = objective(start)
    pred = x @ minimised(objective, start)
    value, grad = loss.value_and_grad(pred, y)
    check(item.name, (value, grad), item.plain(pred, y))
    closs_us, numpy_us = timed(lambda: loss.value_and_grad(pred, y, grad_out=grad_of_pred), lambda: item.plain(pred, y))
    return Row(item.name, before, value, float(np.linalg.norm(x.T @ grad)), closs_us, numpy_us)


# ---- Digits ----------------------------------------------------------------------------------------------------------


def classify(data: Digits, item: RowExhibit, progress: Any) -> Row:
    """Fit a linear classifier to the first digits; the score is its accuracy on the others, before and after."""
    pixels = np.column_stack([data.images, np.ones(len(data.images))])
    x, y = pixels[:TRAINED_DIGITS], data.labels[:TRAINED_DIGITS]
    label = y if item.cls is closs.SoftmaxCrossEntropyLoss else 0.02 + 0.8 * np.eye(10)[y]
    loss = item.cls(reduction="mean", **item.options)

    def objective(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, grad = loss.value_and_grad(x @ w.reshape(65, 10), label)
        progress(value)
        return value, (x.T @ grad).ravel()

    def accuracy(w: NDArray[np.float64]) -> float:
        guess = (pixels[TRAINED_DIGITS:] @ w.reshape(65, 10)).argmax(axis=1)
        return float((guess == data.labels[TRAINED_DIGITS:]).mean())

    start = np.zeros(650)
    before, _ = objective(start)
    w = minimised(objective, start, STEPS)
    pred = x @ w.reshape(65, 10)
    value, grad = loss.value_and_grad(pred, label)
    check(item.name, (value, grad), item.plain(pred, label))
    closs_us, numpy_us = timed(lambda: loss.value_and_grad(pred, label, grad_out=grad), lambda: item.plain(pred, label))
    norm = float(np.linalg.norm(x.T @ loss.grad(pred, label)))
    return Row(
        item.name, before, value, norm, closs_us, numpy_us, f"accuracy {accuracy(start):.2f} -> {accuracy(w):.2f}"
    )


def nearest_neighbour_accuracy(data: Digits, w: NDArray[np.float64]) -> float:
    """How often the nearest of the trained digits is of the same class, after the map."""
    mapped = data.images @ w
    known, new = mapped[:TRAINED_DIGITS], mapped[TRAINED_DIGITS:]
    distances = (known**2).sum(axis=1) - 2 * new @ known.T
    return float((data.labels[distances.argmin(axis=1)] == data.labels[TRAINED_DIGITS:]).mean())


def batches_of(
    item: RowExhibit, y: NDArray[np.int64], rng: np.random.Generator
) -> tuple[list[tuple[NDArray[np.int64], ...]], tuple[Any, ...]]:
    """Which digits are compared, an index array an input, and the labels if the loss has some."""
    every = np.arange(len(y))
    same = np.array([rng.choice(np.flatnonzero(y == digit)) for digit in y])
    other = np.array([rng.choice(np.flatnonzero(y != digit)) for digit in y])
    if item.cls is closs.TripletLoss:
        return [(every, same, other)], ()
    if item.cls is closs.CosineEmbeddingLoss:
        return [(np.tile(every, 2), np.concatenate([same, other]))], (np.repeat([1, -1], len(y)),)
    # SDML takes all other rows of a batch to be different: a batch holds one pair of each digit
    pairs = [rng.permutation(np.flatnonzero(y == digit))[:100].reshape(2, 50) for digit in range(10)]
    return [(np.array([p[0, k] for p in pairs]), np.array([p[1, k] for p in pairs])) for k in range(50)], ()


def embed(data: Digits, item: RowExhibit, progress: Any) -> Row:
    """Learn a linear map of the first digits; the score is that of the nearest neighbour, before and after."""
    rng = np.random.default_rng(0)
    x, y = data.images[:TRAINED_DIGITS], data.labels[:TRAINED_DIGITS]
    batches, label = batches_of(item, y, rng)
    loss = item.cls(reduction="mean", **item.options)

    def mapped(w: NDArray[np.float64], batch: tuple[NDArray[np.int64], ...]) -> tuple[Any, ...]:
        points = x @ w.reshape(64, DIMENSIONS)
        return *(points[k] for k in batch), *label

    def objective(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = 0.0, np.zeros((64, DIMENSIONS))
        for batch in batches:
            value, grads = loss.value_and_grad(*mapped(w, batch))
            total += value
            slope += sum(x[k].T @ g for k, g in zip(batch, grads, strict=True))
        progress(total / len(batches))
        return total / len(batches), slope.ravel() / len(batches)

    start = rng.normal(scale=0.3, size=64 * DIMENSIONS)
    before, _ = objective(start)
    w = minimised(objective, start, STEPS)
    after, slope = objective(w)
    arguments = mapped(w, batches[0])
    value, grads = loss.value_and_grad(*arguments)
    check(item.name, (value, grads), item.plain(*arguments))
    closs_us, numpy_us = timed(lambda: loss.value_and_grad(*arguments, grad_out=grads), lambda: item.plain(*arguments))
    scores = [nearest_neighbour_accuracy(data, v.reshape(64, DIMENSIONS)) for v in (start, w)]
    norm = float(np.linalg.norm(slope))
    return Row(item.name, before, after, norm, closs_us, numpy_us, f"neighbour {scores[0]:.2f} -> {scores[1]:.2f}")


# ---- The tour --------------------------------------------------------------------------------------------------------


class Progress:
    """One line a loss, with a bar where it is known how many steps there are. It moves on a terminal only."""

    def __init__(self, name: str, steps: int | None) -> None:
        self.name, self.steps, self.evaluations, self.width = name, steps, 0, 0
        self.moves = sys.stdout.isatty()

    def __call__(self, value: float) -> None:
        self.evaluations += 1
        bar = ""
        if self.steps is not None:  # L-BFGS may take more evaluations than steps
            bar = f"[{'#' * (10 * min(self.evaluations, self.steps) // self.steps):<10}] "
        self._show(f"  {self.name:<30} {bar}{self.evaluations:>4} evaluations, value {value:.6g}")

    def _show(self, line: str) -> None:
        if self.moves:
            line = line[: shutil.get_terminal_size().columns - 1]  # what wraps stays
            print("\r" + line.ljust(self.width), end="", flush=True)
            self.width = len(line)

    def done(self, result: str) -> None:
        """What stays in the line's place."""
        self._show("")
        print(("\r" if self.moves else "") + result)


def run(output: str | Path) -> int:
    """The tour; the exit status."""
    try:
        import scipy.optimize  # noqa: F401
    except ImportError:
        print("The tour fits with SciPy, which is not installed: pip install 'closs[tour]'", file=sys.stderr)
        return 1
    people, digits = load_health_insurance(), load_digits()
    rows: list[Row] = []

    def show(fitting: Callable[[Any, Any, Any], Row], data: Any, items: tuple[Any, ...], steps: int | None) -> None:
        for item in items:
            progress = Progress(item.name, steps)
            row = fitting(data, item, progress)
            rows.append(row)
            progress.done(
                f"  {row.name:<30} {progress.evaluations:>3} evaluations, value {row.before:.6f} -> {row.after:.6f}"
            )

    print(
        "RAND Health Insurance Experiment: {} people, {} columns; L-BFGS on closs gradients".format(
            *people.features.shape
        )
    )
    show(fit, people, EXHIBITS, None)
    print(f"Handwritten digits: {TRAINED_DIGITS} to learn from, {len(digits.labels) - TRAINED_DIGITS} to be told")
    show(classify, digits, CLASSIFIERS, STEPS)
    show(embed, digits, METRICS, STEPS)
    print(
        f"\n{'loss':<30} {'before':>10} {'after':>10} {'|gradient|':>11} {'closs us':>9} {'NumPy us':>9} {'ratio':>6}"
    )
    for row in rows:
        print(
            f"{row.name:<30} {row.before:>10.5f} {row.after:>10.5f} {row.gradient_norm:>11.1e} "
            f"{row.closs_us:>9.2f} {row.numpy_us:>9.2f} {row.numpy_us / row.closs_us:>5.1f}x  {row.score}".rstrip()
        )
    print("(before: before fitting; |gradient|: of the weights, after; us: value and gradient of one call, medians)")
    print("\nLines of handwritten digits, read by a network that CTC has taught:")
    progress = Progress("CTC", READER_STEPS)
    progress.done(report(learn_to_read(digits, TRAINED_DIGITS, progress)))
    try:
        from closs.plotting import plot_losses

        print(f"\nEvery loss and its gradient: {plot_losses(output)}")
    except ImportError:
        print("\nNo figure: matplotlib is not installed: pip install 'closs[tour]'")
    return 0
