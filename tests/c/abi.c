/* The binary interface number 0, as its first release freezes it: sizes and places on 64-bit platforms, all of them (a
 * test looks that none is missing). A change that does not compile here needs another CLOSS_ABI_VERSION; a field that
 * takes reserved space is added below. */
#include <closs/closs.h>

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has another size")
#define IS(name, value) _Static_assert((name) == (value), #name " has another value")

IS(CLOSS_ABI_VERSION, 0);

SIZE(closs_api_entry, 16);
AT(closs_api_entry, name, 0);
AT(closs_api_entry, function, 8);

SIZE(closs_api, 40);
AT(closs_api, size, 0);
AT(closs_api, abi, 8);
AT(closs_api, version, 16);
AT(closs_api, count, 24);
AT(closs_api, entries, 32);

#define BROADCAST(type)  \
    SIZE(type, 24);      \
    AT(type, data, 0);   \
    AT(type, repeat, 8); \
    AT(type, period, 16)
BROADCAST(closs_broadcast_f32);
BROADCAST(closs_broadcast_f64);

#define ELEMENTWISE(type)        \
    SIZE(type, 144);             \
    AT(type, outer, 0);          \
    AT(type, batch, 8);          \
    AT(type, inner, 16);         \
    AT(type, pred, 24);          \
    AT(type, label, 32);         \
    AT(type, sample_weight, 40); \
    AT(type, weight, 64);        \
    AT(type, grad_output, 72);   \
    AT(type, reduction, 80);     \
    AT(type, value, 88);         \
    AT(type, total, 96);         \
    AT(type, grad, 104);         \
    AT(type, reserved, 112)
ELEMENTWISE(closs_elementwise_f32);
ELEMENTWISE(closs_elementwise_f64);

SIZE(closs_bad_label, 16);
AT(closs_bad_label, position, 0);
AT(closs_bad_label, label, 8);

#define SOFTMAX(type)                 \
    SIZE(type, 232);                  \
    AT(type, outer, 0);               \
    AT(type, classes, 8);             \
    AT(type, inner, 16);              \
    AT(type, batch, 24);              \
    AT(type, sample_inner, 32);       \
    AT(type, pred, 40);               \
    AT(type, label, 48);              \
    AT(type, label_dense, 56);        \
    AT(type, sample_weight, 64);      \
    AT(type, element_weight, 88);     \
    AT(type, weight, 96);             \
    AT(type, grad_output, 104);       \
    AT(type, log_probabilities, 112); \
    AT(type, class_weight, 120);      \
    AT(type, ignore_index, 128);      \
    AT(type, label_smoothing, 136);   \
    AT(type, z_loss, 144);            \
    AT(type, reduction, 152);         \
    AT(type, value, 160);             \
    AT(type, total, 168);             \
    AT(type, grad, 176);              \
    AT(type, lse, 184);               \
    AT(type, bad, 192);               \
    AT(type, reserved, 200)
SOFTMAX(closs_softmax_f32);
SOFTMAX(closs_softmax_f64);

#define VECTORS(type)            \
    SIZE(type, 200);             \
    AT(type, outer, 0);          \
    AT(type, rows, 8);           \
    AT(type, inner, 16);         \
    AT(type, batch, 24);         \
    AT(type, sample_inner, 32);  \
    AT(type, input, 40);         \
    AT(type, label, 64);         \
    AT(type, sample_weight, 72); \
    AT(type, weight, 96);        \
    AT(type, grad_output, 104);  \
    AT(type, reduction, 112);    \
    AT(type, value, 120);        \
    AT(type, total, 128);        \
    AT(type, grad, 136);         \
    AT(type, bad, 160);          \
    AT(type, reserved, 168)
VECTORS(closs_vectors_f32);
VECTORS(closs_vectors_f64);

#define PAIRWISE(type)           \
    SIZE(type, 152);             \
    AT(type, rows, 0);           \
    AT(type, inner, 8);          \
    AT(type, input, 16);         \
    AT(type, sample_weight, 32); \
    AT(type, weight, 56);        \
    AT(type, grad_output, 64);   \
    AT(type, reduction, 72);     \
    AT(type, value, 80);         \
    AT(type, total, 88);         \
    AT(type, grad, 96);          \
    AT(type, workspace, 112);    \
    AT(type, reserved, 120)
