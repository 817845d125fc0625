/* The public header as a C program sees it: values, statuses, untouched outputs, the same bits for all thread counts.
 */
#include <closs/closs.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) failures++, printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
    } while (0)

static int close_to(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

static void values_and_gradients(void) {
    const float pred[] = {0.5f, 3, -1, 0}, label[] = {0, 0, 1, 0};
    float value[2], grad[4];
    closs_elementwise_f32 args = {.batch = 2, .inner = 2, .pred = pred, .label = label, .value = value, .grad = grad};

    CHECK(closs_huber_f32(&args, 1) == CLOSS_OK);
    CHECK(close_to(value[0], (0.125 + 2.5) / 2) && close_to(value[1], 1.5 / 2));
    CHECK(grad[0] == 0.25f && grad[1] == 0.5f && grad[2] == -0.5f && grad[3] == 0);

    CHECK(closs_l1_f32(&args) == CLOSS_OK && value[0] == 1.75f && value[1] == 1);
    CHECK(closs_l2_f32(&args) == CLOSS_OK && value[1] == 1 && grad[1] == 1.5f);
    CHECK(closs_hinge_f32(&args, 1) == CLOSS_OK && value[0] == 1 && value[1] == 1.5f && grad[2] == -0.5f);
    CHECK(closs_squared_hinge_f32(&args, 1) == CLOSS_OK && value[1] == 2.5f && grad[2] == -2);
    CHECK(closs_logistic_f32(&args) == CLOSS_OK && close_to(value[0], log(2)));
    CHECK(closs_logistic_binary_f32(&args) == CLOSS_OK && close_to(value[1], (log1p(exp(1)) + log(2)) / 2));
    CHECK(closs_sigmoid_bce_f32(&args, NULL) == CLOSS_OK && close_to(value[1], (log1p(exp(1)) + log(2)) / 2));
    const float twice[] = {2, 1};
    CHECK(closs_sigmoid_bce_f32(&args, &(closs_broadcast_f32){.data = twice, .period = 2}) == CLOSS_OK);
    CHECK(close_to(value[1], (2 * log1p(exp(1)) + log(2)) / 2));
    CHECK(closs_poisson_nll_f32(&args) == CLOSS_OK && close_to(value[1], (exp(-1) + 1 + 1) / 2));
    CHECK(closs_poisson_nll_full_f32(&args) == CLOSS_OK && close_to(value[1], (exp(-1) + 1 + 1) / 2));

    const double p[] = {0.25, 0.75}, z[] = {0, 1};
    double total, g[2];
    closs_elementwise_f64 sum = {.batch = 1, .inner = 2, .pred = p, .label = z, .total = &total, .grad = g};
    sum.reduction = CLOSS_SUM;
    CHECK(closs_bce_f64(&sum, NULL) == CLOSS_OK && close_to(total, -2 * log(0.75)) && close_to(g[1], -1 / 0.75));
    CHECK(closs_poisson_rate_nll_f64(&sum, 0) == CLOSS_OK && close_to(total, 1 - log(0.75)));
    CHECK(closs_poisson_rate_nll_full_f64(&sum, 0) == CLOSS_OK && close_to(g[0], 1));
}

static void reductions_and_weights(void) {
    const double pred[] = {1, 2, 3, 4, 5, 6}, label[6] = {0}, one_a_sample[] = {1, 0}, half = 0.5;
    double value[6], grad[6], total;
    closs_elementwise_f64 args = {.batch = 2, .inner = 3, .pred = pred, .label = label, .grad = grad};
    args.sample_weight = (closs_broadcast_f64){.data = one_a_sample, .repeat = 3};

    args.value = value;
    CHECK(closs_l1_f64(&args) == CLOSS_OK && value[0] == 2 && value[1] == 0 && grad[3] == 0);
    args.reduction = CLOSS_SAMPLE_SUM;
    CHECK(closs_l1_f64(&args) == CLOSS_OK && value[0] == 6 && grad[0] == 1);
    args.reduction = CLOSS_NONE;
    args.weight = &half;
    CHECK(closs_l1_f64(&args) == CLOSS_OK && value[2] == 1.5 && value[5] == 0 && grad[2] == 0.5);

    args.value = NULL;
    args.total = &total;
    args.reduction = CLOSS_MEAN;
    CHECK(closs_l1_f64(&args) == CLOSS_OK && total == 0.5);
    args.reduction = CLOSS_WEIGHTED_MEAN;
    CHECK(closs_l1_f64(&args) == CLOSS_OK && total == 1);
    const double cotangent = 2;
    args.grad_output = &cotangent;
    CHECK(closs_l1_f64(&args) == CLOSS_OK && close_to(grad[0], 1.0 / 3));

    /* (outer, batch, inner) = (3, 2, 1): samples are columns */
    closs_elementwise_f64 columns = {.outer = 3, .batch = 2, .inner = 1, .pred = pred, .label = label, .value = value};
    CHECK(closs_l1_f64(&columns) == CLOSS_OK && value[0] == 3 && value[1] == 4);

    closs_elementwise_f64 empty = {.reduction = CLOSS_MEAN, .total = &total};
    CHECK(closs_l1_f64(&empty) == CLOSS_OK && isnan(total));
    empty.reduction = CLOSS_SUM;
    CHECK(closs_l1_f64(&empty) == CLOSS_OK && total == 0);
}

/* Every bad call gives its status and leaves the outputs as they were. */
static void bad_input(void) {
    float pred[4] = {1, 2, 3, 4}, label[4] = {0}, value[2] = {7, 7}, grad[4] = {7, 7, 7, 7};
    const closs_elementwise_f32 good = {
        .batch = 2, .inner = 2, .pred = pred, .label = label, .value = value, .grad = grad};
    closs_elementwise_f32 bad;
    double sum[2] = {0, 0};
#define REJECTS(expected, call) CHECK((call) == (expected) && value[0] == 7 && grad[0] == 7 && grad[3] == 7)
#define WITH(change) (bad = good, change, &bad)
    REJECTS(CLOSS_NULL_POINTER, closs_l2_f32(NULL));
    REJECTS(CLOSS_NULL_POINTER, closs_l2_f32(WITH(bad.pred = NULL)));
    REJECTS(CLOSS_NULL_POINTER, closs_l2_f32(WITH(bad.label = NULL)));
    REJECTS(CLOSS_BAD_SIZE, closs_l2_f32(WITH(bad.batch = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_l2_f32(WITH(bad.outer = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_l2_f32(WITH(bad.inner = INT64_MAX / 2)));
    REJECTS(CLOSS_BAD_SIZE, closs_l2_f32(WITH((bad.batch = INT64_C(1) << 31, bad.inner = INT64_C(1) << 31))));
    REJECTS(CLOSS_BAD_SIZE, closs_l2_f32(WITH((bad.batch = INT64_MAX, bad.inner = 0))));
    REJECTS(CLOSS_BAD_SIZE,
            closs_l2_f64(&(closs_elementwise_f64){.batch = INT64_MAX / 8, .reduction = CLOSS_MEAN, .total = sum}));
    REJECTS(CLOSS_BAD_BROADCAST, closs_l2_f32(WITH(bad.sample_weight.repeat = -1)));
    REJECTS(CLOSS_BAD_BROADCAST, closs_sigmoid_bce_f32(&good, &(closs_broadcast_f32){.data = label, .period = -1}));
    REJECTS(CLOSS_BAD_REDUCTION, closs_l2_f32(WITH(bad.reduction = (closs_reduction)6)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_huber_f32(&good, 0));
    REJECTS(CLOSS_BAD_PARAMETER, closs_huber_f32(&good, NAN));
    REJECTS(CLOSS_BAD_PARAMETER, closs_hinge_f32(&good, INFINITY));
    REJECTS(CLOSS_BAD_PARAMETER, closs_poisson_rate_nll_f32(&good, -1));
    const double unfit[] = {INFINITY, NAN, 1e39, 1e-50};
    for (int k = 0; k < 4; k++) REJECTS(CLOSS_BAD_PARAMETER, closs_l2_f32(WITH(bad.weight = &unfit[k])));
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.pred = (const float *)(const void *)((const char *)pred + 1))));
#define ODD(type, pointer) ((type *)(void *)((char *)(pointer) + 1))
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.label = ODD(float, label))));
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.value = ODD(float, value))));
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.grad = ODD(float, grad))));
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.grad_output = ODD(float, label))));
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.sample_weight.data = ODD(float, label))));
    REJECTS(CLOSS_MISALIGNED, closs_l2_f32(WITH(bad.weight = ODD(double, sum))));
    REJECTS(CLOSS_MISALIGNED,
            closs_l2_f32(WITH((bad.reduction = CLOSS_SUM, bad.value = NULL, bad.total = ODD(double, sum)))));
    REJECTS(CLOSS_MISALIGNED, closs_bce_f32(&good, &(closs_broadcast_f32){.data = ODD(float, label), .period = 1}));
    for (int k = 0; k < 4; k++) REJECTS(CLOSS_TOO_NEW, closs_l2_f32(WITH(bad.reserved[k] = 1)));
    REJECTS(CLOSS_OVERLAP, closs_l2_f32(WITH(bad.grad = label)));
    REJECTS(CLOSS_OVERLAP, closs_l2_f32(WITH((bad.batch = 1, bad.grad = pred + 1))));
    REJECTS(CLOSS_OVERLAP, closs_l2_f32(WITH(bad.value = pred)));
    REJECTS(CLOSS_OVERLAP, closs_l2_f32(WITH(bad.value = grad)));
    REJECTS(CLOSS_UNKNOWN_LOSS, closs_elementwise_run_f32(-1, &good, NULL));
    REJECTS(CLOSS_UNKNOWN_LOSS, closs_elementwise_run_f32(1000, &good, NULL));
    REJECTS(CLOSS_NULL_POINTER, closs_elementwise_run_f32(closs_elementwise_find("huber"), &good, NULL));
    REJECTS(CLOSS_BAD_BROADCAST,
            closs_elementwise_run_f32(closs_elementwise_find("l2"), &good, &(closs_broadcast_f32){.repeat = -1}));
    REJECTS(CLOSS_MISSING_OUTPUT, closs_l2_f32(WITH((bad.value = NULL, bad.grad = NULL))));
    REJECTS(CLOSS_MISSING_OUTPUT, closs_l2_f32(WITH(bad.reduction = CLOSS_MEAN)));
