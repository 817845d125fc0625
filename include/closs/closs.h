/* closs: loss functions and their gradients, in C.
 *
 * One call gives the value and the gradient in one pass over memory:
 *
 *     closs_status status = closs_huber_f32(
 *         &(closs_elementwise_f32){
 *             .batch = n, .inner = d, .pred = pred, .label = label, .value = value, .grad = grad},
 *         1.0f);
 *
 * Names are closs_<loss>_<type>, with f32 for float and f64 for double. Every function is thread-safe, has no global
 * error state, checks all its arguments before it writes anything, and gives the same bits for any number of threads,
 * for any alignment, in place or not, and with or without the gradient.
 *
 * Valid C99 and C++17. Units: losses have none; sizes, repeats and periods count elements, never bytes.
 */
#ifndef CLOSS_CLOSS_H
#define CLOSS_CLOSS_H

#include <stddef.h>
#include <stdint.h>

#define CLOSS_VERSION_MAJOR 0
#define CLOSS_VERSION_MINOR 1
#define CLOSS_VERSION_PATCH 0
#define CLOSS_VERSION_STRING "0.1.0"

/* Number of the binary interface, which is the number in the shared library's name (libcloss.so.0): a program runs with
 * every later library of the same number. A change of the size or place of anything in a struct, of a signature, of an
 * enum's values or of what 0 means in a field gets a new number. New functions, losses, statuses and reductions, and
 * new fields in the reserved space of argument structs, do not: a field left 0 means what its absence meant, and a
 * library that does not know a field which is set returns CLOSS_TOO_NEW. */
#define CLOSS_ABI_VERSION 0

/* Symbols that a program may link against; set CLOSS_EXPORT to dllexport or dllimport where that is needed. */
#ifndef CLOSS_EXPORT
#if defined(__GNUC__)
#define CLOSS_EXPORT __attribute__((visibility("default")))
#else
#define CLOSS_EXPORT
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------------------------------------------- */

/* What every call returns. Anything but CLOSS_OK means that no output was touched. */
typedef enum closs_status {
    CLOSS_OK = 0,
    CLOSS_NULL_POINTER,   /* the arguments, an array that is needed and not empty, or a needed parameter is NULL */
    CLOSS_BAD_SIZE,       /* a size or stride is negative, too large, too small, or does not fit the others */
    CLOSS_BAD_BROADCAST,  /* a negative repeat or period */
    CLOSS_BAD_REDUCTION,  /* not one of closs_reduction */
    CLOSS_BAD_PARAMETER,  /* a number outside its range or not finite, or a field that this loss does not have */
    CLOSS_MISALIGNED,     /* a pointer that is no multiple of the size of the numbers behind it */
    CLOSS_OVERLAP,        /* an output overlaps another array; where a struct says so, grad may be its input itself */
    CLOSS_UNKNOWN_LOSS,   /* closs_elementwise_run_*: no such loss */
    CLOSS_MISSING_OUTPUT, /* neither value, total nor grad is given, or one that this reduction does not have */
    CLOSS_BAD_LABEL,      /* a class out of range, or a label that is not one of those allowed; see closs_bad_label */
    CLOSS_NO_MEMORY,      /* working memory could not be had */
    CLOSS_TOO_NEW,        /* a reserved field is not 0: an argument of a later release, or memory never set to 0 */
    CLOSS_BAD_LENGTH,     /* a length or offset of labels or pred is negative or beyond its array; see closs_ctc_bad */
    CLOSS_INFEASIBLE,     /* CTC with CLOSS_CTC_RAISE: no path spells a sample's labels; see closs_ctc_bad */
} closs_status;

/* One English sentence for a status; never NULL, static storage. */
CLOSS_EXPORT const char *closs_status_string(closs_status status);

/* ---- The library ------------------------------------------------------------------------------------------------ */

/* Version of the library that was linked, "major.minor.patch"; compare with CLOSS_VERSION_STRING. */
CLOSS_EXPORT const char *closs_version(void);

/* Instruction set in use: "baseline", "avx2" or "avx512". Chosen once, when the first loss runs: the best one that the
 * processor has, or a lower one that the environment variable CLOSS_ISA names. */
CLOSS_EXPORT const char *closs_isa(void);

/* The k-th instruction set that was built and that this processor can run, from the lowest up; NULL past the last. */
CLOSS_EXPORT const char *closs_isa_available(int k);

/* 1 if the library was built with OpenMP, else 0: then it is always serial. */
CLOSS_EXPORT int closs_has_openmp(void);

/* Threads that one call may use. By default the CPUs that the process may use: affinity and OMP_NUM_THREADS as OpenMP
 * reports them (closs follows omp_set_num_threads), no more than the cgroup quota allows. The environment variable
 * CLOSS_NUM_THREADS and closs_set_num_threads come before that; set 0 to return to the default. A setting holds for
 * the whole process. Results never depend on it. closs_set_num_threads returns CLOSS_BAD_PARAMETER below 0;
 * closs_get_threads_setting gives back what it was given, 0 for the default. */
CLOSS_EXPORT int closs_get_num_threads(void);
CLOSS_EXPORT int closs_get_threads_setting(void);
CLOSS_EXPORT closs_status closs_set_num_threads(int threads);

