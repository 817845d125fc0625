/* One type's half of vectors.c. */

#define ARGS NAME(closs_vectors)

/* A call, checked and resolved: what the tasks read. */
typedef struct {
    NAME(reduction) reduction;
    NAME(weights) weights;
    NAME(closs_vectors_rows) job;
    const ARGS *args;
    int loss;
} NAME(vectors_call);

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t outer, rows, inner, elements;
    int64_t sample_outer, batch, sample_inner; /* of the rows */
} NAME(vectors_shape);

static closs_status NAME(vectors_shape_of)(const ARGS *args, NAME(vectors_shape) * shape) {
    NAME(vectors_shape) s = {.rows = args->rows, .inner = args->inner, .batch = args->batch};
    s.outer = args->outer ? args->outer : 1;
    s.sample_inner = args->sample_inner ? args->sample_inner : 1;
    const int64_t shape_of_input[] = {s.outer, s.rows, s.inner}, tile_of_rows[] = {s.batch, s.sample_inner};
    int64_t tile;
    if (!closs_count_elements(3, shape_of_input, &s.elements)) return CLOSS_BAD_SIZE;
    if (!closs_count_elements(2, tile_of_rows, &tile)) return CLOSS_BAD_SIZE;
    int by_sample = args->reduction == CLOSS_SAMPLE_MEAN || args->reduction == CLOSS_SAMPLE_SUM;
    if (!by_sample || s.batch == 0) tile = s.batch = s.rows, s.sample_inner = 1;
    if (s.rows > 0 && (tile == 0 || s.rows % tile != 0)) return CLOSS_BAD_SIZE;
    s.sample_outer = s.rows > 0 ? s.rows / tile : 1;
    *shape = s;
    return CLOSS_OK;
}

static closs_status NAME(check_vectors)(int inputs, int labelled, const ARGS *args, double margin,
                                        NAME(vectors_shape) * s) {
    if (!args) return CLOSS_NULL_POINTER;
    if (!closs_reserved_is_zero(args->reserved)) return CLOSS_TOO_NEW;
    int any_grad = 0;
    for (int k = 0; k < inputs; k++) any_grad |= args->grad[k] != NULL;
    closs_status status =
        NAME(check_reduction)(args->reduction, args->weight, args->grad_output, args->value, args->total, any_grad);
    if (status == CLOSS_OK) status = NAME(vectors_shape_of)(args, s);
    if (status == CLOSS_OK) status = NAME(check_operand)(&args->sample_weight);
    if (status != CLOSS_OK) return status;
    if (!(fabs(margin) <= DBL_MAX)) return CLOSS_BAD_PARAMETER;
    const uint64_t bytes = sizeof(real) * (uint64_t)s->elements, row_bytes = sizeof(real) * (uint64_t)s->rows;
    closs_span in[7], out[6];
    const int in_place[6] = {0, 1, 2, -1, -1, -1};
    for (int k = 0; k < 3; k++) {
        int used = k < inputs;
        if (used && s->elements > 0 && !args->input[k]) return CLOSS_NULL_POINTER;
        if (!closs_is_aligned(args->input[k], sizeof(real))) return CLOSS_MISALIGNED;
        if (!closs_is_aligned(args->grad[k], sizeof(real))) return CLOSS_MISALIGNED;
        if (!used && args->grad[k]) return CLOSS_BAD_PARAMETER;
        in[k] = closs_span_of(used ? args->input[k] : NULL, bytes);
        out[k] = closs_span_of(args->grad[k], bytes);
    }
    if (labelled && s->rows > 0 && !args->label) return CLOSS_NULL_POINTER;
    if (!closs_is_aligned(args->label, sizeof(real)) || !closs_is_aligned(args->bad, sizeof(int64_t)))
        return CLOSS_MISALIGNED;
    const uint64_t value_bytes = sizeof(real) * (uint64_t)NAME(values_of)(args->reduction, s->rows, s->batch);
    in[3] = closs_span_of(labelled ? args->label : NULL, row_bytes);
    in[4] = NAME(operand_span)(&args->sample_weight, s->rows);
    in[5] = closs_span_of(args->grad_output, value_bytes);
    in[6] = closs_span_of(args->weight, sizeof(double));
    out[3] = closs_span_of(args->value, value_bytes);
    out[4] = closs_span_of(args->total, sizeof(double));
    out[5] = closs_span_of(args->bad, sizeof(*args->bad));
    return closs_any_overlap(7, in, 6, out, in_place) ? CLOSS_OVERLAP : CLOSS_OK;
}

/* The first label that is neither 1 nor -1, or -1. */
static int64_t NAME(first_bad_sign)(const real *label, int64_t rows) {
    for (int64_t r = 0; r < rows; r++)
        if (!(label[r] == 1 || label[r] == -1)) return r;
    return -1;
}

