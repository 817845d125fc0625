/* One type's half of pairwise.c. */

#define ARGS NAME(closs_pairwise)

typedef struct {
    NAME(reduction) reduction;
    NAME(weights) weights;
    const ARGS *args;
    void (*softmax_rows)(const closs_softmax_rows_f64 *job, int64_t n);
    closs_softmax_rows_f64 job;
    double entropy;    /* sum of q log q over a row's targets q */
    double *distances; /* [rows][rows], gradients with respect to them later; without a gradient a row a task */
    int by_task;       /* 1: without a gradient */
} NAME(pairwise_call);

static closs_status NAME(check_pairwise)(const ARGS *args, double smoothing, int64_t *squares) {
    if (!args) return CLOSS_NULL_POINTER;
    if (!closs_reserved_is_zero(args->reserved)) return CLOSS_TOO_NEW;
    int any_grad = args->grad[0] || args->grad[1];
    closs_status status =
        NAME(check_reduction)(args->reduction, args->weight, args->grad_output, args->value, args->total, any_grad);
    if (status != CLOSS_OK) return status;
    const int64_t rows = args->rows, shape_of_input[] = {rows, args->inner}, shape_of_distances[] = {rows, rows};
    int64_t elements;
    if (!closs_count_elements(2, shape_of_input, &elements)) return CLOSS_BAD_SIZE;
    if (!closs_count_elements(2, shape_of_distances, squares)) return CLOSS_BAD_SIZE;
    status = NAME(check_operand)(&args->sample_weight);
    if (status != CLOSS_OK) return status;
    if (!(smoothing >= 0 && smoothing <= 1)) return CLOSS_BAD_PARAMETER;
    const uint64_t bytes = sizeof(real) * (uint64_t)elements;
    const uint64_t value_bytes = sizeof(real) * (uint64_t)NAME(values_of)(args->reduction, rows, rows);
    for (int k = 0; k < 2; k++) {
        if (elements > 0 && !args->input[k]) return CLOSS_NULL_POINTER;
        if (!closs_is_aligned(args->input[k], sizeof(real)) || !closs_is_aligned(args->grad[k], sizeof(real)))
            return CLOSS_MISALIGNED;
    }
    if (!closs_is_aligned(args->workspace, sizeof(double))) return CLOSS_MISALIGNED;
    if (rows > 0 && NAME(closs_pairwise_workspace)(rows, any_grad) == 0)
        return CLOSS_BAD_SIZE; /* more than size_t holds */
    const closs_span in[] = {
        closs_span_of(args->input[0], bytes),           closs_span_of(args->input[1], bytes),
        NAME(operand_span)(&args->sample_weight, rows), closs_span_of(args->grad_output, value_bytes),
        closs_span_of(args->weight, sizeof(double)),
    };
    const closs_span out[] = {
        closs_span_of(args->grad[0], bytes),
        closs_span_of(args->grad[1], bytes),
        closs_span_of(args->value, value_bytes),
        closs_span_of(args->total, sizeof(double)),
        closs_span_of(args->workspace, args->workspace ? NAME(closs_pairwise_workspace)(rows, any_grad) : 0),
    };
    const int in_place[] = {-1, -1, -1, -1, -1};
    return closs_any_overlap(5, in, 5, out, in_place) ? CLOSS_OVERLAP : CLOSS_OK;
}

size_t NAME(closs_pairwise_workspace)(int64_t rows, int want_grad) {
    int64_t waiting = want_grad || rows < PAIRWISE_ROWS ? rows : PAIRWISE_ROWS, distances;
    if (rows < 0 || !closs_multiply_sizes(waiting, rows, &distances)) return 0;
    return (uint64_t)distances <= SIZE_MAX / sizeof(double) ? (size_t)distances * sizeof(double) : 0;
}

/* ---- One task --------------------------------------------------------------------------------------------------- */

typedef struct {
    const NAME(pairwise_call) * call;
    double *distances; /* of one row, without a gradient */
    real value[PAIRWISE_ROWS], scale[PAIRWISE_ROWS];
    NAME(operand_buffer) sample_weight, cotangent, weight;
    double ones[PAIRWISE_CHUNK], one_hot[PAIRWISE_CHUNK];
} NAME(pairwise_task);

