"""`python -m closs tour`: every loss fits a linear model to real data, by the gradients of closs alone."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closs.datasets import HealthInsurance, load_health_insurance
from closs.gallery import EXHIBITS, Exhibit

TIMED_ROUNDS, CALLS_A_ROUND = 15, 50


@dataclass(frozen=True)
class Row:
    """What the table says about one loss."""

    name: str
    before: float
    after: float
    gradient_norm: float
    closs_us: float
    numpy_us: float


def labels_of(data: HealthInsurance, item: Exhibit) -> NDArray[np.float64]:
    """The targets that a loss is fitted to."""
    labels: NDArray[np.float64] = getattr(data, item.target)
    return 2 * labels - 1 if item.signed else labels


def fit(data: HealthInsurance, item: Exhibit, progress: Any) -> Row:
    """Fit a linear model by L-BFGS, check the last value and gradient against NumPy, and time both."""
    from scipy.optimize import minimize

    x, y = data.features, labels_of(data, item)
    loss = item.cls(reduction="mean")
    grad_of_pred = np.empty(len(y))

    def objective(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, grad = loss.value_and_grad(x @ w, y, grad_out=grad_of_pred)
        progress(value)
        return value, x.T @ grad

    start = np.zeros(x.shape[1])
    before, _ = objective(start)
    result = minimize(objective, start, jac=True, method="L-BFGS-B")
    pred = x @ result.x
    value, grad = loss.value_and_grad(pred, y)
    plain_value, plain_grad = item.plain(pred, y)
    if not (np.isclose(value, plain_value, rtol=1e-12) and np.allclose(grad, plain_grad, rtol=1e-9, atol=1e-16)):
        raise ArithmeticError(f"{item.name}: closs and NumPy disagree: {value} and {plain_value}")

    closs_us, numpy_us = timed(lambda: loss.value_and_grad(pred, y, grad_out=grad_of_pred), lambda: item.plain(pred, y))
    return Row(item.name, before, value, float(np.linalg.norm(x.T @ grad)), closs_us, numpy_us)


def timed(*contestants: Any) -> list[float]:
    """Median microseconds a call, the contestants taking turns."""
    seconds: list[list[float]] = [[] for _ in contestants]
    for _ in range(TIMED_ROUNDS):
        for contestant, times in zip(contestants, seconds, strict=True):
            begin = time.perf_counter()
            for _ in range(CALLS_A_ROUND):
                contestant()
            times.append((time.perf_counter() - begin) / CALLS_A_ROUND)
    return [median(times) * 1e6 for times in seconds]


class Progress:
    """One line a loss that counts evaluations; it moves on a terminal and is silent elsewhere."""

    def __init__(self, name: str) -> None:
        self.name, self.evaluations, self.moves = name, 0, sys.stdout.isatty()

    def __call__(self, value: float) -> None:
        self.evaluations += 1
        if self.moves:
            print(f"\r  {self.name:<30} evaluation {self.evaluations:>3}  value {value:.6f}", end="", flush=True)

    def done(self, row: Row) -> None:
        start = "\r" if self.moves else ""
        print(f"{start}  {self.name:<30} {self.evaluations:>3} evaluations, value {row.before:.6f} -> {row.after:.6f}")


def run(output: str | Path) -> int:
    """The tour; the exit status."""
    try:
        import scipy.optimize  # noqa: F401
    except ImportError:
        print("The tour fits with SciPy, which is not installed: pip install 'closs[tour]'", file=sys.stderr)
        return 1
    data = load_health_insurance()
    people, columns = data.features.shape
    print(f"RAND Health Insurance Experiment: {people} people, {columns} columns; L-BFGS on closs gradients")
    rows = []
    for item in EXHIBITS:
        progress = Progress(item.name)
        rows.append(fit(data, item, progress))
        progress.done(rows[-1])
    print(
        f"\n{'loss':<30} {'before':>10} {'after':>10} {'|gradient|':>11} {'closs us':>9} {'NumPy us':>9} {'ratio':>6}"
    )
    for row in rows:
        print(
            f"{row.name:<30} {row.before:>10.5f} {row.after:>10.5f} {row.gradient_norm:>11.1e} "
            f"{row.closs_us:>9.2f} {row.numpy_us:>9.2f} {row.numpy_us / row.closs_us:>5.1f}x"
        )
    print("(before: all weights 0; |gradient|: of the weights, after; us: value and gradient of one call, medians)")
    try:
        from closs.plotting import plot_losses

        print(f"\nEvery loss and its gradient: {plot_losses(output)}")
    except ImportError:
        print("\nNo figure: matplotlib is not installed: pip install 'closs[tour]'")
    return 0