/* ---- The library as a table --------------------------------------------------------------------------------------
 *
 * For programs that load closs at run time: every function of this header by its name. In Python it is what the capsule
 * closs._core.C_API holds (PyCapsule_Import("closs._core.C_API", 0)). Later releases may add to its end: read a member
 * only if it lies within size.
 */
typedef void (*closs_function)(void); /* cast it to the type of the prototype */

typedef struct closs_api_entry {
    const char *name; /* "closs_huber_f32" */
    closs_function function;
} closs_api_entry;

typedef struct closs_api {
    uint64_t size;                  /* sizeof(closs_api) in the library */
    int64_t abi;                    /* CLOSS_ABI_VERSION of the library */
    const char *version;            /* what closs_version() returns */
    int64_t count;                  /* number of entries */
    const closs_api_entry *entries; /* in no particular order */
} closs_api;

/* The table; static storage. */
CLOSS_EXPORT const closs_api *closs_get_api(void);

/* The function of that name, NULL if there is none. */
CLOSS_EXPORT closs_function closs_find_function(const char *name);

/* ---- Reductions ----------------------------------------------------------------------------------------------------
 *
 * l(e) is the loss of element e, with every weight applied.
 */
typedef enum closs_reduction {
    CLOSS_SAMPLE_MEAN = 0, /* value[batch]: the mean of l over the elements of each sample */
    CLOSS_SAMPLE_SUM,      /* value[batch]: their sum */
    CLOSS_NONE,            /* value[outer * batch * inner]: l itself */
    CLOSS_MEAN,            /* *total: the mean of l over all elements, NaN if there are none */
    CLOSS_SUM,             /* *total: their sum */
    CLOSS_WEIGHTED_MEAN,   /* *total: the sum of l over the sum of sample_weight; NaN (gradient 0) if that is 0 */
} closs_reduction;

/* ---- Elementwise losses ------------------------------------------------------------------------------------------
 *
 * pred and label are C-contiguous arrays of shape (outer, batch, inner); element e = (o * batch + n) * inner + i
 * belongs to sample n. A plain (n, d) matrix of n samples is {.batch = n, .inner = d}.
 */

/* An operand that is broadcast along pred: element e reads data[(e / repeat) % period].
 * repeat 0 stands for 1, period 0 for "never wraps". So, for pred of shape (n, d):
 *
 *     {.data = w}                             w of shape (n, d), one for each element
 *     {.data = w, .repeat = d}                w of shape (n, 1), one for each sample
 *     {.data = w, .period = d}                w of shape (1, d), one for each column
 *     {.data = &w, .period = 1}               one for all
 *     {.data = NULL}                          absent: all ones
 */
typedef struct closs_broadcast_f32 {
    const float *data;
    int64_t repeat, period;
} closs_broadcast_f32;

typedef struct closs_broadcast_f64 {
    const double *data;
    int64_t repeat, period;
} closs_broadcast_f64;

/* Arguments of every elementwise loss. Whatever is not named in the initialiser is 0 or NULL and means "absent". */
typedef struct closs_elementwise_f32 {
    int64_t outer; /* product of the lengths of the axes before the batch axis; 0 stands for 1 */
    int64_t batch; /* number of samples; may be 0 */
    int64_t inner; /* product of the lengths of the axes after the batch axis; may be 0 */

    const float *pred;                 /* (outer, batch, inner); NULL only if that is empty */
    const float *label;                /* the same shape; NULL only if that is empty */
    closs_broadcast_f32 sample_weight; /* factor of each element's value and gradient; where it is 0, both are 0 */
    const double *weight;              /* one factor, finite and not rounded to 0 as a float; NULL: 1 */
    const float *grad_output;          /* cotangent, shaped like the value (one number for a total); NULL: ones */

    closs_reduction reduction;
    float *value;  /* CLOSS_SAMPLE_*: (batch,); CLOSS_NONE: the shape of pred; NULL: not wanted */
    double *total; /* CLOSS_MEAN, CLOSS_SUM, CLOSS_WEIGHTED_MEAN: one number; NULL: not wanted */
    float *grad;   /* gradient with respect to pred, the shape of pred; may be pred itself; NULL: not wanted */

    int64_t reserved[4]; /* room for later releases: 0 */
} closs_elementwise_f32;

typedef struct closs_elementwise_f64 {
    int64_t outer, batch, inner;

    const double *pred;
    const double *label;
    closs_broadcast_f64 sample_weight;
    const double *weight;
    const double *grad_output;

    closs_reduction reduction;
    double *value;
    double *total;
    double *grad;

    int64_t reserved[4];
} closs_elementwise_f64;

/* In all of them: x is an element of pred, y of label. The gradient is dl/dx times the weights, the derivative of the
 * reduction, and grad_output. NaN in pred or label gives NaN for that element (and the sums it enters); infinities
 * give the limit. A value and a gradient are within 2 ulp of the exact ones for CLOSS_NONE and no weights, else within
 * 4; within one more where the processor has no FMA.
 *
 * Statuses: CLOSS_NULL_POINTER, CLOSS_BAD_SIZE, CLOSS_BAD_BROADCAST, CLOSS_BAD_REDUCTION, CLOSS_MISALIGNED,
 * CLOSS_OVERLAP, CLOSS_MISSING_OUTPUT, CLOSS_TOO_NEW; CLOSS_BAD_PARAMETER for a weight that is not finite and for a
 * parameter outside the range that stands with the loss.
 *
 * Each comment has the formula and its source. Factors, constants and what the derivative is where there is none are
 * those of gluon.loss (Apache MXNet 2.0), which is the source where no other one is named. */

