/* One type's half of softmax.c. */

#define ARGS NAME(closs_softmax)

/* A call, checked and resolved: what the tasks read. */
typedef struct {
    NAME(reduction) reduction;
    NAME(weights) weights;
    NAME(closs_softmax_rows) job; /* what is the same for all rows; pointers of row 0 */
    const ARGS *args;
    int64_t inner;
} NAME(softmax_call);

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

/* Sizes, with the defaults put in. */
typedef struct {
    int64_t outer, classes, inner, rows, elements; /* of pred */
    int64_t sample_outer, batch, sample_inner;     /* of the rows */
} NAME(softmax_shape);

static closs_status NAME(softmax_shape_of)(const ARGS *args, NAME(softmax_shape) * shape) {
    NAME(softmax_shape) s = {.outer = args->outer, .classes = args->classes, .batch = args->batch};
    s.inner = args->inner ? args->inner : 1;
    s.sample_inner = args->sample_inner ? args->sample_inner : 1;
    const int64_t shape_of_pred[] = {s.outer, s.inner, s.classes}, tile_of_rows[] = {s.batch, s.sample_inner};
    int64_t tile;
    if (!closs_count_elements(3, shape_of_pred, &s.elements)) return CLOSS_BAD_SIZE;
    if (!closs_count_elements(2, tile_of_rows, &tile)) return CLOSS_BAD_SIZE;
    s.rows = s.outer * s.inner;
    if (s.rows > 0 && s.classes == 0) return CLOSS_BAD_SIZE;
    if (s.inner > 1 && s.classes > INT32_MAX)
        return CLOSS_BAD_SIZE; /* lanes know classes as integers of a float's width */
    int by_sample = args->reduction == CLOSS_SAMPLE_MEAN || args->reduction == CLOSS_SAMPLE_SUM;
    if (!by_sample) tile = s.batch = s.rows, s.sample_inner = 1;
    if (s.rows > 0 && (tile == 0 || s.rows % tile != 0)) return CLOSS_BAD_SIZE;
    s.sample_outer = s.rows > 0 ? s.rows / tile : 1;
    *shape = s;
    return CLOSS_OK;
}

static closs_status NAME(check_softmax_overlap)(const ARGS *args, enum labels labels, const NAME(softmax_shape) * s) {
    const uint64_t bytes = sizeof(real) * (uint64_t)s->elements, row_bytes = sizeof(real) * (uint64_t)s->rows;
    const int64_t places = labels == DIVERGENCE ? s->elements : s->rows;
    const uint64_t value_bytes = sizeof(real) * (uint64_t)NAME(values_of)(args->reduction, places, s->batch);
    const closs_span inputs[] = {
        closs_span_of(args->pred, bytes),
        closs_span_of(labels == CLASSES ? args->label : NULL, sizeof(int64_t) * (uint64_t)s->rows),
        closs_span_of(labels == CLASSES ? NULL : args->label_dense, bytes),
        NAME(operand_span)(&args->sample_weight, s->rows),
        closs_span_of(args->element_weight, bytes),
        closs_span_of(args->grad_output, value_bytes),
        closs_span_of(args->class_weight, sizeof(real) * (uint64_t)s->classes),
        closs_span_of(args->ignore_index, sizeof(int64_t)),
        closs_span_of(args->weight, sizeof(double)),
    };
    const closs_span outputs[] = {
        closs_span_of(args->grad, bytes),
        closs_span_of(args->value, value_bytes),
        closs_span_of(args->lse, row_bytes),
        closs_span_of(args->total, sizeof(double)),
        closs_span_of(args->bad, sizeof(*args->bad)),
    };
    const int in_place[] = {0, -1, -1, -1, -1};
    return closs_any_overlap(9, inputs, 5, outputs, in_place) ? CLOSS_OVERLAP : CLOSS_OK;
}

