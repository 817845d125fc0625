/* The loops of the losses over classes (compiled once a type and instruction set, see kernels_body.h).
 *
 * Two ways over the same formulas. Wide (softmax_wide.h): rows whose classes follow each other in memory, in three
 * passes over a row that stays in L2 (maximum; exponentials, stored where the gradient will be; slopes), of which long
 * rows of one target take the first two at once (softmax_one_target.h). Lanes (softmax_lanes.h): rows that are
 * neighbours in memory side by side in vector lanes, class after class. Rows of a few contiguous classes are transposed
 * into a tile in L1 and then are lanes too: 8192 x 10 took 3.4 times as long row by row (asv_bench/two_builds.py).
 * Which way depends on the shape alone. Bits do not depend on whether the gradient is wanted: it is stored beside what
 * is computed anyway.
 *
 * A label that is one class is a one-hot distribution. Where every other target is 0 (no smoothing), only that class is
 * looked at.
 */

#define ROWS NAME(closs_softmax_rows)

enum {
    NAME(LANES) = 256 / sizeof(real),      /* 4 vectors of 512 bits */
    NAME(FEW_CLASSES) = 32,                /* rows of so many are transposed */
    NAME(SHORT_ROW) = 1024 / sizeof(real), /* of fewer, the largest is told by comparison */
    NAME(EXP_BLOCK) = 4 * CLOSS_VECTOR_BYTES / sizeof(real),
    NAME(WIDE_GROUP) = 16384 / sizeof(real), /* elements of longer rows that go together: their exp stay in L1 */
};

/* ---- Chunks ----------------------------------------------------------------------------------------------------- */

/* NaN unless it is finite: a row with infinity, or with nothing but -infinity, has no softmax. */
CLOSS_INLINE real NAME(finite_or_nan)(real x) { return ABS(x) <= REAL_MAX ? x : (real)NAN; }

/* The logsumexp of a row without a softmax: its largest element, which is infinite, or NaN if there is one. */
static real NAME(lse_limit)(int64_t classes, int64_t step, const real *x) {
    real largest = -INFINITY;
    for (int64_t c = 0; c < classes; c++) {
        const real at = x[c * step];
        if (at != at) return at;
        largest = NAME(larger)(at, largest);
    }
    return largest;
}

/* e = exp(x - m), and below, which is that but 0 where x is m; returns whether it is not. */
CLOSS_INLINE int NAME(end_exp_below)(real x, real m, real main, real rest, real *e, real *below) {
    real at = NAME(end_exp)(main, rest);
    int is_below = x != m;
    *below = is_below ? at : 0;
    *e = at;
    return is_below;
}

/* A block of exponentials that stays in registers between the halves. */
CLOSS_INLINE void NAME(exp_block)(const real *x, NAME(exp_origin_t) from, real *e) {
    real main[NAME(EXP_BLOCK)], rest[NAME(EXP_BLOCK)];
    NAME(begin_exps)(NAME(EXP_BLOCK), x, from, main, rest);
    NAME(end_exps)(NAME(EXP_BLOCK), main, rest, e);
}

/* largest[j] = the largest of a block's numbers in lane j, and of what it was. A NaN may hide others of its lane here:
 * no harm, since no number of its row matters. */
CLOSS_INLINE void NAME(largest_of_block)(const real *x, real *largest) {
    enum { VECTOR = NAME(EXP_BLOCK) / 4 };
    real halves[2 * VECTOR];
    CLOSS_ROLLED
    for (int j = 0; j < 2 * VECTOR; j++) halves[j] = NAME(larger)(x[j], x[2 * VECTOR + j]);
    CLOSS_ROLLED
    for (int j = 0; j < VECTOR; j++) halves[j] = NAME(larger)(halves[j], halves[VECTOR + j]);
    CLOSS_ROLLED
    for (int j = 0; j < VECTOR; j++) largest[j] = NAME(larger)(halves[j], largest[j]);
}

/* e[i] = exp(x[i]), from a power of two without a base. The first half is so short there that halves pay only in
 * registers. 1000 classes take 0.91 of the time that they take from m (AVX2). With `look` the largest of n numbers y is
 * returned, which may be x. */
