/* Long rows of one target (see softmax_wide.h): their sums, and their exponentials where the gradient will be.
 *
 * The largest logit, m, is found by the very pass that takes the exponentials, so that memory is read while the
 * processor computes: 256 x 50257 takes 0.83 of the time that it takes with a pass for m before it, 1024 x 1000 0.95
 * (asv_bench/two_builds.py, AVX2). The exponentials start from a power of two near a guess at m, which does not show in
 * the results: from whichever power of two they start, they have the same bits, subnormal ones apart. Where they don't
 * start from one (no FMA, large logits), they start from m. In place m is found by the pass over the row before.
 */

/* sum += the sum of n numbers but that at `left_out`, which is returned, if it is among them; else 0 is. */
CLOSS_INLINE real NAME(sum_but)(int64_t n, real *x, int64_t left_out, closs_sum *sum) {
    const int here = left_out >= 0 && left_out < n;
    const real kept = here ? x[left_out] : 0;
    if (here) x[left_out] = 0;
    NAME(sum_rows)(1, n, x, sum);
    if (here) x[left_out] = kept;
    return kept;
}

/* Whether a sum is so small that the exponential of m, e_m, must not be in it: that of the others has to be exact
 * where 1 + others is nearly 1. */
CLOSS_INLINE int NAME(is_small_sum)(double sum, real e_m) { return sum < 4 * (double)e_m; }

/* sum += the sum of n of a row's exponentials, from class `begin` on, but one that is e_m. left_out is its class, or
 * negative as long as there is none, and then it is looked for only where it matters. */
CLOSS_INLINE void NAME(sum_others)(int64_t n, int64_t begin, real e_m, real *e, int64_t *left_out, closs_sum *sum) {
    if (*left_out < 0) {
        closs_sum all = {0, 0};
        NAME(sum_rows)(1, n, e, &all);
        const int look = NAME(is_small_sum)(sum->hi, e_m) && NAME(is_small_sum)(all.hi, e_m) && all.hi > 0.9 * e_m;
        const int64_t found = look ? NAME(position_of)(e_m, n, e) : n;
        if (found == n) {
            closs_add_sum(all, sum);
            return;
        }
        *left_out = begin + found;
    }
    NAME(sum_but)(n, e, *left_out - begin, sum);
}

/* Whether row r is one of those. */
static int NAME(has_one_target)(const ROWS *job, int r) {
    const int unread = job->label && job->label[r] < 0 && !job->lse;
    return job->classes >= NAME(SHORT_ROW) && !job->log_probabilities && !NAME(has_distribution)(job) && !unread;
}

/* Such a row, and what is known of it. */
typedef struct {
    int64_t classes, own_class; /* -1 where it has no weight */
    const real *x;
    real *grad;              /* or NULL */
    real m;                  /* the largest logit */
    real limit;              /* the logsumexp, where m is infinite */
    NAME(exp_origin_t) from; /* of the exponentials */
    closs_sum others;        /* of all but that of its own class */
    real own_exp;            /* which this is, or 0 */
} NAME(one_target);

/* The exponentials of a row, and their sum. Returns the largest number of a row `look`, or of none. */
static real NAME(sum_exps)(NAME(one_target) * row, const real *look) {
    enum { N = NAME(ROW_CHUNK) };
    real buffer[N], largest = -INFINITY;
    row->others = (closs_sum){0, 0};
    row->own_exp = 0;
    for (int64_t c = 0; c < row->classes; c += N) {
        const int64_t n = row->classes - c < N ? row->classes - c : N;
        real *e = row->grad ? row->grad + c : buffer;
        if (look)
            largest = NAME(larger)(NAME(exp_chunk_and_largest)(n, row->x + c, row->from, look + c, e), largest);
        else
            NAME(exp_chunk)(n, row->x + c, row->from, e);
        row->own_exp += NAME(sum_but)(n, e, row->own_class - c, &row->others);
    }
    return largest;
}

/* What is known of a run of rows in place before their turn: m of one row, or of none (NULL). */
typedef struct {
    const real *row, *end; /* end is that of the run, beyond which another thread may be at work */
    real m;
} NAME(lookahead);

