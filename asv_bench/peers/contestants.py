"""One contestant of compare.py: `contestants.py NAME` answers JSON lines on standard output.

First a line about itself; then, for {"do": "prepare", "loss", "n"}, the mean loss (null if it has no such loss), and
for {"do": "time"} the seconds a call, the median of some calls that fill about 50 ms.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from threading import Thread

import numpy as np

THREADS = 2
SIGNED = ("Hinge", "SquaredHinge", "Logistic")
Call = Callable[[], float]


def data(loss: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pred = rng.normal(size=n).astype(np.float32)
    label = rng.integers(0, 2, n).astype(np.float32)
    return pred, 2 * label - 1 if loss in SIGNED else label


def closs_contestant(reused: bool):
    import closs

    closs.set_num_threads(THREADS)

    def make(loss: str, n: int) -> Call:
        pred, label = data(loss, n)
        evaluate = getattr(closs, loss + "Loss")(reduction="mean").value_and_grad
        if reused:
            grad = np.empty_like(pred)
            return lambda: evaluate(pred, label, grad_out=grad)[0]
        return lambda: evaluate(pred, label)[0]

    return f"{closs.__version__} {closs.config()['isa']}", make


def numpy_contestant():
    from closs.gallery import EXHIBITS

    plain = {item.name.removesuffix("Loss"): item.plain for item in EXHIBITS}
    plain["SigmoidBCE"] = plain.pop("SigmoidBinaryCrossEntropy")

    def make(loss: str, n: int) -> Call:
        pred, label = data(loss, n)
        return lambda: float(plain[loss](pred, label)[0])

    return np.__version__, make


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

        def call() -> float:
            pred.grad = None
            value = losses[loss](pred, label)
            value.backward()
            return value.item()

        return call

    pages = "huge pages" if "hugetlb" in os.environ.get("GLIBC_TUNABLES", "") else "default allocator"
    return f"{torch.__version__}, {pages}", make


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

        def call() -> float:
            value, grad = evaluate(pred, label)
            grad.block_until_ready()
            return float(value)

        return call

    return jax.__version__, make


def sklearn_contestant():
    import sklearn
    from sklearn._loss import loss as private

    def half_binomial(pred, label):
        return private.HalfBinomialLoss()

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
        value, grad = np.empty_like(pred), np.empty_like(pred)

        def call() -> float:
            losses[loss].loss_gradient(label, pred, loss_out=value, gradient_out=grad, n_threads=THREADS)
            return float(value.mean())

        return call

    return f"{sklearn.__version__}, outputs reused, gradient not divided by n", make


def copy_contestant():
    source, target = (np.full(16_000_000, x, np.float32) for x in (1, 0))
    halves = (slice(0, 8_000_000), slice(8_000_000, None))

    def call() -> float:
        threads = [Thread(target=np.copyto, args=(target[h], source[h])) for h in halves]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 0.0

    return "64 MB, two threads of NumPy's copyto", lambda loss, n: call


IMPLEMENTATIONS = {
    "closs_reused": lambda: closs_contestant(True),
    "closs_fresh": lambda: closs_contestant(False),
    "numpy": numpy_contestant,
    "torch": torch_contestant,
    "jax": jax_contestant,
    "sklearn": sklearn_contestant,
    "copy": copy_contestant,
}


def seconds_a_call(call: Call, calls: int) -> float:
    """Median; calls shorter than the clock's grain are timed in batches."""
    batch = max(1, calls // 20)
    times = []
    for _ in range(max(1, calls // batch)):
        begin = time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - begin) / batch)
    return median(times)


def main(name: str) -> None:
    try:
        about, make = IMPLEMENTATIONS[name]()
    except ImportError:
        return
    print(json.dumps({"about": about}), flush=True)
    call: Call | None = None
    calls = 1
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "prepare":
            call = make(question["loss"], question["n"])
            if call:
                value = call()
                calls = int(min(20_000, max(2, 0.05 / max(seconds_a_call(call, 3), 1e-9))))
            print(json.dumps({"value": value if call else None}), flush=True)
        else:
            print(json.dumps({"seconds": seconds_a_call(call, calls)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
