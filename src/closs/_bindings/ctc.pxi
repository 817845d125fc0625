# CTC: arrays, as _ctc.py has prepared them, into the argument structs of closs.h.

CTC_INPUTS = ("logits", "log_probs")
CTC_INFEASIBLE = ("inf", "zero", "raise")

ctypedef fused ctc_args:
    closs_ctc_args_f32
    closs_ctc_args_f64
    closs_ctc_greedy_args_f32
    closs_ctc_greedy_args_f64


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
