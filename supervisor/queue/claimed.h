/* claimed: which items of queues processes outside of bosk work on, for status and doctor. */
#ifndef BOSK_CLAIMED_H
#define BOSK_CLAIMED_H

#include "queue.h"

struct json_t;

/* A line for each, of all queues: "QUE-x:S-1 is claimed by process 4242, 12 s ago". */
int claimed_lines(const struct site *site, struct strv *out, struct err *e);
/* The same as a list of {queue, item, pid, host, claimed_at, alive}, the caller's. NULL on error. */
struct json_t *claimed_json(const struct site *site, struct err *e);

#endif
