/* follow: `bosk logs -f`: what tasks print, as they print it, until they have ended. */
#ifndef BOSK_FOLLOW_H
#define BOSK_FOLLOW_H

#include "supervisor/session.h"

/* Bytes of the task's log as they come; when all tasks are followed, whole lines. */
typedef void follow_print(void *ctx, const char *task, const char *bytes, size_t n);

/* The agent's log, or that of a gate when `gate` is not NULL, of one task until it has ended, or with `task`
 * NULL of all that run from now on, until the session ends. Goes on with the next attempt's log when one begins.
 * Sleeps until a log or the store changes (inotify): no polling. */
int follow_logs(struct site *site, const char *sid, const char *task, const char *gate, follow_print *print,
                void *ctx, struct err *e);

#endif
