/* Every public function by its name, for callers that load the library at run time. api_table.h is made from closs.h by
 * tools/make_api.py. */
#include "closs/closs.h"

#include <string.h>

static const closs_api_entry entries[] = {
#define ENTRY(name) {#name, (closs_function)(name)},
#include "api_table.h"
#undef ENTRY
};

const closs_api *closs_get_api(void) {
    static const closs_api api = {
        .size = sizeof(closs_api),
        .abi = CLOSS_ABI_VERSION,
        .version = CLOSS_VERSION_STRING,
        .count = sizeof entries / sizeof entries[0],
        .entries = entries,
    };
    return &api;
}

closs_function closs_find_function(const char *name) {
    for (size_t k = 0; name && k < sizeof entries / sizeof entries[0]; k++)
        if (strcmp(entries[k].name, name) == 0) return entries[k].function;
    return NULL;
}
