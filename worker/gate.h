/* gate: commands that must pass, one after the other, in the worktree. What the end of one means is verdict.c's to say. */
#ifndef BOSK_GATE_H
#define BOSK_GATE_H

#include "slot.h"

enum { GATE_TIMEOUT_MS = 30 * 60 * 1000 }; /* of a gate that has none of its own */

struct gate_report {
	struct strv verdicts; /* name=verdict, in order */
	struct strv flaky;    /* name=passed on run 2 of 3 */
	struct strv reds;     /* of every gate that is not pass or skipped, excused ones too: "name: fail (exit 1)" */
	char *red;            /* name of the first of them that is not excused, NULL when green */
	char *red_run;        /* its command */
	char *verdict;        /* its verdict */
	char *why;            /* "exit 1", "no end after 30 m", ... */
	char *said;           /* of its output (excerpt.h); never NULL when there is a red one */
	bool stopped;         /* the task was stopped meanwhile: no verdict */
};
void gate_report_fini(struct gate_report *r);

/* What is run, for whom, and where its logs go: `log_dir`/gate-NAME.log; gate-NAME@1.log, ... are those of runs before
 * the last one. */
struct gate_runs {
	const struct strv *only;    /* names; NULL = all */
	const struct strv *changed; /* paths of the work, for gates with `paths`; NULL = run them all */
	char *const *env;
	const char *log_dir;
	uint64_t attempt;
	bool past_red;              /* all of them, whatever the first ones come to */
};

/* Run gates in order, to the first red one that is not excused, and add to what `out` has; nothing is run when that is red.
 * Each verdict is sent as a frame. -1 only when the system fails. */
int gate_run(struct slot *s, const struct msg_gate *gates, size_t n, const struct gate_runs *how,
             struct gate_report *out, struct err *e);

#endif