/* l = |x - y|, derivative 0 at x = y. */
CLOSS_EXPORT closs_status closs_l1_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_l1_f64(const closs_elementwise_f64 *args);

/* l = (x - y)^2 / 2. */
CLOSS_EXPORT closs_status closs_l2_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_l2_f64(const closs_elementwise_f64 *args);

/* With r = x - y: l = r^2 / (2 rho) where |r| <= rho, |r| - rho / 2 elsewhere. rho > 0 and finite. l is infinite where
 * r overflows, even if rho / 2 would bring it back. P. J. Huber, Ann. Math. Statist. 35 (1964), divided by rho. */
CLOSS_EXPORT closs_status closs_huber_f32(const closs_elementwise_f32 *args, float rho);
CLOSS_EXPORT closs_status closs_huber_f64(const closs_elementwise_f64 *args, double rho);

/* Binary cross-entropy of logits x and labels y in [0, 1], with s the logistic function:
 * l = -pos_weight y log s(x) - (1 - y) log s(-x). pos_weight is broadcast along pred; NULL: 1. It is not checked: NaN
 * in it gives NaN for that element, infinity NaN or infinity, a number below 0 what the formula says. D. R. Cox,
 * J. R. Statist. Soc. B 20 (1958). */
CLOSS_EXPORT closs_status closs_sigmoid_bce_f32(const closs_elementwise_f32 *args,
                                                const closs_broadcast_f32 *pos_weight);
CLOSS_EXPORT closs_status closs_sigmoid_bce_f64(const closs_elementwise_f64 *args,
                                                const closs_broadcast_f64 *pos_weight);

/* Binary cross-entropy of probabilities x and labels y in [0, 1]:
 * l = -pos_weight y log(x + 1e-12) - (1 - y) log(1 - x + 1e-12). pos_weight as above. NaN for x outside [0, 1]
 * by more than 1e-12, unless the factor of that logarithm is 0. */
CLOSS_EXPORT closs_status closs_bce_f32(const closs_elementwise_f32 *args, const closs_broadcast_f32 *pos_weight);
CLOSS_EXPORT closs_status closs_bce_f64(const closs_elementwise_f64 *args, const closs_broadcast_f64 *pos_weight);

/* l = max(0, margin - x y), derivative 0 where the margin is met. margin finite. C. Cortes, V. Vapnik, Mach. Learn. 20
 * (1995). */
CLOSS_EXPORT closs_status closs_hinge_f32(const closs_elementwise_f32 *args, float margin);
CLOSS_EXPORT closs_status closs_hinge_f64(const closs_elementwise_f64 *args, double margin);

/* l = max(0, margin - x y)^2. margin finite. Y. Tang, arXiv:1306.0239. */
CLOSS_EXPORT closs_status closs_squared_hinge_f32(const closs_elementwise_f32 *args, float margin);
CLOSS_EXPORT closs_status closs_squared_hinge_f64(const closs_elementwise_f64 *args, double margin);

/* l = log(1 + exp(-x y)), labels y -1 or 1: the binary cross-entropy above, with other labels. */
CLOSS_EXPORT closs_status closs_logistic_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_logistic_f64(const closs_elementwise_f64 *args);

/* The same for labels 0 or 1: l = log(1 + exp(-x (2 y - 1))). */
CLOSS_EXPORT closs_status closs_logistic_binary_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_logistic_binary_f64(const closs_elementwise_f64 *args);

/* Negative log-likelihood of counts y under a Poisson distribution, without the term log(y!), for the logarithm x of
 * the rate: l = exp(x) - y x. J. A. Nelder, R. W. M. Wedderburn, J. R. Statist. Soc. A 135 (1972). */
CLOSS_EXPORT closs_status closs_poisson_nll_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_poisson_nll_f64(const closs_elementwise_f64 *args);

/* The same plus Stirling's approximation of log(y!): y log(y) - y + log(2 pi y) / 2 where y > 1, 0 elsewhere, as in
 * PyTorch's PoissonNLLLoss. */
CLOSS_EXPORT closs_status closs_poisson_nll_full_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_poisson_nll_full_f64(const closs_elementwise_f64 *args);

/* For the rate x itself: l = x - y log(x + epsilon), without and with Stirling's term. epsilon >= 0 and finite. */
CLOSS_EXPORT closs_status closs_poisson_rate_nll_f32(const closs_elementwise_f32 *args, float epsilon);
CLOSS_EXPORT closs_status closs_poisson_rate_nll_f64(const closs_elementwise_f64 *args, double epsilon);
CLOSS_EXPORT closs_status closs_poisson_rate_nll_full_f32(const closs_elementwise_f32 *args, float epsilon);
CLOSS_EXPORT closs_status closs_poisson_rate_nll_full_f64(const closs_elementwise_f64 *args, double epsilon);

