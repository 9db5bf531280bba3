/* recover: bringing the store and git together after a supervisor died. Git is asked first: what a
 * ref proves beats what a row remembers (architecture 1.1, 1.3). */
#ifndef BOSK_RECOVER_H
#define BOSK_RECOVER_H

#include "session.h"
#include "turn.h"

/* What was running in a worktree when its session was killed. */
struct recovery_left {
	size_t slot, task; /* its row says what was saved of it, when the worktree was removed since */
	uint64_t attempt, started_ms;
};
struct recovery {
	struct recovery_left *left;
	size_t n;
};
void recover_fini(struct recovery *r);

/* For a session this process has locked. Ends stray processes, finishes or withdraws the open intent,
 * makes missing refs, puts tasks that were running back, records all of it as one turn. Changes
 * nothing of a finished session. */
int recover_session(struct session *s, struct recovery *out, struct err *e);

/* When the machine went down since: objects and branches of the session's tasks that were not flushed and
 * cannot be read now are removed, and worktrees half made are linked again, so that git works beside them. Comes
 * before anything that reads or makes them. */
int recover_disk(struct session *s, struct err *e);

/* Only that of it: the open intent is finished or withdrawn, as a turn of its own, and the refs follow. For sessions that are
 * not gone on with now. */
int recover_intent(struct session *s, struct err *e);

/* Before a task that was cut off runs again, in whatever slot: what its branch holds is kept. */
int recover_keep(const struct session *s, size_t task, struct err *e);

/* The integration refs to `tip` where they are missing or behind; the branch stays where a worktree
 * has it checked out. For new sessions too. */
int recover_refs(struct session *s, struct err *e);

#endif
