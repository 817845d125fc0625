/* Softmax the wide way (see softmax_loops.h): rows whose classes follow each other in memory, one at a time but for
 * what finish_rows does.
 */

/* The label of n classes from `begin` on, as a distribution. one_hot is all zeros, and so it is again after the second
 * call, with value 0. */
CLOSS_INLINE const real *NAME(label_chunk)(const ROWS *job, int64_t r, int64_t begin, int64_t n, real value) {
    if (job->dense) return job->dense + r * job->classes + begin;
    int64_t place = job->label[r] - begin;
    if (place >= 0 && place < n) job->one_hot[place] = value;
    return job->one_hot;
}

/* e[i] = exp(x[i] - m) for a whole row that is short; sum += all but those of m, told by comparison, whose number is
 * returned. */
CLOSS_INLINE int64_t NAME(exp_short_row)(int64_t n, const real *x, real m, NAME(exp_origin_t) from, real *e,
                                         closs_sum *sum) {
    real main[NAME(SHORT_ROW)], rest[NAME(SHORT_ROW)], below[NAME(SHORT_ROW)];
    real_int not_m = 0;
    NAME(begin_exps)(n, x, from, main, rest);
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) not_m += NAME(end_exp_below)(x[i], m, main[i], rest[i], e + i, below + i);
    NAME(sum_rows)(1, n, below, sum);
    return n - not_m;
}

/* Row r up to its sums, any but those of sum_one_target; its exp are left in the gradient, if that is wanted. */
static void NAME(sum_wide_row)(const ROWS *job, int r, NAME(row_group) * g) {
    enum { N = NAME(ROW_CHUNK) };
    real q[N], t[N];
    const int64_t classes = job->classes, row = r * classes;
    const real *x = job->pred + row;
    const real *weights = job->element_weight ? job->element_weight + row : job->class_weight;
    const real *cotangent = job->element_cotangent ? job->element_cotangent + row : NULL;
    real *grad = job->grad ? job->grad + row : NULL, *elements = job->elements ? job->elements + row : NULL;
    const int logits = !job->log_probabilities, distribution = NAME(has_distribution)(job);
    const int unread = job->label && job->label[r] < 0 && !job->lse;

    const real m = logits && !unread ? NAME(finite_or_nan)(NAME(row_largest)(classes, x)) : 0;
    const real own = distribution ? 0 : NAME(own_target)(job, r);
    closs_sum others = {0, 0}, terms = {0, 0}, targets = {own, 0}, slopes = {0, 0};
    if (own != 0) terms.hi = (double)own * ((double)m - (double)x[job->label[r]]);
    int used = own != 0 || job->z_loss != 0;
    NAME(exp_origin_t) from = NAME(exp_origin)(m);
    const int is_short = classes < NAME(SHORT_ROW);
    int64_t left_out = -1, surplus = 0;
    g->rest[r] = 0; /* slopes of a distribution need exactly 1 at m, or those of a row that is sure would not be 0 */
    g->power[r] = 1;
    g->m[r] = m;
    g->own[r] = own;
    g->own_largest[r] = logits && own != 0 && x[job->label[r]] == m ? 1 : 0;
    g->limit[r] = job->lse && m != m ? NAME(lse_limit)(classes, 1, x) : 0;
    for (int64_t c = 0; !unread && c < classes; c += N) {
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
            real *e = grad ? grad + c : q;
            if (is_short) {
                surplus = 1 - NAME(exp_short_row)(n, x, m, from, e, &others);
            } else {
                NAME(exp_chunk)(n, x + c, from, e);
                NAME(sum_others)(n, c, NAME(vm_exp_from)(m, from), e, &left_out, &others);
                surplus = left_out < 0;
            }
        } else if (grad) {
            memset(grad + c, 0, sizeof(real) * (size_t)n);
        }
    }
    g->surplus[r] = (real)surplus;
    g->own_exp[r] = grad && own != 0 ? grad[job->label[r]] : 0;
    g->scale[r] = grad && used ? job->scale[r] : 0;
    NAME(set_lane)(&g->others, r, others);
    NAME(set_lane)(&g->terms, r, terms);
    NAME(set_lane)(&g->targets, r, targets);
    NAME(set_lane)(&g->slopes, r, slopes);
}

/* The gradient of row r, and the values of its elements, where they are wanted. */
static void NAME(end_wide_row)(const ROWS *job, int r, const NAME(row_group) * g) {
    enum { N = NAME(ROW_CHUNK) };
    real q[N];
    const int64_t classes = job->classes, row = r * classes;
    const real *weights = job->element_weight ? job->element_weight + row : job->class_weight;
    const real *cotangent = job->element_cotangent ? job->element_cotangent + row : NULL;
    real *grad = job->grad ? job->grad + row : NULL, *elements = job->elements ? job->elements + row : NULL;
    const int distribution = NAME(has_distribution)(job);
    const real scale = g->scale[r], own = g->own[r];
    real k = g->k[r];
    if (grad && scale != 0 && g->norm[r] != 1 && !(ABS(k) >= REAL_MIN && ABS(k) <= REAL_MAX)) {
        NAME(scale_row)(classes, g->norm[r], grad); /* in two steps nothing is lost */
        k = g->slope[r];
    }
    for (int64_t c = 0; (grad || elements) && c < classes; c += N) {
        int64_t n = classes - c < N ? classes - c : N;
        if (distribution) {
            const real *y = NAME(label_chunk)(job, r, c, n, 1);
            NAME(target_chunk)(job, n, y, NAME(place)(weights, c, job->ones), q);
            NAME(label_chunk)(job, r, c, n, 0);
        }
        if (elements) NAME(finish_elements)(n, g->log_sum[r], q, job->element_scale[r], elements + c);
        if (!grad) continue;
        if (cotangent) NAME(multiply)(n, cotangent + c, q);
        if (scale == 0)
            memset(grad + c, 0, sizeof(real) * (size_t)n);
        else if (distribution)
            NAME(slope_chunk)(n, g->k[r], scale, q, grad + c);
        else
            NAME(scale_row)(n, k, grad + c);
    }
    if (scale != 0 && own != 0) grad[job->label[r]] = g->own_grad[r];
}

/* Rows 0 .. n, n <= LANES. */
static void NAME(softmax_wide)(const ROWS *job, int n, NAME(lookahead) * ahead) {
    NAME(row_group) g;
    for (int r = 0; r < n; r++) {
        if (NAME(has_one_target)(job, r))
            NAME(sum_one_target)(job, r, ahead, &g);
        else
            NAME(sum_wide_row)(job, r, &g);
    }
    NAME(finish_rows)(job, n, 1, &g);
    for (int r = 0; r < n; r++) NAME(end_wide_row)(job, r, &g);
}