static closs_status NAME(check_softmax_options)(const ARGS *args, enum labels labels, int64_t classes) {
    if (!(args->label_smoothing >= 0 && args->label_smoothing <= 1)) return CLOSS_BAD_PARAMETER;
    if (!(args->z_loss >= 0 && args->z_loss <= DBL_MAX)) return CLOSS_BAD_PARAMETER;
    if (args->log_probabilities && (args->z_loss != 0 || args->lse)) return CLOSS_BAD_PARAMETER;
    if (labels != CLASSES && args->ignore_index) return CLOSS_BAD_PARAMETER;
    int plain = !args->class_weight && args->label_smoothing == 0 && args->z_loss == 0 && !args->log_probabilities;
    if (labels == DIVERGENCE ? !plain : args->element_weight != NULL) return CLOSS_BAD_PARAMETER;
    for (int64_t c = 0; args->class_weight && c < classes; c++)
        if (!(args->class_weight[c] >= 0 && args->class_weight[c] <= REAL_MAX)) return CLOSS_BAD_PARAMETER;
    return CLOSS_OK;
}

/* Everything that can be wrong but the labels, before anything is written. */
static closs_status NAME(check_softmax)(const ARGS *args, enum labels labels, NAME(softmax_shape) * shape) {
    if (!args) return CLOSS_NULL_POINTER;
    if (!closs_reserved_is_zero(args->reserved)) return CLOSS_TOO_NEW;
    closs_status status = NAME(check_reduction)(args->reduction, args->weight, args->grad_output, args->value,
                                                args->total, args->grad != NULL || args->lse != NULL);
    if (status == CLOSS_OK) status = NAME(softmax_shape_of)(args, shape);
    if (status == CLOSS_OK) status = NAME(check_operand)(&args->sample_weight);
    if (status != CLOSS_OK) return status;
    const void *label = labels == CLASSES ? (const void *)args->label : (const void *)args->label_dense;
    if (shape->rows > 0 && (!args->pred || !label)) return CLOSS_NULL_POINTER;
    const void *reals[] = {args->pred,         args->element_weight,
                           args->class_weight, args->grad,
                           args->lse,          labels == CLASSES ? NULL : args->label_dense};
    for (int k = 0; k < 6; k++)
        if (!closs_is_aligned(reals[k], sizeof(real))) return CLOSS_MISALIGNED;
    const void *wide[] = {labels == CLASSES ? args->label : NULL, args->ignore_index, args->bad};
    for (int k = 0; k < 3; k++)
        if (!closs_is_aligned(wide[k], sizeof(int64_t))) return CLOSS_MISALIGNED;
    status = NAME(check_softmax_options)(args, labels, shape->classes);
    return status != CLOSS_OK ? status : NAME(check_softmax_overlap)(args, labels, shape);
}

/* ---- Labels ----------------------------------------------------------------------------------------------------- */

typedef struct {
    const ARGS *args;
    int64_t rows, tasks;
    int weighted;
    survey parts[CLOSS_MAX_PARTIALS];
} NAME(survey_call);

static void NAME(survey_task)(void *context, int64_t k) {
    NAME(survey_call) *call = context;
    const ARGS *args = call->args;
    const uint64_t classes = (uint64_t)args->classes;
    const int64_t ignore = args->ignore_index ? *args->ignore_index : -1; /* -1 is out of range in any case */
    int64_t piece = closs_ceil_div(call->rows, call->tasks), begin = piece * k;
    int64_t end = begin + piece < call->rows ? begin + piece : call->rows;
    survey found = {.bad = -1};
    int64_t wrong = 0, ignored = 0;
    CLOSS_INDEPENDENT
    for (int64_t r = begin; r < end; r++) wrong += (uint64_t)args->label[r] >= classes;
    if (args->ignore_index || wrong) {
        for (int64_t r = end - 1; r >= begin; r--) {
            int skip = args->ignore_index && args->label[r] == ignore;
            ignored += skip;
            if (!skip && (uint64_t)args->label[r] >= classes) found.bad = r;
        }
    }
    found.counted = (end > begin ? end - begin : 0) - ignored;
    NAME(operand_buffer) buffer;
    buffer.filled = 0;
    closs_sum sum = {0, 0};
    for (int64_t r = begin; call->weighted && found.bad < 0 && r < end;) {
        int64_t n = end - r < NAME(CHUNK) ? end - r : NAME(CHUNK);
        const real *weight = args->sample_weight.data ? NAME(operand)(&args->sample_weight, r, n, &buffer) : NULL;
        for (int64_t i = 0; i < n; i++, r++) {
            int64_t label = args->label[r];
            if (args->ignore_index && label == ignore) continue;
            double own = args->class_weight ? (double)args->class_weight[label] : 1.0;
            closs_add(own * (weight ? (double)weight[i] : 1.0), &sum.hi, &sum.lo);
        }
    }
    found.weight = closs_sum_value(sum);
    call->parts[k] = found;
}

