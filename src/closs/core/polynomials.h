/* The polynomials of vecmath.h, by Horner. Their coefficients come from tools/vecmath_coefficients.py. */
#ifndef CLOSS_POLYNOMIALS_H
#define CLOSS_POLYNOMIALS_H

#include "portable.h"

/* Q(r), for exp(r) = 1 + r + r^2 Q(r) on |r| <= log(2) / 2 + 1e-4; relative error of exp: 3.7e-9 (float), 4.1e-18
 * (double). Times `unit`, a power of two that is a constant: for nothing, where a multiplication would follow. */
CLOSS_INLINE float exp_tail_f32(float r, float unit) {
    float p = unit * 0x1.6850dep-10f;
    p = CLOSS_FMA_F32(p, r, unit * 0x1.123bd4p-7f);
    p = CLOSS_FMA_F32(p, r, unit * 0x1.555b98p-5f);
    p = CLOSS_FMA_F32(p, r, unit * 0x1.55548ep-3f);
    p = CLOSS_FMA_F32(p, r, unit * 0x1.fffff8p-2f);
    return p;
}

CLOSS_INLINE double exp_tail_f64(double r, double unit) {
    double p = unit * 0x1.add6947fe37b9p-26;
    p = CLOSS_FMA_F64(p, r, unit * 0x1.28af4d4d09644p-22);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.71deecdab99bcp-19);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.a01997bc7cce2p-16);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.a01a01446f733p-13);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.6c16c1852ed98p-10);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.1111111122b92p-7);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.5555555550298p-5);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.555555555550fp-3);
    p = CLOSS_FMA_F64(p, r, unit * 0x1.000000000000bp-1);
    return p;
}

/* P(f), for log(1 + f) = f + f^2 P(f) on [sqrt(1/2) - 1, 1/2]; relative error: 1.2e-8 (float), 9.8e-18 (double). */
CLOSS_INLINE float log_tail_f32(float f) {
    float p = -0x1.c1a84ap-5f;
    p = CLOSS_FMA_F32(p, f, 0x1.dedd54p-4f);
    p = CLOSS_FMA_F32(p, f, -0x1.154686p-3f);
    p = CLOSS_FMA_F32(p, f, 0x1.26e65ap-3f);
    p = CLOSS_FMA_F32(p, f, -0x1.53ee18p-3f);
    p = CLOSS_FMA_F32(p, f, 0x1.9964dp-3f);
    p = CLOSS_FMA_F32(p, f, -0x1.000464p-2f);
    p = CLOSS_FMA_F32(p, f, 0x1.5555d2p-2f);
    p = CLOSS_FMA_F32(p, f, -0x1.fffff8p-2f);
    return p;
}

CLOSS_INLINE double log_tail_f64(double f) {
    double p = -0x1.7643ebff1587ap-7;
    p = CLOSS_FMA_F64(p, f, 0x1.364468f594e2ap-5);
    p = CLOSS_FMA_F64(p, f, -0x1.da7dbe9f570efp-5);
    p = CLOSS_FMA_F64(p, f, 0x1.ea4592b776206p-5);
    p = CLOSS_FMA_F64(p, f, -0x1.cd8aaed5bd591p-5);
    p = CLOSS_FMA_F64(p, f, 0x1.d8794287decf7p-5);
    p = CLOSS_FMA_F64(p, f, -0x1.fcee66bfbc076p-5);
    p = CLOSS_FMA_F64(p, f, 0x1.115c1aa6da3a5p-4);
    p = CLOSS_FMA_F64(p, f, -0x1.24c2758ebfdc2p-4);
    p = CLOSS_FMA_F64(p, f, 0x1.3b133fba55529p-4);
    p = CLOSS_FMA_F64(p, f, -0x1.55524eea8c71bp-4);
    p = CLOSS_FMA_F64(p, f, 0x1.745ce6e4503cbp-4);
    p = CLOSS_FMA_F64(p, f, -0x1.9999b566d49eap-4);
    p = CLOSS_FMA_F64(p, f, 0x1.c71c746fb3394p-4);
    p = CLOSS_FMA_F64(p, f, -0x1.ffffff6cbb663p-4);
    p = CLOSS_FMA_F64(p, f, 0x1.2492491cd2747p-3);
    p = CLOSS_FMA_F64(p, f, -0x1.555555562a69fp-3);
    p = CLOSS_FMA_F64(p, f, 0x1.99999999ad64bp-3);
    p = CLOSS_FMA_F64(p, f, -0x1.fffffffffedcp-3);
    p = CLOSS_FMA_F64(p, f, 0x1.55555555554d1p-2);
    p = CLOSS_FMA_F64(p, f, -0x1.0000000000002p-1);
    return p;
}

