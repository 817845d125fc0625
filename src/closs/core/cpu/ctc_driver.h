/* One type's half of ctc.c. */

#define ARGS NAME(closs_ctc_args)

/* What became of a sample. PRECISE: its softmax and gamma cancel so far that the digits of float do not do. */
enum { NAME(FEASIBLE), NAME(PRECISE), NAME(INFEASIBLE), NAME(NOT_A_NUMBER) };

/* The memory of one sample on its way through the steps. `precise` is there for float: it takes the place of `lattice`
 * for a sample whose emissions or whose value need the exponents or the digits of double. */
typedef struct {
    NAME(lattice) lattice;
    lattice_f64 precise;
    double *top, *rest; /* [time] largest logit; sum of the others' exp relative to it, NaN for a bad frame */
    double *log_sum;    /* [time] log(1 + rest) */
    double *blank_exp;  /* [time] the blank's exp relative to top: softmax's numerator; for float */
    int64_t *top_class; /* [time] */
    int *outcome;
} NAME(slot);

/* A call, checked and resolved: what the tasks read. */
typedef struct {
    const ARGS *args;
    const closs_kernels *kernels;
    ctc_shape shape;
    int64_t grad_batch_stride, grad_time_stride;
    int64_t longest;
    int want_grad, is_trial; /* a trial touches no output */
    int keeps_exps;          /* `read` leaves each frame's exp in the gradient, for `write` */
    char *slots;
    uint64_t slot_size;
    int64_t frame_tasks; /* a sample, where frames are shared out */
    _Atomic int64_t next, infeasible;
} NAME(ctc_call);

static NAME(slot) NAME(take_slot)(arena *a, int64_t time, int64_t labels, int with_gradient) {
    NAME(slot) slot = {.outcome = take(a, 1, sizeof(int))};
    slot.top = take(a, time, sizeof(double));
    slot.rest = take(a, time, sizeof(double));
    slot.log_sum = take(a, time, sizeof(double));
    slot.top_class = take(a, time, sizeof(int64_t));
    slot.lattice = NAME(take_lattice)(a, time, labels, with_gradient);
    if (sizeof(real) == sizeof(float)) {
        slot.blank_exp = take(a, time, sizeof(double));
        slot.precise = take_lattice_f64(a, time, labels, with_gradient);
    }
    return slot;
}

/* Bytes of a slot; 0 if that overflows. */
static uint64_t NAME(slot_size)(int64_t time, int64_t labels, int with_gradient) {
    int64_t states;
    const int64_t limit = CLOSS_MOST_ELEMENTS / 16; /* a state of a frame takes 48 bytes with double, 76 with float */
    if (labels > limit || !closs_multiply_sizes(time + 2, labels + 4 * CTC_LANES, &states) || states > limit) return 0;
    arena measure = {NULL, 0};
    NAME(take_slot)(&measure, time, labels, with_gradient);
    return measure.used;
}

/* Slot k, for sample n. */
static NAME(slot) NAME(slot_for)(const NAME(ctc_call) * call, int64_t k, int64_t n, ctc_sample *sample) {
    arena memory = {call->slots + (uint64_t)k * call->slot_size, 0};
    NAME(slot) slot = NAME(take_slot)(&memory, call->shape.time, call->longest, call->want_grad);
    *sample = ctc_sample_of(&call->shape, n);
    NAME(set_sample)(&slot.lattice, sample);
    slot.lattice.kernels = &call->kernels->NAME(table)->ctc;
    slot.lattice.blank_class = call->shape.blank;
    slot.lattice.top = slot.top;
    slot.lattice.top_class = slot.top_class;
    if (sizeof(real) == sizeof(float)) {
        set_sample_f64(&slot.precise, sample);
        slot.precise.kernels = &call->kernels->table_f64->ctc;
        slot.precise.blank_class = call->shape.blank;
        slot.precise.top = slot.top;
        slot.precise.top_class = slot.top_class;
    }
    return slot;
}

static int NAME(has_path)(const NAME(ctc_call) * call, const ctc_sample *sample) {
    return ctc_frames_needed(&call->shape, sample) <= sample->time;
}

/* ---- Read ------------------------------------------------------------------------------------------------------- */

/* Of log-probabilities: the largest of the classes in use, for what is to be relative to it; NaN tells of a bad frame.
 */
static double NAME(top_in_use)(const NAME(lattice) * it, const real *x, real blank_x) {
    double top = blank_x, nan = blank_x == blank_x && blank_x <= REAL_MAX ? 0 : NAN;
    for (int64_t i = 0; i < it->labels; i++) {
        top = x[i] > top ? x[i] : top;
        nan = x[i] == x[i] && x[i] <= REAL_MAX ? nan : NAN;
    }
    return nan == 0 ? top : nan;
}

