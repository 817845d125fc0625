"""One contestant of compare.py: `contestants.py NAME` answers JSON lines on standard output.

First a line about itself; then, for {"do": "prepare", "loss", "n"}, the mean loss and 64 elements of n times its
gradient (null if it has no such loss), and for {"do": "time"} the seconds a call, the median of some calls that fill
about 50 ms.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from statistics import median
from threading import Thread
from typing import Any

import numpy as np

THREADS = 2
#: What the labels of each loss are. Neighbours share them, so that they are drawn once.
LABELS = {
    "L1": "real",
    "L2": "real",
    "Huber": "real",
    "SigmoidBCE": "binary",
    "Hinge": "signed",
    "SquaredHinge": "signed",
    "Logistic": "signed",
    "PoissonNLL": "count",
}
Array = np.ndarray[Any, Any]
#: Returns the value as a float, and the gradient as whatever the peer makes of it.
Call = Callable[[], tuple[float, Any]]


@lru_cache(maxsize=1)
def predictions(n: int) -> Array:
    return np.random.default_rng(0).standard_normal(n, np.float32)


@lru_cache(maxsize=1)
def labels(kind: str, n: int) -> Array:
    rng = np.random.default_rng(1)
    if kind == "real":
        return rng.standard_normal(n, np.float32)
    drawn = rng.integers(0, 5 if kind == "count" else 2, n, np.int8).astype(np.float32)
    return 2 * drawn - 1 if kind == "signed" else drawn


def data(loss: str, n: int) -> tuple[Array, Array]:
    return predictions(n), labels(LABELS[loss], n)


def closs_contestant(reused: bool):
    import closs

    closs.set_num_threads(THREADS)

    def make(loss: str, n: int) -> Call:
        pred, label = data(loss, n)
        evaluate = getattr(closs, loss + "Loss")(reduction="mean").value_and_grad
        if reused:
            grad = np.empty_like(pred)
            return lambda: evaluate(pred, label, grad_out=grad)
        return lambda: evaluate(pred, label)

    return f"{closs.__version__}, {closs.config()['isa']}", make


def numpy_contestant():
    """Two lines of NumPy a loss, the gallery's: a new array for each operation."""
    from closs.gallery import exhibit

    def make(loss: str, n: int) -> Call:
        pred, label = data(loss, n)
        plain = exhibit("SigmoidBinaryCrossEntropy" if loss == "SigmoidBCE" else loss).plain

        def call():
            value, grad = plain(pred, label)
            return float(value), grad

        return call

    return np.__version__, make


def numpy_in_place_contestant():
    import in_place

    def make(loss: str, n: int) -> Call:
        pred, label = data(loss, n)
        evaluate = getattr(in_place, loss)
        grad, scratch = np.empty_like(pred), np.empty_like(pred)
        return lambda: (float(evaluate(pred, label, grad, scratch)), grad)

    return f"{np.__version__}, gradient and one temporary reused", make


def torch_contestant():
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(THREADS)
    losses = {
        "L1": F.l1_loss,
        "L2": lambda p, y: 0.5 * F.mse_loss(p, y),
        "Huber": F.huber_loss,
        "SigmoidBCE": F.binary_cross_entropy_with_logits,
        "Hinge": lambda p, y: F.relu(1 - p * y).mean(),
        "SquaredHinge": lambda p, y: F.relu(1 - p * y).square().mean(),
        "Logistic": F.soft_margin_loss,
        "PoissonNLL": lambda p, y: F.poisson_nll_loss(p, y, log_input=True),
    }

    def make(loss: str, n: int) -> Call:
        pred, label = (torch.from_numpy(a) for a in data(loss, n))
        pred.requires_grad_(True)
        evaluate = losses[loss]

        def call():
            pred.grad = None
            value = evaluate(pred, label)
            value.backward()
            return value.item(), pred.grad

        return call

    return torch.__version__, make


