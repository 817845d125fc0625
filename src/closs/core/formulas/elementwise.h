/* The elementwise losses: value and slope (derivative with respect to pred) of one element, each written once.
 *
 * Compiled once a type, for the CPU's loops and for the GPU. Every function takes pred x, label y and the loss's
 * parameter (unused by those that have none) and is free of branches, so that loops over it vectorise; a function that
 * is asked for the value only costs the value only. Those that are HALVES in losses.def are two functions, _begin and
 * _end (vecmath.h tells why). Formulas know numbers: weights, reductions and the cotangent are applied by the drivers.
 *
 * NaN in x or y comes out as NaN: selects are written so that a comparison that NaN fails keeps it. Infinities give the
 * limit; where the plain formula would meet infinity times 0 or infinity minus infinity, a select takes the limit.
 */

typedef struct {
    real value, slope;
} NAME(closs_point);

CLOSS_INLINE NAME(closs_point) NAME(closs_point_of)(real value, real slope) {
    NAME(closs_point) point;
    point.value = value;
    point.slope = slope;
    return point;
}

/* l = |x - y|, slope sign(x - y), 0 at 0. */
CLOSS_INLINE NAME(closs_point) NAME(l1)(real x, real y, real unused) {
    (void)unused;
    real r = x - y;
    real sign = r < 0 ? R(-1.0) : r; /* falls through to r where r is 0 or NaN */
    return NAME(closs_point_of)(ABS(r), r > 0 ? R(1.0) : sign);
}

/* l = (x - y)^2 / 2, slope x - y. */
CLOSS_INLINE NAME(closs_point) NAME(l2)(real x, real y, real unused) {
    (void)unused;
    real r = x - y;
    return NAME(closs_point_of)((R(0.5) * r) * r, r);
}

/* With r = x - y: l = r^2 / (2 rho) where |r| <= rho, |r| - rho / 2 elsewhere; slope r / rho, and sign(r).
 *
 * Both branches are one expression: with c = r clipped to [-rho, rho] and slope = c / rho, l = slope (r - c / 2). What
 * the rounding of r loses enters the square twice; adding it back (slope * error) keeps l within 2 ulp for every rho:
 * without it 2.7 ulp were measured at rho = 0.7. P. J. Huber, Ann. Math. Statist. 35 (1964). */
CLOSS_INLINE NAME(closs_point) NAME(huber)(real x, real y, real rho) {
    NAME(two_sum_t) r = NAME(two_sum)(x, -y);
    real low = r.sum < -rho ? -rho : r.sum;
    real c = low > rho ? rho : low;
    real slope = c / rho;
    real error = ABS(r.sum) <= REAL_MAX ? r.error : R(0.0);
    return NAME(closs_point_of)(MADD(slope, r.sum - R(0.5) * c, slope * error), slope);
}

/* Binary cross-entropy of the logit x, s the logistic function: l = -w y log s(x) - (1 - y) log s(-x).
 *
 * With t = exp(-|x|) and L = log(1 + t), -log s(x) = L + max(-x, 0) and -log s(-x) = L + max(x, 0), so
 * l = (w y + 1 - y) L + |x| (1 - y if x > 0 else w y): nothing overflows, and for labels in [0, 1] nothing cancels.
 *
 * The slope (1 - y) s(x) - w y s(-x) is not written s(x) - y, which is off by 1e-3 (relative) in the tail. With (u, v)
 * = (1, t) for x > 0, else (t, 1), it is ((1 - y) u - w y v) / (1 + t); where w = 1 its numerator is u - y (1 + t), one
 * fused step. What the rounding of 1 - y lost, half an ulp of labels below 1/2, is carried on: without it soft labels
 * were 2.3 ulp off. */
CLOSS_INLINE NAME(halfway_t) NAME(sigmoid_bce_begin)(real x, real y) {
    (void)y;
    return NAME(vm_logistic_begin)(ABS(x));
}

