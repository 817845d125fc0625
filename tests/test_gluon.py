"""Parity with Apache MXNet 1.9.1's gluon.loss, on every recorded call of the losses that closs has.

data/gluon_1_9_1.npz holds, for each case, the arrays of the call, the loss, and what backward() left in the gradients;
its entry ``cases`` tells class, constructor and arguments. CTCLoss's are in test_ctc.py.
"""

import json

import numpy as np
import pytest
from helpers import TESTS

import closs

RECORDED = np.load(TESTS / "data" / "gluon_1_9_1.npz")
CASES = [
    case for case in json.loads(str(RECORDED["cases"])) if hasattr(closs, case["cls"]) and case["cls"] != "CTCLoss"
]

#: MXNet's own rounding: its formulas lose a few digits where closs does not; its divergence adds 1e-12 to the label.
RELATIVE = {"float32": 2e-5, "float64": 1e-12}
RELATIVE_OF_DIVERGENCE = {"float32": 2e-5, "float64": 1e-8}
#: Where 1.9.1 reduces otherwise than Gluon 2.0: one mean over everything, the sum over a sample.
REDUCTIONS = {"PoissonNLLLoss": "mean", "KLDivLoss": "sample_sum"}


def test_all_are_recorded():
    counts = {case["cls"] for case in CASES}
    assert counts == {cls for cls in closs.__all__ if cls.endswith("Loss")} - {
        "SigmoidBCELoss",
        "SoftmaxCELoss",
        "CTCLoss",
    }


def assert_close(got, expected, bound: float) -> None:
    """Relative to each number, or to the largest one: MXNet subtracts what closs keeps apart."""
    np.testing.assert_allclose(got, expected, rtol=bound, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case):
    gradients = [f"grad_{name}" for name in case["wrt"]]
    names = case["args"] + case["kwargs"] + ["loss", *gradients]
    arrays = {name: RECORDED[f"{case['name']}/{name}"] for name in names}
    loss = getattr(closs, case["cls"])(**case["ctor"], reduction=REDUCTIONS.get(case["cls"], "sample_mean"))

    value, grad = loss.value_and_grad(*(arrays[k] for k in case["args"]), **{k: arrays[k] for k in case["kwargs"]})

    bound = (RELATIVE_OF_DIVERGENCE if case["cls"] == "KLDivLoss" else RELATIVE)[arrays[case["wrt"][0]].dtype.name]
    # 1.9.1's CosineEmbeddingLoss has shape (N, 1)
    assert_close(np.atleast_1d(value), arrays["loss"].reshape(np.atleast_1d(value).shape), bound)
    for name, got in zip(case["wrt"], grad if isinstance(grad, tuple) else (grad,), strict=True):
        pred = arrays[name]
        assert (got.dtype, got.shape) == (pred.dtype, pred.shape)
        assert_close(got, arrays[f"grad_{name}"], bound)
