/* revert: an integrated task is taken out of its session's integration branch again, by a commit that undoes its merge.
 * History stays: the merge is there, and the commit that reverts it. Nothing that has landed is touched. The way is
 * that of an integration: objects durable -> intent recorded -> refs moved by compare-and-swap -> done recorded, so that a
 * crash leaves an intent that the refs decide about (promise A2). */
#ifndef BOSK_REVERT_H
#define BOSK_REVERT_H

#include "session.h"
#include "turn.h"

/* In the message of such a commit: the merge that it takes out. */
#define REVERT_TRAILER "Bosk-Reverts"

struct revert_result {
	bool done;         /* it is out: now, or it was before */
	struct strv tasks; /* that were taken out now, those that need others first */
	struct strv open;  /* not integrated, and cannot be while what they need is out */
	struct str text;   /* when it is not: why, and what to type; when it was before: by which commit */
};
void revert_result_fini(struct revert_result *r);

/* For a session this process has locked. What needs the task is taken out before it, or, without `dependents`, named in
 * the refusal. Nothing is changed by a refusal, which is a value. ERR_USAGE: it is no task, or session, of which
 * something can be taken out. After a crash the same call again finds what became of it. */
int revert_task(struct session *s, size_t task, bool dependents, struct revert_result *out, struct err *e);

/* An open intent of this kind, at recovery: into `t`. `tip`: the ref, which has its commits; NULL: it was withdrawn. */
void revert_settle(struct session *s, struct turn *t, const struct intent_row *intent, const char *tip);

/* Was everything that it had integrated taken out again, so that there is nothing to land? */
bool revert_left_nothing(const struct session *s);
/* Has its branch a task that a later session of its queue took out of its own? Why it is not landed then; NULL = no. The
 * caller owns it. */
char *revert_elsewhere(const struct session *s);

#endif
