/* The loops of the losses over classes (compiled once a type and instruction set, see kernels_body.h).
 *
 * Two ways over the same formulas. Wide: one row at a time whose classes follow each other in memory; three passes over
 * a row that stays in L2 (maximum; exponentials, stored where the gradient will be; slopes). Lanes: rows that are
 * neighbours in memory side by side in vector lanes, class after class. Rows of a few contiguous classes are transposed
 * into a tile in L1 and then are lanes too: 8192 x 10 takes 0.08 ms, 0.4 ms row by row. Which way depends on the shape
 * alone. Bits do not depend on whether the gradient is wanted: it is stored beside what is computed anyway.
 */

#define ROWS NAME(closs_softmax_rows)

enum {
    NAME(SOFTMAX_CHUNK) = 4096 / sizeof(real),
    NAME(LANES) = 256 / sizeof(real), /* 4 vectors of 512 bits */
    NAME(FEW_CLASSES) = 32,           /* rows of so many are transposed */
};

/* ---- Chunks ----------------------------------------------------------------------------------------------------- */

/* NaN unless it is finite: a row with infinity, or with nothing but -infinity, has no softmax. */
CLOSS_INLINE real NAME(finite_or_nan)(real x) { return ABS(x) <= REAL_MAX ? x : (real)NAN; }

static real NAME(row_maximum)(int64_t n, const real *x) {
    real lanes[64];
    for (int j = 0; j < 64; j++) lanes[j] = -INFINITY;
    int64_t i = 0;
    for (; i + 64 <= n; i += 64)
        for (int j = 0; j < 64; j++) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    for (int j = 0; i + j < n; j++) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    for (int half = 32; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lanes[j] = lanes[j + half] > lanes[j] ? lanes[j + half] : lanes[j];
    return NAME(finite_or_nan)(lanes[0]);
}

/* e may be x. below[i] is e[i], but 0 where x[i] is the maximum; returns how often it is. */
CLOSS_INLINE int64_t NAME(exp_chunk)(int64_t n, const real *x, real m, NAME(exp_origin_t) from, real *e, real *below) {
    int32_t tops = 0;
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        real at = NAME(vm_exp_from)(x[i], from);
        int32_t is_top = x[i] == m;
        below[i] = is_top ? 0 : at;
        if (e) e[i] = at;
        tops += is_top;
    }
    return tops;
}

static int64_t NAME(exp_chunk_stored)(int64_t n, const real *x, real m, NAME(exp_origin_t) from, real *e, real *below) {
    return NAME(exp_chunk)(n, x, m, from, e, below);
}

static int64_t NAME(exp_chunk_summed)(int64_t n, const real *x, real m, NAME(exp_origin_t) from, real *below) {
    return NAME(exp_chunk)(n, x, m, from, NULL, below);
}

/* q[i], and the terms t[i] of the value. m is one number, or one a lane. */
CLOSS_INLINE void NAME(target_loop)(int64_t n, const real *x, const real *m, int by_lane, const real *y,
                                    const real *weight, real keep, real uniform, int divergence, real *q, real *t) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        real top = m[by_lane ? i : 0];
        q[i] = NAME(softmax_target)(y[i], weight[i], keep, uniform);
        t[i] = divergence ? NAME(divergence_term)(q[i], x[i], top, y[i]) : NAME(softmax_term)(q[i], x[i], top);
    }
}

CLOSS_INLINE void NAME(targets)(const ROWS *job, int64_t n, const real *x, const real *m, int by_lane, const real *y,
                                const real *weight, real *q, real *t) {
    if (job->divergence)
        NAME(target_loop)(n, x, m, by_lane, y, weight, job->keep, job->uniform, 1, q, t);
    else
        NAME(target_loop)(n, x, m, by_lane, y, weight, job->keep, job->uniform, 0, q, t);
}

/* q[i] alone, the same bits. */
static void NAME(target_chunk)(const ROWS *job, int64_t n, const real *y, const real *weight, real *q) {
    const real keep = job->keep, uniform = job->uniform;
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) q[i] = NAME(softmax_target)(y[i], weight[i], keep, uniform);
}

/* e becomes the gradient: k e - scale q. */
static void NAME(slope_chunk)(int64_t n, real k, real scale, const real *q, real *e) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) e[i] = MADD(e[i], k, -(scale * q[i]));
}

