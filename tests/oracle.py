"""Numbers that are wider than those of closs, and the one place that says how far closs may be from them.

A formula of registry.py is evaluated over arrays of one of three kinds of numbers: mpmath at 50 digits (object arrays),
long double, or float64 for results of float32. It gives the terms whose sum is the result: where terms cancel, errors
are measured against the largest one.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np

import closs

mpmath.mp.dps = 50


def has_fma(isa: str) -> bool:
    """Whether kernels of this instruction set fuse multiplications and additions."""
    return isa != "baseline" or platform.machine().lower() in ("aarch64", "arm64")


#: Units in the last place: of one element's value or slope, more where products are rounded before they are added; what
#: a pos_weight adds to that, being a factor that is rounded; of sums and means, and of whatever weights multiply, which
#: is an element first (4.15 were met without FMA, in gradients with pos_weight, sample_weight and a mean).
ULPS_OF_ELEMENT = 2 if has_fma(closs.config()["isa"]) else 3
ULPS_OF_POS_WEIGHT = 1
ULPS_OF_SUM = ULPS_OF_ELEMENT + 2


@dataclass(frozen=True)
class Numbers:
    """A kind of number: how to get there from an array of floats, and the functions of formulas."""

    lift: Callable
    exp: Callable
    log: Callable
    log1p: Callable
    frexp: Callable
    pi: object

    def log_of_sum(self, total, total_minus_1):
        """log(total), from a total that is precise near 0 and one less 1 that is precise near 0."""
        return np.where(total < 0.5, self.log(total), self.log1p(total_minus_1))

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
    """True results, and the magnitude that errors are measured against: the result or its largest term."""

    exact: np.ndarray
    magnitude: np.ndarray

    @classmethod
    def of_terms(cls, terms: list) -> Expected:
        exact = sum(terms)
        return cls(exact, np.maximum.reduce([abs(term) for term in np.broadcast_arrays(exact, *terms)]))


def ulps(got, expected: Expected, numbers: Numbers):
    """Errors in units in the last place of got's type, at the magnitude.

    Infinity stands for the first power of two that is too large for the type; NaN is infinitely far off.
    """
    info = np.finfo(got.dtype)
    largest_power = numbers.lift(np.ldexp(1.0, info.maxexp - 1))
    lowest_place = int(info.minexp - info.nmant)
    magnitude = np.clip(expected.magnitude, numbers.lift(np.ldexp(1.0, lowest_place)), largest_power)
    place = np.asarray(numbers.frexp(magnitude)[1], np.int64) - (info.nmant + 1)
    scale = numbers.lift(np.ldexp(1.0, np.maximum(place, lowest_place)))

    limit = 2 * largest_power
    finite = np.isfinite(got)
    wide = np.where(finite, numbers.lift(np.where(finite, got, 0)), np.where(got > 0, limit, -limit))
    error = abs(wide - np.clip(expected.exact, -limit, limit)) / scale
    return np.where(np.isnan(got), np.inf, error.astype(float))


def assert_within(bound: float, got, expected: Expected, numbers: Numbers, what: str, **inputs) -> None:
    """All elements of got are within bound ulp; otherwise the message shows the worst one and its inputs."""
    __tracebackhide__ = True
    got = np.asarray(got)
    error = np.broadcast_to(ulps(got, expected, numbers), got.shape)
    assert error.size, f"{what}: nothing was compared"
    worst = np.unravel_index(np.argmax(error), error.shape)
    if not error[worst] <= bound:
        given = ", ".join(f"{k}={float(np.broadcast_to(v, error.shape)[worst])!r}" for k, v in inputs.items())
        exact = np.broadcast_to(expected.exact, error.shape)[worst]
        raise AssertionError(
            f"{what}: {np.sum(~(error <= bound))} of {error.size} off by more than {bound} ulp; "
            f"worst {error[worst]:.4g} ulp at {given}: expected {exact}, got {float(np.asarray(got)[worst])!r}"
        )
