/* task_state: the states a task can be in, with the names stored and shown. */
#ifndef BOSK_TASK_STATE_H
#define BOSK_TASK_STATE_H

#include <stdbool.h>

/* The states of architecture.md section 5, with the name stored and the one shown. */
#define TASK_STATES(S)                                                                            \
	S(WAITING, "waiting", "pending")       /* a dependency is not integrated yet */           \
	S(READY, "ready", "pending")           /* may be assigned */                              \
	S(BACKOFF, "backoff", "pending")       /* will be READY when its retry timer is due */    \
	S(LIMITED, "limited", "limited")       /* will be READY when an account of its agents is open */ \
	S(RUNNING, "running", "running")                                                          \
	S(CHECKED, "checked", "running")       /* committed, waits for its merge */               \
	S(INTEGRATED, "integrated", "integrated")                                                 \
	S(LANDED, "landed", "landed")                                                             \
	S(ALREADY, "already", "integrated")    /* its work was in the base: it needs no worker */  \
	S(CONFLICT, "conflict", "conflict")                                                       \
	S(BLOCKED, "blocked", "blocked")                                                          \
	S(FAILED, "failed", "failed")                                                             \
	S(TIMEOUT, "timeout", "failed")                                                           \
	S(SKIPPED, "skipped", "skipped")                                                          \
	S(CANCELLED, "cancelled", "cancelled") /* given up for good; no event leads here */       \
	S(ROUTED, "routed", "routed")          /* the plan has it, but not for bosk: never run */  \
	S(REVERTED, "reverted", "reverted")    /* it was integrated, and the user took it out again (revert.h) */ \
	S(CLAIMED, "claimed", "running")       /* somebody else works on it (bosk next): no session runs it */

#define TASK_STATE_ENUM_(name, stored, shown) TASK_##name,
enum task_state { TASK_STATES(TASK_STATE_ENUM_) TASK_STATE_COUNT };
const char *task_state_name(enum task_state s);  /* as stored */
const char *task_state_shown(enum task_state s); /* as interface.md shows it */
bool task_state_parse(const char *stored, enum task_state *out);
bool task_state_ended(enum task_state s); /* INTEGRATED, LANDED and everything after them */
bool task_state_good(enum task_state s);  /* INTEGRATED, LANDED, ALREADY: what needs it may begin */
bool task_state_fine(enum task_state s);  /* good, ROUTED, or REVERTED: nobody has to look at it */

#endif
