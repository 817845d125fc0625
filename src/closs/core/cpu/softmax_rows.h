/* The kernel of the losses over classes: a run of rows, the one way or the other (see softmax_loops.h). */

/* How many rows go together. */
static int NAME(rows_at_once)(const ROWS *job) {
    if (job->step > 1 || job->classes <= NAME(FEW_CLASSES)) return NAME(LANES);
    const int64_t fitting = NAME(WIDE_GROUP) / job->classes;
    return fitting < 1 ? 1 : fitting < NAME(LANES) ? (int)fitting : NAME(LANES);
}

/* job's pointers are those of its first row; all n lie in the same (classes, step) plane where step > 1. */
static void NAME(softmax_rows)(const ROWS *job, int64_t n) {
    const int most = NAME(rows_at_once)(job);
    NAME(lookahead) ahead = {.end = job->pred + (job->step == 1 ? n * job->classes : 0)};
    for (int64_t r = 0; r < n; r += most) {
        int rows = n - r < most ? (int)(n - r) : most;
        ROWS rest = NAME(further_rows)(job, r, job->step == 1 ? r * job->classes : r);
        if (job->step > 1)
            NAME(softmax_lanes)(&rest, rows);
        else if (job->classes > NAME(FEW_CLASSES))
            NAME(softmax_wide)(&rest, rows, &ahead);
        else
            NAME(softmax_tile)(&rest, rows);
    }
}

#undef ROWS
