"""Parity with Apache MXNet 1.9.1's gluon.loss, on every recorded call of the losses that closs has.

data/gluon_1_9_1.npz holds, for each case, the arrays of the call, the loss, and what backward() left in the gradients;
its entry ``cases`` tells class, constructor and arguments.
"""

import json

import numpy as np
import pytest
from helpers import TESTS

import closs

RECORDED = np.load(TESTS / "data" / "gluon_1_9_1.npz")
CASES = [case for case in json.loads(str(RECORDED["cases"])) if hasattr(closs, case["cls"])]

#: MXNet's own rounding: its formulas lose a few digits where closs does not.
RELATIVE = {"float32": 2e-5, "float64": 1e-12}


def test_all_eight_are_recorded():
    counts = {case["cls"] for case in CASES}
    assert counts == {cls for cls in closs.__all__ if cls.endswith("Loss")} - {"SigmoidBCELoss"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case):
    arrays = {key: RECORDED[f"{case['name']}/{key}"] for key in case["args"] + case["kwargs"] + ["loss", "grad_pred"]}
    # 1.9.1's PoissonNLLLoss returns one mean over everything
    reduction = "mean" if case["cls"] == "PoissonNLLLoss" else "sample_mean"
    loss = getattr(closs, case["cls"])(**case["ctor"], reduction=reduction)

    value, grad = loss.value_and_grad(*(arrays[k] for k in case["args"]), **{k: arrays[k] for k in case["kwargs"]})

    pred = arrays["pred"]
    assert (grad.dtype, grad.shape) == (pred.dtype, pred.shape)
    close = {"rtol": RELATIVE[pred.dtype.name], "atol": RELATIVE[pred.dtype.name] / 10}
    np.testing.assert_allclose(np.atleast_1d(value), arrays["loss"], **close)
    np.testing.assert_allclose(grad * pred.size, arrays["grad_pred"] * pred.size, **close)  # of the order of 1
