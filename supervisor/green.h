/* green: which gates are known to accept which tree: gates are not run twice on the same files. A gate is known by its
 * definition: name, command, timeout, paths, retries, locks, and the variables that the plan gave to the task it ran for;
 * what is run alike counts, what is only called alike does not. What the session's journal holds is known again after a
 * resume; another session begins with nothing, as its machine may be another one by then. */
#ifndef BOSK_GREEN_H
#define BOSK_GREEN_H

#include "config.h"
#include "session.h"

struct green;

struct green *green_new(const struct config *cfg);
void green_free(struct green *g); /* NULL allowed */

/* The gates accepted a tree: `verdicts` are name=verdict. One that is not "pass" was skipped, because
 * what it looks at did not change, or is excused: accepted, but not passed. `task`: whose own they are; NULL = run for
 * nobody's. What is asked for below is run for nobody. */
void green_add(struct green *g, const char *tree, const struct strv *verdicts, const struct task_def *task);
bool green_accepted(const struct green *g, const char *tree, const char *gate);
bool green_passed(const struct green *g, const char *tree, const char *gate);

/* What the journal of an earlier run of the session tells. */
int green_again(struct green *g, const struct session *s, struct err *e);

#endif
