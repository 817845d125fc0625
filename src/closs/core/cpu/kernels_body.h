/* All kernels of one instruction set: the same text for each, once for float and once for double.
 *
 * Included by kernels_<isa>.c, which defines CLOSS_ISA as the bare name of the set and is compiled with its flags.
 */
#include "kernels.h"

#define CLOSS_REAL 64
#include "../real.h"
#include "kernels_of_type.h"
#undef CLOSS_REAL
#define CLOSS_REAL 32
#include "../real.h"
#include "kernels_of_type.h"
#undef CLOSS_REAL

#define CLOSS_STRING_(name) #name
#define CLOSS_STRING(name) CLOSS_STRING_(name)

const closs_kernels CLOSS_JOIN(closs_kernels_, CLOSS_ISA) = {
    .isa = CLOSS_STRING(CLOSS_ISA),
    .table_f32 = &table_f32,
    .table_f64 = &table_f64,
};
