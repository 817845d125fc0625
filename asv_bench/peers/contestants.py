"""One contestant of compare.py: `contestants.py NAME` answers JSON lines on standard output.

First a line about itself; then, for {"do": "prepare", "loss", "shape", "dtype"}, the mean loss and 64 elements of its
gradient times their number (null if it has no such loss), and for {"do": "time"} the seconds a call, the median of some
calls that fill about 50 ms.
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
#: The losses of rows: what is beside pred. "in place" writes the gradient over pred, which only closs can.
ROWS = {
    "SoftmaxCE": "class",
    "SoftmaxCE in place": "class",
    "KLDiv": "distribution",
    "Triplet": "vectors",
    "CosineEmbedding": "signs",
}
#: CTC, of shapes N x T x C x S: logits laid out as each one's default is, or (T, N, C) for all; class 0 is the blank.
CTC = {"CTC": "transcripts", "CTC TNC": "transcripts"}
Array = np.ndarray[Any, Any]
#: Returns the value as a float, and the gradient, or gradients, as whatever the peer makes of it.
Call = Callable[[], tuple[float, Any]]
Shape = tuple[int, ...]


@lru_cache(maxsize=2)
def normal(seed: int, shape: Shape, dtype: str) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, dtype)


@lru_cache(maxsize=1)
def labels(kind: str, shape: Shape, dtype: str) -> tuple[Array, ...]:
    rng = np.random.default_rng(1)
    if kind == "real":
        return (rng.standard_normal(shape, dtype),)
    if kind == "vectors":
        return normal(1, shape, dtype), normal(2, shape, dtype)
    if kind == "class":
        return (rng.integers(0, shape[1], shape[0]),)
    if kind == "distribution":
        drawn = rng.random(shape, dtype)
        return (drawn / drawn.sum(axis=1, keepdims=True),)
    if kind == "transcripts":
        return (rng.integers(1, shape[2], (shape[0], shape[3])),)
    if kind == "signs":
        return normal(1, shape, dtype), 2 * rng.integers(0, 2, shape[0]).astype(dtype) - 1
    drawn = rng.integers(0, 5 if kind == "count" else 2, shape, np.int8).astype(dtype)
    return (2 * drawn - 1 if kind == "signed" else drawn,)


def data(loss: str, shape: Shape, dtype: str) -> tuple[Array, ...]:
    """The arguments of a loss; those with a gradient come first."""
    logits = shape[:3] if loss in CTC else shape
    return normal(0, logits, dtype), *labels((LABELS | ROWS | CTC)[loss], shape, dtype)


def frames_first(logits: Array) -> Array:
    """(N, T, C) as (T, N, C), contiguous."""
    return np.ascontiguousarray(logits.transpose(1, 0, 2))


def gradients(loss: str) -> int:
    return {"Triplet": 3, "CosineEmbedding": 2}.get(loss, 1)


def closs_contestant(reused: bool):
    import closs

    closs.set_num_threads(THREADS)
    options = {"KLDiv": {"from_logits": False}}

    def make_ctc(loss: str, shape: Shape, dtype: str) -> Call:
        logits, label = data(loss, shape, dtype)
        layout = "TNC" if loss == "CTC TNC" else "NTC"
        pred = frames_first(logits) if layout == "TNC" else logits
        evaluate = closs.CTCLoss(layout, blank="first", reduction="mean").value_and_grad
        out = np.empty_like(pred) if reused else None

        def call():
            value, grad = evaluate(pred, label, grad_out=out)
            return value, grad.transpose(1, 0, 2) if layout == "TNC" else grad

        return call

    def make(loss: str, shape: Shape, dtype: str) -> Call:
        if loss in CTC:
            return make_ctc(loss, shape, dtype)
        arrays = data(loss, shape, dtype)
        name = loss.removesuffix(" in place")
        evaluate = getattr(closs, name + "Loss")(reduction="mean", **options.get(loss, {})).value_and_grad
        if loss != name:
            pred = arrays[0].copy()
            return lambda: evaluate(pred, *arrays[1:], grad_out=pred)
        if not reused:
            return lambda: evaluate(*arrays)
        grads = tuple(np.empty_like(a) for a in arrays[: gradients(loss)])
        out = grads if len(grads) > 1 else grads[0]
        return lambda: evaluate(*arrays, grad_out=out)

    return f"{closs.__version__}, {closs.config()['isa']}", make


def numpy_contestant():
    """Two lines of NumPy a loss, the gallery's: a new array for each operation."""
    from closs.gallery import exhibit

    full_names = {"SigmoidBCE": "SigmoidBinaryCrossEntropy", "SoftmaxCE": "SoftmaxCrossEntropy"}

    def make(loss: str, shape: Shape, dtype: str) -> Call | None:
        if loss.endswith("in place") or loss in CTC:
            return None
        arrays = data(loss, shape, dtype)
        plain = exhibit(full_names.get(loss, loss)).plain

        def call():
            value, grad = plain(*arrays)
            return float(value), grad

        return call

    return np.__version__, make