CLOSS_INLINE NAME(closs_point) NAME(sigmoid_bce_end)(real x, real y, real pos_weight, NAME(halfway_t) halfway) {
    NAME(vm_logistic_t) at = NAME(vm_logistic_end)(halfway);
    const int fused = CLOSS_HAS_FMA && pos_weight == 1;
    real positive = pos_weight * y, negative = R(1.0) - y, negative_lost = (R(1.0) - negative) - y;
    real u = NAME(by_sign)(x, R(1.0), at.t), u_lost = NAME(by_sign)(x, R(0.0), at.t_lost);
    real v = NAME(by_sign)(x, at.t, R(1.0)), v_lost = NAME(by_sign)(x, at.t_lost, R(0.0));
    real n = fused ? MADD(-y, at.d, u) : MADD(-positive, v, negative * u);
    real n_lost =
        fused ? MADD(-y, at.d_lost, u_lost) : MADD(-positive, v_lost, MADD(negative, u_lost, negative_lost * u));

    real share = NAME(by_sign)(x, negative, positive), share_lost = NAME(by_sign)(x, negative_lost, R(0.0));
    real_bits size = TO_BITS(ABS(x)), most = TO_BITS(REAL_MAX);
    real finite = FROM_BITS(size < most ? size : most);
    real linear = share == 0 ? R(0.0) : MADD(share, ABS(x), share_lost * finite);
    real value = fused ? at.softplus + linear
                       : MADD(MADD(pos_weight, y, negative), at.softplus, MADD(negative_lost, at.softplus, linear));
    return NAME(closs_point_of)(value, NAME(vm_logistic_of)(n, n_lost, at));
}

/* a + b + rest for |rest| far below a + b, as a number and what is to be added to it, relative to it. The logarithm of
 * a sum near 1 magnifies the rounding of the sum: BCE of p = 1 - 2^-24 would be off by 1e-5, relative. */
typedef struct {
    real sum, rest;
} NAME(sum_t);

CLOSS_INLINE NAME(sum_t) NAME(sum_of)(real a, real b, real rest) {
    NAME(two_sum_t) s = NAME(two_sum)(a, b);
    return (NAME(sum_t)){s.sum, (s.error + rest) / s.sum};
}

/* Binary cross-entropy of the probability x: l = -w y log(x + e) - (1 - y) log(1 - x + e), e = 1e-12 (Gluon's).
 * A logarithm whose factor is 0 counts 0, finite or not. */
CLOSS_INLINE NAME(closs_point) NAME(bce)(real x, real y, real pos_weight) {
    const real e = R(1e-12);
    NAME(two_sum_t) one_minus_x = NAME(two_sum)(R(1.0), -x);
    NAME(sum_t) p = NAME(sum_of)(x, e, R(0.0)), q = NAME(sum_of)(one_minus_x.sum, e, one_minus_x.error);
    real positive = pos_weight * y, negative = R(1.0) - y, negative_lost = (R(1.0) - negative) - y;
    real log_p = positive == 0 ? R(0.0) : NAME(vm_log_corrected)(p.sum, p.rest);
    real log_q = negative == 0 ? R(0.0) : NAME(vm_log_corrected)(q.sum, q.rest);
    real value = -MADD(positive, log_p, MADD(negative, log_q, negative_lost * log_q));
    real slope_p = positive == 0 ? R(0.0) : positive / p.sum;
    real quotient = negative / q.sum, its_rest = negative_lost / negative - q.rest; /* relative to it */
    real slope_q = negative == 0 ? R(0.0) : MADD(quotient, its_rest, quotient);
    return NAME(closs_point_of)(x == x ? value : x, x == x ? slope_q - slope_p : x);
}

/* l = max(0, margin - x y), slope -y where that is positive, else 0. */
CLOSS_INLINE NAME(closs_point) NAME(hinge)(real x, real y, real margin) {
    real m = MADD(-x, y, margin);
    real slope = m > 0 ? -y : m; /* m where it is NaN */
    return NAME(closs_point_of)(m <= 0 ? R(0.0) : m, m <= 0 ? R(0.0) : slope);
}

/* The square of the hinge loss h: l = h^2, slope -2 h y. */
CLOSS_INLINE NAME(closs_point) NAME(squared_hinge)(real x, real y, real margin) {
    NAME(closs_point) h = NAME(hinge)(x, y, margin);
    return NAME(closs_point_of)(h.value * h.value, R(2.0) * h.value * h.slope);
}

/* l = log(1 + exp(-z)) with z = x y, slope -y s(-z), s the logistic function; log(1 + exp(-|z|)) + max(-z, 0) does not
 * overflow. Within 2 ulp for y = -1 or 1, where the product is exact. */
CLOSS_INLINE NAME(halfway_t) NAME(logistic_begin)(real x, real y) { return NAME(vm_logistic_begin)(ABS(x * y)); }

CLOSS_INLINE NAME(closs_point) NAME(logistic_end)(real x, real y, real unused, NAME(halfway_t) halfway) {
    (void)unused;
    real z = x * y;
    NAME(vm_logistic_t) at = NAME(vm_logistic_end)(halfway);
    real n = NAME(by_sign)(z, at.t, R(1.0)), n_lost = NAME(by_sign)(z, at.t_lost, R(0.0));
    return NAME(closs_point_of)(at.softplus + NAME(by_sign)(z, R(0.0), -z), -y * NAME(vm_logistic_of)(n, n_lost, at));
}

