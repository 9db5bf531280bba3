/* notify: the user's command, told of what needs somebody and of the session's end. It gets the event
 * as JSON on its standard input, has 30 s, and its failure is a warning: nothing depends on it.
 *
 *   {"schema": 1, "kind": "needs-you", "time", "repository", "session", "queue", "task", "title",
 *    "state", "reason", "branch"}
 *   {"schema": 1, "kind": "end", "time", "repository", "session", "queue", "state", "summary",
 *    "landed", "pull_request", "exit_code", "next"} */
#ifndef BOSK_NOTIFY_H
#define BOSK_NOTIFY_H

#include "loop.h"
#include "session.h"

struct notify;

/* NULL when `command` is "". What needs somebody already is not told again. */
struct notify *notify_open(struct loop *l, const struct session *s, const char *command);
/* After a turn was recorded: tells of tasks that have failed, are blocked or in conflict since. One
 * command at a time, beside the loop. */
void notify_step(struct notify *n);
/* The loop's work is over: runs it until everything was told. */
void notify_finish(struct notify *n);
void notify_close(struct notify *n); /* NULL allowed, as above */

/* The end, when the loop is closed: waits for the command. */
void notify_end(const struct session *s, const char *command, int exit_code);

#endif
