"""The memoryview functions of `cimport closs` against the Python classes: python views_program.py FOLDER.

FOLDER has the extension module `views`, which wraps each function as it is (test_embed.py makes it). A program of its
own, so that it runs with the closs that the module was built with. A function that nothing calls here is an error.
"""

import re
import sys

import numpy as np
from registry import DTYPES, ROWS

import closs
from closs import capi

sys.path.insert(0, sys.argv[1])
import views  # noqa: E402

RNG = np.random.default_rng(0)
REDUCTIONS = {"mean": capi.CLOSS_MEAN, "sum": capi.CLOSS_SUM}
uncalled = {name for name in dir(views) if re.search(r"_f(32|64)$", name)}


def function(name, dtype):
    name = f"{name}_f{8 * np.dtype(dtype).itemsize}"
    uncalled.discard(name)
    return getattr(views, name)


def fails(message, call, *arguments):
    try:
        call(*arguments)
    except (TypeError, ValueError) as error:
        assert message in str(error), error
    else:
        raise AssertionError(f"no error that says {message}")


def agree(name, dtype, make, inputs, parameters=(), call=None, count=1):
    """Totals and `count` gradients, the latter wanted or not."""
    run = function(name, dtype)
    for reduction, number in REDUCTIONS.items():
        value, slopes = make(reduction=reduction).value_and_grad(*inputs, **(call or {}))
        grads = [np.empty_like(inputs[k]) for k in range(count)]
        assert run(*inputs, *grads, number, *parameters) == value, name
        for grad, slope in zip(grads, slopes if count > 1 else [slopes], strict=True):
            assert np.array_equal(grad, slope), name
        assert run(*inputs, *[None] * count, number, *parameters) == value, name
    sum_of = [*[None] * count, capi.CLOSS_SUM, *parameters]
    for k in range(1, len(inputs)):
        fails("axis 0", run, *inputs[:k], inputs[k][1:].copy(), *inputs[k + 1 :], *sum_of)
        fails(": expected an array, got None", run, *inputs[:k], None, *inputs[k + 1 :], *sum_of)
    fails(": expected an array, got None", run, *[None] * len(inputs), *sum_of)
    fails("axis 0", run, *inputs, np.empty_like(inputs[0])[1:], *sum_of[1:])
    assert run(*[a[:0] for a in inputs], *sum_of) == 0, name


def elementwise(dtype):
    for row in ROWS:
        x = row.pred(RNG.normal(size=37).astype(dtype))
        name = capi.function("closs_elementwise_parameter")(
            capi.function("closs_elementwise_find")(row.kernel.encode())
        )
        agree(row.kernel, dtype, row.make, (x, row.labels_like(x)), (row.parameter,) if name else (), row.call)


def softmax(dtype):
    x, classes = RNG.normal(size=(9, 5)).astype(dtype), RNG.integers(0, 5, 9)
    y = RNG.dirichlet(np.ones(5), 9).astype(dtype)
    agree("softmax_ce", dtype, closs.SoftmaxCELoss, (x, classes))
    classes[7] = 5
    fails("label[7] = 5 is outside 0..4", function("softmax_ce", dtype), x, classes, None, capi.CLOSS_SUM)
    agree("softmax_ce_dense", dtype, lambda **o: closs.SoftmaxCELoss(sparse_label=False, **o), (x, y))
    agree("kl_div_softmax", dtype, lambda **o: closs.KLDivLoss(from_logits=False, **o), (x, y))


def metric(dtype):
    a, b, c = RNG.normal(size=(3, 9, 5)).astype(dtype)
    signs = RNG.choice([1, -1], 9).astype(dtype)
    agree("triplet", dtype, lambda **o: closs.TripletLoss(margin=0.7, **o), (a, b, c), (0.7,), count=3)
    agree(
        "cosine_embedding",
        dtype,
        lambda **o: closs.CosineEmbeddingLoss(margin=0.2, **o),
        (a, b, signs),
        (0.2,),
        count=2,
    )
    agree("sdml", dtype, lambda **o: closs.SDMLLoss(smoothing_parameter=0.4, **o), (a, b), (0.4,), count=2)
    signs[4] = 0.5
    fails(
        "label[4] = 0.5 is neither 1 nor -1",
        function("cosine_embedding", dtype), a, b, signs, None, None, capi.CLOSS_SUM, 0.0,
    )  # fmt: skip
    fails("axis 1", function("triplet", dtype), a, b, c[:, :4].copy(), None, None, None, capi.CLOSS_SUM, 1.0)


