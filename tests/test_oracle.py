"""Values and slopes against numbers that are wider: within the ulp bound of oracle.py everywhere."""

import numpy as np
import pytest
from helpers import notable
from hypothesis import given
from hypothesis import strategies as st
from oracle import LONGDOUBLE_IS_WIDE, MPMATH, ULPS_OF_ELEMENT, ULPS_OF_POS_WEIGHT, Numbers, assert_within, wide_numbers

STEP = 16_381  # prime, so that the dense sample hits every exponent with ever different mantissas
CHUNK = 1 << 20


def check(row, x: np.ndarray, y: np.ndarray, numbers: Numbers) -> None:
    got = row.make(reduction="none").value_and_grad(x, y, **row.call)
    bound = ULPS_OF_ELEMENT + ULPS_OF_POS_WEIGHT * ("pos_weight" in row.call)
    for what, result, expected in zip(("value", "slope"), got, row.expected(x, y, numbers), strict=True):
        assert_within(bound, result, expected, numbers, f"{row.id} {what}", pred=x, label=y)


def random_floats(count: int, dtype, seed: int) -> np.ndarray:
    """Half of them moderate, half of any magnitude."""
    rng = np.random.RandomState(seed)
    half = count // 2
    exponent = rng.uniform(np.finfo(dtype).minexp, np.finfo(dtype).maxexp, half)
    return np.concatenate([rng.standard_normal(half) * 8, rng.choice([-1, 1], half) * 2.0**exponent]).astype(dtype)


def all_labels(row, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = np.array(row.labels, x.dtype)
    return np.repeat(x, y.size), np.tile(y, x.size)


def test_mpmath(row, dtype):
    check(row, *all_labels(row, row.pred(np.concatenate([notable(dtype), random_floats(100, dtype, 1)]))), MPMATH)


@given(data=st.data())
def test_mpmath_wherever_hypothesis_looks(row, dtype, data):
    width = np.dtype(dtype).itemsize * 8
    finite = st.floats(width=width, allow_nan=False, allow_infinity=False)
    x = row.pred(np.array([data.draw(finite)], dtype))
    check(row, *all_labels(row, x), MPMATH)
    check(row, x, row.labels_from(np.array([data.draw(finite)], dtype)), MPMATH)


@pytest.mark.skipif(not LONGDOUBLE_IS_WIDE, reason="long double is no wider than double on this platform")
def test_any_label(row, dtype):
    """Moderate predictions with labels of any magnitude, and the other way round."""
    x, y = (random_floats(40_000, dtype, seed) for seed in (3, 4))
    for numbers in (y, y[::-1]):
        check(row, row.pred(x), row.labels_from(numbers), wide_numbers(dtype))


def float32_of_bits(begin: int, end: int, step: int) -> np.ndarray:
    x = np.arange(begin, end, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    return x[np.isfinite(x)]


def test_float32_dense(row):
    x = row.pred(float32_of_bits(0, 1 << 32, STEP))
    for label in row.labels:
        check(row, x, np.full_like(x, label), wide_numbers(np.float32))


@pytest.mark.skipif(not LONGDOUBLE_IS_WIDE, reason="long double is no wider than double on this platform")
def test_float64_dense(row):
    moderate = np.linspace(-800, 800, 20_011)
    x = row.pred(np.concatenate([moderate, moderate / 100, random_floats(20_000, np.float64, 2)]))
    check(row, *all_labels(row, x), wide_numbers(np.float64))


@pytest.mark.exhaustive
def test_every_float32(row):
    """With the first two labels, which are all that classification has."""
    for begin in range(0, 1 << 32, CHUNK):
        x = float32_of_bits(begin, begin + CHUNK, 1)
        x = x[row.pred(x) == x]  # those that are valid predictions
        for label in row.labels[:2] if x.size else ():
            check(row, x, np.full_like(x, label), wide_numbers(np.float32))