/* The same for labels 0 and 1, which it maps to -1 and 1. */
CLOSS_INLINE real NAME(signed_label)(real y) { return MADD(R(2.0), y, R(-1.0)); }

CLOSS_INLINE NAME(halfway_t) NAME(logistic_binary_begin)(real x, real y) {
    return NAME(logistic_begin)(x, NAME(signed_label)(y));
}

CLOSS_INLINE NAME(closs_point) NAME(logistic_binary_end)(real x, real y, real unused, NAME(halfway_t) halfway) {
    return NAME(logistic_end)(x, NAME(signed_label)(y), unused, halfway);
}

/* Poisson regression with the logarithm x of the rate: l = exp(x) - y x, slope exp(x) - y. The limits: exp(x) where
 * y = 0 (also at x = -inf), infinity where exp(x) is infinite; but NaN labels stay. */
CLOSS_INLINE NAME(halfway_t) NAME(poisson_nll_begin)(real x, real y) {
    (void)y;
    return NAME(vm_exp_begin)(x);
}

CLOSS_INLINE NAME(closs_point) NAME(poisson_nll_end)(real x, real y, real unused, NAME(halfway_t) halfway) {
    (void)unused;
    real rate = NAME(vm_exp_end)(x, halfway);
    int has_product = ((y != 0) & (rate <= REAL_MAX)) | (y != y);
    return NAME(closs_point_of)(has_product ? MADD(-y, x, rate) : rate, rate - y);
}

/* Poisson regression with the rate x: l = x - y log(x + epsilon), slope 1 - y / (x + epsilon); y = 0 counts x alone. */
CLOSS_INLINE NAME(closs_point) NAME(poisson_rate_nll)(real x, real y, real epsilon) {
    NAME(sum_t) rate = NAME(sum_of)(x, epsilon, R(0.0));
    NAME(log_parts_t) log_rate = NAME(vm_log_parts)(rate.sum, rate.rest);
    real limit = y == y ? x : y;
    real value = x > REAL_MAX ? limit : MADD(-y, log_rate.head, MADD(-y, log_rate.tail, x));
    real slope = y == 0 ? R(1.0) : R(1.0) - y / rate.sum;
    return NAME(closs_point_of)(y == 0 ? x : value, x == x ? slope : x);
}

/* Stirling's approximation of log(y!) where y > 1, else 0: y log(y) - y + log(2 pi y) / 2. */
CLOSS_INLINE real NAME(stirling)(real y) {
    const real half_log_2_pi = R(0.91893853320467274178);
    NAME(log_parts_t) log_y = NAME(vm_log_parts)(y, 0);
    real less_y = MADD(R(0.5), log_y.head + log_y.tail, half_log_2_pi) - y;
    real approximation = MADD(y, log_y.head, MADD(y, log_y.tail, less_y));
    real limited = y > REAL_MAX ? y : approximation;
    return y > 1 ? limited : R(0.0);
}

/* A Poisson loss with that term. It does not depend on pred, so the slope stays; it outgrows y x where y is infinite.
 */
CLOSS_INLINE NAME(closs_point) NAME(with_stirling)(NAME(closs_point) at, real y) {
    real term = NAME(stirling)(y);
    int outgrows = (at.value < -REAL_MAX) & (term > REAL_MAX);
    return NAME(closs_point_of)(outgrows ? term : at.value + term, at.slope);
}

CLOSS_INLINE NAME(closs_point) NAME(poisson_nll_full)(real x, real y, real unused) {
    return NAME(with_stirling)(NAME(poisson_nll_end)(x, y, unused, NAME(poisson_nll_begin)(x, y)), y);
}

CLOSS_INLINE NAME(closs_point) NAME(poisson_rate_nll_full)(real x, real y, real epsilon) {
    return NAME(with_stirling)(NAME(poisson_rate_nll)(x, y, epsilon), y);
}

/* A term of the Kullback-Leibler divergence of y from exp(x): l = y (log y - x), slope -y; 0 and 0 where y = 0, also at
 * x = -infinity. The logarithm of a subnormal label is exact enough for 2 ulp of the larger term. */
CLOSS_INLINE NAME(closs_point) NAME(kl_div)(real x, real y, real unused) {
    (void)unused;
    NAME(log_parts_t) difference = NAME(vm_log_less)(y, x);
    real value = y == 0 ? R(0.0) : MADD(y, difference.head, y * difference.tail);
    return NAME(closs_point_of)(x == x ? value : x, x == x ? -y : x);
}
