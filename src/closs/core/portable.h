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

/* Qualifier of a function that is to stay one, where compilers inline it and then lose what they had in registers. */
#if defined(__GNUC__) && !defined(__CUDACC__)
#define CLOSS_OUTLINE static __attribute__((noinline))
#elif defined(_MSC_VER)
#define CLOSS_OUTLINE static __declspec(noinline)
#else
#define CLOSS_OUTLINE static
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

/* ROLLED before a loop over a few vectors: gcc unrolls one of up to 16 numbers before it vectorises, and then does not.
 * UNROLLED before one whose body is so short that counting shows; clang unrolls those by itself. */
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#define CLOSS_ROLLED _Pragma("GCC unroll 1")
#define CLOSS_UNROLLED _Pragma("GCC unroll 4")
#else
#define CLOSS_ROLLED
#define CLOSS_UNROLLED
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

/* CLOSS_VECTOR_BYTES: of one vector; how many numbers go side by side is chosen by it, never what they become.
 * CLOSS_ROOMY_REGISTERS: whether a block of four vectors, in two halves (halfway_t), fits them whatever the formula is:
 * there are 32 of 512 bits. */
#if defined(__AVX512F__)
#define CLOSS_VECTOR_BYTES 64
#define CLOSS_ROOMY_REGISTERS 1
#else
#define CLOSS_ROOMY_REGISTERS 0
#ifdef __AVX2__
#define CLOSS_VECTOR_BYTES 32
#else
#define CLOSS_VECTOR_BYTES 16
#endif
#endif

/* to[i * to_step + j] = from[j * from_step + i] for i, j < 4, by shuffles where the compiler has them: of plain
 * assignments gcc 12 makes a load and a store an element (0.33 against 0.10 ns, AVX2). */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define CLOSS_HAS_SHUFFLE 1
#endif
#endif
#ifdef CLOSS_HAS_SHUFFLE
CLOSS_INLINE void closs_transpose_4x4(const float *from, int64_t from_step, float *to, int64_t to_step) {
    typedef float four __attribute__((vector_size(16)));
    four a, b, c, d;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + from_step, sizeof b);
    memcpy(&c, from + 2 * from_step, sizeof c);
    memcpy(&d, from + 3 * from_step, sizeof d);
    four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
    memcpy(to, &a, sizeof a);
    memcpy(to + to_step, &b, sizeof b);
    memcpy(to + 2 * to_step, &c, sizeof c);
    memcpy(to + 3 * to_step, &d, sizeof d);
}
#else
CLOSS_INLINE void closs_transpose_4x4(const float *from, int64_t from_step, float *to, int64_t to_step) {
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) to[i * to_step + j] = from[j * from_step + i];
}
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
