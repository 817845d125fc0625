/* The loops of the losses that compare every vector with every other one (compiled once a type and instruction set).
 *
 * Distances and their gradients are double for float vectors too: distances are exponents, where an error is magnified.
 */

/* The next 16 elements, or fewer, of |a - b|^2. */
CLOSS_INLINE void NAME(distance_block)(int count, const real *a, const real *b, NAME(wide_lanes) * lanes) {
    for (int j = 0; j < count; j++) {
        double d = (double)a[j] - (double)b[j];
        NAME(add_product)(d, d, lanes, j);
    }
}

static closs_sum NAME(squared_distance)(int64_t n, const real *a, const real *b) {
    NAME(wide_lanes) lanes;
    NAME(clear)(&lanes);
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) NAME(distance_block)(16, a + i, b + i, &lanes);
    NAME(distance_block)((int)(n - i), a + i, b + i, &lanes);
    return NAME(sum_of_lanes)(&lanes);
}

/* logit[j] = minus the squared distance of a from row j of b (rows of n elements), plus that from row `own`, if it is
 * finite: a softmax does not notice, and a difference has digits that the distances themselves round off. */
static void NAME(distance_logits)(int64_t rows, int64_t n, const real *a, const real *b, int64_t own, double *logit) {
    closs_sum base = NAME(squared_distance)(n, a, b + own * n);
    if (!(fabs(base.hi) <= DBL_MAX)) base = (closs_sum){0, 0};
    for (int64_t r = 0; r < rows; r++) {
        closs_sum sum = NAME(squared_distance)(n, a, b + r * n);
        double rest = fabs(sum.hi) <= DBL_MAX ? base.lo - sum.lo : 0;
        logit[r] = (base.hi - sum.hi) + rest;
    }
}

/* grad = factor times the sum over j of weight[j * step] (a - row j of b), in columns that stay in L1. */
static void NAME(weighted_differences)(int64_t rows, int64_t n, const real *a, const real *b, const double *weight,
                                       int64_t step, double factor, real *grad) {
    enum { COLUMNS = 256 };
    double hi[COLUMNS], lo[COLUMNS]; /* running sums: of 150 doubles a plain one was 13 ulp off */
    for (int64_t begin = 0; begin < n; begin += COLUMNS) {
        int64_t width = n - begin < COLUMNS ? n - begin : COLUMNS;
        for (int64_t i = 0; i < width; i++) hi[i] = lo[i] = 0;
        for (int64_t r = 0; r < rows; r++) {
            const real *x = a + begin, *y = b + r * n + begin;
            const double w = weight[r * step];
            if (w == 0) continue; /* a row that is weighted away counts nothing, even if it is NaN */
            CLOSS_INDEPENDENT
            for (int64_t i = 0; i < width; i++) NAME(add)(w * ((double)x[i] - (double)y[i]), &hi[i], &lo[i]);
        }
        for (int64_t i = 0; i < width; i++)
            grad[begin + i] = (real)(factor * closs_sum_value((closs_sum){hi[i], lo[i]}));
    }
}
