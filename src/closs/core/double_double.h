/* Arithmetic of the numbers that a row, or a pair of vectors, has one of (compiled once a type).
 *
 * For float they are doubles: nothing that matters is lost. For double they are sums of two (T. J. Dekker, Numer. Math.
 * 18, 1971), hi being what plain arithmetic gives and lo what that lost, so that what takes a dozen operations is
 * rounded once, by dd_value or dd_scaled: in plain doubles gradients of the cosine loss were 4.9 ulp off instead of
 * 3.1, those of cross-entropy 3.8 instead of 2.6 (tests/accuracy.py). lo means nothing where hi is infinite or NaN.
 */
#include "running_sum.h"

#undef IS_PLAIN
#define IS_PLAIN PICK(1, 0)

CLOSS_INLINE closs_sum NAME(dd)(double x) { return (closs_sum){x, 0}; }

CLOSS_INLINE double NAME(dd_value)(closs_sum a) { return IS_PLAIN ? a.hi : closs_sum_value(a); }

/* The value of factor a, rounded once (twice without FMA). */
CLOSS_INLINE double NAME(dd_scaled)(double factor, closs_sum a) {
    if (IS_PLAIN) return factor * a.hi;
    const double exact = CLOSS_FMA_F64(factor, a.hi, factor * a.lo);
    return fabs(exact) <= DBL_MAX ? exact : factor * a.hi;
}

CLOSS_INLINE closs_sum NAME(dd_negative)(closs_sum a) { return (closs_sum){-a.hi, -a.lo}; }

CLOSS_INLINE closs_sum NAME(dd_add)(closs_sum a, closs_sum b) {
    if (IS_PLAIN) return NAME(dd)(a.hi + b.hi);
    two_sum_t_f64 sum = two_sum_f64(a.hi, b.hi);
    return (closs_sum){sum.sum, sum.error + (a.lo + b.lo)};
}

CLOSS_INLINE closs_sum NAME(dd_multiply)(closs_sum a, closs_sum b) {
    if (IS_PLAIN) return NAME(dd)(a.hi * b.hi);
    two_product_t_f64 product = two_product_f64(a.hi, b.hi);
    return (closs_sum){product.product, product.error + (a.hi * b.lo + a.lo * b.hi)};
}

/* 1 / a, with a step of Newton's iteration. */
CLOSS_INLINE closs_sum NAME(dd_inverse)(closs_sum a) {
    const double q = 1 / a.hi;
    if (IS_PLAIN) return NAME(dd)(q);
    const double rest = one_minus_product_f64(q, a.hi) - q * a.lo;
    return (closs_sum){q, fabs(a.hi) <= DBL_MAX ? q * rest : 0};
}

CLOSS_INLINE closs_sum NAME(dd_sqrt)(closs_sum a) {
    const double root = sqrt(a.hi);
    if (IS_PLAIN) return NAME(dd)(root);
    two_product_t_f64 square = two_product_f64(root, root);
    const double rest = (a.hi - square.product) - square.error + a.lo;
    return (closs_sum){root, root == 0 ? 0 : rest / (2 * root)};
}
