/* rules_turn: whose turn it is to start. */
#include "rules.h"

bool rules_good(enum task_state s)
{
	return s == TASK_INTEGRATED || s == TASK_LANDED || s == TASK_ALREADY;
}

bool rules_ended_badly(enum task_state s)
{
	return s == TASK_CONFLICT || s == TASK_BLOCKED || s == TASK_FAILED || s == TASK_TIMEOUT ||
	       s == TASK_CANCELLED || s == TASK_ROUTED || s == TASK_REVERTED;
}

/* Nothing more becomes of it. */
bool rules_over(enum task_state s)
{
	return rules_good(s) || s == TASK_SKIPPED || rules_ended_badly(s);
}

bool rules_holds_files(enum task_state s)
{
	return s == TASK_RUNNING || s == TASK_CHECKED;
}

bool rules_has(uint8_t mask, uint32_t i)
{
	return mask >> i & 1;
}

uint32_t rules_open_slots(const struct model_plan *p, const struct model_book *b)
{
	return p->slots - (uint32_t)__builtin_popcount(b->closed);
}

bool rules_taken(const struct model_plan *p, const enum task_state *state, uint32_t task)
{
	for (uint32_t t = 0; t < p->n; t++) {
		if (t != task && rules_holds_files(state[t]) && (p->files[t] & p->files[task]))
			return true;
	}
	return false;
}

struct rules_room rules_room_in(const struct model_step *st, bool more)
{
	struct rules_room r = {(uint8_t)((1u << st->plan->slots) - 1), st->is.closed, st->is.gate, more, &st->is};

	for (uint32_t t = 0; t < st->plan->n; t++)
		r.free &= (uint8_t)~(st->after.slot[t] < MODEL_TASKS ? 1u << st->after.slot[t] : 0);
	r.free &= (uint8_t)~r.closed;
	return r;
}

/* Is a task of the same slot not merged yet? */
bool rules_lane_taken(const struct model_plan *p, const enum task_state *state, uint32_t task)
{
	for (uint32_t t = 0; t < p->n; t++) {
		if (t != task && p->prefer[task] && p->prefer[t] == p->prefer[task] && rules_holds_files(state[t]))
			return true;
	}
	return false;
}

bool rules_shut(const struct model_plan *p, const uint8_t *gate, uint32_t task)
{
	return p->agent[task] && !model_who_may(p, gate, task);
}

/* Where it must go; 0 = anywhere, or to its lane. */
static uint8_t bound_to(const struct model_plan *p, struct rules_room r, uint32_t t)
{
	uint8_t home = r.book->home[t], last = r.book->last[t];

	if (!home || !last || !rules_has(p->stays, last - 1u) || p->prefer[t] || p->exclusive[t] || p->sequential)
		return 0;
	return rules_has(r.closed, home - 1u) || model_who_may(p, r.gate, t) != last ? 0 : (uint8_t)(1u << (home - 1));
}

/* The one that goes first as its conversation is in a slot that is free, unless that is an exclusive one's turn. */
static uint32_t next_home(const struct model_plan *p, const enum task_state *state, struct rules_room r, const uint32_t *order, bool may)
{
	uint32_t loner = SCHED_NONE;

	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t t = order[i];
		if (state[t] != TASK_READY || rules_shut(p, r.gate, t))
			continue;
		if (p->exclusive[t] && !p->sequential && loner == SCHED_NONE)
			loner = t;
		if (!(bound_to(p, r, t) & r.free) || rules_taken(p, state, t))
			continue;
		return loner != SCHED_NONE && (may || p->priority[t] < p->priority[loner]) ? SCHED_NONE : t;
	}
	return SCHED_NONE;
}

static bool has_room(const struct model_plan *p, const enum task_state *state, struct rules_room r, uint32_t task)
{
	uint8_t own = (uint8_t)(p->prefer[task] ? 1u << (p->prefer[task] - 1) : bound_to(p, r, task));

	if (rules_lane_taken(p, state, task))
		return false;
	if (own & ~r.closed)
		return own & r.free;
	return r.free || (r.more && r.closed);
}

/* The READY task that must be the next, in these states and with these slots; or SCHED_NONE. */
uint32_t rules_next_to_start(const struct model_plan *p, const enum task_state *state, struct rules_room room)
{
	uint32_t order[MODEL_TASKS], running = 0, open = 0;
	bool alone = false, loner_waits = false;
	int64_t loner = 0;

	for (uint32_t t = 0; t < p->n; t++) {
		uint32_t i = t;
		for (; i > 0 && !p->sequential && p->priority[order[i - 1]] < p->priority[t]; i--)
			order[i] = order[i - 1];
		order[i] = t;
		running += state[t] == TASK_RUNNING;
		open += rules_holds_files(state[t]) || state[t] == TASK_BACKOFF || state[t] == TASK_LIMITED;
		alone |= state[t] == TASK_RUNNING && p->exclusive[t];
	}
	if (alone || (p->sequential && open > 0))
		return SCHED_NONE;
	bool may = false; /* the first exclusive one could begin */
	for (uint32_t i = 0, found = 0; i < p->n && !found; i++) {
		found = state[order[i]] == TASK_READY && !rules_shut(p, room.gate, order[i]) && p->exclusive[order[i]];
		may = found && !running && !rules_taken(p, state, order[i]) && has_room(p, state, room, order[i]);
	}
	uint32_t home = next_home(p, state, room, order, may);
	if (home != SCHED_NONE)
		return home;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t t = order[i];
		if (state[t] != TASK_READY || rules_shut(p, room.gate, t))
			continue;
		bool free_files = !rules_taken(p, state, t), slot = has_room(p, state, room, t);
		if (p->exclusive[t] && !p->sequential) {
			if (loner_waits)
				continue;
			if (running == 0 && free_files && slot)
				return t;
			loner_waits = true;
			loner = p->priority[t];
		} else if (!slot) {
			continue;
		} else if (loner_waits && p->priority[t] < loner) {
			return SCHED_NONE;
		} else if (free_files) {
			return t;
		}
	}
	return SCHED_NONE;
}

/* Is there a task that this one only has to come after, and must not run beside? */
bool rules_held_up(const struct model_step *st, uint32_t t)
{
	const struct model_plan *p = st->plan;

	for (uint32_t i = 0; i < p->n; i++) {
		if (rules_has(p->after[t], i) && !rules_over(st->after.state[i]))
			return true;
		if (st->is.started && i != t && rules_has(p->claimed, i) && (p->files[i] & p->files[t]))
			return true;
	}
	return false;
}