CLOSS_INLINE real NAME(exps_from_power)(int64_t n, const real *x, NAME(exp_origin_t) from, int look, const real *y,
                                        real *e) {
    enum { BLOCK = NAME(EXP_BLOCK) };
    real largest[BLOCK / 4];
    from.base = from.rest = 0; /* which the compiler is to know */
    for (int j = 0; j < BLOCK / 4; j++) largest[j] = -INFINITY;
    int64_t i = 0;
    for (; n >= 4 * BLOCK && i + BLOCK <= n; i += BLOCK) {
        if (look) NAME(largest_of_block)(y + i, largest);
        NAME(exp_block)(x + i, from, e + i);
    }
    for (int64_t k = i; look && k < n; k++) largest[0] = NAME(larger)(y[k], largest[0]);
    CLOSS_INDEPENDENT
    for (; i < n; i++) e[i] = NAME(vm_exp_from)(x[i], from);
    for (int j = 1; look && j < BLOCK / 4; j++) largest[0] = NAME(larger)(largest[j], largest[0]);
    return largest[0];
}

/* e[i] = exp(x[i] - m), from any origin. With room for it many go in blocks (256 x 50257 took 1.2 times as long
 * otherwise; 100 classes take 1.05 times as long in blocks and a rest). */
CLOSS_INLINE void NAME(exps)(int64_t n, const real *x, NAME(exp_origin_t) from, real *e) {
    enum { BLOCK = NAME(EXP_BLOCK) };
    real main[NAME(ROW_CHUNK)], rest[NAME(ROW_CHUNK)];
    int64_t i = 0;
    for (; CLOSS_ROOMY_REGISTERS && n >= 4 * BLOCK && i + BLOCK <= n; i += BLOCK) NAME(exp_block)(x + i, from, e + i);
    NAME(begin_exps)(n - i, x + i, from, main, rest);
    NAME(end_exps)(n - i, main, rest, e + i);
}

/* Whether to take the first of them. Without FMA its blocks do not fit the registers. */
CLOSS_INLINE int NAME(is_from_power)(NAME(exp_origin_t) from) {
    return CLOSS_HAS_FMA && from.base == 0 && from.rest == 0;
}

/* The one or the other, for the n numbers of a chunk; e may be x. */
CLOSS_OUTLINE void NAME(exp_chunk)(int64_t n, const real *x, NAME(exp_origin_t) from, real *e) {
    if (NAME(is_from_power)(from))
        NAME(exps_from_power)(n, x, from, 0, x, e);
    else
        NAME(exps)(n, x, from, e);
}

