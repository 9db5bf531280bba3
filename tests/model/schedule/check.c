/* check: the rules a schedule must keep, said as simply as they can be, however slow. It must not
 * use anything but schedule.h, nor reason as the schedule does. */
#include "model.h"

#include <string.h>

static bool good(enum task_state s)
{
	return s == TASK_INTEGRATED || s == TASK_LANDED || s == TASK_ALREADY;
}

static bool ended_badly_itself(enum task_state s)
{
	return s == TASK_CONFLICT || s == TASK_BLOCKED || s == TASK_FAILED || s == TASK_TIMEOUT ||
	       s == TASK_CANCELLED || s == TASK_ROUTED || s == TASK_CLAIMED;
}

/* Nothing more becomes of it. */
static bool is_over(enum task_state s)
{
	return good(s) || s == TASK_SKIPPED || (ended_badly_itself(s) && s != TASK_CLAIMED);
}

static bool holds_files(enum task_state s)
{
	return s == TASK_RUNNING || s == TASK_CHECKED;
}

static bool has(uint8_t mask, uint32_t i)
{
	return mask >> i & 1;
}

static uint32_t open_slots(const struct model_plan *p, const struct model_book *b)
{
	return p->slots - (uint32_t)__builtin_popcount(b->closed);
}

/* ---- who may start ---- */

static bool taken(const struct model_plan *p, const enum task_state *state, uint32_t task)
{
	for (uint32_t t = 0; t < p->n; t++) {
		if (t != task && holds_files(state[t]) && (p->files[t] & p->files[task]))
			return true;
	}
	return false;
}

/* Slots, as bits. */
struct room {
	uint8_t free, closed;
	bool more; /* a closed one may be opened for it */
};

static struct room room_in(const struct model_step *st, bool more)
{
	struct room r = {(uint8_t)((1u << st->plan->slots) - 1), st->is.closed, more};

	for (uint32_t t = 0; t < st->plan->n; t++)
		r.free &= (uint8_t)~(st->after.slot[t] < MODEL_TASKS ? 1u << st->after.slot[t] : 0);
	r.free &= (uint8_t)~r.closed;
	return r;
}

/* Is a task of the same slot not merged yet? */
static bool lane_taken(const struct model_plan *p, const enum task_state *state, uint32_t task)
{
	for (uint32_t t = 0; t < p->n; t++) {
		if (t != task && p->prefer[task] && p->prefer[t] == p->prefer[task] && holds_files(state[t]))
			return true;
	}
	return false;
}

static bool has_room(const struct model_plan *p, const enum task_state *state, struct room r, uint32_t task)
{
	uint8_t own = (uint8_t)(p->prefer[task] ? 1u << (p->prefer[task] - 1) : 0);

	if (lane_taken(p, state, task))
		return false;
	if (own & ~r.closed)
		return own & r.free;
	return r.free || (r.more && r.closed);
}

/* The READY task that must be the next, in these states and with these slots; or SCHED_NONE. */
static uint32_t next_to_start(const struct model_plan *p, const enum task_state *state, struct room room)
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
		open += holds_files(state[t]) || state[t] == TASK_BACKOFF;
		alone |= state[t] == TASK_RUNNING && p->exclusive[t];
	}
	if (alone || (p->sequential && open > 0))
		return SCHED_NONE;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t t = order[i];
		if (state[t] != TASK_READY)
			continue;
		bool free_files = !taken(p, state, t), slot = has_room(p, state, room, t);
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

/* ---- rules about a state ---- */

/* Is there a task that this one only has to come after, and must not run beside? */
static bool held_up(const struct model_step *st, uint32_t t)
{
	const struct model_plan *p = st->plan;

	for (uint32_t i = 0; i < p->n; i++) {
		if (has(p->after[t], i) && !is_over(st->after.state[i]))
			return true;
		if (st->is.started && i != t && has(p->claimed, i) && (p->files[i] & p->files[t]))
			return true;
	}
	return false;
}

