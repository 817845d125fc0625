/* The losses over classes: value and slope of a row of logits, or of one of its elements (compiled once a type).
 *
 * With m the largest of the logits x, S = sum of exp(x_c - m), L = log(S), the logarithm of the softmax is x_c - m - L.
 * Every loss here has targets q_c (the label's one-hot row, smoothed, weighted; or a distribution) and is
 *
 *     l = sum of q_c (m - x_c + L) + z (m + L)^2 [+ sum of q_c log(y_c)]
 *     dl/dx_c = (Q + 2 z (m + L)) exp(x_c - m) / S - q_c,  Q = sum of q_c
 *
 * m - x_c and L are not negative: for targets that are not negative nothing cancels, and l is not negative either.
 * L is log(1 + others), where `others` leaves one of the largest logits out, so that a row that is sure of its class
 * has a loss down to 1e-38 and not 0 or 6e-8. A target of 0 counts 0, where the logit is -infinity too.
 *
 * exp(x_c - m) is vm_exp_from of vecmath.h; in long rows of one target up to a factor, taken off after the sums.
 */

/* q_c, for a label y in a distribution: kept and a uniform part added (label smoothing), weighted. */
CLOSS_INLINE real NAME(softmax_target)(real y, real weight, real keep, real uniform) {
    real target = MADD(keep, y, uniform);
    return weight == 0 ? R(0.0) : weight * target;
}

/* q_c (m - x_c). */
CLOSS_INLINE real NAME(softmax_term)(real q, real x, real m) { return q == 0 ? R(0.0) : q * (m - x); }

/* q_c (m - x_c) + q_c log(y_c), for the divergence. */
CLOSS_INLINE real NAME(divergence_term)(real q, real x, real m, real y) {
    return q == 0 ? R(0.0) : q * ((m - x) + NAME(vm_log)(y));
}

/* What the sums over a row give. Numbers of a row are double for float logits too: there are few of them. */
typedef struct {
    double log_sum; /* L */
    double lse;     /* m + L */
    double value;
    double factor; /* of e_c in the slope */
} NAME(softmax_row);

/* L for others = S - 1: the logarithm of S rounded to a real, and of what that leaves (see vm_log_corrected). */
CLOSS_INLINE double NAME(softmax_log_sum)(double others) {
    two_sum_t_f64 sum = two_sum_f64(1.0, others);
    real rounded = (real)sum.sum;
    return NAME(vm_log_corrected)(rounded, (real)(((sum.sum - rounded) + sum.error) / sum.sum));
}

/* terms: sum of q_c (m - x_c), targets: Q, slopes: Q as the slope has it (with the cotangent of each element, if there
 * is one). */
CLOSS_INLINE NAME(softmax_row)
    NAME(softmax_of_row)(double m, double others, double terms, double targets, double slopes, double z) {
    NAME(softmax_row) row;
    row.log_sum = NAME(softmax_log_sum)(others);
    row.lse = m + row.log_sum;
    row.value = targets == 0 ? terms : terms + targets * row.log_sum;
    row.factor = (slopes + 2 * z * row.lse) / (1 + others);
    row.value += z == 0 ? 0 : z * row.lse * row.lse;
    return row;
}

/* The slope of a target that is the only one: factor e - target, e being exp(x_c - m) of its class, but nothing cancels
 * where a row is sure of it (e = 1, and the others are small). */
CLOSS_INLINE double NAME(softmax_own_slope)(double target, double e, double others, double lse, double z) {
    return ((z == 0 ? 0 : 2 * z * lse * e) - target * (others + (1 - e))) / (1 + others);
}
