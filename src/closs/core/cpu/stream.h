/* Copies that bypass the caches, for large results that nobody reads soon. */
#ifndef CLOSS_CPU_STREAM_H
#define CLOSS_CPU_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>

/* As memcpy. An ordinary store first reads the line that it will overwrite; a streaming one of whole lines does not. */
static inline void closs_stream_copy(void *to, const void *from, size_t bytes) {
    char *target = (char *)to;
    const char *source = (const char *)from;
    size_t head = (size_t)(-(uintptr_t)target & 63);
    if (head > bytes) head = bytes;
    memcpy(target, source, head);
    size_t lines_end = head + ((bytes - head) & ~(size_t)63);
    for (size_t i = head; i < lines_end; i += 16)
        _mm_stream_si128((__m128i *)(target + i), _mm_loadu_si128((const __m128i *)(source + i)));
    memcpy(target + lines_end, source + lines_end, bytes - lines_end);
}

/* Before another thread may look: streaming stores are not ordered with ordinary ones. */
static inline void closs_stream_end(void) { _mm_sfence(); }
#else
static inline void closs_stream_copy(void *to, const void *from, size_t bytes) { memcpy(to, from, bytes); }
static inline void closs_stream_end(void) {}
#endif

#endif
