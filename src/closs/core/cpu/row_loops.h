/* Loops over one row of classes that families share (compiled once a type and instruction set, see kernels_body.h). */

/* The largest of n >= lanes numbers and its first position; NaNs are passed over. */
CLOSS_INLINE real NAME(lanes_max)(int lanes, int64_t n, const real *x, int64_t *position) {
    real best[64];
    for (int j = 0; j < lanes; j++) best[j] = -INFINITY;
    for (int64_t i = 0; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; j++) best[j] = x[i + j] > best[j] ? x[i + j] : best[j];
    const real *end = x + (n - lanes); /* overlaps the last whole block */
    for (int j = 0; n % lanes && j < lanes; j++) best[j] = end[j] > best[j] ? end[j] : best[j];
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) best[j] = best[j + half] > best[j] ? best[j + half] : best[j];

    int64_t k = 0;
    for (; k + lanes <= n; k += lanes) {
        real_int found = 0;
        for (int j = 0; j < lanes; j++) found |= x[k + j] == best[0];
        if (found) break;
    }
    while (k < n && x[k] != best[0]) k++;
    *position = k < n ? k : 0;
    return best[0];
}

/* The same for any n >= 1; -infinity and 0 if there is nothing but NaN. */
static real NAME(row_max)(int64_t n, const real *x, int64_t *position) {
    if (n >= 64) return NAME(lanes_max)(64, n, x, position);
    if (n >= 16) return NAME(lanes_max)(16, n, x, position);
    return NAME(lanes_max)(1, n, x, position);
}