/* A term of the Kullback-Leibler divergence of a distribution y from the one whose logarithm is x: l = y (log y - x), 0
 * where y = 0, also at x = -infinity. From logits: closs_kl_div_softmax. S. Kullback, R. A. Leibler, Ann. Math.
 * Statist. 22 (1951). */
CLOSS_EXPORT closs_status closs_kl_div_f32(const closs_elementwise_f32 *args);
CLOSS_EXPORT closs_status closs_kl_div_f64(const closs_elementwise_f64 *args);

/* The same functions for callers that choose a loss at run time, as bindings do. closs_elementwise_find gives the
 * number of a loss by its name ("huber"), -1 for an unknown one; closs_elementwise_name gives the name back, NULL for
 * an unknown number; closs_elementwise_parameter gives the name of its parameter ("rho"), "" if it has none, NULL for
 * an unknown number. Numbers may differ from one release to the next, names do not.
 *
 * The parameter: data[0] is read of rho, margin and epsilon, which are needed (CLOSS_NULL_POINTER); pos_weight is
 * broadcast, NULL: 1; a loss without one ignores it, but for CLOSS_BAD_BROADCAST and CLOSS_MISALIGNED. Statuses are
 * those of the losses, and CLOSS_UNKNOWN_LOSS for a number that is none. */
CLOSS_EXPORT int closs_elementwise_find(const char *name);
CLOSS_EXPORT const char *closs_elementwise_name(int loss);
CLOSS_EXPORT const char *closs_elementwise_parameter(int loss);
CLOSS_EXPORT closs_status closs_elementwise_run_f32(int loss, const closs_elementwise_f32 *args,
                                                    const closs_broadcast_f32 *parameter);
CLOSS_EXPORT closs_status closs_elementwise_run_f64(int loss, const closs_elementwise_f64 *args,
                                                    const closs_broadcast_f64 *parameter);

/* ---- Losses over classes -----------------------------------------------------------------------------------------
 *
 * pred is a C-contiguous array of shape (outer, classes, inner): row (o, i) holds the logits of one prediction. Rows
 * are numbered o * inner + i. A matrix of n rows and c classes is {.outer = n, .classes = c, .batch = n}.
 *
 * Samples, for CLOSS_SAMPLE_MEAN and CLOSS_SAMPLE_SUM: row r belongs to sample (r / sample_inner) % batch. In the
 * comments of closs_reduction an element is a row here, but an element of pred for closs_kl_div_softmax.
 *
 * The accuracy of this and the next two families: values and gradients are within 4 ulp of their largest term for
 * CLOSS_NONE, no weights and no z_loss, else within 6; within one more where the processor has no FMA. closs_sdml_f64,
 * for which differences and distances are rounded, is within 8 and 10, and half an ulp of a distance is not counted.
 */

/* The first label that was wrong. */
typedef struct closs_bad_label {
    int64_t position; /* the row */
    int64_t label;    /* what it holds */
} closs_bad_label;

typedef struct closs_softmax_f32 {
    int64_t outer;        /* product of the lengths of the axes before the class axis; may be 0 */
    int64_t classes;      /* at least 1 if there are rows */
    int64_t inner;        /* product of the lengths of the axes after the class axis; 0 stands for 1 */
    int64_t batch;        /* number of samples; needed for CLOSS_SAMPLE_* only */
    int64_t sample_inner; /* consecutive rows of one sample; 0 stands for 1 */

    const float *pred;                 /* (outer, classes, inner) logits, -infinity allowed */
    const int64_t *label;              /* closs_softmax_ce: (outer, inner), in 0 .. classes - 1 or *ignore_index */
    const float *label_dense;          /* the other losses: a distribution a row, the shape of pred */
    closs_broadcast_f32 sample_weight; /* broadcast along the rows; where it is 0, value and gradient are 0 */
    const float *element_weight;       /* closs_kl_div_softmax: a weight an element, the shape of pred; NULL: ones */
    const double *weight;              /* one factor, finite and not rounded to 0 as a float; NULL: 1 */
    const float *grad_output;          /* cotangent, shaped like the value (one number for a total); NULL: ones */

    int log_probabilities;       /* not 0: pred is the logarithm of probabilities, not logits; no lse and no z_loss */
    const float *class_weight;   /* (classes) finite and not negative; NULL: ones */
    const int64_t *ignore_index; /* rows of this label have value and gradient 0 and count in no mean; NULL: none */
    double label_smoothing;      /* in [0, 1]: the share of the uniform distribution in the target */
    double z_loss;               /* at least 0: factor of the squared logsumexp that is added to a row's loss */

    closs_reduction reduction;
    float *value;         /* CLOSS_SAMPLE_*: (batch,); CLOSS_NONE: (outer, inner), the shape of pred for
                             closs_kl_div_softmax; NULL: not wanted */
    double *total;        /* CLOSS_MEAN, CLOSS_SUM, CLOSS_WEIGHTED_MEAN: one number; NULL: not wanted */
    float *grad;          /* gradient with respect to pred, the shape of pred; may be pred itself; NULL: not wanted */
    float *lse;           /* (outer, inner): log(sum(exp(row))), of ignored rows too; NULL: not wanted */
    closs_bad_label *bad; /* filled in for CLOSS_BAD_LABEL; NULL: not wanted */

    int64_t reserved[4]; /* room for later releases: 0 */
} closs_softmax_f32;

