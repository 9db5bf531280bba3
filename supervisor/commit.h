/* commit: the commits that the session itself makes - merges, the sprint status, a landing - signed where the session's
 * are (worker/sign.h), and what is to be said when one could not be. Moves no ref. */
#ifndef BOSK_COMMIT_H
#define BOSK_COMMIT_H

#include "core.h"
#include "worker/sign.h"

struct commit_want {
	const struct oid *tree, *parents;
	size_t n_parents;
	const char *message;
};

struct commit_made {
	struct oid id;   /* "" = refused: without a signature there is to be none (sign.fallback) */
	char *why;       /* why it is not signed, or refused: one line; NULL = it is, or was not to be */
};

/* The author's, at the session's end of time: now. For a process that has nothing else to do. A refusal is a value. The
 * caller frees made->why. */
int commit_now(struct session *s, const struct commit_want *want, struct commit_made *made, struct err *e);

/* The same beside the loop, one at a time in a session. Where nothing is to be signed the callback comes before this
 * returns. `e`: NULL, or why there is none; `made` is gone after it. */
typedef void commit_fn(void *ctx, struct commit_made *made, const struct err *e);
void commit_start(struct core *c, const struct commit_want *want, commit_fn *fn, void *ctx);
void commit_close(struct core *c); /* nothing more will come of one that is being made */

/* A commit with the tree of `of` and this parent (NULL = none), never signed, that no ref ever names: for a merge by git, which
 * looks for what both sides come from in their history. */
int commit_stand_in(struct session *s, struct oid *out, const struct oid *of, const struct oid *parent, struct err *e);

/* So many commits of the session are not signed: into the manifest's notes, in one line for all of them. */
void commit_told(struct session *s, uint64_t n, const char *why);
/* The same while it runs: said when it is the first, and recorded with this turn. */
void commit_say(struct core *c, uint64_t n, const char *why);
/* The signer did not answer in time: it is not asked again by this process, unless commits are refused without it. */
void commit_late(struct session *s, const char *why);
/* Why the next commit need not be tried to be signed; NULL = it is to be signed, or is not to be. Borrowed. */
const char *commit_skips(const struct session *s);

#endif
