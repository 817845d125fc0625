"""Numbers that are wider than those of closs, and the one place that says how far closs may be from them.

A formula of registry.py is evaluated over arrays of one of three kinds of numbers: mpmath at 50 digits (object arrays),
long double, or float64 for results of float32. It gives the terms whose sum is the result: where terms cancel, errors
are measured against the largest one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np

mpmath.mp.dps = 50

#: Units in the last place: of one element's value or slope; of sums and means, and of whatever weights multiply.
ULPS_OF_ELEMENT = 2
ULPS_OF_SUM = 4


@dataclass(frozen=True)
class Numbers:
    """A kind of number: how to get there from an array of floats, and the functions of formulas."""

    lift: Callable
    exp: Callable
    log: Callable
    log1p: Callable
    frexp: Callable
    pi: object

    def log_of_sum(self, a, b, c=0):
        """log(a + b + c) for a >= 0 and b, c small, also where a is near 1."""
        return np.where(a < 0.5, self.log(a + c + b), self.log1p((a - 1) + c + b))

    def softplus(self, x):
        """log(1 + exp(x))."""
        return self.log1p(self.exp(-abs(x))) + np.where(x > 0, x, 0)

    def logistic(self, x):
        """1 / (1 + exp(-x)), small values included."""
        small = self.exp(-abs(x))
        return np.where(x > 0, 1, small) / (1 + small)


def _numpy_numbers(wide: type) -> Numbers:
    def lift(x):
        return np.asarray(x, wide)

    return Numbers(lift, np.exp, np.log, np.log1p, np.frexp, wide("3.14159265358979323846264338327950288"))


def _each(function: Callable, results: int = 1) -> Callable:
    return np.frompyfunc(function, 1, results)


MPMATH = Numbers(
    _each(lambda x: mpmath.mpf(float(x))),
    _each(mpmath.exp),
    _each(mpmath.log),
    _each(mpmath.log1p),
    _each(mpmath.frexp, 2),
    mpmath.pi(),
)
FLOAT64 = _numpy_numbers(np.float64)
LONGDOUBLE = _numpy_numbers(np.longdouble)
LONGDOUBLE_IS_WIDE = np.finfo(np.longdouble).nmant >= 63


def wide_numbers(dtype) -> Numbers:
    """NumPy's numbers that are wider than dtype: fast, for many elements."""
    return FLOAT64 if dtype == np.float32 else LONGDOUBLE


@dataclass(frozen=True)
class Expected:
    """True results, and the magnitude that errors are measured against: the largest term of each, as |result| or more."""

    exact: np.ndarray
    magnitude: np.ndarray

    @classmethod
    def of_terms(cls, terms: list) -> Expected:
        return cls(sum(terms), np.maximum.reduce(np.broadcast_arrays(*map(abs, terms))))


def spacing(magnitude, dtype, numbers: Numbers):
    """One unit in the last place of dtype at that magnitude, as float64 (every power of two that is needed is one)."""
    info = np.finfo(dtype)
    mantissa, exponent = numbers.frexp(magnitude)
    lowest = int(info.minexp - info.nmant)
    place = np.where(mantissa == 0, lowest, np.asarray(exponent, np.int64) - (info.nmant + 1))
    return np.ldexp(1.0, np.maximum(place, lowest))


def ulps(got, expected: Expected, numbers: Numbers):
    """Errors in units in the last place. Infinity stands for the first power of two that is too large; NaN is far off."""
    limit = numbers.lift(float(np.finfo(got.dtype).max)) + numbers.lift(spacing_of_largest(got.dtype))
    got_wide = np.where(np.isfinite(got), numbers.lift(np.where(np.isfinite(got), got, 0)), np.sign(got) * limit)
    exact = np.clip(expected.exact, -limit, limit)
    scale = spacing(np.minimum(expected.magnitude, limit / 2), got.dtype, numbers)
    error = (abs(got_wide - exact) / numbers.lift(scale)).astype(float)
    return np.where(np.isnan(got), np.inf, error)


def spacing_of_largest(dtype) -> float:
    return float(np.spacing(np.finfo(dtype).max))


def assert_within(bound: float, got, expected: Expected, numbers: Numbers, what: str, **inputs) -> None:
    """All elements of got are within bound ulp; otherwise the message shows the worst one and its inputs."""
    error = np.broadcast_to(ulps(np.asarray(got), expected, numbers), np.shape(got))
    assert error.size, f"{what}: nothing was compared"
    worst = np.unravel_index(np.argmax(error), error.shape)
    if not error[worst] <= bound:
        given = ", ".join(f"{k}={float(np.broadcast_to(v, error.shape)[worst])!r}" for k, v in inputs.items())
        exact = np.broadcast_to(expected.exact, error.shape)[worst]
        raise AssertionError(
            f"{what}: {np.sum(~(error <= bound))} of {error.size} off by more than {bound} ulp; worst {error[worst]:.4g} "
            f"ulp at {given}: expected {exact}, got {float(np.asarray(got)[worst])!r}"
        )