def jax_contestant():
    import jax
    import jax.numpy as jnp

    losses = {
        "L1": lambda p, y: jnp.abs(p - y),
        "L2": lambda p, y: 0.5 * (p - y) ** 2,
        "Huber": lambda p, y: jnp.where(jnp.abs(p - y) <= 1, 0.5 * (p - y) ** 2, jnp.abs(p - y) - 0.5),
        "SigmoidBCE": lambda p, y: jnp.maximum(p, 0) - p * y + jnp.log1p(jnp.exp(-jnp.abs(p))),
        "Hinge": lambda p, y: jnp.maximum(1 - p * y, 0),
        "SquaredHinge": lambda p, y: jnp.maximum(1 - p * y, 0) ** 2,
        "Logistic": lambda p, y: jax.nn.softplus(-p * y),
        "PoissonNLL": lambda p, y: jnp.exp(p) - y * p,
    }

    def make(loss: str, n: int) -> Call:
        pred, label = (jnp.asarray(a) for a in data(loss, n))
        evaluate = jax.jit(jax.value_and_grad(lambda p, y: losses[loss](p, y).mean()))

        def call():
            value, grad = evaluate(pred, label)
            grad.block_until_ready()
            return float(value), grad

        return call

    return jax.__version__, make


def sklearn_contestant(reused: bool):
    """Its private loss classes. They give a value each element, which is then summed; slopes stay undivided by n."""
    import sklearn
    from sklearn._loss import loss as private

    losses = {
        "L1": private.AbsoluteError(),
        "L2": private.HalfSquaredError(),
        "Huber": private.HuberLoss(delta=1.0),
        "SigmoidBCE": private.HalfBinomialLoss(),
        "PoissonNLL": private.HalfPoissonLoss(),
    }

    def make(loss: str, n: int) -> Call | None:
        if loss not in losses:
            return None
        pred, label = data(loss, n)
        evaluate = losses[loss].loss_gradient
        outputs = {name: np.empty_like(pred) if reused else None for name in ("loss_out", "gradient_out")}

        def call():
            value, grad = evaluate(label, pred, n_threads=THREADS, **outputs)
            return float(value.sum()) / n, grad

        return call

    return sklearn.__version__, make


def copy_contestant():
    """What memory allows: an array of 64 MB copied by two threads, half each; NumPy lets go of the GIL."""
    source, target = predictions(16_000_000), np.zeros(16_000_000, np.float32)
    halves = (slice(0, 8_000_000), slice(8_000_000, None))

    def call():
        other = Thread(target=np.copyto, args=(target[halves[1]], source[halves[1]]))
        other.start()
        np.copyto(target[halves[0]], source[halves[0]])
        other.join()
        return 0.0, target

    return "64 MB by NumPy's copyto, two threads a half each", lambda loss, n: call


IMPLEMENTATIONS = {
    "closs_reused": lambda: closs_contestant(True),
    "closs_fresh": lambda: closs_contestant(False),
    "copy": copy_contestant,
    "numpy": numpy_contestant,
    "numpy_in_place": numpy_in_place_contestant,
    "torch": torch_contestant,
    "jax": jax_contestant,
    "sklearn_reused": lambda: sklearn_contestant(True),
    "sklearn_fresh": lambda: sklearn_contestant(False),
}


def seconds_a_call(call: Call, calls: int) -> float:
    """Median, after one call unmeasured; calls shorter than the clock's grain are timed in batches."""
    call()
    batch = max(1, calls // 20)
    times = []
    for _ in range(max(1, calls // batch)):
        begin = time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - begin) / batch)
    return median(times)


def main(name: str) -> None:
    if hasattr(os, "sched_setaffinity"):  # JAX takes all CPUs that it sees
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    try:
        about, make = IMPLEMENTATIONS[name]()
    except ImportError:
        return
    print(json.dumps(about), flush=True)
    call: Call | None = None
    calls = 1
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "time":
            print(json.dumps({"seconds": seconds_a_call(call, calls)}), flush=True)
            continue
        n = question["n"]
        call = None  # lets go of the arrays of the last one
        call = make(question["loss"], n)
        answer = None
        if call:
            value, grad = call()
            slopes = np.asarray(grad)[:: -(-n // 64)].astype(float) * (1 if name.startswith("sklearn") else n)
            answer = {"value": value, "slopes": slopes.tolist()}
            calls = int(min(20_000, max(2, 0.05 / seconds_a_call(call, 3))))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
