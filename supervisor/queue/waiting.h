/* waiting: what the tasks that nobody works on wait for. For a run that finds nothing to do (`run`, `next`), and for
 * what a session could not begin. Looks at states only, never at the store. */
#ifndef BOSK_WAITING_H
#define BOSK_WAITING_H

#include "supervisor/plan/plan.h"

/* May task i begin by what it needs, what it comes after, and the files that somebody else has (TASK_CLAIMED)? It
 * is not asked whether it is pending itself. `states`: p->n. */
bool waiting_none(const struct plan *p, const enum task_state *states, size_t i);

/* Each pending task that may not begin, as one line: "S-2 waits: it needs S-1, which is failed". */
void waiting_list(const struct plan *p, const enum task_state *states, struct strv *out);

/* "it needs S-1, which is failed; it comes after S-2, which somebody else works on": of many only
 * the first. NULL = it may begin. The caller frees. */
char *waiting_why(const struct plan *p, const enum task_state *states, size_t i);

/* "`how` `id`, which is failed". The caller frees. */
char *waiting_because(const char *how, const char *id, enum task_state state);

#endif
