"""Prints the largest errors that were met, a row a loss, as the Markdown table of docs/accuracy.md:

    python tests/accuracy.py > docs/accuracy.md

in units in the last place of the result, or of its largest term where terms cancel, unreduced and unweighted. float32
is compared with float64 and float64 with long double (mpmath would give the same digits, in hours). `make exhaustive`
goes over all floats where one variable moves; here are a sample of them, and labels drawn at random.
"""

from oracle import ulps, wide_numbers
from registry import DTYPES, ROWS
from row_oracles import CASES, Geometry, reduced, results
from test_oracle import all_labels, random_floats
from test_rows import LARGE_PAIRS

import closs

GEOMETRIES = [Geometry((400, length)) for length in (2, 7, 10, 33, 100, 1000)] + [Geometry((6, 30_011))]
SEEDS = 3


def elementwise_errors(row, dtype) -> list[float]:
    n, worst = wide_numbers(dtype), [0.0, 0.0]
    x, y = random_floats(400_000, dtype, 6), random_floats(400_000, dtype, 7)
    samples = [all_labels(row, row.pred(x)), *((row.pred(x), row.labels_from(numbers)) for numbers in (y, y[::-1]))]
    for pred, label in samples:
        got = row.make(reduction="none").value_and_grad(pred, label, **row.call)
        for k, (result, expected) in enumerate(zip(got, row.expected(pred, label, n), strict=True)):
            worst[k] = max(worst[k], float(ulps(result, expected, n).max()))
    return worst


def row_errors(case, dtype) -> list[float]:
    n, worst = wide_numbers(dtype), [0.0, 0.0]
    geometries = [LARGE_PAIRS] if case.cls is closs.SDMLLoss else GEOMETRIES
    for g in geometries:
        for seed in range(SEEDS):
            for scale in (1e-2, 1, 10):
                arguments = case.arguments(g, dtype, seed, scale)
                truth = case.truth(g, arguments, n)
                value, *grads = results(case.make(g, dtype, reduction="none").value_and_grad(*arguments))
                expected, factors = reduced(truth, "none", case.batch(g))
                value = case.rows_of_value(value, g)
                worst[0] = max(worst[0], float(ulps(value, expected, n).max()))
                for grad, slope in zip(grads, truth.gradients(factors), strict=True):
                    worst[1] = max(worst[1], float(ulps(case.family.rows(grad, g), slope, n).max()))
    return worst


def main() -> None:
    print("# Accuracy\n")
    print("Made by `python tests/accuracy.py` (which says how); the tests hold the bounds of the README.\n")
    print(f"Instruction set: {closs.config()['isa']}. Errors in ulp.\n")
    print("| loss | float32 value | gradient | float64 value | gradient |\n|---|---|---|---|---|")
    for errors, table in ((elementwise_errors, ROWS), (row_errors, CASES)):
        for row in table:
            cells = [f"{error:.2f}" for dtype in DTYPES for error in errors(row, dtype)]
            print(f"| {row.id} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
