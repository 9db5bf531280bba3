/* task: the way of one task through its worktree: prepare, prompt, agent, gates, fix, commit.
 * Decides what an attempt came to; the supervisor decides what follows. */
#ifndef BOSK_TASK_H
#define BOSK_TASK_H

#include "slot.h"

/* Outcomes sent in a result: ok | failed | timeout | blocked | stopped | unsaved (the work could not
 * be committed and is still in the worktree, which must not be used again). */

/* Do the task and send its result. Sends nothing when s->shutdown was set meanwhile. */
void task_run(struct slot *s, const struct msg_task *t);

/* Bring the worktree to the commit, run every gate, send `checked` (verdict pass, fail, timeout,
 * could-not-run, or error with the reason). */
void task_check(struct slot *s, const struct msg_check *c);

/* Remove the worktree, also one that only an interrupted session used; what that left is saved first. */
int task_retire(struct slot *s, struct err *e);

#endif
