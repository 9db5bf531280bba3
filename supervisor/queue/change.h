/* change: what changes of a queue without a session, in one transaction each: its items, with the issue they belong
 * to and the queue itself. For next, done and retry. */
#ifndef BOSK_CHANGE_H
#define BOSK_CHANGE_H

#include "queue.h"

/* ERR_HELD, naming it: a session works on the queue, or can go on with it. */
int change_free_in(const struct site *site, struct db_txn *t, const struct queue *q, struct err *e);

/* The item's state from now on, in its row (which the caller writes) and in `q`. */
void change_state(struct queue *q, size_t i, struct queue_item *item, enum task_state state);
/* The item at ordinal i + 1 alone, with a reason: no one works on it. */
int change_item_in(struct db_txn *t, struct queue *q, size_t i, enum task_state state, const char *reason,
                   struct err *e);

/* The pending items that depend on what failed or was skipped, and those that depend on them, are skipped; their names
 * are added to `names`, and their issues follow. */
int change_skip_in(struct db_txn *t, struct queue *q, struct strv *names, uint64_t now_ms, struct err *e);

/* The issue of an item: `status` from now on (NULL = as it is), and one more entry of feedback (NULL = none). */
int change_issue_in(struct db_txn *t, const struct queue *q, const struct item_def *def, const char *status,
                    const char *feedback, uint64_t now_ms, struct err *e);
/* What its feedback says of a failure (JSON) of an item; the caller owns it. */
char *change_feedback(const struct queue *q, const struct item_def *def, const char *failure, uint64_t at_ms);
/* What the items of an issue make of it: completed, failed, or NULL = neither (yet). Static text. */
const char *change_issue_status(const struct queue *q, const char *issue);

/* The queue's status follows its items. */
int change_queue_in(struct db_txn *t, struct queue *q, uint64_t now_ms, struct err *e);

#endif
