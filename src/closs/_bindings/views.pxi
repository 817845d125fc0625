# Losses with typed memoryviews, made from include/closs/closs.h by tools/make_api.py.

cdef double l1_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_l1_f32(&args))
    return total


cdef double l1_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_l1_f64(&args))
    return total


cdef double l2_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_l2_f32(&args))
    return total


cdef double l2_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                   c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_l2_f64(&args))
    return total


cdef double huber_f32(const float[::1] pred, const float[::1] label, float[::1] grad, c_api.closs_reduction reduction,
                      float rho) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_huber_f32(&args, rho))
    return total


cdef double huber_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                      c_api.closs_reduction reduction, double rho) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_huber_f64(&args, rho))
    return total


cdef double sigmoid_bce_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                            c_api.closs_reduction reduction, float pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef c_api.closs_broadcast_f32 uniform
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    args.total = &total
    check(c_api.closs_sigmoid_bce_f32(&args, &uniform))
    return total


cdef double sigmoid_bce_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                            c_api.closs_reduction reduction, double pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef c_api.closs_broadcast_f64 uniform
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    args.total = &total
    check(c_api.closs_sigmoid_bce_f64(&args, &uniform))
    return total


cdef double bce_f32(const float[::1] pred, const float[::1] label, float[::1] grad, c_api.closs_reduction reduction,
                    float pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef c_api.closs_broadcast_f32 uniform
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    args.total = &total
    check(c_api.closs_bce_f32(&args, &uniform))
    return total


cdef double bce_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                    c_api.closs_reduction reduction, double pos_weight) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef c_api.closs_broadcast_f64 uniform
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    uniform.data, uniform.repeat, uniform.period = &pos_weight, 0, 1
    args.total = &total
    check(c_api.closs_bce_f64(&args, &uniform))
    return total


cdef double hinge_f32(const float[::1] pred, const float[::1] label, float[::1] grad, c_api.closs_reduction reduction,
                      float margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_hinge_f32(&args, margin))
    return total


cdef double hinge_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                      c_api.closs_reduction reduction, double margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_hinge_f64(&args, margin))
    return total


cdef double squared_hinge_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                              c_api.closs_reduction reduction, float margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_squared_hinge_f32(&args, margin))
    return total


cdef double squared_hinge_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                              c_api.closs_reduction reduction, double margin) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_squared_hinge_f64(&args, margin))
    return total


cdef double logistic_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                         c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_logistic_f32(&args))
    return total


cdef double logistic_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                         c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_logistic_f64(&args))
    return total


cdef double logistic_binary_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_logistic_binary_f32(&args))
    return total


cdef double logistic_binary_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_logistic_binary_f64(&args))
    return total


cdef double poisson_nll_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                            c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_nll_f32(&args))
    return total


cdef double poisson_nll_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                            c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_nll_f64(&args))
    return total


cdef double poisson_nll_full_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_nll_full_f32(&args))
    return total


cdef double poisson_nll_full_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_nll_full_f64(&args))
    return total


cdef double poisson_rate_nll_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                 c_api.closs_reduction reduction, float epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_rate_nll_f32(&args, epsilon))
    return total


cdef double poisson_rate_nll_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                 c_api.closs_reduction reduction, double epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_rate_nll_f64(&args, epsilon))
    return total


cdef double poisson_rate_nll_full_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                                      c_api.closs_reduction reduction, float epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_rate_nll_full_f32(&args, epsilon))
    return total


cdef double poisson_rate_nll_full_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                                      c_api.closs_reduction reduction, double epsilon) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_poisson_rate_nll_full_f64(&args, epsilon))
    return total


cdef double kl_div_f32(const float[::1] pred, const float[::1] label, float[::1] grad,
                       c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_kl_div_f32(&args))
    return total


cdef double kl_div_f64(const double[::1] pred, const double[::1] label, double[::1] grad,
                       c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_elementwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 1)
        args.grad = &grad[0]
    args.batch = 1
    args.inner = pred.shape[0]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_kl_div_f64(&args))
    return total


cdef double softmax_ce_f32(const float[:, ::1] pred, const int64_t[::1] label, float[:, ::1] grad,
                           c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f32 args
    cdef c_api.closs_bad_label bad
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 2)
        args.grad = &grad[0, 0]
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.reduction = reduction
    args.bad = &bad
    args.total = &total
    check_class(c_api.closs_softmax_ce_f32(&args), &bad, args.classes)
    return total


