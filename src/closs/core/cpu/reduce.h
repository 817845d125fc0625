/* Weights, cotangent and reduction, the same for every family (compiled once a type).
 *
 * The loss has one value a place: an element for the elementwise losses, a row for the others. Places form a
 * C-contiguous (outer, batch, inner) array. A family gives a function that evaluates a run of places; the rest is here.
 */

/* What turns raw values and slopes into results. */
typedef struct {
    BROADCAST sample_weight; /* of value and gradient; data NULL: none */
    BROADCAST cotangent;     /* of the gradient */
    BROADCAST divisor;       /* its inverse, of the gradient: where means differ in what they divide by */
    BROADCAST weight;        /* of values that are not summed: the global weight */
    real scale;              /* of the gradient */
    real factor;             /* the global weight, where weight reads it */
} NAME(weights);

typedef struct {
    const NAME(closs_kernel_table) * kernels;
    closs_plan plan;
    int summed;             /* 0: values go out as they are, one a place */
    double factor, divisor; /* of sums */
    const double *divisors; /* one a sample, instead; NULL: divisor */
    closs_sum *partials;    /* [pieces][batch], or NULL: each task finishes its samples */
    real *value;
    double *total;
} NAME(reduction);

/* What of a call's arguments is about reduction. */
typedef struct {
    closs_reduction kind;
    const double *weight;
    BROADCAST sample_weight;
    const real *grad_output;
    real *value;
    double *total;
    int64_t outer, batch, inner;
    int64_t elements;       /* of a place, that count in means; 0 stands for 1 */
    double count;           /* places that count in a mean over all */
    double weight_sum;      /* what CLOSS_WEIGHTED_MEAN divides by */
    const double *divisors; /* what CLOSS_SAMPLE_MEAN divides by, a sample; NULL: outer * inner */
    const real *inverses;   /* their inverses */
} NAME(reduction_args);

/* Whether a global weight is a number of the type. One that rounds to 0 is not: it would remove every element, or, met
 * by an infinite slope, give NaN. */
static inline int NAME(holds)(double weight) { return fabs(weight) <= REAL_MAX && ((real)weight != 0 || weight == 0); }

/* The checks that are about reduction, before anything is written. */
static inline closs_status NAME(check_reduction)(closs_reduction kind, const double *weight, const real *grad_output,
                                                 const real *value, const double *total, int other_output) {
    if ((int)kind < CLOSS_SAMPLE_MEAN || (int)kind > CLOSS_WEIGHTED_MEAN) return CLOSS_BAD_REDUCTION;
    int has_total = closs_has_total(kind);
    if (!(has_total ? total != NULL : value != NULL) && !other_output) return CLOSS_MISSING_OUTPUT;
    if (has_total ? value != NULL : total != NULL) return CLOSS_MISSING_OUTPUT;
    if (!closs_is_aligned(grad_output, sizeof(real)) || !closs_is_aligned(value, sizeof(real)) ||
        !closs_is_aligned(weight, sizeof(double)) || !closs_is_aligned(total, sizeof(double)))
        return CLOSS_MISALIGNED;
    return weight && !NAME(holds)(*weight) ? CLOSS_BAD_PARAMETER : CLOSS_OK;
}

/* Elements of a value. */
static inline int64_t NAME(values_of)(closs_reduction kind, int64_t places, int64_t batch) {
    return closs_has_total(kind) ? 1 : kind == CLOSS_NONE ? places : batch;
}

/* With no place at all: a sum of 0, a mean of nothing. */
static inline void NAME(finish_empty)(const NAME(reduction_args) * args) {
    int mean = args->kind != CLOSS_SAMPLE_SUM && args->kind != CLOSS_SUM;
    if (args->total) *args->total = mean ? NAN : 0.0;
    int64_t values = args->kind == CLOSS_NONE ? 0 : args->batch;
    for (int64_t i = 0; args->value && i < values; i++) args->value[i] = mean ? (real)NAN : 0;
}

