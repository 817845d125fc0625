/* A running sum of any length: hi + lo, where lo collects what the additions to hi lost. */
#ifndef CLOSS_RUNNING_SUM_H
#define CLOSS_RUNNING_SUM_H

#include "portable.h"

#define CLOSS_REAL 32
#include "real.h"
#include "exact.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "real.h"
#include "exact.h"
#undef CLOSS_REAL

typedef struct closs_sum {
    double hi, lo;
} closs_sum;

CLOSS_INLINE void closs_add(double x, double *hi, double *lo) {
    two_sum_t_f64 sum = two_sum_f64(*hi, x);
    *hi = sum.sum;
    *lo += sum.error;
}

CLOSS_INLINE void closs_add_sum(closs_sum part, closs_sum *sum) {
    closs_add(part.hi, &sum->hi, &sum->lo);
    sum->lo += part.lo;
}

/* Once hi is infinite or NaN, lo is NaN and means nothing. */
CLOSS_INLINE double closs_sum_value(closs_sum sum) { return fabs(sum.hi) <= DBL_MAX ? sum.hi + sum.lo : sum.hi; }

#endif
