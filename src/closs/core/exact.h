/* Error-free transformations, compiled once a type (see real.h). */

typedef struct {
    real sum, error;
} NAME(two_sum_t);

/* sum = a + b rounded, and error the part that rounding lost: a + b = sum + error exactly, whatever the order of
 * magnitude of a and b (Knuth, TAOCP 2, 4.2.2, theorem B). error is NaN where sum is infinite. */
CLOSS_INLINE NAME(two_sum_t) NAME(two_sum)(real a, real b) {
    NAME(two_sum_t) result;
    result.sum = a + b;
    real b_part = result.sum - a;
    real a_part = result.sum - b_part;
    result.error = (a - a_part) + (b - b_part);
    return result;
}
