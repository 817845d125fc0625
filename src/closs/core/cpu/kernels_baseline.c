/* What every processor of the architecture runs: SSE2 on x86-64, NEON with FMA on AArch64. */
#define CLOSS_ISA baseline
#include "kernels_body.h"