PAIRWISE(closs_pairwise_f32);
PAIRWISE(closs_pairwise_f64);

SIZE(closs_ctc_bad, 24);
AT(closs_ctc_bad, sample, 0);
AT(closs_ctc_bad, position, 8);
AT(closs_ctc_bad, value, 16);

#define CTC(type)                     \
    SIZE(type, 232);                  \
    AT(type, batch, 0);               \
    AT(type, time, 8);                \
    AT(type, classes, 16);            \
    AT(type, batch_stride, 24);       \
    AT(type, time_stride, 32);        \
    AT(type, pred, 40);               \
    AT(type, pred_lengths, 48);       \
    AT(type, blank, 56);              \
    AT(type, input, 64);              \
    AT(type, infeasible, 68);         \
    AT(type, label, 72);              \
    AT(type, label_width, 80);        \
    AT(type, label_batch_stride, 88); \
    AT(type, label_stride, 96);       \
    AT(type, label_size, 104);        \
    AT(type, label_offsets, 112);     \
    AT(type, label_lengths, 120);     \
    AT(type, scale, 128);             \
    AT(type, value, 136);             \
    AT(type, grad, 144);              \
    AT(type, grad_batch_stride, 152); \
    AT(type, grad_time_stride, 160);  \
    AT(type, feasible, 168);          \
    AT(type, workspace, 176);         \
    AT(type, workspace_size, 184);    \
    AT(type, bad, 192);               \
    AT(type, reserved, 200)
CTC(closs_ctc_args_f32);
CTC(closs_ctc_args_f64);

#define CTC_GREEDY(type)         \
    SIZE(type, 136);             \
    AT(type, batch, 0);          \
    AT(type, time, 8);           \
    AT(type, classes, 16);       \
    AT(type, batch_stride, 24);  \
    AT(type, time_stride, 32);   \
    AT(type, pred, 40);          \
    AT(type, pred_lengths, 48);  \
    AT(type, blank, 56);         \
    AT(type, input, 64);         \
    AT(type, label, 72);         \
    AT(type, label_lengths, 80); \
    AT(type, score, 88);         \
    AT(type, bad, 96);           \
    AT(type, reserved, 104)
CTC_GREEDY(closs_ctc_greedy_args_f32);
CTC_GREEDY(closs_ctc_greedy_args_f64);

SIZE(closs_status, 4);
IS(CLOSS_OK, 0);
IS(CLOSS_NULL_POINTER, 1);
IS(CLOSS_BAD_SIZE, 2);
IS(CLOSS_BAD_BROADCAST, 3);
IS(CLOSS_BAD_REDUCTION, 4);
IS(CLOSS_BAD_PARAMETER, 5);
IS(CLOSS_MISALIGNED, 6);
IS(CLOSS_OVERLAP, 7);
IS(CLOSS_UNKNOWN_LOSS, 8);
IS(CLOSS_MISSING_OUTPUT, 9);
IS(CLOSS_BAD_LABEL, 10);
IS(CLOSS_NO_MEMORY, 11);
IS(CLOSS_TOO_NEW, 12);
IS(CLOSS_BAD_LENGTH, 13);
IS(CLOSS_INFEASIBLE, 14);

SIZE(closs_reduction, 4);
IS(CLOSS_SAMPLE_MEAN, 0);
IS(CLOSS_SAMPLE_SUM, 1);
IS(CLOSS_NONE, 2);
IS(CLOSS_MEAN, 3);
IS(CLOSS_SUM, 4);
IS(CLOSS_WEIGHTED_MEAN, 5);

SIZE(closs_ctc_input, 4);
IS(CLOSS_CTC_LOGITS, 0);
IS(CLOSS_CTC_LOG_PROBS, 1);

SIZE(closs_ctc_infeasible, 4);
IS(CLOSS_CTC_INF, 0);
IS(CLOSS_CTC_ZERO, 1);
IS(CLOSS_CTC_RAISE, 2);
