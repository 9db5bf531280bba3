/* again: items of a queue without a session that failed are pending again (`bosk retry`). */
#ifndef BOSK_AGAIN_H
#define BOSK_AGAIN_H

#include "queue.h"

/* Names of items or issues; none = all. Whatever is of one of these and failed, or was executing when its queue was
 * added, is pending again, and with it what was skipped because of it. Their names are added to `back`. ERR_MISSING: no
 * such item or issue in the queue. ERR_USAGE: there is nothing to do again. ERR_HELD: a session has the queue. */
int again_items(struct site *site, const char *queue, const struct strv *names, struct strv *back, struct err *e);

/* The queues that have an item or issue of this name (NULL = any; QUE-x:S-1 is of one); with `fit` those where it can be
 * done again, and no session has worked on. */
int again_find(struct strv *out, const struct site *site, const char *name, bool fit, struct err *e);

#endif
