"""The one table of losses that every test goes over. A new loss enters by its formula and a row (or several) here.

Formulas are written again, as plainly as wide numbers allow, and share nothing with the code under test. Each takes
pred x, label y and the loss's parameter p as wide numbers, their kind n, and the type that the loss was computed in;
it returns the terms whose sum is the value or the slope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from oracle import Expected, Numbers

import closs

DTYPES = [np.float32, np.float64]


def times(coefficient, x):
    """A product in which a coefficient of 0 wins."""
    return np.where(coefficient == 0, 0, coefficient * x)


# ---- Formulas: terms of the value, terms of the slope ----------------------------------------------------------------


def l1(x, y, p, n, dtype):
    r = x - y
    return [abs(r)], [np.where(r > 0, 1, np.where(r < 0, -1, 0))]


def l2(x, y, p, n, dtype):
    return [(x - y) ** 2 / 2], [x - y]


def huber(x, y, p, n, dtype):
    r = x - y
    inside = abs(r) <= p
    return [np.where(inside, r**2 / (2 * p), abs(r) - p / 2)], [np.where(inside, r / p, np.where(r > 0, 1, -1))]


def sigmoid_bce(x, y, p, n, dtype):
    value = [times(p * y, n.softplus(-x)), times(1 - y, n.softplus(x))]
    return value, [-p * y * n.logistic(-x), (1 - y) * n.logistic(x)]


def bce(x, y, p, n, dtype):
    e = n.lift(dtype(1e-12))
    log_p, log_q = n.log_of_sum(x + e, x - 1 + e), n.log_of_sum(1 - x + e, e - x)
    return [-times(p * y, log_p), -times(1 - y, log_q)], [-p * y / (x + e), (1 - y) / (1 - x + e)]


def hinge(x, y, p, n, dtype):
    m = p - x * y
    return [np.where(m > 0, m, 0)], [np.where(m > 0, -y, 0)]


def squared_hinge(x, y, p, n, dtype):
    m = p - x * y
    h = np.where(m > 0, m, 0)
    return [h**2], [-2 * h * y]


def logistic(x, y, p, n, dtype):
    return [n.softplus(-x * y)], [-y * n.logistic(-x * y)]


def logistic_binary(x, y, p, n, dtype):
    return logistic(x, 2 * y - 1, p, n, dtype)


def poisson(x, y, p, n, dtype):
    return [n.exp(x), -y * x], [n.exp(x), -y]


def poisson_rate(x, y, p, n, dtype):
    return [x, -times(y, n.log_of_sum(x + p, x - 1 + p))], [1 + 0 * x, -times(y, 1 / (x + p))]


def kl_div(x, y, p, n, dtype):
    return [times(y, n.log(np.where(y == 0, 1, y))), -times(y, x)], [-y]


def stirling(y, n):
    big = np.where(y > 1, y, 2)
    return [np.where(y > 1, term, 0) for term in (big * n.log(big), -big, n.log(2 * n.pi * big) / 2)]


def with_stirling(formula):
    def full(x, y, p, n, dtype):
        value, slope = formula(x, y, p, n, dtype)
        return value + stirling(y, n), slope

    return full


# ---- Where predictions come from -------------------------------------------------------------------------------------


def real(x):
    return x


def positive(x):
    return abs(x)


def probability(x):
    return np.where(abs(x) <= 1, abs(x), np.fmod(abs(x), x.dtype.type(1)))


def share(x):
    """A probability whose product with a pos_weight is no subnormal."""
    p = probability(x)
    return np.where(p < 1e-28, x.dtype.type(0), p)


def count(x):
    """A number of events whose product with its logarithm does not overflow."""
    return np.minimum(abs(x), np.finfo(x.dtype).max / 1024)


# ---- Rows ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A loss in one configuration."""

    kernel: str  # its row in losses.def
    cls: type
    formula: Callable
    labels: tuple[float, ...]  # what a label may be, special ones first
    pred: Callable = real  # maps any finite numbers to valid predictions
    label: Callable | None = None  # maps any finite numbers to valid labels; None: there are no others than `labels`
    options: dict[str, Any] = field(default_factory=dict)  # of the constructor
    call: dict[str, Any] = field(default_factory=dict)  # of each call
    parameter: float = 0.0  # p of the formula
    kinks: tuple[float, ...] = ()  # of the value, where pred - label (or the margin: pred * label) is one of these

    @property
    def id(self) -> str:
        given = {k: v for k, v in (self.options | self.call).items() if not isinstance(v, bool | str)}
        return "-".join([self.kernel, *(f"{k}={v}" for k, v in given.items())])

    def make(self, **options) -> Any:
        return self.cls(**(self.options | options))

    def labels_like(self, x: np.ndarray) -> np.ndarray:
        """Labels for predictions x: all of the row's, over and over."""
        with np.errstate(over="ignore"):  # in float16
            return np.resize(np.array(self.labels, x.dtype), x.size).reshape(x.shape)

    def labels_from(self, numbers: np.ndarray) -> np.ndarray:
        """Labels made of any finite numbers, if there are others than the row's."""
        return self.label(numbers) if self.label else self.labels_like(numbers)

    def expected(self, x: np.ndarray, y: np.ndarray, n: Numbers) -> tuple[Expected, Expected]:
        """The true value and slope of arrays of floats of one dtype."""
        dtype = x.dtype.type
        with np.errstate(all="ignore"):
            terms = self.formula(n.lift(x), n.lift(y), n.lift(dtype(self.parameter)), n, dtype)
            value, slope = (Expected.of_terms(part) for part in terms)
        return value, slope


