/* One type's half of elementwise.c. */

#define ARGS NAME(closs_elementwise)

/* A call, checked and resolved: what the tasks read. */
typedef struct {
    NAME(reduction) reduction;
    NAME(weights) weights;
    const ARGS *args;
    BROADCAST parameter;
    int loss, varying; /* varying: the parameter is an operand, and there */
} NAME(elementwise_call);

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

static closs_status NAME(check_parameter)(int loss, const BROADCAST *parameter) {
    int domain = losses[loss].kind;
    if (domain == PLAIN || domain == VARYING) return CLOSS_OK;
    if (!parameter || !parameter->data) return CLOSS_NULL_POINTER;
    real x = *parameter->data;
    int fits = domain == POSITIVE ? x > 0 : domain == NONNEGATIVE ? x >= 0 : 1;
    return fits && ABS(x) <= REAL_MAX ? CLOSS_OK : CLOSS_BAD_PARAMETER;
}

/* An output may overlap nothing; but the gradient may be pred itself. */
static closs_status NAME(check_elementwise_overlap)(int loss, const ARGS *args, const BROADCAST *parameter, int64_t n) {
    const int kind = losses[loss].kind;
    BROADCAST read = {NULL, 0, 0}; /* of the parameter: nothing, one number, or an operand */
    if (parameter && kind != PLAIN) read = kind == VARYING ? *parameter : (BROADCAST){parameter->data, 0, 1};
    const uint64_t bytes = sizeof(real) * (uint64_t)n;
    const uint64_t value_bytes = sizeof(real) * (uint64_t)NAME(values_of)(args->reduction, n, args->batch);
    const closs_span inputs[] = {
        closs_span_of(args->pred, bytes),
        closs_span_of(args->label, bytes),
        NAME(operand_span)(&args->sample_weight, n),
        NAME(operand_span)(&read, n),
        closs_span_of(args->grad_output, value_bytes),
        closs_span_of(args->weight, sizeof(double)),
    };
    const closs_span outputs[] = {
        closs_span_of(args->grad, bytes),
        closs_span_of(args->value, value_bytes),
        closs_span_of(args->total, sizeof(double)),
    };
    const int in_place[] = {0, -1, -1};
    return closs_any_overlap(6, inputs, 3, outputs, in_place) ? CLOSS_OVERLAP : CLOSS_OK;
}

/* Everything that can be wrong, before anything is written. *size: elements of pred. */
static closs_status NAME(check_elementwise)(int loss, const ARGS *args, const BROADCAST *parameter, int64_t *size) {
    if (loss < 0 || loss >= CLOSS_ELEMENTWISE_COUNT) return CLOSS_UNKNOWN_LOSS;
    if (!args) return CLOSS_NULL_POINTER;
    if (!closs_reserved_is_zero(args->reserved)) return CLOSS_TOO_NEW;
    closs_status status = NAME(check_reduction)(args->reduction, args->weight, args->grad_output, args->value,
                                                args->total, args->grad != NULL);
    if (status != CLOSS_OK) return status;
    const int64_t shape[] = {args->outer ? args->outer : 1, args->batch, args->inner};
    int64_t n;
    if (!closs_count_elements(3, shape, &n)) return CLOSS_BAD_SIZE;
    status = NAME(check_operand)(&args->sample_weight);
    if (status == CLOSS_OK && parameter) status = NAME(check_operand)(parameter);
    if (status != CLOSS_OK) return status;
    if (n > 0 && (!args->pred || !args->label)) return CLOSS_NULL_POINTER;
    const void *pointers[] = {args->pred, args->label, args->grad};
    for (int k = 0; k < 3; k++)
        if (!closs_is_aligned(pointers[k], sizeof(real))) return CLOSS_MISALIGNED;
    status = NAME(check_parameter)(loss, parameter);
    *size = n;
    return status != CLOSS_OK ? status : NAME(check_elementwise_overlap)(loss, args, parameter, n);
}

/* ---- One task --------------------------------------------------------------------------------------------------- */

/* What a task holds while it walks over its chunks; 20.5 KB of stack, touched only as far as it is used. */
typedef struct {
    const NAME(elementwise_call) * call;
    real value[NAME(CHUNK)];
    NAME(operand_buffer) parameter, sample_weight, cotangent, weight;
} NAME(elementwise_task);

