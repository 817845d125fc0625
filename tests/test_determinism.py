"""The same bits for every thread count, call, alignment, in place or not, with or without the gradient, and on every
instruction set with FMA."""

import json

import numpy as np
import pytest
from helpers import REDUCTIONS, TESTS, assert_same_bits, moderate, run_python
from oracle import has_fma

import closs

ISAS = closs.config()["isas"]
FMA_ISAS = [isa for isa in ISAS if has_fma(isa)]
THREADS = [2, 3, 8]

# (shape, batch axis) above the size from which several threads are used, cut into tasks along each of its axes
LARGE = [((150_001,), 0), ((3, 50_021), 0), ((50_021, 3), 0), ((400, 5, 101), 1)]


def evaluate(loss, row, x, y, *args, **kwargs):
    return loss.value_and_grad(x, y, *args, **row.call, **kwargs)


def assert_same_results(a, b, what):
    assert_same_bits(a[0], b[0], f"{what}, value")
    assert_same_bits(a[1], b[1], f"{what}, gradient")


@pytest.mark.parametrize("shape, batch_axis", LARGE, ids=str)
def test_threads(row, dtype, shape, batch_axis):
    x = row.pred(moderate(shape, dtype))
    y = row.labels_like(x)
    for reduction in ("none", "sample_mean", "mean"):
        loss = row.make(reduction=reduction, batch_axis=batch_axis)
        with closs.num_threads(1):
            serial = evaluate(loss, row, x, y)
        for threads in THREADS:
            with closs.num_threads(threads):
                assert_same_results(evaluate(loss, row, x, y), serial, f"{reduction}, {threads} threads")
        with closs.num_threads(3):
            assert_same_bits(loss(x, y, **row.call), serial[0], f"{reduction}, value alone")
            assert_same_bits(loss.grad(x, y, **row.call), serial[1], f"{reduction}, grad()")


def test_threads_and_weights(row, dtype):
    shape = (7, 20_011)
    x = row.pred(moderate(shape, dtype))
    y = row.labels_like(x)
    for weights in (moderate(shape, dtype, 2), moderate((7, 1), dtype, 2), moderate(shape[1:], dtype, 2)):
        for reduction in REDUCTIONS:
            loss = row.make(reduction=reduction)
            with closs.num_threads(1):
                serial = evaluate(loss, row, x, y, weights)
            with closs.num_threads(3):
                assert_same_results(evaluate(loss, row, x, y, weights), serial, f"{reduction}, {weights.shape}")


def test_alignment(row, dtype):
    """Every offset of every array from a multiple of 64 bytes."""
    count = 1031
    x = row.pred(moderate(count, dtype))
    y = row.labels_like(x)
    memory = np.empty((4, count + 64), dtype)
    for reduction in ("none", "sum"):
        loss = row.make(reduction=reduction)
        expected = evaluate(loss, row, x, y)
        for offset in range(17):
            pred, label, grad_out, out = (memory[k, o : o + count] for k, o in enumerate((offset, 3, offset // 2, 7)))
            pred[:], label[:] = x, y
            outputs = {"grad_out": grad_out} | ({"out": out} if reduction == "none" else {})
            assert_same_results(evaluate(loss, row, pred, label, **outputs), expected, f"offset {offset}")


def test_in_place(row, dtype):
    x = row.pred(moderate(300_017, dtype))
    y = row.labels_like(x)
    for reduction in ("none", "mean"):
        loss = row.make(reduction=reduction)
        apart = evaluate(loss, row, x, y)
        pred = x.copy()
        assert_same_results(evaluate(loss, row, pred, y, grad_out=pred), apart, f"{reduction}, in place")


def test_body_and_tail(row, dtype):
    """An element's bits do not depend on how many others there are, or on where it lies among them."""
    x = row.pred(moderate(200, dtype))
    y = row.labels_like(x)
    loss = row.make(reduction="none")
    whole = evaluate(loss, row, x, y)
    for n in range(1, 71):
        assert_same_results(evaluate(loss, row, x[:n], y[:n]), [part[:n] for part in whole], f"the first {n}")
        assert_same_results(evaluate(loss, row, x[-n:], y[-n:]), [part[-n:] for part in whole], f"the last {n}")


# ---- Instruction sets ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hashes():
    """Of each instruction set that this machine has."""
    return {isa: json.loads(run_python("make_hashes.py", CLOSS_ISA=isa)) for isa in ISAS}


@pytest.mark.parametrize("isa", ISAS)
def test_isa_can_be_forced(isa):
    assert run_python("-c", "import closs; print(closs.config()['isa'])", CLOSS_ISA=isa).strip() == isa


def test_isa_that_is_unknown_or_missing_is_ignored_or_lowered():
    print_isa = "import closs; print(closs.config()['isa'])"
    assert run_python("-c", print_isa, CLOSS_ISA="no such thing").strip() == ISAS[-1]
    assert run_python("-c", print_isa).strip() == ISAS[-1]


@pytest.mark.skipif(len(FMA_ISAS) < 2, reason=f"of {ISAS} only {FMA_ISAS} have FMA: there are no two to compare")
def test_isas_with_fma_agree(hashes):
    differing = {k for isa in FMA_ISAS for k, digest in hashes[isa].items() if digest != hashes[FMA_ISAS[0]][k]}
    assert not differing


@pytest.mark.skipif(not FMA_ISAS, reason="this processor has no FMA")
def test_recorded_hashes(hashes):
    recorded = json.loads((TESTS / "data" / "hashes.json").read_text())
    assert set(recorded) == set(hashes[FMA_ISAS[-1]])
    assert {k for k, digest in recorded.items() if digest != hashes[FMA_ISAS[-1]][k]} == set()


def test_accuracy_without_fma():
    """All instruction sets with FMA give the same bits, so that they share one test of accuracy, in this process or in
    another; those without it have theirs."""
    here = closs.config()["isa"]
    others = [isa for isa in ISAS if (isa in FMA_ISAS) != (here in FMA_ISAS)]
    if not others:
        pytest.skip(f"all of {ISAS} give the same bits as {here}, whose accuracy test_oracle.py tests")
    print(
        run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "test_oracle.py", CLOSS_ISA=others[-1])
    )
