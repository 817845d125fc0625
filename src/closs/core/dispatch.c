/* Which instruction set: asked of the processor once, lowered by CLOSS_ISA in the environment. */
#include "closs/closs.h"
#include "cpu/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* CLOSS_BASELINE_ONLY builds the core from plain compiler calls, without the kernels that need flags of their own. */
#if (defined(__x86_64__) || defined(_M_X64)) && !defined(CLOSS_BASELINE_ONLY)
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static void cpuid(unsigned leaf, unsigned registers[4]) { __cpuidex((int *)registers, (int)leaf, 0); }
static unsigned long long enabled_state(void) { return _xgetbv(0); }
#else
#include <cpuid.h>
static void cpuid(unsigned leaf, unsigned registers[4]) {
    __cpuid_count(leaf, 0, registers[0], registers[1], registers[2], registers[3]);
}
static unsigned long long enabled_state(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((unsigned long long)high << 32) | low;
}
#endif

static int has_bits(unsigned long long word, unsigned long long bits) { return (word & bits) == bits; }

/* 0: baseline, 1: AVX2 and FMA, 2: AVX-512 F, DQ, BW, VL too. The operating system has to save the wider registers. */
static int level_of_processor(void) {
    unsigned leaf[4];
    cpuid(0, leaf);
    if (leaf[0] < 7) return 0;
    cpuid(1, leaf);
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
    if (!has_bits(leaf[2], fma | osxsave | avx)) return 0;
    unsigned long long state = enabled_state();
    cpuid(7, leaf);
    if (!has_bits(state, 0x6) || !has_bits(leaf[1], 1u << 5)) return 0;
    const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    return has_bits(state, 0xe6) && has_bits(leaf[1], avx512) ? 2 : 1;
}

static const closs_kernels *const built[] = {&closs_kernels_baseline, &closs_kernels_avx2, &closs_kernels_avx512};
#else
static int level_of_processor(void) { return 0; }
static const closs_kernels *const built[] = {&closs_kernels_baseline};
#endif

static const closs_kernels *available(int k) { return k >= 0 && k <= level_of_processor() ? built[k] : NULL; }

/* The best there is; with CLOSS_ISA the one of that name, if it can run here. */
static const closs_kernels *choose(void) {
    const char *wanted = getenv("CLOSS_ISA");
    const closs_kernels *best = built[0];
    for (int k = 0; available(k); k++) {
        best = built[k];
        if (wanted && strcmp(wanted, best->isa) == 0) break;
    }
    return best;
}

const closs_kernels *closs_kernels_in_use(void) {
    static const closs_kernels *_Atomic in_use;
    const closs_kernels *kernels = atomic_load_explicit(&in_use, memory_order_acquire);
    if (!kernels) { /* two threads may both choose; they choose the same */
        kernels = choose();
        atomic_store_explicit(&in_use, kernels, memory_order_release);
    }
    return kernels;
}

const char *closs_isa(void) { return closs_kernels_in_use()->isa; }

const char *closs_isa_available(int k) {
    const closs_kernels *kernels = available(k);
    return kernels ? kernels->isa : NULL;
}
