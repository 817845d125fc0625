/* What every driver includes, and what drivers check whatever the type. */
#ifndef CLOSS_CPU_DRIVER_H
#define CLOSS_CPU_DRIVER_H

#include "closs/closs.h"

#include "../threads.h"
#include "kernels.h"
#include "plan.h"

static inline int closs_has_total(closs_reduction reduction) {
    return reduction == CLOSS_MEAN || reduction == CLOSS_SUM || reduction == CLOSS_WEIGHTED_MEAN;
}

/* Memory of an argument; absent arrays have no bytes. */
typedef struct closs_span {
    const void *data;
    uint64_t bytes;
} closs_span;

static inline closs_span closs_span_of(const void *data, uint64_t bytes) {
    return (closs_span){data, data ? bytes : 0};
}

static inline int closs_overlap(closs_span a, closs_span b) {
    uintptr_t from_a = (uintptr_t)a.data, from_b = (uintptr_t)b.data;
    return a.bytes && b.bytes && from_a < from_b + b.bytes && from_b < from_a + a.bytes;
}

/* Whether an output overlaps an input or another output. in_place[k]: the input that outputs[k] may be itself, or -1.
 */
static inline int closs_any_overlap(int inputs, const closs_span *input, int outputs, const closs_span *output,
                                    const int *in_place) {
    for (int k = 0; k < outputs; k++) {
        for (int i = 0; i < inputs; i++) {
            int same = i == in_place[k] && input[i].data == output[k].data;
            if (!same && closs_overlap(output[k], input[i])) return 1;
        }
        for (int j = 0; j < k; j++)
            if (closs_overlap(output[k], output[j])) return 1;
    }
    return 0;
}

/* Elements that an argument may have: 2^59, so that bytes and sums of a few sizes stay below 2^63. */
#define CLOSS_MOST_ELEMENTS (INT64_MAX / 16)

/* *product = a * b of what is not negative; 0 if it would exceed CLOSS_MOST_ELEMENTS. */
static inline int closs_multiply_sizes(int64_t a, int64_t b, int64_t *product) {
    if (a != 0 && b > CLOSS_MOST_ELEMENTS / a) return 0;
    *product = a * b;
    return 1;
}

/* *elements of an array of this shape; 0 for a shape that no array has. An axis of 0 does not excuse the others, as in
 * NumPy: they are lengths of other arguments. */
static inline int closs_count_elements(int axes, const int64_t *shape, int64_t *elements) {
    int64_t product = 1;
    *elements = 1;
    for (int k = 0; k < axes; k++) {
        if (shape[k] < 0 || !closs_multiply_sizes(product, shape[k] ? shape[k] : 1, &product)) return 0;
        *elements *= shape[k];
    }
    return 1;
}

/* The end of every argument struct. A caller of a later release that asks for more is told so, never half obeyed. */
static inline int closs_reserved_is_zero(const int64_t reserved[4]) {
    return (reserved[0] | reserved[1] | reserved[2] | reserved[3]) == 0;
}

static inline int closs_is_aligned(const void *pointer, size_t size) { return (uintptr_t)pointer % size == 0; }

#endif
