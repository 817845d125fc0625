"""closs through ctypes: one call of the C API, with a weight for each sample, from the table of addresses."""

import ctypes

import numpy as np

from closs import capi


def main():
    pred = np.array([[0.5, 3.0], [-1.0, 0.0]])
    label = np.zeros_like(pred)
    weight = np.array([1.0, 2.0])
    value, grad = np.empty(2), np.empty_like(pred)
    args = capi.closs_elementwise_f64(
        batch=2,
        inner=2,
        pred=pred.ctypes.data,
        label=label.ctypes.data,
        sample_weight=capi.closs_broadcast_f64(data=weight.ctypes.data, repeat=2),
        value=value.ctypes.data,
        grad=grad.ctypes.data,
    )
    capi.check(capi.function("closs_huber_f64")(ctypes.byref(args), 1.0))
    print("value", value.tolist(), "grad", grad.tolist())
    return value, grad


if __name__ == "__main__":
    main()
