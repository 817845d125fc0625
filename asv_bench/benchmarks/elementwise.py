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
    "Logistic": (closs.LogisticLoss, {"label_format": "binary"}),
    "LogisticSigned": (closs.LogisticLoss, {}),
    "PoissonNLL": (closs.PoissonNLLLoss, {}),
    "PoissonNLLFull": (closs.PoissonNLLLoss, {"compute_full": True}),
    "PoissonRateNLL": (closs.PoissonNLLLoss, {"from_logits": False}),
    "PoissonRateNLLFull": (closs.PoissonNLLLoss, {"from_logits": False, "compute_full": True}),
    "KLDiv": (closs.KLDivLoss, {}),
}
SIZES = [32, 10_000, 1_000_000, 16_000_000]


def make(loss, reduction, **options):
    cls, own = LOSSES[loss]
    return cls(**own, **options, reduction=reduction)


def data(loss, shape, dtype):
    """Predictions and labels: probabilities and rates for the losses that want them, labels 0 and 1."""
    rng = np.random.default_rng(0)
    if loss in ("BCE", "PoissonRateNLL", "PoissonRateNLLFull"):
        pred = rng.random(shape, np.float32) * 0.98 + 0.01
    else:
        pred = rng.standard_normal(shape, np.float32)
    return pred.astype(dtype), rng.integers(0, 2, shape, np.int8).astype(dtype)


class ValueAndGrad:
    """reduction="mean", gradient into a given array."""

    params = (list(LOSSES), SIZES, ["float32"])
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
    """reduction="sample_mean" over rows; value and gradient in new arrays."""

    params = (list(LOSSES), [(32, 1), (1000, 10), (100_000, 10), (16_000, 1000)])
    param_names = ("loss", "shape")

    def setup(self, loss, shape):
        self.pred, self.label = data(loss, shape, "float32")
        self.loss = make(loss, "sample_mean")

    def time_value_and_grad(self, loss, shape):
        self.loss.value_and_grad(self.pred, self.label)


class Rows:
    """A million elements in many rows or few, the batch in front and at the end, without weights and with one a row."""

    params = (["L2", "SigmoidBCE"], [1_000_000, 100_000, 1000, 10, 1], [0, 1])
    param_names = ("loss", "rows", "batch_axis")

    def setup(self, loss, rows, batch_axis):
        shape = (rows, 1_000_000 // rows)
        self.pred, self.label = data(loss, shape, "float32")
        self.weight = np.linspace(0, 1, rows, dtype="float32")[:, None]
        self.grad = np.empty_like(self.pred)
        self.loss = make(loss, "sample_mean", batch_axis=batch_axis)

    def time_value_and_grad(self, loss, rows, batch_axis):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_with_sample_weight(self, loss, rows, batch_axis):
        self.loss.value_and_grad(self.pred, self.label, self.weight, grad_out=self.grad)


class Memory:
    """Three arrays of 16 MB, which setup made; the call itself allocates nothing."""

    params = (list(LOSSES),)
    param_names = ("loss",)

    def setup(self, loss):
        self.pred, self.label = data(loss, 4_000_000, "float32")
        self.grad = np.empty_like(self.pred)
        self.loss = make(loss, "mean")

    def peakmem_value_and_grad(self, loss):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)
