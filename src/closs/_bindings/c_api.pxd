# The C API of closs for Cython, made from include/closs/closs.h by tools/make_api.py.
from libc.stdint cimport int64_t, uint64_t, int32_t, int8_t, uint8_t

cdef extern from "closs/closs.h" nogil:
    const int CLOSS_VERSION_MAJOR
    const int CLOSS_VERSION_MINOR
    const int CLOSS_VERSION_PATCH
    const int CLOSS_ABI_VERSION

    ctypedef enum closs_status:
        CLOSS_OK
        CLOSS_NULL_POINTER
        CLOSS_BAD_SIZE
        CLOSS_BAD_BROADCAST
        CLOSS_BAD_REDUCTION
        CLOSS_BAD_PARAMETER
        CLOSS_MISALIGNED
        CLOSS_OVERLAP
        CLOSS_UNKNOWN_LOSS
        CLOSS_MISSING_OUTPUT
        CLOSS_BAD_LABEL
        CLOSS_NO_MEMORY
        CLOSS_TOO_NEW
        CLOSS_BAD_LENGTH
        CLOSS_INFEASIBLE
    const char *closs_status_string(closs_status status)
    const char *closs_version()
    const char *closs_isa()
    const char *closs_isa_available(int k)
    int closs_has_openmp()
    int closs_get_num_threads()
    int closs_get_threads_setting()
    closs_status closs_set_num_threads(int threads)

    ctypedef void (*closs_function)() noexcept

    ctypedef struct closs_api_entry:
        const char *name
        closs_function function

    ctypedef struct closs_api:
        uint64_t size
        int64_t abi
        const char *version
        int64_t count
        const closs_api_entry *entries
    const closs_api *closs_get_api()
    closs_function closs_find_function(const char *name)

    ctypedef enum closs_reduction:
        CLOSS_SAMPLE_MEAN
        CLOSS_SAMPLE_SUM
        CLOSS_NONE
        CLOSS_MEAN
        CLOSS_SUM
        CLOSS_WEIGHTED_MEAN

    ctypedef struct closs_broadcast_f32:
        const float *data
        int64_t repeat
        int64_t period

    ctypedef struct closs_broadcast_f64:
        const double *data
        int64_t repeat
        int64_t period

    ctypedef struct closs_elementwise_f32:
        int64_t outer
        int64_t batch
        int64_t inner
        const float *pred
        const float *label
        closs_broadcast_f32 sample_weight
        const double *weight
        const float *grad_output
        closs_reduction reduction
        float *value
        double *total
        float *grad
        int64_t reserved[4]

    ctypedef struct closs_elementwise_f64:
        int64_t outer
        int64_t batch
        int64_t inner
        const double *pred
        const double *label
        closs_broadcast_f64 sample_weight
        const double *weight
        const double *grad_output
        closs_reduction reduction
        double *value
        double *total
        double *grad
        int64_t reserved[4]
    closs_status closs_l1_f32(const closs_elementwise_f32 *args)
    closs_status closs_l1_f64(const closs_elementwise_f64 *args)
    closs_status closs_l2_f32(const closs_elementwise_f32 *args)
    closs_status closs_l2_f64(const closs_elementwise_f64 *args)
    closs_status closs_huber_f32(const closs_elementwise_f32 *args, float rho)
    closs_status closs_huber_f64(const closs_elementwise_f64 *args, double rho)
    closs_status closs_sigmoid_bce_f32(const closs_elementwise_f32 *args, const closs_broadcast_f32 *pos_weight)
    closs_status closs_sigmoid_bce_f64(const closs_elementwise_f64 *args, const closs_broadcast_f64 *pos_weight)
    closs_status closs_bce_f32(const closs_elementwise_f32 *args, const closs_broadcast_f32 *pos_weight)
    closs_status closs_bce_f64(const closs_elementwise_f64 *args, const closs_broadcast_f64 *pos_weight)
    closs_status closs_hinge_f32(const closs_elementwise_f32 *args, float margin)
    closs_status closs_hinge_f64(const closs_elementwise_f64 *args, double margin)
    closs_status closs_squared_hinge_f32(const closs_elementwise_f32 *args, float margin)
    closs_status closs_squared_hinge_f64(const closs_elementwise_f64 *args, double margin)
    closs_status closs_logistic_f32(const closs_elementwise_f32 *args)
    closs_status closs_logistic_f64(const closs_elementwise_f64 *args)
    closs_status closs_logistic_binary_f32(const closs_elementwise_f32 *args)
    closs_status closs_logistic_binary_f64(const closs_elementwise_f64 *args)
    closs_status closs_poisson_nll_f32(const closs_elementwise_f32 *args)
    closs_status closs_poisson_nll_f64(const closs_elementwise_f64 *args)
    closs_status closs_poisson_nll_full_f32(const closs_elementwise_f32 *args)
    closs_status closs_poisson_nll_full_f64(const closs_elementwise_f64 *args)
    closs_status closs_poisson_rate_nll_f32(const closs_elementwise_f32 *args, float epsilon)
    closs_status closs_poisson_rate_nll_f64(const closs_elementwise_f64 *args, double epsilon)
    closs_status closs_poisson_rate_nll_full_f32(const closs_elementwise_f32 *args, float epsilon)
    closs_status closs_poisson_rate_nll_full_f64(const closs_elementwise_f64 *args, double epsilon)
    closs_status closs_kl_div_f32(const closs_elementwise_f32 *args)
    closs_status closs_kl_div_f64(const closs_elementwise_f64 *args)
    int closs_elementwise_find(const char *name)
    const char *closs_elementwise_name(int loss)
    const char *closs_elementwise_parameter(int loss)
    closs_status closs_elementwise_run_f32(int loss,
                                           const closs_elementwise_f32 *args, const closs_broadcast_f32 *parameter)
    closs_status closs_elementwise_run_f64(int loss,
                                           const closs_elementwise_f64 *args, const closs_broadcast_f64 *parameter)

    ctypedef struct closs_bad_label:
        int64_t position
        int64_t label

    ctypedef struct closs_softmax_f32:
        int64_t outer
        int64_t classes
        int64_t inner
        int64_t batch
        int64_t sample_inner
        const float *pred
        const int64_t *label
        const float *label_dense
        closs_broadcast_f32 sample_weight
        const float *element_weight
        const double *weight
        const float *grad_output
        int log_probabilities
        const float *class_weight
        const int64_t *ignore_index
        double label_smoothing
        double z_loss
        closs_reduction reduction
        float *value
        double *total
        float *grad
        float *lse
        closs_bad_label *bad
        int64_t reserved[4]

    ctypedef struct closs_softmax_f64:
        int64_t outer
        int64_t classes
        int64_t inner
        int64_t batch
        int64_t sample_inner
        const double *pred
        const int64_t *label
        const double *label_dense
        closs_broadcast_f64 sample_weight
        const double *element_weight
        const double *weight
        const double *grad_output
        int log_probabilities
        const double *class_weight
        const int64_t *ignore_index
        double label_smoothing
        double z_loss
        closs_reduction reduction
        double *value
        double *total
        double *grad
        double *lse
        closs_bad_label *bad
        int64_t reserved[4]
    closs_status closs_softmax_ce_f32(const closs_softmax_f32 *args)
    closs_status closs_softmax_ce_f64(const closs_softmax_f64 *args)
    closs_status closs_softmax_ce_dense_f32(const closs_softmax_f32 *args)
    closs_status closs_softmax_ce_dense_f64(const closs_softmax_f64 *args)
    closs_status closs_kl_div_softmax_f32(const closs_softmax_f32 *args)
    closs_status closs_kl_div_softmax_f64(const closs_softmax_f64 *args)

    ctypedef struct closs_vectors_f32:
        int64_t outer
        int64_t rows
        int64_t inner
        int64_t batch
        int64_t sample_inner
        const float *input[3]
        const float *label
        closs_broadcast_f32 sample_weight
        const double *weight
        const float *grad_output
        closs_reduction reduction
        float *value
        double *total
        float *grad[3]
        closs_bad_label *bad
        int64_t reserved[4]

    ctypedef struct closs_vectors_f64:
        int64_t outer
        int64_t rows
        int64_t inner
        int64_t batch
        int64_t sample_inner
        const double *input[3]
        const double *label
        closs_broadcast_f64 sample_weight
        const double *weight
        const double *grad_output
        closs_reduction reduction
        double *value
        double *total
        double *grad[3]
        closs_bad_label *bad
        int64_t reserved[4]
    closs_status closs_triplet_f32(const closs_vectors_f32 *args, double margin)
    closs_status closs_triplet_f64(const closs_vectors_f64 *args, double margin)
    closs_status closs_cosine_embedding_f32(const closs_vectors_f32 *args, double margin)
    closs_status closs_cosine_embedding_f64(const closs_vectors_f64 *args, double margin)

    ctypedef struct closs_pairwise_f32:
        int64_t rows
        int64_t inner
        const float *input[2]
        closs_broadcast_f32 sample_weight
        const double *weight
        const float *grad_output
        closs_reduction reduction
        float *value
        double *total
        float *grad[2]
        double *workspace
        int64_t reserved[4]

    ctypedef struct closs_pairwise_f64:
        int64_t rows
        int64_t inner
        const double *input[2]
        closs_broadcast_f64 sample_weight
        const double *weight
        const double *grad_output
        closs_reduction reduction
        double *value
        double *total
        double *grad[2]
        double *workspace
        int64_t reserved[4]
    size_t closs_pairwise_workspace_f32(int64_t rows, int want_grad)
    size_t closs_pairwise_workspace_f64(int64_t rows, int want_grad)
    closs_status closs_sdml_f32(const closs_pairwise_f32 *args, double smoothing)
    closs_status closs_sdml_f64(const closs_pairwise_f64 *args, double smoothing)

    ctypedef enum closs_ctc_input:
        CLOSS_CTC_LOGITS
        CLOSS_CTC_LOG_PROBS

    ctypedef enum closs_ctc_infeasible:
        CLOSS_CTC_INF
        CLOSS_CTC_ZERO
        CLOSS_CTC_RAISE

    ctypedef struct closs_ctc_bad:
        int64_t sample
        int64_t position
        int64_t value

    ctypedef struct closs_ctc_args_f32:
        int64_t batch
        int64_t time
        int64_t classes
        int64_t batch_stride
        int64_t time_stride
        const float *pred
        const int64_t *pred_lengths
        int64_t blank
        closs_ctc_input input
        closs_ctc_infeasible infeasible
        const int64_t *label
        int64_t label_width
        int64_t label_batch_stride
        int64_t label_stride
        int64_t label_size
        const int64_t *label_offsets
        const int64_t *label_lengths
        const float *scale
        float *value
        float *grad
        int64_t grad_batch_stride
        int64_t grad_time_stride
        uint8_t *feasible
        void *workspace
        size_t workspace_size
        closs_ctc_bad *bad
        int64_t reserved[4]

    ctypedef struct closs_ctc_args_f64:
        int64_t batch
        int64_t time
        int64_t classes
        int64_t batch_stride
        int64_t time_stride
        const double *pred
        const int64_t *pred_lengths
        int64_t blank
        closs_ctc_input input
        closs_ctc_infeasible infeasible
        const int64_t *label
        int64_t label_width
        int64_t label_batch_stride
        int64_t label_stride
        int64_t label_size
        const int64_t *label_offsets
        const int64_t *label_lengths
        const double *scale
        double *value
        double *grad
        int64_t grad_batch_stride
        int64_t grad_time_stride
        uint8_t *feasible
        void *workspace
        size_t workspace_size
        closs_ctc_bad *bad
        int64_t reserved[4]
    closs_status closs_ctc_f32(const closs_ctc_args_f32 *args)
    closs_status closs_ctc_f64(const closs_ctc_args_f64 *args)
    size_t closs_ctc_workspace_size_f32(const closs_ctc_args_f32 *args)
    size_t closs_ctc_workspace_size_f64(const closs_ctc_args_f64 *args)

    ctypedef struct closs_ctc_greedy_args_f32:
        int64_t batch
        int64_t time
        int64_t classes
        int64_t batch_stride
        int64_t time_stride
        const float *pred
        const int64_t *pred_lengths
        int64_t blank
        closs_ctc_input input
        int64_t *label
        int64_t *label_lengths
        float *score
        closs_ctc_bad *bad
        int64_t reserved[4]

    ctypedef struct closs_ctc_greedy_args_f64:
        int64_t batch
        int64_t time
        int64_t classes
        int64_t batch_stride
        int64_t time_stride
        const double *pred
        const int64_t *pred_lengths
        int64_t blank
        closs_ctc_input input
        int64_t *label
        int64_t *label_lengths
        double *score
        closs_ctc_bad *bad
        int64_t reserved[4]
    closs_status closs_ctc_greedy_f32(const closs_ctc_greedy_args_f32 *args)
    closs_status closs_ctc_greedy_f64(const closs_ctc_greedy_args_f64 *args)