typedef struct closs_softmax_f64 {
    int64_t outer, classes, inner, batch, sample_inner;

    const double *pred;
    const int64_t *label;
    const double *label_dense;
    closs_broadcast_f64 sample_weight;
    const double *element_weight;
    const double *weight;
    const double *grad_output;

    int log_probabilities;
    const double *class_weight;
    const int64_t *ignore_index;
    double label_smoothing;
    double z_loss;

    closs_reduction reduction;
    double *value;
    double *total;
    double *grad;
    double *lse;
    closs_bad_label *bad;

    int64_t reserved[4];
} closs_softmax_f64;

/* Softmax cross-entropy of the class y of a row x: l = (1 - s) w[y] nll(y) + s / C sum of w[c] nll(c) + z lse^2, with
 * nll(c) = lse - x[c], lse = log(sum(exp(x))), s label_smoothing, w class_weight, z z_loss, C classes. Of logits it is
 * never negative. CLOSS_WEIGHTED_MEAN divides by the sum of sample_weight w[y]; ignored rows count in no mean, a sample
 * of ignored rows has mean 0, a total mean over none is NaN (its gradient 0).
 *
 * A row of logits with NaN or infinity, or all -infinity, gives NaN in value and gradient of that row; its lse is the
 * limit: infinity, -infinity, or NaN where there is NaN. With log_probabilities only the classes in use are looked at,
 * and the value is what the sum gives. A row whose every target is 0 (class weights) has value and gradient 0, whatever
 * it holds, unless there is a z_loss.
 *
 * CLOSS_BAD_LABEL for y out of range; CLOSS_BAD_PARAMETER for label_smoothing outside [0, 1], a z_loss or class weights
 * that are negative or not finite, log_probabilities with z_loss or lse; CLOSS_BAD_SIZE for more than 2^31 - 1 classes
 * with inner > 1. Only ignore_index with CLOSS_SAMPLE_MEAN over samples of several rows allocates: CLOSS_NO_MEMORY.
 *
 * J. S. Bridle, NATO ASI Series F 68, 1990; label smoothing: C. Szegedy et al., CVPR 2016; z_loss: A. Chowdhery et al.,
 * arXiv:2204.02311. */
CLOSS_EXPORT closs_status closs_softmax_ce_f32(const closs_softmax_f32 *args);
CLOSS_EXPORT closs_status closs_softmax_ce_f64(const closs_softmax_f64 *args);

/* The same for a distribution y over the classes: l = sum of w[c] ((1 - s) y[c] + s / C) nll(c) + z lse^2. Of logits
 * and labels that are not negative it is not negative. CLOSS_WEIGHTED_MEAN divides by the sum of sample_weight.
 * ignore_index has to be NULL: else CLOSS_BAD_PARAMETER, which there is for the other fields as above. No label is
 * CLOSS_BAD_LABEL. */
CLOSS_EXPORT closs_status closs_softmax_ce_dense_f32(const closs_softmax_f32 *args);
CLOSS_EXPORT closs_status closs_softmax_ce_dense_f64(const closs_softmax_f64 *args);

/* Kullback-Leibler divergence of a distribution y from softmax(x), one value an element: y[c] (log y[c] + nll(c)), 0
 * where y[c] = 0. CLOSS_SAMPLE_SUM is a row's (or sample's) divergence, CLOSS_SAMPLE_MEAN its mean over elements. A
 * weight is that of the row times that of the element. class_weight, label_smoothing, z_loss, log_probabilities and
 * ignore_index have to be absent: else CLOSS_BAD_PARAMETER. No label is CLOSS_BAD_LABEL. S. Kullback, R. A. Leibler,
 * Ann. Math. Statist. 22 (1951). */
CLOSS_EXPORT closs_status closs_kl_div_softmax_f32(const closs_softmax_f32 *args);
CLOSS_EXPORT closs_status closs_kl_div_softmax_f64(const closs_softmax_f64 *args);

/* ---- Losses that compare vectors ---------------------------------------------------------------------------------
 *
 * Inputs are C-contiguous arrays of shape (outer, rows, inner); row r is compared with row r, all its elements at once.
 * n vectors of d elements are {.rows = n, .inner = d}. Samples, for CLOSS_SAMPLE_*: row r belongs to sample
 * (r / sample_inner) % batch; in the comments of closs_reduction an element is a row here.
 */