CLOSS_OUTLINE real NAME(exp_chunk_and_largest)(int64_t n, const real *x, NAME(exp_origin_t) from, const real *y,
                                               real *e) {
    return NAME(exps_from_power)(n, x, from, 1, y, e);
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

/* ---- Rows between their sums and their gradients ---------------------------------------------------------------- */

typedef struct {
    double hi[NAME(LANES)], lo[NAME(LANES)];
} NAME(lane_sums);

/* For float nothing that matters is ever in lo, and it may not be filled. */
CLOSS_INLINE closs_sum NAME(lane_sum)(const NAME(lane_sums) * sums, int j) {
    return (closs_sum){sums->hi[j], IS_PLAIN ? 0 : sums->lo[j]};
}

CLOSS_INLINE void NAME(set_lane)(NAME(lane_sums) * sums, int j, closs_sum sum) {
    sums->hi[j] = sum.hi;
    sums->lo[j] = sum.lo;
}

/* One row a lane. */
typedef struct {
    real m[NAME(LANES)];             /* the largest logit, NaN for a row without a softmax; 0 for log-probabilities */
    real limit[NAME(LANES)];         /* its logsumexp, for a row without a softmax */
    real own[NAME(LANES)];           /* the target of the row's own class, where it is the only one; or 0 */
    real_int own_class[NAME(LANES)]; /* that class, or -1; for lanes */
    real scale[NAME(LANES)];         /* of the gradient; 0 where every target is 0 */
    NAME(lane_sums) others;          /* of exp(x - m), but one of those that are 1 */
    NAME(lane_sums) terms, targets, slopes; /* see softmax_of_row */

    /* Wide rows have exp(x - m + rest) / power, rest 0 and power 1 but in long rows of one target. In their sum
     * `others` that of m is counted `surplus` times too often, or too seldom. Where their own class is the only target
     * and the gradient is wanted, own_exp is its exponential; own_largest is 1 if its logit is m, else 0. */
    real rest[NAME(LANES)], power[NAME(LANES)], surplus[NAME(LANES)], own_exp[NAME(LANES)], own_largest[NAME(LANES)];

    /* What finish_rows makes of that: of the exponentials in the gradient, and its two factors; L; the gradient of a
     * wide row's own class, where it is the only target. */
    real k[NAME(LANES)], norm[NAME(LANES)], slope[NAME(LANES)], log_sum[NAME(LANES)], own_grad[NAME(LANES)];
} NAME(row_group);

/* power exp(-rest): what a row's exponentials are multiplied by. */
CLOSS_INLINE closs_sum NAME(norm_of)(double power, double rest) {
    exp_parts_t_f64 exp = exp_parts_f64(-rest, 0);
    return (closs_sum){power * exp.mantissa, power * exp.lost};
}

/* Values and logsumexps of n rows, and what is made of g. Alone a row would take 20 ns more, for the chain of a
 * logarithm and two divisions: a sixth of what a row of 64 classes takes. */
CLOSS_INLINE void NAME(finish_rows_of_z)(const ROWS *job, int n, int wide, double z, NAME(row_group) * g) {
    const NAME(lane_sums) *slopes = job->element_cotangent ? &g->slopes : &g->targets;
    real value[NAME(LANES)], lse[NAME(LANES)];
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        const closs_sum norm = wide ? NAME(norm_of)(g->power[j], g->rest[j]) : NAME(dd)(1);
        closs_sum others = NAME(lane_sum)(&g->others, j);
        if (wide) others = NAME(dd_add)(NAME(dd_multiply)(others, norm), NAME(dd)(-(double)g->surplus[j]));
        const NAME(softmax_row) at = NAME(softmax_of_row)(g->m[j], others, NAME(lane_sum)(&g->terms, j),
                                                          NAME(lane_sum)(&g->targets, j), NAME(lane_sum)(slopes, j), z);
        value[j] = (real)NAME(dd_value)(at.value);
        lse[j] = (real)NAME(dd_value)(at.lse);
        g->log_sum[j] = (real)NAME(dd_value)(at.log_sum);
        g->k[j] = (real)NAME(dd_scaled)(g->scale[j], NAME(dd_multiply)(at.factor, norm));
        if (!wide) continue;
        g->norm[j] = (real)NAME(dd_value)(norm);
        g->slope[j] = (real)NAME(dd_scaled)(g->scale[j], at.factor);
        /* e of the own class is exactly 1 where its logit is m; without a branch, as gcc 12 needs it */
        closs_sum own_e = NAME(dd_multiply)(NAME(dd)(g->own_exp[j]), norm);
        const closs_sum to_one = NAME(dd_add)(NAME(dd)(1), NAME(dd_negative)(own_e));
        own_e = NAME(dd_add)(own_e, NAME(dd_multiply)(NAME(dd)(g->own_largest[j]), to_one));
        const closs_sum own_slope = NAME(softmax_own_slope)(at, g->own[j], own_e, others);
        g->own_grad[j] = (real)NAME(dd_scaled)(g->scale[j], own_slope);
    }
    for (int j = 0; j < n; j++) job->value[j] = job->label && job->label[j] < 0 ? 0 : value[j];
    for (int j = 0; job->lse && j < n; j++) job->lse[j] = g->m[j] == g->m[j] ? lse[j] : g->limit[j];
}

/* A coefficient of 0 as a constant saves what there is none of: 8192 x 10 doubles take 0.9 of the time (AVX2,
 * `two_builds.py`). */
CLOSS_INLINE void NAME(finish_rows)(const ROWS *job, int n, int wide, NAME(row_group) * g) {
    if (job->z_loss == 0)
        NAME(finish_rows_of_z)(job, n, wide, 0, g);
    else
        NAME(finish_rows_of_z)(job, n, wide, job->z_loss, g);
}
