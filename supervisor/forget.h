/* forget: a session whose base was red has started nothing, and leaves no trace. */
#ifndef BOSK_FORGET_H
#define BOSK_FORGET_H

#include "session.h"

/* For a session this process has locked, whose worktrees are gone. Refs first, then rows, then files:
 * after a crash in between it is an interrupted session without work, which resume can go on with. A
 * queue that an earlier session worked on stays as that one left it. */
int forget_session(struct session *s, struct err *e);

#endif
