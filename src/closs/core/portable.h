/* The only file that knows compilers, but for the questions of dispatch.c to the processor and the constructor of
 * threads.c.
 *
 * Everything here is a spelling, not a behaviour: the same text above it means the same arithmetic with gcc, clang
 * and MSVC, and with nvcc, which compiles the formulas for the GPU.
 */
#ifndef CLOSS_PORTABLE_H
#define CLOSS_PORTABLE_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Qualifier of every function that lives in a header. `static` matters: each instruction set compiles its own copy,
 * and the linker must never merge an AVX-512 copy into the baseline path. */
#if defined(__CUDACC__)
#define CLOSS_INLINE static __host__ __device__ __forceinline__
#elif defined(_MSC_VER) && !defined(__clang__)
#define CLOSS_INLINE static __forceinline
#else
#define CLOSS_INLINE static inline __attribute__((always_inline, unused))
#endif

/* Put before a loop whose iterations are independent, although an output may be the very array of an input (gradient
 * in place over pred). Without it the compiler's run-time alias check sends the in-place call to a scalar loop. */
#if defined(__clang__)
#define CLOSS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define CLOSS_INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define CLOSS_INDEPENDENT __pragma(loop(ivdep))
#else
#define CLOSS_INDEPENDENT
#endif

/* a * b + c, fused exactly where the target has the instruction. Contraction by the compiler is switched off
 * (-ffp-contract=off, nvcc -fmad=false), so this is the only place where a product and a sum can fuse, and every
 * build with FMA gives the same bits. It is never a library call: fma() in a build without the instruction is. */
#if defined(__CUDA_ARCH__) || defined(__FMA__) || defined(__ARM_FEATURE_FMA) || (defined(_MSC_VER) && defined(__AVX2__))
#define CLOSS_HAS_FMA 1
#else
#define CLOSS_HAS_FMA 0
#endif

#if CLOSS_HAS_FMA && defined(__GNUC__) && !defined(__CUDACC__)
#define CLOSS_FMA_F32(a, b, c) __builtin_fmaf(a, b, c)
#define CLOSS_FMA_F64(a, b, c) __builtin_fma(a, b, c)
#elif CLOSS_HAS_FMA
#define CLOSS_FMA_F32(a, b, c) fmaf(a, b, c)
#define CLOSS_FMA_F64(a, b, c) fma(a, b, c)
#else
#define CLOSS_FMA_F32(a, b, c) ((a) * (b) + (c))
#define CLOSS_FMA_F64(a, b, c) ((a) * (b) + (c))
#endif

/* Asks for a cache line that will be read soon; nothing where the compiler has no such request. */
#if defined(__GNUC__)
#define CLOSS_PREFETCH(address) __builtin_prefetch(address)
#else
#define CLOSS_PREFETCH(address) ((void)(address))
#endif

CLOSS_INLINE float closs_float_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

CLOSS_INLINE uint32_t closs_bits_from_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

CLOSS_INLINE double closs_double_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

CLOSS_INLINE uint64_t closs_bits_from_double(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

#endif
