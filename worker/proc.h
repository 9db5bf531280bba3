/* proc: finding and ending processes that are ours. A process is pid + start time + boot, re-checked
 * through a pidfd immediately before each signal (promise C2). */
#ifndef BOSK_PROC_H
#define BOSK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "store/base/err.h"

/* Become the reaper of orphaned descendants, and (signo > 0) get `signo` when the parent dies;
 * ERR_GONE when the parent is no longer `parent` (pid recorded before the spawn; 0 = not checked). */
int proc_contain(int signo, pid_t parent, struct err *e);

/* Direct children of this process now, `except` left out. Returns the number, at most max written. */
size_t proc_children(pid_t *out, size_t max, const pid_t *except, size_t n_except);

/* End everything below this process but `except`: KILL each child, reap, until none is left -
 * grandchildren fall to us one generation at a time (pitfalls 8.5). Never waits for a child that
 * cannot die (state D) longer than limit_ms. Returns how many were ended. */
size_t proc_end_children(const pid_t *except, size_t n_except, unsigned limit_ms);

/* Kill (SIGKILL, by pidfd) every process of this user whose environment has BOSK_SESSION=<sid> and
 * that is not in our own ancestry. For sessions whose owner is dead. Returns how many were ended. */
size_t proc_end_marked(const char *sid);

#endif
