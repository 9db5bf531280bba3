/* again: items of a queue that failed, in no session, are pending again (`bosk retry`). */
#ifndef BOSK_AGAIN_H
#define BOSK_AGAIN_H

#include "queue.h"

struct again {
	struct strv back;    /* pending again */
	struct strv skipped; /* was to be, but something else that it needs failed: it comes back with that */
};
/* Names of items or issues; none = all. Whatever is of one of these and failed, or was executing when its queue was
 * added, is pending again, and with it what was skipped because of it. ERR_MISSING: no such item or issue in the queue.
 * ERR_USAGE: there is nothing to do again, or it is a session's. ERR_HELD: a session has the queue. The caller frees with
 * again_fini, also after an error. */
int again_items(struct again *out, struct site *site, const char *queue, const struct strv *names, struct err *e);
void again_fini(struct again *a);

/* What makes an item that failed or was skipped pending again: "bosk retry S-1 makes it pending again". The caller owns
 * it. */
char *again_how(const struct queue *q, size_t i);

/* The queues that have an item or issue of this name (NULL = any; QUE-x:S-1 is of one); with `fit` those where it can be
 * done again here. */
int again_find(struct strv *out, const struct site *site, const char *name, bool fit, struct err *e);

#endif
