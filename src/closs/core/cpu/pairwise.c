/* The driver of SDML, the loss that compares every vector of a batch with every other one. Places are rows. The text is
 * compiled once a type.
 *
 * A row's logits are its negative squared distances, its target is the smoothed identity: softmax cross-entropy with
 * label smoothing, less a constant. So the kernel of that loss does the rows; what is left are distances before it, and
 * after it the products of its gradient with the differences of the vectors.
 */
#include "driver.h"

#include <stdlib.h>

/* Elements of all differences below which one thread is faster than two; rows whose distances wait at once without a
 * gradient. */
enum { PAIRWISE_GRAIN = 65536, PAIRWISE_ROWS = 64 };

#define CLOSS_REAL 32
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "pairwise_driver.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "pairwise_driver.h"
#undef CLOSS_REAL
