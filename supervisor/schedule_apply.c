/* schedule_apply: what each event does. The only place where states change after SCHED_START.
 *
 * It must not allocate, and decides nothing about order: that is schedule_pick.c. */
#include "schedule_in.h"

#include <assert.h>

#include "heap.h"

static bool starts_nothing(const struct schedule *s)
{
	return s->stop != STOP_NO || s->halted;
}

/* ---- a task's way ---- */

/* Where the task starts: in the slot that it prefers while that is open, which then is free; or where it was, if
 * that is free. */
static uint32_t take_slot(struct schedule *s, uint32_t task)
{
	uint32_t wanted = s->prefer[task];

	if (wanted == SCHED_NONE || s->closed[wanted])
		wanted = s->home[task];
	if (wanted == SCHED_NONE || s->closed[wanted] || s->in_slot[wanted] != SCHED_NONE)
		return heap_pop(s->free_slots, &s->n_free);
	heap_remove(s->free_slots, &s->n_free, wanted);
	return wanted;
}

static void start(struct schedule *s, uint32_t task)
{
	uint32_t slot = take_slot(s, task);

	schedule_in_set(s, task, TASK_RUNNING);
	s->slot[task] = slot;
	s->in_slot[slot] = task;
	s->alone = s->exclusive[task];
	schedule_account_begin(s, task);
	schedule_pick_hold(s, task);
	schedule_in_act(s, (struct sched_action){SCHED_ASSIGN, task, slot, SCHED_NONE});
}

static void leave_slot(struct schedule *s, uint32_t task)
{
	s->in_slot[s->slot[task]] = SCHED_NONE;
	s->alone = false; /* if it was, then with this one */
	s->used -= s->agent[task] != SCHED_NONE ? s->weight[s->by[task]] : 0;
	heap_push(s->free_slots, &s->n_free, s->slot[task]);
	if (s->agent[task] != SCHED_NONE)
		s->home[task] = s->slot[task];
	s->slot[task] = SCHED_NONE;
}

/* Pending again, for the resume. */
static void drop(struct schedule *s, uint32_t task)
{
	schedule_needs_ready(s, task);
	schedule_in_act_on(s, SCHED_DROP, task);
}

/* Once in a session: nothing starts any more, so no timer need be waited for. */
static void drop_backoffs(struct schedule *s)
{
	for (uint32_t t = 0; s->count[TASK_BACKOFF] && t < s->n; t++) {
		if (s->state[t] == TASK_BACKOFF)
			drop(s, t);
	}
}

static void integrated(struct schedule *s, uint32_t task)
{
	schedule_needs_good(s, task);
	s->failures = 0;
}

static void end_badly(struct schedule *s, uint32_t task, enum task_state state)
{
	if (s->stands[task]) {
		schedule_needs_good(s, task);
	} else {
		schedule_in_set(s, task, state);
		schedule_needs_bad(s, task);
		schedule_needs_over(s, task);
	}
	if (state == TASK_CONFLICT || s->halt_after == 0 || s->halted)
		return;
	if (++s->failures >= s->halt_after) {
		s->halted = true;
		drop_backoffs(s);
	}
}

static void back_off(struct schedule *s, uint32_t task)
{
	if (starts_nothing(s)) {
		drop(s, task);
		return;
	}
	schedule_in_set(s, task, TASK_BACKOFF);
	schedule_in_act_on(s, SCHED_BACKOFF, task);
}

static void fail(struct schedule *s, uint32_t task)
{
	if (s->retries[task] >= s->max_retries) {
		end_badly(s, task, TASK_FAILED);
		return;
	}
	s->retries[task]++;
	back_off(s, task);
}

static void limited(struct schedule *s, uint32_t task)
{
	if (s->agent[task] == SCHED_NONE) {
		back_off(s, task);
		return;
	}
	schedule_account_set(s, s->account[s->by[task]], GATE_SHUT);
	schedule_in_set(s, task, TASK_LIMITED);
	if (schedule_account_stall(s, task))
		return;
	if (starts_nothing(s))
		drop(s, task);
	else
		schedule_needs_ready(s, task);
}

/* ---- events ---- */