cdef double softmax_ce_f64(const double[:, ::1] pred, const int64_t[::1] label, double[:, ::1] grad,
                           c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f64 args
    cdef c_api.closs_bad_label bad
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 2)
        args.grad = &grad[0, 0]
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.reduction = reduction
    args.bad = &bad
    args.total = &total
    check_class(c_api.closs_softmax_ce_f64(&args), &bad, args.classes)
    return total


cdef double softmax_ce_dense_f32(const float[:, ::1] pred, const float[:, ::1] label, float[:, ::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 2)
    args.label_dense = &label[0, 0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 2)
        args.grad = &grad[0, 0]
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_softmax_ce_dense_f32(&args))
    return total


cdef double softmax_ce_dense_f64(const double[:, ::1] pred, const double[:, ::1] label, double[:, ::1] grad,
                                 c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 2)
    args.label_dense = &label[0, 0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 2)
        args.grad = &grad[0, 0]
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_softmax_ce_dense_f64(&args))
    return total


cdef double kl_div_softmax_f32(const float[:, ::1] pred, const float[:, ::1] label, float[:, ::1] grad,
                               c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 2)
    args.label_dense = &label[0, 0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 2)
        args.grad = &grad[0, 0]
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_kl_div_softmax_f32(&args))
    return total


cdef double kl_div_softmax_f64(const double[:, ::1] pred, const double[:, ::1] label, double[:, ::1] grad,
                               c_api.closs_reduction reduction) except? -1 nogil:
    cdef c_api.closs_softmax_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 2)
    args.label_dense = &label[0, 0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 2)
        args.grad = &grad[0, 0]
    args.outer = pred.shape[0]
    args.classes = pred.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_kl_div_softmax_f64(&args))
    return total


cdef double triplet_f32(const float[:, ::1] pred, const float[:, ::1] positive, const float[:, ::1] negative,
                        float[:, ::1] grad_pred, float[:, ::1] grad_positive, float[:, ::1] grad_negative,
                        c_api.closs_reduction reduction, double margin) except? -1 nogil:
    cdef c_api.closs_vectors_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.input[0] = &pred[0, 0]
    check_given("positive", positive is not None)
    check_shape("positive", positive.shape, pred.shape, 2)
    args.input[1] = &positive[0, 0]
    check_given("negative", negative is not None)
    check_shape("negative", negative.shape, pred.shape, 2)
    args.input[2] = &negative[0, 0]
    if grad_pred is not None:
        check_shape("grad_pred", grad_pred.shape, pred.shape, 2)
        args.grad[0] = &grad_pred[0, 0]
    if grad_positive is not None:
        check_shape("grad_positive", grad_positive.shape, pred.shape, 2)
        args.grad[1] = &grad_positive[0, 0]
    if grad_negative is not None:
        check_shape("grad_negative", grad_negative.shape, pred.shape, 2)
        args.grad[2] = &grad_negative[0, 0]
    args.rows = pred.shape[0]
    args.inner = pred.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_triplet_f32(&args, margin))
    return total


cdef double triplet_f64(const double[:, ::1] pred, const double[:, ::1] positive, const double[:, ::1] negative,
                        double[:, ::1] grad_pred, double[:, ::1] grad_positive, double[:, ::1] grad_negative,
                        c_api.closs_reduction reduction, double margin) except? -1 nogil:
    cdef c_api.closs_vectors_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.input[0] = &pred[0, 0]
    check_given("positive", positive is not None)
    check_shape("positive", positive.shape, pred.shape, 2)
    args.input[1] = &positive[0, 0]
    check_given("negative", negative is not None)
    check_shape("negative", negative.shape, pred.shape, 2)
    args.input[2] = &negative[0, 0]
    if grad_pred is not None:
        check_shape("grad_pred", grad_pred.shape, pred.shape, 2)
        args.grad[0] = &grad_pred[0, 0]
    if grad_positive is not None:
        check_shape("grad_positive", grad_positive.shape, pred.shape, 2)
        args.grad[1] = &grad_positive[0, 0]
    if grad_negative is not None:
        check_shape("grad_negative", grad_negative.shape, pred.shape, 2)
        args.grad[2] = &grad_negative[0, 0]
    args.rows = pred.shape[0]
    args.inner = pred.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_triplet_f64(&args, margin))
    return total