/* Those that wait for what is claimed, themselves or by others: no event will make them ready. */
static uint8_t stuck(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	uint8_t set = p->claimed, before = 0;

	while (set != before) {
		before = set;
		for (uint32_t t = 0; t < p->n; t++) {
			bool waits = st->after.state[t] == TASK_WAITING;
			for (uint32_t i = 0; waits && i < p->n; i++) {
				if (has(set, i) && (has(p->needs[t] | p->after[t], i) ||
				                    (has(p->claimed, i) && (p->files[i] & p->files[t]))))
					set |= (uint8_t)(1u << t);
			}
		}
	}
	return set;
}

static const char *check_dependencies(const struct model_step *st, uint32_t t)
{
	const struct model_plan *p = st->plan;
	const enum task_state *state = st->after.state;
	bool all_good = !held_up(st, t), some_bad = false;

	if (has(p->already | p->routed | p->claimed, t))
		return NULL;
	for (uint32_t i = 0; i < p->n; i++) {
		all_good &= !has(p->needs[t], i) || good(state[i]);
		some_bad |= has(st->above[t], i) && ended_badly_itself(state[i]);
	}
	if (state[t] == TASK_WAITING && all_good)
		return "a task waits for nothing";
	if (state[t] != TASK_WAITING && state[t] != TASK_SKIPPED && !all_good)
		return "a task is past waiting before all that it waits for is there";
	if (state[t] == TASK_SKIPPED && !some_bad)
		return "a task is skipped though nothing it needs ended badly";
	if (state[t] != TASK_SKIPPED && some_bad && st->is.started)
		return "a task is not skipped though something it needs ended badly";
	return NULL;
}

static const char *check_beside(const struct model_step *st, uint32_t t)
{
	const struct model_plan *p = st->plan;
	const struct model_shot *a = &st->after;

	if ((a->state[t] == TASK_RUNNING) != (a->slot[t] != SCHED_NONE))
		return "a task has a slot but does not run, or the other way round";
	if (a->slot[t] != SCHED_NONE && a->slot[t] >= p->slots)
		return "there is no such slot";
	if (holds_files(a->state[t]) && taken(p, a->state, t))
		return "two tasks that declare a common file are under way at once";
	if (holds_files(a->state[t]) && lane_taken(p, a->state, t))
		return "a task begins before the former of its slot is merged";
	for (uint32_t o = 0; o < p->n; o++) {
		if (o == t || a->state[o] != TASK_RUNNING || a->state[t] != TASK_RUNNING)
			continue;
		if (p->exclusive[t])
			return "an exclusive task does not run alone";
		if (a->slot[o] == a->slot[t])
			return "two tasks run in one slot";
	}
	return NULL;
}

static const char *check_progress(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	const struct model_shot *a = &st->after;
	size_t under_way = a->count[TASK_RUNNING] + a->count[TASK_CHECKED] + a->count[TASK_BACKOFF];
	bool pends = false, no_more = a->stopping || a->halted;
	uint8_t hopeless = stuck(st);

	for (uint32_t t = 0; t < p->n; t++)
		pends |= (a->state[t] == TASK_READY || a->state[t] == TASK_WAITING) && !has(hopeless, t);

	if (a->ended && st->is.started && under_way > 0)
		return "the end while something is under way";
	if (a->ended && !st->is.started && a->count[TASK_RUNNING] + a->count[TASK_BACKOFF] > 0)
		return "the end while something runs that was never started";
	if (a->ended && pends && !no_more)
		return "the end though tasks are pending";
	if (!a->ended && no_more && !st->is.started)
		return "a stop before the start is not the end";
	if (!a->ended && st->is.started && under_way == 0 &&
	    (no_more || !st->is.held || a->count[TASK_READY] == 0) && (no_more || !st->is.claimed))
		return "no event can come any more, and it is not the end";
	if (!a->ended && st->is.giving && a->count[TASK_RUNNING] < open_slots(p, &st->is))
		return "a slot is free and asked for, but is not given";
	if (!st->is.started || a->ended || no_more || st->is.held)
		return NULL;
	if (next_to_start(p, a->state, room_in(st, false)) != SCHED_NONE)
		return "a task may start and a slot is free, but it does not";
	if (next_to_start(p, a->state, room_in(st, true)) != SCHED_NONE && !st->is.claimed)
		return "a task may start, but no slot is asked for";
	return NULL;
}