REAL = (0.0, 1.5, -0.1, 3e5, -1e-40)
BINARY = (0.0, 1.0)
SOFT = (*BINARY, 0.25, 0.9)
SIGNED = (1.0, -1.0)
SHARES = (0.0, 0.25, 1.0, 0.9, 1e-3)
COUNTS = (0.0, 1.0, 2.0, 7.0, 1234.0, 0.5)

ROWS = [
    Row("l1", closs.L1Loss, l1, REAL, label=real, kinks=(0,)),
    Row("l2", closs.L2Loss, l2, REAL, label=real),
    *(
        Row("huber", closs.HuberLoss, huber, REAL, label=real, options={"rho": rho}, parameter=rho, kinks=(-rho, rho))
        for rho in (1, 0.7, 250.0)
    ),
    Row("sigmoid_bce", closs.SigmoidBCELoss, sigmoid_bce, SOFT, label=probability, parameter=1),
    *(
        Row("sigmoid_bce", closs.SigmoidBCELoss, sigmoid_bce, SOFT, real, share, call={"pos_weight": w}, parameter=w)
        for w in (2.7, 1e-3, 1e-8)
    ),
    *(
        Row("bce", closs.SigmoidBCELoss, bce, SOFT, probability, share, {"from_sigmoid": True}, call, w)
        for call, w in (({}, 1), ({"pos_weight": 2.7}, 2.7))
    ),
    *(
        Row(kernel, cls, formula, SIGNED, options={"margin": margin}, parameter=margin, kinks=(margin,))
        for kernel, cls, formula in (
            ("hinge", closs.HingeLoss, hinge),
            ("squared_hinge", closs.SquaredHingeLoss, squared_hinge),
        )
        for margin in (1, 0.3)
    ),
    Row("logistic", closs.LogisticLoss, logistic, SIGNED),
    Row("logistic_binary", closs.LogisticLoss, logistic_binary, BINARY, options={"label_format": "binary"}),
    Row("kl_div", closs.KLDivLoss, kl_div, SHARES, label=probability),
    Row("poisson_nll", closs.PoissonNLLLoss, poisson, COUNTS, label=count),
    Row("poisson_nll_full", closs.PoissonNLLLoss, with_stirling(poisson), COUNTS, real, count, {"compute_full": True}),
    *(
        Row(
            kernel,
            closs.PoissonNLLLoss,
            formula,
            COUNTS,
            positive,
            count,
            {"from_logits": False, **full},
            call,
            epsilon,
        )
        for kernel, formula, full in (
            ("poisson_rate_nll", poisson_rate, {}),
            ("poisson_rate_nll_full", with_stirling(poisson_rate), {"compute_full": True}),
        )
        for call, epsilon in (({}, 1e-8), ({"epsilon": 0.01}, 0.01))
    ),
]
FIRST_ROWS = {row.kernel: row for row in reversed(ROWS)}  # one a kernel, with its default parameter