/* The row of a sample's next frame, which the hardware does not foresee: rows of other samples lie between. Its first
 * 4 KB, from where on it does. T400 N16 C1000: 6.9 ms without, 5.3 ms with. */
static void NAME(prefetch_frame)(int64_t classes, int64_t time_stride, const real *row) {
    if (time_stride == classes) return; /* it follows in memory; asking costs a third there */
    const int64_t line = 64 / sizeof(real), most = 4096 / sizeof(real);
    int64_t n = classes < most ? classes : most;
    for (int64_t i = 0; i < n; i += line) CLOSS_PREFETCH(row + time_stride + i);
}

static real *NAME(grad_of)(const NAME(ctc_call) * call, int64_t n, int64_t t) {
    return call->args->grad + n * call->grad_batch_stride + t * call->grad_time_stride;
}

static void NAME(read_frames)(const NAME(ctc_call) * call, const NAME(slot) * slot, int64_t n, int64_t begin,
                              int64_t end) {
    const NAME(lattice) *it = &slot->lattice;
    const ctc_shape *shape = &call->shape;
    for (int64_t t = begin; t < end; t++) {
        const real *row = call->args->pred + n * shape->batch_stride + t * shape->time_stride;
        real *x = it->x + t * it->width;
        if (t + 1 < end) NAME(prefetch_frame)(shape->classes, shape->time_stride, row);
        if (call->args->input == CLOSS_CTC_LOGITS) {
            real top = it->kernels->row_max(shape->classes, row, &slot->top_class[t]);
            real *exps = call->keeps_exps ? NAME(grad_of)(call, n, t) : NULL;
            double rest = it->kernels->row_rest(shape->classes, row, top, slot->top_class[t], exps);
            slot->top[t] = top;
            slot->rest[t] = fabs(slot->top[t]) <= REAL_MAX ? rest : NAN;
        }
        for (int64_t i = 0; i < it->labels; i++) x[i] = row[it->label[i]];
        for (int64_t i = it->labels; i < it->width; i++) x[i] = -INFINITY;
        it->blank_x[t] = row[shape->blank];
        if (call->args->input == CLOSS_CTC_LOG_PROBS) {
            double top = NAME(top_in_use)(it, x, it->blank_x[t]);
            slot->top[t] = top == -INFINITY ? 0 : top;
            slot->rest[t] = top - top == 0 || top == -INFINITY ? 0 : NAN;
            slot->top_class[t] = -1;
        }
    }
}

/* ---- Lattice ---------------------------------------------------------------------------------------------------- */

/* Minus the logarithm of the product of what the path's probability is relative to: all terms have one sign, so that a
 * loss near 0 keeps its digits. NaN if a frame was bad. */
static double NAME(sum_of_logs)(const NAME(ctc_call) * call, const NAME(slot) * slot, int64_t time) {
    for (int64_t t = 0; t < time; t++)
        if (slot->rest[t] != slot->rest[t]) return NAN;
    if (call->args->input == CLOSS_CTC_LOG_PROBS) return -ctc_sum(time, slot->top);
    call->kernels->table_f64->ctc.log1p(time, slot->rest, slot->log_sum);
    return ctc_sum(time, slot->log_sum);
}

/* -log p. */
static double NAME(loss_of)(const NAME(ctc_call) * call, double logs, double mantissa, int64_t exponent, int64_t time) {
    double above_one = mantissa - 1, log_mantissa;
    call->kernels->table_f64->ctc.log1p(1, &above_one, &log_mantissa);
    double loss = logs - (log_mantissa + (double)exponent * 0x1.62e42fefa39efp-1);
    /* Log-probabilities may add up to more than 1, and the loss be negative; but not by what rounding them does. */
    double rounding = (double)time * PICK(0x1p-22, 0x1p-51);
    int may_be_negative = call->args->input == CLOSS_CTC_LOG_PROBS && loss < -rounding;
    return loss <= 0 && !may_be_negative ? 0 : loss;
}

#if CLOSS_REAL == 32
/* Whether a loss is so small that the digits of a float recursion over that many frames do not give it to 1e-6. */
static int needs_precision(double loss, int64_t time) { return loss < 1 + 0.05 * (double)time; }

/* Whether so much of `logs` cancels that a softmax in float, exact to 1e-7, does not give the rest to 1e-6. */
static int needs_precise_softmax(double loss, double logs) { return loss < logs / 8; }

