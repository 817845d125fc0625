# The losses over classes: arrays into the argument struct of closs.h. Two ways in, as for the elementwise losses.

ctypedef fused softmax_args:
    closs_softmax_f32
    closs_softmax_f64

cdef enum SoftmaxLoss:
    SOFTMAX_CE
    SOFTMAX_CE_DENSE
    KL_DIV_SOFTMAX

SOFTMAX_LOSSES = ("softmax_ce", "softmax_ce_dense", "kl_div_softmax")


cdef class SoftmaxSpec:
    """What a loss object has decided once: which loss, axes, options, weight and reduction."""

    cdef int loss
    cdef readonly int axis
    cdef readonly int batch_axis
    cdef readonly bint log_probabilities
    cdef closs_reduction reduction
    cdef double weight
    cdef double label_smoothing
    cdef double z_loss
    cdef int64_t ignore_index
    cdef readonly bint has_ignore_index

    def __init__(self, str name not None, int axis, int batch_axis, double weight, str reduction not None,
                 bint log_probabilities=False, ignore_index=None, double label_smoothing=0, double z_loss=0):
        self.loss = SOFTMAX_LOSSES.index(name)
        self.axis = axis
        self.batch_axis = batch_axis
        self.weight = weight
        self.reduction = <closs_reduction><int>REDUCTIONS.index(reduction)
        self.log_probabilities = log_probabilities
        self.has_ignore_index = ignore_index is not None
        self.ignore_index = ignore_index if self.has_ignore_index else 0
        self.label_smoothing = label_smoothing
        self.z_loss = z_loss

    def __reduce__(self):
        return SoftmaxSpec, (
            SOFTMAX_LOSSES[self.loss], self.axis, self.batch_axis, self.weight, REDUCTIONS[self.reduction],
            self.log_probabilities, self.ignore_index if self.has_ignore_index else None,
            self.label_smoothing, self.z_loss,
        )

    @property
    def name(self) -> str:
        """Its row in losses.def."""
        return SOFTMAX_LOSSES[self.loss]

    @property
    def is_sparse(self) -> bool:
        """Whether labels are class numbers, one a row; else they look like pred."""
        return self.loss == SOFTMAX_CE

    @property
    def is_divergence(self) -> bool:
        """Whether there is a value an element, with a weight of its own; else one a row."""
        return self.loss == KL_DIV_SOFTMAX

    @property
    def has_total(self) -> bool:
        """Whether the reduction gives one number for the whole array."""
        return self.reduction >= CLOSS_MEAN

    @property
    def is_unreduced(self) -> bool:
        return self.reduction == CLOSS_NONE


cdef closs_status launch_softmax(softmax_args *args, SoftmaxSpec spec) noexcept nogil:
    if softmax_args is closs_softmax_f32:
        if spec.loss == SOFTMAX_CE:
            return closs_softmax_ce_f32(args)
        if spec.loss == SOFTMAX_CE_DENSE:
            return closs_softmax_ce_dense_f32(args)
        return closs_kl_div_softmax_f32(args)
    else:
        if spec.loss == SOFTMAX_CE:
            return closs_softmax_ce_f64(args)
        if spec.loss == SOFTMAX_CE_DENSE:
            return closs_softmax_ce_dense_f64(args)
        return closs_kl_div_softmax_f64(args)


cdef closs_status call_softmax(softmax_args *args, SoftmaxSpec spec):
    """The call, without the GIL where that is worth it."""
    args.weight = &spec.weight
    args.log_probabilities = spec.log_probabilities
    args.ignore_index = &spec.ignore_index if spec.has_ignore_index else NULL
    args.label_smoothing = spec.label_smoothing
    args.z_loss = spec.z_loss
    args.reduction = spec.reduction
    if args.outer * args.classes * args.inner < GIL_ELEMENTS:
        return launch_softmax(args, spec)
    with nogil:
        return launch_softmax(args, spec)


