/* keep: refs that hold what is superseded or unfinished, so that nobody's commit is ever lost (promise
 * A5). They are made, never moved and never deleted here. */
#ifndef BOSK_KEEP_H
#define BOSK_KEEP_H

#include "gitx.h"

/* Suffix of what is no commit of the session's own: a repository found in a worktree. */
#define KEEP_NESTED "-nested"

/* `what` under refs/bosk/keep/<sid>/<task>/<attempt><suffix>, with -2, -3, ... after it where that
 * name holds another commit: an attempt that a crash cut off may have had the same number. *ref is
 * the name (owned by the caller). */
int keep_commit(struct gitx *g, const char *sid, const char *task, uint64_t attempt,
                const char *suffix, const struct oid *what, char **ref, struct err *e);

/* The same for what the task's branch is now, unless that is `base` or there is no branch. */
int keep_branch(struct gitx *g, const char *sid, const char *task, uint64_t attempt,
                const char *branch, const struct oid *base, struct err *e);

#endif
