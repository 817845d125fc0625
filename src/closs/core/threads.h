/* Who does the work: one parallel loop over tasks, and the number of threads. */
#ifndef CLOSS_THREADS_H
#define CLOSS_THREADS_H

#include <stdint.h>

/* Calls task(context, k) once for each k in 0 .. tasks, by at most that many threads, in any order; returns when all
 * are done. threads <= 1 enters no OpenMP region at all (even `parallel if(0)` costs 0.4 us). */
void closs_parallel_for(int64_t tasks, int threads, void (*task)(void *context, int64_t k), void *context);

/* CPUs' worth of time that the cgroup of this process may use, rounded up; 0 if there is no limit or no cgroup. */
int closs_cgroup_cpus(void);

#endif
