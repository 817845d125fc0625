/* One type's half of fuzz_ctc.c. */

typedef struct {
    NAME(closs_ctc_args) args;
    int64_t batch, time, classes, step, elements; /* what the arrays were made for; step: from row to row */
    int64_t grad_batch_stride, grad_time_stride;
    size_t value_bytes, grad_bytes;
    int finite, odd;
} NAME(fuzz_call);

/* Arrays and arguments that belong together, unless the call is to be odd. */
static NAME(fuzz_call) NAME(make_call)(heap *h, source *in) {
    NAME(fuzz_call) call = {.batch = below(in, 4), .time = below(in, 24), .classes = 1 + below(in, 40)};
    const int size = byte(in); /* now and then more than a row in L1 (or in double) takes, or frames for all threads */
    if (size == 1) call.classes = 1 + byte(in) * 5 % 1200;
    if (size == 2) call.time = 200 + below(in, 200) * 4;
    const int width = below(in, 19), transposed = below(in, 2), flags = byte(in), odd = below(in, 4) == 0;
    const int more = byte(in), grad_transposed = more & 1 ? !transposed : transposed;
    call.step = call.classes + below(in, 3);
    const int64_t rows = call.batch * call.time, grad_step = more & 2 ? call.classes : call.step;
    call.elements = rows > 0 ? (rows - 1) * call.step + call.classes : 0;
    call.value_bytes = sizeof(real) * (size_t)call.batch;
    call.grad_bytes = rows > 0 ? sizeof(real) * (size_t)((rows - 1) * grad_step + call.classes) : 0;
    call.grad_time_stride = grad_transposed ? grad_step * call.batch : grad_step;
    call.grad_batch_stride = grad_transposed ? grad_step : grad_step * call.time;
    call.finite = 1;
    call.odd = odd;

    NAME(closs_ctc_args) *args = &call.args;
    args->batch = call.batch, args->time = call.time, args->classes = call.classes;
    args->time_stride = transposed ? call.step * call.batch : call.step;
    args->batch_stride = transposed ? call.step : call.step * call.time;
    real *pred = get_or_null(h, sizeof(real) * (size_t)call.elements);
    for (int64_t i = 0; i < call.elements; i++) {
        pred[i] = i < 4096 ? (real)score(in) : pred[i - 4093];
        call.finite &= isfinite(pred[i]) != 0;
    }
    args->pred = pred;
    args->blank = integer(in, (int)call.classes - 1, odd);
    args->input = flags & 1 ? CLOSS_CTC_LOG_PROBS : CLOSS_CTC_LOGITS;
    args->infeasible = (closs_ctc_infeasible)(flags / 2 % (3 + odd));

    args->label_width = width;
    args->label_size = call.batch * width;
    int64_t *label = integers(h, in, args->label_size, (int)call.classes - (odd ? 0 : 1), odd);
    for (int64_t i = 0; !odd && i < args->label_size; i++)
        if (label[i] == args->blank) label[i] = call.classes > 1 ? (args->blank + 1) % call.classes : -1;
    args->label = label;
    if (flags & 8) args->label_stride = call.batch, args->label_batch_stride = 1;
    if (flags & 16 || call.classes == 1)
        args->label_lengths = integers(h, in, call.batch, call.classes > 1 ? width : 0, odd);
    if (flags & 32) args->pred_lengths = integers(h, in, call.batch, (int)call.time, odd);
    if (flags & 64) {
        int64_t *offsets = integers(h, in, call.batch, width, odd);
        for (int64_t n = 0; !odd && n < call.batch; n++) /* the samples' labels, the last one's first */
            offsets[n] = (call.batch - 1 - n) * (flags & 8 ? 1 : width);
        args->label_offsets = offsets;
    }
    if (more & 12) {
        real *scale = get_or_null(h, call.value_bytes);
        for (int64_t n = 0; n < call.batch; n++) scale[n] = (real)(below(in, 5) - 2) / 2;
        args->scale = scale;
    }
    args->grad_batch_stride = call.grad_batch_stride, args->grad_time_stride = call.grad_time_stride;
    args->value = get(h, call.value_bytes);
    args->grad = get_or_null(h, call.grad_bytes);
    args->feasible = get_or_null(h, (size_t)call.batch);
    if (flags & 128) args->workspace_size = NAME(closs_ctc_workspace_size)(args) / (size_t)(1 + 2 * odd);
    args->workspace = args->workspace_size > 0 ? get(h, args->workspace_size) : NULL;
    return call;
}