/* Into slot->blank_exp, before gamma takes the logit's place. */
static void keep_blank_exp(const ctc_call_f32 *call, slot_f32 *slot) {
    const lattice_f32 *it = &slot->lattice;
    for (int64_t t = 0; t < it->time; t++) slot->blank_exp[t] = it->blank_x[t] - slot->top[t];
    call->kernels->table_f64->ctc.softmax(it->time, slot->blank_exp, 0, 1, slot->blank_exp);
}

/* Whether softmax and gamma, exact to 1e-7, may be so near each other in every frame that their difference is not known
 * to 1e-5 of the largest one. The blank alone is looked at. */
static int is_nearly_stationary(const slot_f32 *slot) {
    const lattice_f32 *it = &slot->lattice;
    double largest = 0;
    for (int64_t t = 0; t < it->time; t++) {
        double slope = fabs(slot->blank_exp[t] / (1 + slot->rest[t]) - it->blank_x[t]);
        largest = slope > largest ? slope : largest;
    }
    return largest < 0x1p-6;
}

/* Part of a row in double; the number of classes. */
static int64_t widen(const float *row, int64_t begin, int64_t classes, double buffer[PRECISE_CHUNK]) {
    int64_t n = closs_clamp(classes - begin, 0, PRECISE_CHUNK);
    for (int64_t i = 0; i < n; i++) buffer[i] = row[begin + i];
    return n;
}

/* `rest` of all frames once more, in double, and the sum of logarithms. */
static double precise_logs(const ctc_call_f32 *call, const slot_f32 *slot, int64_t n, int64_t time) {
    const ctc_shape *shape = &call->shape;
    for (int64_t t = 0; t < time; t++) {
        const float *row = call->args->pred + n * shape->batch_stride + t * shape->time_stride;
        double buffer[PRECISE_CHUNK];
        slot->rest[t] = 0;
        for (int64_t c = 0; c < shape->classes; c += PRECISE_CHUNK) {
            int64_t length = widen(row, c, shape->classes, buffer);
            slot->rest[t] +=
                call->kernels->table_f64->ctc.row_rest(length, buffer, slot->top[t], slot->top_class[t] - c, NULL);
        }
    }
    return sum_of_logs_f32(call, slot, time);
}

/* run_lattice in double, on what was read. */
static double run_precise_lattice(const ctc_call_f32 *call, slot_f32 *slot, int64_t n, const ctc_sample *sample,
                                  double logs) {
    lattice_f32 *it = &slot->lattice;
    lattice_f64 *precise = &slot->precise;
    fill_labels_f64(precise, sample, call->shape.label_stride);
    for (int64_t i = 0; i < it->time * it->width; i++) precise->x[i] = it->x[i];
    for (int64_t t = 0; t < it->time; t++) precise->blank_x[t] = it->blank_x[t];
    probability_f64 p = forwards_f64(precise);
    *slot->outcome = p.mantissa > 0 ? FEASIBLE_f32 : INFEASIBLE_f32;
    if (p.mantissa == 0) return INFINITY;
    const int has_softmax = call->args->input == CLOSS_CTC_LOGITS;
    double loss = loss_of_f32(call, logs, p.mantissa, p.exponent, sample->time);
    if (has_softmax && needs_precise_softmax(loss, logs)) {
        loss = loss_of_f32(call, precise_logs(call, slot, n, sample->time), p.mantissa, p.exponent, sample->time);
        *slot->outcome = PRECISE_f32;
    }
    if (!call->want_grad) return loss;
    keep_blank_exp(call, slot);
    backwards_f64(precise, &p);
    for (int64_t i = 0; i < it->time * it->width; i++) it->x[i] = (float)precise->x[i];
    for (int64_t t = 0; t < it->time; t++) {
        it->blank_x[t] = (float)precise->blank_x[t];
        it->others[t] = (float)precise->others[t];
    }
    if (has_softmax && *slot->outcome == FEASIBLE_f32 && is_nearly_stationary(slot)) {
        precise_logs(call, slot, n, sample->time); /* for `rest` */
        *slot->outcome = PRECISE_f32;
    }
    return loss;
}
#endif

/* The loss of a sample that has frames enough, its outcome, and gamma if a gradient is wanted. The loss does not depend
 * on whether it is. Infinity if all paths have probability 0. */
