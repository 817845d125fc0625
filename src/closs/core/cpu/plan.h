/* How an (outer, batch, inner) array is cut into tasks.
 *
 * A task is a box: a range of outer, of samples, of inner. The cut depends on the shape alone, never on the number of
 * threads: each box is summed in its own fixed order and the boxes' sums are added in order, so every thread count
 * gives the same bits.
 */
#ifndef CLOSS_CPU_PLAN_H
#define CLOSS_CPU_PLAN_H

#include "kernels.h"

enum {
    CLOSS_TASK_ELEMENTS = 8192, /* at least, where there are as many: 2 us or more of work a task */
    CLOSS_MAX_PARTIALS = 1024,  /* sums that wait to be added, over all tasks: 16 KB of stack, no allocation */
    CLOSS_MAX_TILE = 512,       /* samples in one box */
    /* Of one array in a kernel call: pred, label, value and gradient stay in L1 together. 4 KB: BCE at 16M floats takes
     * 9.1 ms, with 8 KB 9.9 ms, with 2 KB 10.2 ms. */
    CLOSS_CHUNK_BYTES = 4096,
};

typedef struct closs_plan {
    int64_t outer, batch, inner;
    int64_t outer_pieces, tile, inner_piece; /* samples in a tile, elements in a piece of inner */
    int64_t tiles, inner_pieces, tasks;
} closs_plan;

typedef struct closs_box {
    int64_t outer_begin, outer_end, sample_begin, sample_end, inner_begin, inner_end;
    int64_t partial; /* of the first sample */
} closs_box;

static inline int64_t closs_clamp(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

static inline int64_t closs_ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/* For a shape without zeros, in tasks of about task_places. Pieces of inner are multiples of chunk. */
static inline closs_plan closs_plan_for(int64_t outer, int64_t batch, int64_t inner, int64_t chunk,
                                        int64_t task_places) {
    closs_plan plan = {.outer = outer, .batch = batch, .inner = inner};
    int64_t pieces = closs_clamp(inner / task_places, 1, closs_clamp(CLOSS_MAX_PARTIALS / batch, 1, inner));
    plan.inner_piece = pieces == 1 ? inner : closs_ceil_div(closs_ceil_div(inner, pieces), chunk) * chunk;
    plan.inner_pieces = closs_ceil_div(inner, plan.inner_piece);
    plan.tile = closs_clamp(task_places / inner, 1, closs_clamp(batch, 1, CLOSS_MAX_TILE));
    plan.tiles = closs_ceil_div(batch, plan.tile);
    int64_t slabs = closs_clamp(task_places / (plan.tile * plan.inner_piece), 1, outer);
    plan.outer_pieces =
        closs_clamp(outer / slabs, 1, closs_clamp(CLOSS_MAX_PARTIALS / (batch * plan.inner_pieces), 1, outer));
    plan.tasks = plan.outer_pieces * plan.tiles * plan.inner_pieces;
    return plan;
}

/* Partial sums a sample: 1 if each box sums its samples to the end. */
static inline int64_t closs_partials_per_sample(const closs_plan *plan) {
    return plan->outer_pieces * plan->inner_pieces;
}

static inline closs_box closs_box_of(const closs_plan *plan, int64_t task) {
    int64_t inner_piece = task % plan->inner_pieces;
    int64_t tile = task / plan->inner_pieces % plan->tiles;
    int64_t outer_piece = task / plan->inner_pieces / plan->tiles;
    closs_box box;
    box.outer_begin =
        plan->outer / plan->outer_pieces * outer_piece + closs_clamp(outer_piece, 0, plan->outer % plan->outer_pieces);
    box.outer_end = plan->outer / plan->outer_pieces * (outer_piece + 1) +
                    closs_clamp(outer_piece + 1, 0, plan->outer % plan->outer_pieces);
    box.sample_begin = tile * plan->tile;
    box.sample_end = closs_clamp(box.sample_begin + plan->tile, 0, plan->batch);
    box.inner_begin = inner_piece * plan->inner_piece;
    box.inner_end = closs_clamp(box.inner_begin + plan->inner_piece, 0, plan->inner);
    box.partial = (outer_piece * plan->inner_pieces + inner_piece) * plan->batch + box.sample_begin;
    return box;
}

#endif
