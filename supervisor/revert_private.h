/* revert_private: what the files of a revert share (revert*.c). */
#ifndef BOSK_REVERT_PRIVATE_H
#define BOSK_REVERT_PRIVATE_H

#include "revert.h"

struct revert_step {
	size_t task;
	struct oid merge;
	struct oid by_hand; /* somebody's commit that reverted it already; "" = there is none */
	struct oid commit;  /* that reverts it */
};

struct revert {
	struct session *s;
	struct revert_result *out;
	size_t task;        /* the one that was asked for */
	bool *back;         /* of each task: checked, and not to be merged now */
	struct oid from, tip; /* the integration tip; with the steps so far on it */
	struct revert_step *steps; /* newest merge first: what needs another comes before it */
	size_t n;
	bool moved; /* nothing was recorded: the refs were moved by somebody meanwhile */
};

/* Says why not. Returns 0: that is no error. */
int revert_refuse(struct revert *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- revert_find.c: which tasks, which merges ---- */

/* What needs the task, directly or not: in[i] it is on the branch, r->back[i] it waits for its merge, and the names of
 * others that are to begin later in r->out->open. */
int revert_dependents(struct revert *r, bool *in, struct err *e);
/* The steps, for the tasks in[]. *found false: it was said why not. */
int revert_steps(struct revert *r, const bool *in, bool *found, struct err *e);

/* ---- revert_tree.c ---- */

/* The commits of all steps, their objects only. *clean false: it was said why there are none. */
int revert_commits(struct revert *r, bool *clean, struct err *e);

/* ---- revert_record.c ---- */

/* Objects, intent, refs, rows. */
int revert_record(struct revert *r, struct err *e);

#endif