static double NAME(run_lattice)(const NAME(ctc_call) * call, NAME(slot) * slot, int64_t n, const ctc_sample *sample) {
    double logs = NAME(sum_of_logs)(call, slot, sample->time);
    *slot->outcome = NAME(NOT_A_NUMBER);
    if (logs != logs) return logs;
    NAME(probability) p = NAME(forwards)(&slot->lattice);
    *slot->outcome = p.mantissa > 0 ? NAME(FEASIBLE) : NAME(INFEASIBLE);
    double loss = p.mantissa > 0 ? NAME(loss_of)(call, logs, p.mantissa, p.exponent, sample->time) : (double)INFINITY;
#if CLOSS_REAL == 32
    if (p.is_deep || needs_precision(loss, sample->time)) return run_precise_lattice(call, slot, n, sample, logs);
    if (call->want_grad) keep_blank_exp(call, slot);
#endif
    if (call->want_grad && p.mantissa > 0) NAME(backwards)(&slot->lattice, &p);
#if CLOSS_REAL == 32
    if (call->want_grad && p.mantissa > 0 && call->args->input == CLOSS_CTC_LOGITS && is_nearly_stationary(slot)) {
        read_frames_f32(call, slot, n, 0, sample->time); /* once more: gamma is in its place */
        /* For the gradient alone. The loss of this run may differ in its last bit, and without a gradient there is no
         * such run: the value must not tell whether there was. */
        (void)run_precise_lattice(call, slot, n, sample, logs);
    }
#else
    (void)n;
#endif
    return loss;
}

/* Value and feasibility into the outputs; what is to be written as gradient into *slot->outcome. */
static void NAME(evaluate)(NAME(ctc_call) * call, NAME(slot) * slot, int64_t n, const ctc_sample *sample) {
    const ARGS *args = call->args;
    double loss = INFINITY;
    *slot->outcome = NAME(INFEASIBLE);
    if (NAME(has_path)(call, sample)) loss = NAME(run_lattice)(call, slot, n, sample);
    const int infeasible = *slot->outcome == NAME(INFEASIBLE);
    if (call->is_trial) {
        int64_t first = atomic_load(&call->infeasible);
        while (infeasible && n < first && !atomic_compare_exchange_weak(&call->infeasible, &first, n)) continue;
        return;
    }
    if (infeasible && args->infeasible == CLOSS_CTC_ZERO) loss = 0;
    if (args->value) args->value[n] = (real)loss;
    if (args->feasible) args->feasible[n] = !infeasible;
}

/* ---- Write ------------------------------------------------------------------------------------------------------ */

static void NAME(write_frame)(const NAME(ctc_call) * call, const NAME(slot) * slot, const real *row, int64_t t,
                              real scale, real *grad) {
    const NAME(lattice) *it = &slot->lattice;
    const int64_t classes = call->shape.classes, top = slot->top_class[t];
    const double rest = slot->rest[t];
    const real factor = (real)(scale / (1 + rest));
    if (call->keeps_exps)
        it->kernels->scale(classes, factor, grad);
    else if (call->args->input == CLOSS_CTC_LOGITS)
        it->kernels->softmax(classes, row, (real)slot->top[t], factor, grad);
    else
        memset(grad, 0, (size_t)classes * sizeof(real));
    const real *gamma = it->x + t * it->width;
    int64_t first = it->labels - (it->time - t), end = t < it->labels ? t + 1 : it->labels;
    for (int64_t i = first > 0 ? first : 0; i < end; i++) grad[it->label[i]] -= scale * gamma[i];
    grad[call->shape.blank] -= scale * it->blank_x[t];
    /* Of a class with most of the probability both the softmax and gamma are near 1. What the others have of each is
     * known to more digits. */
    if (top >= 0 && rest < 1) grad[top] = scale * (it->others[t] - (real)(rest / (1 + rest)));
}

#if CLOSS_REAL == 32
/* The same in double, a part of the classes after the other. */
static void write_frame_precise(const ctc_call_f32 *call, const slot_f32 *slot, const float *row, int64_t t,
                                float scale, float *grad) {
    const lattice_f64 *it = &slot->precise;
    const int64_t classes = call->shape.classes, top = slot->top_class[t];
    const double rest = slot->rest[t], *gamma = it->x + t * it->width;
    const int64_t first = closs_clamp(it->labels - (it->time - t), 0, it->labels);
    const int64_t end = closs_clamp(t + 1, 0, it->labels);
    double buffer[PRECISE_CHUNK];
    for (int64_t c = 0; c < classes; c += PRECISE_CHUNK) {
        int64_t n = widen(row, c, classes, buffer);
        int64_t top_here = top >= c && top < c + n ? top - c : -1, blank = call->shape.blank - c;
        it->kernels->softmax(n, buffer, slot->top[t], 1 / (1 + rest), buffer);
        for (int64_t i = first; i < end; i++)
            if (it->label[i] >= c && it->label[i] < c + n) buffer[it->label[i] - c] -= gamma[i];
        if (blank >= 0 && blank < n) buffer[blank] -= it->blank_x[t];
        if (top_here >= 0 && rest < 1) buffer[top_here] = it->others[t] - rest / (1 + rest);
        for (int64_t i = 0; i < n; i++) grad[c + i] = (float)(scale * buffer[i]);
    }
}
#endif