/* Rows e .. e + n: distances, their softmax, gradients with respect to the logits and to the first input. */
static const real *NAME(pairwise_run)(void *context, int64_t e, int64_t n) {
    NAME(pairwise_task) *task = context;
    const NAME(pairwise_call) *call = task->call;
    const NAME(closs_kernel_table) *kernels = call->reduction.kernels;
    const NAME(weights) *weights = &call->weights;
    const ARGS *args = call->args;
    const int64_t rows = args->rows, inner = args->inner;
    const real *sample_weight = NULL;
    if (weights->sample_weight.data) sample_weight = NAME(operand)(&weights->sample_weight, e, n, &task->sample_weight);
    for (int64_t i = 0; i < n; i++) task->scale[i] = weights->scale;
    if (sample_weight) kernels->multiply(n, sample_weight, task->scale);
    if (weights->cotangent.data)
        kernels->multiply(n, NAME(operand)(&weights->cotangent, e, n, &task->cotangent), task->scale);

    real *value = !call->reduction.summed && args->value ? args->value + e : task->value;
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = e + i;
        const real *vector = args->input[0] + row * inner;
        double *logits = call->by_task ? task->distances : call->distances + row * rows;
        kernels->distance_logits(rows, inner, vector, args->input[1], row, logits);
        const double scale = (double)task->scale[i];
        double loss;
        closs_softmax_rows_f64 job = call->job;
        job.pred = logits;
        job.label = &row;
        job.grad = call->by_task ? NULL : logits;
        job.scale = &scale;
        job.value = &loss;
        job.ones = task->ones;
        job.one_hot = task->one_hot;
        call->softmax_rows(&job, 1);
        loss += call->entropy;
        value[i] = (real)(loss < 0 ? 0 : loss); /* a divergence is not negative, its rounding may be */
        if (args->grad[0])
            kernels->weighted_differences(rows, inner, vector, args->input[1], logits, 1, -2.0,
                                          args->grad[0] + row * inner);
    }
    if (sample_weight) kernels->multiply(n, sample_weight, value);
    if (weights->weight.data) kernels->multiply(n, NAME(operand)(&weights->weight, e, n, &task->weight), value);
    return value;
}

static void NAME(pairwise_box)(void *context, int64_t k) {
    NAME(pairwise_task) task;
    task.call = context;
    task.distances = task.call->by_task ? task.call->distances + k * task.call->args->rows : NULL;
    task.sample_weight.filled = task.cotangent.filled = task.weight.filled = 0;
    for (int i = 0; i < PAIRWISE_CHUNK; i++) task.ones[i] = 1, task.one_hot[i] = 0;
    NAME(reduce_box)(&task.call->reduction, k, PAIRWISE_ROWS, NAME(pairwise_run), &task);
}

/* The gradient with respect to row k of the second input: a column of the gradients with respect to the distances. */
static void NAME(second_gradient)(void *context, int64_t k) {
    const NAME(pairwise_call) *call = context;
    const ARGS *args = call->args;
    call->reduction.kernels->weighted_differences(args->rows, args->inner, args->input[1] + k * args->inner,
                                                  args->input[0], call->distances + k, args->rows, -2.0,
                                                  args->grad[1] + k * args->inner);
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

closs_status NAME(closs_sdml)(const ARGS *args, double smoothing) {
    int64_t squares = 0;
    closs_status status = NAME(check_pairwise)(args, smoothing, &squares);
    if (status != CLOSS_OK) return status;
    const int64_t rows = args->rows;
    NAME(reduction_args)
    how = {
        .kind = args->reduction,
        .weight = args->weight,
        .sample_weight = args->sample_weight,
        .grad_output = args->grad_output,
        .value = args->value,
        .total = args->total,
        .outer = 1,
        .batch = rows,
        .inner = 1,
        .count = (double)rows,
    };
    if (rows == 0) {
        NAME(finish_empty)(&how);
        return CLOSS_OK;
    }
    const int want_grad = args->grad[0] || args->grad[1];
    double *distances = args->workspace ? args->workspace : malloc(NAME(closs_pairwise_workspace)(rows, want_grad));
    if (!distances) return CLOSS_NO_MEMORY;
    const NAME(closs_kernel_table) *kernels = closs_kernels_in_use()->NAME(table);
    if (args->reduction == CLOSS_WEIGHTED_MEAN)
        how.weight_sum = NAME(sum_of_operand)(kernels, &args->sample_weight, rows);

    /* A batch of one has no other vector: its target is 1 - smoothing on its own distance. */
    const double other = rows > 1 ? smoothing / (double)(rows - 1) : 0, own = 1 - smoothing;
    NAME(pairwise_call) call = {.args = args, .distances = distances, .by_task = !want_grad};
    call.softmax_rows = closs_kernels_in_use()->table_f64->softmax_rows;
    call.job = (closs_softmax_rows_f64){.classes = rows, .step = 1, .keep = own - other, .uniform = other};
    call.entropy = (own > 0 ? own * log(own) : 0) + (other > 0 ? smoothing * log(other) : 0);
    NAME(resolve)(&how, kernels, &call.reduction, &call.weights);
    int threads = (double)squares * (double)args->inner < PAIRWISE_GRAIN ? 1 : closs_get_num_threads();
    int64_t rows_a_task = want_grad ? 4 : closs_ceil_div(rows, PAIRWISE_ROWS);
    NAME(reduce)(&call.reduction, &how, rows_a_task, rows_a_task, threads, NAME(pairwise_box), &call);
    if (args->grad[1]) closs_parallel_for(rows, threads, NAME(second_gradient), &call);
    if (!args->workspace) free(distances);
    return CLOSS_OK;
}

#undef ARGS
