/* Softmax in lanes (see softmax_loops.h): rows side by side, class after class; and the run of rows that is a kernel.
 */

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

CLOSS_INLINE void NAME(start_lanes)(int n, NAME(lane_sums) * sums) {
    for (int j = 0; j < n; j++) sums->hi[j] = 0;
    for (int j = 0; !IS_PLAIN && j < n; j++) sums->lo[j] = 0;
}

/* exp_origin_t, a lane. */
typedef struct {
    real base[NAME(LANES)], rest[NAME(LANES)], shift[NAME(LANES)], lowest[NAME(LANES)];
} NAME(lane_origins);

CLOSS_INLINE NAME(exp_origin_t) NAME(origin_at)(const NAME(lane_origins) * at, int j) {
    return (NAME(exp_origin_t)){at->base[j], at->rest[j], at->shift[j], at->lowest[j]};
}

CLOSS_INLINE void NAME(start_exp_lanes)(int n, const real *m, NAME(lane_origins) * at) {
    for (int j = 0; j < n; j++) {
        NAME(exp_origin_t) from = NAME(exp_origin)(m[j]);
        at->base[j] = from.base;
        at->rest[j] = from.rest;
        at->lowest[j] = from.lowest;
        at->shift[j] = from.shift;
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
CLOSS_INLINE void NAME(exp_lanes)(int n, const real *x, const real *m, const NAME(lane_origins) * at, real *e,
                                  real *below, real_int *tops) {
    real main[NAME(LANES)], rest[NAME(LANES)];
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        NAME(halfway_t) reduced = NAME(vm_exp_from_begin)(x[j], NAME(origin_at)(at, j));
        main[j] = reduced.main;
        rest[j] = reduced.rest;
    }
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) tops[j] += !NAME(end_exp_below)(x[j], m[j], main[j], rest[j], e + j, below + j);
}

/* m becomes the largest of what it is and class c; own_x the logit of each row's own class. */
CLOSS_INLINE void NAME(look_lanes)(int n, const real *x, real_int c, const real_int *own_class, real *m, real *own_x) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        m[j] = x[j] > m[j] ? x[j] : m[j];
        own_x[j] = own_class[j] == c ? x[j] : own_x[j];
    }
}

/* e becomes the gradient where the own class is the only target. */
CLOSS_INLINE void NAME(own_slope_lanes)(int n, const real *k, const real *scale, real_int c, const real_int *own_class,
                                        const real *own, real *e) {
    CLOSS_INDEPENDENT
    for (int j = 0; j < n; j++) {
        real of_own = own_class[j] == c ? scale[j] * own[j] : 0;
        e[j] = scale[j] == 0 ? 0 : MADD(e[j], k[j], -of_own);
    }
}