cdef double cosine_embedding_f32(const float[:, ::1] input1, const float[:, ::1] input2, const float[::1] label,
                                 float[:, ::1] grad1, float[:, ::1] grad2, c_api.closs_reduction reduction,
                                 double margin) except? -1 nogil:
    cdef c_api.closs_vectors_f32 args
    cdef c_api.closs_bad_label bad
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("input1", input1 is not None)
    args.input[0] = &input1[0, 0]
    check_given("input2", input2 is not None)
    check_shape("input2", input2.shape, input1.shape, 2)
    args.input[1] = &input2[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, input1.shape, 1)
    args.label = &label[0]
    if grad1 is not None:
        check_shape("grad1", grad1.shape, input1.shape, 2)
        args.grad[0] = &grad1[0, 0]
    if grad2 is not None:
        check_shape("grad2", grad2.shape, input1.shape, 2)
        args.grad[1] = &grad2[0, 0]
    args.rows = input1.shape[0]
    args.inner = input1.shape[1]
    args.reduction = reduction
    args.bad = &bad
    args.total = &total
    check_sign(c_api.closs_cosine_embedding_f32(&args, margin), &bad, label)
    return total


cdef double cosine_embedding_f64(const double[:, ::1] input1, const double[:, ::1] input2, const double[::1] label,
                                 double[:, ::1] grad1, double[:, ::1] grad2, c_api.closs_reduction reduction,
                                 double margin) except? -1 nogil:
    cdef c_api.closs_vectors_f64 args
    cdef c_api.closs_bad_label bad
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("input1", input1 is not None)
    args.input[0] = &input1[0, 0]
    check_given("input2", input2 is not None)
    check_shape("input2", input2.shape, input1.shape, 2)
    args.input[1] = &input2[0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, input1.shape, 1)
    args.label = &label[0]
    if grad1 is not None:
        check_shape("grad1", grad1.shape, input1.shape, 2)
        args.grad[0] = &grad1[0, 0]
    if grad2 is not None:
        check_shape("grad2", grad2.shape, input1.shape, 2)
        args.grad[1] = &grad2[0, 0]
    args.rows = input1.shape[0]
    args.inner = input1.shape[1]
    args.reduction = reduction
    args.bad = &bad
    args.total = &total
    check_sign(c_api.closs_cosine_embedding_f64(&args, margin), &bad, label)
    return total


cdef double sdml_f32(const float[:, ::1] x1, const float[:, ::1] x2, float[:, ::1] grad1, float[:, ::1] grad2,
                     c_api.closs_reduction reduction, double smoothing) except? -1 nogil:
    cdef c_api.closs_pairwise_f32 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("x1", x1 is not None)
    args.input[0] = &x1[0, 0]
    check_given("x2", x2 is not None)
    check_shape("x2", x2.shape, x1.shape, 2)
    args.input[1] = &x2[0, 0]
    if grad1 is not None:
        check_shape("grad1", grad1.shape, x1.shape, 2)
        args.grad[0] = &grad1[0, 0]
    if grad2 is not None:
        check_shape("grad2", grad2.shape, x1.shape, 2)
        args.grad[1] = &grad2[0, 0]
    args.rows = x1.shape[0]
    args.inner = x1.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_sdml_f32(&args, smoothing))
    return total


cdef double sdml_f64(const double[:, ::1] x1, const double[:, ::1] x2, double[:, ::1] grad1, double[:, ::1] grad2,
                     c_api.closs_reduction reduction, double smoothing) except? -1 nogil:
    cdef c_api.closs_pairwise_f64 args
    cdef double total = 0
    memset(&args, 0, sizeof(args))
    check_given("x1", x1 is not None)
    args.input[0] = &x1[0, 0]
    check_given("x2", x2 is not None)
    check_shape("x2", x2.shape, x1.shape, 2)
    args.input[1] = &x2[0, 0]
    if grad1 is not None:
        check_shape("grad1", grad1.shape, x1.shape, 2)
        args.grad[0] = &grad1[0, 0]
    if grad2 is not None:
        check_shape("grad2", grad2.shape, x1.shape, 2)
        args.grad[1] = &grad2[0, 0]
    args.rows = x1.shape[0]
    args.inner = x1.shape[1]
    args.reduction = reduction
    args.total = &total
    check(c_api.closs_sdml_f64(&args, smoothing))
    return total


cdef int ctc_f32(const float[:, :, ::1] pred, const int64_t[:, ::1] label, const int64_t[::1] pred_lengths,
                 const int64_t[::1] label_lengths, float[::1] value, float[:, :, ::1] grad, int64_t blank,
                 c_api.closs_ctc_input input, c_api.closs_ctc_infeasible infeasible) except -1 nogil:
    cdef c_api.closs_ctc_args_f32 args
    cdef c_api.closs_ctc_bad bad
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0, 0]
    if pred_lengths is not None:
        check_shape("pred_lengths", pred_lengths.shape, pred.shape, 1)
        args.pred_lengths = &pred_lengths[0]
    if label_lengths is not None:
        check_shape("label_lengths", label_lengths.shape, pred.shape, 1)
        args.label_lengths = &label_lengths[0]
    if value is not None:
        check_shape("value", value.shape, pred.shape, 1)
        args.value = &value[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 3)
        args.grad = &grad[0, 0, 0]
    args.batch = pred.shape[0]
    args.time = pred.shape[1]
    args.classes = pred.shape[2]
    args.label_width = label.shape[1]
    args.blank = blank
    args.input = input
    args.infeasible = infeasible
    args.bad = &bad
    return check_ctc(c_api.closs_ctc_f32(&args), &bad, args.time, args.classes, args.label_width, blank)