/* ---- One task --------------------------------------------------------------------------------------------------- */

typedef struct {
    const NAME(vectors_call) * call;
    real value[VECTORS_RUN], scale[VECTORS_RUN];
    NAME(operand_buffer) sample_weight, cotangent, weight;
} NAME(vectors_task);

static const real *NAME(vectors_run)(void *context, int64_t e, int64_t n) {
    NAME(vectors_task) *task = context;
    const NAME(vectors_call) *call = task->call;
    const NAME(closs_kernel_table) *kernels = call->reduction.kernels;
    const NAME(weights) *weights = &call->weights;
    const ARGS *args = call->args;
    const real *sample_weight = NULL;
    if (weights->sample_weight.data) sample_weight = NAME(operand)(&weights->sample_weight, e, n, &task->sample_weight);
    real *scale = args->grad[0] || args->grad[1] || args->grad[2] ? task->scale : NULL;
    if (scale) {
        for (int64_t i = 0; i < n; i++) scale[i] = weights->scale;
        if (sample_weight) kernels->multiply(n, sample_weight, scale);
        if (weights->cotangent.data)
            kernels->multiply(n, NAME(operand)(&weights->cotangent, e, n, &task->cotangent), scale);
    }
    real *value = !call->reduction.summed && args->value ? args->value + e : task->value;
    kernels->vectors_rows[call->loss](&call->job, e, n, scale, value);
    if (sample_weight) kernels->multiply(n, sample_weight, value);
    if (weights->weight.data) kernels->multiply(n, NAME(operand)(&weights->weight, e, n, &task->weight), value);
    return value;
}

static void NAME(vectors_box)(void *context, int64_t k) {
    NAME(vectors_task) task;
    task.call = context;
    task.sample_weight.filled = task.cotangent.filled = task.weight.filled = 0;
    NAME(reduce_box)(&task.call->reduction, k, VECTORS_RUN, NAME(vectors_run), &task);
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

static closs_status NAME(vectors_loss)(int loss, int inputs, int labelled, const ARGS *args, double margin) {
    NAME(vectors_shape) s;
    closs_status status = NAME(check_vectors)(inputs, labelled, args, margin, &s);
    if (status != CLOSS_OK) return status;
    int64_t bad = labelled ? NAME(first_bad_sign)(args->label, s.rows) : -1;
    if (bad >= 0) {
        if (args->bad)
            *args->bad = (closs_bad_label){bad, ABS(args->label[bad]) < R(1e18) ? (int64_t)args->label[bad] : 0};
        return CLOSS_BAD_LABEL;
    }
    NAME(reduction_args)
    how = {
        .kind = args->reduction,
        .weight = args->weight,
        .sample_weight = args->sample_weight,
        .grad_output = args->grad_output,
        .value = args->value,
        .total = args->total,
        .outer = s.sample_outer,
        .batch = s.batch,
        .inner = s.sample_inner,
        .count = (double)s.rows,
    };
    if (s.rows == 0) {
        NAME(finish_empty)(&how);
        return CLOSS_OK;
    }
    const NAME(closs_kernel_table) *kernels = closs_kernels_in_use()->NAME(table);
    if (args->reduction == CLOSS_WEIGHTED_MEAN)
        how.weight_sum = NAME(sum_of_operand)(kernels, &args->sample_weight, s.rows);
    NAME(vectors_call)
    call = {
        .args = args,
        .loss = loss,
        .job = {.outer = s.outer, .rows = s.rows, .inner = s.inner, .margin = margin},
    };
    if (labelled) call.job.label = args->label;
    for (int k = 0; k < inputs; k++) call.job.input[k] = args->input[k], call.job.grad[k] = args->grad[k];
    NAME(resolve)(&how, kernels, &call.reduction, &call.weights);
    int threads = s.elements < VECTORS_GRAIN ? 1 : closs_get_num_threads();
    int64_t per_row = s.elements / s.rows;
    int64_t rows_a_task = closs_clamp(CLOSS_TASK_ELEMENTS / (per_row ? per_row : 1), 1, CLOSS_TASK_ELEMENTS);
    NAME(reduce)(&call.reduction, &how, 1, rows_a_task, threads, NAME(vectors_box), &call);
    return CLOSS_OK;
}

#define VECTORS(name, inputs, labelled)                                                  \
    closs_status NAME(closs_##name)(const ARGS *args, double margin) {                   \
        return NAME(vectors_loss)(CLOSS_VECTORS_##name, inputs, labelled, args, margin); \
    }
#include "../losses.def"

#undef ARGS
