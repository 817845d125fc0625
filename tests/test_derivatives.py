"""Gradients against finite differences of the values, in float64, through every reduction, weight and cotangent."""

import numpy as np
import pytest
from helpers import REDUCTIONS, moderate

STEP = 1e-3  # four values at -2, -1, 1 and 2 steps: the error is of the order of STEP^4
RELATIVE = 1e-8


def derivative(function, direction: float = 1.0):
    """Of function(t) at t = 0, by the central difference of fourth order."""
    values = {k: np.asarray(function(k * STEP * direction)) for k in (-2, -1, 1, 2)}
    return (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * STEP)


def smooth_preds(row, y):
    """Predictions between -4 and 4 (where valid), moved away from where the derivative jumps and poles are."""
    x = row.pred(moderate(y.shape, np.float64, seed=2))
    if row.pred.__name__ != "real":
        return 0.1 + 0.8 * x
    at = x * y if row.kernel.endswith("hinge") else x - y
    for kink in row.kinks:
        x = np.where(abs(at - kink) < 0.1, x + 0.3, x)
    return x


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradient(row, reduction, weighted):
    shape = (5, 6, 4)
    y = np.clip(row.labels_like(np.empty(shape)), -10, 10)
    x = smooth_preds(row, y)
    loss = row.make(reduction=reduction, batch_axis=1, **({"weight": 0.7} if weighted else {}))
    weights = np.random.RandomState(3).uniform(0.5, 2, shape) if weighted else None
    value = np.asarray(loss(x, y, weights, **row.call))
    cotangent = np.random.RandomState(4).uniform(0.5, 2, value.shape) if weighted else np.ones(value.shape)
    direction = np.random.RandomState(5).choice([-1.0, 1.0], shape)

    grad = loss.grad(x, y, weights, **row.call, grad_output=cotangent if weighted else None)
    measured = derivative(lambda t: np.sum(cotangent * loss(x + t * direction, y, weights, **row.call)))

    terms = grad * direction
    assert abs(measured - terms.sum()) <= RELATIVE * max(1, abs(terms).sum(), abs(cotangent * value).sum())


def test_each_slope(row):
    x_of = np.empty(1000)
    y = np.clip(row.labels_like(x_of), -10, 10)
    x = smooth_preds(row, y)
    loss = row.make(reduction="none")
    measured = derivative(lambda t: loss(x + t, y, **row.call))
    grad = loss.grad(x, y, **row.call)
    scale = np.maximum(1, abs(grad)) + abs(loss(x, y, **row.call))
    off = abs(measured - grad) / scale
    k = off.argmax()
    assert off[k] <= RELATIVE, f"pred={x[k]!r}, label={y[k]!r}: difference {measured[k]!r}, gradient {grad[k]!r}"
