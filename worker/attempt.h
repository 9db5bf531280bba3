/* attempt: one run of an agent and what it left - prompt, agent, checks, gates, commit. What is around
 * it (worktree, fix loop, saving) is task.c's. */
#ifndef BOSK_ATTEMPT_H
#define BOSK_ATTEMPT_H

#include <stdint.h>

#include "slot.h"

/* A task being done: what its attempts share, and what they came to. */
struct attempt {
	struct slot *s;
	const struct msg_task *t;
	struct oid base, base_tree, commit, tree;
	struct strv env;
	uint64_t attempt; /* of the agent; every run counts, fixes too */
	bool result_too_large; /* what the agent left in its result file: it is not kept */
	char *dir;        /* logs of this attempt */
	char *feedback;   /* what the last attempt came to, NULL at first */
	struct str tried; /* which gate was red after each attempt, and why */
	const char *outcome;
	char *reason;
	struct strv gates;
	struct strv flaky; /* of these: name=passed on run 2 of 3 */
	char *red, *red_verdict, *red_why, *red_said; /* the gate that was red last; NULL = none was */
	char *log, *kept;
	struct story *story; /* that it is to close (story.h); NULL = none */
	/* Of a solution (solution.h): */
	size_t step;      /* that this run of the agent is to do; SIZE_MAX = all of them */
	char *step_red;   /* id of the one that failed; NULL = it was none of them */
	bool as_whole;    /* all its steps were done one by one, and what they came to is to be mended as a whole */
	char *told;       /* what the agent left as its result: one JSON object, without secrets */
	char *told_before; /* of it, what it left of the steps before this one */
	/* Of an agent's program (agent.h): */
	char *conversation; /* id; NULL = none is known */
	bool goes_on;       /* the next run goes on with it */
	bool as_left;       /* ... and what it had done is in the folder again */
	struct str text;    /* the last thing it said, without secrets */
	char *account;      /* that is limited, or does not work */
	uint64_t until_ms;  /* ... until then, wall clock; 0 = it did not say */
};

enum step { GO_ON, AGAIN, OVER };

/* Set outcome and reason (interface: task.h) and return OVER. */
enum step attempt_over(struct attempt *r, const char *outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* For what could not be done for reasons outside the task: stopped, or failed and tried again later. */
enum step attempt_broken(struct attempt *r, const struct err *e);

/* Log folder of an attempt; the caller owns it. */
char *attempt_dir(struct slot *s, const char *task, uint64_t attempt);

/* A run is about to begin: its number is counted up, its inputs are written to its own log folder, and what is known of it is
 * on disk when this returns GO_ON. `ask`: it is told this and nothing else; NULL = its task. */
enum step attempt_begin(struct attempt *r, const char *ask);
/* What the run left in its result file stays among the logs: without secrets, and not larger than is ever read. */
void attempt_clean_result(struct attempt *r);

/* Run the agent once and judge what it left. AGAIN: a gate is red, r->feedback says why and *fixes was
 * counted up; GO_ON: its step is done, and another one is to follow; OVER: outcome and reason are set, "ok" with the commit made. */
enum step attempt_run(struct attempt *r, uint64_t *fixes);

#endif
