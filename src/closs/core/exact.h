/* Error-free transformations, compiled once a type (see real.h). */

typedef struct {
    real sum, error;
} NAME(two_sum_t);

/* sum = a + b rounded, and error the part that rounding lost: a + b = sum + error exactly, whatever the order of
 * magnitude of a and b (Knuth, TAOCP 2, 4.2.2, theorem B). error is NaN where sum is infinite. */
CLOSS_INLINE NAME(two_sum_t) NAME(two_sum)(real a, real b) {
    NAME(two_sum_t) result;
    result.sum = a + b;
    real b_part = result.sum - a;
    real a_part = result.sum - b_part;
    result.error = (a - a_part) + (b - b_part);
    return result;
}

typedef struct {
    real product, error;
} NAME(two_product_t);

/* product = a b rounded, and error the part that rounding lost, as far as it is not subnormal (Dekker 1971). Without
 * FMA from the products of halves, of which only the smallest is rounded. error means nothing where product is
 * infinite. */
CLOSS_INLINE NAME(two_product_t) NAME(two_product)(real a, real b) {
    const real p = a * b;
    if (CLOSS_HAS_FMA) return (NAME(two_product_t)){p, MADD(a, b, -p)};
    const real_bits low_half = PICK(0xfffu, 0x7ffffffu);
    const real a_hi = FROM_BITS(TO_BITS(a) & ~low_half), b_hi = FROM_BITS(TO_BITS(b) & ~low_half);
    return (NAME(two_product_t)){p,
                                 ((a_hi * b_hi - p) + a_hi * (b - b_hi) + (a - a_hi) * b_hi) + (a - a_hi) * (b - b_hi)};
}

/* 1 - a b for a b within an ulp of 1. */
CLOSS_INLINE real NAME(one_minus_product)(real a, real b) {
    if (CLOSS_HAS_FMA) return MADD(-a, b, R(1.0));
    NAME(two_product_t) p = NAME(two_product)(a, b);
    return (1 - p.product) - p.error;
}
