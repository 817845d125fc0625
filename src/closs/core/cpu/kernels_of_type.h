/* One type's kernels and their table. */
#include "../vecmath.h"
#include "../formulas/elementwise.h"
#include "../formulas/softmax.h"
#include "elementwise_loops.h"
#include "sums.h"
#include "softmax_loops.h"

static const NAME(closs_kernel_table) NAME(table) = {
    .value =
        {
#define ELEMENTWISE(name) NAME(name##_value),
#include "../losses.def"
        },
    .gradient =
        {
#define ELEMENTWISE(name) NAME(name##_gradient),
#include "../losses.def"
        },
    .multiply = NAME(multiply),
    .sum_rows = NAME(sum_rows),
    .softmax_rows = NAME(softmax_rows),
};
