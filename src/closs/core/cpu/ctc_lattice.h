/* One sample's alpha, omega and gamma (compiled once a type). See formulas/ctc.h for what they are.
 *
 * State i stands for the blank before label i and label i; there are labels + 1 of them, the last one's label being
 * padding. Only a band of them can be reached from the beginning and reach the end; it is computed in whole blocks.
 */

typedef struct {
    const NAME(closs_ctc_kernels) * kernels;
    int64_t time, labels, width; /* width: states, up to a whole number of blocks */
    real_int lowest;             /* exponent of an emission */
    int64_t blank_class;

    real_int *label, *may_skip; /* [width + a block] classes, -1 in the padding; 0 where the label before is the same */
    const double *top;          /* [time] what the logits are relative to */
    const int64_t *top_class;   /* [time] the class that has it, -1: none */
    real *x;                    /* [time][width] logits of the labels, -infinity in the padding; then gamma */
    real *blank_x;              /* [time] logits of the blank; then gamma */
    real *others;               /* [time] gamma of all classes but top_class */

    int64_t rows;                    /* frames of alpha that are kept, frame -1 among them: all, or 2 */
    NAME(closs_ctc_states) alpha;    /* [rows][stride] of frame -1 */
    NAME(closs_ctc_states) omega[2]; /* [stride] */
    NAME(closs_ctc_wides) emission;  /* [width] */
    real *blank_gamma;               /* [width] */
} NAME(lattice);

/* p = mantissa 2^exponent relative to the product of all frames' exp(top), mantissa in [1, 2) or 0. */
typedef struct {
    double mantissa;
    int64_t exponent;
    int is_deep; /* an emission was too small for the exponents of this type */
} NAME(probability);

/* A row of states has a block before it, of which one is read, and one behind it. */
static int64_t NAME(lattice_stride)(const NAME(lattice) * it) { return it->width + 2 * CTC_LANES; }

static NAME(closs_ctc_wides) NAME(take_wides)(arena *a, int64_t rows, int64_t stride) {
    NAME(closs_ctc_wides) x;
    x.mantissa = take(a, rows * stride, sizeof(real));
    x.exponent = take(a, rows * stride, sizeof(real_int));
    if (a->base) x.mantissa += CTC_LANES, x.exponent += CTC_LANES;
    return x;
}

static NAME(closs_ctc_states) NAME(take_states)(arena *a, int64_t rows, int64_t stride) {
    NAME(closs_ctc_states) states;
    states.blank = NAME(take_wides)(a, rows, stride);
    states.label = NAME(take_wides)(a, rows, stride);
    return states;
}

/* For `time` frames and `labels` labels at most. */
static NAME(lattice) NAME(take_lattice)(arena *a, int64_t time, int64_t labels, int with_gradient) {
    NAME(lattice) it = {.width = (labels / CTC_LANES + 1) * CTC_LANES, .rows = with_gradient ? time + 1 : 2};
    int64_t stride = NAME(lattice_stride)(&it);
    it.label = take(a, stride, sizeof(real_int));
    it.may_skip = take(a, stride, sizeof(real_int));
    it.x = take(a, time * it.width, sizeof(real));
    it.blank_x = take(a, time, sizeof(real));
    it.others = take(a, time, sizeof(real));
    it.alpha = NAME(take_states)(a, it.rows, stride);
    for (int k = 0; k < 2; k++) it.omega[k] = NAME(take_states)(a, 1, stride);
    it.emission = NAME(take_wides)(a, 1, stride);
    it.blank_gamma = take(a, it.width, sizeof(real));
    return it;
}

/* A sample's sizes, for a lattice that was taken for as many frames and labels or more. */
static void NAME(set_sample)(NAME(lattice) * it, const ctc_sample *sample) {
    const int64_t deepest_sum = (int64_t)1 << PICK(29, 61), deepest = (int64_t)1 << PICK(20, 40);
    int64_t share = sample->time > 0 ? deepest_sum / sample->time : deepest;
    it->lowest = (real_int) - (share < deepest ? share : deepest);
    it->time = sample->time;
    it->labels = sample->labels;
    it->width = (sample->labels / CTC_LANES + 1) * CTC_LANES;
}

