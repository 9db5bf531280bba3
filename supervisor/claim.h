/* claim: what the sessions of a repository share and there is not enough of for all - worktrees, the one
 * landing - as rows of the store: who holds how many of it, and who waits for one more. A change is one short
 * transaction, in which whatever is free goes to those who wait: the one who holds least first, then
 * the one who has waited longest. Nobody polls: whoever changes something wakes all others who have a row, by
 * their FIFO, and those who wait watch the processes of all others for their death.
 *
 * A row belongs to a process, not to a session: of one that is gone it counts for nothing, also when the
 * session goes on in another process since. */
#ifndef BOSK_CLAIM_H
#define BOSK_CLAIM_H

#include "session.h"

/* Kinds. More may be made of a kind by a key: "account:openai". */
#define CLAIM_WORKTREE "worktree"
#define CLAIM_LANDING "landing"
#define CLAIM_GIT_LOCK "git.lock" /* only told here, by those who wait: the lock is the kernel's */

struct claim_one {
	char sid[SEAL_SID];
	struct claim_row row;
};

struct claims { /* of living processes, by session id */
	struct claim_one *v;
	size_t n;
	bool due; /* there is something for those who wait: claim_change gives it to them */
};

/* The caller frees with claim_fini, also after an error. */
int claim_read(struct claims *out, const struct site *site, const char *kind, struct err *e);
void claim_fini(struct claims *c);
const struct claim_row *claim_of(const struct claims *c, const char *sid); /* NULL = it has none */

/* `want`: so many more are waited for; `give`: so many fewer are held, UINT64_MAX = all, and nothing is
 * waited for. With neither only what the dead held is given to those who wait. */
struct claim_change {
	uint64_t capacity; /* how many there may be of all sessions; 0 = no limit */
	uint64_t want, give;
};
/* *after is as claim_read would say it then. */
int claim_change(struct claims *after, const struct site *site, const char *kind, const char *sid,
                 const struct claim_change *change, struct err *e);

/* The row of one who need not ask, to be written by its caller: `held` without a limit (then claim_tell), or
 * waiting for `holder`; 0 and NULL delete it. */
void claim_put(struct db_batch *batch, const char *kind, const char *sid, uint64_t held,
               const char *holder);
/* Wake all others if any of them waits. */
void claim_tell(const struct site *site, const struct claims *c, const char *sid);

/* A pidfd of each process but the session's own; they and the array are the caller's. *gone: one of them
 * has died since `c` was read. */
size_t claim_watch(int **fds, const struct claims *c, const char *sid, bool *gone);

/* What the session waits for and who has it: "a worktree: 3 of 3 are used by a1b2c3 (2), d4e5f6 (1)". False:
 * it waits for nothing of this kind. `holders` (NULL allowed) gets the sessions. */
bool claim_text(const struct claims *c, const char *kind, const char *sid, struct str *out,
                struct strv *holders);

/* For a process without a loop: ask for one, wait until it is there. `waits` is called when there is
 * something to wait for and after each wake-up that did not bring it: with claim_text, NULL = as before.
 * True = give up (ERR_GONE). */
int claim_take(const struct site *site, const char *kind, const char *sid, uint64_t capacity,
               bool (*waits)(void *ctx, const char *text), void *ctx, struct err *e);
/* Everything of the kind. A failure is the next one's to mend: the row is a dead process's then. */
void claim_drop(const struct site *site, const char *kind, const char *sid);

#endif
