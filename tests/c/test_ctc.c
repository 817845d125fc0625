/* CTC as a C program sees it: values, statuses, untouched outputs, workspaces, the same bits for all thread counts. */
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

/* Uniform probabilities over a label and the blank: paths can be counted. */
static void values_and_gradients(void) {
    const double pred[6] = {0};
    const int64_t label[] = {1};
    double value, grad[6];
    uint8_t feasible = 7;
    closs_ctc_args_f64 args = {.batch = 1, .time = 3, .classes = 2, .pred = pred, .label = label, .label_width = 1};
    args.value = &value;
    args.grad = grad;
    args.feasible = &feasible;
    CHECK(closs_ctc_f64(&args) == CLOSS_OK && feasible == 1);
    CHECK(close_to(value, -log(6.0 / 8)) && close_to(grad[3], 0.5 - 4.0 / 6) && fabs(grad[0]) < 1e-15);

    args.input = CLOSS_CTC_LOG_PROBS; /* all of probability 1 */
    CHECK(closs_ctc_f64(&args) == CLOSS_OK && close_to(value, -log(6)) && close_to(grad[3], -4.0 / 6));

    const double scale = -2;
    args.scale = &scale;
    CHECK(closs_ctc_f64(&args) == CLOSS_OK && close_to(value, -log(6)) && close_to(grad[3], 8.0 / 6));

    args.label_width = 0; /* the all-blank path */
    args.label = NULL;
    CHECK(closs_ctc_f64(&args) == CLOSS_OK && value == 0 && grad[0] == 2 && grad[1] == 0);

    closs_ctc_args_f64 nothing = {.value = &value};
    CHECK(closs_ctc_f64(&nothing) == CLOSS_OK);
}

static void infeasible(void) {
    float pred[8] = {0}, value[2], grad[8];
    const int64_t label[] = {1, 1, 1, -1}, lengths[] = {2, 1};
    uint8_t feasible[2];
    closs_ctc_bad bad;
    closs_ctc_args_f32 args = {.batch = 2, .time = 2, .classes = 2, .pred = pred, .label = label, .label_width = 2};
    args.value = value;
    args.grad = grad;
    args.feasible = feasible;
    args.bad = &bad;
    CHECK(closs_ctc_f32(&args) == CLOSS_OK && value[0] == INFINITY && close_to(value[1], -log(0.75)));
    CHECK(feasible[0] == 0 && feasible[1] == 1 && grad[0] == 0 && grad[3] == 0 && grad[4] != 0);
    args.infeasible = CLOSS_CTC_ZERO;
    args.pred_lengths = lengths;
    CHECK(closs_ctc_f32(&args) == CLOSS_OK && value[0] == 0 && close_to(value[1], log(2)) && grad[6] == 0);
    args.infeasible = CLOSS_CTC_RAISE;
    value[0] = 7;
    CHECK(closs_ctc_f32(&args) == CLOSS_INFEASIBLE && bad.sample == 0 && value[0] == 7);
    const int64_t both[] = {1, -1, 1, -1};
    args.label = both;
    pred[5] = pred[7] = -INFINITY; /* what only the scores tell */
    CHECK(closs_ctc_f32(&args) == CLOSS_INFEASIBLE && bad.sample == 1 && value[0] == 7);
}

