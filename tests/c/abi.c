/* The binary interface number 0, as its first release freezes it: sizes and places on 64-bit platforms. A change that
 * does not compile here needs another CLOSS_ABI_VERSION; a field that takes reserved space is added below. */
#include <closs/closs.h>

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has another size")
#define IS(name, value) _Static_assert((name) == (value), #name " has another value")

IS(CLOSS_ABI_VERSION, 0);

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

SIZE(closs_broadcast_f32, 24);
AT(closs_broadcast_f32, repeat, 8);
AT(closs_broadcast_f32, period, 16);
SIZE(closs_broadcast_f64, 24);
AT(closs_broadcast_f64, repeat, 8);
AT(closs_broadcast_f64, period, 16);
ELEMENTWISE(closs_elementwise_f32);
ELEMENTWISE(closs_elementwise_f64);

AT(closs_api, size, 0);
AT(closs_api, abi, 8);
AT(closs_api, version, 16);
AT(closs_api, count, 24);
AT(closs_api, entries, 32);
SIZE(closs_api_entry, 16);

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

SIZE(closs_reduction, 4);
IS(CLOSS_SAMPLE_MEAN, 0);
IS(CLOSS_SAMPLE_SUM, 1);
IS(CLOSS_NONE, 2);
IS(CLOSS_MEAN, 3);
IS(CLOSS_SUM, 4);
IS(CLOSS_WEIGHTED_MEAN, 5);
