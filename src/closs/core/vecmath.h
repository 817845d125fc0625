/* exp, log and the logistic function without branches, tables or library calls, so that loops over them vectorise.
 *
 * Compiled once a type (see real.h). The bits are the same in every build with FMA. The bounds below hold for float and
 * double, subnormal results included; tests/c/ulp.c enforces them, over all floats and over samples of the doubles.
 */
#include "polynomials.h"

/* The largest errors in ulp. Where they are met is told above each function. */
#if CLOSS_HAS_FMA
#define CLOSS_ULP_EXP 0.90
#define CLOSS_ULP_LOG 0.95
#define CLOSS_ULP_SOFTPLUS 1.45
#define CLOSS_ULP_UPPER 0.60
#define CLOSS_ULP_LOWER 1.00
#else
#define CLOSS_ULP_EXP 0.90
#define CLOSS_ULP_LOG 1.05
#define CLOSS_ULP_SOFTPLUS 1.55
#define CLOSS_ULP_UPPER 0.60
#define CLOSS_ULP_LOWER 1.30
#endif

/* log(2) in two parts; the product of the first with any exponent is exact. */
#undef LOG2_HI
#undef LOG2_LO
#define LOG2_HI PICK(0x1.62e4p-1f, 0x1.62e42fefap-1)
#define LOG2_LO PICK(0x1.7f7d1cp-20f, 0x1.cf79abc9e3b3ap-40)

/* All bits where the sign bit of x is set, else none. A comparison with 0 would serve, but on Zen 4 one that makes a
 * mask of AVX-512 takes a cycle of the multipliers, by which these loops are bound (BCE took 1.07 times as long). */
CLOSS_INLINE real_bits NAME(sign_mask)(real x) { return 0 - (TO_BITS(x) >> PICK(31, 63)); }

/* a for positive x and 0, b for negative x and -0; NaN goes by its sign too. */
CLOSS_INLINE real NAME(by_sign)(real x, real a, real b) {
    const real_bits negative = NAME(sign_mask)(x);
    return FROM_BITS((TO_BITS(a) & ~negative) | (TO_BITS(b) & negative));
}

/* A function in two halves, for loops over many numbers: what the first loop leaves for the second. In one loop a
 * number is a chain of some 40 dependent operations, of which processors can't overlap enough: binary cross-entropy
 * took 1.18 times as long, the logistic loss 1.3 times (8192 elements, AVX2). */
typedef struct {
    real main, rest;
} NAME(halfway_t);

/* exp(x) = (mantissa + lost) 2^n for x in [-104, 89] (float) or [-746, 710] (double), with n in the low bits of
 * `exponent`, all that power_of_two looks at. Any other x, and NaN, may make anything of them. */
typedef struct {
    real mantissa, lost;
    real_bits exponent;
} NAME(exp_parts_t);

/* Cody and Waite's reduction: x = n log(2) + r with n an integer, |r| <= log(2) / 2. n is rounded, and turned into an
 * integer, by adding 1.5 2^(mantissa bits), or that and an integer. */
#undef EXP_SHIFT
#define EXP_SHIFT PICK(0x1.8p23f, 0x1.8p52)

CLOSS_INLINE real NAME(exp_shifted)(real x, real shift) {
    return MADD(x, PICK(0x1.715476p0f, 0x1.71547652b82fep0), shift);
}

/* x - n log(2). Where nothing but x's own rounding counts: the first product is exact. */
CLOSS_INLINE real NAME(exp_reduced)(real x, real shifted, real shift) {
    real n = shifted - shift;
    return MADD(n, -LOG2_LO, MADD(n, -LOG2_HI, x));
}

/* What the sum 1 + r loses (Dekker's Fast2Sum) is added to the tail, so that the last rounding is nearly the only one
 * that counts, and `lost` is what that one lost. */
CLOSS_INLINE NAME(exp_parts_t) NAME(exp_parts)(real r, real shifted) {
    real sum = 1 + r;
    real sum_error = r - (sum - 1);
    NAME(exp_parts_t) parts;
    real tail = MADD(r * r, PICK(exp_tail_f32, exp_tail_f64)(r, 1), sum_error);
    parts.mantissa = sum + tail;
    parts.lost = tail - (parts.mantissa - sum);
    parts.exponent = TO_BITS(shifted); /* what was added has no low bits */
    return parts;
}

