/* One type's half of elementwise.c. */

#define ARGS NAME(closs_elementwise)
#define BROADCAST NAME(closs_broadcast)

enum { NAME(CHUNK) = CHUNK_BYTES / sizeof(real) };

/* A call, checked and resolved: what the tasks read. */
typedef struct {
    const NAME(closs_kernel_table) * kernels;
    int loss, varying;
    const ARGS *args;
    closs_plan plan;
    BROADCAST parameter;     /* for a varying loss always present, maybe uniform */
    BROADCAST sample_weight; /* of value and gradient; data NULL: none */
    BROADCAST cotangent;     /* of the gradient */
    BROADCAST weight;        /* of values that are not summed: the global weight */
    real scale;              /* of the gradient */
    double factor, divisor;  /* of sums */
    int summed;              /* 0: values go out as they are, one an element */
    closs_sum *partials;     /* [pieces][batch], or NULL: each task finishes its samples */
} NAME(call);

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

/* Elements behind an operand's pointer when it is broadcast along n elements. */
static int64_t NAME(extent)(const BROADCAST *operand, int64_t n) {
    int64_t repeat = operand->repeat ? operand->repeat : 1;
    int64_t needed = closs_ceil_div(n, repeat);
    return operand->period && operand->period < needed ? operand->period : needed;
}

static int NAME(is_aligned)(const void *pointer) { return (uintptr_t)pointer % sizeof(real) == 0; }

static closs_status NAME(check_parameter)(int loss, const BROADCAST *parameter) {
    int domain = losses[loss].kind;
    if (domain == PLAIN || domain == VARYING) return CLOSS_OK;
    if (!parameter || !parameter->data) return CLOSS_NULL_POINTER;
    real x = *parameter->data;
    int fits = domain == POSITIVE ? x > 0 : domain == NONNEGATIVE ? x >= 0 : 1;
    return fits && ABS(x) <= REAL_MAX ? CLOSS_OK : CLOSS_BAD_PARAMETER;
}

/* An output may overlap nothing; but the gradient may be pred itself. */
static closs_status NAME(check_overlap)(const ARGS *args, const BROADCAST *parameter, int64_t n, int64_t values) {
    const uint64_t bytes = sizeof(real) * (uint64_t)n, value_bytes = sizeof(real) * (uint64_t)values;
    const BROADCAST *weight = &args->sample_weight;
    const span inputs[] = {
        span_of(args->pred, bytes),
        span_of(args->label, bytes),
        span_of(weight->data, sizeof(real) * (uint64_t)NAME(extent)(weight, n)),
        parameter ? span_of(parameter->data, sizeof(real) * (uint64_t)NAME(extent)(parameter, n)) : span_of(NULL, 0),
        span_of(args->grad_output, value_bytes),
        span_of(args->weight, sizeof(double)),
    };
    const span value = span_of(args->value, value_bytes), total = span_of(args->total, sizeof(double));
    const span grad = span_of(args->grad, bytes);
    for (int i = 0; i < 6; i++) {
        int in_place = i == 0 && args->grad == args->pred;
        if (overlap(value, inputs[i]) || overlap(total, inputs[i]) || (!in_place && overlap(grad, inputs[i])))
            return CLOSS_OVERLAP;
    }
    if (overlap(value, grad) || overlap(total, grad))
        return CLOSS_OVERLAP; /* a value and a total never come together */
    return CLOSS_OK;
}