static survey NAME(survey_labels)(const ARGS *args, int64_t rows) {
    NAME(survey_call) call;
    call.args = args;
    call.rows = rows;
    call.weighted = args->reduction == CLOSS_WEIGHTED_MEAN;
    call.tasks = closs_clamp(rows / SURVEY_ROWS, 1, CLOSS_MAX_PARTIALS);
    closs_parallel_for(call.tasks, rows < 16 * SURVEY_ROWS ? 1 : closs_get_num_threads(), NAME(survey_task), &call);
    survey all = {.bad = -1};
    closs_sum sum = {0, 0};
    for (int64_t k = call.tasks - 1; k >= 0; k--) {
        if (call.parts[k].bad >= 0) all.bad = call.parts[k].bad;
        all.counted += call.parts[k].counted;
    }
    for (int64_t k = 0; k < call.tasks; k++) closs_add(call.parts[k].weight, &sum.hi, &sum.lo);
    all.weight = closs_sum_value(sum);
    return all;
}

/* Rows of each sample that are not ignored, at least 1: a sample of ignored rows has mean 0. NULL without memory. */
static double *NAME(count_samples)(const ARGS *args, const NAME(softmax_shape) * s) {
    double *counts = malloc((size_t)s->batch * (sizeof(double) + sizeof(real)));
    if (!counts) return NULL;
    for (int64_t b = 0; b < s->batch; b++) {
        int64_t counted = 0;
        for (int64_t o = 0; o < s->sample_outer; o++) {
            const int64_t *label = args->label + (o * s->batch + b) * s->sample_inner;
            for (int64_t i = 0; i < s->sample_inner; i++) counted += label[i] != *args->ignore_index;
        }
        counts[b] = counted > 0 ? (double)counted : 1.0;
    }
    real *inverses = (real *)(counts + s->batch);
    for (int64_t b = 0; b < s->batch; b++) inverses[b] = (real)(1 / counts[b]);
    return counts;
}

/* ---- One task --------------------------------------------------------------------------------------------------- */

typedef struct {
    const NAME(softmax_call) * call;
    real value[SOFTMAX_RUN], scale[SOFTMAX_RUN], element_scale[SOFTMAX_RUN];
    int64_t label[SOFTMAX_RUN];
    NAME(operand_buffer) sample_weight, cotangent, divisor, weight;
    real ones[NAME(CHUNK)], one_hot[NAME(CHUNK)];
} NAME(softmax_task);

/* Rows e .. e + n in the planes that they lie in. */
static void NAME(run_rows)(const NAME(softmax_call) * call, const NAME(closs_softmax_rows) * first, int64_t e,
                           int64_t n) {
    const int64_t inner = call->inner, classes = first->classes;
    for (int64_t done = 0; done < n;) {
        int64_t plane = (e + done) / inner, i = (e + done) % inner;
        int64_t rows = inner == 1 || n - done < inner - i ? n - done : inner - i;
        NAME(closs_softmax_rows) job = NAME(further_rows)(first, done, plane * classes * inner + i);
        call->reduction.kernels->softmax_rows(&job, rows);
        done += rows;
    }
}

