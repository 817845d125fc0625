/* The loops over one chunk of an elementwise loss (compiled once a type and instruction set, see kernels_body.h).
 *
 * A loop takes its formula as a compile-time constant: real functions with short error messages and breakpoints, and
 * the same code as a macro body. Values always go to memory, to an L1-sized buffer when only their sum is wanted: so
 * one loop serves every reduction, and value bits cannot depend on it.
 */

typedef NAME(closs_point) NAME(formula)(real x, real y, real parameter);

CLOSS_INLINE void NAME(value_loop)(NAME(formula) * formula, int varying, int64_t n, const real *pred, const real *label,
                                   const real *parameter, real *value) {
    const real uniform = varying || !parameter ? 0 : *parameter;
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) value[i] = formula(pred[i], label[i], varying ? parameter[i] : uniform).value;
}

CLOSS_INLINE void NAME(gradient_loop)(NAME(formula) * formula, int varying, int64_t n, const real *pred,
                                      const real *label, const real *parameter, real scale, real *value, real *grad) {
    const real uniform = varying || !parameter ? 0 : *parameter;
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        NAME(closs_point) at = formula(pred[i], label[i], varying ? parameter[i] : uniform);
        value[i] = at.value;
        grad[i] = scale * at.slope;
    }
}

#define KERNELS(name, varying)                                                                               \
    static void NAME(name##_value)(int64_t n, const real *pred, const real *label, const real *parameter,    \
                                   real *value) {                                                            \
        NAME(value_loop)(NAME(name), varying, n, pred, label, parameter, value);                             \
    }                                                                                                        \
    static void NAME(name##_gradient)(int64_t n, const real *pred, const real *label, const real *parameter, \
                                      real scale, real *value, real *grad) {                                 \
        NAME(gradient_loop)(NAME(name), varying, n, pred, label, parameter, scale, value, grad);             \
    }
#define ELEMENTWISE_VARYING(name, parameter, grain) KERNELS(name, 1)
#define ELEMENTWISE(name) KERNELS(name, 0)
#include "../losses.def"
#undef KERNELS

static void NAME(multiply)(int64_t n, const real *weight, real *x) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) x[i] = weight[i] == 0 ? 0 : x[i] * weight[i];
}
