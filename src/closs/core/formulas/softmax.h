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

/* What the sums over a row give (see double_double.h). */
typedef struct {
    closs_sum log_sum; /* L */
    closs_sum lse;     /* m + L */
    closs_sum value;
    closs_sum inverse; /* 1 / S */
    closs_sum of_z;    /* the slope of the z-loss with respect to lse; 0 without one */
    closs_sum factor;  /* of e_c in the slope */
} NAME(softmax_row);

/* L: the logarithm of S rounded to a real, and of what that leaves (see vm_log_corrected). */
CLOSS_INLINE closs_sum NAME(softmax_log_sum)(closs_sum sum, closs_sum inverse) {
    const real rounded = (real)sum.hi;
    const double rest = (sum.hi - (double)rounded) + sum.lo;
    NAME(log_parts_t) log = NAME(vm_log_parts)(rounded, (real)(rest * inverse.hi));
    NAME(two_sum_t) exact = NAME(two_sum)(log.head, log.tail);
    return (closs_sum){exact.sum, IS_PLAIN ? 0 : exact.error};
}

/* others: S - 1, terms: sum of q_c (m - x_c), targets: Q, slopes: Q as the slope has it (with the cotangent of each
 * element, if there is one). */
CLOSS_INLINE NAME(softmax_row)
    NAME(softmax_of_row)(double m, closs_sum others, closs_sum terms, closs_sum targets, closs_sum slopes, double z) {
    NAME(softmax_row) row;
    const two_sum_t_f64 exact = two_sum_f64(1, others.hi); /* for float, too: others may be 1e-38 */
    const closs_sum sum = {exact.sum, exact.error + others.lo};
    row.inverse = NAME(dd_inverse)(sum);
    row.log_sum = NAME(softmax_log_sum)(sum, row.inverse);
    row.lse = NAME(dd_add)(NAME(dd)(m), row.log_sum);
    const closs_sum zero = NAME(dd)(0), of_targets = NAME(dd_multiply)(targets, row.log_sum);
    const closs_sum half = NAME(dd_multiply)(NAME(dd)(z), row.lse), square = NAME(dd_multiply)(half, row.lse);
    const closs_sum twice = NAME(dd_add)(half, half), slope = NAME(dd_add)(slopes, twice);
    const closs_sum value = NAME(dd_add)(terms, targets.hi == 0 ? zero : of_targets);
    const closs_sum value_with_z = NAME(dd_add)(value, square);
    row.value = z == 0 ? value : value_with_z;
    row.of_z = z == 0 ? zero : twice;
    row.factor = NAME(dd_multiply)(z == 0 ? slopes : slope, row.inverse);
    return row;
}

/* The slope of a target that is the only one: factor e - target, e being exp(x_c - m) of its class, but nothing cancels
 * where a row is sure of it (e = 1, and the others are small). */
CLOSS_INLINE closs_sum NAME(softmax_own_slope)(NAME(softmax_row) row, double target, closs_sum e, closs_sum others) {
    const closs_sum rest = NAME(dd_add)(others, NAME(dd_add)(NAME(dd)(1), NAME(dd_negative)(e)));
    const closs_sum of_target = NAME(dd_multiply)(NAME(dd)(-target), rest);
    return NAME(dd_multiply)(NAME(dd_add)(of_target, NAME(dd_multiply)(row.of_z, e)), row.inverse);
}