typedef struct closs_vectors_f32 {
    int64_t outer;        /* pieces of a row; 0 stands for 1 */
    int64_t rows;         /* may be 0 */
    int64_t inner;        /* elements of a piece; may be 0 */
    int64_t batch;        /* number of samples, for CLOSS_SAMPLE_*; 0: every row is one */
    int64_t sample_inner; /* consecutive rows of one sample; 0 stands for 1 */

    const float *input[3];             /* (outer, rows, inner) each, as many as the loss has; NULL only if empty */
    const float *label;                /* (rows) 1 or -1, where the loss has labels; NULL only if rows is 0 */
    closs_broadcast_f32 sample_weight; /* broadcast along the rows; where it is 0, value and gradients are 0 */
    const double *weight;              /* one factor, finite and not rounded to 0 as a float; NULL: 1 */
    const float *grad_output;          /* cotangent, shaped like the value (one number for a total); NULL: ones */

    closs_reduction reduction;
    float *value;         /* CLOSS_SAMPLE_*: (batch,); CLOSS_NONE: (rows); NULL: not wanted */
    double *total;        /* CLOSS_MEAN, CLOSS_SUM, CLOSS_WEIGHTED_MEAN: one number; NULL: not wanted */
    float *grad[3];       /* gradients with respect to the inputs, each may be its input itself; NULL: not wanted */
    closs_bad_label *bad; /* filled in for CLOSS_BAD_LABEL; NULL: not wanted */

    int64_t reserved[4]; /* room for later releases: 0 */
} closs_vectors_f32;

typedef struct closs_vectors_f64 {
    int64_t outer, rows, inner, batch, sample_inner;

    const double *input[3];
    const double *label;
    closs_broadcast_f64 sample_weight;
    const double *weight;
    const double *grad_output;

    closs_reduction reduction;
    double *value;
    double *total;
    double *grad[3];
    closs_bad_label *bad;

    int64_t reserved[4];
} closs_vectors_f64;

/* Statuses of both: CLOSS_NULL_POINTER, CLOSS_BAD_SIZE, also for batch and sample_inner that do not divide the rows,
 * CLOSS_BAD_BROADCAST, CLOSS_BAD_REDUCTION, CLOSS_MISALIGNED, CLOSS_OVERLAP, CLOSS_MISSING_OUTPUT, CLOSS_TOO_NEW;
 * CLOSS_BAD_PARAMETER for a weight or margin that is not finite. */

/* Triplet loss of pred (input[0]), positive (input[1]) and negative (input[2]): l = max(0, sum (positive - pred)^2 -
 * sum (negative - pred)^2 + margin), derivatives 0 where that is not positive. label is not read. F. Schroff et al.,
 * CVPR 2015; V. Balntas et al., BMVC 2016. */
CLOSS_EXPORT closs_status closs_triplet_f32(const closs_vectors_f32 *args, double margin);
CLOSS_EXPORT closs_status closs_triplet_f64(const closs_vectors_f64 *args, double margin);

/* Cosine embedding loss of input[0] and input[1], with cos = a.b / max(|a| |b|, 1e-12): l = 1 - cos for label 1,
 * clip(cos - margin, 0, 1 - margin) for label -1; derivatives 0 at zero vectors and where the margin is met.
 * CLOSS_BAD_LABEL for any other label (closs_bad_label has it without its fraction), CLOSS_BAD_PARAMETER for a grad[2]
 * too. PyTorch's CosineEmbeddingLoss, with Gluon's 1e-12 and clip. */
CLOSS_EXPORT closs_status closs_cosine_embedding_f32(const closs_vectors_f32 *args, double margin);
CLOSS_EXPORT closs_status closs_cosine_embedding_f64(const closs_vectors_f64 *args, double margin);

/* ---- Losses that compare every vector with every other one ---------------------------------------------------------
 *
 * Row i of the first input belongs with row i of the second; all other rows of a batch serve as what it should differ
 * from. Elements of closs_reduction are rows here, and every row is a sample.
 */

typedef struct closs_pairwise_f32 {
    int64_t rows;  /* vectors in each input; may be 0 */
    int64_t inner; /* elements of a vector; may be 0 */

    const float *input[2];             /* (rows, inner) each; NULL only if that is empty */
    closs_broadcast_f32 sample_weight; /* broadcast along the rows; where it is 0, the row's value is 0 */
    const double *weight;              /* one factor, finite and not rounded to 0 as a float; NULL: 1 */
    const float *grad_output;          /* cotangent, shaped like the value (one number for a total); NULL: ones */

    closs_reduction reduction;
    float *value;      /* CLOSS_SAMPLE_*, CLOSS_NONE: (rows); NULL: not wanted */
    double *total;     /* CLOSS_MEAN, CLOSS_SUM, CLOSS_WEIGHTED_MEAN: one number; NULL: not wanted */
    float *grad[2];    /* gradients with respect to the inputs; NULL: not wanted */
    double *workspace; /* closs_pairwise_workspace_f32(rows, whether a gradient is wanted) bytes; NULL: allocated */

    int64_t reserved[4]; /* room for later releases: 0 */
} closs_pairwise_f32;

typedef struct closs_pairwise_f64 {
    int64_t rows, inner;

    const double *input[2];
    closs_broadcast_f64 sample_weight;
    const double *weight;
    const double *grad_output;

    closs_reduction reduction;
    double *value;
    double *total;
    double *grad[2];
    double *workspace;

    int64_t reserved[4];
} closs_pairwise_f64;

/* Bytes of working memory: rows^2 doubles with a gradient, 64 rows of them without; 0 for a size that no call accepts.
 */
CLOSS_EXPORT size_t closs_pairwise_workspace_f32(int64_t rows, int want_grad);
CLOSS_EXPORT size_t closs_pairwise_workspace_f64(int64_t rows, int want_grad);

