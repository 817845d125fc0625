/* Sums that are exact enough for any length, fast, and the same on every machine (compiled once a type).
 *
 * A row is summed in trees of 8 elements in the type itself (three roundings), and the trees in 16 lanes of double:
 * within 1.5 ulp for data of one sign. Lanes of floats are no faster and 16 ulp off for 1024 equal elements, as the
 * losses of a constant prediction are. The lanes are 16 whatever the vector width, so the bits depend on the length
 * and the data alone.
 */

/* hi + lo grows by x. For double the rounding of hi is collected in lo; floats lose nothing that matters in 53 bits. */
CLOSS_INLINE void NAME(add)(double x, double *hi, double *lo) {
    if (!IS_PLAIN)
        closs_add(x, hi, lo);
    else
        *hi += x;
}

/* The upper half of the lanes added to the lower one. */
CLOSS_INLINE void NAME(fold)(int half, double *hi, double *lo) {
    for (int j = 0; j < half; j++) {
        NAME(add)(hi[j + half], &hi[j], &lo[j]);
        if (!IS_PLAIN) lo[j] += lo[j + half];
    }
}

/* All 16 lanes into the first. Not a loop over halves, which goes through memory: a row of 64 classes takes 8 ns more.
 */
CLOSS_INLINE void NAME(fold_lanes)(double hi[16], double lo[16]) {
    NAME(fold)(8, hi, lo);
    NAME(fold)(4, hi, lo);
    NAME(fold)(2, hi, lo);
    NAME(fold)(1, hi, lo);
}

CLOSS_INLINE void NAME(sum_long_row)(int64_t n, const real *x, closs_sum *sum) {
    double hi[16] = {0}, lo[16] = {0};
    int64_t i = 0;
    for (; i + 128 <= n; i += 128) {
        for (int j = 0; j < 16; j++) {
            const real *y = x + i + j;
            real tree = ((y[0] + y[16]) + (y[32] + y[48])) + ((y[64] + y[80]) + (y[96] + y[112]));
            NAME(add)(tree, &hi[j], &lo[j]);
        }
    }
    for (; i + 16 <= n; i += 16)
        for (int j = 0; j < 16; j++) NAME(add)(x[i + j], &hi[j], &lo[j]);
    for (int j = 0; i + j < n; j++) NAME(add)(x[i + j], &hi[j], &lo[j]);
    NAME(fold_lanes)(hi, lo);
    if (fabs(hi[0]) <= DBL_MAX) {
        NAME(add)(hi[0], &sum->hi, &sum->lo);
        sum->lo += lo[0];
    } else { /* a tree may have overflowed where the sum does not */
        for (i = 0; i < n; i++) sum->hi += x[i];
    }
}

static void NAME(sum_rows)(int64_t rows, int64_t length, const real *x, closs_sum *sums) {
    if (length == 1) {
        for (int64_t r = 0; r < rows; r++) NAME(add)(x[r], &sums[r].hi, &sums[r].lo);
    } else if (length < 16) {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < length; i++) NAME(add)(x[r * length + i], &sums[r].hi, &sums[r].lo);
    } else {
        for (int64_t r = 0; r < rows; r++) NAME(sum_long_row)(length, x + r * length, &sums[r]);
    }
}