CLOSS_INLINE void NAME(slope_lanes)(int n, const real *k, const real *scale, const real *q, real *e) {
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

/* Rows 0 .. n side by side up to their sums, n <= LANES: element j of class c lies at c * step + j. */
CLOSS_INLINE void NAME(sum_lanes)(const ROWS *job, int n, NAME(row_group) * g) {
    enum { BLOCK = 8 };
    NAME(lane_origins) origins;
    real own_x[NAME(LANES)], q[NAME(LANES)], t[NAME(LANES)], y[NAME(LANES)], weight[NAME(LANES)];
    real below[BLOCK][NAME(LANES)];
    real_int tops[NAME(LANES)];
    int32_t used[NAME(LANES)];
    const int64_t classes = job->classes, step = job->step;
    const int logits = !job->log_probabilities, distribution = NAME(has_distribution)(job);

    NAME(start_classes)(job, n, g->own_class, g->own);
    for (int j = 0; j < n; j++) {
        g->m[j] = -INFINITY;
        own_x[j] = 0;
        used[j] = (g->own[j] != 0) | (job->z_loss != 0);
        tops[j] = logits ? -1 : 0;
        g->scale[j] = g->limit[j] = 0;
    }
    if (job->grad) memcpy(g->scale, job->scale, sizeof(real) * (size_t)n);
    for (int64_t c = 0; c < classes; c++)
        NAME(look_lanes)(n, job->pred + c * step, (real_int)c, g->own_class, g->m, own_x);
    for (int j = 0; j < n; j++) g->m[j] = logits ? NAME(finite_or_nan)(g->m[j]) : 0;
    for (int j = 0; job->lse && j < n; j++)
        g->limit[j] = g->m[j] == g->m[j] ? 0 : NAME(lse_limit)(classes, step, job->pred + j);
    NAME(start_exp_lanes)(n, g->m, &origins);
    NAME(start_lanes)(n, &g->others);
    NAME(start_lanes)(n, &g->terms);
    NAME(start_lanes)(n, &g->targets);
    NAME(start_lanes)(n, &g->slopes);
    for (int j = 0; j < n; j++) {
        g->targets.hi[j] = g->own[j];
        g->terms.hi[j] = g->own[j] == 0 ? 0 : (double)g->own[j] * ((double)g->m[j] - (double)own_x[j]);
    }

    for (int64_t begin = 0; begin < classes; begin += BLOCK) {
        const int count = classes - begin < BLOCK ? (int)(classes - begin) : BLOCK;
        for (int i = 0; i < count; i++) {
            const int64_t c = begin + i;
            const real *x = job->pred + c * step;
            if (distribution) {
                NAME(class_t) at = NAME(class_of_lanes)(job, n, c, g->own_class, y, weight);
                NAME(targets)(job, n, x, g->m, 1, at.y, at.weight, q, t);
                NAME(add_lanes)(n, t, &g->terms);
                NAME(add_lanes)(n, q, &g->targets);
                if (job->element_cotangent) {
                    NAME(multiply)(n, job->element_cotangent + c * step, q);
                    NAME(add_lanes)(n, q, &g->slopes);
                }
                if (job->elements) memcpy(job->elements + c * step, t, sizeof(real) * (size_t)n);
                NAME(mark_used)(n, q, used);
            }
            if (logits)
                NAME(exp_lanes)(n, x, g->m, &origins, job->grad ? job->grad + c * step : q, below[i], tops);
            else if (job->grad)
                memset(job->grad + c * step, 0, sizeof(real) * (size_t)n);
        }
        if (logits && count == BLOCK) NAME(add_eight_lanes)(n, below, &g->others);
        for (int i = 0; logits && count < BLOCK && i < count; i++) NAME(add_lanes)(n, below[i], &g->others);
    }
    for (int j = 0; j < n; j++) NAME(add)((double)tops[j], &g->others.hi[j], &g->others.lo[j]);
    for (int j = 0; j < n; j++) g->scale[j] = used[j] ? g->scale[j] : 0;
}

/* Their gradients, and the values of their elements, where they are wanted. */
CLOSS_INLINE void NAME(end_lanes)(const ROWS *job, int n, const NAME(row_group) * g) {
    real q[NAME(LANES)], y[NAME(LANES)], weight[NAME(LANES)];
    const int64_t step = job->step;
    for (int64_t c = 0; (job->grad || job->elements) && c < job->classes; c++) {
        real *grad = job->grad ? job->grad + c * step : NULL;
        if (!NAME(has_distribution)(job)) {
            NAME(own_slope_lanes)(n, g->k, g->scale, (real_int)c, g->own_class, g->own, grad);
            continue;
        }
        NAME(class_t) at = NAME(class_of_lanes)(job, n, c, g->own_class, y, weight);
        NAME(target_chunk)(job, n, at.y, at.weight, q);
        for (int j = 0; job->elements && j < n; j++)
            NAME(finish_elements)(1, g->log_sum[j], q + j, job->element_scale[j], job->elements + c * step + j);
        if (!grad) continue;
        if (job->element_cotangent) NAME(multiply)(n, job->element_cotangent + c * step, q);
        NAME(slope_lanes)(n, g->k, g->scale, q, grad);
    }
}

CLOSS_INLINE void NAME(softmax_some_lanes)(const ROWS *job, int n) {
    NAME(row_group) g;
    NAME(sum_lanes)(job, n, &g);
    NAME(finish_rows)(job, n, 0, &g);
    NAME(end_lanes)(job, n, &g);
}

/* The usual number of lanes as a constant unrolls the loops over them: 8192 x 10 took 1.09 times as long otherwise
 * (AVX-512). */
static void NAME(softmax_lanes)(const ROWS *job, int n) {
    if (n == NAME(LANES))
        NAME(softmax_some_lanes)(job, NAME(LANES));
    else
        NAME(softmax_some_lanes)(job, n);
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
