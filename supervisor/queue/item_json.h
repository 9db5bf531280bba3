/* item_json: items of queues as outside executors are told them (the endpoint contract of formats.md S2). */
#ifndef BOSK_ITEM_JSON_H
#define BOSK_ITEM_JSON_H

#include "next.h"
#include "queue.h"

/* bosk detail: the whole solution, with the item's status; pretty, with a final newline. False: it has no solution, and
 * *out says so as an error. */
bool item_json_detail(const char *queue, const struct queue_item *item, struct str *out);
/* bosk next: the same, with the token of the claim and the progress of the queue. */
void item_json_next(const struct next *n, struct str *out);
/* {"status": ..., "message": ...}, and the queue where there is one. */
void item_json_status(const char *status, const char *queue, const char *message, struct str *out);

#endif
