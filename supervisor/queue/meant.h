/* meant: which item somebody means who has claimed it: ids of items are there again in other queues. */
#ifndef BOSK_MEANT_H
#define BOSK_MEANT_H

#include "queue.h"

/* As queue_find_item_in, but where several queues have an item of that name it is the one whose claim has this token
 * (NULL = none given), else the one that the caller has claimed. `only`: when it is neither, and more than one active
 * queue has it, nothing is guessed (ERR_USAGE). */
int meant_item_in(char **queue, size_t *ordinal, struct db_txn *t, const char *name, const char *in, const char *token,
                  bool only, struct err *e);

/* The item of all queues, or of the queue `in`, whose claim has this token; *queue is NULL when there is none. */
int meant_claim_in(char **queue, size_t *ordinal, struct db_txn *t, const char *token, const char *in, struct err *e);

#endif
