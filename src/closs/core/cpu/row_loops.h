/* Loops over one row of classes that families share (compiled once a type and instruction set, see kernels_body.h). */

/* The first block of `lanes` numbers from k on that has this one, or where no whole block is left. */
CLOSS_INLINE int64_t NAME(skip_to)(int lanes, real wanted, int64_t k, int64_t n, const real *x) {
    for (; k + lanes <= n; k += lanes) {
        real_int found = 0;
        for (int j = 0; j < lanes; j++) found |= x[k + j] == wanted;
        if (found) break;
    }
    return k;
}

/* The largest of n >= lanes numbers; NaNs are passed over. */
CLOSS_INLINE real NAME(largest_of)(int lanes, int64_t n, const real *x) {
    real best[64];
    for (int j = 0; j < lanes; j++) best[j] = -INFINITY;
    for (int64_t i = 0; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; j++) best[j] = x[i + j] > best[j] ? x[i + j] : best[j];
    const real *end = x + (n - lanes); /* overlaps the last whole block */
    for (int j = 0; n % lanes && j < lanes; j++) best[j] = end[j] > best[j] ? end[j] : best[j];
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) best[j] = best[j + half] > best[j] ? best[j + half] : best[j];
    return best[0];
}

/* The same for any n >= 1; -infinity if there is nothing but NaN. */
static real NAME(row_largest)(int64_t n, const real *x) {
    if (n >= 64) return NAME(largest_of)(64, n, x);
    return n >= 16 ? NAME(largest_of)(16, n, x) : NAME(largest_of)(1, n, x);
}

/* The same, and its first position; 0 if there is nothing but NaN. Looking for it costs three mispredicted branches, 40
 * ns: who does not need the position asks for the largest. */
static real NAME(row_max)(int64_t n, const real *x, int64_t *position) {
    const real largest = NAME(row_largest)(n, x);
    int64_t k = NAME(skip_to)(64, largest, 0, n, x);
    k = NAME(skip_to)(8, largest, k, n, x);
    k = NAME(skip_to)(1, largest, k, n, x);
    *position = k < n ? k : 0;
    return largest;
}
