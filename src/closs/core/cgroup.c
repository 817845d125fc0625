/* The CPU quota of this process's cgroup (Linux), as containers set it. */
#include "threads.h"

#if defined(__linux__)
#include <stdio.h>
#include <string.h>

static int rounded_up(long long quota, long long period) {
    return quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

/* Version 2: "quota period" or "max period" in cpu.max. */
static int quota_v2(const char *folder) {
    char path[640];
    long long quota, period;
    int cpus = 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%lld %lld", &quota, &period) == 2) cpus = rounded_up(quota, period); /* "max" does not scan */
    fclose(file);
    return cpus;
}

/* Version 1: two files, a quota of -1 means none. */
static int quota_v1(void) {
    long long value[2] = {0, 0};
    const char *const names[2] = {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(names[i], "r");
        if (!file) return 0;
        if (fscanf(file, "%lld", &value[i]) != 1) value[i] = 0;
        fclose(file);
    }
    return rounded_up(value[0], value[1]);
}

/* Every group from the process's own up to the root limits it; the smallest quota counts. */
int closs_cgroup_cpus(void) {
    char folder[600] = "", line[600];
    FILE *file = fopen("/proc/self/cgroup", "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "0::", 3) == 0)
            snprintf(folder, sizeof folder, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    }
    fclose(file);

    int cpus = quota_v1();
    for (;;) {
        int here = quota_v2(folder);
        if (here > 0 && (cpus == 0 || here < cpus)) cpus = here;
        char *slash = strrchr(folder, '/');
        if (!slash) return cpus;
        *slash = '\0';
    }
}
#else
int closs_cgroup_cpus(void) { return 0; }
#endif
