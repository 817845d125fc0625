/* The inner loops of CTC (compiled once a type and instruction set, see kernels_body.h).
 *
 * Two kinds: over a row of classes, and over the states of one frame. Runs of states come in whole blocks of CTC_LANES,
 * padded with zeros. Rows have any length: a last block that is not whole overlaps the one before it, and the only
 * block goes through a padded copy, so that no loop ends in a scalar tail.
 */

/* ---- Over the classes of one frame ------------------------------------------------------------------------------ */

enum { NAME(SUM_BLOCK) = 8 * CTC_LANES };

/* The sum of CTC_LANES numbers. */
CLOSS_INLINE real NAME(ctc_sum_lanes)(const real *x) {
    real four[4];
    for (int j = 0; j < 4; j++) four[j] = (x[j] + x[j + 4]) + (x[j + 8] + x[j + 12]);
    return (four[0] + four[1]) + (four[2] + four[3]);
}

/* out[i] = factor exp(x[i] - top), n a multiple of CTC_LANES and ROW_CHUNK at most; out may be x. */
CLOSS_INLINE void NAME(ctc_exp_blocks)(int64_t n, const real *x, NAME(exp_origin_t) top, real factor, real *out) {
    real main[NAME(ROW_CHUNK)], rest[NAME(ROW_CHUNK)];
    NAME(begin_exps)(n, x, top, main, rest);
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) out[i] = factor * NAME(end_exp)(main[i], rest[i]);
}

/* The same for any n below CTC_LANES. */
CLOSS_INLINE void NAME(ctc_exp_rest)(int64_t n, const real *x, NAME(exp_origin_t) top, real factor, real *out) {
    real padded[CTC_LANES];
    for (int j = 0; j < CTC_LANES; j++) padded[j] = -INFINITY;
    for (int64_t j = 0; j < n; j++) padded[j] = x[j];
    NAME(ctc_exp_blocks)(CTC_LANES, padded, top, factor, padded);
    for (int64_t j = 0; j < n; j++) out[j] = padded[j];
}

/* The same for any n up to ROW_CHUNK. */
CLOSS_INLINE void NAME(ctc_exp_row)(int64_t n, const real *x, NAME(exp_origin_t) top, real factor, real *out) {
    if (n < CTC_LANES) {
        NAME(ctc_exp_rest)(n, x, top, factor, out);
        return;
    }
    real last[CTC_LANES]; /* the last block may overlap the one before it, and out may be x: it is computed first */
    NAME(ctc_exp_blocks)(CTC_LANES, x + n - CTC_LANES, top, factor, last);
    NAME(ctc_exp_blocks)((n - 1) / CTC_LANES * CTC_LANES, x, top, factor, out);
    memcpy(out + n - CTC_LANES, last, sizeof(last));
}

/* The sum of exp(x[i] - top) over all i but position: what is left is exact where softmax is nearly 1. Lanes are summed
 * in the type over 8 numbers, from there on in double. The terms into exps, if that is not NULL. */
static double NAME(ctc_row_rest)(int64_t n, const real *x, real top, int64_t position, real *exps) {
    real buffer[NAME(ROW_CHUNK) + CTC_LANES];
    double total[CTC_LANES] = {0};
    const NAME(exp_origin_t) from = NAME(exp_origin)(top);
    for (int64_t i = 0; i < n; i += NAME(ROW_CHUNK)) {
        int64_t length = n - i < NAME(ROW_CHUNK) ? n - i : NAME(ROW_CHUNK);
        NAME(ctc_exp_row)(length, x + i, from, 1, buffer);
        if (exps) memcpy(exps + i, buffer, (size_t)length * sizeof(real));
        if (position >= i && position < i + length) buffer[position - i] = 0;
        for (int j = 0; j < CTC_LANES; j++) buffer[length + j] = 0;
        for (int64_t block = 0; block < length; block += NAME(SUM_BLOCK)) {
            int64_t end = length - block < NAME(SUM_BLOCK) ? length : block + NAME(SUM_BLOCK);
            real lanes[CTC_LANES] = {0};
            for (int64_t k = block; k < end; k += CTC_LANES)
                for (int j = 0; j < CTC_LANES; j++) lanes[j] += buffer[k + j];
            for (int j = 0; j < CTC_LANES; j++) total[j] += lanes[j];
        }
    }
    for (int j = 0; j < 4; j++) total[j] = (total[j] + total[j + 4]) + (total[j + 8] + total[j + 12]);
    return (total[0] + total[1]) + (total[2] + total[3]);
}

