"""Prints a SHA-256 of the result bits of every loss and float type, as JSON. The file in data/ was made by

    python tests/make_hashes.py > tests/data/hashes.json

in a build with FMA; every other such build gives the same. It changes only if results change, which the changelog says.
"""

import hashlib
import json

import ctc_hashes
import numpy as np
from helpers import REDUCTIONS, bits, from_integers
from registry import DTYPES, ROWS

COUNT = 30_006


def digest(row, dtype) -> str:
    """Of each element's value and gradient for numbers of any size, and of every reduction of moderate ones."""
    total = hashlib.sha256()

    def add(x, reduction, weights=None, **options):
        for result in row.make(reduction=reduction, **options).value_and_grad(
            x, row.labels_like(x), weights, **row.call
        ):
            total.update(bits(result))

    add(row.pred(from_integers(COUNT, dtype)), "none")
    x = row.pred(from_integers(COUNT, dtype, seed=2, exponents=5))
    add(x, "none")
    for reduction in REDUCTIONS:
        add(
            x.reshape(-1, 9),
            reduction,
            abs(from_integers(COUNT, dtype, seed=3, exponents=3)).reshape(-1, 9),
            weight=0.7,
        )
    return total.hexdigest()


def main() -> None:
    hashes = {f"{row.id} {np.dtype(dtype).name}": digest(row, dtype) for row in ROWS for dtype in DTYPES}
    print(json.dumps(hashes | ctc_hashes.digests(), indent=1))


if __name__ == "__main__":
    main()
