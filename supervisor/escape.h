/* escape: what changed outside of the session while its tasks ran - refs that are not the session's, the
 * user's checkout, worktrees where nobody works (architecture 10; promise E3). What the store explains is
 * left alone. A change that is provably a task's own makes its attempt fail; any other one is told with
 * the tasks that ran then, and kept: it may well be the user's own work. */
#ifndef BOSK_ESCAPE_H
#define BOSK_ESCAPE_H

#include "core.h"

/* Look at everything once, then call `go`, from the loop. */
int escape_open(struct core *c, void (*go)(struct core *), struct err *e);
void escape_close(struct core *c);

/* A task goes to a slot; *idle gets the worktrees where nobody works then, for its message. */
void escape_assigned(struct core *c, size_t task, size_t slot);
/* Its worktree goes: nobody works there, and what changes is our own doing. */
void escape_left(struct core *c, size_t slot);
void escape_idle(const struct core *c, size_t slot, struct strv *idle);

/* A task has ended, as `m` says: look again. True when the change is the attempt's own: *reason (owned by
 * the caller) says what, and m->kept names the ref that keeps its commit. Call while slot_task still
 * has it. */
bool escape_found(struct core *c, size_t slot, struct msg_result *m, char **reason);

/* No task will run any more: look for the last time, beside the clean-up. */
void escape_last(struct core *c);
/* Is that over? If not, finish_session is called again when it is. */
bool escape_over(struct core *c);

/* The tasks that run now, for a text. */
void escape_running(const struct core *c, struct str *out);

/* ---- escape_refs.c: the user's refs and HEADs ---- */
struct escape_refs;
/* As they are now. *out is to be freed in any case. */
int escape_refs_new(struct escape_refs **out, struct core *c, struct err *e);
void escape_refs_free(struct escape_refs *r); /* NULL allowed */
/* What changed since is told and kept. True, with *reason, as escape_found says. */
bool escape_refs_look(struct escape_refs *r, const struct msg_result *m, char **reason);

/* ---- escape_tree.c: the user's checkouts, looked at by git status beside the loop ---- */
struct escape_tree;
struct escape_tree *escape_tree_new(struct core *c);
void escape_tree_free(struct escape_tree *t);
/* Unless it is being done already. `done` may be NULL. */
void escape_tree_look(struct escape_tree *t, void (*done)(struct core *));
void escape_tree_ran(struct escape_tree *t, const char *task); /* it may have done what is found next */
uint64_t escape_tree_age_ms(const struct escape_tree *t); /* since the last look began */
bool escape_tree_busy(const struct escape_tree *t);

#endif