const char *model_check_state(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	const struct model_shot *a = &st->after;
	size_t count[TASK_STATE_COUNT] = {0};
	const char *broken = NULL;

	for (uint32_t t = 0; t < p->n && !broken; t++) {
		count[a->state[t]]++;
		broken = check_dependencies(st, t);
		if ((has(p->already, t) && a->state[t] != TASK_ALREADY) || (has(p->routed, t) && a->state[t] != TASK_ROUTED) ||
		    (has(p->claimed, t) && a->state[t] != TASK_CLAIMED))
			broken = "a task that had ended before the start goes on";
		if (!broken)
			broken = check_beside(st, t);
		if (!broken && (st->is.attempts[t] > p->retries + 1 + st->is.repairs[t] || a->retries[t] > p->retries))
			broken = "a task has more attempts than it is allowed";
	}
	if (broken)
		return broken;
	if (memcmp(count, a->count, sizeof count) != 0)
		return "the counts are wrong";
	if (count[TASK_RUNNING] > open_slots(p, &st->is))
		return "more tasks run than there are slots";
	if (p->sequential && count[TASK_RUNNING] + count[TASK_CHECKED] + count[TASK_BACKOFF] > 1)
		return "more than one at a time";
	if ((a->stopping || a->halted) && count[TASK_BACKOFF] > 0)
		return "a retry is waited for that will never start";
	if (a->stopping != (st->is.stop > 0) || a->halted != st->is.halted ||
	    a->ended != st->is.ended)
		return "stopping, halted or ended is not as the events say";
	return check_progress(st);
}

/* ---- rules about a step ---- */

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
		case SCHED_RETRY_DUE:
			return to == TASK_READY || to == TASK_RUNNING;
		case SCHED_START:
		case SCHED_STOP:
		case SCHED_STOP_NOW:
		case SCHED_HOLD:
		case SCHED_RELEASE:
		case SCHED_OPEN:
		case SCHED_CLOSE:
			break;
		}
	}
	if (from == to)
		return true;
	if (from == TASK_WAITING)
		return to == TASK_READY || to == TASK_RUNNING || to == TASK_SKIPPED;
	if (from == TASK_BACKOFF)
		return to == TASK_READY && no_more;
	/* Nothing keeps off what is claimed before the start. */
	if (st->ev.kind == SCHED_START && from == TASK_READY && to == TASK_WAITING)
		return held_up(st, t);
	return from == TASK_READY && to == TASK_RUNNING;
}

/* The one action a task must give in this step, SCHED_END for none. */
static enum sched_action_kind due(const struct model_step *st, uint32_t t)
{
	enum task_state from = st->before.state[t], to = st->after.state[t];

	if (to == TASK_RUNNING && from != TASK_RUNNING)
		return SCHED_ASSIGN;
	if (to == TASK_CHECKED && (from != TASK_CHECKED || st->ev.kind == SCHED_START))
		return SCHED_INTEGRATE;
	if (to == TASK_SKIPPED && from != TASK_SKIPPED)
		return SCHED_SKIP;
	if (to == TASK_BACKOFF && from != TASK_BACKOFF)
		return SCHED_BACKOFF;
	if (to == TASK_READY && from == TASK_RUNNING)
		return SCHED_DROP;
	if (to == TASK_READY && from == TASK_BACKOFF && st->ev.kind != SCHED_RETRY_DUE)
		return SCHED_DROP;
	if (to == TASK_READY && from == TASK_CHECKED && (st->after.stopping || st->after.halted))
		return SCHED_DROP;
	if (to == TASK_RUNNING && st->ev.kind == SCHED_STOP_NOW)
		return SCHED_CANCEL;
	return SCHED_END;
}

