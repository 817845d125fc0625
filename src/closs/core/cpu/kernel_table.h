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

/* Rows of a loss over classes (softmax_loops.h): what the driver tells the kernel. Element j of class c lies at
 * c * step + j in lanes (step > 1), element c of row r at r * classes + c else. */
typedef struct {
    int64_t classes, step;
    const real *pred;
    const real *dense;             /* a label for each class, laid out as pred; NULL: none */
    const real *class_weight;      /* one a class; NULL: ones */
    const real *element_weight;    /* laid out as pred, instead of class_weight; NULL: none */
    const real *element_cotangent; /* laid out as pred, with `elements`; NULL: none */
    const int64_t *label;          /* the class of each row, negative for an ignored row; NULL: none */
    real keep, uniform; /* q = weight (keep y + uniform), y the label as a distribution: formulas/softmax.h */
    double z_loss;
    int log_probabilities, divergence;
    const real *ones;  /* a chunk of them, and a chunk of zeros, in which the kernel sets a label for a moment; */
    real *one_hot;     /* both only with `dense` or `uniform` */
    const real *scale; /* of each row's gradient; where it is 0 the gradient is 0 */
    const real *element_scale; /* of each row's `elements` */
    real *value, *lse;         /* one a row; lse NULL: not wanted */
    real *grad, *elements;     /* laid out as pred; NULL: not wanted; grad may be pred itself */
} NAME(closs_softmax_rows);

/* The job from row `row` on, which lies `offset` reals further in the arrays of all classes. */
CLOSS_INLINE NAME(closs_softmax_rows)
    NAME(further_rows)(const NAME(closs_softmax_rows) * job, int64_t row, int64_t offset) {
    NAME(closs_softmax_rows) rest = *job;
    rest.pred += offset;
    if (rest.dense) rest.dense += offset;
    if (rest.element_weight) rest.element_weight += offset;
    if (rest.element_cotangent) rest.element_cotangent += offset;
    if (rest.elements) rest.elements += offset, rest.element_scale += row;
    if (rest.grad) rest.grad += offset, rest.scale += row;
    if (rest.label) rest.label += row;
    if (rest.lse) rest.lse += row;
    rest.value += row;
    return rest;
}

/* Rows of a loss that compares vectors (vectors_loops.h): element i of piece o of row r lies at
 * (o * rows + r) * inner + i. */
typedef struct {
    int64_t outer, rows, inner;
    const real *input[3]; /* as many as the loss has */
    real *grad[3];        /* NULL: not wanted; may be that input itself */
    const real *label;    /* 1 or -1 a row; for losses that have one */
    double margin;
} NAME(closs_vectors_rows);

typedef struct {
    NAME(closs_value_kernel) * value[CLOSS_ELEMENTWISE_COUNT];
    NAME(closs_gradient_kernel) * gradient[CLOSS_ELEMENTWISE_COUNT];

    /* x[i] *= weight[i], but 0 where the weight is 0, whatever x[i] is. */
    void (*multiply)(int64_t n, const real *weight, real *x);

    /* sums[r] += the sum of x[r * length .. (r + 1) * length), for r in 0 .. rows. */
    void (*sum_rows)(int64_t rows, int64_t length, const real *x, closs_sum *sums);

    /* Values, gradients and logsumexps of n rows, which are contiguous or lie side by side in lanes. */
    void (*softmax_rows)(const NAME(closs_softmax_rows) * job, int64_t n);

    /* Values of the n rows from `first` on, one after the other; and their gradients, if scale, one a value, is not
     * NULL: 0 where that is 0. */
    void (*vectors_rows[CLOSS_VECTORS_COUNT])(const NAME(closs_vectors_rows) * job, int64_t first, int64_t n,
                                              const real *scale, real *value);

    /* Squared distances of one vector from others, as logits; the sum of their differences, weighted
     * (pairwise_loops.h). */
    void (*distance_logits)(int64_t rows, int64_t n, const real *a, const real *b, int64_t own, double *logit);
    void (*weighted_differences)(int64_t rows, int64_t n, const real *a, const real *b, const double *weight,
                                 int64_t step, double factor, real *grad);

    NAME(closs_ctc_kernels) ctc;
} NAME(closs_kernel_table);
