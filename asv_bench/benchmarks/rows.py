"""The losses of rows: over classes, and of vectors; value and gradient, value alone, and memory."""

import numpy as np

import closs


class Softmax:
    """reduction="mean" of classes in the last axis, gradient into a given array."""

    params = ([(64, 10), (8192, 2), (8192, 10), (8192, 32), (1024, 100), (1024, 1000), (256, 50257)],
              ["float32", "float64"])  # fmt: skip
    param_names = ("shape", "dtype")

    def setup(self, shape, dtype):
        rng = np.random.default_rng(0)
        self.pred = rng.standard_normal(shape).astype(dtype)
        self.label = rng.integers(0, shape[1], shape[0])
        self.dense = rng.random(shape).astype(dtype)
        self.grad = np.empty_like(self.pred)
        self.overwritten = self.pred.copy()
        self.loss = closs.SoftmaxCELoss(reduction="mean")
        self.smoothed = closs.SoftmaxCELoss(reduction="mean", label_smoothing=0.1)
        self.of_distributions = closs.SoftmaxCELoss(sparse_label=False, reduction="mean")
        self.divergence = closs.KLDivLoss(from_logits=False, reduction="mean")

    def time_value_and_grad(self, shape, dtype):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_in_place(self, shape, dtype):
        """From the second time on the logits are a gradient, small numbers."""
        self.loss.value_and_grad(self.overwritten, self.label, grad_out=self.overwritten)

    def time_value(self, shape, dtype):
        self.loss(self.pred, self.label)

    def time_label_smoothing(self, shape, dtype):
        self.smoothed.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_distributions(self, shape, dtype):
        self.of_distributions.value_and_grad(self.pred, self.dense, grad_out=self.grad)

    def time_kl_div(self, shape, dtype):
        self.divergence.value_and_grad(self.pred, self.dense, grad_out=self.grad)

    def peakmem_value_and_grad(self, shape, dtype):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)


class SoftmaxAxis:
    """Classes in front of the pixels of an image: nothing is transposed."""

    params = ([(8, 21, 128, 128), (2, 1000, 16, 16)], ["float32", "float64"])
    param_names = ("shape", "dtype")

    def setup(self, shape, dtype):
        rng = np.random.default_rng(0)
        self.pred = rng.standard_normal(shape, dtype)
        self.label = rng.integers(0, shape[1], (shape[0], *shape[2:]))
        self.grad = np.empty_like(self.pred)
        self.loss = closs.SoftmaxCELoss(axis=1, reduction="mean")

    def time_value_and_grad(self, shape, dtype):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)


class Metric:
    """reduction="mean" of vectors, gradients into given arrays."""

    params = ([(1024, 8), (65536, 128)], ["float32", "float64"])
    param_names = ("shape", "dtype")

    def setup(self, shape, dtype):
        rng = np.random.default_rng(0)
        self.arrays = [rng.standard_normal(shape).astype(dtype) for _ in range(3)]
        self.grads = tuple(np.empty_like(a) for a in self.arrays)
        self.signs = 2.0 * rng.integers(0, 2, shape[0]) - 1
        self.triplet = closs.TripletLoss(reduction="mean")
        self.cosine = closs.CosineEmbeddingLoss(reduction="mean")

    def time_triplet(self, shape, dtype):
        self.triplet.value_and_grad(*self.arrays, grad_out=self.grads)

    def time_cosine(self, shape, dtype):
        self.cosine.value_and_grad(*self.arrays[:2], self.signs, grad_out=self.grads[:2])


class SDML:
    """reduction="mean" of pairs of vectors, gradients into given arrays, and into new ones."""

    params = ([10, 100, 1000], ["float32", "float64"])
    param_names = ("rows", "dtype")

    def setup(self, rows, dtype):
        rng = np.random.default_rng(0)
        self.pair = [rng.standard_normal((rows, 128), dtype) for _ in range(2)]
        self.grads = tuple(np.empty_like(a) for a in self.pair)
        self.loss = closs.SDMLLoss(reduction="mean")

    def time_value_and_grad(self, rows, dtype):
        self.loss.value_and_grad(*self.pair, grad_out=self.grads)

    def time_fresh(self, rows, dtype):
        self.loss.value_and_grad(*self.pair)

    def time_value(self, rows, dtype):
        self.loss(*self.pair)

    def peakmem_value_and_grad(self, rows, dtype):
        self.loss.value_and_grad(*self.pair, grad_out=self.grads)
