"""Value and gradient of the mean loss in NumPy by someone who minds memory: nothing is allocated, exp is taken once.

Each function has the name of its loss, fills g with the gradient, uses t as scratch, and returns the value. They give
up what closs keeps: large logits overflow, and sums are accumulated in float32.
"""

import numpy as np


def L1(p, y, g, t):
    np.subtract(p, y, out=t)
    np.divide(np.sign(t, out=g), p.size, out=g)
    return np.abs(t, out=t).mean()


def L2(p, y, g, t):
    np.subtract(p, y, out=g)
    value = g @ g / (2 * p.size)
    g /= p.size
    return value


def Huber(p, y, g, t):
    np.clip(np.subtract(p, y, out=t), -1, 1, out=g)
    value = (g @ t - g @ g / 2) / p.size
    g /= p.size
    return value


def SigmoidBCE(p, y, g, t):
    np.negative(p, out=t)
    np.add(np.exp(t, out=t), 1, out=t)  # 1 + exp(-p)
    np.divide(np.subtract(np.divide(1, t, out=g), y, out=g), p.size, out=g)
    return np.log(t, out=t).mean() + (p.mean() - p @ y / p.size)


def Hinge(p, y, g, t):
    np.maximum(np.subtract(1, np.multiply(p, y, out=t), out=t), 0, out=t)
    np.multiply(np.sign(t, out=g), y, out=g)
    g /= -p.size
    return t.mean()


def SquaredHinge(p, y, g, t):
    np.maximum(np.subtract(1, np.multiply(p, y, out=t), out=t), 0, out=t)
    np.multiply(np.multiply(t, y, out=g), -2 / p.size, out=g)
    return t @ t / p.size


def Logistic(p, y, g, t):
    np.exp(np.multiply(p, y, out=t), out=t)
    np.add(t, 1, out=g)  # log(1 + exp(-m)) = log((1 + exp(m)) / exp(m)), slope -y / (1 + exp(m))
    np.divide(g, t, out=t)
    np.divide(np.divide(y, g, out=g), -p.size, out=g)
    return np.log(t, out=t).mean()


def PoissonNLL(p, y, g, t):
    np.exp(p, out=t)
    np.divide(np.subtract(t, y, out=g), p.size, out=g)
    return t.mean() - p @ y / p.size
