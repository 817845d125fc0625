# cython: language_level=3, boundscheck=False, wraparound=False
cimport closs
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset

import numpy as np


def huber_of_rows(const float[::1] pred, const float[::1] label, const Py_ssize_t[::1] starts, float rho=1):
    """Sum of the Huber loss of each row, and the gradient. Row k is the elements from starts[k] to starts[k + 1]."""
    cdef Py_ssize_t rows = starts.shape[0] - 1, k, a, b
    sums = np.empty(rows)
    grad = np.empty(pred.shape[0], dtype=np.float32)
    cdef double[::1] sums_of = sums
    cdef float[::1] grad_of = grad
    if rows < 0 or starts[0] < 0 or starts[rows] > pred.shape[0] or np.any(np.diff(starts) < 0):
        raise ValueError("starts: expected ascending positions within pred")
    for k in prange(rows, nogil=True, schedule="dynamic", chunksize=16):
        a = starts[k]
        b = starts[k + 1]
        sums_of[k] = closs.huber_f32(pred[a:b], label[a:b], grad_of[a:b], closs.CLOSS_SUM, rho)
    return sums, grad


def softplus_sum(const double[::1] x not None):
    """The sum of log(1 + exp(x)), straight from the C API: binary cross-entropy against labels that are all 0."""
    cdef closs.closs_elementwise_f64 args
    cdef closs.closs_status status
    cdef double total = 0
    zeros = np.zeros(x.shape[0])
    cdef double[::1] label = zeros
    memset(&args, 0, sizeof(args))  # not closs_elementwise_f64(batch=...): Cython sets only the fields that it names
    args.batch = 1
    args.inner = x.shape[0]
    args.pred = &x[0]
    args.label = &label[0]
    args.reduction = closs.CLOSS_SUM
    args.total = &total
    with nogil:
        status = closs.closs_sigmoid_bce_f64(&args, NULL)
    if status != closs.CLOSS_OK:
        raise ValueError(closs.closs_status_string(status).decode())
    return total


def cross_entropy(const float[:, ::1] logits not None, const int64_t[::1] label not None):
    """Mean softmax cross-entropy and its gradient."""
    grad = np.empty((logits.shape[0], logits.shape[1]), dtype=np.float32)
    cdef float[:, ::1] grad_of = grad
    cdef double mean
    with nogil:
        mean = closs.softmax_ce_f32(logits, label, grad_of, closs.CLOSS_MEAN)
    return mean, grad


def library_threads():
    """What closs.set_num_threads was given, as this module sees it."""
    return closs.closs_get_threads_setting()