static void NAME(scale_chunk)(int64_t n, real k, real *e) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) e[i] *= k;
}

/* The value of elements, of which the terms are there: L q is added, and the row's weight applied. */
CLOSS_INLINE void NAME(finish_elements)(int64_t n, real log_sum, const real *q, real weight, real *elements) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++)
        elements[i] = weight == 0 || q[i] == 0 ? 0 : weight * MADD(q[i], log_sum, elements[i]);
}

/* ---- What is added to a row's own class ------------------------------------------------------------------------- */

CLOSS_INLINE int NAME(has_distribution)(const ROWS *job) { return job->dense != NULL || job->uniform != 0; }

/* The target of the class of row r above the uniform part; 0 without one. */
CLOSS_INLINE double NAME(spike_of)(const ROWS *job, int64_t r) {
    if (!job->label || job->label[r] < 0) return 0;
    return (double)job->spike * (job->class_weight ? (double)job->class_weight[job->label[r]] : 1.0);
}

CLOSS_INLINE double NAME(spike_term)(double spike, double x, double m) { return spike == 0 ? 0 : spike * (m - x); }

/* used[i] if q[i] is not 0: a row of a divergence whose every element is weighted away has gradient 0, even where its
 * softmax is NaN. */
CLOSS_INLINE void NAME(mark_used)(int64_t n, const real *q, int32_t *used) {
    for (int64_t i = 0; i < n; i++) used[i] |= q[i] != 0;
}

CLOSS_INLINE int NAME(any_used)(int64_t n, const real *q) {
    int32_t used = 0;
    for (int64_t i = 0; i < n; i++) used |= q[i] != 0;
    return used;
}

/* Place `offset` of an optional array, or what stands for it. */
CLOSS_INLINE const real *NAME(place)(const real *array, int64_t offset, const real *otherwise) {
    return array ? array + offset : otherwise;
}

/* ---- Wide ------------------------------------------------------------------------------------------------------- */

static void NAME(softmax_wide_row)(const ROWS *job, int64_t r) {
    enum { N = NAME(SOFTMAX_CHUNK) };
    real q[N], t[N];
    const int64_t classes = job->classes, row = r * classes;
    const real *x = job->pred + row;
    const real *weights = job->element_weight ? job->element_weight + row : job->class_weight;
    const real *cotangent = job->element_cotangent ? job->element_cotangent + row : NULL;
    real *grad = job->grad ? job->grad + row : NULL, *elements = job->elements ? job->elements + row : NULL;
    const int logits = !job->log_probabilities, distribution = NAME(has_distribution)(job);

    const int ignored = job->label && job->label[r] < 0;
    if (ignored && !job->lse) {
        job->value[r] = 0;
        if (grad) memset(grad, 0, sizeof(real) * (size_t)classes);
        return;
    }
    const double spike = NAME(spike_of)(job, r);
    const real m = logits ? NAME(row_maximum)(classes, x) : 0;
    const double own = spike == 0 ? 0 : NAME(spike_term)(spike, x[job->label[r]], m);
    closs_sum below = {0, 0}, terms = {own, 0}, targets = {spike, 0}, slopes = {spike, 0};
    const NAME(exp_origin_t) from = NAME(exp_origin)(m);
    int64_t tops = logits ? 0 : 1;
    int used = !job->divergence;
    for (int64_t c = 0; c < classes; c += N) {
        int64_t n = classes - c < N ? classes - c : N;
        if (distribution) {
            const real *y = NAME(place)(job->dense, row + c, job->zeros);
            NAME(targets)(job, n, x + c, &m, 0, y, NAME(place)(weights, c, job->ones), q, t);
            NAME(sum_rows)(1, n, t, &terms);
            NAME(sum_rows)(1, n, q, &targets);
            if (cotangent) {
                NAME(multiply)(n, cotangent + c, q);
                NAME(sum_rows)(1, n, q, &slopes);
            }
            if (elements) memcpy(elements + c, t, sizeof(real) * (size_t)n);
            if (job->divergence) used |= NAME(any_used)(n, q);
        }
        if (logits) {
            tops += grad ? NAME(exp_chunk_stored)(n, x + c, m, from, grad + c, t)
                         : NAME(exp_chunk_summed)(n, x + c, m, from, t);
            NAME(sum_rows)(1, n, t, &below);
        } else if (grad) {
            memset(grad + c, 0, sizeof(real) * (size_t)n);
        }
    }
    const double target_sum = closs_sum_value(targets);
    NAME(softmax_row)
    at = NAME(softmax_of_row)(m, (double)(tops - 1) + closs_sum_value(below), closs_sum_value(terms), target_sum,
                              cotangent ? closs_sum_value(slopes) : target_sum, job->z_loss);
    job->value[r] = ignored ? 0 : (real)at.value;
    if (job->lse) job->lse[r] = (real)at.lse;

    const real scale = grad && used ? job->scale[r] : 0, k = (real)(scale * at.factor);
    for (int64_t c = 0; (grad || elements) && c < classes; c += N) {
        int64_t n = classes - c < N ? classes - c : N;
        if (distribution) {
            const real *y = NAME(place)(job->dense, row + c, job->zeros);
            NAME(target_chunk)(job, n, y, NAME(place)(weights, c, job->ones), q);
        }
        if (elements) NAME(finish_elements)(n, (real)at.log_sum, q, job->element_scale[r], elements + c);
        if (!grad) continue;
        if (cotangent) NAME(multiply)(n, cotangent + c, q);
        if (scale == 0)
            memset(grad + c, 0, sizeof(real) * (size_t)n);
        else if (distribution)
            NAME(slope_chunk)(n, k, scale, q, grad + c);
        else
            NAME(scale_chunk)(n, k, grad + c);
    }
    if (scale != 0 && spike != 0) grad[job->label[r]] = (real)((double)grad[job->label[r]] - scale * spike);
}

