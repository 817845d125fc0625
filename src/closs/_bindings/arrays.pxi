# What the families share: flat arrays of either type, reductions, statuses as exceptions.

ctypedef fused real:
    float
    double

cdef enum:
    GIL_ELEMENTS = 4096  # from here on releasing the GIL (0.05 to 0.1 us) is worth it

REDUCTIONS = ("sample_mean", "sample_sum", "none", "mean", "sum", "weighted_mean")


class BadLabel(ValueError):
    """A label that is out of range: ``args`` are its position and itself."""


cdef void *start(const real[::1] array) noexcept:
    return NULL if array is None else <void *>&array[0]


cdef inline bint is_held(double weight, bint is_float) noexcept:
    """Whether a weight is a number of the type, as the core asks: cpu/reduce.h tells why not one that rounds to 0."""
    return not is_float or (abs(weight) <= FLT_MAX and (<float>weight != 0 or weight == 0))


cdef int succeed(closs_status status, const closs_bad_label *bad, double weight, bint is_float) except -1:
    """0, or the exception that says what a status says."""
    if status == CLOSS_OK:
        return 0
    if status == CLOSS_BAD_PARAMETER and not is_held(weight, is_float):
        raise ValueError(f"weight: expected a number that float32 can hold, got {weight}")
    if status == CLOSS_BAD_LABEL:
        raise BadLabel(bad.position, bad.label)
    if status == CLOSS_NO_MEMORY:
        raise MemoryError("closs: out of memory")
    raise ValueError(f"closs: {closs_status_string(status).decode()}")


cdef inline bint is_plain(object array, int type_number) noexcept:
    """An ndarray itself (no subclass), C-contiguous, aligned, in native byte order, of that type."""
    return (type(array) is cnp.ndarray and cnp.PyArray_TYPE(array) == type_number
            and cnp.PyArray_ISCARRAY_RO(array))


cdef inline bint same_shape(cnp.ndarray a, cnp.ndarray b) noexcept:
    cdef int ndim = cnp.PyArray_NDIM(a)  # without axes the lists are NULL, which memcmp must not get
    return ndim == cnp.PyArray_NDIM(b) and (ndim == 0 or memcmp(
        cnp.PyArray_DIMS(a), cnp.PyArray_DIMS(b), ndim * sizeof(cnp.npy_intp)) == 0)


cdef inline int computed_type(object array) noexcept:
    """NPY_FLOAT or NPY_DOUBLE if it is a plain array of that type, else NPY_NOTYPE."""
    if is_plain(array, cnp.NPY_FLOAT):
        return cnp.NPY_FLOAT
    return cnp.NPY_DOUBLE if is_plain(array, cnp.NPY_DOUBLE) else cnp.NPY_NOTYPE


cdef object gradient_like(cnp.ndarray pred, object given):
    """A new array, or the given one if it is plain, writeable, and of pred's type and shape; else NotImplemented."""
    cdef int type_number = cnp.PyArray_TYPE(pred)
    if given is None:
        return cnp.PyArray_EMPTY(cnp.PyArray_NDIM(pred), cnp.PyArray_DIMS(pred), type_number, 0)
    if is_plain(given, type_number) and cnp.PyArray_ISWRITEABLE(given) and same_shape(pred, given):
        return given
    return NotImplemented


cdef inline int64_t product(const cnp.npy_intp *lengths, int count) noexcept:
    cdef int64_t result = 1
    cdef int k
    for k in range(count):
        result *= lengths[k]
    return result