static const real *NAME(softmax_run)(void *context, int64_t e, int64_t n) {
    NAME(softmax_task) *task = context;
    const NAME(softmax_call) *call = task->call;
    const NAME(closs_kernel_table) *kernels = call->reduction.kernels;
    const NAME(weights) *weights = &call->weights;
    const ARGS *args = call->args;
    NAME(closs_softmax_rows) job = call->job;
    const real *sample_weight = NULL, *weight = NULL;
    if (weights->sample_weight.data) sample_weight = NAME(operand)(&weights->sample_weight, e, n, &task->sample_weight);
    if (weights->weight.data) weight = NAME(operand)(&weights->weight, e, n, &task->weight);

    if (job.label) {
        job.label = args->label + e;
        if (args->ignore_index) {
            for (int64_t i = 0; i < n; i++) task->label[i] = job.label[i] == *args->ignore_index ? -1 : job.label[i];
            job.label = task->label;
        }
    }
    if (job.grad) {
        real *scale = task->scale;
        for (int64_t i = 0; i < n; i++) scale[i] = weights->scale;
        if (sample_weight) kernels->multiply(n, sample_weight, scale);
        if (weights->cotangent.data)
            kernels->multiply(n, NAME(operand)(&weights->cotangent, e, n, &task->cotangent), scale);
        if (weights->divisor.data) kernels->multiply(n, NAME(operand)(&weights->divisor, e, n, &task->divisor), scale);
        for (int64_t i = 0; args->ignore_index && i < n; i++)
            if (job.label[i] < 0) scale[i] = 0;
        job.scale = scale;
    }
    if (job.elements) {
        for (int64_t i = 0; i < n; i++) task->element_scale[i] = 1;
        if (sample_weight) kernels->multiply(n, sample_weight, task->element_scale);
        if (weight) kernels->multiply(n, weight, task->element_scale);
        job.element_scale = task->element_scale;
    }
    if (job.lse) job.lse += e;
    int direct = !call->reduction.summed && args->value && !job.elements;
    job.value = direct ? args->value + e : task->value;
    job.ones = task->ones;
    job.one_hot = task->one_hot;
    real *value = job.value;
    NAME(run_rows)(call, &job, e, n);
    if (sample_weight) kernels->multiply(n, sample_weight, value);
    if (weight) kernels->multiply(n, weight, value);
    for (int64_t i = 0; args->ignore_index && i < n; i++) /* also where its weight is NaN */
        if (job.label[i] < 0) value[i] = 0;
    return value;
}