static void NAME(fill_labels)(NAME(lattice) * it, const ctc_sample *sample, int64_t label_stride) {
    for (int64_t i = 0; i < it->width + CTC_LANES; i++) {
        int64_t label = i < it->labels ? sample->label[i * label_stride] : -1;
        it->label[i] = (real_int)label;
        it->may_skip[i] = i > 0 && i < it->labels && label != sample->label[(i - 1) * label_stride];
    }
}

/* ---- The band --------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t begin, end; /* whole blocks of states */
} NAME(band);

/* Label i needs i frames before it, and labels - i frames from its own on. */
static NAME(band) NAME(band_of)(const NAME(lattice) * it, int64_t t) {
    int64_t first = it->labels - (it->time - t), last = t < it->labels ? t : it->labels;
    return (NAME(band)){(first > 0 ? first : 0) / CTC_LANES * CTC_LANES, (last / CTC_LANES + 1) * CTC_LANES};
}

static NAME(closs_ctc_wides) NAME(wides_at)(const NAME(closs_ctc_wides) * x, int64_t k) {
    return (NAME(closs_ctc_wides)){x->mantissa + k, x->exponent + k};
}

static NAME(closs_ctc_states) NAME(states_at)(const NAME(closs_ctc_states) * x, int64_t k) {
    return (NAME(closs_ctc_states)){NAME(wides_at)(&x->blank, k), NAME(wides_at)(&x->label, k)};
}

static void NAME(clear)(const NAME(lattice) * it, const NAME(closs_ctc_states) * x, int64_t begin, int64_t end) {
    const NAME(closs_ctc_wide) zero = it->kernels->zero;
    for (int64_t i = begin; i < end; i++) {
        x->blank.mantissa[i] = x->label.mantissa[i] = zero.mantissa;
        x->blank.exponent[i] = x->label.exponent[i] = zero.exponent;
    }
}

static void NAME(set_one)(const NAME(closs_ctc_wides) * x, int64_t k) {
    x->mantissa[k] = 1;
    x->exponent[k] = 0;
}

static void NAME(normalise_states)(const NAME(lattice) * it, const NAME(closs_ctc_states) * x, NAME(band) band) {
    NAME(closs_ctc_wides) blank = NAME(wides_at)(&x->blank, band.begin), label = NAME(wides_at)(&x->label, band.begin);
    it->kernels->normalise(band.end - band.begin, &blank);
    it->kernels->normalise(band.end - band.begin, &label);
}

/* ---- Forwards and backwards ------------------------------------------------------------------------------------- */

/* alpha of frame t, -1 included. */
static NAME(closs_ctc_states) NAME(alpha_at)(const NAME(lattice) * it, int64_t t) {
    return NAME(states_at)(&it->alpha, (t + 1) % it->rows * NAME(lattice_stride)(it));
}

/* The emissions of a frame in its band; 1 if one was too small. */
static int NAME(emit)(const NAME(lattice) * it, int64_t t, NAME(band) band, NAME(closs_ctc_wide) * blank) {
    NAME(closs_ctc_wides) label = NAME(wides_at)(&it->emission, band.begin);
    return it->kernels->emit(band.end - band.begin, it->x + t * it->width + band.begin, it->blank_x[t],
                             (real)it->top[t], it->lowest, &label, blank);
}