/* 2^exponent, for a normal result. */
CLOSS_INLINE real NAME(power_of_two)(real_bits exponent) {
    return FROM_BITS((exponent + PICK(127u, 1023u)) << PICK(23, 52));
}

/* The number whose exponent field is in the low bits of this one. */
CLOSS_INLINE real NAME(power_of_field)(real shifted) { return FROM_BITS(TO_BITS(shifted) << PICK(23, 52)); }

/* exp(x), the whole range: infinity above, subnormals and 0 below, NaN for NaN. 2^n is applied in two factors, the
 * second one 2 or 2^-64, so that neither overflows and a subnormal result is rounded once. One comparison finds what is
 * beyond either limit (-104 and 89, or -746 and 710, from where the difference from their middle is exact). The largest
 * errors are met near r = -0.3, and in the first subnormal results. */
CLOSS_INLINE NAME(halfway_t) NAME(vm_exp_begin)(real x) {
    real shifted = NAME(exp_shifted)(x, EXP_SHIFT);
    return (NAME(halfway_t)){NAME(exp_reduced)(x, shifted, EXP_SHIFT), shifted};
}

CLOSS_INLINE real NAME(vm_exp_end)(real x, NAME(halfway_t) reduced) {
    const real middle = PICK(-7.5f, -18.0), reach = PICK(96.5f, 728.0); /* beyond it 0 or infinity */
    NAME(exp_parts_t) parts = NAME(exp_parts)(reduced.main, reduced.rest);
    real_bits first = (NAME(sign_mask)(x) & 65) - 1; /* 64 for negative x, else -1 */
    real second = NAME(by_sign)(x, R(2.0), PICK(0x1p-64f, 0x1p-64));
    real within = parts.mantissa * NAME(power_of_two)(parts.exponent + first) * second;
    return ABS(x - middle) > reach ? NAME(by_sign)(x, INFINITY, R(0.0)) : within;
}

CLOSS_INLINE real NAME(vm_exp)(real x) { return NAME(vm_exp_end)(x, NAME(vm_exp_begin)(x)); }

/* unit exp(r) for |r| <= log(2) / 2; unit is a power of two that is a constant. */
CLOSS_INLINE real NAME(vm_exp_small)(real r, real unit) {
    return MADD(r, MADD(r, PICK(exp_tail_f32, exp_tail_f64)(r, unit), unit), unit);
}

/* Where exponentials of a row start from: base + n log(2) + rest. That is its largest x, m, or not too far off. */
typedef struct {
    real base; /* 0, or m where that is so large that differences from it are exact, as far as exp is not 0 */
    real rest;
    real shift; /* for exp_shifted: that makes the exponent field of 2^64 exp(x - m) then, which spares a subtraction */
    real lowest; /* x - base is never taken for less: the result is 0 there */
} NAME(exp_origin_t);

CLOSS_INLINE NAME(exp_origin_t) NAME(exp_origin)(real m) {
    NAME(exp_origin_t) from;
    from.base = ABS(m) <= PICK(248, 1500) ? 0 : m;
    real shifted = NAME(exp_shifted)(m - from.base, EXP_SHIFT);
    from.rest = NAME(exp_reduced)(m - from.base, shifted, EXP_SHIFT);
    from.shift = EXP_SHIFT + (PICK(127 + 64, 1023 + 64) - (shifted - EXP_SHIFT));
    /* There 2^64 2^n is 2^-127, whose field is that of 0 (double: 2^-1023). */
    from.lowest = (m - from.base) - PICK(191.0f, 1087.0) * R(0.693147180559945309);
    return from;
}

/* The power of two beside exp(m), which spares each exponential two subtractions; where m is large, m itself. */
CLOSS_INLINE NAME(exp_origin_t) NAME(exp_origin_at_power)(real m) {
    NAME(exp_origin_t) from = NAME(exp_origin)(m);
    from.lowest -= from.rest;
    from.rest = 0;
    return from;
}

