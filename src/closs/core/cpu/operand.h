/* Operands that are broadcast along the elements of a loss (compiled once a type). */

#define BROADCAST NAME(closs_broadcast)

enum { NAME(CHUNK) = CLOSS_CHUNK_BYTES / sizeof(real) };

static inline int64_t NAME(repeat_of)(const BROADCAST *operand) { return operand->repeat ? operand->repeat : 1; }

/* Elements behind an operand's pointer when it is broadcast along n elements. */
static inline int64_t NAME(extent)(const BROADCAST *operand, int64_t n) {
    int64_t needed = closs_ceil_div(n, NAME(repeat_of)(operand));
    return operand->period && operand->period < needed ? operand->period : needed;
}

static inline closs_span NAME(operand_span)(const BROADCAST *operand, int64_t n) {
    return closs_span_of(operand->data, sizeof(real) * (uint64_t)NAME(extent)(operand, n));
}

static inline closs_status NAME(check_operand)(const BROADCAST *operand) {
    if (operand->repeat < 0 || operand->period < 0) return CLOSS_BAD_BROADCAST;
    return closs_is_aligned(operand->data, sizeof(real)) ? CLOSS_OK : CLOSS_MISALIGNED;
}

/* Where a task spreads an operand out, a chunk at a time. */
typedef struct {
    real values[NAME(CHUNK)];
    int filled; /* 1 once values holds a uniform operand */
} NAME(operand_buffer);

/* An operand's values for elements e .. e + n, n <= CHUNK: a place in its own array where they lie there in a row, else
 * the buffer. A uniform operand fills the buffer at the first call only. */
static inline const real *NAME(operand)(const BROADCAST *operand, int64_t e, int64_t n, NAME(operand_buffer) * buffer) {
    real *values = buffer->values;
    int64_t repeat = NAME(repeat_of)(operand);
    int64_t period = operand->period ? operand->period : INT64_MAX;
    if (period == 1) {
        if (!buffer->filled)
            for (int i = 0; i < NAME(CHUNK); i++) values[i] = *operand->data;
        buffer->filled = 1;
        return values;
    }
    int64_t k = e / repeat % period, used = e % repeat;
    if (repeat == 1 && n <= period - k) return operand->data + k;
    for (int64_t i = 0; i < n; used = 0) {
        int64_t end = n - i < repeat - used ? n : i + (repeat - used);
        real x = operand->data[k];
        while (i < end) values[i++] = x;
        if (++k == period) k = 0;
    }
    return values;
}

static inline double NAME(sum_of)(const NAME(closs_kernel_table) * kernels, const real *x, int64_t n) {
    closs_sum sum = {0, 0};
    if (n > 0) kernels->sum_rows(1, n, x, &sum);
    return closs_sum_value(sum);
}

/* The sum of an operand over the n elements that it is broadcast along. */
static inline double NAME(sum_of_operand)(const NAME(closs_kernel_table) * kernels, const BROADCAST *operand,
                                          int64_t n) {
    if (!operand->data) return (double)n;
    if (n == 0) return 0;
    int64_t repeat = NAME(repeat_of)(operand), steps = n / repeat, rest = n % repeat;
    int64_t period = operand->period ? operand->period : closs_ceil_div(n, repeat);
    int64_t cycles = steps / period, more = steps % period;
    double sum = (double)repeat * NAME(sum_of)(kernels, operand->data, more);
    if (cycles > 0) sum += (double)repeat * (double)cycles * NAME(sum_of)(kernels, operand->data, period);
    return rest > 0 ? sum + (double)rest * operand->data[more] : sum;
}