def numpy_in_place_contestant():
    import in_place

    def make(loss: str, shape: Shape, dtype: str) -> Call | None:
        if loss not in LABELS:
            return None
        pred, label = data(loss, shape, dtype)
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
        "SoftmaxCE": F.cross_entropy,
        "KLDiv": lambda p, y: F.kl_div(F.log_softmax(p, dim=1), y, reduction="sum") / p.numel(),
        "Triplet": lambda x, p, n: F.relu((p - x).square().sum(1) - (n - x).square().sum(1) + 1).mean(),
        "CosineEmbedding": F.cosine_embedding_loss,
    }

    def make_ctc(loss: str, shape: Shape, dtype: str) -> Call:
        logits, label = data(loss, shape, dtype)
        pred, label = torch.from_numpy(frames_first(logits)).requires_grad_(True), torch.from_numpy(label)
        frames, counts = torch.full((shape[0],), shape[1]), torch.full((shape[0],), shape[3])

        def call():
            pred.grad = None
            value = F.ctc_loss(pred.log_softmax(-1), label, frames, counts, reduction="sum") / shape[0]
            value.backward()
            return value.item(), pred.grad.transpose(0, 1)

        return call

    def make(loss: str, shape: Shape, dtype: str) -> Call | None:
        if loss in CTC:
            return make_ctc(loss, shape, dtype)
        if loss not in losses:
            return None
        arrays = [torch.from_numpy(a) for a in data(loss, shape, dtype)]
        leaves = [a.requires_grad_(True) for a in arrays[: gradients(loss)]]
        evaluate = losses[loss]

        def call():
            for leaf in leaves:
                leaf.grad = None
            value = evaluate(*arrays)
            value.backward()
            return value.item(), leaves[0].grad

        return call

    return torch.__version__, make


def jax_contestant():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def cosine(a, b, y):
        cos = (a * b).sum(1) / (jnp.linalg.norm(a, axis=1) * jnp.linalg.norm(b, axis=1))
        return jnp.where(y > 0, 1 - cos, jnp.clip(cos, 0, 1))

    losses = {
        "L1": lambda p, y: jnp.abs(p - y),
        "L2": lambda p, y: 0.5 * (p - y) ** 2,
        "Huber": lambda p, y: jnp.where(jnp.abs(p - y) <= 1, 0.5 * (p - y) ** 2, jnp.abs(p - y) - 0.5),
        "SigmoidBCE": lambda p, y: jnp.maximum(p, 0) - p * y + jnp.log1p(jnp.exp(-jnp.abs(p))),
        "Hinge": lambda p, y: jnp.maximum(1 - p * y, 0),
        "SquaredHinge": lambda p, y: jnp.maximum(1 - p * y, 0) ** 2,
        "Logistic": lambda p, y: jax.nn.softplus(-p * y),
        "PoissonNLL": lambda p, y: jnp.exp(p) - y * p,
        "SoftmaxCE": lambda p, y: jax.nn.logsumexp(p, axis=1) - jnp.take_along_axis(p, y[:, None], axis=1)[:, 0],
        "KLDiv": lambda p, y: y * (jnp.log(y) - jax.nn.log_softmax(p)),
        "Triplet": lambda x, p, n: jax.nn.relu(((p - x) ** 2).sum(1) - ((n - x) ** 2).sum(1) + 1),
        "CosineEmbedding": cosine,
    }

    try:
        import optax

        def ctc(logits, label):
            frames, counts = jnp.zeros(logits.shape[:2], logits.dtype), jnp.zeros(label.shape, logits.dtype)
            return optax.ctc_loss(logits, frames, label, counts)

        losses |= dict.fromkeys(CTC, ctc)
    except ImportError:
        pass

    def make(loss: str, shape: Shape, dtype: str) -> Call | None:
        if loss not in losses:
            return None
        arrays = [jnp.asarray(a) for a in data(loss, shape, dtype)]
        wanted = tuple(range(gradients(loss)))
        evaluate = jax.jit(jax.value_and_grad(lambda *a: losses[loss](*a).mean(), argnums=wanted))

        def call():
            value, grads = evaluate(*arrays)
            jax.block_until_ready(grads)
            return float(value), grads[0]

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

    def make(loss: str, shape: Shape, dtype: str) -> Call | None:
        if loss == "SoftmaxCE":
            losses[loss] = private.HalfMultinomialLoss(n_classes=shape[1])
        if loss not in losses:
            return None
        pred, label = data(loss, shape, dtype)
        n, label = len(label), label.astype(dtype)
        evaluate = losses[loss].loss_gradient
        outputs = {"loss_out": np.empty_like(label), "gradient_out": np.empty_like(pred)} if reused else {}

        def call():
            value, grad = evaluate(label, pred, n_threads=THREADS, **outputs)
            return float(value.sum()) / n, grad

        return call

    return sklearn.__version__, make


def copy_contestant():
    """What memory allows: an array of 64 MB copied by two threads, half each; NumPy lets go of the GIL."""
    source, target = normal(0, (16_000_000,), "float32"), np.zeros(16_000_000, np.float32)
    halves = (slice(0, 8_000_000), slice(8_000_000, None))

    def call():
        other = Thread(target=np.copyto, args=(target[halves[1]], source[halves[1]]))
        other.start()
        np.copyto(target[halves[0]], source[halves[0]])
        other.join()
        return 0.0, target

    return "64 MB by NumPy's copyto, two threads a half each", lambda loss, shape, dtype: call


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
        call = None  # lets go of the arrays of the last one
        shape = tuple(question["shape"])
        call = make(question["loss"], shape, question["dtype"])
        answer = None
        if call:
            value, grad = call()
            flat = np.ravel(np.asarray(grad[0] if isinstance(grad, tuple) else grad))
            divided_by = 1 if name.startswith("sklearn") else shape[0]
            slopes = flat[:: -(-flat.size // 64)].astype(float) * divided_by
            answer = {"value": value, "slopes": slopes.tolist()}
            calls = int(min(20_000, max(2, 0.05 / seconds_a_call(call, 3))))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
