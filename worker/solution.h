/* solution: what a task of a queue of solutions has beside others: steps with gates of their own (formats.md S2.2,
 * S2.11), done by one run of the agent or by one for each, and what the agent says it did. */
#ifndef BOSK_SOLUTION_H
#define BOSK_SOLUTION_H

#include "attempt.h"
#include "gate.h"
#include "store/json.h"

/* Is it one? Of others nothing below does anything, but for solution_gates. */
bool solution_is(const struct msg_task *t);

/* Which step comes first: r->step. */
void solution_begin(struct attempt *r);
/* Another step is to be done: r->step, with nothing left of what was said of the former. */
bool solution_next(struct attempt *r);
/* The agent is about to run: what is told of is this run, and the steps that are done. */
void solution_run(struct attempt *r);
/* Is there none after this? Then all that is left is judged as a whole. */
bool solution_last(const struct attempt *r);

/* The gates of the step, or of all of them in their order and then the session's, to the first red one: its step is
 * r->step_red then. */
int solution_gates(struct attempt *r, const struct strv *changed, struct gate_report *report, struct err *e);
/* What a red one means for the agent. */
void solution_feedback(const struct attempt *r, const struct gate_report *report, struct str *out);

/* Take what the agent left as its result, in its file or at the end of its output. OVER: it says that it failed. */
enum step solution_read(struct attempt *r, const struct str *output);
/* Has it what only the result of a solution has? At the end of an output may stand any object, such as a line of a log. */
bool solution_is_result(const struct json_t *said);

/* The solution as data, for BOSK_TASK_FILE. */
void solution_write(const struct attempt *r, struct json_t *task);
/* The end: into the result that is sent; the reason begins with the step. The step is r->step_red as long as r lives. */
void solution_report(struct attempt *r, struct msg_result *m);

#endif