/* Sizes that no memory could have, and strides that are wrong: all of these have to be seen. */
static void NAME(spoil_sizes)(NAME(fuzz_call) * call, source *in) {
    NAME(closs_ctc_args) *args = &call->args;
    int64_t *sizes[] = {&args->batch,
                        &args->time,
                        &args->classes,
                        &args->batch_stride,
                        &args->time_stride,
                        &args->label_width,
                        &args->label_batch_stride,
                        &args->label_stride,
                        &args->label_size,
                        &args->reserved[2]};
    static const int64_t wrong[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 2};
    *sizes[below(in, 10)] = wrong[below(in, 4)];
    if (args->label_size > call->batch * 19) args->label_size = -1; /* a lie that nobody could see */
    if (args->batch == 0 || args->time == 0 || args->label_width == 0)
        args->reserved[0] = 1; /* strides do not matter */
    if (call->batch < 2 || call->time < 2) args->reserved[0] = 1;
}

static void NAME(check_results)(const NAME(fuzz_call) * call) {
    const NAME(closs_ctc_args) *args = &call->args;
    const int log_probs = args->input == CLOSS_CTC_LOG_PROBS;
    for (int64_t n = 0; n < call->batch; n++) {
        const real value = args->value[n];
        REQUIRE(args->feasible[n] < 2);
        if (call->finite) REQUIRE(value == value && (log_probs || value >= 0));
        for (int64_t t = 0; t < call->time; t++) {
            const real *grad = args->grad + n * call->grad_batch_stride + t * call->grad_time_stride;
            const double scale = args->scale ? args->scale[n] : 1;
            double sum = 0;
            for (int64_t c = 0; c < call->classes; c++) sum += grad[c];
            if (!args->feasible[n]) REQUIRE(sum == 0);
            /* softmax and gamma both add up to 1; there is neither in a frame that is not the sample's */
            double expected = log_probs && fabs(sum) > fabs(scale) / 2 ? -scale : 0;
            if (call->finite) REQUIRE(fabs(sum - expected) < PICK(1e-4, 1e-10));
        }
    }
}

/* Without the gradient, without anything but it, in place, and with one thread: the same bits. */
static void NAME(check_other_ways)(const NAME(fuzz_call) * call, heap *h) {
    NAME(closs_ctc_args) args = call->args;
    real *value = args.value = get(h, call->value_bytes);
    closs_set_num_threads(1);
    args.grad = NULL, args.feasible = NULL, args.workspace = NULL;
    REQUIRE(NAME(closs_ctc)(&args) == CLOSS_OK && same_bytes(value, call->args.value, call->value_bytes));
    args.value = NULL;
    args.grad = get(h, call->grad_bytes);
    fill(args.grad, call->grad_bytes); /* between rows too nothing is touched */
    REQUIRE(NAME(closs_ctc)(&args) == CLOSS_OK && same_bytes(args.grad, call->args.grad, call->grad_bytes));
    args.value = value;
    args.grad = get(h, sizeof(real) * (size_t)call->elements);
    for (int64_t i = 0; i < call->elements; i++) args.grad[i] = call->args.pred[i];
    args.pred = args.grad;
    args.grad_batch_stride = args.grad_time_stride = 0; /* pred's */
    REQUIRE(NAME(closs_ctc)(&args) == CLOSS_OK && same_bytes(value, call->args.value, call->value_bytes));
    for (int64_t n = 0; n < call->batch; n++)
        for (int64_t t = 0; t < call->time; t++)
            REQUIRE(!memcmp(call->args.grad + n * call->grad_batch_stride + t * call->grad_time_stride,
                            args.grad + n * args.batch_stride + t * args.time_stride,
                            sizeof(real) * (size_t)call->classes));
}

