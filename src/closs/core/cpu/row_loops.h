/* Loops over one row of classes, and what else families share (compiled once a type and instruction set, see
 * kernels_body.h).
 */

/* Elements of a row that are taken at once: what is known of each stays in L1. */
enum { NAME(ROW_CHUNK) = 4096 / sizeof(real) };

/* Place `offset` of an optional array, or what stands for it. */
CLOSS_INLINE const real *NAME(place)(const real *array, int64_t offset, const real *otherwise) {
    return array ? array + offset : otherwise;
}

/* Where the first whole block of 64 numbers begins that has this one; where no whole block is left, if none has it. */
CLOSS_INLINE int64_t NAME(block_with)(real wanted, int64_t n, const real *x) {
    int64_t k = 0;
    for (; k + 64 <= n; k += 64) {
        real_int found = 0;
        for (int j = 0; j < 64; j++) found |= x[k + j] == wanted;
        if (found) break;
    }
    return k;
}

/* The position of the first of a few numbers that is this one, n if there is none. No branch depends on where it is: to
 * be mispredicted costs more than to look at all of them. */
CLOSS_INLINE int64_t NAME(first_of)(real wanted, int64_t n, const real *x) {
    real_int first = (real_int)n;
    for (int64_t i = 0; i < n; i++) {
        real_int here = x[i] == wanted ? (real_int)i : (real_int)n;
        first = here < first ? here : first;
    }
    return first;
}

CLOSS_INLINE real NAME(larger)(real a, real b) { return a > b ? a : b; }

/* The largest of `lanes` numbers, 1 or a multiple of 8. By halves it would be a chain of six stores and loads. */
CLOSS_INLINE real NAME(largest_lane)(int lanes, const real *x) {
    if (lanes == 1) return x[0];
    real eight[8];
    for (int j = 0; j < 8; j++) {
        eight[j] = x[j];
        for (int k = 8; k < lanes; k += 8) eight[j] = NAME(larger)(x[j + k], eight[j]);
    }
    return NAME(larger)(NAME(larger)(NAME(larger)(eight[0], eight[1]), NAME(larger)(eight[2], eight[3])),
                        NAME(larger)(NAME(larger)(eight[4], eight[5]), NAME(larger)(eight[6], eight[7])));
}

/* best[j] = the largest of n >= lanes numbers in lane j; lanes are those of blocks, and of a last one that ends where
 * the numbers do. NaNs are passed over. */
CLOSS_INLINE void NAME(largest_in_lanes)(int lanes, int64_t n, const real *x, real *best) {
    for (int j = 0; j < lanes; j++) best[j] = -INFINITY;
    for (int64_t i = 0; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; j++) best[j] = NAME(larger)(x[i + j], best[j]);
    const real *end = x + (n - lanes); /* overlaps the last whole block */
    for (int j = 0; n % lanes && j < lanes; j++) best[j] = NAME(larger)(end[j], best[j]);
}

CLOSS_INLINE real NAME(largest_of)(int lanes, int64_t n, const real *x) {
    real best[64];
    NAME(largest_in_lanes)(lanes, n, x, best);
    return NAME(largest_lane)(lanes, best);
}

/* The same for any n >= 1; -infinity if there is nothing but NaN. */
static real NAME(row_largest)(int64_t n, const real *x) {
    if (n >= 64) return NAME(largest_of)(64, n, x);
    return n >= 16 ? NAME(largest_of)(16, n, x) : NAME(largest_of)(1, n, x);
}

/* The position of the first of any n numbers that is this one, n if there is none. */
static int64_t NAME(position_of)(real wanted, int64_t n, const real *x) {
    int64_t k = NAME(block_with)(wanted, n, x);
    if (n >= 64 && k + 64 > n) k = n - 64; /* nothing was found before that */
    return k + NAME(first_of)(wanted, n - k < 64 ? n - k : 64, x + k);
}

/* The same as row_largest, and its first position; 0 if there is nothing but NaN. */
static real NAME(row_max)(int64_t n, const real *x, int64_t *position) {
    const real largest = NAME(row_largest)(n, x);
    const int64_t found = NAME(position_of)(largest, n, x);
    *position = found < n ? found : 0;
    return largest;
}

/* The first half of vm_exp_from(x[i], from), into two arrays (see halfway_t), and the second one. */
CLOSS_INLINE void NAME(begin_exps)(int64_t n, const real *x, NAME(exp_origin_t) from, real *main, real *rest) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        NAME(halfway_t) reduced = NAME(vm_exp_from_begin)(x[i], from);
        main[i] = reduced.main;
        rest[i] = reduced.rest;
    }
}

CLOSS_INLINE real NAME(end_exp)(real main, real rest) { return NAME(vm_exp_from_end)((NAME(halfway_t)){main, rest}); }

CLOSS_INLINE void NAME(end_exps)(int64_t n, const real *main, const real *rest, real *e) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) e[i] = NAME(end_exp)(main[i], rest[i]);
}

static void NAME(scale_row)(int64_t n, real factor, real *x) {
    CLOSS_INDEPENDENT
    CLOSS_UNROLLED
    for (int64_t i = 0; i < n; i++) x[i] *= factor;
}
