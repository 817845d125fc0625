/* The loops of the losses over classes (compiled once a type and instruction set, see kernels_body.h).
 *
 * Two ways over the same formulas. Wide: one row at a time whose classes follow each other in memory; three passes over
 * a row that stays in L2 (maximum; exponentials, stored where the gradient will be; slopes). Lanes: rows that are
 * neighbours in memory side by side in vector lanes, class after class. Rows of a few contiguous classes are transposed
 * into a tile in L1 and then are lanes too: 8192 x 10 takes 0.08 ms, 0.4 ms row by row. Which way depends on the shape
 * alone. Bits do not depend on whether the gradient is wanted: it is stored beside what is computed anyway.
 *
 * A label that is one class is a one-hot distribution. Where every other target is 0 (no smoothing), only that class is
 * looked at.
 */

#define ROWS NAME(closs_softmax_rows)

enum {
    NAME(LANES) = 256 / sizeof(real), /* 4 vectors of 512 bits */
    NAME(FEW_CLASSES) = 32,           /* rows of so many are transposed */
};

/* ---- Chunks ----------------------------------------------------------------------------------------------------- */

/* NaN unless it is finite: a row with infinity, or with nothing but -infinity, has no softmax. */
CLOSS_INLINE real NAME(finite_or_nan)(real x) { return ABS(x) <= REAL_MAX ? x : (real)NAN; }

/* The logsumexp of a row without a softmax: its largest element, which is infinite, or NaN if there is one. */
static real NAME(lse_limit)(int64_t classes, int64_t step, const real *x) {
    real largest = -INFINITY;
    for (int64_t c = 0; c < classes; c++)
        if (!(x[c * step] <= largest)) largest = x[c * step];
    return largest;
}

/* e[i] = exp(x[i] - m), and below[i], which is that but 0 where x[i] is m; returns how often it is. e may be x, or
 * below.
 */
static int64_t NAME(exp_chunk)(int64_t n, const real *x, real m, NAME(exp_origin_t) from, real *e, real *below) {
    real_int tops = 0;
    NAME(halfway_chunk) exps;
    NAME(begin_exps)(n, x, from, &exps);
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        real at = NAME(end_exp)(i, x, from, &exps);
        int is_top = x[i] == m;
        below[i] = is_top ? 0 : at; /* before e: 1024 x 1000 took 7 % longer the other way round */
        e[i] = at;
        tops += is_top;
    }
    return tops;
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

/* The value of elements, of which the terms are there: L q is added, and the row's weight applied. */
CLOSS_INLINE void NAME(finish_elements)(int64_t n, real log_sum, const real *q, real weight, real *elements) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++)
        elements[i] = weight == 0 || q[i] == 0 ? 0 : weight * MADD(q[i], log_sum, elements[i]);
}

/* ---- Targets of a row ------------------------------------------------------------------------------------------- */

CLOSS_INLINE int NAME(has_distribution)(const ROWS *job) { return job->dense != NULL || job->uniform != 0; }

/* The target of row r's own class, where it is the only one; 0 for an ignored row. */
CLOSS_INLINE real NAME(own_target)(const ROWS *job, int64_t r) {
    if (!job->label || job->label[r] < 0) return 0;
    return job->class_weight ? job->keep * job->class_weight[job->label[r]] : job->keep;
}

/* A row whose every target is 0 (its elements, or its class, are weighted away) has gradient 0, even where its softmax
 * is NaN. */
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

/* The label of n classes from `begin` on, as a distribution. one_hot is all zeros, and so it is again after the second
 * call, with value 0. */
CLOSS_INLINE const real *NAME(label_chunk)(const ROWS *job, int64_t r, int64_t begin, int64_t n, real value) {
    if (job->dense) return job->dense + r * job->classes + begin;
    int64_t place = job->label[r] - begin;
    if (place >= 0 && place < n) job->one_hot[place] = value;
    return job->one_hot;
}