/* Everything that can be wrong, before anything is written. *size: elements of pred. */
static closs_status NAME(check)(int loss, const ARGS *args, const BROADCAST *parameter, int64_t *size) {
    if (loss < 0 || loss >= CLOSS_ELEMENTWISE_COUNT) return CLOSS_UNKNOWN_LOSS;
    if (!args) return CLOSS_NULL_POINTER;
    if ((int)args->reduction < CLOSS_SAMPLE_MEAN || (int)args->reduction > CLOSS_WEIGHTED_MEAN)
        return CLOSS_BAD_REDUCTION;
    const int64_t limit = INT64_MAX / (int64_t)sizeof(real);
    int64_t n, outer = args->outer ? args->outer : 1;
    if (outer < 0 || args->batch < 0 || args->inner < 0) return CLOSS_BAD_SIZE;
    if (!multiply_sizes(outer, args->inner, limit, &n) || !multiply_sizes(n, args->batch, limit, &n))
        return CLOSS_BAD_SIZE;
    const BROADCAST *operands[] = {&args->sample_weight, parameter};
    for (int k = 0; k < 2; k++) {
        if (!operands[k]) continue;
        if (operands[k]->repeat < 0 || operands[k]->period < 0) return CLOSS_BAD_BROADCAST;
        if (!NAME(is_aligned)(operands[k]->data)) return CLOSS_MISALIGNED;
    }
    if (n > 0 && (!args->pred || !args->label)) return CLOSS_NULL_POINTER;
    int total = has_total(args->reduction);
    if (!(total ? args->total != NULL : args->value != NULL) && !args->grad) return CLOSS_MISSING_OUTPUT;
    if (total ? args->value != NULL : args->total != NULL) return CLOSS_MISSING_OUTPUT;
    const void *pointers[] = {args->pred, args->label, args->grad_output, args->value, args->grad};
    for (int k = 0; k < 5; k++)
        if (!NAME(is_aligned)(pointers[k])) return CLOSS_MISALIGNED;
    if ((uintptr_t)args->weight % sizeof(double) || (uintptr_t)args->total % sizeof(double)) return CLOSS_MISALIGNED;
    if (args->weight && !(fabs(*args->weight) <= DBL_MAX)) return CLOSS_BAD_PARAMETER;
    closs_status status = NAME(check_parameter)(loss, parameter);
    if (status != CLOSS_OK) return status;
    *size = n;
    int64_t values = total ? 1 : args->reduction == CLOSS_NONE ? n : args->batch;
    return NAME(check_overlap)(args, parameter, n, values);
}

/* ---- One chunk -------------------------------------------------------------------------------------------------- */

/* An operand's values for elements e .. e + n: a place in its own array where they lie there in a row, else buffer.
 * A uniform operand fills the buffer at the first call only, when *filled is 0. */
static const real *NAME(operand)(const BROADCAST *operand, int64_t e, int64_t n, real *buffer, int *filled) {
    int64_t repeat = operand->repeat ? operand->repeat : 1;
    int64_t period = operand->period ? operand->period : INT64_MAX;
    if (period == 1) {
        if (!*filled)
            for (int i = 0; i < NAME(CHUNK); i++) buffer[i] = *operand->data;
        *filled = 1;
        return buffer;
    }
    int64_t k = e / repeat % period, used = e % repeat;
    if (repeat == 1 && n <= period - k) return operand->data + k;
    for (int64_t i = 0; i < n; used = 0) {
        int64_t end = n - i < repeat - used ? n : i + (repeat - used);
        real x = operand->data[k];
        while (i < end) buffer[i++] = x;
        if (++k == period) k = 0;
    }
    return buffer;
}

/* What a task holds while it walks over its chunks; about 50 KB of stack, touched only as far as it is used. */
typedef struct {
    real value[NAME(CHUNK)];
    real parameter[NAME(CHUNK)], sample_weight[NAME(CHUNK)], cotangent[NAME(CHUNK)], weight[NAME(CHUNK)];
    int parameter_filled, sample_weight_filled, cotangent_filled, weight_filled;
} NAME(scratch);

/* Values and gradients of elements e .. e + n, n <= CHUNK; the weighted values, wherever they are. */
static const real *NAME(chunk)(const NAME(call) * call, NAME(scratch) * scratch, int64_t e, int64_t n) {
    const ARGS *args = call->args;
    const NAME(closs_kernel_table) *kernels = call->kernels;
    const real *pred = args->pred + e, *label = args->label + e, *parameter = call->parameter.data;
    if (call->varying)
        parameter = NAME(operand)(&call->parameter, e, n, scratch->parameter, &scratch->parameter_filled);
    const real *weight = NULL;
    if (call->sample_weight.data)
        weight = NAME(operand)(&call->sample_weight, e, n, scratch->sample_weight, &scratch->sample_weight_filled);

    real *value = !call->summed && args->value ? args->value + e : scratch->value;
    if (args->grad) {
        real *grad = args->grad + e;
        kernels->gradient[call->loss](n, pred, label, parameter, call->scale, value, grad);
        if (weight) kernels->multiply(n, weight, grad);
        if (call->cotangent.data) {
            const real *cotangent =
                NAME(operand)(&call->cotangent, e, n, scratch->cotangent, &scratch->cotangent_filled);
            kernels->multiply(n, cotangent, grad);
        }
    } else {
        kernels->value[call->loss](n, pred, label, parameter, value);
    }
    if (weight) kernels->multiply(n, weight, value);
    if (call->weight.data)
        kernels->multiply(n, NAME(operand)(&call->weight, e, n, scratch->weight, &scratch->weight_filled), value);
    return value;
}