/* Takes the exponentials from near m. The guess at it, the largest of a few logits and of that of the row's own class,
 * of which a trained model is sure, may be 40 too low: 2^64 exp(x - guess) is to be less than 2^128 in float (see
 * exp_origin_t), and so 43 would do. In place there is no second try: m must be known, and that of the next row is
 * looked for. */
static void NAME(sum_exps_from_guess)(NAME(one_target) * row, real own_logit, NAME(lookahead) * ahead) {
    const real reach = 40, guess = NAME(larger)(own_logit, NAME(row_largest)(64, row->x));
    const int in_place = row->grad == row->x;
    row->from = NAME(exp_origin_at_power)(guess);
    const int may_guess = NAME(is_from_power)(row->from);
    if (may_guess && !in_place) {
        row->m = NAME(sum_exps)(row, row->x);
        if (row->m - guess <= reach) return;
    } else {
        row->m = ahead->row == row->x ? ahead->m : NAME(row_largest)(row->classes, row->x);
    }
    if (!(may_guess && row->m - guess <= reach)) row->from = NAME(exp_origin_at_power)(row->m);
    if (!(ABS(row->m) <= REAL_MAX)) row->limit = NAME(lse_limit)(row->classes, 1, row->x);
    const real *next = row->x + row->classes;
    if (in_place && next < ahead->end && NAME(is_from_power)(row->from)) {
        ahead->row = next;
        ahead->m = NAME(sum_exps)(row, next);
    } else {
        NAME(sum_exps)(row, NULL);
    }
}

/* The sum of all but that of m, if it is small. */
static closs_sum NAME(sum_without_largest)(const NAME(one_target) * row) {
    enum { N = NAME(ROW_CHUNK) };
    const real e_m = NAME(vm_exp_from)(row->m, row->from);
    real buffer[N];
    int64_t left_out = -1;
    closs_sum sum = {0, 0};
    for (int64_t c = 0; c < row->classes; c += N) {
        const int64_t n = row->classes - c < N ? row->classes - c : N;
        real *e = buffer;
        if (row->grad)
            e = row->grad + c;
        else
            NAME(exp_chunk)(n, row->x + c, row->from, buffer);
        NAME(sum_others)(n, c, e_m, e, &left_out, &sum);
    }
    return sum;
}

/* Row r up to its sums; its exponentials are left in the gradient, if that is wanted. */
static void NAME(sum_one_target)(const ROWS *job, int r, NAME(lookahead) * ahead, NAME(row_group) * g) {
    const int64_t first = r * job->classes;
    const real own = NAME(own_target)(job, r);
    NAME(one_target)
    row = {
        .classes = job->classes,
        .own_class = own != 0 ? job->label[r] : -1,
        .x = job->pred + first,
        .grad = job->grad ? job->grad + first : NULL,
    };
    const real own_logit = own != 0 ? row.x[row.own_class] : -INFINITY;
    NAME(sum_exps_from_guess)(&row, own_logit, ahead);
    const real m = NAME(finite_or_nan)(row.m);
    const int own_largest = own != 0 && own_logit == m;
    const real least = R(0.7); /* power times the exponential of m: from sqrt(1/2) to sqrt(2) */
    int surplus = 0;
    g->rest[r] = NAME(exp_origin_rest)(row.from, m, &g->power[r]);
    if (!own_largest) {
        closs_sum all = row.others;
        NAME(add)(row.own_exp, &all.hi, &all.lo);
        surplus = !NAME(is_small_sum)(all.hi * g->power[r], least);
        row.others = surplus ? all : NAME(sum_without_largest)(&row);
    }
    g->m[r] = m;
    g->limit[r] = row.limit;
    g->own[r] = own;
    g->own_exp[r] = row.own_exp;
    g->own_largest[r] = (real)own_largest;
    g->surplus[r] = (real)surplus;
    g->scale[r] = job->grad && (own != 0 || job->z_loss != 0) ? job->scale[r] : 0;
    NAME(set_lane)(&g->others, r, row.others);
    NAME(set_lane)(&g->terms, r, (closs_sum){own != 0 ? (double)own * ((double)m - (double)own_logit) : 0, 0});
    NAME(set_lane)(&g->targets, r, (closs_sum){own, 0});
    NAME(set_lane)(&g->slopes, r, (closs_sum){0, 0});
}