/* Every bad call gives its status and leaves the outputs as they were. */
static void bad_input(void) {
    float pred[24] = {0}, value[2] = {7, 7}, grad[24] = {7, 7};
    const int64_t label[] = {1, 2, 2, 1}, lengths[] = {2, 3}, long_lengths[] = {2, 4}, wrong[] = {1, 2, 0, 1};
    const int64_t offsets[] = {0, 3}, outside[] = {1, 3}, negative[] = {1, -2, 1, 1};
    closs_ctc_bad bad;
    const closs_ctc_args_f32 good = {.batch = 2,
                                     .time = 4,
                                     .classes = 3,
                                     .pred = pred,
                                     .label = label,
                                     .label_width = 2,
                                     .value = value,
                                     .grad = grad,
                                     .bad = &bad};
    closs_ctc_args_f32 args;
#define WITH(change) (args = good, change, &args)
#define REJECTS(expected, call) CHECK((call) == (expected) && value[0] == 7 && value[1] == 7 && grad[0] == 7)
    REJECTS(CLOSS_NULL_POINTER, closs_ctc_f32(NULL));
    REJECTS(CLOSS_NULL_POINTER, closs_ctc_f32(WITH(args.pred = NULL)));
    REJECTS(CLOSS_NULL_POINTER, closs_ctc_f32(WITH(args.label = NULL)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.batch = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.time = INT64_MAX / 2)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.classes = INT64_C(1) << 31)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH((args.time = 0, args.batch = INT64_MAX))));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.label_size = INT64_MAX)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH((args.time_stride = 2, args.batch_stride = 12))));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH((args.time_stride = 3, args.batch_stride = 9))));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH((args.time_stride = 3, args.batch_stride = -12))));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH((args.grad_time_stride = 2, args.grad_batch_stride = 12))));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.label_width = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.label_size = 3)));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.label_stride = INT64_MAX)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_ctc_f32(WITH(args.blank = 3)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_ctc_f32(WITH(args.blank = -1)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_ctc_f32(WITH(args.input = (closs_ctc_input)2)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_ctc_f32(WITH(args.infeasible = (closs_ctc_infeasible)3)));
    REJECTS(CLOSS_MISSING_OUTPUT, closs_ctc_f32(WITH((args.value = NULL, args.grad = NULL))));
    REJECTS(CLOSS_MISALIGNED, closs_ctc_f32(WITH(args.pred = (const float *)(const void *)((const char *)pred + 1))));
    REJECTS(CLOSS_MISALIGNED,
            closs_ctc_f32(WITH(args.label = (const int64_t *)(const void *)((const char *)label + 4))));
    REJECTS(CLOSS_OVERLAP, closs_ctc_f32(WITH(args.value = pred)));
    REJECTS(CLOSS_OVERLAP,
            closs_ctc_f32(WITH((args.grad = pred, args.grad_time_stride = 6, args.grad_batch_stride = 3))));
    REJECTS(CLOSS_TOO_NEW, closs_ctc_f32(WITH(args.reserved[3] = 1)));
    char small[64];
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH((args.workspace = small, args.workspace_size = sizeof small))));

    REJECTS(CLOSS_BAD_LENGTH, closs_ctc_f32(WITH(args.label_lengths = lengths)));
    CHECK(bad.sample == 1 && bad.position == 1 && bad.value == 3);
    REJECTS(CLOSS_BAD_LENGTH, closs_ctc_f32(WITH((args.pred_lengths = long_lengths, args.time = 3))));
    CHECK(bad.sample == 1 && bad.position == 0 && bad.value == 4);
    REJECTS(CLOSS_BAD_LENGTH, closs_ctc_f32(WITH((args.label_offsets = offsets, args.label_size = 4))));
    CHECK(bad.sample == 1 && bad.position == 2 && bad.value == 3);
    REJECTS(CLOSS_BAD_LENGTH, closs_ctc_f32(WITH((args.label_offsets = outside, args.label_size = 4))));
    REJECTS(CLOSS_BAD_SIZE, closs_ctc_f32(WITH(args.label_offsets = outside))); /* without a size nothing is there */
    REJECTS(CLOSS_BAD_LABEL, closs_ctc_f32(WITH(args.label = wrong)));
    CHECK(bad.sample == 1 && bad.position == 0 && bad.value == 0);
    REJECTS(CLOSS_BAD_LABEL, closs_ctc_f32(WITH((args.label = negative, args.bad = NULL))));
    CHECK(closs_ctc_f32(&good) == CLOSS_OK && value[0] != 7);
#undef REJECTS
#undef WITH
    CHECK(closs_ctc_workspace_size_f32(NULL) == 0);
    closs_ctc_args_f64 huge = {.batch = 1, .time = INT64_C(1) << 31, .classes = 1, .label_width = INT64_C(1) << 40};
    CHECK(closs_ctc_workspace_size_f64(&huge) == 0);
    closs_ctc_args_f64 some = {.batch = 2, .time = 9, .classes = 3, .label_width = 4};
    const size_t size = closs_ctc_workspace_size_f64(&some);
    some.blank = 3, some.label_stride = -1, some.time_stride = 1, some.classes = 0; /* not looked at */
    CHECK(size > 0 && closs_ctc_workspace_size_f64(&some) == size);
    int64_t *sizes[] = {&some.batch, &some.time, &some.label_width};
    for (int k = 0; k < 3; k++) {
        *sizes[k] = -*sizes[k];
        CHECK(closs_ctc_workspace_size_f64(&some) == 0);
        *sizes[k] = -*sizes[k];
    }
    for (int status = CLOSS_OK; status <= CLOSS_INFEASIBLE; status++)
        CHECK(strcmp(closs_status_string((closs_status)status), "unknown status") != 0);
}