/* ---- One task --------------------------------------------------------------------------------------------------- */

static void NAME(finish_sample)(const NAME(call) * call, int64_t sample, closs_sum sum) {
    double result = closs_sum_value(sum) * call->factor / call->divisor;
    if (call->args->total) *call->args->total = result;
    if (call->args->value) call->args->value[sample] = (real)result;
}

static void NAME(task)(void *context, int64_t k) {
    const NAME(call) *call = context;
    const closs_plan *plan = &call->plan;
    closs_box box = closs_box_of(plan, k);
    closs_sum own[CLOSS_MAX_TILE];
    closs_sum *sums = call->partials ? call->partials + box.partial : own;
    NAME(scratch) scratch;
    scratch.parameter_filled = scratch.sample_weight_filled = scratch.cotangent_filled = scratch.weight_filled = 0;

    int summed = call->summed;
    int64_t samples = box.sample_end - box.sample_begin, length = box.inner_end - box.inner_begin;
    for (int64_t r = 0; summed && r < samples; r++) sums[r] = (closs_sum){0, 0};
    for (int64_t o = box.outer_begin; o < box.outer_end; o++) {
        int64_t begin = (o * plan->batch + box.sample_begin) * plan->inner + box.inner_begin;
        if (length <= NAME(CHUNK)) { /* whole rows, as many as fit; they follow each other when there are several */
            int64_t fit = NAME(CHUNK) / length;
            for (int64_t r = 0; r < samples; r += fit) {
                int64_t rows = samples - r < fit ? samples - r : fit;
                const real *value = NAME(chunk)(call, &scratch, begin + r * length, rows * length);
                if (summed) call->kernels->sum_rows(rows, length, value, sums + r);
            }
        } else {
            for (int64_t r = 0; r < samples; r++) {
                for (int64_t i = 0; i < length; i += NAME(CHUNK)) {
                    int64_t n = length - i < NAME(CHUNK) ? length - i : NAME(CHUNK);
                    const real *value = NAME(chunk)(call, &scratch, begin + r * plan->inner + i, n);
                    if (summed) call->kernels->sum_rows(1, n, value, sums + r);
                }
            }
        }
    }
    if (summed && !call->partials)
        for (int64_t r = 0; r < samples; r++) NAME(finish_sample)(call, box.sample_begin + r, sums[r]);
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

static double NAME(sum_of)(const NAME(closs_kernel_table) * kernels, const real *x, int64_t n) {
    closs_sum sum = {0, 0};
    if (n > 0) kernels->sum_rows(1, n, x, &sum);
    return closs_sum_value(sum);
}

/* The sum of an operand over the n elements that it is broadcast along. */
static double NAME(sum_of_operand)(const NAME(closs_kernel_table) * kernels, const BROADCAST *operand, int64_t n) {
    if (!operand->data) return (double)n;
    int64_t repeat = operand->repeat ? operand->repeat : 1, steps = n / repeat, rest = n % repeat;
    int64_t period = operand->period ? operand->period : closs_ceil_div(n, repeat);
    if (n == 0) return 0;
    int64_t cycles = steps / period, more = steps % period;
    double sum = (double)repeat * NAME(sum_of)(kernels, operand->data, more);
    if (cycles > 0) sum += (double)repeat * (double)cycles * NAME(sum_of)(kernels, operand->data, period);
    return rest > 0 ? sum + (double)rest * operand->data[more] : sum;
}

/* With no element at all: a sum of 0, a mean of nothing. */
static void NAME(finish_empty)(const ARGS *args) {
    int mean = args->reduction != CLOSS_SAMPLE_SUM && args->reduction != CLOSS_SUM;
    if (args->total) *args->total = mean ? NAN : 0.0;
    int64_t values = args->reduction == CLOSS_NONE ? 0 : args->batch;
    for (int64_t i = 0; args->value && i < values; i++) args->value[i] = mean ? (real)NAN : 0;
}

static void NAME(run)(NAME(call) * call, int64_t n) {
    static const real zero = 0, one = 1;
    const ARGS *args = call->args;
    int64_t outer = args->outer ? args->outer : 1, per_sample = outer * args->inner;
    int total = has_total(args->reduction);
    call->summed = total || (args->reduction != CLOSS_NONE && per_sample > 1); /* one element is its own mean */
    int by_sample = call->summed && !total;

    call->factor = args->weight ? *args->weight : 1.0;
    call->divisor = 1;
    if (args->reduction == CLOSS_SAMPLE_MEAN) call->divisor = (double)per_sample;
    if (args->reduction == CLOSS_MEAN) call->divisor = (double)n;
    if (args->reduction == CLOSS_WEIGHTED_MEAN)
        call->divisor = NAME(sum_of_operand)(call->kernels, &args->sample_weight, n);
    double cotangent = total && args->grad_output ? (double)*args->grad_output : 1.0;
    call->scale = (real)(call->factor * cotangent / call->divisor);

    const BROADCAST absent = {NULL, 0, 0}, removed = {&zero, 0, 1}, ones = {&one, 0, 1};
    const real factor = (real)call->factor;
    call->sample_weight = call->factor == 0 ? removed : args->sample_weight;
    call->weight = call->summed || factor == 1 ? absent : (BROADCAST){&factor, 0, 1};
    call->cotangent = cotangent == 0 ? removed : absent;
    if (args->grad_output && !total) {
        call->cotangent.data = args->grad_output;
        call->cotangent.repeat = by_sample ? args->inner : 1;
        call->cotangent.period = by_sample ? args->batch : 0;
    }
    if (call->varying && !call->parameter.data) call->parameter = ones;

    int64_t batch = by_sample ? args->batch : 1;
    call->plan = closs_plan_for(by_sample ? outer : 1, batch, by_sample ? args->inner : n, NAME(CHUNK));
    closs_sum partials[CLOSS_MAX_PARTIALS];
    int64_t pieces = closs_partials_per_sample(&call->plan);
    call->partials = pieces > 1 && call->summed ? partials : NULL;

    int threads = n * (int64_t)sizeof(real) < losses[call->loss].grain * 4 ? 1 : closs_get_num_threads();
    closs_parallel_for(call->plan.tasks, threads, NAME(task), call);

    for (int64_t sample = 0; call->partials && sample < batch; sample++) {
        closs_sum sum = {0, 0};
        for (int64_t piece = 0; piece < pieces; piece++) {
            const closs_sum *partial = &partials[piece * batch + sample];
            closs_add(partial->hi, &sum.hi, &sum.lo);
            sum.lo += partial->lo;
        }
        NAME(finish_sample)(call, sample, sum);
    }
}

closs_status NAME(closs_elementwise_run)(int loss, const ARGS *args, const BROADCAST *parameter) {
    int64_t n = 0;
    closs_status status = NAME(check)(loss, args, parameter, &n);
    if (status != CLOSS_OK) return status;
    if (n == 0) {
        NAME(finish_empty)(args);
        return CLOSS_OK;
    }
    NAME(call) call = {.kernels = closs_kernels_in_use()->NAME(table), .loss = loss, .args = args};
    call.varying = losses[loss].kind == VARYING;
    if (parameter && losses[loss].kind != PLAIN) call.parameter = *parameter;
    NAME(run)(&call, n);
    return CLOSS_OK;
}

/* The public functions, one a row. */
#define ELEMENTWISE_PLAIN(name, grain)                                            \
    closs_status NAME(closs_##name)(const ARGS *args) {                           \
        return NAME(closs_elementwise_run)(CLOSS_ELEMENTWISE_##name, args, NULL); \
    }
#define ELEMENTWISE_UNIFORM(name, parameter, domain, grain)                           \
    closs_status NAME(closs_##name)(const ARGS *args, real parameter) {               \
        const BROADCAST uniform = {&parameter, 0, 1};                                 \
        return NAME(closs_elementwise_run)(CLOSS_ELEMENTWISE_##name, args, &uniform); \
    }
#define ELEMENTWISE_VARYING(name, parameter, grain)                                    \
    closs_status NAME(closs_##name)(const ARGS *args, const BROADCAST *parameter) {    \
        return NAME(closs_elementwise_run)(CLOSS_ELEMENTWISE_##name, args, parameter); \
    }
#include "../losses.def"

#undef ARGS
#undef BROADCAST
