/* Logistic regression, trained from a file at C speed.
 *
 *     cc -O2 $(python -m closs --cflags) logistic.c $(python -m closs --libs) -lm -o logistic
 *     ./logistic data.csv [steps]
 *
 * The file has a line of names, then lines of numbers, the last one the class, 0 or 1. Features are standardised; the
 * mean binary cross-entropy falls by Nesterov's accelerated gradient descent. A step is two products with the data and
 * one call of closs, which gives the loss and turns the logits into their gradient in place.
 */
#include <closs/closs.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t rows, columns; /* columns: features, and a last one of ones for the intercept */
    double *x, *y;
} table;

static void fail(const char *what) {
    fprintf(stderr, "logistic: %s\n", what);
    exit(1);
}

static void *allocate(void *old, int64_t count) {
    void *memory = realloc(old, sizeof(double) * (size_t)(count > 0 ? count : 1));
    if (!memory) fail("out of memory");
    return memory;
}

/* Steps from the command line. */
static int read_steps(const char *text) {
    char *end;
    errno = 0;
    const long steps = strtol(text, &end, 10);
    if (end == text || *end || errno || steps < 1 || steps > INT_MAX)
        fail("steps: expected a whole number of at least 1");
    return (int)steps;
}

/* The next line of the file; 0 at its end. */
static int read_line(FILE *file, char *line, int size) {
    if (!fgets(line, size, file)) return 0;
    if (!strchr(line, '\n') && !feof(file)) fail("a line is too long");
    return 1;
}

/* The last field becomes y, and its place in x the constant 1. */
static table read_table(const char *path) {
    char line[4096];
    table t = {0, 1, NULL, NULL};
    FILE *file = fopen(path, "r");
    if (!file || !read_line(file, line, sizeof line)) fail("cannot read the file");
    for (const char *c = line; *c; c++) t.columns += *c == ',';
    int64_t room = 0;
    while (read_line(file, line, sizeof line)) {
        if (t.rows == room) {
            room = 2 * room + 1024;
            t.x = allocate(t.x, room * t.columns);
            t.y = allocate(t.y, room);
        }
        char *at = line;
        for (int64_t k = 0; k < t.columns; k++) {
            char *end;
            t.x[t.rows * t.columns + k] = strtod(at, &end);
            const int fits = k + 1 < t.columns ? *end == ',' : !end[strspn(end, "\r\n")];
            if (end == at || !fits) fail("a line does not fit the first one");
            if (!isfinite(t.x[t.rows * t.columns + k])) fail("a number is not finite");
            at = end + 1;
        }
        t.y[t.rows] = t.x[t.rows * t.columns + t.columns - 1];
        if (t.y[t.rows] != 0 && t.y[t.rows] != 1) fail("a class is neither 0 nor 1");
        t.x[t.rows * t.columns + t.columns - 1] = 1;
        t.rows++;
    }
    fclose(file);
    if (t.rows == 0) fail("no line of numbers");
    return t;
}

static void standardise(table *t) {
    for (int64_t k = 0; k + 1 < t->columns; k++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < t->rows; i++) sum += t->x[i * t->columns + k];
        const double mean = sum / (double)t->rows;
        for (int64_t i = 0; i < t->rows; i++) {
            t->x[i * t->columns + k] -= mean;
            squares += t->x[i * t->columns + k] * t->x[i * t->columns + k];
        }
        const double scale = squares > 0 ? sqrt((double)t->rows / squares) : 1;
        if (!isfinite(mean) || !isfinite(squares) || !isfinite(scale)) fail("a column's mean or scale is not finite");
        for (int64_t i = 0; i < t->rows; i++) t->x[i * t->columns + k] *= scale;
    }
}

int main(int count, char **arguments) {
    if (count < 2) fail("usage: logistic data.csv [steps]");
    table t = read_table(arguments[1]);
    const int steps = count > 2 ? read_steps(arguments[2]) : 200;
    standardise(&t);
    double *w = allocate(NULL, t.columns), *ahead = allocate(NULL, t.columns), *slope = allocate(NULL, t.columns);
    double *logits = allocate(NULL, t.rows);
    memset(w, 0, sizeof(double) * (size_t)t.columns);
    memset(ahead, 0, sizeof(double) * (size_t)t.columns);

    double loss = 0;
    const double rate = 4.0 / (double)t.columns; /* the loss bends by at most columns / 4 */
    for (int step = 0; step < steps; step++) {
        for (int64_t i = 0; i < t.rows; i++) {
            logits[i] = 0;
            for (int64_t k = 0; k < t.columns; k++) logits[i] += t.x[i * t.columns + k] * ahead[k];
        }
        const closs_status status = closs_sigmoid_bce_f64(&(closs_elementwise_f64){.batch = t.rows,
                                                                                   .inner = 1,
                                                                                   .pred = logits,
                                                                                   .label = t.y,
                                                                                   .reduction = CLOSS_MEAN,
                                                                                   .total = &loss,
                                                                                   .grad = logits},
                                                          NULL);
        if (status != CLOSS_OK) fail(closs_status_string(status));
        if (!isfinite(loss)) fail("the loss is not finite");
        memset(slope, 0, sizeof(double) * (size_t)t.columns);
        for (int64_t i = 0; i < t.rows; i++)
            for (int64_t k = 0; k < t.columns; k++) slope[k] += logits[i] * t.x[i * t.columns + k];
        for (int64_t k = 0; k < t.columns; k++) {
            const double next = ahead[k] - rate * slope[k];
            ahead[k] = next + (double)step / (step + 3) * (next - w[k]);
            w[k] = next;
        }
        if (step % 50 == 0) printf("step %4d  loss %.6f\n", step, loss);
    }
    printf("loss %.9f after %d steps, %lld rows, closs %s\n", loss, steps, (long long)t.rows, closs_version());
    free(t.x);
    free(t.y);
    free(w);
    free(ahead);
    free(slope);
    free(logits);
    return 0;
}
