/* The driver of CTC: checks, memory, threads over samples or frames, and the order of the steps. It knows no formula
 * and no instruction set. What does not depend on the type stands here, the rest is compiled once a type.
 *
 * A sample goes through three steps, each a function:
 *
 *     read     frame by frame: the largest logit, the sum of the others' exp, the logits of the labels; a sample that
 *              fits the cache has its exp left where the gradient will be
 *     lattice  alpha forwards, omega and gamma backwards (ctc_lattice.h), from what was read alone
 *     write    frame by frame: softmax into the gradient, minus gamma, while the row is in L1; of the exp that wait
 *              there, or else from pred once more
 *
 * Nothing of size time x classes is kept but the gradient. With samples enough each thread takes one after the other
 * through all three; with fewer samples than threads the frames of `read` and `write` are shared out. The steps and
 * their results are the same.
 */
#include "driver.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Frames between two normalisations of mantissas: by then one has grown by 2^17 at most (see formulas/ctc.h). */
enum { NORMALISE_EVERY = 8 };

enum {
    PRECISE_CHUNK = 512,     /* classes of a frame that are looked at in double */
    FRAMES_A_TASK = 16,      /* where frames are shared out */
    KEPT_EXPS = 1 << 22,     /* bytes of a sample's frames, up to which `read` leaves their exp to `write` */
    SERIAL_BELOW_NS = 40000, /* of estimated work: below that a second thread does not pay */
};

/* How much memory a structure needs, or (with a base) the structure's memory. */
typedef struct {
    char *base;
    uint64_t used;
} arena;

static void *take(arena *a, int64_t count, size_t size) {
    void *place = a->base ? a->base + a->used : NULL;
    a->used += ((uint64_t)count * size + 63) / 64 * 64;
    return place;
}

/* The arguments of one call that do not depend on the type, with the defaults put in. */
typedef struct {
    int64_t batch, time, classes, batch_stride, time_stride;
    int64_t blank;
    const int64_t *pred_lengths;
    const int64_t *label, *label_offsets, *label_lengths;
    int64_t label_width, label_batch_stride, label_stride, label_size;
} ctc_shape;

/* One sample's sizes. */
typedef struct {
    int64_t time, labels;
    const int64_t *label; /* with steps of label_stride */
} ctc_sample;

static int64_t ctc_label_start(const ctc_shape *shape, int64_t n) {
    return shape->label_offsets ? shape->label_offsets[n] : n * shape->label_batch_stride;
}

static ctc_sample ctc_sample_of(const ctc_shape *shape, int64_t n) {
    ctc_sample sample = {.time = shape->pred_lengths ? shape->pred_lengths[n] : shape->time};
    if (shape->label_width == 0) return sample;
    sample.label = shape->label + ctc_label_start(shape, n);
    if (shape->label_lengths) {
        sample.labels = shape->label_lengths[n];
    } else {
        while (sample.labels < shape->label_width && sample.label[sample.labels * shape->label_stride] != -1)
            sample.labels++;
    }
    return sample;
}

/* Frames that the shortest path needs. */
static int64_t ctc_frames_needed(const ctc_shape *shape, const ctc_sample *sample) {
    int64_t needed = sample->labels, step = shape->label_stride;
    for (int64_t i = 1; i < sample->labels; i++) needed += sample->label[i * step] == sample->label[(i - 1) * step];
    return needed;
}

static double ctc_scaled_sum(int64_t n, const double *x, double scale) {
    closs_sum sum = {0, 0};
    for (int64_t i = 0; i < n; i++) closs_add(scale * x[i], &sum.hi, &sum.lo);
    return closs_sum_value(sum);
}

/* The sum of n finite numbers. Where it leaves the range of double, if only midway, they are added once more scaled
 * down; not always, because that costs the smallest ones digits. */
static double ctc_sum(int64_t n, const double *x) {
    double sum = ctc_scaled_sum(n, x, 1);
    return fabs(sum) <= DBL_MAX ? sum : ctc_scaled_sum(n, x, 0x1p-62) * 0x1p62;
}

/* ---- Checks ----------------------------------------------------------------------------------------------------- */

static closs_status ctc_bad(closs_ctc_bad *bad, closs_status status, int64_t sample, int64_t position, int64_t value) {
    if (bad) *bad = (closs_ctc_bad){sample, position, value};
    return status;
}

static closs_status ctc_infeasible(const ctc_shape *shape, closs_ctc_bad *bad, int64_t n) {
    ctc_sample sample = ctc_sample_of(shape, n);
    return ctc_bad(bad, CLOSS_INFEASIBLE, n, ctc_frames_needed(shape, &sample), sample.time);
}

/* Elements from the first to past the last one of (batch, time) rows; -1 if that overflows or rows overlap. */
static int64_t ctc_extent(int64_t batch, int64_t time, int64_t classes, int64_t batch_stride, int64_t time_stride) {
    int64_t over_batch, over_time;
    if (batch == 0 || time == 0) return 0;
    if (batch_stride < 0 || time_stride < 0) return -1;
    if (!closs_multiply_sizes(batch - 1, batch_stride, &over_batch)) return -1;
    if (!closs_multiply_sizes(time - 1, time_stride, &over_time)) return -1;
    int rows_fit = (time == 1 || time_stride >= classes) && (batch == 1 || batch_stride >= classes);
    int frames_within = batch == 1 || batch_stride >= over_time + classes;
    int samples_within = time == 1 || time_stride >= over_batch + classes;
    return rows_fit && (frames_within || samples_within) ? over_batch + over_time + classes : -1;
}

