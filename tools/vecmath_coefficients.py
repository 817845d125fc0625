"""The coefficients in src/closs/core/polynomials.h, and the constants of the reduction in vecmath.h:
`python tools/vecmath_coefficients.py` prints them as they stand there.

Weighted least squares on Chebyshev's points at 60 digits, which comes within a factor of 2 of the minimax polynomial,
for the three tails that vecmath.h needs:

    exp:  Q in  exp(r) = 1 + r + r^2 Q(r)            on [-log(2)/2, log(2)/2]
    log:  P in  log(1 + f) = f + f^2 P(f)          on [sqrt(1/2) - 1, 1/2]
    log1p: S in log(1 + t) = t - t^2 / 2 + t^2 S(t) on [0, 1]

each weighted so that the error counts relative to the function itself. Coefficients are rounded to the type from the
lowest up, refitting the rest after each, so that rounding costs nothing that matters. Needs mpmath and NumPy.
"""

import re

import mpmath as mp
import numpy as np

mp.mp.dps = 60

EDGE = mp.log(2) / 2 + mp.mpf("1e-4")  # the reduction rounds, so r may lie a little outside
TAILS = {
    "exp_tail": (lambda r: (mp.exp(r) - 1 - r) / r**2, lambda r: r**2 / mp.exp(r), -EDGE, EDGE),
    "log_tail": (
        lambda f: (mp.log(1 + f) - f) / f**2,
        lambda f: abs(f**2 / mp.log(1 + f)),
        mp.sqrt(0.5) - 1 - mp.mpf("1e-6"),
        mp.mpf("0.5"),
    ),
    "log1p_tail": (
        lambda t: (mp.log(1 + t) - t + t**2 / 2) / t**2,
        lambda t: t**2 / mp.log(1 + t),
        mp.mpf("1e-9"),
        mp.mpf(1),
    ),
}
DEGREES = {
    "exp_tail": {"f32": 4, "f64": 9},
    "log_tail": {"f32": 8, "f64": 20},
    "log1p_tail": {"f32": 8, "f64": 20},
}

LOG2_HI_BITS = {"f32": 16, "f64": 36}  # times an exponent, of 8 or 11 bits, that is exact


def round_to(kind, x):
    return float((np.float32 if kind == "f32" else np.float64)(float(x)))


def literal(kind, x):
    """The shortest hexadecimal literal."""
    return re.sub(r"\.?0*p", "p", x.hex()).replace("p+", "p") + ("f" if kind == "f32" else "")


def least_squares(function, weight, low, high, powers):
    """Coefficients of x**k for k in powers with the least weighted squared error on Chebyshev's points."""
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (k + mp.mpf("0.4")) / 300) for k in range(300)]
    rows = mp.matrix([[weight(x) * x**power for power in powers] for x in grid])
    right = mp.matrix([weight(x) * function(x) for x in grid])
    return mp.lu_solve(rows.T * rows, rows.T * right)


def fit(name, kind):
    """Rounded coefficients, lowest power first, and the largest weighted error with them."""
    function, weight, low, high = TAILS[name]
    fixed = []
    for power in range(DEGREES[name][kind] + 1):

        def rest(x, fixed=tuple(fixed)):
            return function(x) - sum(c * x**k for k, c in enumerate(fixed))

        solution = least_squares(rest, weight, low, high, list(range(power, DEGREES[name][kind] + 1)))
        fixed.append(mp.mpf(round_to(kind, solution[0])))
    grid = [low + (high - low) * k / 997 for k in range(998)]
    error = max(abs(weight(x) * (sum(c * x**k for k, c in enumerate(fixed)) - function(x))) for x in grid if x)
    return [float(c) for c in fixed], error


if __name__ == "__main__":
    for kind in ("f32", "f64"):
        unit = mp.mpf(2) ** -LOG2_HI_BITS[kind]  # log(2) lies in [1/2, 1)
        log2_hi = round_to(kind, mp.nint(mp.log(2) / unit) * unit)
        for name, x in (("log2_hi", log2_hi), ("log2_lo", mp.log(2) - log2_hi), ("1 / log(2)", 1 / mp.log(2))):
            print(f"{name}, {kind}:", literal(kind, round_to(kind, x)))
    for tail in TAILS:
        for kind in ("f32", "f64"):
            coefficients, error = fit(tail, kind)
            print(f"{tail}_{kind}: degree {len(coefficients) - 1}, relative error {mp.nstr(error, 2)}, highest first")
            for c in reversed(coefficients):
                print("   ", literal(kind, c))
