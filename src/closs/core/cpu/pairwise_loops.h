/* The loops of the losses that compare every vector with every other one (compiled once a type and instruction set).
 *
 * Distances and their gradients are double for float vectors too: distances are exponents, where an error is magnified.
 */

/* distance[j] = the squared distance of a from row j of b, rows of n elements. */
static void NAME(squared_distances)(int64_t rows, int64_t n, const real *a, const real *b, double *distance) {
    for (int64_t r = 0; r < rows; r++) {
        const real *x = b + r * n;
        NAME(wide_lanes) lanes = {{0}, {0}};
        int64_t i = 0;
        for (; i + 16 <= n; i += 16) {
            for (int j = 0; j < 16; j++) {
                double d = (double)a[i + j] - (double)x[i + j];
                NAME(add_to_lane)(d * d, &lanes, j);
            }
        }
        for (int j = 0; i + j < n; j++) {
            double d = (double)a[i + j] - (double)x[i + j];
            NAME(add_to_lane)(d * d, &lanes, j);
        }
        closs_sum sum = {0, 0};
        NAME(add_lanes_to)(&lanes, &sum);
        distance[r] = closs_sum_value(sum);
    }
}

/* grad = factor times the sum over j of weight[j * step] (a - row j of b), in columns that stay in L1. */
static void NAME(weighted_differences)(int64_t rows, int64_t n, const real *a, const real *b, const double *weight,
                                       int64_t step, double factor, real *grad) {
    enum { COLUMNS = 256 };
    double sums[COLUMNS];
    for (int64_t begin = 0; begin < n; begin += COLUMNS) {
        int64_t width = n - begin < COLUMNS ? n - begin : COLUMNS;
        for (int64_t i = 0; i < width; i++) sums[i] = 0;
        for (int64_t r = 0; r < rows; r++) {
            const real *x = a + begin, *y = b + r * n + begin;
            const double w = weight[r * step];
            if (w == 0) continue; /* a row that is weighted away counts nothing, even if it is NaN */
            CLOSS_INDEPENDENT
            for (int64_t i = 0; i < width; i++) sums[i] = CLOSS_FMA_F64(w, (double)x[i] - (double)y[i], sums[i]);
        }
        for (int64_t i = 0; i < width; i++) grad[begin + i] = (real)(factor * sums[i]);
    }
}