/* S(t), for log(1 + t) = t - t^2 / 2 + t^2 S(t) on [0, 1]; relative error: 6.2e-9 (float), 1.9e-18 (double). */
CLOSS_INLINE float log1p_tail_f32(float t) {
    float p = -0x1.a70d0ep-9f;
    p = CLOSS_FMA_F32(p, t, 0x1.444814p-6f);
    p = CLOSS_FMA_F32(p, t, -0x1.d20184p-5f);
    p = CLOSS_FMA_F32(p, t, 0x1.b238b4p-4f);
    p = CLOSS_FMA_F32(p, t, -0x1.3982f8p-3f);
    p = CLOSS_FMA_F32(p, t, 0x1.93065ap-3f);
    p = CLOSS_FMA_F32(p, t, -0x1.ff1616p-3f);
    p = CLOSS_FMA_F32(p, t, 0x1.554d22p-2f);
    p = CLOSS_FMA_F32(p, t, 0x1.a04a66p-21f);
    return p;
}

CLOSS_INLINE double log1p_tail_f64(double t) {
    double p = -0x1.0e8492914461ap-16;
    p = CLOSS_FMA_F64(p, t, 0x1.97c57b7fb045bp-13);
    p = CLOSS_FMA_F64(p, t, -0x1.2452e80c75d87p-10);
    p = CLOSS_FMA_F64(p, t, 0x1.0a752fb82f186p-8);
    p = CLOSS_FMA_F64(p, t, -0x1.5d1a40d3e5f7ap-7);
    p = CLOSS_FMA_F64(p, t, 0x1.6174aa40655eep-6);
    p = CLOSS_FMA_F64(p, t, -0x1.23aec882cc17fp-5);
    p = CLOSS_FMA_F64(p, t, 0x1.9ad054e62edddp-5);
    p = CLOSS_FMA_F64(p, t, -0x1.01cd3490ea3b5p-4);
    p = CLOSS_FMA_F64(p, t, 0x1.2c52644605926p-4);
    p = CLOSS_FMA_F64(p, t, -0x1.503941629e265p-4);
    p = CLOSS_FMA_F64(p, t, 0x1.72effce8d4e72p-4);
    p = CLOSS_FMA_F64(p, t, -0x1.9948a3845a9efp-4);
    p = CLOSS_FMA_F64(p, t, 0x1.c70e6edbec034p-4);
    p = CLOSS_FMA_F64(p, t, -0x1.fffe2686d163p-4);
    p = CLOSS_FMA_F64(p, t, 0x1.2492320684191p-3);
    p = CLOSS_FMA_F64(p, t, -0x1.555553bb714b8p-3);
    p = CLOSS_FMA_F64(p, t, 0x1.99999986a6c8p-3);
    p = CLOSS_FMA_F64(p, t, -0x1.ffffffff77c7dp-3);
    p = CLOSS_FMA_F64(p, t, 0x1.555555555459p-2);
    p = CLOSS_FMA_F64(p, t, 0x1.4d2cd9ad220cap-50);
    return p;
}

#endif