/* From such an origin exponentials are exp(x - m + rest) / power, for any m not far above it; power is one of two. */
CLOSS_INLINE real NAME(exp_origin_rest)(NAME(exp_origin_t) from, real m, real *power) {
    real shifted = NAME(exp_shifted)(m - from.base, from.shift);
    *power = PICK(0x1p64f, 0x1p64) / NAME(power_of_field)(shifted);
    return NAME(exp_reduced)(m - from.base, shifted, from.shift);
}

/* exp(x - m) for x <= m (up to 43 more), from m exactly 1 for m; NaN for NaN, or if m is not finite. Reducing x by
 * multiples of log(2), instead of its difference from m, loses nothing: the rounding of that difference alone would
 * cost 16 ulp at exp(-50). Measured 1.05 ulp; six multiplications and additions for the polynomial, for vm_exp's ten.
 * The second factor of 2^n, with which a subnormal result is rounded once, is in the polynomial.
 *
 * In halves (see halfway_t): a row of 1000 classes took 1.15 times as long in one loop (AVX2). */
CLOSS_INLINE NAME(halfway_t) NAME(vm_exp_from_begin)(real x, NAME(exp_origin_t) from) {
    real below = x - from.base;
    real limited = from.lowest > below ? from.lowest : below; /* in this order one instruction, and NaN stays */
    real shifted = NAME(exp_shifted)(limited - from.rest, from.shift);
    return (NAME(halfway_t)){NAME(exp_reduced)(limited, shifted, from.shift) - from.rest, shifted};
}

CLOSS_INLINE real NAME(vm_exp_from_end)(NAME(halfway_t) reduced) {
    return NAME(vm_exp_small)(reduced.main, PICK(0x1p-64f, 0x1p-64)) * NAME(power_of_field)(reduced.rest);
}

CLOSS_INLINE real NAME(vm_exp_from)(real x, NAME(exp_origin_t) from) {
    return NAME(vm_exp_from_end)(NAME(vm_exp_from_begin)(x, from));
}

/* log(1 + f) + hi + lo, for f in [sqrt(1/2) - 1, 1/2], hi 0 or larger than f, and lo small. As in exp, the sum of the
 * two largest terms is kept exactly. */
typedef struct {
    real head, tail; /* to be added */
} NAME(log_parts_t);

CLOSS_INLINE NAME(log_parts_t) NAME(log_parts)(real f, real hi, real lo) {
    real low = MADD(f * f, PICK(log_tail_f32, log_tail_f64)(f), lo);
    real sum = hi + f;
    real sum_error = f - (sum - hi);
    NAME(log_parts_t) parts = {sum, sum_error + low};
    return parts;
}

/* log(x + x rest) for x > 0 and finite. x = m 2^k with m in [sqrt(1/2), sqrt(2)), by integer arithmetic on the bits; k
 * becomes a real by being placed in the mantissa of 2^(mantissa bits), above a bias that the subtraction takes off. */
CLOSS_INLINE NAME(log_parts_t) NAME(log_of_positive)(real x, real rest) {
    const int mantissa = PICK(23, 52);
    const real_bits sqrt_half = PICK(0x3f3504f3u, 0x3fe6a09e667f3bcdu), one = PICK(0x3f800000u, 0x3ff0000000000000u);
    const real big = PICK(0x1p23f, 0x1p52);
    int is_subnormal = x < PICK(FLT_MIN, DBL_MIN);
    real bias = is_subnormal ? PICK(127.0f + 23.0f, 1023.0 + 52.0) : PICK(127.0f, 1023.0);
    real_bits bits = TO_BITS(x * (is_subnormal ? big : R(1.0))) + (one - sqrt_half);
    real k = FROM_BITS(bits >> mantissa | TO_BITS(big)) - (big + bias);
    real m = FROM_BITS((bits & (((real_bits)1 << mantissa) - 1)) + sqrt_half);
    return NAME(log_parts)(m - 1, k * LOG2_HI, MADD(k, LOG2_LO, rest));
}

/* log(x + x rest) for |rest| of an ulp or less: the logarithm of a sum whose rounding is known. The whole range of x:
 * -infinity at 0 and -0, NaN below; rest does not matter where x is 0, infinite or NaN. */