static void NAME(softmax_wide_row)(const ROWS *job, int64_t r) {
    enum { N = NAME(ROW_CHUNK) };
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
    const real m = logits ? NAME(finite_or_nan)(NAME(row_largest)(classes, x)) : 0;
    const double limit = job->lse && m != m ? NAME(lse_limit)(classes, 1, x) : 0;
    const real own = distribution ? 0 : NAME(own_target)(job, r);
    closs_sum others = {0, 0}, terms = {0, 0}, targets = {own, 0}, slopes = {own, 0};
    if (own != 0) terms.hi = (double)own * ((double)m - (double)x[job->label[r]]);
    int used = own != 0 || job->z_loss != 0;
    const NAME(exp_origin_t) from = NAME(exp_origin)(m);
    int64_t tops = logits ? 0 : 1;
    for (int64_t c = 0; c < classes; c += N) {
        int64_t n = classes - c < N ? classes - c : N;
        if (distribution) {
            const real *y = NAME(label_chunk)(job, r, c, n, 1);
            NAME(targets)(job, n, x + c, &m, 0, y, NAME(place)(weights, c, job->ones), q, t);
            NAME(sum_rows)(1, n, t, &terms);
            NAME(sum_rows)(1, n, q, &targets);
            if (cotangent) {
                NAME(multiply)(n, cotangent + c, q);
                NAME(sum_rows)(1, n, q, &slopes);
            }
            if (elements) memcpy(elements + c, t, sizeof(real) * (size_t)n);
            used = used || NAME(any_used)(n, q);
            NAME(label_chunk)(job, r, c, n, 0);
        }
        if (logits) {
            tops += NAME(exp_chunk)(n, x + c, m, from, grad ? grad + c : q, t);
            NAME(sum_rows)(1, n, t, &others);
        } else if (grad) {
            memset(grad + c, 0, sizeof(real) * (size_t)n);
        }
    }
    const double target_sum = closs_sum_value(targets);
    NAME(softmax_row)
    at = NAME(softmax_of_row)(m, (double)(tops - 1) + closs_sum_value(others), closs_sum_value(terms), target_sum,
                              cotangent ? closs_sum_value(slopes) : target_sum, job->z_loss);
    job->value[r] = ignored ? 0 : (real)at.value;
    if (job->lse) job->lse[r] = (real)(m == m ? at.lse : limit);

    const real scale = grad && used ? job->scale[r] : 0, k = (real)(scale * at.factor);
    for (int64_t c = 0; (grad || elements) && c < classes; c += N) {
        int64_t n = classes - c < N ? classes - c : N;
        if (distribution) {
            const real *y = NAME(label_chunk)(job, r, c, n, 1);
            NAME(target_chunk)(job, n, y, NAME(place)(weights, c, job->ones), q);
            NAME(label_chunk)(job, r, c, n, 0);
        }
        if (elements) NAME(finish_elements)(n, (real)at.log_sum, q, job->element_scale[r], elements + c);
        if (!grad) continue;
        if (cotangent) NAME(multiply)(n, cotangent + c, q);
        if (scale == 0)
            memset(grad + c, 0, sizeof(real) * (size_t)n);
        else if (distribution)
            NAME(slope_chunk)(n, k, scale, q, grad + c);
        else
            NAME(scale_row)(n, k, grad + c);
    }
    if (scale != 0 && own != 0) grad[job->label[r]] -= scale * own;
}

/* ---- Lanes ------------------------------------------------------------------------------------------------------ */

typedef struct {
    double hi[NAME(LANES)], lo[NAME(LANES)];
} NAME(lane_sums);

CLOSS_INLINE void NAME(add_lanes)(int n, const real *x, NAME(lane_sums) * sums) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) NAME(add)(x[j], &sums->hi[j], &sums->lo[j]);
}

/* Eight rows of lanes at once, in a tree in the type, as long rows are summed (sums.h). */
CLOSS_INLINE void NAME(add_eight_lanes)(int n, real (*x)[NAME(LANES)], NAME(lane_sums) * sums) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        real tree = ((x[0][j] + x[1][j]) + (x[2][j] + x[3][j])) + ((x[4][j] + x[5][j]) + (x[6][j] + x[7][j]));
        NAME(add)(tree, &sums->hi[j], &sums->lo[j]);
    }
}

