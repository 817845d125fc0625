/* The errors of vecmath.h in ulp: `ulp [stride]` prints a table and fails if one exceeds its bound, or if an
 * exceptional input does not give exactly what it should.
 *
 * Float functions run over every stride-th of all 2^32 bit patterns (1: all of them; default 997), double functions
 * over pseudo-random arguments: all bit patterns, moderate numbers, and the neighbourhoods of the places where the
 * algorithms change course. The reference is the C library's long double (double for floats, which is exact enough).
 * An ulp is the spacing of the type at the exact result, that of the subnormals below the normal range.
 */
#include <stdio.h>
#include <stdlib.h>

#include "running_sum.h"
#include "portable.h"

#define CLOSS_REAL 32
#include "real.h"
#include "vecmath.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "real.h"
#include "vecmath.h"
#undef CLOSS_REAL

static float softplus_f32(float a) { return vm_logistic_f32(a).softplus; }
static float upper_f32(float a) { return vm_logistic_of_f32(1, 0, vm_logistic_f32(a)); }
static float lower_f32(float a) {
    vm_logistic_t_f32 at = vm_logistic_f32(a);
    return vm_logistic_of_f32(at.t, at.t_lost, at);
}
static float exp_f32(float x) { return vm_exp_f32(x); }
static float log_f32(float x) { return vm_log_f32(x); }
static double softplus_f64(double a) { return vm_logistic_f64(a).softplus; }
static double upper_f64(double a) { return vm_logistic_of_f64(1, 0, vm_logistic_f64(a)); }
static double lower_f64(double a) {
    vm_logistic_t_f64 at = vm_logistic_f64(a);
    return vm_logistic_of_f64(at.t, at.t_lost, at);
}
static double exp_f64(double x) { return vm_exp_f64(x); }
static double log_f64(double x) { return vm_log_f64(x); }

static double double_softplus(double a) { return log1p(exp(-a)); }
static double double_upper(double a) { return 1 / (1 + exp(-a)); }
static double double_lower(double a) { return exp(-a) / (1 + exp(-a)); }
static long double exact_softplus(long double a) { return log1pl(expl(-a)); }
static long double exact_upper(long double a) { return 1 / (1 + expl(-a)); }
static long double exact_lower(long double a) { return expl(-a) / (1 + expl(-a)); }

enum { EXP, LOG, SOFTPLUS, UPPER, LOWER, FUNCTIONS };

static const struct {
    const char *name;
    float (*f32)(float);
    double (*f64)(double);
    double (*exact_f32)(double);
    long double (*exact_f64)(long double);
    int only_nonnegative;
    double bound;
} functions[FUNCTIONS] = {
    {"exp", exp_f32, exp_f64, exp, expl, 0, CLOSS_ULP_EXP},
    {"log", log_f32, log_f64, log, logl, 0, CLOSS_ULP_LOG},
    {"softplus", softplus_f32, softplus_f64, double_softplus, exact_softplus, 1, CLOSS_ULP_SOFTPLUS},
    {"upper", upper_f32, upper_f64, double_upper, exact_upper, 1, CLOSS_ULP_UPPER},
    {"lower", lower_f32, lower_f64, double_lower, exact_lower, 1, CLOSS_ULP_LOWER},
};

/* What must come out exactly, in both types. 1e-40 is a subnormal float. */
static const struct {
    int function;
    double x, expected;
} exceptional[] = {
    {EXP, 0, 1},
    {EXP, -0.0, 1},
    {EXP, INFINITY, INFINITY},
    {EXP, -INFINITY, 0},
    {EXP, 1e4, INFINITY},
    {EXP, 3e38, INFINITY},
    {EXP, -1e4, 0},
    {EXP, -3e38, 0},
    {EXP, NAN, NAN},
    {LOG, 1, 0},
    {LOG, 0, -INFINITY},
    {LOG, -0.0, -INFINITY},
    {LOG, INFINITY, INFINITY},
    {LOG, -1e-40, NAN},
    {LOG, -1, NAN},
    {LOG, -INFINITY, NAN},
    {LOG, NAN, NAN},
    {SOFTPLUS, 1e4, 0},
    {SOFTPLUS, 3e38, 0},
    {SOFTPLUS, INFINITY, 0},
    {SOFTPLUS, NAN, NAN},
    {UPPER, 0, 0.5},
    {UPPER, 3e38, 1},
    {UPPER, INFINITY, 1},
    {UPPER, NAN, NAN},
    {LOWER, 0, 0.5},
    {LOWER, 1e4, 0},
    {LOWER, 3e38, 0},
    {LOWER, INFINITY, 0},
    {LOWER, NAN, NAN},
};

static int is_exactly(double got, double expected) {
    if (isnan(expected)) return isnan(got);
    return got == expected && !signbit(got) == !signbit(expected);
}

static int exceptional_failures(void) {
    int failures = 0;
    for (size_t k = 0; k < sizeof exceptional / sizeof *exceptional; k++) {
        int function = exceptional[k].function;
        double x = exceptional[k].x, expected = exceptional[k].expected;
        double f32 = functions[function].f32((float)x), f64 = functions[function].f64(x);
        if (is_exactly(f32, expected) && is_exactly(f64, expected)) continue;
        printf("%s(%g) = %g (float), %g (double), and not %g\n", functions[function].name, x, f32, f64, expected);
        failures++;
    }
    return failures;
}