/* ---- Lanes ------------------------------------------------------------------------------------------------------ */

typedef struct {
    double hi[NAME(LANES)], lo[NAME(LANES)];
} NAME(lane_sums);

CLOSS_INLINE void NAME(add_lanes)(int n, const real *x, NAME(lane_sums) * sums) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) NAME(add)(x[j], &sums->hi[j], &sums->lo[j]);
}

/* For float nothing is ever in lo. */
CLOSS_INLINE double NAME(lane_sum)(const NAME(lane_sums) * sums, int j) {
    return sizeof(real) == 4 ? sums->hi[j] : closs_sum_value((closs_sum){sums->hi[j], sums->lo[j]});
}

CLOSS_INLINE void NAME(start_lanes)(int n, double from, NAME(lane_sums) * sums) {
    for (int j = 0; j < n; j++) sums->hi[j] = from;
    for (int j = 0; sizeof(real) > 4 && j < n; j++) sums->lo[j] = 0;
}

/* Rows 0 .. n side by side, n <= LANES: element j of class c lies at c * step + j. */
static void NAME(softmax_lanes)(const ROWS *job, int n) {
    NAME(lane_sums) below, terms, targets, slopes;
    real m[NAME(LANES)], q[NAME(LANES)], t[NAME(LANES)], weights[NAME(LANES)];
    real k[NAME(LANES)], scale[NAME(LANES)], log_sum[NAME(LANES)];
    double spike[NAME(LANES)];
    real base[NAME(LANES)], rest[NAME(LANES)], both[NAME(LANES)], lowest[NAME(LANES)]; /* exp_origin_t, a lane */
    real_bits origin[NAME(LANES)];
    int32_t tops[NAME(LANES)], used[NAME(LANES)] = {0};
    const int64_t classes = job->classes, step = job->step;
    const int logits = !job->log_probabilities, distribution = NAME(has_distribution)(job);
    const real *weight = job->ones;

    NAME(start_lanes)(n, 0, &below);
    NAME(start_lanes)(n, 0, &terms);
    NAME(start_lanes)(n, 0, &targets);
    if (job->element_cotangent) NAME(start_lanes)(n, 0, &slopes);
    for (int j = 0; j < n; j++) {
        m[j] = logits ? -INFINITY : R(0.0);
        tops[j] = logits ? -1 : 0;
        scale[j] = job->grad ? job->scale[j] : 0;
    }
    for (int64_t c = 0; logits && c < classes; c++) {
        const real *x = job->pred + c * step;
        CLOSS_INDEPENDENT
        for (int j = 0; j < n; j++) m[j] = x[j] > m[j] ? x[j] : m[j];
    }
    for (int j = 0; j < n; j++) {
        m[j] = NAME(finite_or_nan)(m[j]);
        NAME(exp_origin_t) from = NAME(exp_origin)(m[j]);
        base[j] = from.base;
        rest[j] = from.rest;
        both[j] = from.both;
        origin[j] = from.origin;
        lowest[j] = from.lowest;
    }
    for (int j = 0; j < n; j++) {
        double own = NAME(spike_of)(job, j);
        spike[j] = own;
        if (own == 0) continue;
        targets.hi[j] = own;
        terms.hi[j] = NAME(spike_term)(own, job->pred[job->label[j] * step + j], m[j]);
    }

    for (int64_t c = 0; c < classes; c++) {
        const real *x = job->pred + c * step;
        if (distribution) {
            if (job->class_weight) {
                for (int j = 0; j < n; j++) weights[j] = job->class_weight[c];
                weight = weights;
            }
            NAME(targets)(job, n, x, m, 1, NAME(place)(job->dense, c * step, job->zeros),
                          NAME(place)(job->element_weight, c * step, weight), q, t);
            NAME(add_lanes)(n, t, &terms);
            NAME(add_lanes)(n, q, &targets);
            if (job->element_cotangent) {
                NAME(multiply)(n, job->element_cotangent + c * step, q);
                NAME(add_lanes)(n, q, &slopes);
            }
            if (job->elements) memcpy(job->elements + c * step, t, sizeof(real) * (size_t)n);
            if (job->divergence) NAME(mark_used)(n, q, used);
        }
        if (logits) {
            real *e = job->grad ? job->grad + c * step : q;
            CLOSS_INDEPENDENT
            for (int j = 0; j < n; j++) {
                NAME(exp_origin_t) from = {base[j], rest[j], both[j], origin[j], lowest[j]};
                real at = NAME(vm_exp_from)(x[j], from);
                int32_t is_top = x[j] == m[j];
                tops[j] += is_top;
                t[j] = is_top ? 0 : at;
                e[j] = at;
            }
            NAME(add_lanes)(n, t, &below);
        } else if (job->grad) {
            memset(job->grad + c * step, 0, sizeof(real) * (size_t)n);
        }
    }

    for (int j = 0; job->divergence && j < n; j++) scale[j] = used[j] ? scale[j] : 0;
    const NAME(lane_sums) *factors = job->element_cotangent ? &slopes : &targets;
    const double z = job->z_loss;
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        NAME(softmax_row)
        at = NAME(softmax_of_row)(m[j], tops[j] + NAME(lane_sum)(&below, j), NAME(lane_sum)(&terms, j),
                                  NAME(lane_sum)(&targets, j), NAME(lane_sum)(factors, j), z);
        t[j] = (real)at.value;
        log_sum[j] = (real)at.log_sum;
        k[j] = (real)(scale[j] * at.factor);
        m[j] = (real)at.lse;
    }
    for (int j = 0; j < n; j++) job->value[j] = job->label && job->label[j] < 0 ? 0 : t[j];
    if (job->lse) memcpy(job->lse, m, sizeof(real) * (size_t)n);

    for (int64_t c = 0; (job->grad || job->elements) && c < classes; c++) {
        if (distribution) {
            for (int j = 0; job->class_weight && j < n; j++) weights[j] = job->class_weight[c];
            NAME(target_chunk)(job, n, NAME(place)(job->dense, c * step, job->zeros),
                               NAME(place)(job->element_weight, c * step, weight), q);
        }
        for (int j = 0; job->elements && j < n; j++)
            NAME(finish_elements)(1, log_sum[j], q + j, job->element_scale[j], job->elements + c * step + j);
        if (!job->grad) continue;
        real *grad = job->grad + c * step;
        if (distribution && job->element_cotangent) NAME(multiply)(n, job->element_cotangent + c * step, q);
        if (distribution) {
            CLOSS_INDEPENDENT
            for (int j = 0; j < n; j++) grad[j] = scale[j] == 0 ? 0 : MADD(grad[j], k[j], -(scale[j] * q[j]));
        } else {
            CLOSS_INDEPENDENT
            for (int j = 0; j < n; j++) grad[j] = scale[j] == 0 ? 0 : grad[j] * k[j];
        }
    }
    for (int j = 0; j < n; j++) {
        if (scale[j] == 0 || spike[j] == 0) continue;
        real *grad = job->grad + job->label[j] * step + j;
        *grad = (real)((double)*grad - scale[j] * spike[j]);
    }
}

