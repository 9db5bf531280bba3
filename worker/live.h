/* live: a tiny call of an agent before anything starts, to see that its program, its account and its model work. It is no
 * attempt of a task: nothing it says or leaves counts. */
#ifndef BOSK_LIVE_H
#define BOSK_LIVE_H

#include "slot.h"

/* In the worktree as it is; logs to `dir`, environment `env` (KEY=VALUE). Sends one `tried`. `model`: NULL = the agent's
 * own default. */
void live_call(struct slot *s, const char *agent, const char *model, const char *dir, const struct strv *env);

#endif
