/* The kernels: inner loops over short contiguous runs, one table of them an instruction set.
 *
 * kernels_<isa>.c compiles the text of elementwise_loops.h with that instruction set's flags and exports one symbol,
 * its table; dispatch.c chooses among the tables; the drivers call through the chosen one, once a chunk, so that the
 * indirect call costs nothing that can be measured.
 */
#ifndef CLOSS_CPU_KERNELS_H
#define CLOSS_CPU_KERNELS_H

#include "../running_sum.h"

enum {
#define ELEMENTWISE(name, steps) CLOSS_ELEMENTWISE_##name,
#include "../losses.def"
    CLOSS_ELEMENTWISE_COUNT
};

/* States of CTC come in blocks of so many: whole vectors of every instruction set. */
enum { CTC_LANES = 16 };

enum {
#define VECTORS(name, inputs, labelled) CLOSS_VECTORS_##name,
#include "../losses.def"
    CLOSS_VECTORS_COUNT
};

#define CLOSS_REAL 32
#include "../real.h"
#include "ctc_table.h"
#include "kernel_table.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "ctc_table.h"
#include "kernel_table.h"
#undef CLOSS_REAL

typedef struct closs_kernels {
    const char *isa;
    const closs_kernel_table_f32 *table_f32;
    const closs_kernel_table_f64 *table_f64;
} closs_kernels;

extern const closs_kernels closs_kernels_baseline;
extern const closs_kernels closs_kernels_avx2;
extern const closs_kernels closs_kernels_avx512;

/* The table in use, chosen at the first call (dispatch.c). */
const closs_kernels *closs_kernels_in_use(void);

#endif
