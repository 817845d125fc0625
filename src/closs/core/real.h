/* The only file that knows float types.
 *
 * A type-generic text is compiled once a type: define CLOSS_REAL as 32 or 64, include this file, then the text. It
 * speaks of `real`, of the integers of its width `real_bits` (unsigned) and `real_int` (signed), of functions
 * `NAME(foo)` (foo_f32 or foo_f64), of constants `R(0.5)`, and of pairs of constants `PICK(for_float, for_double)`. The
 * file may be included again with another CLOSS_REAL in the same translation unit.
 */
#undef real
#undef real_bits
#undef real_int
#undef NAME
#undef R
#undef PICK
#undef MADD
#undef FROM_BITS
#undef TO_BITS
#undef ABS
#undef REAL_MIN
#undef REAL_MAX
#undef BROADCAST

#define CLOSS_JOIN_(a, b) a##b
#define CLOSS_JOIN(a, b) CLOSS_JOIN_(a, b)

#if CLOSS_REAL == 32
#define real float
#define real_bits uint32_t
#define real_int int32_t
#define NAME(name) CLOSS_JOIN(name, _f32)
#define R(constant) CLOSS_JOIN(constant, f)
#define PICK(for_float, for_double) for_float
#define MADD(a, b, c) CLOSS_FMA_F32(a, b, c)
#define FROM_BITS(bits) closs_float_from_bits(bits)
#define TO_BITS(x) closs_bits_from_float(x)
#define ABS(x) fabsf(x)
#define REAL_MIN FLT_MIN
#define REAL_MAX FLT_MAX
#elif CLOSS_REAL == 64
#define real double
#define real_bits uint64_t
#define real_int int64_t
#define NAME(name) CLOSS_JOIN(name, _f64)
#define R(constant) constant
#define PICK(for_float, for_double) for_double
#define MADD(a, b, c) CLOSS_FMA_F64(a, b, c)
#define FROM_BITS(bits) closs_double_from_bits(bits)
#define TO_BITS(x) closs_bits_from_double(x)
#define ABS(x) fabs(x)
#define REAL_MIN DBL_MIN
#define REAL_MAX DBL_MAX
#else
#error "define CLOSS_REAL as 32 or 64 before including real.h"
#endif
