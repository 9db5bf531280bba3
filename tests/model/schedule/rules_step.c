/* rules_step: which ways tasks may go in a step, and that each step leads further. */
#include "rules.h"

/* The task of an event goes where the event says, the others only where one leads to another. */
static bool way_allowed(const struct model_step *st, uint32_t t)
{
	enum task_state from = st->before.state[t], to = st->after.state[t];
	bool no_more = st->after.stopping || st->after.halted;

	if (st->ev.task == t) {
		switch (st->ev.kind) {
		case SCHED_DONE:
			return to == TASK_CHECKED;
		case SCHED_FAILED:
			if (model_final_failure(st))
				return to == TASK_FAILED;
			return to == (no_more ? TASK_READY : TASK_BACKOFF);
		case SCHED_TIMEOUT:
			return to == TASK_TIMEOUT;
		case SCHED_BLOCKED:
			return to == TASK_BLOCKED;
		case SCHED_INTEGRATED:
			return to == TASK_INTEGRATED;
		case SCHED_CONFLICT:
			return to == TASK_CONFLICT;
		case SCHED_RED:
			return to == TASK_BLOCKED;
		case SCHED_REPAIR:
			return to == TASK_READY || (to == TASK_RUNNING && !no_more);
		case SCHED_STOPPED:
			return to == TASK_READY;
		case SCHED_FINAL:
			return to == TASK_FAILED;
		case SCHED_TRANSIENT:
			return to == (no_more ? TASK_READY : TASK_BACKOFF);
		case SCHED_LIMITED:
			if (!st->plan->agent[t])
				return to == (no_more ? TASK_READY : TASK_BACKOFF);
			if (to != TASK_READY && to != TASK_RUNNING)
				return to == TASK_LIMITED;
			return no_more ? to == TASK_READY : st->plan->fallback[st->was.by[t] - 1] || st->was.by[t] != st->plan->agent[t];
		case SCHED_RETRY_DUE:
			return to == TASK_READY || to == TASK_RUNNING;
		case SCHED_START:
		case SCHED_STOP:
		case SCHED_STOP_NOW:
		case SCHED_HOLD:
		case SCHED_RELEASE:
		case SCHED_OPEN:
		case SCHED_CLOSE:
		case SCHED_ACCOUNT_SHUT:
		case SCHED_ACCOUNT_PROBE:
		case SCHED_ACCOUNT_OPEN:
			break;
		}
	}
	if (from == to)
		return true;
	if (from == TASK_WAITING)
		return to == TASK_READY || to == TASK_RUNNING || to == TASK_SKIPPED;
	if (from == TASK_LIMITED)
		return (to == TASK_READY || to == TASK_RUNNING) &&
		       (st->ev.kind == SCHED_ACCOUNT_PROBE || st->ev.kind == SCHED_ACCOUNT_OPEN);
	if (from == TASK_BACKOFF)
		return to == TASK_READY && no_more;
	/* Nothing keeps off what is claimed before the start. */
	if (st->ev.kind == SCHED_START && from == TASK_READY && to == TASK_WAITING)
		return rules_held_up(st, t);
	return from == TASK_READY && to == TASK_RUNNING;
}

/* How far a task has come, when there is an end to wait for and when not. */
static size_t task_far(const struct model_plan *p, enum task_state s, uint32_t retries,
                       bool no_more)
{
	if (no_more)
		return s == TASK_RUNNING ? 0 : s == TASK_CHECKED ? 1 : 2;
	if (task_state_ended(s))
		return 4 * (p->retries + 2);
	if (s == TASK_RUNNING || s == TASK_CHECKED)
		return 4 * retries + (s == TASK_RUNNING ? 2 : 3);
	return 4 * retries + (s == TASK_BACKOFF || s == TASK_LIMITED ? 0 : 1);
}

/* A number that every event about tasks and each stop must raise: so each way comes to an end. */
static size_t far(const struct model_plan *p, const struct model_shot *s,
                  const struct model_book *b)
{
	/* Each stop and the halt are for ever, so what they begin counts more than all before. */
	size_t sum = (size_t)b->started + 1000 * ((size_t)b->stop + (size_t)b->halted);

	for (uint32_t t = 0; t < p->n; t++)
		sum += task_far(p, s->state[t], s->retries[t], s->stopping || s->halted) +
		       4 * ((size_t)b->repairs[t] + b->limits[t]);
	return sum;
}

const char *model_check_step(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	const char *broken = NULL;

	for (uint32_t t = 0; t < p->n; t++) {
		bool failed = st->ev.kind == SCHED_FAILED && st->ev.task == t;
		bool retry = failed && !model_final_failure(st);
		if (!way_allowed(st, t))
			return "a task goes from one state to another it may not go to";
		if (st->after.retries[t] != st->before.retries[t] + retry)
			return "retries used are counted wrongly";
	}
	broken = rules_actions(st);
	if (!broken)
		broken = rules_assignments(st);
	if (!broken && st->ev.kind < SCHED_HOLD &&
	    far(p, &st->after, &st->is) <= far(p, &st->before, &st->was))
		broken = "an event leads no further";
	return broken;
}