/* out[i] = factor exp(x[i] - top), x[i] <= top; out may be x. */
static void NAME(ctc_softmax)(int64_t n, const real *x, real top, real factor, real *out) {
    const NAME(exp_origin_t) from = NAME(exp_origin)(top);
    for (int64_t i = 0; i < n; i += NAME(ROW_CHUNK))
        NAME(ctc_exp_row)(n - i < NAME(ROW_CHUNK) ? n - i : NAME(ROW_CHUNK), x + i, from, factor, out + i);
}

/* out[i] = log(1 + x[i]) for x >= 0. */
static void NAME(ctc_log1p)(int64_t n, const real *x, real *out) {
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        real sum = 1 + x[i];
        real large = sum - x[i], small = sum - 1; /* Fast2Sum, whichever of the two is larger */
        real lost = x[i] > 1 ? 1 - large : x[i] - small;
        out[i] = NAME(vm_log_corrected)(sum, lost / sum);
    }
}

/* ---- Over the states of one frame ------------------------------------------------------------------------------- */

/* The emissions of n labels, and of the blank. Returns 1 if one was too small for `lowest`. */
static int NAME(ctc_emit)(int64_t n, const real *x, real blank_x, real top, real_int lowest,
                          const NAME(closs_ctc_wides) * label, NAME(closs_ctc_wide) * blank) {
    const real floor = NAME(wide_floor)(lowest);
    real *mantissa = label->mantissa;
    real_int *exponent = label->exponent;
    real_int is_deep = (blank_x - top < floor) & (blank_x > -INFINITY);
    NAME(wide_t) e = NAME(wide_exp)(blank_x, top, lowest);
    *blank = (NAME(closs_ctc_wide)){e.mantissa, e.exponent};
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        NAME(wide_t) y = NAME(wide_exp)(x[i], top, lowest);
        mantissa[i] = y.mantissa;
        exponent[i] = y.exponent;
        is_deep |= (x[i] - top < floor) & (x[i] > -INFINITY);
    }
    return is_deep != 0;
}

/* alpha of a frame from that of the frame before. States are (blank i, label i) for i in 0 .. n; from->label[-1] is
 * read. may_skip[i] is 0 where label i is the same as label i - 1. */
static void NAME(ctc_forward)(int64_t n, const NAME(closs_ctc_states) * from, NAME(closs_ctc_wide) blank_emission,
                              const NAME(closs_ctc_wides) * label_emission, const real_int *may_skip,
                              const NAME(closs_ctc_states) * to) {
    const real *from_blank = from->blank.mantissa, *from_label = from->label.mantissa;
    const real_int *from_blank_exponent = from->blank.exponent, *from_label_exponent = from->label.exponent;
    const real *emission = label_emission->mantissa;
    const real_int *emission_exponent = label_emission->exponent;
    real *to_blank = to->blank.mantissa, *to_label = to->label.mantissa;
    real_int *to_blank_exponent = to->blank.exponent, *to_label_exponent = to->label.exponent;
    const NAME(wide_t) y_blank = {blank_emission.mantissa, blank_emission.exponent};
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        const NAME(wide_t) blank = {from_blank[i], from_blank_exponent[i]};
        const NAME(wide_t) label = {from_label[i], from_label_exponent[i]};
        const NAME(wide_t) before = {from_label[i - 1], from_label_exponent[i - 1]};
        const NAME(wide_t) y = {emission[i], emission_exponent[i]};
        NAME(wide_t) new_blank = NAME(wide_product)(NAME(wide_sum)(blank, before), y_blank);
        NAME(wide_t) skipping = NAME(wide_where)(may_skip[i], before);
        NAME(wide_t) new_label = NAME(wide_product)(NAME(wide_sum_of_three)(label, blank, skipping), y);
        to_blank[i] = new_blank.mantissa;
        to_blank_exponent[i] = new_blank.exponent;
        to_label[i] = new_label.mantissa;
        to_label_exponent[i] = new_label.exponent;
    }
}

/* omega of a frame from that of the frame after, and gamma, not yet divided by its sum, from alpha and the exponent of
 * p. after->blank[n] and after->label[n] are read, and may_skip[n]. */
