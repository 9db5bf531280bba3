/* ready: is all there that the session needs, before its first task? A tiny call for each account of its agents, the setup
 * once, the gates on the base, disk and memory for all its worktrees. Ends with "ready to leave", or with the list of what
 * is not: then nothing is started, but for what only makes it slower - an account that is limited, a service that does not
 * answer now, room for fewer worktrees. Leaves nothing to come back to where nothing was started. */
#ifndef BOSK_READY_H
#define BOSK_READY_H

#include "core.h"

void ready_open(struct core *c);
void ready_close(struct core *c);

/* Is there something to look at that needs a worktree? Then it is being looked at; else what there is to say is said, and
 * the work begins. Call in PHASE_PREFLIGHT. ERR_ENV ...: no worker can be sent. */
int ready_begin(struct core *c, struct err *e);
/* What of it is to be looked at yet: into a message, which borrows it. */
void ready_fill(struct core *c, struct msg_check *m);
void ready_tried(struct core *c, const struct msg_tried *m);
void ready_checked(struct core *c, const struct msg_checked *m); /* and the end of it */

#endif
