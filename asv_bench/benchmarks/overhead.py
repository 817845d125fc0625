"""What a call costs before it computes anything."""

import numpy as np

import closs


class SmallCall:
    params = [1, 32]
    param_names = ("n",)

    def setup(self, n):
        self.pred, self.label = np.ones(n, "float32"), np.zeros(n, "float32")
        self.grad = np.empty_like(self.pred)
        self.weight = np.ones(n, "float32")
        self.loss = closs.L2Loss(reduction="mean")

    def time_grad_out(self, n):
        self.loss.value_and_grad(self.pred, self.label, grad_out=self.grad)

    def time_fresh(self, n):
        self.loss.value_and_grad(self.pred, self.label)

    def time_sample_weight(self, n):
        self.loss.value_and_grad(self.pred, self.label, self.weight, grad_out=self.grad)

    def time_lists(self, n):
        self.loss.value_and_grad([1.0] * n, [0.0] * n)
