/* rules_state: what must hold of a state, however it was come to. */
#include "rules.h"

#include <string.h>

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
				if (rules_has(set, i) && (rules_has(p->needs[t] | p->after[t], i) ||
				                    (rules_has(p->claimed, i) && (p->files[i] & p->files[t]))))
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
	bool all_good = !rules_held_up(st, t), some_bad = false;

	if (rules_has(p->already | p->routed | p->claimed, t))
		return NULL;
	for (uint32_t i = 0; i < p->n; i++) {
		all_good &= !rules_has(p->needs[t], i) || rules_good(state[i]);
		some_bad |= rules_has(st->above[t], i) && rules_ended_badly(state[i]);
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
	if (rules_holds_files(a->state[t]) && rules_taken(p, a->state, t))
		return "two tasks that declare a common file are under way at once";
	if (rules_holds_files(a->state[t]) && rules_lane_taken(p, a->state, t))
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
	bool pends = false, no_more = a->stopping || a->halted, parked = a->count[TASK_LIMITED] > 0;
	uint8_t hopeless = stuck(st);

	for (uint32_t t = 0; t < p->n; t++) {
		pends |= (a->state[t] == TASK_READY || a->state[t] == TASK_LIMITED || a->state[t] == TASK_WAITING) &&
		         !rules_has(hopeless, t);
		parked |= a->state[t] == TASK_READY && rules_shut(p, st->is.gate, t);
	}

	if (a->ended && st->is.started && under_way > 0)
		return "the end while something is under way";
	if (a->ended && !st->is.started && a->count[TASK_RUNNING] + a->count[TASK_BACKOFF] > 0)
		return "the end while something runs that was never started";
	if (a->ended && pends && !no_more)
		return "the end though tasks are pending";
	if (!a->ended && no_more && !st->is.started)
		return "a stop before the start is not the end";
	if (!a->ended && st->is.started && under_way == 0 && (no_more || !parked) &&
	    (no_more || !st->is.held || a->count[TASK_READY] == 0) && (no_more || !st->is.claimed))
		return "no event can come any more, and it is not the end";
	if (!a->ended && st->is.giving && a->count[TASK_RUNNING] < rules_open_slots(p, &st->is))
		return "a slot is free and asked for, but is not given";
	if (!st->is.started || a->ended || no_more || st->is.held)
		return NULL;
	if (rules_next_to_start(p, a->state, rules_room_in(st, false)) != SCHED_NONE)
		return "a task may start and a slot is free, but it does not";
	if (rules_next_to_start(p, a->state, rules_room_in(st, true)) != SCHED_NONE && !st->is.claimed)
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
		if ((rules_has(p->already, t) && a->state[t] != TASK_ALREADY) || (rules_has(p->routed, t) && a->state[t] != TASK_ROUTED) ||
		    (rules_has(p->claimed, t) && a->state[t] != TASK_CLAIMED))
			broken = "a task that had ended before the start goes on";
		if (!broken)
			broken = check_beside(st, t);
		if (!broken && a->state[t] == TASK_LIMITED && !rules_shut(p, st->is.gate, t))
			broken = "a task waits for an account that is open";
		if (!broken && (st->is.attempts[t] > p->retries + 1 + st->is.repairs[t] + st->is.limits[t] || a->retries[t] > p->retries))
			broken = "a task has more attempts than it is allowed";
	}
	if (broken)
		return broken;
	if (memcmp(count, a->count, sizeof count) != 0)
		return "the counts are wrong";
	if (count[TASK_RUNNING] > rules_open_slots(p, &st->is))
		return "more tasks run than there are slots";
	if (p->sequential && count[TASK_RUNNING] + count[TASK_CHECKED] + count[TASK_BACKOFF] + count[TASK_LIMITED] > 1)
		return "more than one at a time";
	if ((a->stopping || a->halted) && count[TASK_BACKOFF] > 0)
		return "a retry is waited for that will never start";
	if (a->stopping != (st->is.stop > 0) || a->halted != st->is.halted ||
	    a->ended != st->is.ended)
		return "stopping, halted or ended is not as the events say";
	return check_progress(st);
}