/* Smoothed deep metric learning: with d_ij the squared distance of row i of input[0] from row j of input[1], p_i the
 * softmax of -d_i, and q_i the target: 1 - smoothing at i, smoothing / (rows - 1) elsewhere, l_i = sum over j of
 * q_ij log(q_ij / p_ij). A batch of one has no elsewhere. The gradients may not be the inputs: every row is read by all
 * others. D. Bonadiman et al., arXiv:1905.12786.
 *
 * CLOSS_BAD_PARAMETER for smoothing outside [0, 1] or a weight that is not finite, CLOSS_NO_MEMORY without a workspace;
 * also CLOSS_NULL_POINTER, CLOSS_BAD_SIZE, CLOSS_BAD_BROADCAST, CLOSS_BAD_REDUCTION, CLOSS_MISALIGNED, CLOSS_OVERLAP,
 * CLOSS_MISSING_OUTPUT, CLOSS_TOO_NEW. */
CLOSS_EXPORT closs_status closs_sdml_f32(const closs_pairwise_f32 *args, double smoothing);
CLOSS_EXPORT closs_status closs_sdml_f64(const closs_pairwise_f64 *args, double smoothing);

/* ---- Connectionist temporal classification --------------------------------------------------------------------------
 *
 * For a sample with T frames of C class scores and S labels: l = -log p, p the sum over all paths (a class for each
 * frame) that become the labels once repetitions are merged and blanks are removed, of the product of the path's
 * probabilities. Probabilities are the softmax of pred in each frame, or exp(pred). A. Graves et al., ICML 2006.
 */
typedef enum closs_ctc_input {
    CLOSS_CTC_LOGITS = 0, /* pred goes through a softmax; the gradient is with respect to the logits */
    CLOSS_CTC_LOG_PROBS,  /* pred is log-probabilities, used as they are; the gradient is with respect to them */
} closs_ctc_input;

/* What an infeasible sample gives: one whose labels no path spells, because there are too few frames (S plus the number
 * of labels that equal the one before are needed), or because every path has a class with a score of -infinity. */
typedef enum closs_ctc_infeasible {
    CLOSS_CTC_INF = 0, /* value infinity, gradient exactly 0 */
    CLOSS_CTC_ZERO,    /* value 0, gradient exactly 0 */
    CLOSS_CTC_RAISE,   /* CLOSS_INFEASIBLE, and no output is touched; takes the time of a second value */
} closs_ctc_infeasible;

/* Which sample was wrong. CLOSS_BAD_LABEL: `value` is label number `position` of the sample, outside 0 .. classes - 1
 * or the blank. CLOSS_BAD_LENGTH: `value` is its length, position 0 for pred_lengths and 1 for label_lengths; with
 * label offsets also the offset itself, position 2. CLOSS_INFEASIBLE: the shortest path needs `position` frames, and
 * there are `value`; if that is enough, each path has a class with a score of -infinity. */
typedef struct closs_ctc_bad {
    int64_t sample, position, value;
} closs_ctc_bad;

/* pred[n * batch_stride + t * time_stride + c] is the score of class c in frame t of sample n; strides count elements.
 * So (batch, time, classes) and (time, batch, classes) are both read in place. Rows of classes must not overlap.
 *
 * Label i of sample n is label[start + i * label_stride] with start = n * label_batch_stride, or label_offsets[n] if
 * that is given, as for one concatenated vector of all labels. There are label_lengths[n] of them; without
 * label_lengths, those before the first -1, or else label_width. Only these are read. Labels are classes other than
 * the blank. */
typedef struct closs_ctc_args_f32 {
    int64_t batch, time, classes;      /* batch and time may be 0; classes at most 2^31 - 1 */
    int64_t batch_stride, time_stride; /* both 0: C-contiguous (batch, time, classes) */

    const float *pred;           /* NULL only if batch or time is 0 */
    const int64_t *pred_lengths; /* (batch,) frames of each sample, 0 .. time; NULL: time */
    int64_t blank;               /* the class that is no label */
    closs_ctc_input input;
    closs_ctc_infeasible infeasible;

    const int64_t *label;         /* NULL only if batch or label_width is 0 */
    int64_t label_width;          /* labels that a sample may have */
    int64_t label_batch_stride;   /* 0: label_width */
    int64_t label_stride;         /* 0: 1 */
    int64_t label_size;           /* elements behind label, which no access exceeds; 0: what the strides imply */
    const int64_t *label_offsets; /* (batch,); needs label_size, unless all labels are empty; NULL: see above */
    const int64_t *label_lengths; /* (batch,), 0 .. label_width; NULL: see above */

    const float *scale;        /* (batch,) factor of each sample's gradient, which is 0 where it is 0; NULL: ones */
    float *value;              /* (batch,) l; NULL: not wanted */
    float *grad;               /* scale times the gradient, 0 in frames beyond pred_lengths; NULL: not wanted */
    int64_t grad_batch_stride; /* of grad, which may be pred itself; both 0: as for pred */
    int64_t grad_time_stride;
    uint8_t *feasible; /* (batch,) 1, or 0 for an infeasible sample; NULL: not wanted */

    void *workspace;       /* any alignment; NULL: allocated, and freed before the call returns */
    size_t workspace_size; /* in bytes */
    closs_ctc_bad *bad;    /* filled in for the statuses named there; NULL: not wanted */
    int64_t reserved[4];   /* room for later releases: 0 */
} closs_ctc_args_f32;

