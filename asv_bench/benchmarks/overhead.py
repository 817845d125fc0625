"""What a call costs before it computes anything."""

import numpy as np

import closs


class SmallCall:
    params = [1, 32]
    param_names = ("n",)

    def setup(self, n):
        rng = np.random.default_rng(0)
        self.pred, self.label, self.weight = rng.standard_normal((3, n), np.float32)
        self.lists = self.pred.tolist(), self.label.tolist()
        self.grad = np.empty_like(self.pred)
        self.loss = closs.L2Loss(reduction="mean")

    def time_value(self, n):
        self.loss(self.pred, self.label)

    def time_grad_out(self, n):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_fresh(self, n):
        self.loss.value_and_grad(self.pred, self.label)

    def time_sample_weight(self, n):
        self.loss.value_and_grad(self.pred, self.label, self.weight, grad_out=self.grad)

    def time_lists(self, n):
        self.loss.value_and_grad(*self.lists)

    def time_numpy(self, n):
        """For comparison: NumPy's two lines."""
        r = self.pred - self.label
        return 0.5 * (r * r).mean(), r / n


class SmallCallOfFamily:
    """Value and gradients of a few rows, of each family beside the elementwise losses."""

    params = ["SoftmaxCE", "Triplet", "CosineEmbedding", "SDML", "CTC"]
    param_names = ("loss",)

    def setup(self, loss):
        rng = np.random.default_rng(0)
        x, y, z = rng.standard_normal((3, 8, 10), np.float32)
        classes, signs = rng.integers(0, 9, (8, 2)), np.sign(z[:, 0])
        self.arguments, self.call = {
            "SoftmaxCE": ((x, classes[:, 0].copy()), closs.SoftmaxCELoss()),
            "Triplet": ((x, y, z), closs.TripletLoss()),
            "CosineEmbedding": ((x, y, signs), closs.CosineEmbeddingLoss()),
            "SDML": ((x, y), closs.SDMLLoss()),
            "CTC": ((rng.standard_normal((8, 4, 10), np.float32), classes), closs.CTCLoss()),
        }[loss]

    def time_value_and_grad(self, loss):
        self.call.value_and_grad(*self.arguments)
