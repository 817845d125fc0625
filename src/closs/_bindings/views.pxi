# Losses with typed memoryviews, made from include/closs/closs.h by tools/make_api.py.

cdef double l1_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_l1_f32(&args))
    return total


cdef double l1_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_l1_f64(&args))
    return total


cdef double l2_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_l2_f32(&args))
    return total


cdef double l2_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_l2_f64(&args))
    return total


cdef double huber_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                      c_api.closs_reduction reduction, float rho) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_huber_f32(&args, rho))
    return total


cdef double huber_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                      c_api.closs_reduction reduction, double rho) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_huber_f64(&args, rho))
    return total


cdef double sigmoid_bce_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                            c_api.closs_reduction reduction, float pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    cdef c_api.closs_broadcast_f32 uniform
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_sigmoid_bce_f32(&args, &uniform))
    return total


cdef double sigmoid_bce_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                            c_api.closs_reduction reduction, double pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    cdef c_api.closs_broadcast_f64 uniform
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_sigmoid_bce_f64(&args, &uniform))
    return total


cdef double bce_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                    c_api.closs_reduction reduction, float pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    cdef c_api.closs_broadcast_f32 uniform
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_bce_f32(&args, &uniform))
    return total


cdef double bce_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                    c_api.closs_reduction reduction, double pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    cdef c_api.closs_broadcast_f64 uniform
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_bce_f64(&args, &uniform))
    return total


cdef double hinge_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                      c_api.closs_reduction reduction, float margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_hinge_f32(&args, margin))
    return total


cdef double hinge_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                      c_api.closs_reduction reduction, double margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_hinge_f64(&args, margin))
    return total


cdef double squared_hinge_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                              c_api.closs_reduction reduction, float margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_squared_hinge_f32(&args, margin))
    return total


cdef double squared_hinge_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                              c_api.closs_reduction reduction, double margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_squared_hinge_f64(&args, margin))
    return total


cdef double logistic_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                         c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_logistic_f32(&args))
    return total


cdef double logistic_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                         c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_logistic_f64(&args))
    return total


cdef double logistic_binary_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_logistic_binary_f32(&args))
    return total


cdef double logistic_binary_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_logistic_binary_f64(&args))
    return total


cdef double poisson_nll_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                            c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_nll_f32(&args))
    return total


cdef double poisson_nll_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                            c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_nll_f64(&args))
    return total


cdef double poisson_nll_full_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_nll_full_f32(&args))
    return total


cdef double poisson_nll_full_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_nll_full_f64(&args))
    return total


cdef double poisson_rate_nll_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                 c_api.closs_reduction reduction, float epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_rate_nll_f32(&args, epsilon))
    return total


cdef double poisson_rate_nll_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                 c_api.closs_reduction reduction, double epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_rate_nll_f64(&args, epsilon))
    return total


cdef double poisson_rate_nll_full_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                      c_api.closs_reduction reduction, float epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_rate_nll_full_f32(&args, epsilon))
    return total


cdef double poisson_rate_nll_full_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                      c_api.closs_reduction reduction, double epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_poisson_rate_nll_full_f64(&args, epsilon))
    return total


cdef double kl_div_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                       c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    fill_f32(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_kl_div_f32(&args))
    return total


cdef double kl_div_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                       c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    fill_f64(&args, pred, label, grad, reduction, &total)
    check(c_api.closs_kl_div_f64(&args))
    return total


cdef double softmax_ce_f32(const float[:, ::1] pred, const int64_t[::1] label, float[:, ::1] grad,
                           c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f32 args
    cdef double total = 0
    fill_softmax_f32(&args, pred, label.shape[0], pred.shape[1], grad, reduction, &total)
    args.label = &label[0]
    check(c_api.closs_softmax_ce_f32(&args))
    return total


cdef double softmax_ce_f64(const double[:, ::1] pred, const int64_t[::1] label, double[:, ::1] grad,
                           c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f64 args
    cdef double total = 0
    fill_softmax_f64(&args, pred, label.shape[0], pred.shape[1], grad, reduction, &total)
    args.label = &label[0]
    check(c_api.closs_softmax_ce_f64(&args))
    return total


cdef double softmax_ce_dense_f32(const float[:, ::1] pred, const float[:, ::1] label, float[:, ::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f32 args
    cdef double total = 0
    fill_softmax_f32(&args, pred, label.shape[0], label.shape[1], grad, reduction, &total)
    args.label_dense = &label[0, 0]
    check(c_api.closs_softmax_ce_dense_f32(&args))
    return total


cdef double softmax_ce_dense_f64(const double[:, ::1] pred, const double[:, ::1] label, double[:, ::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f64 args
    cdef double total = 0
    fill_softmax_f64(&args, pred, label.shape[0], label.shape[1], grad, reduction, &total)
    args.label_dense = &label[0, 0]
    check(c_api.closs_softmax_ce_dense_f64(&args))
    return total


cdef double kl_div_softmax_f32(const float[:, ::1] pred, const float[:, ::1] label, float[:, ::1] grad,
                               c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f32 args
    cdef double total = 0
    fill_softmax_f32(&args, pred, label.shape[0], label.shape[1], grad, reduction, &total)
    args.label_dense = &label[0, 0]
    check(c_api.closs_kl_div_softmax_f32(&args))
    return total


cdef double kl_div_softmax_f64(const double[:, ::1] pred, const double[:, ::1] label, double[:, ::1] grad,
                               c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f64 args
    cdef double total = 0
    fill_softmax_f64(&args, pred, label.shape[0], label.shape[1], grad, reduction, &total)
    args.label_dense = &label[0, 0]
    check(c_api.closs_kl_div_softmax_f64(&args))
    return total
