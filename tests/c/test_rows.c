/* The losses over rows and vectors as a C program sees them: values, statuses, untouched outputs. */
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
#define ODD(type, pointer) ((type *)(void *)((char *)(pointer) + 1))

static int close_to(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

/* ---- Softmax ---------------------------------------------------------------------------------------------------- */

static void softmax_values(void) {
    const float pred[] = {0, 0, 0, 1, 1, 1}, dense[] = {1, 0, 0, 0, 0.5f, 0.5f};
    const int64_t label[] = {2, 0}, ignored = 0;
    float value[6], grad[6], lse[2];
    double total;
    closs_softmax_f32 args = {.outer = 2, .classes = 3, .batch = 2, .pred = pred, .label = label};
    args.value = value;
    args.grad = grad;
    args.lse = lse;
    CHECK(closs_softmax_ce_f32(&args) == CLOSS_OK);
    CHECK(close_to(value[0], log(3)) && close_to(value[1], log(3)) && close_to(lse[1], 1 + log(3)));
    CHECK(close_to(grad[2], 1.0 / 3 - 1) && close_to(grad[0], 1.0 / 3) && close_to(grad[3], 1.0 / 3 - 1));

    args.value = NULL;
    args.total = &total;
    args.reduction = CLOSS_MEAN;
    args.ignore_index = &ignored;
    CHECK(closs_softmax_ce_f32(&args) == CLOSS_OK && close_to(total, log(3)) && grad[3] == 0 && grad[5] == 0);
    args.label_smoothing = 0.25;
    args.z_loss = 0.5;
    const float class_weight[] = {1, 2, 4};
    args.class_weight = class_weight;
    args.reduction = CLOSS_SUM;
    CHECK(closs_softmax_ce_f32(&args) == CLOSS_OK);
    CHECK(close_to(total, log(3) * (0.75 * 4 + 0.25 / 3 * 7) + 0.5 * log(3) * log(3)));

    closs_softmax_f32 soft = {.outer = 2, .classes = 3, .pred = pred, .label_dense = dense, .reduction = CLOSS_SUM};
    soft.total = &total;
    CHECK(closs_softmax_ce_dense_f32(&soft) == CLOSS_OK && close_to(total, 2 * log(3)));
    CHECK(closs_kl_div_softmax_f32(&soft) == CLOSS_OK && close_to(total, log(3) + log(1.5)));

    /* classes in the middle: (outer, classes, inner) = (1, 2, 3) */
    const double columns[] = {0, 1, 2, 0, 1, 2};
    const int64_t zeros[] = {0, 1, 0};
    double each[3], slope[6];
    closs_softmax_f64 middle = {.outer = 1, .classes = 2, .inner = 3, .pred = columns, .label = zeros};
    middle.reduction = CLOSS_NONE;
    middle.value = each;
    middle.grad = slope;
    CHECK(closs_softmax_ce_f64(&middle) == CLOSS_OK && close_to(each[2], log(2)));
    CHECK(slope[0] == -0.5 && slope[1] == 0.5 && slope[4] == -0.5);
    middle.log_probabilities = 1;
    CHECK(closs_softmax_ce_f64(&middle) == CLOSS_OK && each[1] == -1 && each[2] == -2);

    closs_softmax_f64 empty = {.classes = 3, .reduction = CLOSS_SUM, .total = &total};
    CHECK(closs_softmax_ce_f64(&empty) == CLOSS_OK && total == 0);
    CHECK(closs_softmax_ce_dense_f64(&empty) == CLOSS_OK && closs_kl_div_softmax_f64(&empty) == CLOSS_OK);
}

static void softmax_bad_input(void) {
    float pred[7] = {0}, grad[7] = {7, 7, 7, 7, 7, 7, 7}, value[3] = {7, 7, 7}, lse[3] = {7, 7, 7}, dense[7] = {0};
    float weight[4] = {1, 1, 1};
    int64_t label[3] = {0, 2, 0}, ignored[2] = {1, 1};
    double total[2] = {7, 7};
    closs_bad_label bad[2] = {{7, 7}, {7, 7}};
    const closs_softmax_f32 good = {.outer = 2,
                                    .classes = 3,
                                    .batch = 2,
                                    .pred = pred,
                                    .label = label,
                                    .value = value,
                                    .grad = grad,
                                    .lse = lse,
                                    .bad = bad};
    closs_softmax_f32 soft = good, changed;
    soft.label_dense = dense;
    soft.label = NULL;
#define UNTOUCHED (grad[0] == 7 && grad[5] == 7 && value[0] == 7 && value[1] == 7 && lse[0] == 7 && total[0] == 7)
#define REJECTS(expected, call) CHECK((call) == (expected) && UNTOUCHED)
#define WITH(change) (changed = good, change, &changed)
#define SOFT(change) (changed = soft, change, &changed)
    REJECTS(CLOSS_NULL_POINTER, closs_softmax_ce_f32(NULL));
    REJECTS(CLOSS_NULL_POINTER, closs_softmax_ce_f64(NULL));
    REJECTS(CLOSS_NULL_POINTER, closs_softmax_ce_f32(WITH(changed.pred = NULL)));
    REJECTS(CLOSS_NULL_POINTER, closs_softmax_ce_f32(WITH(changed.label = NULL)));
    REJECTS(CLOSS_NULL_POINTER, closs_softmax_ce_dense_f32(&good));
    REJECTS(CLOSS_NULL_POINTER, closs_kl_div_softmax_f32(&good));
    REJECTS(CLOSS_TOO_NEW, closs_softmax_ce_f32(WITH(changed.reserved[3] = 1)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.outer = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.classes = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.classes = 0)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.inner = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.batch = -1)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.batch = 3)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.sample_inner = INT64_MAX / 2)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH(changed.classes = INT64_MAX / 4)));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH((changed.outer = changed.inner = INT64_C(1) << 32))));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH((changed.outer = 0, changed.batch = INT64_MAX))));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH((changed.outer = 0, changed.batch = INT64_MAX / 8))));
    REJECTS(CLOSS_BAD_SIZE, closs_softmax_ce_f32(WITH((changed.outer = changed.batch = 0, changed.classes = INT64_MAX,
                                                       changed.class_weight = weight))));
    REJECTS(CLOSS_BAD_REDUCTION, closs_softmax_ce_f32(WITH(changed.reduction = (closs_reduction)-1)));
    REJECTS(CLOSS_BAD_BROADCAST, closs_softmax_ce_f32(WITH(changed.sample_weight.period = -1)));
    REJECTS(CLOSS_MISSING_OUTPUT, closs_softmax_ce_f32(WITH(changed.total = total)));
    REJECTS(CLOSS_MISSING_OUTPUT, closs_softmax_ce_f32(WITH((changed.value = changed.grad = changed.lse = NULL))));
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.label_smoothing = 1.5)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.label_smoothing = NAN)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.z_loss = INFINITY)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.log_probabilities = 1)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.element_weight = weight)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_dense_f32(SOFT(changed.ignore_index = ignored)));
    REJECTS(CLOSS_BAD_PARAMETER, closs_kl_div_softmax_f32(SOFT(changed.label_smoothing = 0.5)));
    weight[1] = -1;
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.class_weight = weight)));
    weight[1] = NAN;
    REJECTS(CLOSS_BAD_PARAMETER, closs_softmax_ce_f32(WITH(changed.class_weight = weight)));
    weight[1] = 1;
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.pred = ODD(float, pred))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.label = ODD(int64_t, label))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.class_weight = ODD(float, weight))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.ignore_index = ODD(int64_t, ignored))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.grad = ODD(float, grad))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.lse = ODD(float, lse))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_f32(WITH(changed.bad = ODD(closs_bad_label, bad))));
    REJECTS(CLOSS_MISALIGNED, closs_softmax_ce_dense_f32(SOFT(changed.label_dense = ODD(float, dense))));
    REJECTS(CLOSS_OVERLAP, closs_softmax_ce_f32(WITH(changed.lse = value)));
    REJECTS(CLOSS_OVERLAP, closs_softmax_ce_f32(WITH(changed.lse = grad + 1)));
    REJECTS(CLOSS_OVERLAP, closs_softmax_ce_f32(WITH(changed.grad = pred + 1)));
    REJECTS(CLOSS_OVERLAP, closs_softmax_ce_dense_f32(SOFT(changed.grad = dense)));
    CHECK(bad[0].position == 7 && bad[0].label == 7);
    for (int k = 0; k < 2; k++) {
        label[1] = k ? -1 : 3;
        REJECTS(CLOSS_BAD_LABEL, closs_softmax_ce_f32(&good));
        CHECK(bad[0].position == 1 && bad[0].label == label[1]);
        REJECTS(CLOSS_BAD_LABEL, closs_softmax_ce_f32(WITH(changed.ignore_index = ignored)));
        REJECTS(CLOSS_BAD_LABEL, closs_softmax_ce_f32(WITH(changed.bad = NULL)));
    }
