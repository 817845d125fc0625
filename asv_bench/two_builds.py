"""Two builds of the C library called in turn, in one process and thread: what a change of a kernel is worth.

    make install-c PREFIX=OLD      # and NEW, absolute paths: in a checkout of each
    python asv_bench/two_builds.py OLD NEW softmax_ce:1000x64 sigmoid_bce:8192 ctc:150x32x40x30

prints for each function and shape (elements; rows x classes or vector length; frames x samples x classes x labels)
whether value and gradient have the same bits, the best and the lower quartile of each build, and the new best over the
old one. Best times are compared because the machine's other work only ever adds to them. `--dtype float64` for double.
"""

import argparse
import ctypes
from pathlib import Path
from time import perf_counter

import numpy as np

from closs import _c_types as c

SECONDS = 2.0  # a case


def arguments_of(name: str, shape: list[int], dtype: str) -> tuple[ctypes.Structure, list[np.ndarray]]:
    """The argument struct of closs.h for random data, value and gradient of the mean; the arrays it points to."""
    rng, kind, arrays = np.random.default_rng(0), "f64" if dtype == "float64" else "f32", []

    def at(array: np.ndarray) -> int:
        arrays.append(array)
        return array.ctypes.data

    def normal(shape: list[int]) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    if name == "ctc":
        frames, samples, classes, labels = shape
        return getattr(c, f"closs_ctc_args_{kind}")(
            batch=samples, time=frames, classes=classes, pred=at(normal([samples, frames, classes])),
            label=at(rng.integers(1, classes, (samples, labels))), label_width=labels,
            value=at(np.empty(samples, dtype)), grad=at(np.empty((samples, frames, classes), dtype)),
        ), arrays  # fmt: skip
    mean = {"reduction": c.CLOSS_MEAN, "total": at(np.empty(1))}
    if name in ("triplet", "cosine_embedding"):
        args = getattr(c, f"closs_vectors_{kind}")(
            outer=1, rows=shape[0], inner=shape[1], batch=shape[0], sample_inner=1, **mean
        )
        for k in range(3 if name == "triplet" else 2):
            args.input[k], args.grad[k] = at(normal(shape)), at(np.empty(shape, dtype))
        if name == "cosine_embedding":
            args.label = at(rng.choice([-1, 1], shape[0]).astype(dtype))
        return args, arrays
    mean |= {"pred": at(normal(shape)), "grad": at(np.empty(shape, dtype))}
    if name in ("softmax_ce", "kl_div_softmax"):
        rows, classes = shape
        if name == "softmax_ce":
            mean["label"] = at(rng.integers(0, classes, rows))
        else:
            mean["label_dense"] = at(rng.dirichlet(np.ones(classes), rows).astype(dtype))
        struct = getattr(c, f"closs_softmax_{kind}")
        return struct(outer=rows, classes=classes, inner=1, batch=rows, sample_inner=1, **mean), arrays
    label = at(rng.choice([0, 1], shape).astype(dtype))
    return getattr(c, f"closs_elementwise_{kind}")(outer=1, batch=1, inner=shape[0], label=label, **mean), arrays


def compare(paths: list[Path], case: str, dtype: str) -> str:
    """The line of one case."""
    name, _, sizes = case.partition(":")
    args, arrays = arguments_of(name, [int(n) for n in sizes.split("x")], dtype)
    symbol = f"closs_{name}_{'f64' if dtype == 'float64' else 'f32'}"
    restype, argtypes = c.SIGNATURES[symbol]
    parameters = [None if t is ctypes.c_void_p else 0.5 for t in argtypes[1:]]
    calls, results, times = [], [], []
    for path in paths:
        library = ctypes.CDLL(str(next(path.glob("lib*/libcloss.so.0"))))
        library.closs_set_num_threads(1)
        function = getattr(library, symbol)
        function.restype, function.argtypes = restype, argtypes
        if function(ctypes.byref(args), *parameters) != c.CLOSS_OK:
            raise SystemExit(f"{case}: refused by {path}")
        results.append([a.tobytes() for a in arrays])
        calls.append(function)
        times.append([])
    end = perf_counter() + SECONDS
    while perf_counter() < end:
        for function, taken in zip(calls, times, strict=True):
            start = perf_counter()
            function(ctypes.byref(args), *parameters)
            taken.append(perf_counter() - start)
    bits = "same bits" if results[0] == results[1] else "OTHER BITS"
    shown = ", ".join(f"{min(t) * 1e6:.2f} us best {np.quantile(t, 0.25) * 1e6:.2f} quartile" for t in times)
    return f"{case} {dtype}: {bits}; {shown}; {min(times[1]) / min(times[0]):.2f}"


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("old", type=Path, help="an installation prefix")
parser.add_argument("new", type=Path, help="another one")
parser.add_argument("cases", nargs="+", metavar="function:shape")
parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
options = parser.parse_args()
for each in options.cases:
    print(compare([options.old, options.new], each, options.dtype))
