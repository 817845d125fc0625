"""The elementwise losses: value and gradient, value alone, small and large, and their memory."""

import numpy as np

import closs

#: How each loss is constructed; names are the benchmark's parameter.
LOSSES = {
    "L1": (closs.L1Loss, {}),
    "L2": (closs.L2Loss, {}),
    "Huber": (closs.HuberLoss, {}),
    "SigmoidBCE": (closs.SigmoidBCELoss, {}),
    "BCE": (closs.SigmoidBCELoss, {"from_sigmoid": True}),
    "Hinge": (closs.HingeLoss, {}),
    "SquaredHinge": (closs.SquaredHingeLoss, {}),
    "Logistic": (closs.LogisticLoss, {}),
    "PoissonNLL": (closs.PoissonNLLLoss, {}),
    "PoissonRateNLL": (closs.PoissonNLLLoss, {"from_logits": False}),
}


def make(loss, reduction, **options):
    cls, own = LOSSES[loss]
    return cls(**own, **options, reduction=reduction)


def data(loss, shape, dtype):
    """Predictions and labels: probabilities and rates for the losses that want them, labels 0 and 1."""
    rng = np.random.default_rng(0)
    pred = rng.normal(size=shape)
    if loss in ("BCE", "PoissonRateNLL"):
        pred = rng.uniform(0.01, 0.99, size=shape)
    return pred.astype(dtype), rng.integers(0, 2, size=shape).astype(dtype)


class ValueAndGrad:
    """reduction="mean", gradient into a given array."""

    params = (list(LOSSES), [32, 10_000, 1_000_000, 16_000_000], ["float32"])
    param_names = ("loss", "n", "dtype")

    def setup(self, loss, n, dtype):
        self.pred, self.label = data(loss, n, dtype)
        self.grad = np.empty_like(self.pred)
        self.loss = make(loss, "mean")

    def time_value_and_grad(self, loss, n, dtype):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_value(self, loss, n, dtype):
        self.loss(self.pred, self.label)


class Double(ValueAndGrad):
    params = (list(LOSSES), [1_000_000], ["float64"])


class FreshOutputs:
    """reduction="sample_mean" over rows; value and gradient in new arrays; the batch in front and at the end."""

    params = (["L2", "SigmoidBCE"], [(100_000, 10), (1000, 1000)], [0, 1])
    param_names = ("loss", "shape", "batch_axis")

    def setup(self, loss, shape, batch_axis):
        self.pred, self.label = data(loss, shape, "float32")
        self.weight = np.linspace(0, 1, shape[0], dtype="float32")[:, None]
        self.loss = make(loss, "sample_mean", batch_axis=batch_axis)

    def time_value_and_grad(self, loss, shape, batch_axis):
        self.loss.value_and_grad(self.pred, self.label)

    def time_with_sample_weight(self, loss, shape, batch_axis):
        self.loss.value_and_grad(self.pred, self.label, self.weight)


class Memory:
    """Nothing is allocated but the outputs."""

    params = ["L2", "SigmoidBCE"]
    param_names = ("loss",)

    def setup(self, loss):
        self.pred, self.label = data(loss, 4_000_000, "float32")
        self.grad = np.empty_like(self.pred)
        self.loss = make(loss, "mean")

    def peakmem_value_and_grad(self, loss):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)
