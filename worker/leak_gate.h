/* leak_gate: the gate `builtin: secrets`. Looks at what the task, or the session, adds, not at what was there. */
#ifndef BOSK_LEAK_GATE_H
#define BOSK_LEAK_GATE_H

#include "slot.h"

/* What gates of bosk itself compare, to be set before gates are run: the trees of the task's base and of its work, or
 * of the session's base and of a merged tip. -1 when they cannot be read. */
int leak_gate_between(struct slot *s, const struct oid *from_tree, const struct oid *to_tree, struct err *e);

/* Run it, for an attempt of a task, or 0. *verdict is pass, fail, timeout, could-not-run, or NULL: the task was stopped meanwhile. Findings go to `tail`
 * and, with all that was looked at, to the log. -1 only when the system fails. */
int leak_gate_run(struct slot *s, const struct msg_gate *g, uint64_t attempt, const char *log_path, const char **verdict,
                  uint64_t *ms, struct str *why, struct str *tail, struct err *e);

#endif
