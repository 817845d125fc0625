#include "threads.h"

#include "closs/closs.h"

#include <stdatomic.h>
#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#if defined(_OPENMP) && (defined(__unix__) || defined(__APPLE__))
#include <pthread.h>
#define CLOSS_GUARD_FORK 1
#else
#define CLOSS_GUARD_FORK 0
#endif

/* ---- How many --------------------------------------------------------------------------------------------------- */

static atomic_int threads_asked; /* by closs_set_num_threads; 0: the default */

#ifdef _OPENMP
/* The limit that holds without closs_set_num_threads: read once, 0 if there is none. CLOSS_NUM_THREADS is exact,
 * a cgroup quota only caps what OpenMP would use. */
static int from_environment(void) {
    const char *text = getenv("CLOSS_NUM_THREADS");
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;
    return text && end != text && *end == '\0' && n > 0 && n < 100000 ? (int)n : 0;
}
#endif

int closs_get_num_threads(void) {
#ifdef _OPENMP
    static atomic_int environment = -1, quota = -1;
    int asked = atomic_load_explicit(&threads_asked, memory_order_relaxed);
    if (asked > 0) return asked;
    if (atomic_load_explicit(&environment, memory_order_acquire) < 0) {
        atomic_store(&quota, closs_cgroup_cpus());
        atomic_store(&environment, from_environment()); /* last: it says that both are known */
    }
    int exact = atomic_load_explicit(&environment, memory_order_relaxed);
    if (exact > 0) return exact;
    int cap = atomic_load_explicit(&quota, memory_order_relaxed);
    int openmp = omp_get_max_threads(); /* follows threadpoolctl and omp_set_num_threads */
    return cap > 0 && cap < openmp ? cap : openmp;
#else
    return 1;
#endif
}

int closs_get_threads_setting(void) { return atomic_load(&threads_asked); }

closs_status closs_set_num_threads(int threads) {
    if (threads < 0) return CLOSS_BAD_PARAMETER;
    atomic_store(&threads_asked, threads);
    return CLOSS_OK;
}

int closs_has_openmp(void) {
#ifdef _OPENMP
    return 1;
#else
    return 0;
#endif
}

/* ---- Fork ----------------------------------------------------------------------------------------------------------
 *
 * libgomp hangs in a forked child that enters a parallel region after its parent did. Releasing the runtime's threads
 * before every fork makes the child start its own. That has to happen even if closs has run no region yet: another
 * library on the same runtime may have. Where it is refused (inside a region), the child stays serial.
 */
#if CLOSS_GUARD_FORK
static atomic_int child_is_serial;
static _Thread_local int pause_failed; /* from before_fork to in_child, in the thread that forks */

static void before_fork(void) { pause_failed = omp_in_parallel() || omp_pause_resource_all(omp_pause_soft) != 0; }

static void in_child(void) {
    if (pause_failed) atomic_store(&child_is_serial, 1);
}

/* At load time, not at the first region: see above. */
__attribute__((constructor)) static void guard_fork(void) { pthread_atfork(before_fork, NULL, in_child); }
#endif

/* ---- The loop --------------------------------------------------------------------------------------------------- */

void closs_parallel_for(int64_t tasks, int threads, void (*task)(void *context, int64_t k), void *context) {
#ifdef _OPENMP
    if (threads > tasks) threads = (int)tasks;
    if (threads > 1) { /* libgomp ends the process where it cannot start a thread; results do not depend on them */
        int most = 4 * omp_get_num_procs();
        if (most < omp_get_max_threads()) most = omp_get_max_threads();
        if (threads > most) threads = most;
    }
#if CLOSS_GUARD_FORK
    if (atomic_load_explicit(&child_is_serial, memory_order_relaxed)) threads = 1;
#endif
    if (threads > 1) {
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t k = 0; k < tasks; k++) task(context, k);
        return;
    }
#else
    (void)threads;
#endif
    for (int64_t k = 0; k < tasks; k++) task(context, k);
}
