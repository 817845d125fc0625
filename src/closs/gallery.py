"""Every loss once, as the tour fits it and as it is drawn: the tables that both go over.

Beside each stands what a NumPy user writes, which the tour compares values, gradients and times with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import closs

Array = NDArray[Any]
#: The loss's own arguments -> (mean value, its gradient or gradients).
Plain = Callable[..., tuple[Any, Any]]


@dataclass(frozen=True)
class Exhibit:
    """A loss of single predictions: the labels it is fitted to, the label it is drawn against, and its NumPy twin."""

    cls: type[Any]
    target: str  # an attribute of HealthInsurance
    signed: bool  # labels -1 and 1 instead of 0 and 1
    label: float  # in the drawing
    plain: Plain

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def title(self) -> str:
        return f"{self.name}, label {self.label:g}"

    def curve(self, x: Array) -> tuple[Array, Array]:
        """Value and slope at each x."""
        value, slope = self.cls(reduction="none").value_and_grad(x, np.full_like(x, self.label))
        return value, slope


@dataclass(frozen=True)
class RowExhibit:
    """A loss of whole rows: its options, its NumPy twin, and a batch with one coordinate x to draw it along."""

    cls: type[Any]
    options: dict[str, Any]
    plain: Plain
    drawn: str
    batch: Callable[[float], tuple[Any, ...]]  # x -> the arguments, x at [0, 0] of the first

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def title(self) -> str:
        return f"{self.name}, {self.drawn}"

    def curve(self, x: Array) -> tuple[Array, Array]:
        """Value and slope at each x."""
        loss = self.cls(reduction="sample_sum", **self.options)
        points = []
        for value, slope in (loss.value_and_grad(*self.batch(float(each))) for each in x):
            first = slope[0] if isinstance(slope, tuple) else slope
            points.append((value[0], first[0, 0]))
        values, slopes = np.array(points).T
        return values, slopes


# ---- Elementwise -----------------------------------------------------------------------------------------------------


def _l1(p: Array, y: Array) -> tuple[Any, Array]:
    return np.abs(p - y).mean(), np.sign(p - y) / p.size


def _l2(p: Array, y: Array) -> tuple[Any, Array]:
    return (0.5 * (p - y) ** 2).mean(), (p - y) / p.size


def _huber(p: Array, y: Array) -> tuple[Any, Array]:
    r = p - y
    return np.where(np.abs(r) <= 1, 0.5 * r**2, np.abs(r) - 0.5).mean(), np.clip(r, -1, 1) / p.size


def _sigmoid_bce(p: Array, y: Array) -> tuple[Any, Array]:
    value = np.maximum(p, 0) - p * y + np.log1p(np.exp(-np.abs(p)))
    return value.mean(), (1 / (1 + np.exp(-p)) - y) / p.size


def _hinge(p: Array, y: Array) -> tuple[Any, Array]:
    m = 1 - p * y
    return np.maximum(m, 0).mean(), np.where(m > 0, -y, 0) / p.size


def _squared_hinge(p: Array, y: Array) -> tuple[Any, Array]:
    h = np.maximum(1 - p * y, 0)
    return (h**2).mean(), -2 * h * y / p.size


def _logistic(p: Array, y: Array) -> tuple[Any, Array]:
    return np.logaddexp(0, -p * y).mean(), -y / (1 + np.exp(p * y)) / p.size


def _poisson(p: Array, y: Array) -> tuple[Any, Array]:
    rate = np.exp(p)
    return (rate - y * p).mean(), (rate - y) / p.size


# ---- Rows ------------------------------------------------------------------------------------------------------------


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _softmax_ce(x: Array, y: Array) -> tuple[Any, Array]:
    log_p, rows = _log_softmax(x), np.arange(len(x))
    slope = np.exp(log_p)
    slope[rows, y] -= 1
    return -log_p[rows, y].mean(), slope / len(x)


def _kl_div(x: Array, y: Array) -> tuple[Any, Array]:
    log_p = _log_softmax(x)
    value = y * (np.log(np.where(y > 0, y, 1)) - log_p)
    return value.mean(), (np.exp(log_p) * y.sum(axis=1, keepdims=True) - y) / x.size


def _triplet(x: Array, p: Array, n: Array) -> tuple[Any, Any]:
    loss = ((p - x) ** 2).sum(axis=1) - ((n - x) ** 2).sum(axis=1) + 1
    factor = 2 * (loss > 0)[:, None] / len(x)
    return np.maximum(loss, 0).mean(), (factor * (n - p), factor * (p - x), factor * (x - n))


def _cosine(a: Array, b: Array, y: Array) -> tuple[Any, Any]:
    norm_a, norm_b = (np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    cosine = (a * b).sum(axis=1, keepdims=True) / (norm_a * norm_b)
    sign = np.where(y[:, None] == 1, -1, cosine > 0) / len(a)
    value = np.where(y[:, None] == 1, 1 - cosine, np.maximum(cosine, 0)).mean()
    unit_a, unit_b = a / norm_a, b / norm_b
    return value, (sign * (unit_b - cosine * unit_a) / norm_a, sign * (unit_a - cosine * unit_b) / norm_b)


def _sdml(a: Array, b: Array) -> tuple[Any, Any]:
    n = len(a)
    distances = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    target = np.where(np.eye(n) == 1, 0.7, 0.3 / (n - 1))
    log_p = _log_softmax(-distances)
    slope = 2 * (target - np.exp(log_p)) / n
    value = (target * (np.log(target) - log_p)).sum(axis=1).mean()
    of_a = slope.sum(axis=1)[:, None] * a - slope @ b
    return value, (of_a, slope.sum(axis=0)[:, None] * b - slope.T @ a)


EXHIBITS = (
    Exhibit(closs.L1Loss, "disease", False, 0, _l1),
    Exhibit(closs.L2Loss, "disease", False, 0, _l2),
    Exhibit(closs.HuberLoss, "disease", False, 0, _huber),
    Exhibit(closs.SigmoidBinaryCrossEntropyLoss, "limited", False, 1, _sigmoid_bce),
    Exhibit(closs.HingeLoss, "limited", True, 1, _hinge),
    Exhibit(closs.SquaredHingeLoss, "limited", True, 1, _squared_hinge),
    Exhibit(closs.LogisticLoss, "limited", True, 1, _logistic),
    Exhibit(closs.PoissonNLLLoss, "visits", False, 1, _poisson),
)

CLASSIFIERS = (
    RowExhibit(
        closs.SoftmaxCrossEntropyLoss, {}, _softmax_ce, "logits (pred, 0), class 0",
        lambda x: ([[x, 0.0]], [0]),
    ),
    RowExhibit(
        closs.KLDivLoss, {"from_logits": False}, _kl_div, "logits (pred, 0), label (0.75, 0.25)",
        lambda x: ([[x, 0.0]], [[0.75, 0.25]]),
    ),
)  # fmt: skip

METRICS = (
    RowExhibit(
        closs.TripletLoss, {}, _triplet, "positive 0, negative 2",
        lambda x: ([[x]], [[0.0]], [[2.0]]),
    ),
    RowExhibit(
        closs.CosineEmbeddingLoss, {}, _cosine, "(pred, 1) and (1, 0), label 1",
        lambda x: ([[x, 1.0]], [[1.0, 0.0]], [1]),
    ),
    RowExhibit(
        closs.SDMLLoss, {}, _sdml, "pairs (pred, 0) and (2, 2)",
        lambda x: ([[x], [2.0]], [[0.0], [2.0]]),
    ),
)  # fmt: skip

ALL = (*EXHIBITS, *CLASSIFIERS, *METRICS)


def exhibit(name: str) -> Exhibit | RowExhibit:
    """The exhibit of a class by its name, ``"HuberLoss"`` or ``"huber"``; ValueError for an unknown one."""
    wanted = name.lower().removesuffix("loss")
    for item in ALL:
        if item.name.lower().removesuffix("loss") == wanted:
            return item
    raise ValueError(f"name: expected one of {', '.join(e.name for e in ALL)}, got {name!r}")
