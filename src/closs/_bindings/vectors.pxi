# The losses that compare vectors: arrays into the argument structs of closs.h. Two ways in, as for the elementwise
# losses.

ctypedef fused compared_args:
    closs_vectors_f32
    closs_vectors_f64
    closs_pairwise_f32
    closs_pairwise_f64

cdef enum VectorsLoss:
    TRIPLET
    COSINE_EMBEDDING
    SDML

VECTORS_LOSSES = ("triplet", "cosine_embedding", "sdml")


cdef class VectorsSpec:
    """What a loss object has decided once: which loss, its parameter, weight, batch axis and reduction."""

    cdef int loss
    cdef readonly int batch_axis
    cdef closs_reduction reduction
    cdef double weight
    cdef double parameter

    def __init__(self, str name not None, double parameter, int batch_axis, double weight, str reduction not None):
        self.loss = VECTORS_LOSSES.index(name)
        self.parameter = parameter
        self.batch_axis = batch_axis
        self.weight = weight
        self.reduction = <closs_reduction><int>REDUCTIONS.index(reduction)

    def __reduce__(self):
        return VectorsSpec, (VECTORS_LOSSES[self.loss], self.parameter, self.batch_axis, self.weight,
                             REDUCTIONS[self.reduction])

    @property
    def name(self) -> str:
        """Its row in losses.def."""
        return VECTORS_LOSSES[self.loss]

    @property
    def is_labelled(self) -> bool:
        """Whether rows, which then lie along the last axis, have a label of 1 or -1."""
        return self.loss == COSINE_EMBEDDING

    @property
    def is_pairwise(self) -> bool:
        """Whether every sample of one input is compared with all of the other."""
        return self.loss == SDML

    @property
    def has_total(self) -> bool:
        """Whether the reduction gives one number for the whole array."""
        return self.reduction >= CLOSS_MEAN

    @property
    def is_unreduced(self) -> bool:
        return self.reduction == CLOSS_NONE


cdef closs_status launch_compared(compared_args *args, VectorsSpec spec) noexcept nogil:
    if compared_args is closs_vectors_f32:
        if spec.loss == TRIPLET:
            return closs_triplet_f32(args, spec.parameter)
        return closs_cosine_embedding_f32(args, spec.parameter)
    elif compared_args is closs_vectors_f64:
        if spec.loss == TRIPLET:
            return closs_triplet_f64(args, spec.parameter)
        return closs_cosine_embedding_f64(args, spec.parameter)
    elif compared_args is closs_pairwise_f32:
        return closs_sdml_f32(args, spec.parameter)
    else:
        return closs_sdml_f64(args, spec.parameter)


cdef closs_status call_compared(compared_args *args, VectorsSpec spec, double *total):
    """The call, without the GIL where that is worth it; always for SDML, whose work is not told by its elements."""
    args.weight = &spec.weight
    args.reduction = spec.reduction
    args.total = total if spec.reduction >= CLOSS_MEAN else NULL
    if not spec.is_pairwise and args.rows * args.inner < GIL_ELEMENTS:
        return launch_compared(args, spec)
    with nogil:
        return launch_compared(args, spec)


def run_vectors(VectorsSpec spec not None, tuple shape not None, const real[::1] first not None,
                const real[::1] second not None, const real[::1] third, const real[::1] label,
                const real[::1] sample_weight, tuple weight_steps not None, const real[::1] grad_output,
                real[::1] value, real[::1] grad_first, real[::1] grad_second, real[::1] grad_third):
    """One call on arrays that are ready: flat, contiguous, of one type; None for what is absent.

    shape is (outer, rows, inner, batch, sample_inner), steps are (repeat, period) as in closs.h. Returns the total of a
    whole reduction, which means nothing for the others.
    """
    cdef closs_vectors_f32 narrow
    cdef closs_vectors_f64 wide
    cdef closs_bad_label bad
    cdef double total = 0
    if real is float:
        args = &narrow
    else:
        args = &wide
    memset(args, 0, sizeof(args[0]))
    args.outer, args.rows, args.inner, args.batch, args.sample_inner = shape
    args.input[0] = start(first)
    args.input[1] = start(second)
    args.input[2] = start(third)
    args.label = start(label)
    args.sample_weight.data = start(sample_weight)
    args.sample_weight.repeat, args.sample_weight.period = weight_steps
    args.grad_output = start(grad_output)
    args.value = start(value)
    args.grad[0] = start(grad_first)
    args.grad[1] = start(grad_second)
    args.grad[2] = start(grad_third)
    args.bad = &bad
    succeed(call_compared(args, spec, &total), &bad, spec.weight, real is float)
    return total