static void ctc_default_strides(const ctc_shape *shape, int64_t *batch_stride, int64_t *time_stride) {
    if (*batch_stride != 0 || *time_stride != 0) return;
    *time_stride = shape->classes;
    *batch_stride = shape->time * shape->classes;
}

/* Sizes and strides of pred and labels; labels themselves are not looked at. */
static closs_status ctc_check_sizes(ctc_shape *shape) {
    const int64_t shape_of_pred[] = {shape->batch, shape->time, shape->classes};
    int64_t elements;
    if (shape->classes > INT32_MAX || !closs_count_elements(3, shape_of_pred, &elements)) return CLOSS_BAD_SIZE;
    ctc_default_strides(shape, &shape->batch_stride, &shape->time_stride);
    if (ctc_extent(shape->batch, shape->time, shape->classes, shape->batch_stride, shape->time_stride) < 0)
        return CLOSS_BAD_SIZE;
    if (shape->batch > 0 && (shape->blank < 0 || shape->blank >= shape->classes)) return CLOSS_BAD_PARAMETER;
    return CLOSS_OK;
}

static closs_status ctc_check_label_sizes(ctc_shape *shape) {
    int64_t over_batch = 0, over_row = 0;
    if (shape->label_width < 0 || shape->label_batch_stride < 0 || shape->label_stride < 0 || shape->label_size < 0)
        return CLOSS_BAD_SIZE;
    if (shape->label_size > CLOSS_MOST_ELEMENTS) return CLOSS_BAD_SIZE;
    if (shape->label_stride == 0) shape->label_stride = 1;
    if (shape->label_batch_stride == 0) shape->label_batch_stride = shape->label_width;
    if (shape->batch == 0 || shape->label_width == 0) return CLOSS_OK;
    if (!closs_multiply_sizes(shape->label_width - 1, shape->label_stride, &over_row)) return CLOSS_BAD_SIZE;
    if (!shape->label_offsets) {
        if (!closs_multiply_sizes(shape->batch - 1, shape->label_batch_stride, &over_batch)) return CLOSS_BAD_SIZE;
        int64_t extent = over_batch + over_row + 1;
        if (shape->label_size == 0) shape->label_size = extent;
        if (extent > shape->label_size) return CLOSS_BAD_SIZE;
    }
    return CLOSS_OK;
}

static closs_status ctc_check_lengths(const ctc_shape *shape, closs_ctc_bad *bad) {
    for (int64_t n = 0; n < shape->batch; n++) {
        if (shape->pred_lengths && (shape->pred_lengths[n] < 0 || shape->pred_lengths[n] > shape->time))
            return ctc_bad(bad, CLOSS_BAD_LENGTH, n, 0, shape->pred_lengths[n]);
        if (shape->label_lengths && (shape->label_lengths[n] < 0 || shape->label_lengths[n] > shape->label_width))
            return ctc_bad(bad, CLOSS_BAD_LENGTH, n, 1, shape->label_lengths[n]);
        if (!shape->label_offsets || shape->label_width == 0) continue;
        int64_t length = shape->label_lengths ? shape->label_lengths[n] : shape->label_width;
        if (shape->label_size == 0 && length > 0) return CLOSS_BAD_SIZE; /* which offsets cannot imply */
        int64_t last = shape->label_size - 1 - (length > 0 ? (length - 1) * shape->label_stride : -1);
        if (shape->label_offsets[n] < 0 || shape->label_offsets[n] > last)
            return ctc_bad(bad, CLOSS_BAD_LENGTH, n, 2, shape->label_offsets[n]);
    }
    return CLOSS_OK;
}

/* Every label that will be read. *longest: labels of the sample that has most. */
static closs_status ctc_check_labels(const ctc_shape *shape, int raise, closs_ctc_bad *bad, int64_t *longest) {
    *longest = 0;
    for (int64_t n = 0; n < shape->batch; n++) {
        ctc_sample sample = ctc_sample_of(shape, n);
        for (int64_t i = 0; i < sample.labels; i++) {
            int64_t label = sample.label[i * shape->label_stride];
            if (label < 0 || label >= shape->classes || label == shape->blank)
                return ctc_bad(bad, CLOSS_BAD_LABEL, n, i, label);
        }
        if (sample.labels > *longest) *longest = sample.labels;
    }
    for (int64_t n = 0; raise && n < shape->batch; n++) {
        ctc_sample sample = ctc_sample_of(shape, n);
        if (ctc_frames_needed(shape, &sample) > sample.time) return ctc_infeasible(shape, bad, n);
    }
    return CLOSS_OK;
}

/* ---- By type ---------------------------------------------------------------------------------------------------- */

#define CLOSS_REAL 64
#include "../real.h"
#include "ctc_lattice.h"
#undef CLOSS_REAL
#define CLOSS_REAL 32
#include "../real.h"
#include "ctc_lattice.h"
#include "ctc_driver.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "ctc_driver.h"
#undef CLOSS_REAL