/* For float nothing is ever in lo. */
CLOSS_INLINE double NAME(lane_sum)(const NAME(lane_sums) * sums, int j) {
    return sizeof(real) == 4 ? sums->hi[j] : closs_sum_value((closs_sum){sums->hi[j], sums->lo[j]});
}

CLOSS_INLINE void NAME(start_lanes)(int n, NAME(lane_sums) * sums) {
    for (int j = 0; j < n; j++) sums->hi[j] = 0;
    for (int j = 0; sizeof(real) > 4 && j < n; j++) sums->lo[j] = 0;
}

/* exp_origin_t, a lane. */
typedef struct {
    real base[NAME(LANES)], rest[NAME(LANES)], both[NAME(LANES)], lowest[NAME(LANES)];
    real_bits origin[NAME(LANES)];
} NAME(lane_origins);

CLOSS_INLINE NAME(exp_origin_t) NAME(origin_at)(const NAME(lane_origins) * at, int j) {
    return (NAME(exp_origin_t)){at->base[j], at->rest[j], at->both[j], at->origin[j], at->lowest[j]};
}

static void NAME(start_exp_lanes)(int n, const real *m, NAME(lane_origins) * at) {
    for (int j = 0; j < n; j++) {
        NAME(exp_origin_t) from = NAME(exp_origin)(m[j]);
        at->base[j] = from.base;
        at->rest[j] = from.rest;
        at->both[j] = from.both;
        at->lowest[j] = from.lowest;
        at->origin[j] = from.origin;
    }
}

/* The class of each row, -1 for an ignored row or a distribution; its target, where it is the only one. */
CLOSS_INLINE void NAME(start_classes)(const ROWS *job, int n, real_int *own_class, real *own) {
    const real keep = NAME(has_distribution)(job) ? 0 : job->keep;
    for (int j = 0; j < n; j++) own_class[j] = -1;
    for (int j = 0; job->label && j < n; j++) own_class[j] = (real_int)job->label[j];
    for (int j = 0; j < n; j++) own[j] = own_class[j] < 0 ? 0 : keep;
    for (int j = 0; keep != 0 && job->class_weight && j < n; j++) own[j] = NAME(own_target)(job, j);
}

/* Of one class: e, and below, which is e but 0 where x is the row's largest; tops counts how often it is. e may be x.
 */
static void NAME(exp_lanes)(int n, const real *x, const real *m, const NAME(lane_origins) * at, real *e, real *below,
                            real_int *tops) {
    NAME(halfway_chunk) exps;
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        NAME(halfway_t) reduced = NAME(vm_exp_from_begin)(x[j], NAME(origin_at)(at, j));
        exps.main[j] = reduced.main;
        exps.rest[j] = reduced.rest;
    }
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        real exponential = NAME(end_exp)(j, x, NAME(origin_at)(at, j), &exps);
        int is_top = x[j] == m[j];
        tops[j] += is_top;
        below[j] = is_top ? 0 : exponential;
        e[j] = exponential;
    }
}

/* m becomes the largest of what it is and class c; own_x the logit of each row's own class. */
static void NAME(look_lanes)(int n, const real *x, real_int c, const real_int *own_class, real *m, real *own_x) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        m[j] = x[j] > m[j] ? x[j] : m[j];
        own_x[j] = own_class[j] == c ? x[j] : own_x[j];
    }
}

/* e becomes the gradient where the own class is the only target. */
static void NAME(own_slope_lanes)(int n, const real *k, const real *scale, real_int c, const real_int *own_class,
                                  const real *own, real *e) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        real of_own = own_class[j] == c ? scale[j] * own[j] : 0;
        e[j] = scale[j] == 0 ? 0 : MADD(e[j], k[j], -of_own);
    }
}

static void NAME(slope_lanes)(int n, const real *k, const real *scale, const real *q, real *e) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) e[j] = scale[j] == 0 ? 0 : MADD(e[j], k[j], -(scale[j] * q[j]));
}