static void decoding(void) {
    const float pred[] = {0, 5, 0, 0, 5, 1, 5, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 5};
    int64_t label[6], length;
    float score;
    closs_ctc_greedy_args_f32 args = {.batch = 1, .time = 6, .classes = 3, .pred = pred, .label = label};
    args.label_lengths = &length;
    args.score = &score;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_OK && length == 3);
    CHECK(label[0] == 1 && label[1] == 1 && label[2] == 2 && label[3] == -1 && score < 0 && score > -1);
    args.blank = 3;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_BAD_PARAMETER && closs_ctc_greedy_f32(NULL) == CLOSS_NULL_POINTER);
    args.blank = 0;
    args.score = (float *)(void *)label;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_OVERLAP);
    args.score = (float *)(void *)((char *)label + 1);
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_MISALIGNED);
    args.score = NULL;
    const int64_t lengths[] = {7};
    closs_ctc_bad bad = {7, 7, 0};
    args.pred_lengths = lengths;
    args.bad = &bad;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_BAD_LENGTH && bad.sample == 0 && bad.position == 0 && bad.value == 7);
    args.bad = (closs_ctc_bad *)(void *)label;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_OVERLAP);
    args.pred_lengths = NULL;
    args.bad = NULL;
    args.batch = INT64_MAX;
    args.time = 0;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_BAD_SIZE);
    args.batch = 1;
    args.time = 6;
    args.label = NULL;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_NULL_POINTER);
    args.time = 0; /* nothing to read or to write: the score of the empty path */
    args.pred = NULL;
    args.label_lengths = &length;
    args.score = &score;
    CHECK(closs_ctc_greedy_f32(&args) == CLOSS_OK && length == 0 && score == 0);
}

/* More samples than threads, fewer, and with a workspace for one thread only. */
static void threads_give_the_same_bits(void) {
    enum { BATCH = 5, TIME = 200, CLASSES = 50, LABELS = 30 };
    const size_t bytes = sizeof(float) * BATCH * TIME * CLASSES;
    float *pred = malloc(bytes), *grad = malloc(bytes), *again = malloc(bytes), value[BATCH], value_again[BATCH];
    int64_t label[BATCH * LABELS];
    for (int i = 0; i < BATCH * TIME * CLASSES; i++) pred[i] = (float)((i % 10007) * 7919 % 10007) / 1000;
    for (int i = 0; i < BATCH * LABELS; i++) label[i] = 1 + i * 31 % (CLASSES - 1);
    closs_ctc_args_f32 args = {.time = TIME, .classes = CLASSES, .pred = pred, .label = label, .label_width = LABELS};
    for (args.batch = 1; args.batch <= BATCH; args.batch += 2) {
        args.value = value;
        args.grad = grad;
        closs_set_num_threads(1);
        args.workspace_size = closs_ctc_workspace_size_f32(&args);
        CHECK(closs_ctc_f32(&args) == CLOSS_OK);
        void *workspace = malloc(args.workspace_size + 1);
        for (int threads = 2; threads <= 4; threads++) {
            closs_set_num_threads(threads);
            for (int own = 0; own < 2; own++) {
                args.value = value_again;
                args.grad = again;
                args.workspace = own ? (char *)workspace + 1 : NULL;
                memcpy(again, pred, bytes);
                CHECK(closs_ctc_f32(&args) == CLOSS_OK);
                CHECK(memcmp(value, value_again, sizeof(float) * (size_t)args.batch) == 0);
                CHECK(memcmp(grad, again, bytes / BATCH * (size_t)args.batch) == 0);
            }
        }
        args.workspace = NULL;
        free(workspace);
    }
    closs_set_num_threads(0);
    free(pred);
    free(grad);
    free(again);
}

int main(void) {
    values_and_gradients();
    infeasible();
    bad_input();
    decoding();
    threads_give_the_same_bits();
    printf("%s\n", failures ? "FAILED" : "C tests of CTC passed");
    return failures != 0;
}
