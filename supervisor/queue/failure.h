/* failure: what an item failed with, as JSON: {"task_id", "error_type", "message", "timestamp"} and whatever else who
 * worked on it said of it. For the export, and for the history of an item that is done again. */
#ifndef BOSK_FAILURE_H
#define BOSK_FAILURE_H

#include "queue.h"

/* Of a task that failed in a session: what its agent said, when that is why it failed, else its reason, with the kind of
 * error: test_failure (a gate is red), timeout, execution_error. The caller owns it. */
char *failure_of_task(const struct task_row *task);

/* The same of an item, whoever worked on it; NULL: it did not fail. The caller owns it. */
char *failure_of(const struct queue_item *item);

/* The item is to be done again: what it failed with goes to its history. Its own row only, not its task's. */
void failure_to_history(struct queue_item *item);

#endif
