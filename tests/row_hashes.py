"""Prints a SHA-256 of the result bits of every loss over rows and float type, as JSON. The file in data/ was made by

    python tests/row_hashes.py > tests/data/row_hashes.json

in a build with FMA; every other such build gives the same. It changes only if results change, which the changelog says.
"""

import hashlib
import json

import numpy as np
from helpers import REDUCTIONS, bits, from_integers
from registry import DTYPES
from row_oracles import CASES, Case, Geometry, results


def digest(case: Case, dtype) -> str:
    """Of rows of several lengths, in every reduction; inputs come from integer arithmetic alone."""
    total = hashlib.sha256()
    for g in [Geometry((17, 5)), Geometry((4, 61)), Geometry((3, 1030)), *case.family.geometries]:
        arguments = case.arguments(g, dtype)
        size = arguments[0].size
        for exponents in (2, 9):
            for k in range(len(case.names)):
                arguments[k] = from_integers(size, dtype, seed=k + 1, exponents=exponents).reshape(g.shape)
            if arguments[-1].shape == g.shape and len(arguments) > len(case.names):  # a distribution
                arguments[-1] = abs(from_integers(size, dtype, seed=7, exponents=1)).reshape(g.shape)
            weights = abs(from_integers(int(np.prod(case.family.unreduced(g))), dtype, seed=3, exponents=3))
            for reduction in REDUCTIONS if exponents == 2 else ["none", "sum"]:
                loss = case.make(g, dtype, reduction=reduction)
                for w in (None, weights.reshape(case.family.unreduced(g))):
                    for result in results(loss.value_and_grad(*arguments, w)):
                        total.update(bits(result))
    return total.hexdigest()


def main() -> None:
    hashes = {f"{case.id} {np.dtype(dtype).name}": digest(case, dtype) for case in CASES for dtype in DTYPES}
    print(json.dumps(hashes, indent=1))


if __name__ == "__main__":
    main()
