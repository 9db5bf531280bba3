/* agent: an agent's program does one piece of a task (adapter.h says how it is called and understood): its run, what that
 * came to, its conversation, and its result, asked for once more when it is not usable. */
#ifndef BOSK_AGENT_H
#define BOSK_AGENT_H

#include "adapter.h"
#include "attempt.h"

/* GO_ON: it says that it is done, r->said is its last text. OVER: outcome and reason are set. It may have run more than
 * once: each time is an attempt. */
enum step agent_run(struct attempt *r);

/* ---- one run of a program, whoever asks ---- */

/* What it is called by; NULL = the session has no such agent. */
const struct msg_agent *agent_find(const struct slot *s, const char *name);

struct agent_call {
	const struct msg_agent *def;
	struct adapter *adapter;   /* of it */
	struct adapter_call call;  /* its folder and variables are filled in; last_file is removed afterwards */
	struct attempt *of;        /* whose conversation and result file it is; NULL = nobody's */
	const struct strv *env;    /* KEY=VALUE, to which its own are added */
	const char *log;
	uint64_t timeout_ms, silence_ms;
	bool hopeless;             /* afterwards: it was ended because it would have waited, or gone on, for ever */
};
/* In the worktree, contained and watched. ERR_NOSPACE ...: it could not be run or watched, *o is what was seen all the same.
 * The caller frees *o. */
int agent_call(struct slot *s, struct agent_call *c, struct job_result *end, struct adapter_outcome *o, struct err *e);
/* An end that was not bosk's doing, in the words of a result: ok | limited | auth | transient | config | failed, and why. */
const char *agent_meaning(struct str *why, const struct job_result *end, const struct adapter_outcome *o);

#endif
