/* The driver of the elementwise family: checks, cuts into tasks and chunks, weights, ordered sums. It knows no formula
 * and no instruction set. The text is compiled once a type; public functions are made from losses.def below.
 */
#include "closs/closs.h"

#include "../threads.h"
#include "kernels.h"
#include "plan.h"

enum { PLAIN, POSITIVE, NONNEGATIVE, FINITE, VARYING };

/* One row of losses.def, for code that meets losses as numbers. */
static const struct {
    const char *name, *parameter;
    int kind; /* PLAIN: no parameter; VARYING: it is broadcast; else the domain of its one number */
    int64_t grain;
} losses[] = {
#define ELEMENTWISE_PLAIN(name, grain) {#name, "", PLAIN, grain},
#define ELEMENTWISE_UNIFORM(name, parameter, domain, grain) {#name, #parameter, domain, grain},
#define ELEMENTWISE_VARYING(name, parameter, grain) {#name, #parameter, VARYING, grain},
#include "../losses.def"
};

/* Of one array in a kernel call: pred, label, value and gradient stay in L1 together. 4 KB: BCE at 16M floats takes
 * 9.1 ms, with 8 KB 9.9 ms, with 2 KB 10.2 ms. */
enum { CHUNK_BYTES = 4096 };

static int has_total(closs_reduction reduction) {
    return reduction == CLOSS_MEAN || reduction == CLOSS_SUM || reduction == CLOSS_WEIGHTED_MEAN;
}

/* Memory of an argument; absent arrays have no bytes. */
typedef struct {
    const void *data;
    uint64_t bytes;
} span;

static span span_of(const void *data, uint64_t bytes) { return (span){data, data ? bytes : 0}; }

static int overlap(span a, span b) {
    uintptr_t from_a = (uintptr_t)a.data, from_b = (uintptr_t)b.data;
    return a.bytes && b.bytes && from_a < from_b + b.bytes && from_b < from_a + a.bytes;
}

/* *product = a * b for sizes; 0 if it would exceed limit. */
static int multiply_sizes(int64_t a, int64_t b, int64_t limit, int64_t *product) {
    if (a != 0 && b > limit / a) return 0;
    *product = a * b;
    return 1;
}

#define CLOSS_REAL 32
#include "../real.h"
#include "elementwise_driver.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "elementwise_driver.h"
#undef CLOSS_REAL

int closs_elementwise_find(const char *name) {
    for (int loss = 0; name && loss < CLOSS_ELEMENTWISE_COUNT; loss++)
        if (strcmp(losses[loss].name, name) == 0) return loss;
    return -1;
}

const char *closs_elementwise_name(int loss) {
    return loss >= 0 && loss < CLOSS_ELEMENTWISE_COUNT ? losses[loss].name : NULL;
}

const char *closs_elementwise_parameter(int loss) {
    return loss >= 0 && loss < CLOSS_ELEMENTWISE_COUNT ? losses[loss].parameter : NULL;
}