typedef struct closs_ctc_args_f64 {
    int64_t batch, time, classes;
    int64_t batch_stride, time_stride;

    const double *pred;
    const int64_t *pred_lengths;
    int64_t blank;
    closs_ctc_input input;
    closs_ctc_infeasible infeasible;

    const int64_t *label;
    int64_t label_width;
    int64_t label_batch_stride;
    int64_t label_stride;
    int64_t label_size;
    const int64_t *label_offsets;
    const int64_t *label_lengths;

    const double *scale;
    double *value;
    double *grad;
    int64_t grad_batch_stride;
    int64_t grad_time_stride;
    uint8_t *feasible;

    void *workspace;
    size_t workspace_size;
    closs_ctc_bad *bad;
    int64_t reserved[4];
} closs_ctc_args_f64;

/* Values and gradients. An empty label is the all-blank path; with T = 0 it has l = 0. With logits l is never negative.
 * With log-probabilities it is where they add up to more than 1; but by 2^-22 (float) or 2^-51 (double) a frame, their
 * rounding, it is 0. NaN or infinity in a sample's frames (with log-probabilities: in a class that it uses), or logits
 * of nothing but -infinity in one, give NaN for that sample and no other; one with too few frames is infeasible
 * whatever they hold. From finite scores nothing is NaN.
 *
 * l is within 1e-6 (float) or 1e-12 (double) of the exact value, relative, or within 2e-16 a frame where that is more;
 * the gradient within 1e-5 or 1e-12 of its largest element, or within 1e-15. A score more than 2^40 log(2) = 7.6e11
 * below the largest of its frame (with log-probabilities: of the classes that the sample uses) counts as just so far
 * below; with more than 2^21 frames, more than 2^61 log(2) / T.
 *
 * An array with strides owns all memory from its first to its last element: CLOSS_OVERLAP if another one lies between.
 * CLOSS_BAD_LABEL, CLOSS_BAD_LENGTH and CLOSS_INFEASIBLE fill in `bad`; CLOSS_BAD_PARAMETER for a blank that is no
 * class, an unknown input or infeasible; CLOSS_BAD_SIZE also for rows that overlap and a small workspace;
 * CLOSS_NO_MEMORY without one; also CLOSS_NULL_POINTER, CLOSS_MISALIGNED, CLOSS_MISSING_OUTPUT, CLOSS_TOO_NEW. */
CLOSS_EXPORT closs_status closs_ctc_f32(const closs_ctc_args_f32 *args);
CLOSS_EXPORT closs_status closs_ctc_f64(const closs_ctc_args_f64 *args);

/* Bytes of workspace with which a call with these arguments uses every thread that closs_get_num_threads() gives. Of
 * them batch, time, label_width and whether there is a grad are looked at, nothing else. A workspace of at least the
 * size for a single thread is accepted, and used by as many threads as fit; a smaller one is CLOSS_BAD_SIZE. 0 if one
 * of the three is negative or the size overflows, or for NULL. */
CLOSS_EXPORT size_t closs_ctc_workspace_size_f32(const closs_ctc_args_f32 *args);
CLOSS_EXPORT size_t closs_ctc_workspace_size_f64(const closs_ctc_args_f64 *args);

/* Decoding by the best path (Graves et al., section 3.2): the largest class of each frame (the first of equal ones),
 * repetitions merged, blanks removed. A frame with NaN or infinity gives the score NaN, and so does one of logits that
 * are all -infinity. CLOSS_BAD_LENGTH for pred_lengths outside 0 .. time, CLOSS_BAD_PARAMETER for a blank that is no
 * class or an unknown input; sizes, pointers and overlap as above. */
typedef struct closs_ctc_greedy_args_f32 {
    int64_t batch, time, classes;
    int64_t batch_stride, time_stride;
    const float *pred;
    const int64_t *pred_lengths;
    int64_t blank;
    closs_ctc_input input;

    int64_t *label;         /* (batch, time), C-contiguous: the labels of each sample, then -1; NULL only if empty */
    int64_t *label_lengths; /* (batch,); NULL: not wanted */
    float *score;           /* (batch,) the logarithm of the path's probability; NULL: not wanted */
    closs_ctc_bad *bad;     /* filled in for CLOSS_BAD_LENGTH; NULL: not wanted */
    int64_t reserved[4];    /* room for later releases: 0 */
} closs_ctc_greedy_args_f32;

typedef struct closs_ctc_greedy_args_f64 {
    int64_t batch, time, classes;
    int64_t batch_stride, time_stride;
    const double *pred;
    const int64_t *pred_lengths;
    int64_t blank;
    closs_ctc_input input;

    int64_t *label;
    int64_t *label_lengths;
    double *score;
    closs_ctc_bad *bad;
    int64_t reserved[4];
} closs_ctc_greedy_args_f64;

CLOSS_EXPORT closs_status closs_ctc_greedy_f32(const closs_ctc_greedy_args_f32 *args);
CLOSS_EXPORT closs_status closs_ctc_greedy_f64(const closs_ctc_greedy_args_f64 *args);

#ifdef __cplusplus
}
#endif

#endif
