/* agents: who works on what has a prompt, by which command line, and how long it may take. An `executor` (a shell command
 * given with the call) stands for all of them; an agent that is named brings its time limit even then. */
#ifndef BOSK_AGENTS_H
#define BOSK_AGENTS_H

#include "config.h"
#include "store/rows.h"
#include "worker/msg.h"

/* Names that a plan, an option or `agent` may have: those of config_agents_get_names and "agent", sorted. */
void agents_names(const struct config *cfg, struct strv *out);
/* NULL = there is an agent of this name; else what is wrong, with what it may have been meant to be; the caller frees. */
char *agents_fault(const struct config *cfg, const char *name);

/* The agent of a task as it is named: its own, else that of its model, else `given` (of the call or the configuration,
 * kept with the session); NULL = none is named, or it needs none. */
const char *agents_of(const struct task_def *d, const char *given);
/* What a name stands for: "agent", by which plans of other tools mean whichever is at hand, is `given`, else claude. NULL =
 * there is none of that name. */
const struct msg_agent *agents_def(const struct config *cfg, const char *name, const char *given);
/* Does it stand for a shell command of the call ({command} in its command line)? */
bool agents_wants_command(const struct msg_agent *def);
/* Can it be started here? NULL = yes, or that cannot be known; else what is missing and what to do; the caller frees. */
char *agents_missing(const struct msg_agent *def);
/* Names of the definitions that tasks may use, those that stand in for them included; none where an executor does. */
void agents_used(const struct config *cfg, const struct plan *plan, const char *given, struct strv *out);
/* The model that it is to use; NULL = the agent's own default. */
const char *agents_model(const struct task_def *d, const struct msg_agent *def);

/* How long one attempt of it by `def` (NULL = no agent) may take, in ms (0 = no limit): as its plan says; else as `timeout` is
 * given for this call (-c, a variable); else as the configuration says of this agent, else of all, else as is built in. */
uint64_t agents_limit(const struct task_def *d, const struct msg_agent *def, const struct config *cfg);
/* The same of its silence; a plan has no say in that. */
uint64_t agents_silence(const struct msg_agent *def, const struct config *cfg);

#endif