#undef UNTOUCHED
#undef SOFT
#undef WITH
#undef REJECTS
}

/* ---- Vectors ---------------------------------------------------------------------------------------------------- */

static void vectors_values(void) {
    const double a[] = {1, 0, 0, 0}, b[] = {0, 1, 2, 0}, c[] = {0, 0, 1, 0}, label[] = {1, -1};
    double value[2], first[4], second[4], third[4], total;
    closs_vectors_f64 args = {
        .rows = 2, .inner = 2, .input = {a, b, c}, .value = value, .grad = {first, second, third}};
    args.reduction = CLOSS_NONE;
    CHECK(closs_triplet_f64(&args, 1) == CLOSS_OK && value[0] == 2 && value[1] == 4);
    CHECK(first[0] == 0 && first[1] == -2 && second[0] == -2 && second[1] == 2 && third[0] == 2);

    args.grad[2] = NULL;
    args.label = label;
    CHECK(closs_cosine_embedding_f64(&args, 0) == CLOSS_OK && value[0] == 1 && value[1] == 0);
    CHECK(first[1] == -1 && second[0] == -1 && first[2] == 0 && second[3] == 0); /* a zero vector has gradient 0 */

    const float p[] = {0, 0, 1, 1}, q[] = {0, 0, 1, 1};
    float each[2];
    closs_pairwise_f32 pairs = {.rows = 2, .inner = 2, .input = {p, q}, .value = each, .reduction = CLOSS_NONE};
    CHECK(closs_sdml_f32(&pairs, 0) == CLOSS_OK && close_to(each[0], log1p(exp(-2))));
    const size_t bytes = closs_pairwise_workspace_f32(2, 1);
    float slopes[4];
    double *workspace = malloc(bytes);
    CHECK(bytes >= 4 * sizeof(float) && closs_pairwise_workspace_f32(0, 1) == 0 && workspace);
    pairs.grad[0] = slopes;
    pairs.workspace = workspace;
    CHECK(closs_sdml_f32(&pairs, 0) == CLOSS_OK && close_to(each[1], log1p(exp(-2))));
    free(workspace);

    closs_vectors_f64 none = {.reduction = CLOSS_SUM, .total = &total};
    CHECK(closs_triplet_f64(&none, 1) == CLOSS_OK && total == 0);
    closs_pairwise_f64 no_pairs = {.reduction = CLOSS_SUM, .total = &total};
    CHECK(closs_sdml_f64(&no_pairs, 0.5) == CLOSS_OK && total == 0);
}

