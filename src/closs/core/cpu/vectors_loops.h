/* The loops of the losses that compare vectors (compiled once a type and instruction set, see kernels_body.h).
 *
 * Sums run in 16 lanes of double, whatever the vector width, so that their bits depend on the data alone; in a function
 * of their own, because inside the loop over rows gcc 12 keeps the lanes in memory (cosine loss of doubles: 1.12
 * times). All gradients of an element are written after all inputs of it are read, so that each may be in the place of
 * its input.
 */

typedef struct {
    double hi[16], lo[16];
} NAME(wide_lanes);

/* Lane j grows by x y. Of two floats the product is exact, so that fused or not the sum is the same; of two differences
 * of floats it is not. */
CLOSS_INLINE void NAME(add_product)(double x, double y, NAME(wide_lanes) * lanes, int j) {
    if (!IS_PLAIN)
        closs_add(x * y, &lanes->hi[j], &lanes->lo[j]);
    else
        lanes->hi[j] = CLOSS_FMA_F64(x, y, lanes->hi[j]);
}

/* For float nothing is ever in lo. */
CLOSS_INLINE void NAME(clear)(NAME(wide_lanes) * lanes) {
    for (int j = 0; j < 16; j++) lanes->hi[j] = 0;
    for (int j = 0; !IS_PLAIN && j < 16; j++) lanes->lo[j] = 0;
}

CLOSS_INLINE closs_sum NAME(sum_of_lanes)(NAME(wide_lanes) * lanes) {
    NAME(fold_lanes)(lanes->hi, lanes->lo);
    return (closs_sum){lanes->hi[0], IS_PLAIN ? 0 : lanes->lo[0]};
}

/* Asks for 16 elements 1 KB ahead, in this vector or in one of the next rows, which processors do not do of their own
 * accord. 65536 vectors of 128 take 0.92 to 0.98 of the time, vectors in cache 0.98 to 1.02 (AVX2). */
CLOSS_INLINE void NAME(fetch_ahead)(const real *x) {
    for (uintptr_t line = 0; line < 16 * sizeof(real); line += 64)
        CLOSS_PREFETCH((const void *)((uintptr_t)x + 1024 + line));
}

/* The next 16 elements, or fewer, of (positive - pred)^2 - (negative - pred)^2. */
CLOSS_INLINE void NAME(triplet_block)(int count, const real *pred, const real *positive, const real *negative,
                                      NAME(wide_lanes) * lanes) {
    for (int j = 0; j < count; j++) {
        double to_p = (double)positive[j] - (double)pred[j], to_q = (double)negative[j] - (double)pred[j];
        NAME(add)(CLOSS_FMA_F64(to_p, to_p, -(to_q * to_q)), &lanes->hi[j], &lanes->lo[j]);
    }
}

/* sums[0] = the sum of (positive - pred)^2 - (negative - pred)^2. */
CLOSS_OUTLINE void NAME(triplet_sums)(int64_t n, const real *pred, const real *positive, const real *negative,
                                      closs_sum *sums) {
    NAME(wide_lanes) lanes;
    NAME(clear)(&lanes);
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        NAME(fetch_ahead)(pred + i), NAME(fetch_ahead)(positive + i), NAME(fetch_ahead)(negative + i);
        NAME(triplet_block)(16, pred + i, positive + i, negative + i, &lanes);
    }
    NAME(triplet_block)((int)(n - i), pred + i, positive + i, negative + i, &lanes);
    sums[0] = NAME(sum_of_lanes)(&lanes);
}

/* The next 16 elements, or fewer, of a.b, a.a, b.b. */
CLOSS_INLINE void NAME(cosine_embedding_block)(int count, const real *a, const real *b, NAME(wide_lanes) * ab,
                                               NAME(wide_lanes) * aa, NAME(wide_lanes) * bb) {
    for (int j = 0; j < count; j++) {
        double x = a[j], y = b[j];
        NAME(add_product)(x, y, ab, j);
        NAME(add_product)(x, x, aa, j);
        NAME(add_product)(y, y, bb, j);
    }
}

/* sums[0..2] = a.b, a.a, b.b; the third input is not read. */
CLOSS_OUTLINE void NAME(cosine_embedding_sums)(int64_t n, const real *a, const real *b, const real *unused,
                                               closs_sum *sums) {
    (void)unused;
    NAME(wide_lanes) ab, aa, bb;
    NAME(clear)(&ab), NAME(clear)(&aa), NAME(clear)(&bb);
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        NAME(fetch_ahead)(a + i), NAME(fetch_ahead)(b + i);
        NAME(cosine_embedding_block)(16, a + i, b + i, &ab, &aa, &bb);
    }
    NAME(cosine_embedding_block)((int)(n - i), a + i, b + i, &ab, &aa, &bb);
    sums[0] = NAME(sum_of_lanes)(&ab);
    sums[1] = NAME(sum_of_lanes)(&aa);
    sums[2] = NAME(sum_of_lanes)(&bb);
}

/* factors[0] times negative - positive, positive - pred, pred - negative. */
CLOSS_INLINE void NAME(triplet_slopes)(int64_t n, const real *pred, const real *positive, const real *negative,
                                       const double *factors, real *of_pred, real *of_positive, real *of_negative) {
    const real factor = (real)factors[0];
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        real x = pred[i], p = positive[i], q = negative[i];
        of_pred[i] = factor * (q - p);
        of_positive[i] = factor * (p - x);
        of_negative[i] = factor * (x - q);
    }
}

/* Whether a real will do for this factor: not if it would be subnormal there, or infinite; nor without FMA, where a
 * product may overflow although the sum does not. */
