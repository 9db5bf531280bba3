/* share: a session's part of the worktrees that all sessions of the repository share (worktrees.total). The
 * scheduler asks for a slot (SCHED_CLAIM) and is given one (SCHED_OPEN) when the store grants it; when others
 * wait, a slot where nothing runs is given back with its worktree, and one where something runs as well
 * when that makes it fairer. A session without a limit asks nobody, but is counted. */
#ifndef BOSK_SHARE_H
#define BOSK_SHARE_H

#include "core.h"

/* Does the session have to ask? */
bool share_asks(const struct core *c);

void share_open(struct core *c);
/* Gives everything back: the session is over, or goes on in another process. */
void share_close(struct core *c);

void share_assigned(struct core *c, size_t slot); /* before the commit of an assignment */
void share_claim(struct core *c);                 /* SCHED_CLAIM */
void share_give(struct core *c, size_t slot);     /* SCHED_GIVE */
/* The worker of a slot is gone. */
void share_gone(struct core *c, size_t slot);
/* Others have changed something. */
void share_look(struct core *c);
/* The worker of a slot waits for git.lock, which the session `holder` has; NULL = it does not any more. */
void share_git_lock(struct core *c, size_t slot, const char *holder);
/* After each commit: is there something to give? */
void share_step(struct core *c);
/* With the last turn of the session. */
void share_finish(struct core *c);

#endif
