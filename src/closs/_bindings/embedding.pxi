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


cdef int check_shape(const char *name, const Py_ssize_t *shape, const Py_ssize_t *first, int axes) except -1 nogil:
    """An array is as long as a function's first one, along the axes that they share."""
    cdef int k
    for k in range(axes):
        if shape[k] != first[k]:
            with gil:
                raise ValueError(f"{name.decode()}: expected length {first[k]} along axis {k}, as in the first array, "
                                 f"got {shape[k]}")
    return 0
