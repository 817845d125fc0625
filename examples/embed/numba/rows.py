"""closs inside Numba: the Huber loss of each row, in a compiled parallel loop.

The C function takes one struct, here an element of a NumPy array of the struct's type. Addresses of arrays are numbers
for Numba: the arrays are arguments of the function, so that they live until it returns. And an address says nothing of
types and strides: the signature does, and Numba refuses whatever else comes.
"""

import numba
import numpy as np

from closs import capi

huber = capi.function("closs_huber_f32")
Args = np.dtype(capi.closs_elementwise_f32)
SUM = int(capi.CLOSS_SUM)
Rows = numba.float32[:, ::1]


@numba.njit(
    numba.int64(Rows, Rows, numba.float32, numba.from_dtype(Args)[::1], numba.float64[::1], Rows), parallel=True
)
def huber_of_rows(pred, label, rho, args, sums, grad):
    """Fills sums and grad. args: zeros, an argument struct for each row. Returns the largest status of all."""
    if label.shape != pred.shape or grad.shape != pred.shape or not len(pred) == len(sums) == len(args):
        raise ValueError("expected pred, label and grad of one shape, and sums and args of its length")
    status = 0
    for k in numba.prange(pred.shape[0]):
        a = args[k]
        a.batch = 1
        a.inner = pred.shape[1]
        a.pred = pred[k].ctypes.data
        a.label = label[k].ctypes.data
        a.grad = grad[k].ctypes.data
        a.reduction = SUM
        a.total = sums[k:].ctypes.data
        status = max(status, huber(args[k:].ctypes.data, rho))
    return status


def main(rho=1.0):
    rng = np.random.default_rng(0)
    pred = rng.normal(size=(1000, 64)).astype(np.float32)
    label = np.zeros_like(pred)
    sums, grad = np.empty(len(pred)), np.empty_like(pred)
    capi.check(huber_of_rows(pred, label, np.float32(rho), np.zeros(len(pred), Args), sums, grad))
    print(f"{len(pred)} rows, sum {sums.sum():.6f}, sum of squared slopes {np.vdot(grad, grad):.6f}")
    return pred, sums, grad


if __name__ == "__main__":
    main()
