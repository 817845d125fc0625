/* Connectionist temporal classification: the steps of its recursion (compiled once a type, see real.h).
 *
 * Source: Graves, Fernandez, Gomez, Schmidhuber: Connectionist Temporal Classification, ICML 2006, section 4.1.
 *
 * A path gives each frame t = 0 .. T-1 a class. It spells a label sequence l_0 .. l_{S-1} if that is what remains when
 * repetitions are merged and blanks are removed. The paths that spell it are the walks through the states
 *
 *     b_0 l_0 b_1 l_1 ... l_{S-1} b_S
 *
 * that begin in b_0 or l_0, end in l_{S-1} or b_S, and in each frame stay, go one state on, or go from l_{i-1} to l_i
 * past the blank, which is allowed if these two labels differ. With y the emission of a state's class in frame t:
 *
 *     alpha(b_i, t) = y (alpha(b_i, t-1) + alpha(l_{i-1}, t-1))
 *     alpha(l_i, t) = y (alpha(l_i, t-1) + alpha(b_i, t-1) + [l_i != l_{i-1}] alpha(l_{i-1}, t-1))
 *
 * starting from a frame -1 in which b_0 is 1 and all else is 0. The same walks backwards, with
 * omega(s, t) = y(s, t) beta(s, t), beta being the sum over all ways to go on after t:
 *
 *     beta(b_i, t) = omega(b_i, t+1) + omega(l_i, t+1)
 *     beta(l_i, t) = omega(l_i, t+1) + omega(b_{i+1}, t+1) + [l_i != l_{i+1}] omega(l_{i+1}, t+1)
 *
 * starting from a frame T in which b_S is 1. Then p = alpha(b_S, T-1) + alpha(l_{S-1}, T-1); in every frame
 * sum_s alpha(s, t) beta(s, t) = p, and gamma(s, t) = alpha beta / p is the probability of being in s. The loss is
 * -log p, its derivative with respect to log y(k, t) is -sum of gamma(s, t) over the states s of class k, and with
 * respect to logits softmax(k, t) minus that sum.
 *
 * alpha and omega span thousands of orders of magnitude, within a frame too. Each is a mantissa of type real and an
 * integer exponent, so that a step has neither exp nor log in it, loses nothing to underflow, and vectorises. Blanks
 * and labels are two arrays, with neighbours at i - 1, i, i + 1: there is no gather.
 */

/* mantissa 2^exponent. Mantissas stay far inside the range of real although they are normalised every few frames only:
 * a step multiplies them by at most 3 sqrt(2) and at least 1 / sqrt(2). */
typedef struct {
    real mantissa;
    real_int exponent;
} NAME(wide_t);

/* Exponent of zero: below every exponent that a product of emissions can have (set_sample in cpu/ctc_lattice.h bounds
 * them) by more than WIDE_FAR; two of them can be added. */
#undef WIDE_ZERO
#undef WIDE_FAR
#define WIDE_ZERO (-3 * ((real_int)1 << PICK(28, 60)))
#define WIDE_FAR PICK(100, 900) /* a term 2^-WIDE_FAR below another one is lost in it, and is no subnormal */

CLOSS_INLINE real_int NAME(wide_larger)(real_int a, real_int b) { return a > b ? a : b; }

/* x as a multiple of 2^exponent, for an exponent not below x's; 0 where x is far below. */
CLOSS_INLINE real NAME(wide_aligned)(NAME(wide_t) x, real_int exponent) {
    real_int distance = x.exponent - exponent;
    real aligned = x.mantissa * NAME(power_of_two)((real_bits)distance); /* anything, where it is far */
    return distance < -WIDE_FAR ? 0 : aligned;
}

CLOSS_INLINE NAME(wide_t) NAME(wide_sum)(NAME(wide_t) a, NAME(wide_t) b) {
    real_int exponent = NAME(wide_larger)(a.exponent, b.exponent);
    real mantissa = NAME(wide_aligned)(a, exponent) + NAME(wide_aligned)(b, exponent);
    return (NAME(wide_t)){mantissa, exponent};
}