/* Labels and weights of class c in n rows; a buffer each, for what is not an array. */
typedef struct {
    const real *y, *weight;
} NAME(class_t);

CLOSS_INLINE NAME(class_t)
    NAME(class_of_lanes)(const ROWS *job, int n, int64_t c, const real_int *own_class, real *y, real *weight) {
    NAME(class_t)
    at = {NAME(place)(job->dense, c * job->step, y),
          NAME(place)(job->element_weight, c * job->step, job->class_weight ? weight : job->ones)};
    for (int j = 0; !job->dense && j < n; j++) y[j] = own_class[j] == (real_int)c ? 1 : 0;
    for (int j = 0; at.weight == weight && j < n; j++) weight[j] = job->class_weight[c];
    return at;
}

/* Rows 0 .. n side by side, n <= LANES: element j of class c lies at c * step + j. */
static void NAME(softmax_lanes)(const ROWS *job, int n) {
    enum { BLOCK = 8 };
    NAME(lane_sums) others, terms, targets, slopes;
    NAME(lane_origins) origins;
    real m[NAME(LANES)], own[NAME(LANES)], own_x[NAME(LANES)], limit[NAME(LANES)];
    real q[NAME(LANES)], t[NAME(LANES)], y[NAME(LANES)], weight[NAME(LANES)], below[BLOCK][NAME(LANES)];
    real k[NAME(LANES)], scale[NAME(LANES)], log_sum[NAME(LANES)];
    real_int own_class[NAME(LANES)], tops[NAME(LANES)];
    int32_t used[NAME(LANES)];
    const int64_t classes = job->classes, step = job->step;
    const int logits = !job->log_probabilities, distribution = NAME(has_distribution)(job);
    const double z = job->z_loss;

    NAME(start_classes)(job, n, own_class, own);
    for (int j = 0; j < n; j++) {
        m[j] = -INFINITY;
        own_x[j] = 0;
        used[j] = (own[j] != 0) | (z != 0);
        tops[j] = logits ? -1 : 0;
        scale[j] = limit[j] = 0;
    }
    if (job->grad) memcpy(scale, job->scale, sizeof(real) * (size_t)n);
    for (int64_t c = 0; c < classes; c++) NAME(look_lanes)(n, job->pred + c * step, (real_int)c, own_class, m, own_x);
    for (int j = 0; j < n; j++) m[j] = logits ? NAME(finite_or_nan)(m[j]) : 0;
    for (int j = 0; job->lse && j < n; j++) limit[j] = m[j] == m[j] ? 0 : NAME(lse_limit)(classes, step, job->pred + j);
    NAME(start_exp_lanes)(n, m, &origins);
    NAME(start_lanes)(n, &others);
    NAME(start_lanes)(n, &terms);
    NAME(start_lanes)(n, &targets);
    NAME(start_lanes)(n, &slopes);
    for (int j = 0; j < n; j++) {
        targets.hi[j] = own[j];
        terms.hi[j] = own[j] == 0 ? 0 : (double)own[j] * ((double)m[j] - (double)own_x[j]);
    }

    for (int64_t begin = 0; begin < classes; begin += BLOCK) {
        const int count = classes - begin < BLOCK ? (int)(classes - begin) : BLOCK;
        for (int i = 0; i < count; i++) {
            const int64_t c = begin + i;
            const real *x = job->pred + c * step;
            if (distribution) {
                NAME(class_t) at = NAME(class_of_lanes)(job, n, c, own_class, y, weight);
                NAME(targets)(job, n, x, m, 1, at.y, at.weight, q, t);
                NAME(add_lanes)(n, t, &terms);
                NAME(add_lanes)(n, q, &targets);
                if (job->element_cotangent) {
                    NAME(multiply)(n, job->element_cotangent + c * step, q);
                    NAME(add_lanes)(n, q, &slopes);
                }
                if (job->elements) memcpy(job->elements + c * step, t, sizeof(real) * (size_t)n);
                NAME(mark_used)(n, q, used);
            }
            if (logits)
                NAME(exp_lanes)(n, x, m, &origins, job->grad ? job->grad + c * step : q, below[i], tops);
            else if (job->grad)
                memset(job->grad + c * step, 0, sizeof(real) * (size_t)n);
        }
        if (logits && count == BLOCK) NAME(add_eight_lanes)(n, below, &others);
        for (int i = 0; logits && count < BLOCK && i < count; i++) NAME(add_lanes)(n, below[i], &others);
    }

    for (int j = 0; j < n; j++) scale[j] = used[j] ? scale[j] : 0;
    const NAME(lane_sums) *factors = job->element_cotangent ? &slopes : &targets;
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        NAME(softmax_row)
        at = NAME(softmax_of_row)(m[j], (double)tops[j] + NAME(lane_sum)(&others, j), NAME(lane_sum)(&terms, j),
                                  NAME(lane_sum)(&targets, j), NAME(lane_sum)(factors, j), z);
        t[j] = (real)at.value;
        log_sum[j] = (real)at.log_sum;
        k[j] = (real)(scale[j] * at.factor);
        q[j] = (real)at.lse;
    }
    for (int j = 0; j < n; j++) job->value[j] = job->label && job->label[j] < 0 ? 0 : t[j];
    for (int j = 0; job->lse && j < n; j++) job->lse[j] = m[j] == m[j] ? q[j] : limit[j];

    for (int64_t c = 0; (job->grad || job->elements) && c < classes; c++) {
        real *grad = job->grad ? job->grad + c * step : NULL;
        if (!distribution) {
            NAME(own_slope_lanes)(n, k, scale, (real_int)c, own_class, own, grad);
            continue;
        }
        NAME(class_t) at = NAME(class_of_lanes)(job, n, c, own_class, y, weight);
        NAME(target_chunk)(job, n, at.y, at.weight, q);
        for (int j = 0; job->elements && j < n; j++)
            NAME(finish_elements)(1, log_sum[j], q + j, job->element_scale[j], job->elements + c * step + j);
        if (!grad) continue;
        if (job->element_cotangent) NAME(multiply)(n, job->element_cotangent + c * step, q);
        NAME(slope_lanes)(n, k, scale, q, grad);
    }
}