/* The arguments as factors of values and slopes. `weights` is read by tasks, and must outlive them. */
static inline void NAME(resolve)(const NAME(reduction_args) * args, const NAME(closs_kernel_table) * kernels,
                                 NAME(reduction) * reduction, NAME(weights) * weights) {
    static const real zero = 0;
    const BROADCAST absent = {NULL, 0, 0}, removed = {&zero, 0, 1};
    int64_t per_sample = args->outer * args->inner * (args->elements ? args->elements : 1);
    int total = closs_has_total(args->kind);
    *reduction = (NAME(reduction)){.kernels = kernels, .value = args->value, .total = args->total};
    reduction->summed = total || (args->kind != CLOSS_NONE && per_sample > 1); /* one element is its own mean */
    int by_sample = reduction->summed && !total;

    reduction->factor = args->weight ? *args->weight : 1.0;
    reduction->divisor = 1;
    if (args->kind == CLOSS_SAMPLE_MEAN) reduction->divisor = (double)per_sample;
    if (args->kind == CLOSS_MEAN) reduction->divisor = args->count;
    if (args->kind == CLOSS_WEIGHTED_MEAN) reduction->divisor = args->weight_sum;
    if (args->kind == CLOSS_SAMPLE_MEAN && by_sample && args->divisors) {
        reduction->divisor = 1;
        reduction->divisors = args->divisors;
    }
    double cotangent = total && args->grad_output ? (double)*args->grad_output : 1.0;

    /* A mean of nothing, or by weights that cancel, is NaN (0 by 0) with gradient 0, whatever the elements are. */
    int nothing = reduction->factor == 0 || reduction->divisor == 0;
    weights->scale = nothing ? 0 : (real)(reduction->factor * cotangent / reduction->divisor);
    weights->factor = (real)reduction->factor;
    weights->sample_weight = nothing ? removed : args->sample_weight;
    weights->weight = reduction->summed || weights->factor == 1 ? absent : (BROADCAST){&weights->factor, 0, 1};
    weights->cotangent = cotangent == 0 ? removed : absent;
    if (args->grad_output && !total) {
        weights->cotangent.data = args->grad_output;
        weights->cotangent.repeat = by_sample ? args->inner : 1;
        weights->cotangent.period = by_sample ? args->batch : 0;
    }
    weights->divisor = reduction->divisors ? (BROADCAST){args->inverses, args->inner, args->batch} : absent;
}

/* ---- One task --------------------------------------------------------------------------------------------------- */

/* The weighted values of places e .. e + n, wherever they are. */
typedef const real *NAME(run_function)(void *task, int64_t e, int64_t n);

static inline void NAME(finish_sample)(const NAME(reduction) * reduction, int64_t sample, closs_sum sum) {
    double divisor = reduction->divisors ? reduction->divisors[sample] : reduction->divisor;
    double result = closs_sum_value(sum) * reduction->factor / divisor;
    if (reduction->total) *reduction->total = result;
    if (reduction->value) reduction->value[sample] = (real)result;
}

/* Walks over a box in runs of at most `most` places, and sums their values. */
CLOSS_INLINE void NAME(reduce_box)(const NAME(reduction) * reduction, int64_t k, int64_t most, NAME(run_function) * run,
                                   void *task) {
    const closs_plan *plan = &reduction->plan;
    closs_box box = closs_box_of(plan, k);
    closs_sum own[CLOSS_MAX_TILE];
    closs_sum *sums = reduction->partials ? reduction->partials + box.partial : own;
    int summed = reduction->summed;
    int64_t samples = box.sample_end - box.sample_begin, length = box.inner_end - box.inner_begin;
    for (int64_t r = 0; summed && r < samples; r++) sums[r] = (closs_sum){0, 0};
    for (int64_t o = box.outer_begin; o < box.outer_end; o++) {
        int64_t begin = (o * plan->batch + box.sample_begin) * plan->inner + box.inner_begin;
        if (length <= most) { /* whole stretches, as many as fit; they follow each other when there are several */
            int64_t fit = most / length;
            for (int64_t r = 0; r < samples; r += fit) {
                int64_t rows = samples - r < fit ? samples - r : fit;
                const real *value = run(task, begin + r * length, rows * length);
                if (summed) reduction->kernels->sum_rows(rows, length, value, sums + r);
            }
        } else {
            for (int64_t r = 0; r < samples; r++) {
                for (int64_t i = 0; i < length; i += most) {
                    int64_t n = length - i < most ? length - i : most;
                    const real *value = run(task, begin + r * plan->inner + i, n);
                    if (summed) reduction->kernels->sum_rows(1, n, value, sums + r);
                }
            }
        }
    }
    if (summed && !reduction->partials)
        for (int64_t r = 0; r < samples; r++) NAME(finish_sample)(reduction, box.sample_begin + r, sums[r]);
}

/* ---- The call --------------------------------------------------------------------------------------------------- */

/* Cuts the places into tasks of about task_places, runs them, and adds what they left to be added. task calls
 * reduce_box for its k; context holds the reduction. */
static inline void NAME(reduce)(NAME(reduction) * reduction, const NAME(reduction_args) * args, int64_t chunk,
                                int64_t task_places, int threads, void (*task)(void *context, int64_t k),
                                void *context) {
    int by_sample = reduction->summed && !closs_has_total(args->kind);
    int64_t batch = by_sample ? args->batch : 1;
    int64_t inner = by_sample ? args->inner : args->outer * args->batch * args->inner;
    reduction->plan = closs_plan_for(by_sample ? args->outer : 1, batch, inner, chunk, task_places);
    closs_sum partials[CLOSS_MAX_PARTIALS];
    int64_t pieces = closs_partials_per_sample(&reduction->plan);
    reduction->partials = pieces > 1 && reduction->summed ? partials : NULL;
    closs_parallel_for(reduction->plan.tasks, threads, task, context);
    for (int64_t sample = 0; reduction->partials && sample < batch; sample++) {
        closs_sum sum = {0, 0};
        for (int64_t piece = 0; piece < pieces; piece++) closs_add_sum(partials[piece * batch + sample], &sum);
        NAME(finish_sample)(reduction, sample, sum);
    }
}