def run_softmax(SoftmaxSpec spec not None, tuple shape not None, const real[::1] pred not None,
                const int64_t[::1] label, const real[::1] label_dense,
                const real[::1] sample_weight, tuple weight_steps not None, const real[::1] element_weight,
                const real[::1] class_weight, const real[::1] grad_output,
                real[::1] value, real[::1] grad, real[::1] lse):
    """One call on arrays that are ready: flat, contiguous, of one type; None for what is absent.

    shape is (outer, classes, inner, batch, sample_inner), steps are (repeat, period) as in closs.h. Returns the total
    of a whole reduction, which means nothing for the others.
    """
    cdef closs_softmax_f32 narrow
    cdef closs_softmax_f64 wide
    cdef closs_bad_label bad
    cdef double total = 0
    if real is float:
        args = &narrow
    else:
        args = &wide
    memset(args, 0, sizeof(args[0]))
    args.outer, args.classes, args.inner, args.batch, args.sample_inner = shape
    args.pred = start(pred)
    if label is not None:
        args.label = &label[0]
    args.label_dense = start(label_dense)
    args.sample_weight.data = start(sample_weight)
    args.sample_weight.repeat, args.sample_weight.period = weight_steps
    args.element_weight = start(element_weight)
    args.class_weight = start(class_weight)
    args.grad_output = start(grad_output)
    args.value = start(value)
    args.total = &total if spec.reduction >= CLOSS_MEAN else NULL
    args.grad = start(grad)
    args.lse = start(lse)
    args.bad = &bad
    succeed(call_softmax(args, spec), &bad, spec.weight, real is float)
    return total


def try_softmax(SoftmaxSpec spec not None, pred, label, grad_out, bint want_value, bint want_grad):
    """(value or None, gradient or None), or None where an array needs preparation or something is wrong.

    pred and grad_out have to be plain arrays of one shape and type, label one of int64 with the shape of the rows, or
    one like pred; a matrix whose first axis is the batch, and whose last one is that of the classes.
    """
    cdef closs_softmax_f32 narrow
    cdef closs_softmax_f64 wide
    cdef closs_status status
    cdef double total = 0
    cdef int type_number
    cdef bint sparse = spec.loss == SOFTMAX_CE
    cdef cnp.npy_intp *dims
    cdef object value = None

    type_number = computed_type(pred)
    if (type_number == cnp.NPY_NOTYPE or not is_plain(label, cnp.NPY_INT64 if sparse else type_number)
            or cnp.PyArray_NDIM(pred) != 2 or spec.axis not in (-1, 1) or spec.batch_axis != 0):
        return None
    dims = cnp.PyArray_DIMS(pred)
    if dims[0] == 0 or dims[1] == 0:
        return None
    if sparse:
        if cnp.PyArray_NDIM(label) != 1 or cnp.PyArray_DIM(label, 0) != dims[0]:
            return None
    elif not same_shape(pred, label):
        return None

    if want_grad:
        grad_out = gradient_like(pred, grad_out)
        if grad_out is NotImplemented:
            return None
    if want_value and spec.reduction < CLOSS_MEAN:
        whole = spec.reduction == CLOSS_NONE and spec.loss == KL_DIV_SOFTMAX
        value = cnp.PyArray_EMPTY(2 if whole else 1, dims, type_number, 0)

    if type_number == cnp.NPY_FLOAT:
        fill_matrix(&narrow, dims, pred, label, sparse, value, grad_out if want_grad else None,
                    &total if spec.reduction >= CLOSS_MEAN else NULL)
        status = call_softmax(&narrow, spec)
    else:
        fill_matrix(&wide, dims, pred, label, sparse, value, grad_out if want_grad else None,
                    &total if spec.reduction >= CLOSS_MEAN else NULL)
        status = call_softmax(&wide, spec)
    if status != CLOSS_OK:
        return None
    if want_value and spec.reduction >= CLOSS_MEAN:
        value = total
    return value, grad_out


cdef void fill_matrix(softmax_args *args, const cnp.npy_intp *dims, pred, label, bint sparse, value, grad,
                      double *total):
    memset(args, 0, sizeof(args[0]))
    args.outer = args.batch = dims[0]
    args.classes = dims[1]
    args.pred = cnp.PyArray_DATA(pred)
    if sparse:
        args.label = <const int64_t *>cnp.PyArray_DATA(label)
    else:
        args.label_dense = cnp.PyArray_DATA(label)
    if value is not None:
        args.value = cnp.PyArray_DATA(value)
    if grad is not None:
        args.grad = cnp.PyArray_DATA(grad)
    args.total = total