cdef int ctc_f64(const double[:, :, ::1] pred, const int64_t[:, ::1] label, const int64_t[::1] pred_lengths,
                 const int64_t[::1] label_lengths, double[::1] value, double[:, :, ::1] grad, int64_t blank,
                 c_api.closs_ctc_input input, c_api.closs_ctc_infeasible infeasible) except -1 nogil:
    cdef c_api.closs_ctc_args_f64 args
    cdef c_api.closs_ctc_bad bad
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0, 0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 1)
    args.label = &label[0, 0]
    if pred_lengths is not None:
        check_shape("pred_lengths", pred_lengths.shape, pred.shape, 1)
        args.pred_lengths = &pred_lengths[0]
    if label_lengths is not None:
        check_shape("label_lengths", label_lengths.shape, pred.shape, 1)
        args.label_lengths = &label_lengths[0]
    if value is not None:
        check_shape("value", value.shape, pred.shape, 1)
        args.value = &value[0]
    if grad is not None:
        check_shape("grad", grad.shape, pred.shape, 3)
        args.grad = &grad[0, 0, 0]
    args.batch = pred.shape[0]
    args.time = pred.shape[1]
    args.classes = pred.shape[2]
    args.label_width = label.shape[1]
    args.blank = blank
    args.input = input
    args.infeasible = infeasible
    args.bad = &bad
    return check_ctc(c_api.closs_ctc_f64(&args), &bad, args.time, args.classes, args.label_width, blank)


cdef int ctc_greedy_f32(const float[:, :, ::1] pred, const int64_t[::1] pred_lengths, int64_t[:, ::1] label,
                        int64_t[::1] label_lengths, float[::1] score, int64_t blank,
                        c_api.closs_ctc_input input) except -1 nogil:
    cdef c_api.closs_ctc_greedy_args_f32 args
    cdef c_api.closs_ctc_bad bad
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0, 0]
    if pred_lengths is not None:
        check_shape("pred_lengths", pred_lengths.shape, pred.shape, 1)
        args.pred_lengths = &pred_lengths[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 2)
    args.label = &label[0, 0]
    if label_lengths is not None:
        check_shape("label_lengths", label_lengths.shape, pred.shape, 1)
        args.label_lengths = &label_lengths[0]
    if score is not None:
        check_shape("score", score.shape, pred.shape, 1)
        args.score = &score[0]
    args.batch = pred.shape[0]
    args.time = pred.shape[1]
    args.classes = pred.shape[2]
    args.blank = blank
    args.input = input
    args.bad = &bad
    return check_ctc(c_api.closs_ctc_greedy_f32(&args), &bad, args.time, args.classes, 0, blank)


cdef int ctc_greedy_f64(const double[:, :, ::1] pred, const int64_t[::1] pred_lengths, int64_t[:, ::1] label,
                        int64_t[::1] label_lengths, double[::1] score, int64_t blank,
                        c_api.closs_ctc_input input) except -1 nogil:
    cdef c_api.closs_ctc_greedy_args_f64 args
    cdef c_api.closs_ctc_bad bad
    memset(&args, 0, sizeof(args))
    check_given("pred", pred is not None)
    args.pred = &pred[0, 0, 0]
    if pred_lengths is not None:
        check_shape("pred_lengths", pred_lengths.shape, pred.shape, 1)
        args.pred_lengths = &pred_lengths[0]
    check_given("label", label is not None)
    check_shape("label", label.shape, pred.shape, 2)
    args.label = &label[0, 0]
    if label_lengths is not None:
        check_shape("label_lengths", label_lengths.shape, pred.shape, 1)
        args.label_lengths = &label_lengths[0]
    if score is not None:
        check_shape("score", score.shape, pred.shape, 1)
        args.score = &score[0]
    args.batch = pred.shape[0]
    args.time = pred.shape[1]
    args.classes = pred.shape[2]
    args.blank = blank
    args.input = input
    args.bad = &bad
    return check_ctc(c_api.closs_ctc_greedy_f64(&args), &bad, args.time, args.classes, 0, blank)
