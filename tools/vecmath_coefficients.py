"""The coefficients in src/closs/core/polynomials.h: `python tools/vecmath_coefficients.py` prints them.

Weighted least squares on Chebyshev's points at 60 digits, which comes within a factor of 2 of the minimax polynomial,
for the two tails that vecmath.h needs:

    exp:  Q in  exp(r) = 1 + r + r^2 Q(r)            on [-log(2)/2, log(2)/2]
    log:  P in  log(1 + f) = f + f^2 P(f)          on [sqrt(1/2) - 1, 1/2]

each weighted so that the error counts relative to the function itself. Coefficients are rounded to the type from the
lowest up, refitting the rest after each, so that rounding costs nothing that matters. Needs mpmath and NumPy.
"""

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
}
DEGREES = {"exp_tail": {"f32": 4, "f64": 9}, "log_tail": {"f32": 8, "f64": 20}}


def least_squares(function, weight, low, high, powers):
    """Coefficients of x**k for k in powers with the least weighted squared error on Chebyshev's points."""
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (k + mp.mpf("0.4")) / 300) for k in range(300)]
    rows = mp.matrix([[weight(x) * x**power for power in powers] for x in grid])
    right = mp.matrix([weight(x) * function(x) for x in grid])
    return mp.lu_solve(rows.T * rows, rows.T * right)


def fit(name, kind):
    """Rounded coefficients, lowest power first, and the largest weighted error with them."""
    function, weight, low, high = TAILS[name]
    round_to = np.float32 if kind == "f32" else np.float64
    fixed = []
    for power in range(DEGREES[name][kind] + 1):

        def rest(x, fixed=tuple(fixed)):
            return function(x) - sum(c * x**k for k, c in enumerate(fixed))

        solution = least_squares(rest, weight, low, high, list(range(power, DEGREES[name][kind] + 1)))
        fixed.append(mp.mpf(float(round_to(float(solution[0])))))
    grid = [low + (high - low) * k / 997 for k in range(998)]
    error = max(abs(weight(x) * (sum(c * x**k for k, c in enumerate(fixed)) - function(x))) for x in grid if x)
    return [float(c) for c in fixed], error


if __name__ == "__main__":
    for tail in TAILS:
        for kind in ("f32", "f64"):
            coefficients, error = fit(tail, kind)
            print(f"{tail}_{kind}: degree {len(coefficients) - 1}, relative error {mp.nstr(error, 2)}, highest first")
            for c in reversed(coefficients):
                print("   ", c.hex() + ("f" if kind == "f32" else ""))
