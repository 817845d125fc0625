"""What several test files share: inputs, bit equality, other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parent
ROOT = TESTS.parent
REDUCTIONS = ["sample_mean", "sample_sum", "none", "mean", "sum", "weighted_mean"]

#: Where some formula changes its form, some function overflows or underflows, or numbers end.
NOTABLE = (0.0, 1e-12, 1e-8, 0.25, 0.3, np.log(2) / 2, 0.5, 0.7, np.log(2), 1.0, 1.5, 2.0, 16.6, 36.7, 64.0, 87.3,
           88.72284, 103.28, 103.97, 250.0, 708.4, 709.782712893384, 745.14, 1e5, 1e16)  # fmt: skip


def notable(dtype) -> np.ndarray:
    """Those numbers, the ends of the type's ranges, their neighbours, and all of their negatives."""
    info = np.finfo(dtype)
    ends = [info.smallest_subnormal, info.tiny, info.eps, np.sqrt(info.tiny), np.sqrt(info.max), info.max / 2, info.max]
    middle = np.array([*NOTABLE, *ends], dtype)
    with np.errstate(over="ignore"):
        x = np.concatenate([middle, np.nextafter(middle, dtype(np.inf)), np.nextafter(middle, dtype(0))])
    x = np.unique(x[np.isfinite(x)])
    return np.concatenate([x, -x])


def from_integers(count: int, dtype, seed: int = 1, exponents: int | None = None) -> np.ndarray:
    """Finite numbers made of integer arithmetic alone, hence the same with every NumPy, of any magnitude or between
    2^-exponents and 2^exponents."""
    unsigned, mantissa_bits, bias = (np.uint32, 23, 127) if dtype == np.float32 else (np.uint64, 52, 1023)
    spread = np.uint64(exponents or bias - 1)
    i = np.arange(count, dtype=np.uint64) + np.uint64(seed << 40)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):  # the mixer of splitmix64
        i = (i ^ (i >> np.uint64(shift))) * np.uint64(factor)
    mantissa = i & np.uint64((1 << mantissa_bits) - 1)
    exponent = np.uint64(bias) - spread + (i * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(48)) % (spread + spread)
    sign = i >> np.uint64(63) << np.uint64(8 * np.dtype(dtype).itemsize - 1)
    return (mantissa | exponent << np.uint64(mantissa_bits) | sign).astype(unsigned).view(dtype)


def moderate(shape, dtype, seed: int = 1) -> np.ndarray:
    """Numbers between -4 and 4, the same for ever."""
    x = np.random.RandomState(seed).uniform(-4, 4, shape)
    return np.asarray(x, dtype)


def bits(array) -> bytes:
    """The bytes of an array or float; every NaN counts as the same."""
    a = np.asarray(array)
    nan = np.isnan(a)
    return (np.where(nan, a.dtype.type(np.nan), a) if nan.any() else a).tobytes()


def assert_same_bits(a, b, what: str = "") -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert (a.dtype, a.shape) == (b.dtype, b.shape), what
    if bits(a) != bits(b):
        differ = np.flatnonzero(~((a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b)))
        k = differ[0]
        raise AssertionError(f"{what}: {differ.size} of {a.size} differ, element {k}: {a.flat[k]!r} and {b.flat[k]!r}")


def run_python(*arguments: str, timeout: float = 120, **environment: str) -> str:
    """What ``python *arguments`` prints, run in tests/ with the environment less closs's and OpenMP's variables."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CLOSS_", "OMP_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=inherited | environment,
        cwd=TESTS,
        timeout=timeout,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