/* ---- A few contiguous classes: lanes by way of a tile ----------------------------------------------------------- */

/* to[i * to_step + j] = from[j * from_step + i] for i < n, j < m. In blocks of 2 x 2, which compilers turn into
 * shuffles: 0.15 ns an element, by single elements 0.56 ns. */
static void NAME(transpose)(int64_t n, int64_t m, const real *from, int64_t from_step, real *to, int64_t to_step) {
    for (int64_t i = 0; i < n; i += 2) {
        int64_t j = 0;
        for (; i + 2 <= n && j + 2 <= m; j += 2)
            for (int a = 0; a < 2; a++)
                for (int b = 0; b < 2; b++) to[(i + a) * to_step + j + b] = from[(j + b) * from_step + i + a];
        for (int64_t k = i; k < n && k < i + 2; k++)
            for (int64_t l = j; l < m; l++) to[k * to_step + l] = from[l * from_step + k];
    }
}

static const real *NAME(into_tile)(const ROWS *job, int n, const real *rows, real *tile) {
    NAME(transpose)(job->classes, n, rows, job->classes, tile, NAME(LANES));
    return tile;
}

static void NAME(out_of_tile)(const ROWS *job, int n, const real *tile, real *rows) {
    NAME(transpose)(n, job->classes, tile, NAME(LANES), rows, job->classes);
}

