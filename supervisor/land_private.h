/* land_private: what the files of a landing share (land*.c). */
#ifndef BOSK_LAND_PRIVATE_H
#define BOSK_LAND_PRIVATE_H

#include "land.h"
#include "worker/git.h"

struct landing {
	struct session *s;
	struct land_result *out;
	char *ref; /* of the target */
	struct oid tip, target, merge;
	char *tree; /* worktree that has the target checked out, NULL = none */
};

/* ---- land.c ---- */

/* Says why it did not land. Returns 0: that is no error. */
int land_refuse(struct landing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- land_commit.c ---- */

/* What is landed: a line for each task. */
int land_tasks(struct strv *out, const struct session *s, struct err *e);
/* The merge commit of target and tip, its objects only. *clean false: it was said why there is none. */
int land_commit(struct landing *l, bool *clean, struct err *e);

/* ---- land_turn.c: one landing at a time in a repository ---- */

/* Until it is this session's turn; says whose it is meanwhile. *stopped: `bosk stop` ended the wait. */
int land_turn_wait(struct session *s, bool *stopped, struct err *e);
void land_turn_over(struct session *s);

/* ---- land_sprint.c: states of stories are merged by their keys ---- */

/* `paths` are in conflict. *can: only because of such states; then *commit is the session's without its own, `texts` are
 * the files of `paths` as they are to be, ... */
int land_sprint_without(struct landing *l, const struct strv *paths, struct oid *commit, struct strv *texts, bool *can,
                        struct err *e);
/* ... which go into the merge of that. */
int land_sprint_put(struct landing *l, const struct strv *paths, const struct strv *texts, struct oid *tree, struct err *e);

/* ---- land_flush.c ---- */

/* For git commands in the tree: an index that a power cut left empty would stop every later one there. */
#define LAND_FSYNC "core.fsync=committed,reference,index"

/* What `ref` moving between the two commits changed in the tree that `g` works in, its index, and the ref
 * are on the disk after it. */
int land_flush(struct session *s, const struct git *g, const char *ref, const char *from, const char *to,
               struct err *e);

/* ---- land_record.c: what the store has of a landing ---- */

/* Before the target is touched, and when nothing came of it. */
int land_record_intent(struct landing *l, struct err *e);
int land_record_withdrawn(struct landing *l, struct err *e);

/* Everything is on the target, as `commit`. */
int land_record_done(struct landing *l, const char *commit, struct err *e);
/* A session that was asked to land is over when that has an outcome, whichever: to be recorded with it. */
void land_record_over(struct session *s);
/* A session that was asked to land has its answer. */
int land_record_refusal(struct session *s, const char *why, struct err *e);

#endif