static const real *NAME(elementwise_run)(void *context, int64_t e, int64_t n) {
    NAME(elementwise_task) *task = context;
    const NAME(elementwise_call) *call = task->call;
    const NAME(weights) *weights = &call->weights;
    const ARGS *args = call->args;
    const NAME(closs_kernel_table) *kernels = call->reduction.kernels;
    const real *pred = args->pred + e, *label = args->label + e, *parameter = call->parameter.data;
    if (call->varying) parameter = NAME(operand)(&call->parameter, e, n, &task->parameter);
    const real *weight = NULL;
    if (weights->sample_weight.data) weight = NAME(operand)(&weights->sample_weight, e, n, &task->sample_weight);

    real *value = !call->reduction.summed && args->value ? args->value + e : task->value;
    if (args->grad) {
        real *grad = args->grad + e;
        kernels->gradient[call->loss](n, pred, label, parameter, weights->scale, value, grad);
        if (weight) kernels->multiply(n, weight, grad);
        if (weights->cotangent.data)
            kernels->multiply(n, NAME(operand)(&weights->cotangent, e, n, &task->cotangent), grad);
    } else {
        kernels->value[call->loss](n, pred, label, parameter, value);
    }
    if (weight) kernels->multiply(n, weight, value);
    if (weights->weight.data) kernels->multiply(n, NAME(operand)(&weights->weight, e, n, &task->weight), value);
    return value;
}

static void NAME(elementwise_box)(void *context, int64_t k) {
    NAME(elementwise_task) task;
    task.call = context;
    task.parameter.filled = task.sample_weight.filled = task.cotangent.filled = task.weight.filled = 0;
    NAME(reduce_box)(&task.call->reduction, k, NAME(CHUNK), NAME(elementwise_run), &task);
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

closs_status NAME(closs_elementwise_run)(int loss, const ARGS *args, const BROADCAST *parameter) {
    int64_t n = 0;
    closs_status status = NAME(check_elementwise)(loss, args, parameter, &n);
    if (status != CLOSS_OK) return status;
    NAME(reduction_args)
    how = {
        .kind = args->reduction,
        .weight = args->weight,
        .sample_weight = args->sample_weight,
        .grad_output = args->grad_output,
        .value = args->value,
        .total = args->total,
        .outer = args->outer ? args->outer : 1,
        .batch = args->batch,
        .inner = args->inner,
        .count = (double)n,
    };
    if (n == 0) {
        NAME(finish_empty)(&how);
        return CLOSS_OK;
    }
    const NAME(closs_kernel_table) *kernels = closs_kernels_in_use()->NAME(table);
    if (args->reduction == CLOSS_WEIGHTED_MEAN) how.weight_sum = NAME(sum_of_operand)(kernels, &args->sample_weight, n);
    NAME(elementwise_call) call = {.args = args, .loss = loss};
    NAME(resolve)(&how, kernels, &call.reduction, &call.weights);
    if (parameter && losses[loss].kind != PLAIN) call.parameter = *parameter;
    call.varying = losses[loss].kind == VARYING && call.parameter.data;

    int threads = n * (int64_t)sizeof(real) < losses[loss].grain * 4 ? 1 : closs_get_num_threads();
    NAME(reduce)(&call.reduction, &how, NAME(CHUNK), CLOSS_TASK_ELEMENTS, threads, NAME(elementwise_box), &call);
    return CLOSS_OK;
}

/* The public functions, one a row. */
#define ELEMENTWISE_PLAIN(name, grain, steps)                                     \
    closs_status NAME(closs_##name)(const ARGS *args) {                           \
        return NAME(closs_elementwise_run)(CLOSS_ELEMENTWISE_##name, args, NULL); \
    }
#define ELEMENTWISE_UNIFORM(name, parameter, domain, grain, steps)                    \
    closs_status NAME(closs_##name)(const ARGS *args, real parameter) {               \
        const BROADCAST uniform = {&parameter, 0, 1};                                 \
        return NAME(closs_elementwise_run)(CLOSS_ELEMENTWISE_##name, args, &uniform); \
    }
#define ELEMENTWISE_VARYING(name, parameter, grain, steps)                             \
    closs_status NAME(closs_##name)(const ARGS *args, const BROADCAST *parameter) {    \
        return NAME(closs_elementwise_run)(CLOSS_ELEMENTWISE_##name, args, parameter); \
    }
#include "../losses.def"

#undef ARGS