static void NAME(ctc_backward)(int64_t n, const NAME(closs_ctc_states) * after, NAME(closs_ctc_wide) blank_emission,
                               const NAME(closs_ctc_wides) * label_emission, const real_int *may_skip,
                               const NAME(closs_ctc_states) * alpha, int64_t exponent_of_p,
                               const NAME(closs_ctc_states) * to, real *blank_gamma, real *label_gamma) {
    const real *after_blank = after->blank.mantissa, *after_label = after->label.mantissa;
    const real_int *after_blank_exponent = after->blank.exponent, *after_label_exponent = after->label.exponent;
    const real *alpha_blank = alpha->blank.mantissa, *alpha_label = alpha->label.mantissa;
    const real_int *alpha_blank_exponent = alpha->blank.exponent, *alpha_label_exponent = alpha->label.exponent;
    const real *emission = label_emission->mantissa;
    const real_int *emission_exponent = label_emission->exponent;
    real *to_blank = to->blank.mantissa, *to_label = to->label.mantissa;
    real_int *to_blank_exponent = to->blank.exponent, *to_label_exponent = to->label.exponent;
    const NAME(wide_t) y_blank = {blank_emission.mantissa, blank_emission.exponent};
    const real_int unit = (real_int)exponent_of_p;
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        const NAME(wide_t) blank = {after_blank[i], after_blank_exponent[i]};
        const NAME(wide_t) label = {after_label[i], after_label_exponent[i]};
        const NAME(wide_t) next_blank = {after_blank[i + 1], after_blank_exponent[i + 1]};
        const NAME(wide_t) next_label = {after_label[i + 1], after_label_exponent[i + 1]};
        const NAME(wide_t) y = {emission[i], emission_exponent[i]};
        NAME(wide_t) blank_beta = NAME(wide_sum)(blank, label);
        NAME(wide_t) skipping = NAME(wide_where)(may_skip[i + 1], next_label);
        NAME(wide_t) label_beta = NAME(wide_sum_of_three)(label, next_blank, skipping);

        NAME(wide_t) visits = {alpha_blank[i] * blank_beta.mantissa, alpha_blank_exponent[i] + blank_beta.exponent};
        blank_gamma[i] = NAME(wide_aligned)(visits, unit);
        visits = (NAME(wide_t)){alpha_label[i] * label_beta.mantissa, alpha_label_exponent[i] + label_beta.exponent};
        label_gamma[i] = NAME(wide_aligned)(visits, unit);

        NAME(wide_t) new_blank = NAME(wide_product)(blank_beta, y_blank);
        NAME(wide_t) new_label = NAME(wide_product)(label_beta, y);
        to_blank[i] = new_blank.mantissa;
        to_blank_exponent[i] = new_blank.exponent;
        to_label[i] = new_label.mantissa;
        to_label_exponent[i] = new_label.exponent;
    }
}

static void NAME(ctc_normalise)(int64_t n, const NAME(closs_ctc_wides) * x) {
    real *mantissa = x->mantissa;
    real_int *exponent = x->exponent;
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        NAME(wide_t) normalised = NAME(wide_normalised)((NAME(wide_t)){mantissa[i], exponent[i]});
        mantissa[i] = normalised.mantissa;
        exponent[i] = normalised.exponent;
    }
}

/* Divides gamma by its sum. blank_gamma is left as it is. */
static NAME(closs_ctc_shares)
    NAME(ctc_share)(int64_t n, const real *blank_gamma, real *label_gamma, const real_int *label, real_int top_label) {
    real blank[CTC_LANES] = {0}, top[CTC_LANES] = {0}, other[CTC_LANES] = {0};
    for (int64_t i = 0; i < n; i += CTC_LANES) {
        for (int j = 0; j < CTC_LANES; j++) {
            real gamma = label_gamma[i + j], of_top = label[i + j] == top_label ? gamma : 0;
            blank[j] += blank_gamma[i + j];
            top[j] += of_top;
            other[j] += gamma - of_top; /* two conditions here, and gcc makes branches of them */
        }
    }
    const real of_blank = NAME(ctc_sum_lanes)(blank), of_others = NAME(ctc_sum_lanes)(other);
    const real share = 1 / (of_blank + (NAME(ctc_sum_lanes)(top) + of_others));
    CLOSS_INDEPENDENT
    for (int64_t i = 0; i < n; i++) label_gamma[i] *= share;
    return (NAME(closs_ctc_shares)){of_blank * share, of_others * share};
}
