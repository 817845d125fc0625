# Losses with typed memoryviews, made from include/closs/closs.h by tools/make_api.py.
cimport closs._bindings.c_api as c_api
from libc.stdint cimport int64_t

cdef double l1_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil
cdef double l1_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil
cdef double l2_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil
cdef double l2_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil
cdef double huber_f32(const float[::1] pred, const float[::1] label, float[::1] grad, c_api.closs_reduction reduction,
                      float rho) except? -1 nogil
cdef double huber_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                      c_api.closs_reduction reduction, double rho) except? -1 nogil
cdef double sigmoid_bce_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                            c_api.closs_reduction reduction, float pos_weight) except? -1 nogil
cdef double sigmoid_bce_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                            c_api.closs_reduction reduction, double pos_weight) except? -1 nogil
cdef double bce_f32(const float[::1] pred, const float[::1] label, float[::1] grad, c_api.closs_reduction reduction,
                    float pos_weight) except? -1 nogil
cdef double bce_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                    c_api.closs_reduction reduction, double pos_weight) except? -1 nogil
cdef double hinge_f32(const float[::1] pred, const float[::1] label, float[::1] grad, c_api.closs_reduction reduction,
                      float margin) except? -1 nogil
cdef double hinge_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                      c_api.closs_reduction reduction, double margin) except? -1 nogil
cdef double squared_hinge_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                              c_api.closs_reduction reduction, float margin) except? -1 nogil
cdef double squared_hinge_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                              c_api.closs_reduction reduction, double margin) except? -1 nogil
cdef double logistic_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                         c_api.closs_reduction reduction) except? -1 nogil
cdef double logistic_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                         c_api.closs_reduction reduction) except? -1 nogil
cdef double logistic_binary_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                c_api.closs_reduction reduction) except? -1 nogil
cdef double logistic_binary_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                c_api.closs_reduction reduction) except? -1 nogil
cdef double poisson_nll_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                            c_api.closs_reduction reduction) except? -1 nogil
cdef double poisson_nll_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                            c_api.closs_reduction reduction) except? -1 nogil
cdef double poisson_nll_full_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil
cdef double poisson_nll_full_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil
cdef double poisson_rate_nll_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                 c_api.closs_reduction reduction, float epsilon) except? -1 nogil
cdef double poisson_rate_nll_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                 c_api.closs_reduction reduction, double epsilon) except? -1 nogil
cdef double poisson_rate_nll_full_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                      c_api.closs_reduction reduction, float epsilon) except? -1 nogil
cdef double poisson_rate_nll_full_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                      c_api.closs_reduction reduction, double epsilon) except? -1 nogil
cdef double kl_div_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                       c_api.closs_reduction reduction) except? -1 nogil
cdef double kl_div_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                       c_api.closs_reduction reduction) except? -1 nogil
cdef double softmax_ce_f32(const float[:, ::1] pred, const int64_t[::1] label, float[:, ::1] grad,
                           c_api.closs_reduction reduction) except? -1 nogil
cdef double softmax_ce_f64(const double[:, ::1] pred, const int64_t[::1] label, double[:, ::1] grad,
                           c_api.closs_reduction reduction) except? -1 nogil
cdef double softmax_ce_dense_f32(const float[:, ::1] pred, const float[:, ::1] label, float[:, ::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil
cdef double softmax_ce_dense_f64(const double[:, ::1] pred, const double[:, ::1] label, double[:, ::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil
cdef double kl_div_softmax_f32(const float[:, ::1] pred, const float[:, ::1] label, float[:, ::1] grad,
                               c_api.closs_reduction reduction) except? -1 nogil
cdef double kl_div_softmax_f64(const double[:, ::1] pred, const double[:, ::1] label, double[:, ::1] grad,
                               c_api.closs_reduction reduction) except? -1 nogil
cdef double triplet_f32(const float[:, ::1] pred, const float[:, ::1] positive, const float[:, ::1] negative,
                        float[:, ::1] grad_pred, float[:, ::1] grad_positive, float[:, ::1] grad_negative,
                        c_api.closs_reduction reduction, double margin) except? -1 nogil
cdef double triplet_f64(const double[:, ::1] pred, const double[:, ::1] positive, const double[:, ::1] negative,
                        double[:, ::1] grad_pred, double[:, ::1] grad_positive, double[:, ::1] grad_negative,
                        c_api.closs_reduction reduction, double margin) except? -1 nogil
cdef double cosine_embedding_f32(const float[:, ::1] input1, const float[:, ::1] input2, const float[::1] label,
                                 float[:, ::1] grad1, float[:, ::1] grad2, c_api.closs_reduction reduction,
                                 double margin) except? -1 nogil
cdef double cosine_embedding_f64(const double[:, ::1] input1, const double[:, ::1] input2, const double[::1] label,
                                 double[:, ::1] grad1, double[:, ::1] grad2, c_api.closs_reduction reduction,
                                 double margin) except? -1 nogil
cdef double sdml_f32(const float[:, ::1] x1, const float[:, ::1] x2, float[:, ::1] grad1, float[:, ::1] grad2,
                     c_api.closs_reduction reduction, double smoothing) except? -1 nogil
cdef double sdml_f64(const double[:, ::1] x1, const double[:, ::1] x2, double[:, ::1] grad1, double[:, ::1] grad2,
                     c_api.closs_reduction reduction, double smoothing) except? -1 nogil
cdef int ctc_f32(const float[:, :, ::1] pred, const int64_t[:, ::1] label, const int64_t[::1] pred_lengths,
                 const int64_t[::1] label_lengths, float[::1] value, float[:, :, ::1] grad, int64_t blank,
                 c_api.closs_ctc_input input, c_api.closs_ctc_infeasible infeasible) except -1 nogil
cdef int ctc_f64(const double[:, :, ::1] pred, const int64_t[:, ::1] label, const int64_t[::1] pred_lengths,
                 const int64_t[::1] label_lengths, double[::1] value, double[:, :, ::1] grad, int64_t blank,
                 c_api.closs_ctc_input input, c_api.closs_ctc_infeasible infeasible) except -1 nogil
cdef int ctc_greedy_f32(const float[:, :, ::1] pred, const int64_t[::1] pred_lengths, int64_t[:, ::1] label,
                        int64_t[::1] label_lengths, float[::1] score, int64_t blank,
                        c_api.closs_ctc_input input) except -1 nogil
cdef int ctc_greedy_f64(const double[:, :, ::1] pred, const int64_t[::1] pred_lengths, int64_t[:, ::1] label,
                        int64_t[::1] label_lengths, double[::1] score, int64_t blank,
                        c_api.closs_ctc_input input) except -1 nogil