/* Somebody else works on `claimed` for as long as this schedule lives. */
static void keep_off(struct schedule *s, uint32_t claimed)
{
	for (uint32_t t = 0; t < s->n; t++) {
		bool pends = s->state[t] == TASK_READY || s->state[t] == TASK_WAITING;
		if (!pends || !s->overlaps || !s->overlaps(s->ctx, t, claimed))
			continue;
		s->missing[t]++;
		schedule_in_set(s, t, TASK_WAITING);
	}
}

static void begin(struct schedule *s)
{
	s->started = true;
	for (uint32_t t = 0; s->count[TASK_CLAIMED] && t < s->n; t++) {
		if (s->state[t] == TASK_CLAIMED)
			keep_off(s, t);
	}
	for (uint32_t t = 0; t < s->n; t++) {
		if (s->state[t] == TASK_CHECKED) {
			schedule_pick_hold(s, t);
			schedule_in_act_on(s, SCHED_INTEGRATE, t);
		}
	}
	/* Before others become READY, by what is skipped now: each is added once. */
	for (uint32_t t = 0; t < s->n; t++) {
		if (s->state[t] == TASK_READY)
			schedule_pick_add(s, t);
	}
	/* First from those that ended badly themselves: the cause is to be one of them. */
	for (uint32_t t = 0; t < s->n; t++) {
		if (schedule_in_bad(s->state[t]) && s->state[t] != TASK_SKIPPED)
			schedule_needs_bad(s, t);
	}
	for (uint32_t t = 0; t < s->n; t++) {
		if (s->state[t] == TASK_SKIPPED && s->cause[t] == SCHED_NONE)
			schedule_needs_bad(s, t);
	}
}

/* The answer to a claim. */
static bool open_slot(struct schedule *s)
{
	for (uint32_t i = 0; i < s->slots; i++) {
		if (!s->closed[i])
			continue;
		s->closed[i] = s->claiming = false;
		s->n_closed--;
		heap_push(s->free_slots, &s->n_free, i);
		return true;
	}
	return false;
}

static bool give_slot(struct schedule *s)
{
	if (s->to_give >= s->slots - s->n_closed)
		return false;
	s->to_give++;
	return true;
}

static bool stop(struct schedule *s, enum schedule_stop how)
{
	if (s->stop >= how)
		return false;
	s->stop = how;
	drop_backoffs(s);
	for (uint32_t i = 0; how == STOP_AT_ONCE && i < s->slots; i++) {
		if (s->in_slot[i] != SCHED_NONE)
			schedule_in_act(s, (struct sched_action){SCHED_CANCEL, s->in_slot[i], i, SCHED_NONE});
	}
	return true;
}

