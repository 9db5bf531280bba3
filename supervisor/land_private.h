/* land_private: what the files of a landing share (land*.c). */
#ifndef BOSK_LAND_PRIVATE_H
#define BOSK_LAND_PRIVATE_H

#include "land.h"
#include "worker/git.h"

struct landing {
	struct session *s;
	const struct config *cfg;
	const struct land_ask *ask;
	struct land_result *out;
	struct strv tasks; /* ids, in plan order; empty = the whole of the session */
	bool falls;        /* what is in the way is the target's: land_fallback counts */
	char *ref;         /* of the target */
	struct oid tip;    /* what is merged: the integration tip, or a commit for each of `tasks` */
	struct oid target; /* where the ref is */
	struct oid onto;   /* the same, or its upstream where that is ahead and was asked for */
	struct oid merged; /* the tree that it comes to */
	struct oid merge;
	char *tree;        /* worktree that has the target checked out, NULL = none */
};

/* ---- land.c ---- */

/* Says why it did not land. Returns 0: that is no error. */
int land_refuse(struct landing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The command that does this landing again; the caller owns it. */
char *land_command(const struct landing *l);

/* The target (its upstream, where that was fetched) has l->tip, or had it: then there is nothing to offer, which was said
 * and recorded. */
int land_offered(struct landing *l, bool *over, struct err *e);

/* ---- land_ask.c: what is asked, in the manifest ---- */

void land_ask_keep(struct session *s, const struct land_ask *ask);
/* The state that the session had ended with before; NULL = it is landed at its end. Borrowed. */
const char *land_ask_was(const struct session *s);
/* `tasks`: where the ask's go; the caller releases it after the ask. */
void land_ask_read(const struct session *s, struct land_ask *ask, struct strv *tasks);

/* ---- land_merge.c ---- */

/* Its turn has come, and nothing is asked any more that would stop it. */
int land_merge(struct landing *l, struct err *e);

/* ---- land_commit.c ---- */

/* What is landed: a line for each task. */
int land_tasks(struct strv *out, const struct session *s, struct err *e);
/* The merge commit of l->onto and l->tip, its objects only. *clean false: it was said why there is none. */
int land_commit(struct landing *l, bool *clean, struct err *e);
/* A commit that lands; signed where that is asked for. *clean false: it cannot be, which was said. */
int land_commit_write(struct landing *l, struct oid *out, const struct oid *tree, const struct oid *parents, size_t n,
                      const char *message, bool *clean, struct err *e);
/* The tree of `commit` merged onto `onto` by git. *clean false: it was said why not; `what`: names it there. */
int land_commit_tree(struct landing *l, const struct oid *onto, const struct oid *commit, const char *what, struct oid *tree,
                     bool *clean, struct err *e);

/* ---- land_task.c: single tasks ---- */

/* Can they land by themselves? NULL, or why not: the caller owns it. Fills l->tasks. */
char *land_task_fault(struct landing *l, struct err *e);
/* l->tip becomes a commit for each of l->tasks, upon l->onto. */
int land_task_commits(struct landing *l, bool *clean, struct err *e);

/* A pull request of the one task in l->tasks, by itself. */
int land_task_pr(struct landing *l, bool draft, struct err *e);

/* ---- land_fetch.c ---- */

/* git fetches the target's upstream; then l->onto is that where it is ahead of the target. *fine false: it was said why not. */
int land_fetch(struct landing *l, bool *fine, struct err *e);
int land_fetch_onto(struct landing *l, bool *fine, struct err *e);

/* ---- land_gates.c ---- */

/* The session's gates on l->merge. *green false: it was said why not. */
int land_gates(struct landing *l, bool *green, struct err *e);
/* The same on l->tip, for what is offered as it is. */
int land_gates_tip(struct landing *l, bool *green, struct err *e);
/* Nothing was added to what it began at, which its preflight found green. */
bool land_gates_as_begun(const struct session *s);
/* What gates of a landing that was cut off have left. */
int land_gates_clear(struct landing *l, struct err *e);

/* ---- land_clean.c ---- */

/* It has landed: what is reachable from the target and nobody else's goes; the rest is listed. */
void land_clean(struct landing *l);

/* ---- land_target.c ---- */

/* The target has lost what it had when the session began: why that does not land has been said. */
int land_rewritten(struct landing *l, bool *out, struct err *e);

/* ---- land_turn.c: one landing at a time in a repository ---- */

/* Until it is this session's turn; says whose it is meanwhile. *stopped: `bosk stop` ended the wait. */
int land_turn_wait(struct session *s, bool *stopped, struct err *e);
void land_turn_over(struct session *s);
/* Was it asked to stop? */
bool land_turn_stop(const struct session *s);

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

/* It is begun: from here on a resume goes on with it. */
int land_record_asked(struct landing *l, struct err *e);
/* Before the target is touched, and when nothing came of it. */
int land_record_intent(struct landing *l, struct err *e);
int land_record_withdrawn(struct landing *l, struct err *e);

/* All of it is on the target, as `commit`; or these tasks are. */
int land_record_done(struct landing *l, const struct strv *tasks, const char *commit, struct err *e);
/* A session that was asked to land is over when that has an outcome, whichever: to be recorded with it. */
void land_record_over(struct session *s);
/* A landing has its outcome: this one, or (NULL) one that is recorded. */
int land_record_refusal(struct session *s, const char *why, struct err *e);

#endif