/* Labels are classes other than the blank, and then -1; a call that fails touches nothing. */
static void NAME(decode)(const NAME(fuzz_call) * call, source *in, heap *h) {
    const NAME(closs_ctc_args) *args = &call->args;
    const int wanted = byte(in);
    const size_t label_bytes = sizeof(int64_t) * (size_t)(call->batch * call->time);
    closs_ctc_bad bad;
    NAME(closs_ctc_greedy_args)
    greedy = {
        .batch = args->batch,
        .time = args->time,
        .classes = args->classes,
        .pred = args->pred,
        .batch_stride = args->batch_stride,
        .time_stride = args->time_stride,
        .blank = args->blank,
        .pred_lengths = args->pred_lengths,
        .input = args->input,
    };
    greedy.reserved[0] = args->reserved[0];
    greedy.label = get_or_null(h, label_bytes);
    if (wanted & 1) greedy.label_lengths = get_or_null(h, sizeof(int64_t) * (size_t)call->batch);
    if (wanted & 2) greedy.score = get_or_null(h, call->value_bytes);
    if (wanted & 4) greedy.bad = &bad;
    fill(greedy.label, label_bytes);
    closs_status status = NAME(closs_ctc_greedy)(&greedy);
    REQUIRE(call->odd || status == CLOSS_OK);
    if (status == CLOSS_BAD_LENGTH && greedy.bad)
        REQUIRE(bad.position == 0 && bad.value == args->pred_lengths[bad.sample]);
    if (status != CLOSS_OK) REQUIRE(is_untouched(greedy.label, label_bytes));
    for (int64_t n = 0; status == CLOSS_OK && n < call->batch; n++) {
        int64_t labels = 0, at = n * call->time, end = at + call->time;
        for (; at < end && greedy.label[at] != -1; at++, labels++)
            REQUIRE(greedy.label[at] >= 0 && greedy.label[at] < call->classes && greedy.label[at] != args->blank);
        for (; at < end; at++) REQUIRE(greedy.label[at] == -1);
        if (greedy.label_lengths) REQUIRE(greedy.label_lengths[n] == labels);
        if (greedy.score && call->finite)
            REQUIRE(args->input == CLOSS_CTC_LOGITS ? greedy.score[n] <= 0 : greedy.score[n] == greedy.score[n]);
    }
}

static void NAME(fuzz)(source *in) {
    heap h = {.empty_is_null = below(in, 2)};
    closs_set_num_threads(1 + below(in, 4));
    NAME(fuzz_call) call = NAME(make_call)(&h, in);
    NAME(closs_ctc_args) *args = &call.args;
    const int spoilt = call.odd && below(in, 2);
    if (spoilt) NAME(spoil_sizes)(&call, in);
    closs_ctc_bad bad;
    if (below(in, 2)) args->bad = &bad;
    fill(args->value, call.value_bytes);
    fill(args->grad, call.grad_bytes);
    fill(args->feasible, (size_t)call.batch);
    closs_status status = NAME(closs_ctc)(args);
    REQUIRE(call.odd || status == CLOSS_OK || status == CLOSS_INFEASIBLE);
    if (status != CLOSS_OK) {
        REQUIRE(is_untouched(args->value, call.value_bytes) && is_untouched(args->grad, call.grad_bytes));
        REQUIRE(is_untouched(args->feasible, (size_t)call.batch));
    } else if (!spoilt) {
        valid++;
        NAME(check_results)(&call);
        NAME(check_other_ways)(&call, &h);
    }
    NAME(decode)(&call, in, &h);
    while (h.count > 0) free(h.memory[--h.count]);
}
