# CTC: arrays into the argument structs of closs.h. Two ways in, as for the elementwise losses.

CTC_INPUTS = ("logits", "log_probs")
CTC_INFEASIBLE = ("inf", "zero", "raise")

ctypedef fused ctc_args:
    closs_ctc_args_f32
    closs_ctc_args_f64
    closs_ctc_greedy_args_f32
    closs_ctc_greedy_args_f64


cdef class CTCSpec:
    """What a loss object has decided once: layouts, weight, reduction, the blank, infeasible samples, the input."""

    cdef readonly str layout
    cdef readonly str label_layout
    cdef readonly double weight
    cdef readonly str reduction
    cdef readonly object blank
    cdef readonly str infeasible
    cdef readonly str input

    def __init__(self, str layout not None, str label_layout not None, double weight, str reduction not None, blank,
                 str infeasible not None, str input not None):
        self.layout = layout
        self.label_layout = label_layout
        self.weight = weight
        self.reduction = reduction
        self.blank = blank
        self.infeasible = infeasible
        self.input = input

    def __reduce__(self):
        return CTCSpec, (self.layout, self.label_layout, self.weight, self.reduction, self.blank, self.infeasible,
                         self.input)

    @property
    def has_total(self) -> bool:
        """Whether the reduction gives one number for the whole array."""
        return self.reduction in REDUCTIONS[<int>CLOSS_MEAN:]

    def divisor(self, int64_t batch) -> float:
        """What the reduction of so many samples divides by, if they have no weights."""
        return float(batch) if self.reduction in ("mean", "weighted_mean") else 1.0


def class_of_blank(blank, int64_t classes) -> int:
    """The blank's number among so many classes; it may be out of range, if it was given as a number."""
    if blank == "last":
        return classes - 1
    return 0 if blank == "first" else blank


class BadCTC(ValueError):
    """What a sample is wrong about: ``args`` are "label", "length" or "infeasible", then closs_ctc_bad of closs.h."""


cdef int succeed_ctc(closs_status status, const closs_ctc_bad *bad) except -1:
    if status == CLOSS_BAD_LABEL:
        raise BadCTC("label", bad.sample, bad.position, bad.value)
    if status == CLOSS_BAD_LENGTH:
        raise BadCTC("length", bad.sample, bad.position, bad.value)
    if status == CLOSS_INFEASIBLE:
        raise BadCTC("infeasible", bad.sample, bad.position, bad.value)
    return succeed(status, NULL, 0, False)


cdef void *data_of(cnp.ndarray array) noexcept:
    return NULL if array is None else cnp.PyArray_DATA(array)


cdef void fill_frames(ctc_args *args, cnp.ndarray pred, tuple sizes, tuple strides, cnp.ndarray pred_lengths,
                      int64_t blank, str input):
    args.batch, args.time, args.classes = sizes
    args.batch_stride, args.time_stride = strides
    args.pred = data_of(pred)
    args.pred_lengths = <const int64_t *>data_of(pred_lengths)
    args.blank = blank
    args.input = CLOSS_CTC_LOGITS if input == "logits" else CLOSS_CTC_LOG_PROBS


cdef void fill_labels(ctc_args *args, cnp.ndarray label, tuple label_steps, cnp.ndarray label_offsets,
                      cnp.ndarray label_lengths, str infeasible):
    if ctc_args is closs_ctc_args_f32 or ctc_args is closs_ctc_args_f64:
        args.infeasible = <closs_ctc_infeasible><int>CTC_INFEASIBLE.index(infeasible)
        args.label = <const int64_t *>data_of(label)
        args.label_width, args.label_batch_stride, args.label_stride = label_steps
        args.label_size = cnp.PyArray_SIZE(label)
        args.label_offsets = <const int64_t *>data_of(label_offsets)
        args.label_lengths = <const int64_t *>data_of(label_lengths)


cdef void fill_outputs(ctc_args *args, cnp.ndarray scale, cnp.ndarray value, cnp.ndarray grad, tuple grad_strides,
                       cnp.ndarray feasible, closs_ctc_bad *bad):
    if ctc_args is closs_ctc_args_f32 or ctc_args is closs_ctc_args_f64:
        args.scale = data_of(scale)
        args.value = data_of(value)
        args.grad = data_of(grad)
        args.grad_batch_stride, args.grad_time_stride = grad_strides
        args.feasible = <uint8_t *>data_of(feasible)
        args.bad = bad