def run_pairwise(VectorsSpec spec not None, int64_t rows, int64_t inner, const real[::1] first not None,
                 const real[::1] second not None, const real[::1] sample_weight, tuple weight_steps not None,
                 const real[::1] grad_output, real[::1] value, real[::1] grad_first, real[::1] grad_second):
    """The same for losses that compare every vector with every other one."""
    cdef closs_pairwise_f32 narrow
    cdef closs_pairwise_f64 wide
    cdef double total = 0
    if real is float:
        args = &narrow
    else:
        args = &wide
    memset(args, 0, sizeof(args[0]))
    args.rows = rows
    args.inner = inner
    args.input[0] = start(first)
    args.input[1] = start(second)
    args.sample_weight.data = start(sample_weight)
    args.sample_weight.repeat, args.sample_weight.period = weight_steps
    args.grad_output = start(grad_output)
    args.value = start(value)
    args.grad[0] = start(grad_first)
    args.grad[1] = start(grad_second)
    succeed(call_compared(args, spec, &total), NULL, spec.weight, real is float)
    return total


cdef closs_status compare_matrices(compared_args *args, VectorsSpec spec, tuple inputs, label, value, tuple grads,
                                   double *total):
    """A row is a sample. The arrays are plain ones of one shape."""
    cdef int k
    memset(args, 0, sizeof(args[0]))
    args.rows = cnp.PyArray_DIM(inputs[0], 0)
    args.inner = cnp.PyArray_DIM(inputs[0], 1)
    for k in range(len(inputs)):
        args.input[k] = cnp.PyArray_DATA(inputs[k])
    for k in range(len(grads)):
        args.grad[k] = cnp.PyArray_DATA(grads[k])
    if value is not None:
        args.value = cnp.PyArray_DATA(value)
    if compared_args is closs_vectors_f32 or compared_args is closs_vectors_f64:
        args.batch = args.rows
        if label is not None:
            args.label = cnp.PyArray_DATA(label)
    return call_compared(args, spec, total)


def try_vectors(VectorsSpec spec not None, tuple inputs not None, label, grad_out, bint want_value, bint want_grad):
    """(value or None, tuple of gradients or None), or None where an array needs preparation or something is wrong.

    The inputs have to be plain matrices of one shape and type, whose first axis is the batch; label such an array with
    one element a row, or None; grad_out None, or a tuple with None or an array like its input for each.
    """
    cdef closs_vectors_f32 narrow
    cdef closs_vectors_f64 wide
    cdef closs_pairwise_f32 narrow_pairs
    cdef closs_pairwise_f64 wide_pairs
    cdef closs_status status
    cdef double total = 0
    cdef int k, type_number = computed_type(inputs[0])
    cdef object value = None
    cdef list grads = []

    if type_number == cnp.NPY_NOTYPE or cnp.PyArray_NDIM(inputs[0]) != 2 or cnp.PyArray_SIZE(inputs[0]) == 0:
        return None
    if spec.batch_axis != 0:
        return None
    for k in range(1, len(inputs)):
        if not is_plain(inputs[k], type_number) or not same_shape(inputs[0], inputs[k]):
            return None
    if label is not None:
        if (not is_plain(label, type_number) or cnp.PyArray_NDIM(label) != 1
                or cnp.PyArray_DIM(label, 0) != cnp.PyArray_DIM(inputs[0], 0)):
            return None
    if want_grad:
        if grad_out is not None and (type(grad_out) is not tuple or len(grad_out) != len(inputs)):
            return None
        for k in range(len(inputs)):
            grads.append(gradient_like(inputs[k], None if grad_out is None else grad_out[k]))
            if grads[k] is NotImplemented:
                return None
    if want_value and spec.reduction < CLOSS_MEAN:
        value = cnp.PyArray_EMPTY(1, cnp.PyArray_DIMS(inputs[0]), type_number, 0)

    gradients = tuple(grads)
    if spec.loss == SDML:
        if type_number == cnp.NPY_FLOAT:
            status = compare_matrices(&narrow_pairs, spec, inputs, label, value, gradients, &total)
        else:
            status = compare_matrices(&wide_pairs, spec, inputs, label, value, gradients, &total)
    elif type_number == cnp.NPY_FLOAT:
        status = compare_matrices(&narrow, spec, inputs, label, value, gradients, &total)
    else:
        status = compare_matrices(&wide, spec, inputs, label, value, gradients, &total)
    if status != CLOSS_OK:
        return None
    if want_value and spec.reduction >= CLOSS_MEAN:
        value = total
    return value, gradients if want_grad else None
