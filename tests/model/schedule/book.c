/* book: what the schedule shows, and what its events and actions come to, kept beside it. As rules_*.c it
 * must not use anything but schedule.h. */
#include "model.h"

#include <string.h>

void model_above(const struct model_plan *p, uint8_t above[MODEL_TASKS])
{
	memcpy(above, p->needs, MODEL_TASKS);
	for (uint32_t k = 0; k < p->n; k++) {
		for (uint32_t t = 0; t < p->n; t++) {
			for (uint32_t i = 0; i < p->n; i++)
				above[t] |= (above[t] & ~p->claimed) >> i & 1 ? above[i] : 0;
		}
	}
}

void model_look(const struct model_plan *p, const struct schedule *s, struct model_shot *out)
{
	memset(out, 0, sizeof *out);
	for (uint32_t t = 0; t < p->n; t++) {
		out->state[t] = schedule_state(s, t);
		out->retries[t] = schedule_retries(s, t);
		out->slot[t] = schedule_slot(s, t);
		out->agent[t] = schedule_agent(s, t);
	}
	for (uint32_t i = 0; i < TASK_STATE_COUNT; i++)
		out->count[i] = schedule_count(s, (enum task_state)i);
	out->stopping = schedule_stopping(s);
	out->halted = schedule_halted(s);
	out->ended = schedule_ended(s);
}

bool model_final_failure(const struct model_step *st)
{
	if (st->ev.kind == SCHED_FAILED)
		return st->before.retries[st->ev.task] == st->plan->retries;
	return st->ev.kind == SCHED_FINAL || st->ev.kind == SCHED_TIMEOUT || st->ev.kind == SCHED_BLOCKED || st->ev.kind == SCHED_RED;
}

void model_begin(const struct model_plan *p, struct model_book *out)
{
	memset(out, 0, sizeof *out);
	out->closed = p->closed ? (uint8_t)((1u << p->slots) - 1) : 0;
}

uint8_t model_who_may(const struct model_plan *p, const uint8_t *gate, uint32_t task)
{
	uint8_t agent = p->agent[task];

	for (uint32_t i = 0; agent && i < p->agents; i++) {
		if (gate[p->account[agent - 1]] != MODEL_SHUT)
			return agent;
		agent = p->fallback[agent - 1];
	}
	return 0;
}

void model_gates(const struct model_plan *p, struct model_book *b, struct sched_event ev)
{
	if (ev.kind == SCHED_ACCOUNT_SHUT || ev.kind == SCHED_ACCOUNT_PROBE || ev.kind == SCHED_ACCOUNT_OPEN)
		b->gate[ev.task] = ev.kind == SCHED_ACCOUNT_SHUT ? MODEL_SHUT : ev.kind == SCHED_ACCOUNT_PROBE ? MODEL_PROBE : MODEL_OPEN;
	else if (ev.kind == SCHED_LIMITED && p->agent[ev.task])
		b->gate[p->account[b->by[ev.task] - 1]] = MODEL_SHUT;
}

void model_begins(const struct model_plan *p, struct model_book *b, uint32_t task)
{
	b->by[task] = model_who_may(p, b->gate, task);
	if (b->by[task] && b->gate[p->account[b->by[task] - 1]] == MODEL_PROBE)
		b->gate[p->account[b->by[task] - 1]] = MODEL_SHUT;
}

void model_write(struct model_step *st)
{
	struct model_book *b = &st->is;

	*b = st->was;
	model_gates(st->plan, b, st->ev);
	if (st->ev.kind == SCHED_START)
		b->started = true;
	else if (st->ev.kind == SCHED_HOLD || st->ev.kind == SCHED_RELEASE)
		b->held = st->ev.kind == SCHED_HOLD;
	else if (st->ev.kind == SCHED_STOP || st->ev.kind == SCHED_STOP_NOW)
		b->stop = st->ev.kind == SCHED_STOP ? 1 : 2;
	else if (st->ev.kind == SCHED_OPEN) {
		b->claimed = false;
		b->closed &= (uint8_t)(b->closed - 1); /* the lowest */
	} else if (st->ev.kind == SCHED_CLOSE)
		b->giving++;
	else if (st->ev.kind == SCHED_INTEGRATED)
		b->row = 0;
	else if (st->ev.kind == SCHED_REPAIR)
		b->repairs[st->ev.task]++;
	else if (st->ev.kind == SCHED_LIMITED || st->ev.kind == SCHED_TRANSIENT)
		b->limits[st->ev.task]++;
	else if (model_final_failure(st) && st->plan->halt > 0 && ++b->row >= st->plan->halt)
		b->halted = true;
	for (size_t i = 0; i < st->n; i++) {
		uint32_t t = st->actions[i].task;
		if (st->actions[i].kind == SCHED_ASSIGN && t < st->plan->n) {
			b->attempts[t]++;
			b->home[t] = st->plan->agent[t] ? (uint8_t)(st->actions[i].slot + 1) : 0;
			model_begins(st->plan, b, t);
			b->last[t] = b->by[t];
		} else if (st->actions[i].kind == SCHED_CLAIM)
			b->claimed = true;
		else if (st->actions[i].kind == SCHED_GIVE && st->actions[i].slot < st->plan->slots) {
			b->closed |= (uint8_t)(1u << st->actions[i].slot);
			b->giving--;
		} else if (st->actions[i].kind == SCHED_END)
			b->ended = true;
	}
	for (uint32_t t = 0; t < st->plan->n; t++) {
		if (task_state_ended(st->after.state[t]))
			b->home[t] = b->last[t] = 0;
		if (st->after.state[t] != TASK_RUNNING)
			b->by[t] = 0;
	}
}