CLOSS_INLINE NAME(log_parts_t) NAME(vm_log_parts)(real x, real rest) {
    NAME(log_parts_t) parts = NAME(log_of_positive)(x, rest);
    int ordinary = (x > 0) & (x <= REAL_MAX);
    real not_positive = x == 0 ? -INFINITY : NAN;
    real limit = x > 0 ? x : not_positive;
    return (NAME(log_parts_t)){ordinary ? parts.head : limit, ordinary ? parts.tail : R(0.0)};
}

CLOSS_INLINE real NAME(vm_log_corrected)(real x, real rest) {
    NAME(log_parts_t) parts = NAME(vm_log_parts)(x, rest);
    return parts.head + parts.tail;
}

/* log(x) - y, with what the logarithm loses by being rounded: half an ulp less than the difference with vm_log. */
CLOSS_INLINE NAME(log_parts_t) NAME(vm_log_less)(real x, real y) {
    NAME(log_parts_t) log_x = NAME(vm_log_parts)(x, 0);
    NAME(two_sum_t) difference = NAME(two_sum)(log_x.head, -y);
    int finite = ABS(difference.sum) <= REAL_MAX;
    return (NAME(log_parts_t)){difference.sum, finite ? difference.error + log_x.tail : R(0.0)};
}

/* log(x). The largest errors are met near 0.70, 1.27 and 1.40, where k = 0 and |f| is large. */
CLOSS_INLINE real NAME(vm_log)(real x) { return NAME(vm_log_corrected)(x, 0); }

/* For a >= 0 and t = exp(-a): log(1 + t), and t, d = 1 + t and q = 1 / d, each with what its rounding lost. All are NaN
 * for NaN; t is 0 for infinity. A caller that uses one pays for one. */
typedef struct {
    real softplus;
    real t, t_lost, d, d_lost, q, q_lost;
} NAME(vm_logistic_t);

/* log(1 + t) is one polynomial on [0, 1], its first two terms apart. (Reducing the argument further, with log(2) added
 * from t = 1/2 on, gives 1.1 instead of 1.4 ulp for 15 % more time with AVX-512.) q_lost is one step of Newton's
 * iteration. What the rounding of t lost is carried on; without that it takes 8 % less time, but binary cross-entropy
 * of soft labels does not stay within 2 ulp. The largest error of softplus is met near a = 0.45. */
CLOSS_INLINE NAME(halfway_t) NAME(vm_logistic_begin)(real a) { /* t and t_lost */
    NAME(halfway_t) reduced = NAME(vm_exp_begin)(-a);
    NAME(exp_parts_t) parts = NAME(exp_parts)(reduced.main, reduced.rest);
    real scale = NAME(power_of_two)(parts.exponent + 64) * PICK(0x1p-64f, 0x1p-64); /* may be subnormal */
    int is_zero = a > PICK(104.0f, 746.0);
    return (NAME(halfway_t)){is_zero ? R(0.0) : parts.mantissa * scale, is_zero ? R(0.0) : parts.lost * scale};
}

CLOSS_INLINE NAME(vm_logistic_t) NAME(vm_logistic_end)(NAME(halfway_t) decay) {
    const real t = decay.main, t_lost = decay.rest, minus_half = R(-0.5) * t;
    NAME(vm_logistic_t) at;
    at.softplus =
        MADD(minus_half, t, t) + MADD(t * t, PICK(log1p_tail_f32, log1p_tail_f64)(t), MADD(minus_half, t_lost, t_lost));
    at.t = t;
    at.t_lost = t_lost;
    at.d = 1 + t;
    at.d_lost = (t - (at.d - 1)) + t_lost;
    at.q = 1 / at.d;
    at.q_lost = at.q * MADD(-at.q, at.d_lost, NAME(one_minus_product)(at.q, at.d));
    return at;
}

CLOSS_INLINE NAME(vm_logistic_t) NAME(vm_logistic)(real a) { return NAME(vm_logistic_end)(NAME(vm_logistic_begin)(a)); }

/* (n + n_lost) / (1 + t) for numbers of that structure, n_lost an ulp or less of n, rounded once. Of n = 1 that is the
 * logistic function of a, of n = t that of -a. */
CLOSS_INLINE real NAME(vm_logistic_of)(real n, real n_lost, NAME(vm_logistic_t) at) {
    return MADD(n, at.q, MADD(n, at.q_lost, n_lost * at.q));
}
