/* x86-64 with AVX-512 F, DQ, BW and VL; setup.py gives the flags. */
#define CLOSS_ISA avx512
#include "kernels_body.h"
