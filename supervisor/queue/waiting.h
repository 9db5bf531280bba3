/* waiting: what the tasks that nobody works on wait for. For a run that finds nothing to do (`run`, `next`), and for
 * what a session could not begin. Looks at states only, never at the store. */
#ifndef BOSK_WAITING_H
#define BOSK_WAITING_H

#include "supervisor/plan/plan.h"

/* Why each pending task may not begin, by what it needs, what it comes after, and whose files it shares (those of
 * TASK_CLAIMED ones): "it needs S-1, which is failed; it comes after S-2, which somebody else works on", of many reasons
 * the first few. why[i] NULL: it may, or is not pending. `states`: p->n, as `why`, whose texts the caller frees. */
void waiting_all(char **why, const struct plan *p, const enum task_state *states);

/* False: some pending task may begin. Else what each of them waits for, as lines: "S-2 waits: it needs S-1, which is
 * failed"; none when nothing is pending. */
bool waiting_only(const struct plan *p, const enum task_state *states, struct strv *lines);

/* Is it pending, and cannot be run, as its plan lacks something (its `missing` says what)? It stays pending; what needs it
 * is skipped, and what only comes after it is not held up. */
bool waiting_barred(const struct plan *p, size_t i, enum task_state state);

/* "`how` `id`, which is failed". The caller frees. */
char *waiting_because(const char *how, const char *id, enum task_state state);

#endif