/* |got - exact| in spacings of a type with that many mantissa bits and that least exponent. Infinity is right where the
 * exact result rounds to it; so is NaN where it is NaN. */
static double ulps(double got, long double exact, int mantissa, int least, double largest) {
    if (isnan(got) || isnan(exact)) return isnan(got) && isnan(exact) ? 0 : INFINITY;
    if (isinf(got)) {
        int rounds_to_infinity = fabsl(exact) >= (long double)largest * (1 + ldexpl(1, -mantissa - 1));
        return rounds_to_infinity && (got > 0) == (exact > 0) ? 0 : INFINITY;
    }
    if (isinf(exact)) return INFINITY;
    int exponent;
    frexpl(exact, &exponent);
    if (exact == 0 || exponent < least) exponent = least;
    return (double)(fabsl(got - exact) / ldexpl(1, exponent - mantissa));
}

/* The i-th number of splitmix64 (S. Vigna, public domain). */
static uint64_t random_bits(uint64_t i) {
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The i-th argument of the double functions: of any size, up to 1024, or e (1 + d) for an edge e and |d| from an ulp
 * to 1. The edges: where exp under- and overflows, where its n changes, where softplus and log change interval. */
static double argument(uint64_t i) {
    static const double edges[] = {-745.1332191019412,
                                   -708.3964185322641,
                                   709.782712893384,
                                   0.34657359027997264,
                                   1.0397207708399179,
                                   0.6931471805599453,
                                   1,
                                   0.7071067811865476,
                                   2.2250738585072014e-308};
    uint64_t bits = random_bits(i);
    double signed_unit = ldexp((double)(int64_t)random_bits(~i), -63);
    switch (i % 3) {
    case 0: return closs_double_from_bits(bits);
    case 1: return ldexp(signed_unit, (int)(bits % 11));
    default: return edges[bits % (sizeof edges / sizeof *edges)] * (1 + ldexp(signed_unit, -(int)((bits >> 32) % 53)));
    }
}

typedef struct {
    double ulp, at;
    long long points;
} worst_case;

static void note(worst_case *worst, double error, double at) {
    if (!(error <= worst->ulp)) worst->ulp = error, worst->at = at;
    worst->points++;
}

static void merge(worst_case *worst, const worst_case *other) {
    if (!(other->ulp <= worst->ulp)) worst->ulp = other->ulp, worst->at = other->at;
    worst->points += other->points;
}

enum { PARTS = 64 };

/* One of PARTS shares of all floats. */
static worst_case float_part(int function, int part, long long stride) {
    worst_case worst = {0, 0, 0};
    long long share = (1LL << 32) / PARTS, end = (part + 1) * share;
    long long first = (part * share + stride - 1) / stride * stride;
    for (long long bits = first; bits < end; bits += stride) {
        float x = closs_float_from_bits((uint32_t)bits);
        if (functions[function].only_nonnegative && x < 0) continue;
        note(&worst, ulps(functions[function].f32(x), functions[function].exact_f32(x), 24, -125, FLT_MAX), x);
    }
    return worst;
}

/* One of PARTS shares of three million doubles. */
static worst_case double_part(int function, int part) {
    worst_case worst = {0, 0, 0};
    const uint64_t share = 3000000 / PARTS;
    for (uint64_t i = part * share; i < (part + 1) * share; i++) {
        double x = argument(i);
        if (functions[function].only_nonnegative && x < 0) x = -x;
        note(&worst, ulps(functions[function].f64(x), functions[function].exact_f64(x), 53, -1021, DBL_MAX), x);
    }
    return worst;
}

/* Measures one function in one type and prints its row; 1 if it exceeds its bound. */
static int exceeds(int function, int is_float, long long stride) {
    worst_case worst = {0, 0, 0};
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic)
#endif
    for (int part = 0; part < PARTS; part++) {
        worst_case of_part = is_float ? float_part(function, part, stride) : double_part(function, part);
#ifdef _OPENMP
#pragma omp critical
#endif
        merge(&worst, &of_part);
    }
    double bound = functions[function].bound;
    printf("%-9s %-7s %11lld %8.3f %25.17g %6.2f\n", functions[function].name, is_float ? "float" : "double",
           worst.points, worst.ulp, worst.at, bound);
    return !(worst.ulp <= bound);
}

int main(int argc, char **argv) {
    long long stride = argc > 1 ? atoll(argv[1]) : 997;
    if (stride < 1) {
        fputs("usage: ulp [stride], 1 for all floats\n", stderr);
        return 2;
    }
    int failures = exceptional_failures();
    if (failures) puts("FAILED: exceptional inputs");
    printf("%-9s %-7s %11s %8s %25s %6s  (%s FMA)\n", "function", "type", "points", "ulp", "at", "bound",
           CLOSS_HAS_FMA ? "with" : "without");
    for (int function = 0; function < FUNCTIONS; function++) {
        failures += exceeds(function, 1, stride);
        if (LDBL_MANT_DIG > DBL_MANT_DIG + 8) failures += exceeds(function, 0, stride);
    }
    if (LDBL_MANT_DIG <= DBL_MANT_DIG + 8) puts("long double is no wider than double here: doubles were not measured");
    puts(failures ? "FAILED" : "all within bounds, exceptional inputs exact");
    return failures != 0;
}