static NAME(probability)
    NAME(probability_of)(const NAME(closs_ctc_wides) * blank, const NAME(closs_ctc_wides) * label, int64_t labels) {
    int64_t last = labels > 0 ? labels - 1 : 0;
    double b = blank->mantissa[labels], l = labels > 0 ? label->mantissa[last] : 0;
    int64_t b_exponent = blank->exponent[labels], l_exponent = label->exponent[last];
    NAME(probability) p = {.exponent = l > 0 && (l_exponent > b_exponent || b == 0) ? l_exponent : b_exponent};
    if (b > 0) p.mantissa += ldexp(b, (int)closs_clamp(b_exponent - p.exponent, -2000, 0));
    if (l > 0) p.mantissa += ldexp(l, (int)closs_clamp(l_exponent - p.exponent, -2000, 0));
    int shift = 0;
    if (p.mantissa > 0) p.mantissa = 2 * frexp(p.mantissa, &shift), p.exponent += shift - 1;
    return p;
}

/* alpha, and the probability of the labels. */
static NAME(probability) NAME(forwards)(const NAME(lattice) * it) {
    NAME(closs_ctc_states) from = NAME(alpha_at)(it, -1);
    NAME(clear)(it, &from, -1, it->width);
    NAME(set_one)(&from.blank, 0);
    int is_deep = 0;
    for (int64_t t = 0; t < it->time; t++) {
        NAME(band) band = NAME(band_of)(it, t), next = NAME(band_of)(it, t + 1);
        NAME(closs_ctc_wide) blank;
        is_deep |= NAME(emit)(it, t, band, &blank);
        NAME(closs_ctc_states) to = NAME(alpha_at)(it, t);
        NAME(closs_ctc_states)
        from_band = NAME(states_at)(&from, band.begin), to_band = NAME(states_at)(&to, band.begin);
        NAME(closs_ctc_wides) label = NAME(wides_at)(&it->emission, band.begin);
        it->kernels->forward(band.end - band.begin, &from_band, blank, &label, it->may_skip + band.begin, &to_band);
        if (t % NORMALISE_EVERY == NORMALISE_EVERY - 1) NAME(normalise_states)(it, &to, band);
        NAME(clear)(it, &to, band.begin - 1, band.begin); /* what the next frame reads beside the band */
        if (next.end > band.end) NAME(clear)(it, &to, band.end, next.end);
        from = to;
    }
    NAME(probability) p = NAME(probability_of)(&from.blank, &from.label, it->labels);
    p.is_deep = is_deep;
    return p;
}

/* gamma, in the place of x and blank_x, and others. */
static void NAME(backwards)(const NAME(lattice) * it, const NAME(probability) * p) {
    NAME(closs_ctc_states) after = it->omega[0], to = it->omega[1];
    NAME(clear)(it, &after, 0, it->width + CTC_LANES);
    NAME(clear)(it, &to, 0, it->width + CTC_LANES);
    NAME(set_one)(&after.blank, it->labels);
    for (int64_t t = it->time - 1; t >= 0; t--) {
        NAME(band) band = NAME(band_of)(it, t);
        int64_t begin = band.begin, n = band.end - band.begin;
        NAME(closs_ctc_wide) blank;
        NAME(emit)(it, t, band, &blank);
        NAME(closs_ctc_states) alpha = NAME(alpha_at)(it, t);
        NAME(closs_ctc_states) alpha_band = NAME(states_at)(&alpha, begin), to_band = NAME(states_at)(&to, begin);
        NAME(closs_ctc_states) after_band = NAME(states_at)(&after, begin);
        NAME(closs_ctc_wides) label = NAME(wides_at)(&it->emission, begin);
        real *gamma = it->x + t * it->width + begin;
        it->kernels->backward(n, &after_band, blank, &label, it->may_skip + begin, &alpha_band, p->exponent, &to_band,
                              it->blank_gamma, gamma);
        NAME(closs_ctc_shares)
        shares = it->kernels->share(n, it->blank_gamma, gamma, it->label + begin, (real_int)it->top_class[t]);
        it->blank_x[t] = shares.blank;
        it->others[t] = (it->top_class[t] == it->blank_class ? 0 : shares.blank) + shares.other_labels;
        if (t % NORMALISE_EVERY == 0) NAME(normalise_states)(it, &to, band);
        NAME(closs_ctc_states) swap = after;
        after = to;
        to = swap;
    }
}