static void NAME(write_frames)(const NAME(ctc_call) * call, const NAME(slot) * slot, int64_t n, int64_t begin,
                               int64_t end) {
    const ARGS *args = call->args;
    const ctc_shape *shape = &call->shape;
    const real scale = args->scale ? args->scale[n] : 1;
    for (int64_t t = begin; t < end; t++) {
        const real *row = args->pred + n * shape->batch_stride + t * shape->time_stride;
        real *grad = NAME(grad_of)(call, n, t);
        if (t + 1 < end && call->keeps_exps)
            NAME(prefetch_frame)(shape->classes, call->grad_time_stride, grad);
        else if (t + 1 < end)
            NAME(prefetch_frame)(shape->classes, shape->time_stride, row);
        if (t >= slot->lattice.time || *slot->outcome == NAME(INFEASIBLE) || scale == 0) {
            memset(grad, 0, (size_t)shape->classes * sizeof(real));
        } else if (*slot->outcome == NAME(NOT_A_NUMBER)) {
            for (int64_t c = 0; c < shape->classes; c++) grad[c] = (real)NAN;
#if CLOSS_REAL == 32
        } else if (*slot->outcome == PRECISE_f32) {
            write_frame_precise(call, slot, row, t, scale, grad);
#endif
        } else {
            NAME(write_frame)(call, slot, row, t, scale, grad);
        }
    }
}

/* ---- Tasks ------------------------------------------------------------------------------------------------------ */

/* Slot k takes samples until there are none left. */
static void NAME(samples_task)(void *context, int64_t k) {
    NAME(ctc_call) *call = context;
    int64_t n;
    while ((n = atomic_fetch_add(&call->next, 1)) < call->shape.batch) {
        ctc_sample sample;
        NAME(slot) slot = NAME(slot_for)(call, k, n, &sample);
        NAME(fill_labels)(&slot.lattice, &sample, call->shape.label_stride);
        if (NAME(has_path)(call, &sample)) NAME(read_frames)(call, &slot, n, 0, sample.time);
        NAME(evaluate)(call, &slot, n, &sample);
        if (call->want_grad) NAME(write_frames)(call, &slot, n, 0, call->shape.time);
    }
}

/* With a slot for each sample: */

static void NAME(labels_task)(void *context, int64_t n) {
    ctc_sample sample;
    NAME(slot) slot = NAME(slot_for)(context, n, n, &sample);
    NAME(fill_labels)(&slot.lattice, &sample, ((NAME(ctc_call) *)context)->shape.label_stride);
}

static void NAME(read_task)(void *context, int64_t k) {
    NAME(ctc_call) *call = context;
    ctc_sample sample;
    int64_t n = k / call->frame_tasks, begin = k % call->frame_tasks * FRAMES_A_TASK;
    NAME(slot) slot = NAME(slot_for)(call, n, n, &sample);
    if (NAME(has_path)(call, &sample))
        NAME(read_frames)(call, &slot, n, begin, closs_clamp(begin + FRAMES_A_TASK, 0, sample.time));
}

static void NAME(evaluate_task)(void *context, int64_t n) {
    ctc_sample sample;
    NAME(slot) slot = NAME(slot_for)(context, n, n, &sample);
    NAME(evaluate)(context, &slot, n, &sample);
}

static void NAME(write_task)(void *context, int64_t k) {
    NAME(ctc_call) *call = context;
    ctc_sample sample;
    int64_t n = k / call->frame_tasks, begin = k % call->frame_tasks * FRAMES_A_TASK;
    NAME(slot) slot = NAME(slot_for)(call, n, n, &sample);
    NAME(write_frames)(call, &slot, n, begin, closs_clamp(begin + FRAMES_A_TASK, 0, call->shape.time));
}

