"""CTC: value and gradient, value alone, decoding; few classes and many, one sample and a batch."""

import numpy as np

import closs


class CTC:
    """reduction="mean" of (N, T, C) logits and labels of length S, gradient into a given array."""

    params = ([(16, 400, 30, 80), (16, 400, 1000, 80), (16, 400, 8000, 80), (32, 150, 40, 30), (1, 400, 1000, 80),
               (1, 150, 40, 30), (2, 4000, 30, 400)], ["float32", "float64"])  # fmt: skip
    param_names = ("shape", "dtype")

    def setup(self, shape, dtype):
        rng = np.random.default_rng(0)
        samples, frames, classes, labels = shape
        self.pred = rng.standard_normal((samples, frames, classes)).astype(dtype)
        self.label = rng.integers(0, classes - 1, (samples, labels))
        self.grad = np.empty_like(self.pred)
        self.frames_first = np.ascontiguousarray(self.pred.transpose(1, 0, 2))
        self.grad_of_frames_first = np.empty_like(self.frames_first)
        self.loss = closs.CTCLoss(reduction="mean")
        self.loss_of_frames_first = closs.CTCLoss("TNC", reduction="mean")

    def time_value_and_grad(self, shape, dtype):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_value(self, shape, dtype):
        self.loss(self.pred, self.label)

    def time_frames_first(self, shape, dtype):
        self.loss_of_frames_first.value_and_grad(self.frames_first, self.label, grad_out=self.grad_of_frames_first)

    def time_greedy_decode(self, shape, dtype):
        closs.ctc_greedy_decode(self.pred)

    def peakmem_value_and_grad(self, shape, dtype):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)