CLOSS_INLINE NAME(wide_t) NAME(wide_sum_of_three)(NAME(wide_t) a, NAME(wide_t) b, NAME(wide_t) c) {
    real_int exponent = NAME(wide_larger)(NAME(wide_larger)(a.exponent, b.exponent), c.exponent);
    real mantissa = NAME(wide_aligned)(a, exponent) + NAME(wide_aligned)(b, exponent) + NAME(wide_aligned)(c, exponent);
    return (NAME(wide_t)){mantissa, exponent};
}

CLOSS_INLINE NAME(wide_t) NAME(wide_product)(NAME(wide_t) a, NAME(wide_t) b) {
    return (NAME(wide_t)){a.mantissa * b.mantissa, NAME(wide_larger)(a.exponent + b.exponent, WIDE_ZERO)};
}

/* x where it is allowed, else zero. */
CLOSS_INLINE NAME(wide_t) NAME(wide_where)(real_int allowed, NAME(wide_t) x) {
    return (NAME(wide_t)){allowed ? x.mantissa : 0, allowed ? x.exponent : WIDE_ZERO};
}

/* The same number with a mantissa in [1, 2); zero stays zero. */
CLOSS_INLINE NAME(wide_t) NAME(wide_normalised)(NAME(wide_t) x) {
    const int bits = PICK(23, 52);
    const real_bits mantissa_bits = ((real_bits)1 << bits) - 1, one = TO_BITS(R(1.0));
    real_bits word = TO_BITS(x.mantissa);
    int is_zero = x.mantissa == 0;
    real_int exponent = x.exponent + (real_int)(word >> bits) - PICK(127, 1023);
    return (NAME(wide_t)){is_zero ? 0 : FROM_BITS((word & mantissa_bits) | one), is_zero ? WIDE_ZERO : exponent};
}

/* The logarithm of 2^lowest. */
CLOSS_INLINE real NAME(wide_floor)(real_int lowest) {
    return (real)lowest * PICK(0x1.62e430p-1f, 0x1.62e42fefa39efp-1);
}

/* exp(x - top) for x <= top, wide, and within a unit or two in the last place of the mantissa, whatever x - top is.
 * Below the exponent `lowest` it stays at about 2^lowest; it is 0 at x = -infinity. |lowest| is at most 2^20 (float) or
 * 2^40 (double), so that the exponent fits beside the 1.5 that exp_shifted adds. */
CLOSS_INLINE NAME(wide_t) NAME(wide_exp)(real x, real top, real_int lowest) {
    NAME(two_sum_t) difference = NAME(two_sum)(x, -top);
    real floor = NAME(wide_floor)(lowest);
    int is_deep = difference.sum < floor;
    real d = is_deep ? floor : difference.sum;
    real lost = is_deep ? 0 : difference.error;

    real shifted = NAME(exp_shifted)(d, EXP_SHIFT);
#if CLOSS_HAS_FMA
    real r = NAME(exp_reduced)(d, shifted, EXP_SHIFT);
#else /* in two products that are exact for large n too */
    const real coarse = PICK(0x1.8p32f, 0x1.8p67);
    real n = shifted - EXP_SHIFT, n_high = (n + coarse) - coarse;
    real r = ((d - n_high * LOG2_HI) - (n - n_high) * LOG2_HI) - n * LOG2_LO;
#endif
    real e = 1 + MADD(r * r, PICK(exp_tail_f32, exp_tail_f64)(r, 1), r);
    NAME(wide_t) result = {MADD(e, lost, e), (real_int)(TO_BITS(shifted) - TO_BITS(PICK(0x1.8p23f, 0x1.8p52)))};
    return NAME(wide_where)(x > -INFINITY, result);
}
