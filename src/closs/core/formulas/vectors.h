/* The losses that compare vectors: value of a row from sums over its elements, and factors of its gradients.
 *
 * The sums are double for float vectors too, whose products are exact in it: for them nothing overflows, and nothing
 * but the last rounding is lost.
 */
#ifndef CLOSS_FORMULAS_VECTORS_H
#define CLOSS_FORMULAS_VECTORS_H

#include "../portable.h"

typedef struct closs_vectors_row {
    double value;
    double factors[3];
} closs_vectors_row;

typedef closs_vectors_row closs_vectors_formula(const double *sums, double label, double margin);

/* Triplet loss, V. Balntas et al., BMVC 2016: l = max(0, d + margin), where d, which is sums[0], is the sum of
 * (positive - pred)^2 - (negative - pred)^2. Where it is positive the gradients are 2 (negative - positive),
 * 2 (positive - pred), 2 (pred - negative); factors[0] is that 2, or 0. Comparisons are written so that NaN stays. */
CLOSS_INLINE closs_vectors_row closs_triplet_row(const double *sums, double unused, double margin) {
    (void)unused;
    double l = sums[0] + margin;
    closs_vectors_row row = {l <= 0 ? 0 : l, {l <= 0 ? 0 : l > 0 ? 2 : l, 0, 0}};
    return row;
}

/* Cosine embedding loss: l = 1 - cos for label 1, clip(cos - margin, 0, 1 - margin) for label -1, with
 * cos = a.b / max(|a| |b|, 1e-12); the sums are a.b, a.a and b.b. d cos / da = b / (|a| |b|) - cos a / |a|^2: factors
 * are those of the other vector, of a in its own gradient, and of b in its own. 0 where a vector is 0, where the margin
 * is met, and where the clip cuts off; where the 1e-12 decides, only the product varies. */
CLOSS_INLINE closs_vectors_row closs_cosine_embedding_row(const double *sums, double label, double margin) {
    const double dot = sums[0], aa = sums[1], bb = sums[2], floor = 1e-12;
    double norms = sqrt(aa) * sqrt(bb);
    double divisor = norms < floor ? floor : norms;
    double cosine = dot / divisor;
    closs_vectors_row row = {0, {0, 0, 0}};
    double sign = -1;
    if (label > 0) {
        row.value = 1 - cosine;
        if (row.value < 0) row.value = 0; /* parallel vectors, rounded */
    } else {
        double above = cosine - margin;
        sign = above <= 0 || above > 1 - margin ? 0 : 1;
        row.value = above <= 0 ? 0 : above > 1 - margin ? 1 - margin : above;
    }
    if (norms == 0 || sign == 0) return row;
    row.factors[0] = sign / divisor;
    if (!(norms < floor)) {
        row.factors[1] = -sign * cosine / aa;
        row.factors[2] = -sign * cosine / bb;
    }
    return row;
}

#endif
