/* The errors of vecmath.h in ulp: `ulp [stride]` prints a table and fails if one exceeds its bound.
 *
 * Float functions run over every stride-th of all 2^32 bit patterns (1: all of them; default 997), double functions
 * over pseudo-random arguments. The reference is the C library's long double (double for floats, which is exact
 * enough). An ulp is the spacing of the type at the exact result, that of the subnormals below the normal range.
 */
#include <stdio.h>
#include <stdlib.h>

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
static float upper_f32(float a) { return vm_logistic_f32(a).upper; }
static float lower_f32(float a) { return vm_logistic_f32(a).lower; }
static float exp_f32(float x) { return vm_exp_f32(x); }
static float log_f32(float x) { return vm_log_f32(x); }
static double softplus_f64(double a) { return vm_logistic_f64(a).softplus; }
static double upper_f64(double a) { return vm_logistic_f64(a).upper; }
static double lower_f64(double a) { return vm_logistic_f64(a).lower; }
static double exp_f64(double x) { return vm_exp_f64(x); }
static double log_f64(double x) { return vm_log_f64(x); }

static double double_softplus(double a) { return log1p(exp(-a)); }
static double double_upper(double a) { return 1 / (1 + exp(-a)); }
static double double_lower(double a) { return exp(-a) / (1 + exp(-a)); }
static long double exact_softplus(long double a) { return log1pl(expl(-a)); }
static long double exact_upper(long double a) { return 1 / (1 + expl(-a)); }
static long double exact_lower(long double a) { return expl(-a) / (1 + expl(-a)); }

/* bound with FMA, bound without; as in the table of vecmath.h */
static const struct {
    const char *name;
    float (*f32)(float);
    double (*f64)(double);
    double (*exact_f32)(double);
    long double (*exact_f64)(long double);
    int only_nonnegative;
    double bound[2];
} functions[] = {
    {"exp", exp_f32, exp_f64, exp, expl, 0, {0.85, 0.85}},
    {"log", log_f32, log_f64, log, logl, 0, {0.92, 0.92}},
    {"softplus", softplus_f32, softplus_f64, double_softplus, exact_softplus, 1, {1.10, 1.25}},
    {"upper", upper_f32, upper_f64, double_upper, exact_upper, 1, {0.60, 1.20}},
    {"lower", lower_f32, lower_f64, double_lower, exact_lower, 1, {0.85, 1.85}},
};

/* |got - exact| in spacings of a type with that many mantissa bits and that least exponent. */
static double ulps(double got, long double exact, int mantissa, int least, double largest) {
    if (isnan(got) || isnan((double)exact)) return isnan(got) && isnan((double)exact) ? 0 : INFINITY;
    if (fabsl(exact) > largest || isinf(got)) {
        int rounds_to_infinity = fabsl(exact) >= (long double)largest * (1 + ldexpl(1, -mantissa - 1));
        return isinf(got) && rounds_to_infinity && (got > 0) == (exact > 0) ? 0 : INFINITY;
    }
    int exponent;
    frexpl(exact, &exponent);
    if (exact == 0 || exponent < least) exponent = least;
    return (double)(fabsl(got - exact) / ldexpl(1, exponent - mantissa));
}

/* splitmix64: S. Vigna, public domain algorithm */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int main(int argc, char **argv) {
    long long stride = argc > 1 ? atoll(argv[1]) : 997;
    int failed = 0;
    printf("%-9s %-7s %11s %8s %24s %6s  (%s FMA)\n", "function", "type", "points", "ulp", "at", "bound",
           CLOSS_HAS_FMA ? "with" : "without");
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        double bound = functions[k].bound[!CLOSS_HAS_FMA];

        double worst = 0, worst_at = 0;
        long long points = 0;
#ifdef _OPENMP
#pragma omp parallel for reduction(+ : points)
#endif
        for (long long part = 0; part < 64; part++) {
            double part_worst = 0, part_at = 0;
            for (long long bits = part * (1LL << 26); bits < (part + 1) * (1LL << 26); bits += stride) {
                float x = closs_float_from_bits((uint32_t)bits);
                if (functions[k].only_nonnegative && !(x >= 0)) continue;
                double error = ulps(functions[k].f32(x), functions[k].exact_f32(x), 24, -125, FLT_MAX);
                if (!(error <= part_worst)) part_worst = error, part_at = x;
                points++;
            }
#ifdef _OPENMP
#pragma omp critical
#endif
            if (!(part_worst <= worst)) worst = part_worst, worst_at = part_at;
        }
        printf("%-9s float   %11lld %8.3f %24.9g %6.2f\n", functions[k].name, points, worst, worst_at, bound);
        failed |= !(worst <= bound);

        worst = worst_at = 0;
        uint64_t state = 1;
        points = 2000000;
        for (long long i = 0; i < points; i++) { /* half over all bit patterns, half where the functions bend */
            uint64_t bits = next_random(&state);
            double x = i % 2 ? closs_double_from_bits(bits) : ldexp((double)(int64_t)bits, -63 + (int)(bits % 11));
            if (functions[k].only_nonnegative && !(x >= 0)) x = -x;
            if (functions[k].only_nonnegative && !(x >= 0)) continue;
            double error = ulps(functions[k].f64(x), functions[k].exact_f64(x), 53, -1021, DBL_MAX);
            if (!(error <= worst)) worst = error, worst_at = x;
        }
        printf("%-9s double  %11lld %8.3f %24.17g %6.2f\n", functions[k].name, points, worst, worst_at, bound);
        failed |= !(worst <= bound);
    }
    puts(failed ? "FAILED: an error exceeds its bound" : "all within bounds");
    return failed;
}
