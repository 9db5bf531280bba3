/* history: what several users did with bosk at once, as tests/crash/model.sh writes it down, and the
 * model that must be able to explain it.
 *
 * One thing a line; the order of the lines is the order in which things happened:
 *
 *   task PLAN ID KIND NEED...          a plan's task; KIND: good flaky bad clash cross
 *   start CALL OP WORD...              a call begins; `revert SID TASK`
 *   kill CALL | freeze CALL | thaw CALL
 *   heal TASK                          a flaky task succeeds from now on
 *   exec WHAT TASK SID [ATTEMPT]       a task's command: begin, end (of its good work), twice, missing
 *   see CALL SID STATE LANDED TASK:STATE...    what `status` showed; LANDED: landed | here
 *   end CALL EXIT FACT...              began=SID ended=SID:STATE landed=SID asked=SID back=SID again out=TASK why=WORD
 *   now SID PLAN QUEUE STATE LANDED    the end state: each session,
 *   is QUEUE TASK STATE                each task,
 *   on SID|main merge|commit|revert QUEUE TASK | landing SID | user CALL | unknown TEXT    each commit, in order
 *   problem TEXT                       what was seen to be wrong without a model
 */
#ifndef BOSK_TEST_MODEL_HISTORY_H
#define BOSK_TEST_MODEL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

struct history_task {
	const char *plan, *id, *kind;
	struct strv needs;
};

struct history_call {
	const char *number, *op;
	struct strv words;           /* after the op */
	size_t start, end;           /* lines; end = SIZE_MAX while it is open */
	size_t killed;               /* line of the first kill, SIZE_MAX = none */
	int exit;
	struct strv began, over;     /* sessions it worked on; "SID:STATE" as it left them */
	struct strv why;             /* why it did not do (all of) it */
	const char *asked, *back;    /* whom it stopped, whose tasks it put back; NULL */
	struct strv landings;        /* sessions that it landed besides; of `land`: "" */
	bool landed, again;
	struct strv out;             /* tasks that it took out again */
};

struct history_see {
	size_t line, call; /* index of the call */
	const char *sid, *state;
	bool landed;
	struct strv tasks; /* "TASK:STATE" */
};

struct history_exec {
	size_t line;
	const char *what, *task, *sid, *attempt;
};

struct history_now {
	const char *sid, *plan, *queue, *state;
	bool landed;
};

struct history_is {
	const char *queue, *task, *state;
};

struct history_on {
	const char *branch, *kind, *first, *second; /* QUEUE TASK, or SID, or CALL */
};

/* Texts point into `lines`. */
struct history {
	struct strv lines, words; /* the words of all lines */
	struct strv plans;
	struct history_task *tasks;
	struct history_call *calls;
	struct history_see *sees;
	struct history_exec *execs;
	struct history_now *nows;
	struct history_is *are;
	struct history_on *ons;
	size_t n_tasks, n_calls, n_sees, n_execs, n_nows, n_are, n_ons;
};

/* Each adds what it finds wrong to `faults`, as "RULE: what". */
void history_read(struct history *out, const char *text, struct strv *faults);
void history_fini(struct history *h);
void history_judge_calls(const struct history *h, struct strv *faults); /* each by itself */
void history_judge_order(const struct history *h, struct strv *faults); /* some order explains them all */
void history_judge_work(const struct history *h, struct strv *faults);  /* executions and sightings */
void history_judge_end(const struct history *h, struct strv *faults);
/* All of them. */
void history_judge(const char *text, struct strv *faults, struct str *summary);

const struct history_now *history_session(const struct history *h, const char *sid); /* NULL: forgotten */
const struct history_task *history_task(const struct history *h, const char *id);
const char *history_task_state(const struct history *h, const char *queue, const char *task);
/* May `task` have been taken out of the branches of this queue by a call that began before this line? */
bool history_reverted(const struct history *h, const char *queue, const char *task, size_t line);
bool history_overlap(const struct history_call *a, const struct history_call *b);
/* What a call was called with, for faults. */
void history_describe(const struct history_call *c, struct str *out);

#endif
