/* rules_actions: which actions a step must give, and in which order. */
#include "rules.h"

/* The one action a task must give in this step, SCHED_END for none. */
static enum sched_action_kind due(const struct model_step *st, uint32_t t)
{
	enum task_state from = st->before.state[t], to = st->after.state[t];

	bool limited = st->ev.kind == SCHED_LIMITED && st->ev.task == t; /* a fallback may have it at once */
	if (to == TASK_RUNNING && (from != TASK_RUNNING || limited))
		return SCHED_ASSIGN;
	if (to == TASK_CHECKED && (from != TASK_CHECKED || st->ev.kind == SCHED_START))
		return SCHED_INTEGRATE;
	if (to == TASK_SKIPPED && from != TASK_SKIPPED)
		return SCHED_SKIP;
	if (to == TASK_BACKOFF && from != TASK_BACKOFF)
		return SCHED_BACKOFF;
	if (to == TASK_READY && from == TASK_RUNNING && (!limited || st->after.stopping || st->after.halted))
		return SCHED_DROP;
	if (to == TASK_READY && from == TASK_BACKOFF && st->ev.kind != SCHED_RETRY_DUE)
		return SCHED_DROP;
	if (to == TASK_READY && from == TASK_CHECKED && (st->after.stopping || st->after.halted))
		return SCHED_DROP;
	if (to == TASK_RUNNING && st->ev.kind == SCHED_STOP_NOW)
		return SCHED_CANCEL;
	return SCHED_END;
}

const char *rules_assignments(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	enum task_state state[MODEL_TASKS];
	bool used[MODEL_TASKS] = {false};
	struct model_book book = st->was;

	for (uint32_t i = 0; i < p->slots; i++)
		used[i] = rules_has(st->is.closed, i);
	/* The states before anything was assigned; then one after the other. */
	for (uint32_t t = 0; t < p->n; t++) {
		bool fresh = due(st, t) == SCHED_ASSIGN;
		state[t] = fresh ? TASK_READY : st->after.state[t];
		if (!fresh && st->after.slot[t] < MODEL_TASKS)
			used[st->after.slot[t]] = true;
	}
	model_gates(p, &book, st->ev);
	for (size_t i = 0; i < st->n; i++) {
		uint32_t t = st->actions[i].task, slot = 0;
		if (st->actions[i].kind != SCHED_ASSIGN)
			continue;
		if (st->after.stopping || st->after.halted || st->is.held || !st->is.started)
			return "a task is started though nothing may be";
		struct rules_room room = {.closed = st->is.closed, .gate = book.gate, .book = &book};
		for (uint32_t k = 0; k < p->slots; k++)
			room.free |= (uint8_t)(used[k] ? 0 : 1u << k);
		if (rules_next_to_start(p, state, room) != t)
			return "it is not this task's turn";
		while (slot < MODEL_TASKS - 1 && used[slot])
			slot++;
		if (p->prefer[t] && !rules_has(st->is.closed, p->prefer[t] - 1u))
			slot = p->prefer[t] - 1u;
		else if (book.home[t] && !used[book.home[t] - 1])
			slot = book.home[t] - 1u;
		if (st->actions[i].slot != slot)
			return "it is neither its own slot, nor where it was, nor the lowest free one";
		model_begins(p, &book, t);
		if (st->after.agent[t] != (book.by[t] ? book.by[t] - 1u : SCHED_NONE))
			return "another agent has a task than the first that may";
		used[slot] = true;
		state[t] = TASK_RUNNING;
	}
	return NULL;
}

static bool is_cause(const struct model_step *st, uint32_t t, uint32_t cause)
{
	return cause < st->plan->n && rules_has(st->above[t], cause) &&
	       rules_ended_badly(st->after.state[cause]);
}

static const char *check_slot_action(const struct model_step *st, struct sched_action a)
{
	const struct model_plan *p = st->plan;

	if (a.task != SCHED_NONE || a.cause != SCHED_NONE)
		return "an action about slots names a task";
	if (a.kind == SCHED_CLAIM) {
		if (a.slot != SCHED_NONE || (st->was.claimed && st->ev.kind != SCHED_OPEN))
			return "a slot is asked for twice";
		return rules_next_to_start(p, st->after.state, rules_room_in(st, true)) == SCHED_NONE ? "a slot is asked for nothing"
		                                                                          : NULL;
	}
	if (a.slot >= p->slots || (rules_has(st->was.closed, a.slot) && st->ev.kind != SCHED_OPEN))
		return "a slot is given that was not open";
	for (uint32_t t = 0; t < p->n; t++) {
		if (st->after.slot[t] == a.slot)
			return "a slot is given where something runs";
	}
	return NULL;
}

const char *rules_actions(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	uint32_t given[MODEL_TASKS] = {0};

	for (size_t i = 0; i < st->n; i++) {
		struct sched_action a = st->actions[i];
		if (a.kind == SCHED_END) {
			if (i + 1 != st->n || st->was.ended)
				return "SCHED_END is not the last action, or not the only one";
			continue;
		}
		if (a.kind == SCHED_CLAIM || a.kind == SCHED_GIVE) {
			const char *broken = check_slot_action(st, a);
			if (broken)
				return broken;
			continue;
		}
		if (a.task >= p->n || given[a.task]++ || a.kind != due(st, a.task))
			return "an action nothing gave rise to";
		bool slotted = a.kind == SCHED_ASSIGN || a.kind == SCHED_CANCEL;
		if (a.slot != (slotted ? st->after.slot[a.task] : SCHED_NONE))
			return "an action names the wrong slot";
		bool right = a.kind == SCHED_SKIP ? is_cause(st, a.task, a.cause)
		                                  : a.cause == SCHED_NONE;
		if (!right)
			return "an action names the wrong cause";
	}
	for (uint32_t t = 0; t < p->n; t++) {
		if (!given[t] && due(st, t) != SCHED_END)
			return "an action is missing";
	}
	return NULL;
}