CLOSS_INLINE int NAME(fits_real)(double x) {
    return !IS_PLAIN || (CLOSS_HAS_FMA && (x == 0 || (fabs(x) >= FLT_MIN && fabs(x) <= FLT_MAX)));
}

/* An element of the gradient of a vector, of which it is x, and y that of the other one. */
CLOSS_INLINE real NAME(cosine_slope)(real other, real y, real own, real x) { return MADD(other, y, own * x); }

/* factors[0] b + factors[1] a, and factors[0] a + factors[2] b.
 *
 * In reals within 3.5 ulp of the larger term: a rounding of each factor, of a product and of the sum. For floats in
 * double where the vectors are so long or short that the factors leave the range of float. Always in double, 64 vectors
 * of 512 took 1.27 times as long (AVX2). */
CLOSS_INLINE void NAME(cosine_embedding_slopes)(int64_t n, const real *a, const real *b, const real *unused,
                                                const double *factors, real *of_a, real *of_b, real *of_unused) {
    (void)unused, (void)of_unused;
    const double other = factors[0], own_a = factors[1], own_b = factors[2];
    if (NAME(fits_real)(other) && NAME(fits_real)(own_a) && NAME(fits_real)(own_b)) {
        CLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; i++) {
            real x = a[i], y = b[i];
            of_a[i] = NAME(cosine_slope)((real)other, y, (real)own_a, x);
            of_b[i] = NAME(cosine_slope)((real)other, x, (real)own_b, y);
        }
    } else {
        CLOSS_INDEPENDENT
        for (int64_t i = 0; i < n; i++) {
            double x = a[i], y = b[i];
            of_a[i] = (real)cosine_slope_f64(other, y, own_a, x);
            of_b[i] = (real)cosine_slope_f64(other, x, own_b, y);
        }
    }
}

/* ---- Rows ------------------------------------------------------------------------------------------------------- */

#define ROWS NAME(closs_vectors_rows)

typedef void NAME(vectors_sums)(int64_t n, const real *first, const real *second, const real *third, closs_sum *sums);
typedef void NAME(vectors_slopes)(int64_t n, const real *first, const real *second, const real *third,
                                  const double *factors, real *of_first, real *of_second, real *of_third);

CLOSS_INLINE NAME(vectors_row)
    NAME(value_of_row)(NAME(vectors_sums) * sums_of, NAME(vectors_formula) * formula, const ROWS *job, int64_t r) {
    closs_sum total[3] = {{0, 0}, {0, 0}, {0, 0}};
    for (int64_t o = 0; o < job->outer && job->inner > 0; o++) {
        const int64_t begin = (o * job->rows + r) * job->inner;
        closs_sum part[3] = {{0, 0}, {0, 0}, {0, 0}};
        sums_of(job->inner, job->input[0] + begin, job->input[1] + begin, NAME(place)(job->input[2], begin, NULL),
                part);
        for (int k = 0; k < 3; k++) {
            if (o == 0) /* added to 0 it would be waited for: rows of 32 took 1.08 times as long */
                total[k] = part[k];
            else
                closs_add_sum(part[k], &total[k]);
        }
    }
    return formula(total, job->label ? (double)job->label[r] : 0, job->margin);
}

/* In chunks, for the sake of gradients that nobody asked for: they go to `unwanted`, which has room for one. */
CLOSS_INLINE void NAME(gradients_of_row)(NAME(vectors_slopes) * slopes, const ROWS *job, int64_t r,
                                         const double *factors, real *unwanted) {
    enum { N = NAME(ROW_CHUNK) };
    const int zero = factors[0] == 0 && factors[1] == 0 && factors[2] == 0;
    for (int64_t o = 0; o < job->outer; o++) {
        const int64_t begin = (o * job->rows + r) * job->inner;
        for (int64_t i = 0; i < job->inner; i += N) {
            const int64_t n = job->inner - i < N ? job->inner - i : N, at = begin + i;
            real *of[3] = {unwanted, unwanted, unwanted};
            for (int k = 0; k < 3; k++) {
                if (!job->grad[k]) continue;
                of[k] = job->grad[k] + at;
                if (zero) memset(of[k], 0, sizeof(real) * (size_t)n);
            }
            if (!zero)
                slopes(n, job->input[0] + at, job->input[1] + at, NAME(place)(job->input[2], at, NULL), factors, of[0],
                       of[1], of[2]);
        }
    }
}

/* Row by row: gradients are written while the row's vectors are in L1, and later rows already on their way. In groups
 * of rows, as softmax has them, large arrays took 1.1 times as long. */
CLOSS_INLINE void NAME(rows_of_vectors)(NAME(vectors_sums) * sums_of, NAME(vectors_formula) * formula,
                                        NAME(vectors_slopes) * slopes, const ROWS *job, int64_t first, int64_t n,
                                        const real *scale, real *value) {
    real unwanted[NAME(ROW_CHUNK)];
    for (int64_t j = 0; j < n; j++) {
        const NAME(vectors_row) row = NAME(value_of_row)(sums_of, formula, job, first + j);
        value[j] = (real)row.value;
        if (!scale) continue;
        double factors[3];
        for (int k = 0; k < 3; k++) factors[k] = scale[j] == 0 ? 0 : NAME(dd_scaled)(scale[j], row.factors[k]);
        NAME(gradients_of_row)(slopes, job, first + j, factors, unwanted);
    }
}

#define VECTORS(name, inputs, labelled)                                                                               \
    static void NAME(name##_rows)(const ROWS *job, int64_t first, int64_t n, const real *scale, real *value) {        \
        NAME(rows_of_vectors)(NAME(name##_sums), NAME(name##_row), NAME(name##_slopes), job, first, n, scale, value); \
    }
#include "../losses.def"

#undef ROWS
