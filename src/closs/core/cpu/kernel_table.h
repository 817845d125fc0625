/* One type's half of closs_kernels (see kernels.h; compiled once a type).
 *
 * parameter: one number for the losses that are ELEMENTWISE_UNIFORM in losses.def, an array of n for
 * ELEMENTWISE_VARYING, not read for ELEMENTWISE_PLAIN. grad may be pred itself; no other overlap.
 */

/* value[i] = the loss of pred[i], label[i]. */
typedef void NAME(closs_value_kernel)(int64_t n, const real *pred, const real *label, const real *parameter,
                                      real *value);

/* The same values to the bit, and grad[i] = scale * slope. */
typedef void NAME(closs_gradient_kernel)(int64_t n, const real *pred, const real *label, const real *parameter,
                                         real scale, real *value, real *grad);

typedef struct {
    NAME(closs_value_kernel) * value[CLOSS_ELEMENTWISE_COUNT];
    NAME(closs_gradient_kernel) * gradient[CLOSS_ELEMENTWISE_COUNT];

    /* x[i] *= weight[i], but 0 where the weight is 0, whatever x[i] is. */
    void (*multiply)(int64_t n, const real *weight, real *x);

    /* sums[r] += the sum of x[r * length .. (r + 1) * length), for r in 0 .. rows. */
    void (*sum_rows)(int64_t rows, int64_t length, const real *x, closs_sum *sums);

    NAME(closs_ctc_kernels) ctc;
} NAME(closs_kernel_table);
