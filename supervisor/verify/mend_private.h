/* mend_private: between the parts of mend. */
#ifndef BOSK_MEND_PRIVATE_H
#define BOSK_MEND_PRIVATE_H

#include "mend.h"
#include "supervisor/turn.h"
#include "verify_private.h"

/* The repair of one session. */
struct mend {
	struct verify *v;
	struct verify_session *vs;
	struct verify_queue *q;
	struct session *s;
	struct turn *t;
	struct strv *said;
	bool last; /* the newest session of its queue: the tasks' rows are its own */
};

/* Is it the id of a commit that can be read? */
bool mend_there(struct gitx *g, const char *hex, struct oid *out);
/* Rows of the tasks, and what they had left. The tip is right already. */
int mend_tasks(struct mend *m, struct err *e);
/* Which commits of the branch are bosk's own. The tip is right already. */
int mend_sprint(struct mend *m, struct err *e);
/* Removes a worktree in which nothing is its own; else it is held, and said. */
int mend_worktree(struct mend *m, const char *path, struct err *e);

/* Rows that are missing or cannot be read, made again from git: of a plan, and of its sessions. What cannot
 * be is said. */
int rebuild_queue(struct verify *v, struct verify_queue *q, struct strv *said, struct err *e);
/* Which plan a session of which only refs are left belongs to: sets its queue, or says why not. */
void rebuild_relate(struct verify *v, struct verify_session *s, struct strv *said);
/* Where the session's merges begin, by the trailers. */
int rebuild_base(struct verify *v, const struct verify_session *s, struct oid *base, struct err *e);

/* The chain of result records: what was changed or removed becomes a record that says so. */
int mend_chain(struct verify *v, struct verify_session *vs, struct session *s, struct turn *t,
               struct strv *said, struct err *e);

#endif
