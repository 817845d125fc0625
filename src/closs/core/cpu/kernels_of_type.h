/* One type's kernels and their table. */
#include "../vecmath.h"
#include "../double_double.h"
#include "../formulas/ctc.h"
#include "../formulas/elementwise.h"
#include "../formulas/softmax.h"
#include "../formulas/vectors.h"
#include "row_loops.h"
#include "elementwise_loops.h"
#include "sums.h"
#include "ctc_loops.h"
#include "softmax_loops.h"
#include "softmax_one_target.h"
#include "softmax_wide.h"
#include "softmax_lanes.h"
#include "softmax_rows.h"
#include "vectors_loops.h"
#include "pairwise_loops.h"

static const NAME(closs_kernel_table) NAME(table) = {
    .value =
        {
#define ELEMENTWISE(name, steps) NAME(name##_value),
#include "../losses.def"
        },
    .gradient =
        {
#define ELEMENTWISE(name, steps) NAME(name##_gradient),
#include "../losses.def"
        },
    .multiply = NAME(multiply),
    .sum_rows = NAME(sum_rows),
    .softmax_rows = NAME(softmax_rows),
    .vectors_rows =
        {
#define VECTORS(name, inputs, labelled) NAME(name##_rows),
#include "../losses.def"
        },
    .distance_logits = NAME(distance_logits),
    .weighted_differences = NAME(weighted_differences),
    .ctc =
        {
            .row_max = NAME(row_max),
            .row_rest = NAME(ctc_row_rest),
            .softmax = NAME(ctc_softmax),
            .scale = NAME(scale_row),
            .log1p = NAME(ctc_log1p),
            .emit = NAME(ctc_emit),
            .forward = NAME(ctc_forward),
            .backward = NAME(ctc_backward),
            .normalise = NAME(ctc_normalise),
            .share = NAME(ctc_share),
            .zero = {0, WIDE_ZERO},
        },
};