def ctc(dtype):
    run, n, t, s, c = function("ctc", dtype), 6, 11, 4, 5
    x, y = RNG.normal(size=(n, t, c)).astype(dtype), RNG.integers(1, c, (n, s))
    lengths, counts = RNG.integers(2 * s, t + 1, n), RNG.integers(0, s + 1, n)
    lengths[0], counts[0] = 1, 2  # infeasible
    for input, kind in (("logits", capi.CLOSS_CTC_LOGITS), ("log_probs", capi.CLOSS_CTC_LOG_PROBS)):
        for infeasible, number in (("inf", capi.CLOSS_CTC_INF), ("zero", capi.CLOSS_CTC_ZERO)):
            loss = closs.CTCLoss(reduction="none", blank=0, input=input, infeasible=infeasible)
            for given in ((lengths, counts), (None, counts), (lengths, None), (None, None)):
                expected, slope = loss.value_and_grad(x, y, *given)
                value, grad = np.empty(n, dtype), np.empty_like(x)
                assert run(x, y, *given, value, grad, 0, kind, number) == 0
                assert np.array_equal(value, expected) and np.array_equal(grad, slope)
                value[:] = 0
                run(x, y, *given, value, None, 0, kind, number)
                assert np.array_equal(value, expected)
    rest = value, grad, 0, capi.CLOSS_CTC_LOGITS
    fails("label: no path spells that of sample 0, which needs 2 frames", run, x, y, lengths, counts, *rest,
          capi.CLOSS_CTC_RAISE)  # fmt: skip
    for bad in c, 0:
        other = y.copy()
        other[0, 1] = bad
        fails(f"label[0, 1] = {bad} is outside 0..4, or the blank, 0", run, x, other, lengths, counts, *rest, 0)
    for name, k, most in ("pred_lengths", 0, t), ("label_lengths", 1, s):
        given = [lengths.copy(), counts.copy()]
        given[k][2] = most + 1
        fails(f"{name}[2] = {most + 1} is outside 0..{most}", run, x, y, *given, *rest, capi.CLOSS_CTC_INF)
    fails("label: expected an array, got None", run, x, None, lengths, counts, *rest, capi.CLOSS_CTC_INF)
    fails("pred: expected an array, got None", run, None, y, lengths, counts, *rest, capi.CLOSS_CTC_INF)
    run(x, y[:, :0].copy(), None, None, *rest, capi.CLOSS_CTC_INF)  # no labels: the path of blanks
    assert np.array_equal(value, closs.CTCLoss(reduction="none", blank=0)(x, y[:, :0]))
    fails("label: expected length 6 along axis 0", run, x, y[1:], lengths, counts, *rest, capi.CLOSS_CTC_INF)
    fails("label_lengths: expected length 6", run, x, y, lengths, counts[1:], *rest, capi.CLOSS_CTC_INF)
    fails("grad: expected length 11 along axis 1", run, x, y, None, None, value, grad[:, 1:].copy(), *rest[2:], 0)

    run, label, counts, score = (
        function("ctc_greedy", dtype),
        np.empty((n, t), int),
        np.empty(n, int),
        np.empty(n, dtype),
    )
    for given in (lengths, None):
        labels, scores = closs.ctc_greedy_decode(x, given, blank=0)
        run(x, given, label, counts, score, 0, capi.CLOSS_CTC_LOGITS)
        assert np.array_equal(score, scores)
        for row, count, expected in zip(label, counts, labels, strict=True):
            assert np.array_equal(row[:count], expected) and (row[count:] == -1).all()
        label[:] = 0
        run(x, given, label, None, None, 0, capi.CLOSS_CTC_LOGITS)
        assert (label[0, counts[0] :] == -1).all()
    fails("pred_lengths[0] = 12 is outside 0..11", run, x, lengths + t, label, counts, score, 0, capi.CLOSS_CTC_LOGITS)
    fails("label: expected an array, got None", run, x, lengths, None, counts, score, 0, capi.CLOSS_CTC_LOGITS)
    fails("label: expected length 11 along axis 1", run, x, None, label[:, 1:].copy(), None, None, 0, 0)


for dtype in DTYPES:
    for family in (elementwise, softmax, metric, ctc):
        family(dtype)
assert not uncalled, f"not tested: {sorted(uncalled)}"