static void vectors_bad_input(void) {
    double a[5] = {1, 2, 3, 4}, b[5] = {0}, c[5] = {0}, label[3] = {1, -1}, value[3] = {7, 7}, grad[5] = {7, 7, 7, 7};
    double other[5] = {0}, total[2] = {7, 7};
    closs_bad_label bads[2] = {{7, 7}, {7, 7}}, *bad = bads;
    const closs_vectors_f64 good = {
        .rows = 2, .inner = 2, .input = {a, b, c}, .label = label, .value = value, .grad = {grad, other}, .bad = bad};
    closs_vectors_f64 changed;
#define REJECTS(expected, call) CHECK((call) == (expected) && value[0] == 7 && grad[0] == 7 && grad[3] == 7)
#define WITH(change) (changed = good, change, &changed)
    REJECTS(CLOSS_NULL_POINTER, closs_triplet_f64(NULL, 1));
    REJECTS(CLOSS_NULL_POINTER, closs_triplet_f32(NULL, 1));
    REJECTS(CLOSS_NULL_POINTER, closs_triplet_f64(WITH(changed.input[2] = NULL), 1));
    REJECTS(CLOSS_NULL_POINTER, closs_cosine_embedding_f64(WITH(changed.label = NULL), 0));
    REJECTS(CLOSS_TOO_NEW, closs_triplet_f64(WITH(changed.reserved[0] = -1), 1));
    REJECTS(CLOSS_BAD_SIZE, closs_triplet_f64(WITH(changed.rows = -1), 1));
    REJECTS(CLOSS_BAD_SIZE, closs_triplet_f64(WITH(changed.inner = INT64_MAX / 4), 1));
    REJECTS(CLOSS_BAD_SIZE, closs_triplet_f64(WITH((changed.outer = changed.rows = INT64_C(1) << 32)), 1));
    REJECTS(CLOSS_BAD_SIZE, closs_triplet_f64(WITH(changed.batch = 3), 1));
    REJECTS(CLOSS_BAD_SIZE, closs_triplet_f64(WITH((changed.rows = 0, changed.batch = INT64_MAX)), 1));
    REJECTS(CLOSS_BAD_SIZE, closs_triplet_f64(WITH((changed.rows = 0, changed.batch = INT64_MAX / 8)), 1));
    REJECTS(CLOSS_BAD_REDUCTION, closs_triplet_f64(WITH(changed.reduction = (closs_reduction)99), 1));
    REJECTS(CLOSS_BAD_BROADCAST, closs_triplet_f64(WITH(changed.sample_weight.repeat = -2), 1));
    REJECTS(CLOSS_BAD_PARAMETER, closs_triplet_f64(&good, NAN));
    REJECTS(CLOSS_BAD_PARAMETER, closs_cosine_embedding_f64(WITH(changed.grad[2] = c), 0));
    REJECTS(CLOSS_MISSING_OUTPUT, closs_triplet_f64(WITH(changed.total = total), 1));
    REJECTS(CLOSS_MISALIGNED, closs_triplet_f64(WITH(changed.input[1] = ODD(double, b)), 1));
    REJECTS(CLOSS_MISALIGNED, closs_triplet_f64(WITH(changed.grad[1] = ODD(double, other)), 1));
    REJECTS(CLOSS_MISALIGNED, closs_cosine_embedding_f64(WITH(changed.label = ODD(double, label)), 0));
    REJECTS(CLOSS_MISALIGNED, closs_triplet_f64(WITH(changed.value = ODD(double, value)), 1));
    REJECTS(CLOSS_MISALIGNED, closs_cosine_embedding_f64(WITH(changed.bad = ODD(closs_bad_label, bads)), 0));
    REJECTS(CLOSS_OVERLAP, closs_cosine_embedding_f64(WITH(changed.bad = (closs_bad_label *)(void *)grad), 0));
    REJECTS(CLOSS_OVERLAP, closs_cosine_embedding_f64(WITH(changed.bad = (closs_bad_label *)(void *)b), 0));
    REJECTS(CLOSS_OVERLAP, closs_triplet_f64(WITH(changed.grad[1] = grad), 1));
    REJECTS(CLOSS_OVERLAP, closs_triplet_f64(WITH(changed.grad[1] = a), 1));
    CHECK(bad->position == 7);
    label[1] = 0.5;
    REJECTS(CLOSS_BAD_LABEL, closs_cosine_embedding_f64(&good, 0));
    CHECK(bad->position == 1);

    const closs_pairwise_f64 pairs = {
        .rows = 2, .inner = 2, .input = {a, b}, .value = value, .grad = {grad, other}, .reduction = CLOSS_NONE};
    closs_pairwise_f64 bad_pairs;
#define PAIRS(change) (bad_pairs = pairs, change, &bad_pairs)
    REJECTS(CLOSS_NULL_POINTER, closs_sdml_f64(NULL, 0));
    REJECTS(CLOSS_NULL_POINTER, closs_sdml_f64(PAIRS(bad_pairs.input[0] = NULL), 0));
    REJECTS(CLOSS_TOO_NEW, closs_sdml_f64(PAIRS(bad_pairs.reserved[1] = 1), 0));
    REJECTS(CLOSS_BAD_SIZE, closs_sdml_f64(PAIRS(bad_pairs.rows = -1), 0));
    REJECTS(CLOSS_BAD_SIZE, closs_sdml_f64(PAIRS((bad_pairs.rows = INT64_C(1) << 32, bad_pairs.inner = 0)), 0));
    REJECTS(CLOSS_BAD_SIZE, closs_sdml_f64(PAIRS(bad_pairs.inner = INT64_MAX), 0));
    CHECK(closs_pairwise_workspace_f64(-1, 1) == 0 && closs_pairwise_workspace_f64(INT64_C(1) << 33, 1) == 0);
    CHECK(closs_pairwise_workspace_f32(INT64_MAX, 0) == 0);
    REJECTS(CLOSS_BAD_REDUCTION, closs_sdml_f64(PAIRS(bad_pairs.reduction = (closs_reduction)6), 0));
    REJECTS(CLOSS_BAD_PARAMETER, closs_sdml_f64(&pairs, -0.1));
    REJECTS(CLOSS_BAD_PARAMETER, closs_sdml_f64(&pairs, NAN));
    REJECTS(CLOSS_MISALIGNED, closs_sdml_f64(PAIRS(bad_pairs.input[1] = ODD(double, b)), 0));
    REJECTS(CLOSS_MISALIGNED, closs_sdml_f64(PAIRS(bad_pairs.workspace = ODD(double, other)), 0));
    REJECTS(CLOSS_OVERLAP, closs_sdml_f64(PAIRS(bad_pairs.grad[0] = a), 0));
    REJECTS(CLOSS_OVERLAP, closs_sdml_f64(PAIRS(bad_pairs.workspace = other), 0));
#undef PAIRS
#undef WITH
#undef REJECTS
}

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