/* ---- A few contiguous classes: lanes by way of a tile ----------------------------------------------------------- */

/* to[i * to_step + j] = from[j * from_step + i] for i < n, j < m. Floats go in blocks of 4 x 4, of which the last ones
 * overlap; the rest in blocks of 2 x 2, which compilers turn into shuffles (doubles: 0.3 ns an element either way). */
static void NAME(transpose)(int64_t n, int64_t m, const real *from, int64_t from_step, real *to, int64_t to_step) {
#if CLOSS_REAL == 32
    for (int64_t block = 0; n >= 4 && m >= 4 && block < n; block += 4) {
        const int64_t i = block + 4 <= n ? block : n - 4;
        for (int64_t rows = 0; rows < m; rows += 4) {
            const int64_t j = rows + 4 <= m ? rows : m - 4;
            closs_transpose_4x4(from + j * from_step + i, from_step, to + i * to_step + j, to_step);
        }
    }
    if (n >= 4 && m >= 4) return;
#endif
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

/* job's pointers are those of its first row; all n lie in the same (classes, step) plane where step > 1. */
static void NAME(softmax_rows)(const ROWS *job, int64_t n) {
    if (job->step == 1 && job->classes > NAME(FEW_CLASSES)) {
        for (int64_t r = 0; r < n; r++) NAME(softmax_wide_row)(job, r);
        return;
    }
    for (int64_t r = 0; r < n; r += NAME(LANES)) {
        int lanes = n - r < NAME(LANES) ? (int)(n - r) : NAME(LANES);
        ROWS rest = NAME(further_rows)(job, r, job->step == 1 ? r * job->classes : r);
        if (job->step == 1)
            NAME(softmax_tile)(&rest, lanes);
        else
            NAME(softmax_lanes)(&rest, lanes);
    }
}

#undef ROWS
