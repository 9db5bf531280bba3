/* schedule_account: with whose account a task runs, and which tasks wait for one that is shut.
 *
 * A task whose accounts are all shut is put aside and looked at again only when one of them is not any more. It must
 * not decide who starts next, and knows no time: when an account opens is the caller's to say. */
#include "schedule_in.h"

#include <assert.h>

/* The first agent of the chain whose account is not shut; SCHED_NONE = there is none. */
static uint32_t who_may(const struct schedule *s, uint32_t agent)
{
	for (size_t i = 0; agent != SCHED_NONE && i < s->n_agents; i++) {
		if (s->gate[s->account[agent]] != GATE_SHUT)
			return agent;
		agent = s->fallback[agent];
	}
	return SCHED_NONE;
}

bool schedule_account_stall(struct schedule *s, uint32_t task)
{
	uint32_t agent = s->agent[task];

	if (agent == SCHED_NONE || who_may(s, agent) != SCHED_NONE)
		return false;
	s->next[task] = s->stalled[agent];
	s->stalled[agent] = task;
	return true;
}

bool schedule_account_same(const struct schedule *s, uint32_t task)
{
	return s->by[task] != SCHED_NONE && who_may(s, s->agent[task]) == s->by[task];
}

bool schedule_account_room(const struct schedule *s, uint32_t task)
{
	uint32_t agent = who_may(s, s->agent[task]);

	return agent == SCHED_NONE || !s->used || (s->used <= s->room && s->weight[agent] <= s->room - s->used);
}

void schedule_account_begin(struct schedule *s, uint32_t task)
{
	if (s->agent[task] == SCHED_NONE)
		return;
	uint32_t agent = s->by[task] = who_may(s, s->agent[task]), account = s->account[agent];
	s->used += s->weight[agent];
	if (s->gate[account] == GATE_PROBE)
		s->gate[account] = GATE_SHUT;
}

static void let_go(struct schedule *s, uint32_t agent)
{
	while (s->stalled[agent] != SCHED_NONE) {
		uint32_t task = s->stalled[agent];
		s->stalled[agent] = s->next[task];
		if (s->state[task] == TASK_LIMITED)
			schedule_in_set(s, task, TASK_READY);
		schedule_pick_add(s, task);
	}
}

bool schedule_account_set(struct schedule *s, uint32_t account, enum schedule_gate gate)
{
	if (account >= s->n_accounts || s->gate[account] == gate ||
	    (gate == GATE_PROBE && s->gate[account] == GATE_OPEN))
		return false;
	s->gate[account] = (uint8_t)gate;
	for (uint32_t a = 0; gate != GATE_SHUT && a < s->n_agents; a++) {
		if (who_may(s, a) != SCHED_NONE)
			let_go(s, a);
	}
	return true;
}

uint32_t schedule_agent(const struct schedule *s, uint32_t task)
{
	assert(task < s->n);
	return s->by[task];
}

bool schedule_shut(const struct schedule *s, uint32_t agent)
{
	return agent != SCHED_NONE && who_may(s, agent) == SCHED_NONE;
}

bool schedule_probing(const struct schedule *s, uint32_t account)
{
	assert(account < s->n_accounts);
	return s->gate[account] == GATE_PROBE;
}