/* The state a task must be in for an event about it; TASK_STATE_COUNT = the event has no task. */
static enum task_state state_for(enum sched_event_kind kind)
{
	switch (kind) {
	case SCHED_DONE:
	case SCHED_FAILED:
	case SCHED_TIMEOUT:
	case SCHED_BLOCKED:
	case SCHED_STOPPED:
	case SCHED_FINAL:
	case SCHED_TRANSIENT:
	case SCHED_LIMITED:
		return TASK_RUNNING;
	case SCHED_INTEGRATED:
	case SCHED_CONFLICT:
	case SCHED_RED:
	case SCHED_REPAIR:
		return TASK_CHECKED;
	case SCHED_RETRY_DUE:
		return TASK_BACKOFF;
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
	return TASK_STATE_COUNT;
}

static bool fits(const struct schedule *s, struct sched_event ev)
{
	enum task_state wanted = state_for(ev.kind);

	if (s->ended)
		return false;
	if (wanted == TASK_STATE_COUNT)
		return true;
	/* Before SCHED_START a CHECKED task was not given out for its merge yet. */
	if (!s->started || ev.task >= s->n || s->state[ev.task] != wanted)
		return false;
	return ev.kind != SCHED_STOPPED || s->stop == STOP_AT_ONCE;
}

/* False when the event changed nothing, and so nothing can follow from it. */
static bool take(struct schedule *s, struct sched_event ev)
{
	uint32_t t = ev.task;

	if (!fits(s, ev))
		return false;
	if (state_for(ev.kind) == TASK_RUNNING) {
		leave_slot(s, t);
		if (ev.kind != SCHED_DONE)
			schedule_pick_release(s, t);
	} else if (state_for(ev.kind) == TASK_CHECKED) {
		schedule_pick_release(s, t);
	}
	switch (ev.kind) {
	case SCHED_START:
		if (s->started)
			return false;
		begin(s);
		return true;
	case SCHED_DONE:
		schedule_in_set(s, t, TASK_CHECKED);
		schedule_in_act_on(s, SCHED_INTEGRATE, t);
		return true;
	case SCHED_FAILED:
		fail(s, t);
		return true;
	case SCHED_TIMEOUT:
		end_badly(s, t, TASK_TIMEOUT);
		return true;
	case SCHED_BLOCKED:
		end_badly(s, t, TASK_BLOCKED);
		return true;
	case SCHED_INTEGRATED:
		integrated(s, t);
		return true;
	case SCHED_CONFLICT:
		end_badly(s, t, TASK_CONFLICT);
		return true;
	case SCHED_RED:
		end_badly(s, t, TASK_BLOCKED);
		return true;
	case SCHED_REPAIR:
		if (starts_nothing(s))
			drop(s, t);
		else
			schedule_needs_ready(s, t);
		return true;
	case SCHED_STOPPED:
		drop(s, t);
		return true;
	case SCHED_FINAL:
		end_badly(s, t, TASK_FAILED);
		return true;
	case SCHED_TRANSIENT:
		back_off(s, t);
		return true;
	case SCHED_LIMITED:
		limited(s, t);
		return true;
	case SCHED_RETRY_DUE:
		schedule_needs_ready(s, t);
		return true;
	case SCHED_STOP:
		return stop(s, STOP_SOON);
	case SCHED_STOP_NOW:
		return stop(s, STOP_AT_ONCE);
	case SCHED_HOLD:
	case SCHED_RELEASE:
		s->held = ev.kind == SCHED_HOLD;
		return true;
	case SCHED_OPEN:
		return open_slot(s);
	case SCHED_CLOSE:
		return give_slot(s);
	case SCHED_ACCOUNT_SHUT:
		return schedule_account_set(s, t, GATE_SHUT);
	case SCHED_ACCOUNT_PROBE:
		return schedule_account_set(s, t, GATE_PROBE);
	case SCHED_ACCOUNT_OPEN:
		return schedule_account_set(s, t, GATE_OPEN);
	}
	return false;
}

/* ---- what follows from it ---- */

static size_t under_way(const struct schedule *s)
{
	return s->count[TASK_RUNNING] + s->count[TASK_CHECKED] + s->count[TASK_BACKOFF];
}

static void start_what_may(struct schedule *s)
{
	if (!s->started || s->held || starts_nothing(s))
		return;
	while (s->n_free > 0 || (s->n_closed > 0 && !s->claiming)) {
		/* A task in BACKOFF has not ended, nor one that is LIMITED: in sequence it goes on first. */
		if (s->sequential && under_way(s) + s->count[TASK_LIMITED] > 0)
			return;
		uint32_t task = schedule_pick_take(s);
		if (task == SCHED_NONE)
			return;
		if (!schedule_account_room(s, task)) {
			schedule_pick_add(s, task);
			return;
		}
		if (s->n_free == 0) {
			schedule_pick_add(s, task);
			s->claiming = true;
			schedule_in_act_on(s, SCHED_CLAIM, SCHED_NONE);
			return;
		}
		start(s, task);
	}
}

static void give_what_must(struct schedule *s)
{
	for (; s->to_give > 0 && s->n_free > 0; s->to_give--) {
		uint32_t slot = heap_pop(s->free_slots, &s->n_free);
		s->closed[slot] = true;
		s->n_closed++;
		schedule_in_act(s, (struct sched_action){SCHED_GIVE, SCHED_NONE, slot, SCHED_NONE});
	}
}

static bool is_over(const struct schedule *s)
{
	if (!s->started)
		return s->stop != STOP_NO;
	if (under_way(s) > 0)
		return false;
	/* If something is WAITING, then what it waits for is READY, or it would be SKIPPED; or it is CLAIMED, and nobody
	 * tells when that has ended. */
	return starts_nothing(s) || s->count[TASK_READY] + s->count[TASK_LIMITED] == 0;
}

size_t schedule_apply(struct schedule *s, struct sched_event ev,
                      const struct sched_action **actions)
{
	s->n_actions = 0;
	*actions = s->actions;
	if (take(s, ev)) {
		give_what_must(s);
		start_what_may(s);
		if (is_over(s)) {
			s->ended = true;
			schedule_in_act_on(s, SCHED_END, SCHED_NONE);
		}
	}
	return s->n_actions;
}
