/* follow: `bosk logs -f`: what a task prints, as it prints it, until the task has ended. */
#ifndef BOSK_FOLLOW_H
#define BOSK_FOLLOW_H

#include <stdbool.h>

#include "supervisor/session.h"

/* The agent's log, or that of a gate when `gate` is not NULL. `print` gets the bytes as they come. Goes on with the next attempt's log when one begins. Sleeps
 * until the log or the store changes (inotify): no polling. */
int follow_task(struct site *site, const char *sid, const char *task_id, const char *gate,
                void (*print)(void *ctx, const char *bytes, size_t n), void *ctx, struct err *e);

#endif
