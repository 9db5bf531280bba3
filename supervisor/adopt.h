/* adopt: what somebody else committed on the integration branch. Nothing of theirs is dropped: what
 * descends from our tip becomes the tip (promise A6). A branch that went elsewhere is left alone. */
#ifndef BOSK_ADOPT_H
#define BOSK_ADOPT_H

#include "turn.h"

/* Brings the truth ref to the branch when that is ahead, and *truth is what it is then. */
int adopt_refs(struct session *s, struct oid *truth, struct err *e);

/* For a session that has ended: adopt_refs, and the rows that follow: the tip, and tasks that were in
 * conflict or blocked and whose commit is in it now (somebody merged it by hand). The gates have said
 * nothing of it. Into `t`; nothing when nothing moved. */
int adopt_branch(struct session *s, struct turn *t, struct err *e);
/* The same, recorded at once: for a process that has no turn. */
int adopt_now(struct session *s, struct err *e);

#endif
