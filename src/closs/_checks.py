"""Constructor arguments: the right kind, in range, or an error that names argument, expected, got."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np


def number(name: str, value: Any) -> float:
    """A finite real number."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a real number, got {type(value).__name__}")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ValueError(f"{name}: expected a finite number, got {result}")
    return result


def positive(name: str, value: Any) -> float:
    """A finite number above 0."""
    if (result := number(name, value)) <= 0:
        raise ValueError(f"{name}: expected a number above 0, got {result}")
    return result


def nonnegative(name: str, value: Any) -> float:
    """A finite number that is not below 0."""
    if (result := number(name, value)) < 0:
        raise ValueError(f"{name}: expected a number that is not below 0, got {result}")
    return result


def integer(name: str, value: Any) -> int:
    """An integer of any kind that Python indexes with, but no bool."""
    try:
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {type(value).__name__}") from None
    if isinstance(value, bool):
        raise TypeError(f"{name}: expected an integer, got bool")
    return result


def choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected one of {', '.join(map(repr, choices))}, got {type(value).__name__}")
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)


def flag(name: str, value: Any) -> bool:
    """True or False, NumPy's too."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: expected True or False, got {type(value).__name__}")
    return bool(value)


def axis(name: str, value: Any) -> int:
    """An axis of some array: NumPy's have at most 64."""
    if not -64 <= (result := integer(name, value)) < 64:
        raise ValueError(f"{name}: expected an axis of pred, got {result}")
    return result
