# The losses that compare vectors: arrays into the argument structs of closs.h.

ctypedef fused vectors_args:
    closs_vectors_f32
    closs_vectors_f64

ctypedef fused pairwise_args:
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
    def has_total(self) -> bool:
        """Whether the reduction gives one number for the whole array."""
        return self.reduction >= CLOSS_MEAN

    @property
    def is_unreduced(self) -> bool:
        return self.reduction == CLOSS_NONE


cdef closs_status call_vectors(vectors_args *args, VectorsSpec spec) noexcept nogil:
    if vectors_args is closs_vectors_f32:
        if spec.loss == TRIPLET:
            return closs_triplet_f32(args, spec.parameter)
        return closs_cosine_embedding_f32(args, spec.parameter)
    else:
        if spec.loss == TRIPLET:
            return closs_triplet_f64(args, spec.parameter)
        return closs_cosine_embedding_f64(args, spec.parameter)


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
    cdef closs_status status
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
    args.weight = &spec.weight
    args.grad_output = start(grad_output)
    args.reduction = spec.reduction
    args.value = start(value)
    args.total = &total if spec.reduction >= CLOSS_MEAN else NULL
    args.grad[0] = start(grad_first)
    args.grad[1] = start(grad_second)
    args.grad[2] = start(grad_third)
    args.bad = &bad
    with nogil:
        status = call_vectors(args, spec)
    succeed(status, &bad, spec.weight, real is float)
    return total


def run_pairwise(VectorsSpec spec not None, int64_t rows, int64_t inner, const real[::1] first not None,
                 const real[::1] second not None, const real[::1] sample_weight, tuple weight_steps not None,
                 const real[::1] grad_output, real[::1] value, real[::1] grad_first, real[::1] grad_second):
    """The same for losses that compare every vector with every other one."""
    cdef closs_pairwise_f32 narrow
    cdef closs_pairwise_f64 wide
    cdef closs_status status
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
    args.weight = &spec.weight
    args.grad_output = start(grad_output)
    args.reduction = spec.reduction
    args.value = start(value)
    args.total = &total if spec.reduction >= CLOSS_MEAN else NULL
    args.grad[0] = start(grad_first)
    args.grad[1] = start(grad_second)
    with nogil:
        if real is float:
            status = closs_sdml_f32(args, spec.parameter)
        else:
            status = closs_sdml_f64(args, spec.parameter)
    succeed(status, NULL, spec.weight, real is float)
    return total
