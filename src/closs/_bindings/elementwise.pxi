# The elementwise family: arrays into the argument struct of closs.h.
#
# Two ways in. `run_elementwise` takes typed memoryviews, flat and contiguous, as _arrays.py prepares them from whatever
# the user passed. `try_elementwise` takes NumPy arrays that need no preparation, the common case, without acquiring a
# buffer of each (0.1 to 0.2 us a memoryview, a third of a small call), and declines everything else.

ctypedef fused elementwise_args:
    closs_elementwise_f32
    closs_elementwise_f64

cdef class ElementwiseSpec:
    """What a loss object has decided once: which loss, its parameter, weight, batch axis and reduction."""

    cdef readonly str name
    cdef readonly int loss
    cdef readonly bint has_parameter
    cdef readonly int batch_axis
    cdef closs_reduction reduction
    cdef double weight
    cdef double wide_parameter
    cdef float narrow_parameter

    def __init__(self, str name not None, parameter, double weight, int batch_axis, str reduction not None):
        self.name = name
        self.loss = closs_elementwise_find(name.encode())
        if self.loss < 0:
            raise ValueError(f"unknown loss {name!r}")
        self.has_parameter = parameter is not None
        self.wide_parameter = parameter if self.has_parameter else 0
        self.narrow_parameter = <float>self.wide_parameter
        self.weight = weight
        self.batch_axis = batch_axis
        self.reduction = <closs_reduction><int>REDUCTIONS.index(reduction)

    def __reduce__(self):
        parameter = self.wide_parameter if self.has_parameter else None
        return ElementwiseSpec, (self.name, parameter, self.weight, self.batch_axis, REDUCTIONS[self.reduction])

    @property
    def has_total(self) -> bool:
        """Whether the reduction gives one number for the whole array."""
        return self.reduction >= CLOSS_MEAN

    @property
    def is_unreduced(self) -> bool:
        return self.reduction == CLOSS_NONE


cdef closs_status launch(elementwise_args *args, ElementwiseSpec spec, int64_t outer, int64_t batch, int64_t inner,
                         const void *pred, const void *label,
                         const void *sample_weight, int64_t weight_repeat, int64_t weight_period,
                         const void *parameter, int64_t parameter_repeat, int64_t parameter_period,
                         const void *grad_output, void *value, void *grad, double *total):
    """Fills the struct and calls. A parameter of the spec stands in for one that is NULL."""
    cdef closs_broadcast_f32 narrow
    cdef closs_broadcast_f64 wide
    cdef int loss = spec.loss
    memset(args, 0, sizeof(args[0]))  # the reserved fields
    args.outer = outer
    args.batch = batch
    args.inner = inner
    args.pred = pred
    args.label = label
    args.sample_weight.data = sample_weight
    args.sample_weight.repeat = weight_repeat
    args.sample_weight.period = weight_period
    args.weight = &spec.weight
    args.grad_output = grad_output
    args.reduction = spec.reduction
    args.value = value
    args.grad = grad
    args.total = total if spec.reduction >= CLOSS_MEAN else NULL
    if parameter == NULL and spec.has_parameter:
        parameter_period = 1
        if elementwise_args is closs_elementwise_f32:
            parameter = &spec.narrow_parameter
        else:
            parameter = &spec.wide_parameter
    if elementwise_args is closs_elementwise_f32:
        narrow.data = parameter
        narrow.repeat = parameter_repeat
        narrow.period = parameter_period
        if outer * batch * inner < GIL_ELEMENTS:
            return closs_elementwise_run_f32(loss, args, &narrow)
        with nogil:
            return closs_elementwise_run_f32(loss, args, &narrow)
    else:
        wide.data = parameter
        wide.repeat = parameter_repeat
        wide.period = parameter_period
        if outer * batch * inner < GIL_ELEMENTS:
            return closs_elementwise_run_f64(loss, args, &wide)
        with nogil:
            return closs_elementwise_run_f64(loss, args, &wide)