static void NAME(softmax_tile)(const ROWS *job, int n) {
    enum { SIZE = NAME(FEW_CLASSES) * NAME(LANES) };
    real pred[SIZE], dense[SIZE], weight[SIZE], cotangent[SIZE], elements[SIZE]; /* touched as far as they are used */
    ROWS tile = *job;
    tile.step = NAME(LANES);
    tile.pred = NAME(into_tile)(job, n, job->pred, pred);
    if (job->dense) tile.dense = NAME(into_tile)(job, n, job->dense, dense);
    if (job->element_weight) tile.element_weight = NAME(into_tile)(job, n, job->element_weight, weight);
    if (job->element_cotangent) tile.element_cotangent = NAME(into_tile)(job, n, job->element_cotangent, cotangent);
    if (job->elements) tile.elements = elements;
    if (job->grad) tile.grad = pred;
    NAME(softmax_lanes)(&tile, n);
    if (job->elements) NAME(out_of_tile)(job, n, elements, job->elements);
    if (job->grad) NAME(out_of_tile)(job, n, pred, job->grad);
}

/* ---- A run of rows ---------------------------------------------------------------------------------------------- */

/* The job from row `row` on, which lies `offset` reals further in the arrays of all classes. */
CLOSS_INLINE ROWS NAME(further)(const ROWS *job, int64_t row, int64_t offset) {
    ROWS rest = *job;
    rest.pred += offset;
    if (rest.dense) rest.dense += offset;
    if (rest.element_weight) rest.element_weight += offset;
    if (rest.element_cotangent) rest.element_cotangent += offset;
    if (rest.elements) rest.elements += offset, rest.element_scale += row;
    if (rest.grad) rest.grad += offset, rest.scale += row;
    if (rest.label) rest.label += row;
    if (rest.lse) rest.lse += row;
    rest.value += row;
    return rest;
}

/* job's pointers are those of its first row; all n lie in the same (classes, step) plane where step > 1. */
static void NAME(softmax_rows)(const ROWS *job, int64_t n) {
    if (job->step == 1 && job->classes > NAME(FEW_CLASSES)) {
        for (int64_t r = 0; r < n; r++) NAME(softmax_wide_row)(job, r);
        return;
    }
    for (int64_t r = 0; r < n; r += NAME(LANES)) {
        int lanes = n - r < NAME(LANES) ? (int)(n - r) : NAME(LANES);
        ROWS rest = NAME(further)(job, r, job->step == 1 ? r * job->classes : r);
        if (job->step == 1)
            NAME(softmax_tile)(&rest, lanes);
        else
            NAME(softmax_lanes)(&rest, lanes);
    }
}

#undef ROWS
