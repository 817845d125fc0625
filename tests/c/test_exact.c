/* exact.h and double_double.h: what a sum or product loses is found, and two doubles hold a number to 2^-100. Built
 * without FMA, as the portable core is, products go by halves; fma() of the C library is the reference.
 */
#include <stdio.h>
#include <stdlib.h>

#include "running_sum.h"

#define CLOSS_REAL 32
#include "real.h"
#include "double_double.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "real.h"
#include "double_double.h"
#undef CLOSS_REAL

static int failures;

static void expect(int holds, const char *what, double a, double b) {
    if (holds) return;
    if (failures++ < 20) printf("FAILED: %s, of %a and %a\n", what, a, b);
}

/* Of either sign, 2^-200 to 2^200 in size. */
static double random_number(void) {
    double mantissa = 1 + (double)rand() / RAND_MAX + ldexp((double)rand() / RAND_MAX, -30);
    return ldexp(rand() & 1 ? mantissa : -mantissa, rand() % 401 - 200);
}

/* hi + lo is 0, up to `bound`. */
static int vanishes(closs_sum x, double bound) { return fabs(x.hi + x.lo) <= bound; }

static void check_products(double a, double b) {
    const float f = (float)ldexp(a, -(ilogb(a) % 40)), g = (float)b;
    two_product_t_f64 d = two_product_f64(a, b);
    expect(d.product == a * b && fabs(d.error - fma(a, b, -d.product)) <= ldexp(fabs(d.product), -104), "product", a,
           b);
    if (!(fabsf(f * g) > 1e-20F && fabsf(f * g) <= FLT_MAX)) return;
    two_product_t_f32 s = two_product_f32(f, g);
    expect((double)s.product + (double)s.error == (double)f * (double)g, "product of floats", f, g);
}

static void check_double_double(double a, double b) {
    const closs_sum x = dd_add_f64(dd_f64(a), dd_f64(ldexp(b, ilogb(a) - 54 - ilogb(b)))), minus_one = dd_f64(-1);
    const closs_sum y = dd_inverse_f64(x), size = a > 0 ? x : dd_negative_f64(x), root = dd_sqrt_f64(size);
    const double bound = ldexp(fabs(a), -100);
    expect(vanishes(dd_add_f64(dd_multiply_f64(x, y), minus_one), 0x1p-100), "inverse", a, x.lo);
    expect(vanishes(dd_add_f64(dd_multiply_f64(root, root), dd_negative_f64(size)), bound), "root", size.hi, size.lo);
    expect(dd_value_f64(dd_add_f64(x, dd_f64(-a))) == x.lo, "what is left of a sum", a, x.lo);
    expect(dd_value_f64(x) == x.hi + x.lo && dd_scaled_f64(0.5, x) == 0.5 * dd_value_f64(x), "value", a, x.lo);
    expect(dd_inverse_f32(x).hi == 1 / x.hi && dd_inverse_f32(x).lo == 0, "inverse for float", x.hi, x.lo);
}

/* Where hi is infinite or NaN, values are those of plain arithmetic. */
static void check_limits(void) {
    const double numbers[] = {0, -0.0, 1, -3, DBL_MAX, -DBL_MAX, INFINITY, -INFINITY, NAN};
    const int count = sizeof numbers / sizeof *numbers;
    for (int i = 0; i < count * count; i++) {
        const double a = numbers[i / count], b = numbers[i % count], sum = a + b, product = a * b;
        const double sum_of = dd_value_f64(dd_add_f64(dd_f64(a), dd_f64(b)));
        const double product_of = dd_value_f64(dd_multiply_f64(dd_f64(a), dd_f64(b)));
        const double scaled = dd_scaled_f64(a, dd_f64(b));
        expect(sum_of == sum || (isnan(sum_of) && isnan(sum)), "sum", a, b);
        expect(product_of == product || (isnan(product_of) && isnan(product)), "product", a, b);
        expect(scaled == product || (isnan(scaled) && isnan(product)), "scaled", a, b);
    }
    expect(dd_value_f64(dd_inverse_f64(dd_f64(INFINITY))) == 0, "inverse", INFINITY, 0);
    expect(isinf(dd_value_f64(dd_inverse_f64(dd_f64(0)))), "inverse", 0, 0);
    expect(dd_value_f64(dd_sqrt_f64(dd_f64(0))) == 0, "root", 0, 0);
    expect(isinf(dd_value_f64(dd_sqrt_f64(dd_f64(INFINITY)))), "root", INFINITY, 0);
}

int main(void) {
    srand(1);
    for (int i = 0; i < 200000; i++) {
        const double a = random_number(), b = random_number();
        check_products(a, b);
        check_double_double(a, b);
    }
    check_limits();
    puts(failures ? "FAILED" : "exact sums and products: all as they should be");
    return failures != 0;
}