def run_elementwise(ElementwiseSpec spec not None, tuple shape not None, const real[::1] pred not None,
                    const real[::1] label not None, const real[::1] sample_weight, tuple weight_steps not None,
                    const real[::1] parameter, tuple parameter_steps not None,
                    const real[::1] grad_output, real[::1] value, real[::1] grad):
    """One call on arrays that are ready: flat, contiguous, of one type; None for what is absent.

    shape is (outer, batch, inner), steps are (repeat, period) as in closs.h. Returns the total of a whole reduction,
    which means nothing for the others.
    """
    cdef closs_elementwise_f32 narrow
    cdef closs_elementwise_f64 wide
    cdef closs_status status
    cdef double total = 0
    cdef int64_t outer = shape[0], batch = shape[1], inner = shape[2]
    cdef int64_t weight_repeat = weight_steps[0], weight_period = weight_steps[1]
    cdef int64_t parameter_repeat = parameter_steps[0], parameter_period = parameter_steps[1]
    if real is float:
        status = launch(&narrow, spec, outer, batch, inner, start(pred), start(label),
                        start(sample_weight), weight_repeat, weight_period,
                        start(parameter), parameter_repeat, parameter_period,
                        start(grad_output), start(value), start(grad), &total)
    else:
        status = launch(&wide, spec, outer, batch, inner, start(pred), start(label),
                        start(sample_weight), weight_repeat, weight_period,
                        start(parameter), parameter_repeat, parameter_period,
                        start(grad_output), start(value), start(grad), &total)
    if status == CLOSS_BAD_PARAMETER and is_held(spec.weight, real is float):
        # the spec's own parameter, in range for Python, not for C: 1e-50 is 0 in float
        name = closs_elementwise_parameter(spec.loss).decode()
        raise ValueError(f"{name}: expected a number that {'float32' if real is float else 'float64'} can hold, "
                         f"got {spec.wide_parameter}")
    succeed(status, NULL, spec.weight, real is float)
    return total


def try_elementwise(ElementwiseSpec spec not None, pred, label, grad_out, bint want_value, bint want_grad):
    """(value or None, gradient or None), or None where an array needs preparation or something is wrong.

    pred and label have to be plain arrays of one shape and type, grad_out such an array or None.
    """
    cdef closs_elementwise_f32 narrow
    cdef closs_elementwise_f64 wide
    cdef closs_status status
    cdef double total = 0
    cdef int type_number, ndim, axis
    cdef int64_t outer, batch, inner
    cdef cnp.npy_intp *dims
    cdef void *value_data = NULL
    cdef void *grad_data = NULL
    cdef object value = None

    type_number = computed_type(pred)
    if type_number == cnp.NPY_NOTYPE or not is_plain(label, type_number) or not same_shape(pred, label):
        return None
    ndim = cnp.PyArray_NDIM(pred)
    axis = spec.batch_axis + ndim if spec.batch_axis < 0 else spec.batch_axis
    if axis < 0 or axis >= ndim:
        return None
    dims = cnp.PyArray_DIMS(pred)
    outer, batch, inner = product(dims, axis), dims[axis], product(dims + axis + 1, ndim - axis - 1)
    if outer == 0:
        return None

    if want_grad:
        grad_out = gradient_like(pred, grad_out)
        if grad_out is NotImplemented:
            return None
        grad_data = cnp.PyArray_DATA(grad_out)
    if want_value and spec.reduction < CLOSS_MEAN:
        if spec.reduction == CLOSS_NONE:
            value = cnp.PyArray_EMPTY(ndim, dims, type_number, 0)
        else:
            value = cnp.PyArray_EMPTY(1, dims + axis, type_number, 0)
        value_data = cnp.PyArray_DATA(value)

    if type_number == cnp.NPY_FLOAT:
        status = launch(&narrow, spec, outer, batch, inner, cnp.PyArray_DATA(pred), cnp.PyArray_DATA(label),
                        NULL, 0, 0, NULL, 0, 0, NULL, value_data, grad_data, &total)
    else:
        status = launch(&wide, spec, outer, batch, inner, cnp.PyArray_DATA(pred), cnp.PyArray_DATA(label),
                        NULL, 0, 0, NULL, 0, 0, NULL, value_data, grad_data, &total)
    if status != CLOSS_OK:
        return None
    if want_value and spec.reduction >= CLOSS_MEAN:
        value = total
    return value, grad_out
