/* The loops over one chunk of an elementwise loss (compiled once a type and instruction set, see kernels_body.h).
 *
 * A loop takes its formula as a compile-time constant: real functions with short error messages and breakpoints, and
 * the same code as a macro body. Values always go to memory, to an L1-sized buffer when only their sum is wanted: so
 * one loop serves every reduction, and value bits cannot depend on it.
 */

typedef NAME(halfway_t) NAME(beginning)(real x, real y);
typedef NAME(closs_point) NAME(ending)(real x, real y, real parameter, NAME(halfway_t) halfway);

/* Numbers between the two halves of a formula: four vectors, which stay in registers (BCE took 3 % longer otherwise,
 * the Poisson loss 7 %), or little of L1. */
enum { NAME(HALFWAY) = (CLOSS_ROOMY_REGISTERS ? 256 : 512) / sizeof(real) };

CLOSS_INLINE void NAME(begin_loop)(NAME(beginning) * begin, int64_t n, const real *pred, const real *label, real *main,
                                   real *rest) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        NAME(halfway_t) halfway = begin(pred[i], label[i]);
        main[i] = halfway.main;
        rest[i] = halfway.rest;
    }
}

/* value[i], and grad[i] if it is wanted, of HALFWAY elements at most, or of any number for a formula that is whole. */
CLOSS_INLINE void NAME(formula_block)(NAME(beginning) * begin, NAME(ending) * end, int varying, int want_grad,
                                      real uniform, int64_t n, const real *pred, const real *label,
                                      const real *parameter, real scale, real *value, real *grad) {
    real main[NAME(HALFWAY)], rest[NAME(HALFWAY)];
    if (begin) NAME(begin_loop)(begin, n, pred, label, main, rest);
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        NAME(halfway_t) halfway = {begin ? main[i] : 0, begin ? rest[i] : 0};
        NAME(closs_point) at = end(pred[i], label[i], varying ? parameter[i] : uniform, halfway);
        value[i] = at.value;
        if (want_grad) grad[i] = scale * at.slope;
    }
}

/* The same for any number of elements. */
CLOSS_INLINE void NAME(formula_loop)(NAME(beginning) * begin, NAME(ending) * end, int varying, int want_grad,
                                     real uniform, int64_t n, const real *pred, const real *label,
                                     const real *parameter, real scale, real *value, real *grad) {
    int64_t i = 0;
    for (; begin && i + NAME(HALFWAY) <= n; i += NAME(HALFWAY)) /* a constant number, so that it is unrolled */
        NAME(formula_block)(begin, end, varying, want_grad, uniform, NAME(HALFWAY), pred + i, label + i,
                            varying ? parameter + i : NULL, scale, value + i, want_grad ? grad + i : NULL);
    NAME(formula_block)(begin, end, varying, want_grad, uniform, n - i, pred + i, label + i,
                        varying ? parameter + i : NULL, scale, value + i, want_grad ? grad + i : NULL);
}

/* A formula that is whole, as an end without a beginning. */
#define WHOLE(name)                                                                                           \
    CLOSS_INLINE NAME(closs_point) NAME(name##_whole)(real x, real y, real parameter, NAME(halfway_t) none) { \
        (void)none;                                                                                           \
        return NAME(name)(x, y, parameter);                                                                   \
    }
#define HALVES(name)
#define ELEMENTWISE(name, steps) steps(name)
#include "../losses.def"
#undef WHOLE
#undef HALVES

/* A varying parameter that is absent is 1, which the compiler knows: BCE takes 8 % less time than with an array of
 * ones, for the same bits. */
#define WHOLE(name) NULL, NAME(name##_whole)
#define HALVES(name) NAME(name##_begin), NAME(name##_end)
#define KERNELS(name, varying, absent, halves)                                                                 \
    static void NAME(name##_value)(int64_t n, const real *pred, const real *label, const real *parameter,      \
                                   real *value) {                                                              \
        if (parameter)                                                                                         \
            NAME(formula_loop)(halves, varying, 0, *parameter, n, pred, label, parameter, 0, value, NULL);     \
        else                                                                                                   \
            NAME(formula_loop)(halves, 0, 0, R(absent), n, pred, label, parameter, 0, value, NULL);            \
    }                                                                                                          \
    static void NAME(name##_gradient)(int64_t n, const real *pred, const real *label, const real *parameter,   \
                                      real scale, real *value, real *grad) {                                   \
        if (parameter)                                                                                         \
            NAME(formula_loop)(halves, varying, 1, *parameter, n, pred, label, parameter, scale, value, grad); \
        else                                                                                                   \
            NAME(formula_loop)(halves, 0, 1, R(absent), n, pred, label, parameter, scale, value, grad);        \
    }
#define ELEMENTWISE_VARYING(name, parameter, grain, steps) KERNELS(name, 1, 1.0, steps(name))
#define ELEMENTWISE(name, steps) KERNELS(name, 0, 0.0, steps(name))
#include "../losses.def"
#undef KERNELS
#undef WHOLE
#undef HALVES

static void NAME(multiply)(int64_t n, const real *weight, real *x) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) x[i] = weight[i] == 0 ? 0 : x[i] * weight[i];
}
