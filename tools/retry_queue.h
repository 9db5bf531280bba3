/* retry_queue: bosk retry of items of a queue that failed in no session. */
#ifndef BOSK_RETRY_QUEUE_H
#define BOSK_RETRY_QUEUE_H

#include "cmd.h"
#include "supervisor/session.h"

/* Does the command line mean items of a queue? *queue is its id then, the caller's; NULL: it means tasks of a session.
 * `some` tells of a session whether it has any to do again. ERR_USAGE: it could mean both, or several. */
int retry_queue_meant(char **queue, const struct cmd_line *l, session_fits *some, struct err *e);
/* Does it; returns the exit code. */
int retry_queue(const struct cmd_line *l, const char *queue);

#endif
