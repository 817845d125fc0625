# For those who call the C API past Python: the capsule, and what the functions of views.pxi share.
from cpython.pycapsule cimport PyCapsule_New

C_API = PyCapsule_New(<void *>c_api.closs_get_api(), "closs._core.C_API", NULL)


def function_addresses() -> dict[str, int]:
    """The capsule's table."""
    cdef const c_api.closs_api *api = c_api.closs_get_api()
    return {api.entries[k].name.decode(): <size_t>api.entries[k].function for k in range(api.count)}


cdef int check(c_api.closs_status status) except -1 nogil:
    if status == c_api.CLOSS_OK:
        return 0
    with gil:
        raise ValueError(f"closs: {c_api.closs_status_string(status).decode()}")


cdef int check_lengths(Py_ssize_t pred, Py_ssize_t label, Py_ssize_t grad) except -1 nogil:
    if pred == label and (grad < 0 or pred == grad):
        return 0
    with gil:
        raise ValueError(f"pred and label: expected one length (and grad, if any), got {pred} and {label} ({grad})")


cdef int fill_f32(c_api.closs_elementwise_f32 *args, const float[::1] pred, const float[::1] label, float[::1] grad,
                  c_api.closs_reduction reduction, double *total) except -1 nogil:
    check_lengths(pred.shape[0], label.shape[0], -1 if grad is None else grad.shape[0])
    memset(args, 0, sizeof(args[0]))
    args.batch = 1
    args.inner = pred.shape[0]
    args.pred = &pred[0]
    args.label = &label[0]
    args.grad = NULL if grad is None else &grad[0]
    args.reduction = reduction
    args.total = total
    return 0


cdef int fill_f64(c_api.closs_elementwise_f64 *args, const double[::1] pred, const double[::1] label, double[::1] grad,
                  c_api.closs_reduction reduction, double *total) except -1 nogil:
    check_lengths(pred.shape[0], label.shape[0], -1 if grad is None else grad.shape[0])
    memset(args, 0, sizeof(args[0]))
    args.batch = 1
    args.inner = pred.shape[0]
    args.pred = &pred[0]
    args.label = &label[0]
    args.grad = NULL if grad is None else &grad[0]
    args.reduction = reduction
    args.total = total
    return 0


cdef int fill_softmax_f32(c_api.closs_softmax_f32 *args, const float[:, ::1] pred, Py_ssize_t labels,
                          Py_ssize_t width, float[:, ::1] grad, c_api.closs_reduction reduction,
                          double *total) except -1 nogil:
    check_lengths(pred.shape[0], labels, -1 if grad is None else grad.shape[0])
    check_lengths(pred.shape[1], width, -1 if grad is None else grad.shape[1])
    memset(args, 0, sizeof(args[0]))
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.pred = &pred[0, 0]
    args.grad = NULL if grad is None else &grad[0, 0]
    args.reduction = reduction
    args.total = total
    return 0


cdef int fill_softmax_f64(c_api.closs_softmax_f64 *args, const double[:, ::1] pred, Py_ssize_t labels,
                          Py_ssize_t width, double[:, ::1] grad, c_api.closs_reduction reduction,
                          double *total) except -1 nogil:
    check_lengths(pred.shape[0], labels, -1 if grad is None else grad.shape[0])
    check_lengths(pred.shape[1], width, -1 if grad is None else grad.shape[1])
    memset(args, 0, sizeof(args[0]))
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.pred = &pred[0, 0]
    args.grad = NULL if grad is None else &grad[0, 0]
    args.reduction = reduction
    args.total = total
    return 0