/* All samples through all steps, with so many threads and slots. */
static void NAME(run_samples)(NAME(ctc_call) * call, int threads, int64_t slots) {
    const int64_t batch = call->shape.batch;
    if (threads > batch && slots == batch) {
        call->frame_tasks = closs_ceil_div(call->shape.time, FRAMES_A_TASK);
        closs_parallel_for(batch, 1, NAME(labels_task), call);
        closs_parallel_for(batch * call->frame_tasks, threads, NAME(read_task), call);
        closs_parallel_for(batch, threads, NAME(evaluate_task), call);
        if (call->want_grad) closs_parallel_for(batch * call->frame_tasks, threads, NAME(write_task), call);
    } else {
        atomic_store(&call->next, 0);
        closs_parallel_for(slots, threads, NAME(samples_task), call);
    }
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

static ctc_shape NAME(shape_of)(const ARGS *args) {
    return (ctc_shape){
        args->batch,         args->time,          args->classes,      args->batch_stride,
        args->time_stride,   args->blank,         args->pred_lengths, args->label,
        args->label_offsets, args->label_lengths, args->label_width,  args->label_batch_stride,
        args->label_stride,  args->label_size,
    };
}

static int NAME(threads_for)(const ctc_shape *shape, int64_t labels) {
    double ns = (double)shape->batch * (double)shape->time * (0.7 * (double)shape->classes + 3.0 * (double)labels + 50);
    return ns < SERIAL_BELOW_NS ? 1 : closs_get_num_threads();
}

static closs_status NAME(check_ctc_memory)(const NAME(ctc_call) * call) {
    const ARGS *args = call->args;
    const ctc_shape *shape = &call->shape;
    const uint64_t batch = (uint64_t)shape->batch;
    int64_t extent = ctc_extent(shape->batch, shape->time, shape->classes, shape->batch_stride, shape->time_stride);
    int64_t grad_extent =
        ctc_extent(shape->batch, shape->time, shape->classes, call->grad_batch_stride, call->grad_time_stride);
    if (args->grad && grad_extent < 0) return CLOSS_BAD_SIZE;
    const void *reals[] = {args->pred, args->scale, args->value, args->grad};
    for (int k = 0; k < 4; k++)
        if (!closs_is_aligned(reals[k], sizeof(real))) return CLOSS_MISALIGNED;
    const void *words[] = {args->pred_lengths, args->label, args->label_offsets, args->label_lengths, args->bad};
    for (int k = 0; k < 5; k++)
        if (!closs_is_aligned(words[k], sizeof(int64_t))) return CLOSS_MISALIGNED;
    const closs_span inputs[] = {
        closs_span_of(args->pred, sizeof(real) * (uint64_t)extent),
        closs_span_of(args->label, sizeof(int64_t) * (uint64_t)shape->label_size),
        closs_span_of(args->pred_lengths, sizeof(int64_t) * batch),
        closs_span_of(args->label_offsets, sizeof(int64_t) * batch),
        closs_span_of(args->label_lengths, sizeof(int64_t) * batch),
        closs_span_of(args->scale, sizeof(real) * batch),
    };
    const closs_span outputs[] = {
        closs_span_of(args->grad, sizeof(real) * (uint64_t)grad_extent),
        closs_span_of(args->value, sizeof(real) * batch),
        closs_span_of(args->feasible, batch),
        closs_span_of(args->workspace, args->workspace_size),
        closs_span_of(args->bad, sizeof(*args->bad)),
    };
    int same_strides = call->grad_batch_stride == shape->batch_stride && call->grad_time_stride == shape->time_stride;
    const int in_place[] = {same_strides ? 0 : -1, -1, -1, -1, -1};
    return closs_any_overlap(6, inputs, 5, outputs, in_place) ? CLOSS_OVERLAP : CLOSS_OK;
}

/* Everything that can be wrong but memory and, with CLOSS_CTC_RAISE, what only the scores can tell. */
static closs_status NAME(check_ctc)(NAME(ctc_call) * call) {
    const ARGS *args = call->args;
    ctc_shape *shape = &call->shape;
    if (!closs_reserved_is_zero(args->reserved)) return CLOSS_TOO_NEW;
    closs_status status = ctc_check_sizes(shape);
    if (status == CLOSS_OK) status = ctc_check_label_sizes(shape);
    if (status != CLOSS_OK) return status;
    if (args->input < CLOSS_CTC_LOGITS || args->input > CLOSS_CTC_LOG_PROBS) return CLOSS_BAD_PARAMETER;
    if (args->infeasible < CLOSS_CTC_INF || args->infeasible > CLOSS_CTC_RAISE) return CLOSS_BAD_PARAMETER;
    if (!args->value && !args->grad && !args->feasible) return CLOSS_MISSING_OUTPUT;
    if (shape->batch > 0 && shape->time > 0 && !args->pred) return CLOSS_NULL_POINTER;
    if (shape->batch > 0 && shape->label_width > 0 && !args->label) return CLOSS_NULL_POINTER;
    call->grad_batch_stride = args->grad_batch_stride;
    call->grad_time_stride = args->grad_time_stride;
    if (args->grad_batch_stride == 0 && args->grad_time_stride == 0) {
        call->grad_batch_stride = shape->batch_stride;
        call->grad_time_stride = shape->time_stride;
    }
    status = NAME(check_ctc_memory)(call);
    if (status == CLOSS_OK) status = ctc_check_lengths(shape, args->bad);
    if (status != CLOSS_OK) return status;
    return ctc_check_labels(shape, args->infeasible == CLOSS_CTC_RAISE, args->bad, &call->longest);
}

/* Not in place, where pred may be read once more, and not where it costs more than a second exp: 1 x 400 x 1000 takes
 * 0.54 ms with and 0.72 ms without, 16 x 400 x 8000 (13 MB a sample) 75 ms without and 80 ms with. */
static int NAME(may_keep_exps)(const ARGS *args) {
    return args->input == CLOSS_CTC_LOGITS && args->grad != args->pred &&
           (uint64_t)(args->time * args->classes) * sizeof(real) <= KEPT_EXPS;
}

closs_status NAME(closs_ctc)(const ARGS *args) {
    if (!args) return CLOSS_NULL_POINTER;
    NAME(ctc_call) call = {.args = args, .kernels = closs_kernels_in_use(), .shape = NAME(shape_of)(args)};
    closs_status status = NAME(check_ctc)(&call);
    if (status != CLOSS_OK || call.shape.batch == 0) return status;

    call.slot_size = NAME(slot_size)(call.shape.time, call.longest, args->grad != NULL);
    int threads = NAME(threads_for)(&call.shape, call.longest);
    int64_t slots = threads < call.shape.batch ? threads : call.shape.batch;
    if (call.slot_size == 0 || call.slot_size > (SIZE_MAX - 64) / (uint64_t)slots) return CLOSS_BAD_SIZE;
    char *memory = args->workspace;
    if (memory) {
        uint64_t usable = args->workspace_size > 63 ? args->workspace_size - 63 : 0;
        if (usable < call.slot_size) return CLOSS_BAD_SIZE;
        slots = closs_clamp((int64_t)(usable / call.slot_size), 1, slots);
    } else {
        memory = malloc((size_t)(call.slot_size * (uint64_t)slots) + 63);
        if (!memory) return CLOSS_NO_MEMORY;
    }
    call.slots = memory + (64 - (uintptr_t)memory % 64) % 64;

    atomic_init(&call.infeasible, INT64_MAX);
    if (args->infeasible == CLOSS_CTC_RAISE) {
        call.is_trial = 1;
        NAME(run_samples)(&call, threads, slots);
        call.is_trial = 0;
    }
    int64_t infeasible = atomic_load(&call.infeasible);
    call.want_grad = args->grad != NULL;
    call.keeps_exps = call.want_grad && NAME(may_keep_exps)(args);
    if (infeasible == INT64_MAX) NAME(run_samples)(&call, threads, slots);
    if (!args->workspace) free(memory);
    return infeasible == INT64_MAX ? CLOSS_OK : ctc_infeasible(&call.shape, args->bad, infeasible);
}

size_t NAME(closs_ctc_workspace_size)(const ARGS *args) {
    if (!args || args->batch < 0 || args->time < 0 || args->label_width < 0) return 0;
    uint64_t slot = NAME(slot_size)(args->time, args->label_width, args->grad != NULL);
    uint64_t slots = (uint64_t)closs_clamp(closs_get_num_threads(), 1, closs_clamp(args->batch, 1, INT64_MAX));
    return slot > (SIZE_MAX - 64) / slots ? 0 : (size_t)(slot * slots) + (slot > 0 ? 63 : 0);
}

/* ---- Best path -------------------------------------------------------------------------------------------------- */

typedef struct {
    const NAME(closs_ctc_greedy_args) * args;
    const closs_kernels *kernels;
    ctc_shape shape;
} NAME(greedy_call);

/* The logarithms of the probabilities of n frames' largest classes, added to *score; the classes. */
static void NAME(greedy_frames)(const NAME(greedy_call) * call, const real *row, int64_t n, int64_t *top_class,
                                double *score) {
    const NAME(closs_ctc_kernels) *kernels = &call->kernels->NAME(table)->ctc;
    double terms[FRAMES_A_TASK];
    int is_logits = call->args->input == CLOSS_CTC_LOGITS;
    for (int64_t t = 0; t < n; t++, row += call->shape.time_stride) {
        real top = kernels->row_max(call->shape.classes, row, &top_class[t]);
        int64_t unordered = 0; /* the largest class has passed over NaN, which row_rest brings back */
        for (int64_t c = 0; !is_logits && c < call->shape.classes; c++) unordered += row[c] != row[c];
        terms[t] = is_logits ? kernels->row_rest(call->shape.classes, row, top, top_class[t], NULL) : top;
        if (unordered || top == INFINITY || (is_logits && top == -INFINITY)) terms[t] = NAN;
    }
    if (is_logits) call->kernels->table_f64->ctc.log1p(n, terms, terms);
    for (int64_t t = 0; t < n; t++) *score += is_logits ? -terms[t] : terms[t];
}

static void NAME(greedy_task)(void *context, int64_t n) {
    const NAME(greedy_call) *call = context;
    const NAME(closs_ctc_greedy_args) *args = call->args;
    const ctc_shape *shape = &call->shape;
    ctc_sample sample = ctc_sample_of(shape, n);
    const int64_t start = n * shape->time; /* an index: label may be NULL where there are no frames */
    int64_t labels = 0, before = shape->blank;
    double score = 0;
    for (int64_t begin = 0; begin < sample.time; begin += FRAMES_A_TASK) {
        int64_t top_class[FRAMES_A_TASK], frames = closs_clamp(sample.time - begin, 0, FRAMES_A_TASK);
        const real *row = args->pred + n * shape->batch_stride + begin * shape->time_stride;
        NAME(greedy_frames)(call, row, frames, top_class, &score);
        for (int64_t t = 0; t < frames; before = top_class[t], t++)
            if (top_class[t] != shape->blank && top_class[t] != before) args->label[start + labels++] = top_class[t];
    }
    for (int64_t i = labels; i < shape->time; i++) args->label[start + i] = -1;
    if (args->label_lengths) args->label_lengths[n] = labels;
    if (args->score) args->score[n] = (real)score;
}

closs_status NAME(closs_ctc_greedy)(const NAME(closs_ctc_greedy_args) * args) {
    if (!args) return CLOSS_NULL_POINTER;
    NAME(greedy_call) call = {.args = args, .kernels = closs_kernels_in_use()};
    call.shape = (ctc_shape){
        .batch = args->batch,
        .time = args->time,
        .classes = args->classes,
        .blank = args->blank,
        .batch_stride = args->batch_stride,
        .time_stride = args->time_stride,
        .pred_lengths = args->pred_lengths,
    };
    ctc_shape *shape = &call.shape;
    if (!closs_reserved_is_zero(args->reserved)) return CLOSS_TOO_NEW;
    closs_status status = ctc_check_sizes(shape);
    if (status != CLOSS_OK) return status;
    if (args->input < CLOSS_CTC_LOGITS || args->input > CLOSS_CTC_LOG_PROBS) return CLOSS_BAD_PARAMETER;
    const uint64_t frames = (uint64_t)(shape->batch * shape->time), batch = (uint64_t)shape->batch;
    if (frames > 0 && (!args->pred || !args->label)) return CLOSS_NULL_POINTER;
    if (!closs_is_aligned(args->pred, sizeof(real)) || !closs_is_aligned(args->score, sizeof(real)))
        return CLOSS_MISALIGNED;
    const void *words[] = {args->pred_lengths, args->label, args->label_lengths, args->bad};
    for (int k = 0; k < 4; k++)
        if (!closs_is_aligned(words[k], sizeof(int64_t))) return CLOSS_MISALIGNED;
    int64_t extent = ctc_extent(shape->batch, shape->time, shape->classes, shape->batch_stride, shape->time_stride);
    const closs_span inputs[] = {
        closs_span_of(args->pred, sizeof(real) * (uint64_t)extent),
        closs_span_of(args->pred_lengths, sizeof(int64_t) * batch),
    };
    const closs_span outputs[] = {
        closs_span_of(args->label, sizeof(int64_t) * frames),
        closs_span_of(args->label_lengths, sizeof(int64_t) * batch),
        closs_span_of(args->score, sizeof(real) * batch),
        closs_span_of(args->bad, sizeof(*args->bad)),
    };
    const int in_place[] = {-1, -1, -1, -1};
    if (closs_any_overlap(2, inputs, 4, outputs, in_place)) return CLOSS_OVERLAP;
    status = ctc_check_lengths(shape, args->bad);
    if (status != CLOSS_OK) return status;
    closs_parallel_for(shape->batch, NAME(threads_for)(shape, 0), NAME(greedy_task), &call);
    return CLOSS_OK;
}

#undef ARGS