#undef REJECTS
#undef WITH
    CHECK(closs_set_num_threads(-1) == CLOSS_BAD_PARAMETER);
    const int last = CLOSS_INFEASIBLE; /* one that is added behind it fails the second check */
    for (int status = CLOSS_OK; status <= last; status++)
        CHECK(strcmp(closs_status_string((closs_status)status), "unknown status") != 0);
    CHECK(strcmp(closs_status_string((closs_status)(last + 1)), "unknown status") == 0);
}

static void the_list_of_losses(void) {
    int count = 0;
    while (closs_elementwise_name(count)) {
        CHECK(closs_elementwise_find(closs_elementwise_name(count)) == count);
        count++;
    }
    CHECK(count >= 13 && closs_elementwise_find("no such loss") == -1 && closs_elementwise_find(NULL) == -1);
    CHECK(strcmp(closs_version(), CLOSS_VERSION_STRING) == 0);
    CHECK(strcmp(closs_isa_available(0), "baseline") == 0 && closs_isa_available(3) == NULL && closs_isa() != NULL);
}

/* Every loss, large enough for threads: the bits of one thread, in place too. */
static void threads_give_the_same_bits(void) {
    enum { N = 300001 };
    float *pred = malloc(sizeof(float) * N), *label = malloc(sizeof(float) * N);
    float *grad = malloc(sizeof(float) * N), *again = malloc(sizeof(float) * N);
    for (int i = 0; i < N; i++) {
        pred[i] = (float)((i % 10007) * 7919 % 10007) / 10007;
        label[i] = (float)(i % 2);
    }
    const float one = 1;
    for (int loss = 0; closs_elementwise_name(loss); loss++) {
        const closs_broadcast_f32 parameter = {.data = &one, .period = 1};
        double total, total_again;
        closs_elementwise_f32 args = {.batch = 1, .inner = N, .pred = pred, .label = label, .reduction = CLOSS_MEAN};
        args.total = &total;
        args.grad = grad;
        closs_set_num_threads(1);
        CHECK(closs_elementwise_run_f32(loss, &args, &parameter) == CLOSS_OK);
        closs_set_num_threads(3);
        memcpy(again, pred, sizeof(float) * N);
        args.pred = args.grad = again;
        args.total = &total_again;
        CHECK(closs_elementwise_run_f32(loss, &args, &parameter) == CLOSS_OK);
        CHECK(memcmp(&total, &total_again, sizeof total) == 0 && memcmp(grad, again, sizeof(float) * N) == 0);
    }
    closs_set_num_threads(0);
    CHECK(closs_get_num_threads() >= 1);
    free(pred);
    free(label);
    free(grad);
    free(again);
}

int main(void) {
    values_and_gradients();
    reductions_and_weights();
    bad_input();
    the_list_of_losses();
    threads_give_the_same_bits();
    printf("%s (%s, OpenMP %s)\n", failures ? "FAILED" : "C tests passed", closs_isa(),
           closs_has_openmp() ? "yes" : "no");
    return failures != 0;
}
