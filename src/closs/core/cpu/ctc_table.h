/* One type's kernels of CTC (see ctc_loops.h, where each is described; compiled once a type). */

typedef struct {
    real mantissa;
    real_int exponent;
} NAME(closs_ctc_wide);

typedef struct {
    real *mantissa;
    real_int *exponent;
} NAME(closs_ctc_wides);

/* All states of a frame: blank[i] before label[i]. */
typedef struct {
    NAME(closs_ctc_wides) blank, label;
} NAME(closs_ctc_states);

/* Of a frame's probability: what all blanks have, and what all labels have whose class is not the frame's largest. */
typedef struct {
    real blank, other_labels;
} NAME(closs_ctc_shares);

typedef struct {
    real (*row_max)(int64_t n, const real *x, int64_t *position);
    double (*row_rest)(int64_t n, const real *x, real top, int64_t position, real *exps);
    void (*softmax)(int64_t n, const real *x, real top, real factor, real *out);
    void (*scale)(int64_t n, real factor, real *x);
    void (*log1p)(int64_t n, const real *x, real *out);
    int (*emit)(int64_t n, const real *x, real blank_x, real top, real_int lowest, const NAME(closs_ctc_wides) * label,
                NAME(closs_ctc_wide) * blank);
    void (*forward)(int64_t n, const NAME(closs_ctc_states) * from, NAME(closs_ctc_wide) blank_emission,
                    const NAME(closs_ctc_wides) * label_emission, const real_int *may_skip,
                    const NAME(closs_ctc_states) * to);
    void (*backward)(int64_t n, const NAME(closs_ctc_states) * after, NAME(closs_ctc_wide) blank_emission,
                     const NAME(closs_ctc_wides) * label_emission, const real_int *may_skip,
                     const NAME(closs_ctc_states) * alpha, int64_t exponent_of_p, const NAME(closs_ctc_states) * to,
                     real *blank_gamma, real *label_gamma);
    void (*normalise)(int64_t n, const NAME(closs_ctc_wides) * x);
    NAME(closs_ctc_shares) (*share)(int64_t n, const real *blank_gamma, real *label_gamma, const real_int *label,
                                    real_int top_label);
    NAME(closs_ctc_wide) zero;
} NAME(closs_ctc_kernels);
