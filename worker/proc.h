/* proc: finding and ending processes that are ours. A process is a pid held through a pidfd opened
 * before it was looked at, or an unreaped child of ours, whose pid the kernel cannot give away:
 * a reused pid is never signalled (promise C2). Linux extras live here and in exec.c only.
 * Needs Linux 5.3. */
#ifndef BOSK_PROC_H
#define BOSK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"
#include "store/base/str.h"

/* Become the reaper of orphaned descendants, and (signo > 0) get `signo` when the parent dies;
 * ERR_GONE when the parent is no longer `parent` (pid recorded before the spawn; 0 = any). */
int proc_contain(int signo, pid_t parent, struct err *e);

/* Direct children of this process now, zombies included, `except` left out. Returns the number, at
 * most max written. Children are started, and so adopted, by the main thread (pitfalls 8.3). */
size_t proc_children(pid_t *out, size_t max, const pid_t *except, size_t n_except);

/* End everything below this process but `except`: KILL each child, reap, until none is left -
 * grandchildren fall to us one generation at a time (pitfalls 8.5), if proc_contain was called.
 * Never waits for a child that cannot die (state D, another user's) longer than limit_ms. Returns
 * how many died of it; zombies are only reaped. What is below a child in `except` stays. */
size_t proc_end_children(const pid_t *except, size_t n_except, unsigned limit_ms);

/* What shows that a process was started by a session: its environment has BOSK_SESSION=<sid> and
 * BOSK_WORKTREE=<one of these>, worktrees or what stands for none (strays.h), and it began no earlier than the session's
 * first owner. */
struct proc_mark {
	const char *sid;
	const struct strv *worktrees; /* NULL = wherever */
	uint64_t since_ticks;         /* of this boot, as owner.h has them; 0 = any time */
};

/* Puts it into the environment of a process to be started: what that starts has it too. */
void proc_put_mark(struct strv *env, const char *sid, const char *worktree);

/* Kill (SIGKILL, by pidfd) every process of this user that has the mark and is not in our own ancestry
 * (nor ourselves). For sessions whose owner is dead. Returns how
 * many were ended. Waits at most about 5 s for them to be gone. A process that overwrote its
 * environment, or that /proc hides, is not found. Our own children among them are not reaped. */
size_t proc_end_marked(const struct proc_mark *mark);

/* Values of BOSK_SESSION among this user's processes outside of our own ancestry, each once. */
void proc_marks(struct strv *out);

#endif
