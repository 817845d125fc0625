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


cdef int check_class(c_api.closs_status status, const c_api.closs_bad_label *bad, int64_t classes) except -1 nogil:
    if status == c_api.CLOSS_BAD_LABEL:
        with gil:
            raise ValueError(f"label[{bad.position}] = {bad.label} is outside 0..{classes - 1}")
    return check(status)


cdef int check_sign(c_api.closs_status status, const c_api.closs_bad_label *bad,
                    const real[::1] label) except -1 nogil:
    if status == c_api.CLOSS_BAD_LABEL:
        with gil:
            raise ValueError(f"label[{bad.position}] = {label[bad.position]} is neither 1 nor -1")
    return check(status)


cdef int check_ctc(c_api.closs_status status, const c_api.closs_ctc_bad *bad, int64_t time, int64_t classes,
                   int64_t width, int64_t blank) except -1 nogil:
    if status == c_api.CLOSS_BAD_LABEL:
        with gil:
            raise ValueError(f"label[{bad.sample}, {bad.position}] = {bad.value} is outside 0..{classes - 1}, "
                             f"or the blank, {blank}")
    if status == c_api.CLOSS_BAD_LENGTH:
        with gil:
            name, largest = (("pred_lengths", time), ("label_lengths", width))[bad.position]
            raise ValueError(f"{name}[{bad.sample}] = {bad.value} is outside 0..{largest}")
    if status == c_api.CLOSS_INFEASIBLE:
        with gil:
            raise ValueError(f"label: no path spells that of sample {bad.sample}, which needs {bad.position} frames "
                             f"of pred without a -inf on the way, got {bad.value}")
    return check(status)


cdef int check_given(const char *name, bint is_given) except -1 nogil:
    if not is_given:
        with gil:
            raise TypeError(f"{name.decode()}: expected an array, got None")
    return 0


cdef int check_shape(const char *name, const Py_ssize_t *shape, const Py_ssize_t *first, int axes) except -1 nogil:
    """An array is as long as a function's first one, along the axes that they share."""
    cdef int k
    for k in range(axes):
        if shape[k] != first[k]:
            with gil:
                raise ValueError(f"{name.decode()}: expected length {first[k]} along axis {k}, as in the first array, "
                                 f"got {shape[k]}")
    return 0
