"""Every loss once, as the tour fits it and as it is drawn: the one table that both go over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import closs

Array = NDArray[Any]
#: (pred, label) -> (mean value, its gradient): what a NumPy user writes.
Plain = Callable[[Array, Array], tuple[Any, Array]]


@dataclass(frozen=True)
class Exhibit:
    """A loss class, the labels it is fitted to, the label it is drawn against, and its value and gradient in NumPy."""

    cls: type[Any]
    target: str  # an attribute of HealthInsurance
    signed: bool  # labels -1 and 1 instead of 0 and 1
    label: float  # in the drawing
    plain: Plain

    @property
    def name(self) -> str:
        return self.cls.__name__


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


def exhibit(name: str) -> Exhibit:
    """The exhibit of a class by its name, ``"HuberLoss"`` or ``"huber"``; ValueError for an unknown one."""
    wanted = name.lower().removesuffix("loss")
    for item in EXHIBITS:
        if item.name.lower().removesuffix("loss") == wanted:
            return item
    raise ValueError(f"name: expected one of {', '.join(e.name for e in EXHIBITS)}, got {name!r}")