def run_ctc(cnp.ndarray pred not None, tuple sizes not None, tuple strides not None, cnp.ndarray pred_lengths,
            int64_t blank, str input not None, str infeasible not None,
            cnp.ndarray label not None, tuple label_steps not None, cnp.ndarray label_offsets,
            cnp.ndarray label_lengths, cnp.ndarray scale, cnp.ndarray value, cnp.ndarray grad,
            tuple grad_strides not None, cnp.ndarray feasible) -> None:
    """Values, gradients and mask into the arrays given for them; None where one is not wanted.

    sizes are (batch, time, classes), strides count elements, label_steps are (width, batch stride, stride).
    """
    cdef closs_ctc_args_f32 narrow
    cdef closs_ctc_args_f64 wide
    cdef closs_ctc_bad bad
    cdef closs_status status
    if cnp.PyArray_TYPE(pred) == cnp.NPY_FLOAT:
        memset(&narrow, 0, sizeof(narrow))
        fill_frames(&narrow, pred, sizes, strides, pred_lengths, blank, input)
        fill_labels(&narrow, label, label_steps, label_offsets, label_lengths, infeasible)
        fill_outputs(&narrow, scale, value, grad, grad_strides, feasible, &bad)
        with nogil:
            status = closs_ctc_f32(&narrow)
    else:
        memset(&wide, 0, sizeof(wide))
        fill_frames(&wide, pred, sizes, strides, pred_lengths, blank, input)
        fill_labels(&wide, label, label_steps, label_offsets, label_lengths, infeasible)
        fill_outputs(&wide, scale, value, grad, grad_strides, feasible, &bad)
        with nogil:
            status = closs_ctc_f64(&wide)
    succeed_ctc(status, &bad)


cdef inline bint is_length_per_sample(object lengths, int64_t batch) noexcept:
    return (lengths is None or is_plain(lengths, cnp.NPY_INT64) and cnp.PyArray_NDIM(lengths) == 1
            and cnp.PyArray_DIM(lengths, 0) == batch)


def try_ctc(CTCSpec spec not None, pred, label, pred_lengths, label_lengths, grad_out, bint want_grad):
    """(values, gradient or None, mask), or None where an array needs preparation or something is wrong.

    pred and grad_out have to be plain arrays of one shape and type, label one of int64 with two axes, lengths such
    arrays with one axis, or None. The gradient is that of the reduced value, the values are those of the samples.
    """
    cdef int type_number = computed_type(pred)
    cdef int n = spec.layout == "TNC", label_n = spec.label_layout == "TN"  # axes of the samples
    cdef int64_t batch, time, classes, width, blank
    cdef cnp.npy_intp samples
    cdef cnp.ndarray value, feasible
    cdef cnp.ndarray scale = None, grad = None
    if (type_number == cnp.NPY_NOTYPE or cnp.PyArray_NDIM(pred) != 3 or cnp.PyArray_SIZE(pred) == 0
            or not is_plain(label, cnp.NPY_INT64) or cnp.PyArray_NDIM(label) != 2 or cnp.PyArray_SIZE(label) == 0
            or spec.weight != 1):
        return None
    batch, time, classes = cnp.PyArray_DIM(pred, n), cnp.PyArray_DIM(pred, 1 - n), cnp.PyArray_DIM(pred, 2)
    width = cnp.PyArray_DIM(label, 1 - label_n)
    if (cnp.PyArray_DIM(label, label_n) != batch or not is_length_per_sample(pred_lengths, batch)
            or not is_length_per_sample(label_lengths, batch)):
        return None
    try:
        blank = class_of_blank(spec.blank, classes)
    except OverflowError:
        return None
    samples = batch
    value = cnp.PyArray_EMPTY(1, &samples, type_number, 0)
    feasible = cnp.PyArray_EMPTY(1, &samples, cnp.NPY_BOOL, 0)
    if want_grad:
        grad_out = gradient_like(pred, grad_out)
        if grad_out is NotImplemented:
            return None
        grad = grad_out
        scale = cnp.PyArray_EMPTY(1, &samples, type_number, 0)
        scale.fill(1 / spec.divisor(batch))
    cdef tuple strides = (classes, batch * classes) if n else (time * classes, classes)
    cdef object sample_step = 1 if label_n else width, label_step = batch if label_n else 1
    try:
        run_ctc(pred, (batch, time, classes), strides, pred_lengths, blank, spec.input,
                spec.infeasible, label, (width, sample_step, label_step), None, label_lengths,
                scale, value, grad, strides, feasible)
    except ValueError:
        return None  # _ctc.py tells what is wrong
    return value, grad, feasible


def run_ctc_greedy(cnp.ndarray pred not None, tuple sizes not None, tuple strides not None,
                   cnp.ndarray pred_lengths, int64_t blank, str input not None,
                   cnp.ndarray label not None, cnp.ndarray label_lengths not None, cnp.ndarray score not None) -> None:
    """Labels, their numbers and scores into the arrays given for them."""
    cdef closs_ctc_greedy_args_f32 narrow
    cdef closs_ctc_greedy_args_f64 wide
    cdef closs_ctc_bad bad
    cdef closs_status status
    if cnp.PyArray_TYPE(pred) == cnp.NPY_FLOAT:
        memset(&narrow, 0, sizeof(narrow))
        fill_frames(&narrow, pred, sizes, strides, pred_lengths, blank, input)
        narrow.label = <int64_t *>data_of(label)
        narrow.label_lengths = <int64_t *>data_of(label_lengths)
        narrow.score = data_of(score)
        narrow.bad = &bad
        with nogil:
            status = closs_ctc_greedy_f32(&narrow)
    else:
        memset(&wide, 0, sizeof(wide))
        fill_frames(&wide, pred, sizes, strides, pred_lengths, blank, input)
        wide.label = <int64_t *>data_of(label)
        wide.label_lengths = <int64_t *>data_of(label_lengths)
        wide.score = data_of(score)
        wide.bad = &bad
        with nogil:
            status = closs_ctc_greedy_f64(&wide)
    succeed_ctc(status, &bad)