/* Every family, large enough for threads: the bits of one thread. */
static void threads_give_the_same_bits(void) {
    enum { ROWS = 3001, INNER = 101, N = ROWS * INNER, PAIRS = 301 };
    float *x[3], *grad[3], *first[3];
    int64_t *label = malloc(sizeof(int64_t) * ROWS);
    for (int k = 0; k < 3; k++) {
        x[k] = malloc(sizeof(float) * N), grad[k] = malloc(sizeof(float) * N), first[k] = malloc(sizeof(float) * N);
        for (int i = 0; i < N; i++) x[k][i] = (float)((i % 10007) * (7919 + 2 * k) % 10007) / 10007;
    }
    float sign[ROWS];
    for (int i = 0; i < ROWS; i++) label[i] = i % INNER, sign[i] = i % 2 ? 1 : -1;
    for (int loss = 0; loss < 6; loss++) {
        const int gradients = loss < 3 ? 1 : loss == 3 ? 3 : 2;
        const size_t bytes = sizeof(float) * (loss == 5 ? PAIRS * INNER : N);
        double totals[2];
        for (int run = 0; run < 2; run++) {
            closs_softmax_f32 rows = {.outer = ROWS, .classes = INNER, .pred = x[0], .grad = grad[0]};
            closs_vectors_f32 vectors = {.rows = ROWS, .inner = INNER, .input = {x[0], x[1], x[2]}, .label = sign};
            closs_pairwise_f32 pairs = {.rows = PAIRS, .inner = INNER, .input = {x[0], x[1]}};
            rows.reduction = vectors.reduction = pairs.reduction = CLOSS_MEAN;
            rows.total = vectors.total = pairs.total = &totals[run];
            if (loss == 0) rows.label = label;
            if (loss != 0) rows.label_dense = x[1];
            for (int k = 0; k < gradients; k++) vectors.grad[k] = grad[k];
            for (int k = 0; k < 2; k++) pairs.grad[k] = grad[k];
            closs_set_num_threads(run == 0 ? 1 : 3);
            closs_status status = loss == 0   ? closs_softmax_ce_f32(&rows)
                                  : loss == 1 ? closs_softmax_ce_dense_f32(&rows)
                                  : loss == 2 ? closs_kl_div_softmax_f32(&rows)
                                  : loss == 3 ? closs_triplet_f32(&vectors, 1)
                                  : loss == 4 ? closs_cosine_embedding_f32(&vectors, 0.5)
                                              : closs_sdml_f32(&pairs, 0.3);
            CHECK(status == CLOSS_OK);
            for (int k = 0; k < gradients && run == 0; k++) memcpy(first[k], grad[k], bytes);
        }
        CHECK(memcmp(&totals[0], &totals[1], sizeof(double)) == 0 && totals[0] > 0);
        for (int k = 0; k < gradients; k++) CHECK(memcmp(first[k], grad[k], bytes) == 0);
    }
    closs_set_num_threads(0);
    for (int k = 0; k < 3; k++) free(x[k]), free(grad[k]), free(first[k]);
    free(label);
}

/* ---- The table of functions ------------------------------------------------------------------------------------- */

static void the_table(void) {
    const closs_api *api = closs_get_api();
    CHECK(api->size == sizeof(closs_api) && api->abi == CLOSS_ABI_VERSION);
    CHECK(strcmp(api->version, closs_version()) == 0);
    for (int64_t k = 0; k < api->count; k++)
        CHECK(closs_find_function(api->entries[k].name) == api->entries[k].function && api->entries[k].function);
    CHECK(closs_find_function("closs_get_api") == (closs_function)closs_get_api);
    CHECK(!closs_find_function("huber") && !closs_find_function(NULL));
}

int main(void) {
    softmax_values();
    softmax_bad_input();
    vectors_values();
    vectors_bad_input();
    threads_give_the_same_bits();
    the_table();
    printf("%s\n", failures ? "FAILED" : "C tests of rows and vectors passed");
    return failures != 0;
}
