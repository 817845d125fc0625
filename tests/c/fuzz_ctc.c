/* CTC with arbitrary arguments. Nothing may crash, read or write beside the arrays (a sanitizer sees that: each array
 * is allocated apart, exactly as large as the call says), or touch an output of a call that fails.
 *
 * Under libFuzzer (-DCLOSS_LIBFUZZER) it is the target; alone it is a program that makes its own inputs, the same ones
 * each time: `fuzz_ctc 20000`, or `fuzz_ctc FILE` for one that libFuzzer has found.
 */
#include <closs/closs.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort(); \
    } while (0)

enum { UNTOUCHED = 77 };

static long valid;

/* The input, byte by byte; zeros when it has ended. */
typedef struct {
    const uint8_t *data;
    size_t size, used;
} source;

static int byte(source *in) { return in->used < in->size ? in->data[in->used++] : 0; }

static int below(source *in, int n) { return byte(in) % n; }

/* From 0 to usual; of odd calls sometimes anything. */
static int64_t integer(source *in, int usual, int odd) {
    static const int64_t any[] = {-1, -2, INT64_MAX, INT64_MIN, INT32_MAX, (int64_t)1 << 40, 1000, 255};
    int b = byte(in);
    return odd && b >= 224 ? any[b % 8] : b % (usual + 1);
}

static double score(source *in) {
    static const double any[] = {-INFINITY, INFINITY, NAN, 3e38, -3e38, 1e-40, -1e6, 88.8, 1e300, -1e300, 0, -104};
    int b = byte(in);
    return b < 244 ? (b - 122) / 8.0 : any[b - 244];
}

/* Freed together at the end. */
typedef struct {
    void *memory[32];
    int count, empty_is_null;
} heap;

static void *get(heap *h, size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    REQUIRE(memory && h->count < 32);
    return h->memory[h->count++] = memory;
}

/* Of an argument that may be NULL where it has no elements. */
static void *get_or_null(heap *h, size_t bytes) { return bytes == 0 && h->empty_is_null ? NULL : get(h, bytes); }

static int64_t *integers(heap *h, source *in, int64_t n, int usual, int odd) {
    int64_t *x = get_or_null(h, sizeof(int64_t) * (size_t)n);
    for (int64_t i = 0; i < n; i++) x[i] = integer(in, usual, odd);
    return x;
}

/* memset and memcmp are not for NULL. */
static void fill(void *memory, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((unsigned char *)memory)[i] = UNTOUCHED;
}

static int is_untouched(const void *memory, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (((const unsigned char *)memory)[i] != UNTOUCHED) return 0;
    return 1;
}

static int same_bytes(const void *a, const void *b, size_t bytes) { return bytes == 0 || memcmp(a, b, bytes) == 0; }

#define CLOSS_REAL 32
#include "real.h"
#include "fuzz_ctc_type.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "real.h"
#include "fuzz_ctc_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    source in = {data, size, 0};
    if (byte(&in) % 2)
        fuzz_f32(&in);
    else
        fuzz_f64(&in);
    return 0;
}

#ifndef CLOSS_LIBFUZZER
static uint64_t mix(uint64_t x) { /* splitmix64 */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

int main(int count, char **arguments) {
    static uint8_t data[8192];
    FILE *file = count > 1 ? fopen(arguments[1], "rb") : NULL;
    if (file) {
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        return LLVMFuzzerTestOneInput(data, size);
    }
    long runs = count > 1 ? atol(arguments[1]) : 20000;
    for (long k = 0; k < runs; k++) {
        /* Three in four without odd scores. */
        uint64_t seed = mix((uint64_t)k), size = seed % sizeof data;
        for (uint64_t i = 0; i < size; i++) data[i] = (uint8_t)((mix(seed + i) >> 11) % (k % 4 && i > 14 ? 240 : 256));
        LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    printf("fuzz_ctc: %ld inputs, %ld of them valid\n", runs, valid);
    return 0;
}
#endif
