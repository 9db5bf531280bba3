/* agents: who works on what has a prompt, and how long it may take. Agents' own programs come with a later version: until
 * then `executor` stands for whichever is named, and its time is what the name brings (formats.md S2.10). */
#ifndef BOSK_AGENTS_H
#define BOSK_AGENTS_H

#include "config.h"
#include "store/rows.h"

extern const char *const agents_names[]; /* the built-in ones */
extern const size_t agents_count;
bool agents_known(const char *name);

/* The agent of a task: its own, else `given` (of the call, or of the session); NULL = none is named, or it needs none. */
const char *agents_of(const struct task_def *d, const char *given);

/* How long one attempt of it may take, in ms (0 = no limit): as its plan says, else as `timeout` is configured, where it
 * is, else the agent's own limit, else the default. */
uint64_t agents_limit(const struct task_def *d, const char *given, const struct config *cfg);

#endif
