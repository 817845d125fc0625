/* The driver of the elementwise family: checks, cuts into tasks and chunks, weights, ordered sums. It knows no formula
 * and no instruction set. The text is compiled once a type; public functions are made from losses.def below.
 */
#include "driver.h"

enum { PLAIN, POSITIVE, NONNEGATIVE, FINITE, VARYING };

/* One row of losses.def, for code that meets losses as numbers. */
static const struct {
    const char *name, *parameter;
    int kind; /* PLAIN: no parameter; VARYING: it is broadcast; else the domain of its one number */
    int64_t grain;
} losses[] = {
#define ELEMENTWISE_PLAIN(name, grain, steps) {#name, "", PLAIN, grain},
#define ELEMENTWISE_UNIFORM(name, parameter, domain, grain, steps) {#name, #parameter, domain, grain},
#define ELEMENTWISE_VARYING(name, parameter, grain, steps) {#name, #parameter, VARYING, grain},
#include "../losses.def"
};

#define CLOSS_REAL 32
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "elementwise_driver.h"
#undef CLOSS_REAL
#define CLOSS_REAL 64
#include "../real.h"
#include "operand.h"
#include "reduce.h"
#include "elementwise_driver.h"
#undef CLOSS_REAL

int closs_elementwise_find(const char *name) {
    for (int loss = 0; name && loss < CLOSS_ELEMENTWISE_COUNT; loss++)
        if (strcmp(losses[loss].name, name) == 0) return loss;
    return -1;
}

const char *closs_elementwise_name(int loss) {
    return loss >= 0 && loss < CLOSS_ELEMENTWISE_COUNT ? losses[loss].name : NULL;
}

const char *closs_elementwise_parameter(int loss) {
    return loss >= 0 && loss < CLOSS_ELEMENTWISE_COUNT ? losses[loss].parameter : NULL;
}