static const char *check_assignments(const struct model_step *st)
{
	const struct model_plan *p = st->plan;
	enum task_state state[MODEL_TASKS];
	bool used[MODEL_TASKS] = {false};

	for (uint32_t i = 0; i < p->slots; i++)
		used[i] = has(st->is.closed, i);
	/* The states before anything was assigned; then one after the other. */
	for (uint32_t t = 0; t < p->n; t++) {
		bool fresh = due(st, t) == SCHED_ASSIGN;
		state[t] = fresh ? TASK_READY : st->after.state[t];
		if (!fresh && st->after.slot[t] < MODEL_TASKS)
			used[st->after.slot[t]] = true;
	}
	for (size_t i = 0; i < st->n; i++) {
		uint32_t t = st->actions[i].task, slot = 0;
		if (st->actions[i].kind != SCHED_ASSIGN)
			continue;
		if (st->after.stopping || st->after.halted || st->is.held || !st->is.started)
			return "a task is started though nothing may be";
		struct room room = {.closed = st->is.closed};
		for (uint32_t k = 0; k < p->slots; k++)
			room.free |= (uint8_t)(used[k] ? 0 : 1u << k);
		if (next_to_start(p, state, room) != t)
			return "it is not this task's turn";
		while (slot < MODEL_TASKS - 1 && used[slot])
			slot++;
		if (p->prefer[t] && !has(st->is.closed, p->prefer[t] - 1u))
			slot = p->prefer[t] - 1u;
		if (st->actions[i].slot != slot)
			return "it is neither its own slot nor the lowest free one";
		used[slot] = true;
		state[t] = TASK_RUNNING;
	}
	return NULL;
}

static bool is_cause(const struct model_step *st, uint32_t t, uint32_t cause)
{
	return cause < st->plan->n && has(st->above[t], cause) &&
	       ended_badly_itself(st->after.state[cause]);
}

static const char *check_slot_action(const struct model_step *st, struct sched_action a)
{
	const struct model_plan *p = st->plan;

	if (a.task != SCHED_NONE || a.cause != SCHED_NONE)
		return "an action about slots names a task";
	if (a.kind == SCHED_CLAIM) {
		if (a.slot != SCHED_NONE || (st->was.claimed && st->ev.kind != SCHED_OPEN))
			return "a slot is asked for twice";
		return next_to_start(p, st->after.state, room_in(st, true)) == SCHED_NONE ? "a slot is asked for nothing"
		                                                                          : NULL;
	}
	if (a.slot >= p->slots || (has(st->was.closed, a.slot) && st->ev.kind != SCHED_OPEN))
		return "a slot is given that was not open";
	for (uint32_t t = 0; t < p->n; t++) {
		if (st->after.slot[t] == a.slot)
			return "a slot is given where something runs";
	}
	return NULL;
}

static const char *check_actions(const struct model_step *st)
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
	return 4 * retries + (s == TASK_BACKOFF ? 0 : 1);
}

/* A number that every event about tasks and each stop must raise: so each way comes to an end. */
static size_t far(const struct model_plan *p, const struct model_shot *s,
                  const struct model_book *b)
{
	/* Each stop and the halt are for ever, so what they begin counts more than all before. */
	size_t sum = (size_t)b->started + 1000 * ((size_t)b->stop + (size_t)b->halted);

	for (uint32_t t = 0; t < p->n; t++)
		sum += task_far(p, s->state[t], s->retries[t], s->stopping || s->halted) +
		       4 * (size_t)b->repairs[t];
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
	broken = check_actions(st);
	if (!broken)
		broken = check_assignments(st);
	if (!broken && st->ev.kind < SCHED_HOLD &&
	    far(p, &st->after, &st->is) <= far(p, &st->before, &st->was))
		broken = "an event leads no further";
	return broken;
}
