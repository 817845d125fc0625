/* The driver of the losses that compare vectors: checks, rows, weights. Places are rows. The text is compiled once a
 * type; public functions are made from losses.def below.
 */
#include "driver.h"

/* Elements below which one thread is faster than two; rows that a task evaluates in one go. */
enum { VECTORS_GRAIN = 65536, VECTORS_RUN = 64 };

#define CLOSS_REAL 32
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "vectors_driver.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "vectors_driver.h"
#undef CLOSS_REAL