static void NAME(softmax_box)(void *context, int64_t k) {
    NAME(softmax_task) task;
    task.call = context;
    task.sample_weight.filled = task.cotangent.filled = task.divisor.filled = task.weight.filled = 0;
    const NAME(closs_softmax_rows) *job = &task.call->job;
    if (job->dense || job->uniform != 0) /* what reads them; filling them takes as long as 200 elements */
        for (int i = 0; i < NAME(CHUNK); i++) task.ones[i] = 1, task.one_hot[i] = 0;
    NAME(reduce_box)(&task.call->reduction, k, SOFTMAX_RUN, NAME(softmax_run), &task);
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

static NAME(closs_softmax_rows) NAME(softmax_job)(const ARGS *args, enum labels labels, const NAME(softmax_shape) * s) {
    NAME(closs_softmax_rows)
    job = {
        .classes = s->classes,
        .step = s->inner,
        .pred = args->pred,
        .class_weight = args->class_weight,
        .z_loss = args->z_loss,
        .log_probabilities = args->log_probabilities != 0,
        .divergence = labels == DIVERGENCE,
        .lse = args->lse,
        .grad = args->grad,
    };
    /* One class is smoothed to itself: left out, so that its gradient is exactly 0. */
    const double smoothing = labels == CLASSES && s->classes == 1 ? 0 : args->label_smoothing;
    job.keep = (real)(1 - smoothing);
    job.uniform = (real)(smoothing / (double)s->classes);
    if (labels == CLASSES) {
        job.label = args->label;
    } else {
        job.dense = args->label_dense;
        job.element_weight = args->element_weight;
    }
    if (labels == DIVERGENCE && args->reduction == CLOSS_NONE) {
        job.elements = args->value;
        job.element_cotangent = args->grad_output;
    }
    return job;
}

/* The sum of all weights of a divergence, whose elements have their own. */
static double NAME(sum_of_weights)(const NAME(closs_kernel_table) * kernels, const ARGS *args, enum labels labels,
                                   const NAME(softmax_shape) * s) {
    double rows = NAME(sum_of_operand)(kernels, &args->sample_weight, s->rows);
    if (labels != DIVERGENCE) return rows;
    return args->element_weight ? NAME(sum_of)(kernels, args->element_weight, s->elements) : rows * (double)s->classes;
}

static closs_status NAME(softmax_loss)(const ARGS *args, enum labels labels) {
    NAME(softmax_shape) s;
    closs_status status = NAME(check_softmax)(args, labels, &s);
    if (status != CLOSS_OK) return status;
    const int unreduced_elements = labels == DIVERGENCE && args->reduction == CLOSS_NONE;
    NAME(reduction_args)
    how = {
        .kind = args->reduction,
        .weight = args->weight,
        .sample_weight = args->sample_weight,
        .grad_output = unreduced_elements ? NULL : args->grad_output,
        .value = args->value,
        .total = args->total,
        .outer = s.sample_outer,
        .batch = s.batch,
        .inner = s.sample_inner,
        .elements = labels == DIVERGENCE ? s.classes : 1,
        .count = (double)(labels == DIVERGENCE ? s.elements : s.rows),
    };
    if (s.rows == 0) {
        NAME(finish_empty)(&how);
        return CLOSS_OK;
    }
    const NAME(closs_kernel_table) *kernels = closs_kernels_in_use()->NAME(table);
    double *counts = NULL;
    if (labels == CLASSES) {
        survey found = NAME(survey_labels)(args, s.rows);
        if (found.bad >= 0) {
            if (args->bad) *args->bad = (closs_bad_label){found.bad, args->label[found.bad]};
            return CLOSS_BAD_LABEL;
        }
        how.count = (double)found.counted;
        how.weight_sum = found.weight;
        int per_sample = args->reduction == CLOSS_SAMPLE_MEAN && s.rows > s.batch;
        if (args->ignore_index && per_sample) {
            counts = NAME(count_samples)(args, &s);
            if (!counts) return CLOSS_NO_MEMORY;
            how.divisors = counts;
            how.inverses = (const real *)(counts + s.batch);
        }
    } else if (args->reduction == CLOSS_WEIGHTED_MEAN) {
        how.weight_sum = NAME(sum_of_weights)(kernels, args, labels, &s);
    }
    NAME(softmax_call) call = {.args = args, .inner = s.inner, .job = NAME(softmax_job)(args, labels, &s)};
    NAME(resolve)(&how, kernels, &call.reduction, &call.weights);
    int threads = s.elements < SOFTMAX_GRAIN ? 1 : closs_get_num_threads();
    /* In place a row's largest logit is found while the row before it in the task is computed (256 x 50257: 0.83 of the
     * time, two_builds.py), so that long rows go together too, where that leaves tasks enough for many threads. */
    int64_t together = closs_clamp(s.rows / 64, 1, 4);
    int64_t rows_a_task = closs_clamp(CLOSS_TASK_ELEMENTS / s.classes, together, CLOSS_TASK_ELEMENTS);
    int64_t lanes = s.classes <= 32 || s.inner > 1 ? 64 : 1; /* where tasks end the kernel's lanes are full */
    NAME(reduce)(&call.reduction, &how, lanes, rows_a_task, threads, NAME(softmax_box), &call);
    free(counts);
    return CLOSS_OK;
}

#define SOFTMAX(name, labels) \
    closs_status NAME(closs_##name)(const ARGS *args) { return NAME(softmax_loss)(args, labels); }
#include "../losses.def"

#undef ARGS
