/* pool: the worker processes of a session, one per worktree, and the channels to them. Starts them
 * when first needed, notices their death, ends what they leave behind. Knows nothing of tasks. */
#ifndef BOSK_POOL_H
#define BOSK_POOL_H

#include "loop.h"
#include "session.h"
#include "worker/msg.h"

struct pool;

struct pool_handler {
	/* A message arrived; members may be taken out. */
	void (*message)(void *ctx, size_t slot, struct msg *m);
	/* The worker is gone: `asked` after pool_quit, else it died or broke the protocol. Every message
	 * it had sent was delivered before, and nothing it started is left. */
	void (*gone)(void *ctx, size_t slot, bool asked, const char *why);
	void *ctx;
};

/* What a killed session left in a worktree: the worker saves it before anything else. */
struct pool_leftover {
	const char *task, *branch, *base;
	const char *rescue; /* commit to put back when the worktree is not there any more; NULL = none */
	uint64_t attempt;
};

struct pool *pool_new(struct loop *l, struct session *s, const struct config *cfg,
                      const struct pool_handler *handler);
void pool_free(struct pool *p); /* kills what is left; NULL allowed */

void pool_leftover(struct pool *p, size_t slot, const struct pool_leftover *left); /* copied */

/* Send, starting the worker when there is none. ERR_ENV when it cannot be started. */
int pool_send(struct pool *p, size_t slot, const struct msg *m, struct err *e);
bool pool_running(const struct pool *p, size_t slot);
/* Did the last worker of the slot end for want of memory, or of disk to save what it had? */
bool pool_starved(const struct pool *p, size_t slot);
/* Ask the worker (starting one when the worktree has to be removed) to end. */
int pool_quit(struct pool *p, size_t slot, bool remove, struct err *e);

#endif
