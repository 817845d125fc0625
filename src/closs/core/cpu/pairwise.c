/* The driver of SDML, the loss that compares every vector of a batch with every other one. Places are rows. The text is
 * compiled once a type.
 *
 * A row's logits are its negative squared distances, its target is the smoothed identity: softmax cross-entropy with
 * label smoothing, less a constant. So the kernel of that loss does the rows; what is left are distances before it, and
 * after it the products of its gradient with the differences of the vectors. Distances and their softmax are double for
 * float vectors too: in float two far vectors at distances 9e6 and 9e6 + 0.7 were the same.
 */
#include "driver.h"

#include <stdlib.h>

/* Elements of all differences below which one thread is faster than two; rows whose distances wait at once without a
 * gradient; a chunk of distances. */
enum { PAIRWISE_GRAIN = 65536, PAIRWISE_ROWS = 64, PAIRWISE_CHUNK = CLOSS_CHUNK_BYTES / sizeof(double) };

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
