/* The losses that compare vectors: value of a row from sums over its elements, and factors of its gradients (compiled
 * once a type).
 *
 * The sums are double for float vectors too, whose products are exact in it: for them nothing overflows, and nothing
 * but the last rounding is lost. For double see double_double.h.
 */

typedef struct {
    double value;
    closs_sum factors[3];
} NAME(vectors_row);

typedef NAME(vectors_row) NAME(vectors_formula)(const closs_sum *sums, double label, double margin);

/* Triplet loss, V. Balntas et al., BMVC 2016: l = max(0, d + margin), where d, which is sums[0], is the sum of
 * (positive - pred)^2 - (negative - pred)^2. Where it is positive the gradients are 2 (negative - positive),
 * 2 (positive - pred), 2 (pred - negative); factors[0] is that 2, or 0. Comparisons are written so that NaN stays. */
CLOSS_INLINE NAME(vectors_row) NAME(triplet_row)(const closs_sum *sums, double unused, double margin) {
    (void)unused;
    const double l = NAME(dd_value)(NAME(dd_add)(sums[0], NAME(dd)(margin)));
    return (NAME(vectors_row)){l <= 0 ? 0 : l, {{l <= 0 ? 0 : l > 0 ? 2 : l, 0}, {0, 0}, {0, 0}}};
}

/* Cosine embedding loss: l = 1 - cos for label 1, clip(cos - margin, 0, 1 - margin) for label -1, with
 * cos = a.b / max(|a| |b|, 1e-12); the sums are a.b, a.a and b.b. d cos / da = b / (|a| |b|) - cos a / |a|^2: factors
 * are those of the other vector, of a in its own gradient, and of b in its own. 0 where a vector is 0, where the margin
 * is met, and where the clip cuts off; where the 1e-12 decides, only the product varies. */
CLOSS_INLINE NAME(vectors_row) NAME(cosine_embedding_row)(const closs_sum *sums, double label, double margin) {
    const closs_sum dot = sums[0], aa = sums[1], bb = sums[2];
    const double floor = 1e-12;
    const closs_sum length_a = NAME(dd_sqrt)(aa), length_b = NAME(dd_sqrt)(bb);
    const closs_sum per_a = NAME(dd_inverse)(length_a), per_b = NAME(dd_inverse)(length_b);
    const closs_sum norms = NAME(dd_multiply)(length_a, length_b);
    const int varies = !(norms.hi < floor);
    const closs_sum inverse = NAME(dd_inverse)(varies ? norms : NAME(dd)(floor));
    const closs_sum cosine = NAME(dd_multiply)(dot, inverse);
    NAME(vectors_row) row = {0, {{0, 0}, {0, 0}, {0, 0}}};
    double sign = -1;
    if (label > 0) {
        row.value = NAME(dd_value)(NAME(dd_add)(NAME(dd)(1), NAME(dd_negative)(cosine)));
        if (row.value < 0) row.value = 0; /* parallel vectors, rounded */
    } else {
        const double above = NAME(dd_value)(NAME(dd_add)(cosine, NAME(dd)(-margin)));
        sign = above <= 0 || above > 1 - margin ? 0 : 1;
        row.value = above <= 0 ? 0 : above > 1 - margin ? 1 - margin : above;
    }
    if (norms.hi == 0 || sign == 0) return row;
    row.factors[0] = sign < 0 ? NAME(dd_negative)(inverse) : inverse;
    if (varies) {
        const closs_sum of_own = sign < 0 ? cosine : NAME(dd_negative)(cosine);
        row.factors[1] = NAME(dd_multiply)(NAME(dd_multiply)(of_own, per_a), per_a);
        row.factors[2] = NAME(dd_multiply)(NAME(dd_multiply)(of_own, per_b), per_b);
    }
    return row;
}
