/* stored_queue: what `bosk run` and `bosk plan` look at when they are given no plan: a queue of the store. */
#ifndef BOSK_STORED_QUEUE_H
#define BOSK_STORED_QUEUE_H

#include "cmd.h"
#include "supervisor/site.h"

struct plan;

/* The first active queue where something can be done; *out NULL: there is none. The caller frees. */
int stored_queue_first(char **out, const struct cmd_line *l, struct err *e);
/* Active queues with items that are not over, of which none is ready: one line each. */
void stored_queue_unready(const struct site *site, struct strv *lines);

/* Its plan, in the states that a run would begin with. ERR_USAGE: there is no such queue. */
int stored_queue_plan(struct plan *out, struct site *site, const char *id, struct err *e);

#endif
