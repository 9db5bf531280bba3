/* gate: commands that must pass. Verdicts: pass, fail, timeout, could-not-run, skipped. could-not-run
 * (no such command) never passes and never blames the task (architecture 5.5). */
#ifndef BOSK_GATE_H
#define BOSK_GATE_H

#include "slot.h"

enum { GATE_TIMEOUT_MS = 30 * 60 * 1000 }; /* of a gate that has none of its own */

struct gate_report {
	struct strv verdicts; /* name=verdict, in order */
	char *red;            /* name of the first gate that is not pass or skipped, NULL when green */
	char *red_run;        /* its command */
	char *verdict;        /* its verdict */
	char *why;            /* "exit 1", "no end after 30 m", ... */
	struct str tail;      /* the end of its output */
	bool stopped;         /* the task was stopped meanwhile: no verdict */
};
void gate_report_fini(struct gate_report *r);

/* The same of other gates than the session's, to be added to what `out` has. Nothing is run when that is red. */
int gate_run_these(struct slot *s, const struct msg_gate *gates, size_t n, const struct strv *only,
                   const struct strv *changed, char *const *env, const char *log_dir, uint64_t attempt,
                   struct gate_report *out, struct err *e);

/* Run the gates named in `only` (NULL = all), in order, to the first red one that is not excused.
 * `changed`: paths of the work, for gates with `paths` (NULL = run them all). Logs go to
 * `log_dir`/gate-NAME.log. Each verdict is sent as a frame. -1 only when the system fails. */
int gate_run_all(struct slot *s, const struct strv *only, const struct strv *changed,
                 char *const *env, const char *log_dir, uint64_t attempt, struct gate_report *out,
                 struct err *e);

#endif
