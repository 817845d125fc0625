/* The driver of the losses over classes: checks, labels, weights; places are rows, in (outer, inner) order. The text is
 * compiled once a type; public functions are made from losses.def below.
 */
#include "driver.h"

#include <stdlib.h>

enum labels { CLASSES, DENSE, DIVERGENCE };

/* Elements below which one thread is faster than two; rows that a task evaluates in one go. */
enum { SOFTMAX_GRAIN = 32768, SOFTMAX_RUN = 512, SURVEY_ROWS = 8192 };

/* What one look at the labels tells, before anything is written. */
typedef struct {
    int64_t counted; /* rows that are not ignored */
    int64_t bad;     /* the first label out of range, or -1 */
    double weight;   /* of the counted rows */
} survey;

#define CLOSS_REAL 32
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "softmax_driver.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "softmax_driver.h"
#undef CLOSS_REAL
