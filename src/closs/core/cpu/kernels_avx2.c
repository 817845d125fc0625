/* x86-64 with AVX2 and FMA; setup.py gives the flags. */
#define CLOSS_ISA avx2
#include "kernels_body.h"
