/* schedule: the life of a schedule, its restoring, and questions about it. Events are applied in
 * schedule_apply.c, who starts next is decided in schedule_pick.c.
 *
 * It must not allocate after schedule_new (schedule_copy is for tests), and knows no clock, no
 * descriptor and no store. */
#include "schedule_in.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "store/base/mem.h"

/* ---- one block of memory ---- */

static size_t padded(size_t n, size_t size)
{
	return (n * size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static size_t block_size(const struct schedule *s)
{
	size_t size = padded(1, sizeof *s);
#define COUNT(type, name, room) size += padded(room, sizeof(type));
	SCHEDULE_ARRAYS(COUNT)
#undef COUNT
	return size;
}

static void place_arrays(struct schedule *s)
{
	char *p = (char *)s + padded(1, sizeof *s);
#define PLACE(type, name, room)                                                                   \
	s->name = (type *)(void *)p;                                                              \
	p += padded(room, sizeof(type));
	SCHEDULE_ARRAYS(PLACE)
#undef PLACE
}

/* ---- life ---- */

struct ranked {
	int64_t priority;
	uint32_t task;
};

static int by_priority(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return a->task < b->task ? -1 : a->task > b->task;
}

static void rank_tasks(struct schedule *s, const struct sched_plan *plan)
{
	AUTO_FREE struct ranked *order = mem_array(s->n, sizeof *order);

	/* interface.md: --sequential is in plan order; no priority is how that is said here. */
	for (uint32_t t = 0; t < s->n; t++) {
		s->priority[t] = plan->priority && !s->sequential ? plan->priority[t] : 0;
		order[t] = (struct ranked){s->priority[t], t};
	}
	qsort(order, s->n, sizeof *order, by_priority);
	for (uint32_t r = 0; r < s->n; r++) {
		s->by_rank[r] = order[r].task;
		s->rank[order[r].task] = r;
	}
}

/* Turn "t waits for these" into "these hold t up". */
static void turn(const struct schedule *s, const uint32_t *to, const size_t *to_at, uint32_t *from, size_t *from_at)
{
	for (size_t i = 0; i < to_at[s->n]; i++) {
		assert(to[i] < s->n);
		from_at[to[i] + 1]++;
	}
	for (size_t t = 0; t < s->n; t++)
		from_at[t + 1] += from_at[t];

	AUTO_FREE size_t *fill = mem_array(s->n, sizeof *fill);
	for (uint32_t t = 0; t < s->n; t++) {
		for (size_t i = to_at[t]; i < to_at[t + 1]; i++) {
			from[from_at[to[i]] + fill[to[i]]++] = t;
			s->missing[t]++;
		}
	}
}

static void make_lanes(struct schedule *s, const struct sched_plan *plan)
{
	for (uint32_t t = 0; t < s->n; t++) {
		s->prefer[t] = plan->prefer ? plan->prefer[t] : SCHED_NONE;
		if (s->prefer[t] == SCHED_NONE)
			continue;
		assert(s->prefer[t] < s->slots);
		s->lane_at[s->prefer[t] + 1]++;
		s->n_lanes = s->slots;
	}
	for (size_t i = 0; i < s->n_lanes; i++)
		s->lane_at[i + 1] += s->lane_at[i];
}

struct schedule *schedule_new(const struct sched_plan *plan)
{
	struct schedule head = {
		.n = plan->tasks,
		.slots = plan->slots,
		.n_deps = plan->needs_at ? plan->needs_at[plan->tasks] : 0,
		.n_later = plan->after_at ? plan->after_at[plan->tasks] : 0,
		.overlaps = plan->overlaps,
		.ctx = plan->ctx,
		.max_retries = plan->retries,
		.halt_after = plan->halt_after_failures,
		.sequential = plan->sequential,
		.n_agents = plan->agents,
		.n_accounts = plan->accounts,
		.room = plan->room,
	};
	assert(plan->slots >= 1 && plan->slots < SCHED_NONE && plan->tasks < SCHED_NONE);

	struct schedule *s = mem_alloc(block_size(&head));
	*s = head;
	place_arrays(s);
	rank_tasks(s, plan);
	if (s->n_deps)
		turn(s, plan->needs, plan->needs_at, s->dep, s->dep_at);
	if (s->n_later)
		turn(s, plan->after, plan->after_at, s->later, s->later_at);
	make_lanes(s, plan);
	for (uint32_t t = 0; t < s->n; t++) {
		s->state[t] = s->missing[t] ? TASK_WAITING : TASK_READY;
		s->count[s->state[t]]++;
		s->exclusive[t] = plan->exclusive && plan->exclusive[t];
		s->stands[t] = plan->stands && plan->stands[t];
		s->slot[t] = s->cause[t] = s->held_at[t] = s->parked[t] = SCHED_NONE;
		s->by[t] = s->home[t] = SCHED_NONE;
		s->agent[t] = plan->agent ? plan->agent[t] : SCHED_NONE;
		assert(s->agent[t] == SCHED_NONE || s->agent[t] < s->n_agents);
	}
	for (uint32_t a = 0; a < s->n_agents; a++) {
		assert(plan->account[a] < s->n_accounts);
		s->account[a] = plan->account[a];
		s->fallback[a] = plan->fallback ? plan->fallback[a] : SCHED_NONE;
		s->stalled[a] = SCHED_NONE;
		s->stays[a] = plan->stays && plan->stays[a];
		s->weight[a] = plan->weight && plan->room ? plan->weight[a] : 0;
	}
	for (uint32_t i = 0; i < s->slots; i++) {
		s->in_slot[i] = SCHED_NONE;
		s->closed[i] = plan->closed;
		s->n_closed += plan->closed;
		if (!plan->closed)
			heap_push(s->free_slots, &s->n_free, i);
	}
	return s;
}

void schedule_free(struct schedule *s)
{
	free(s);
}

struct schedule *schedule_copy(const struct schedule *s)
{
	size_t size = block_size(s);
	struct schedule *copy = mem_alloc(size);

	memcpy(copy, s, size);
	place_arrays(copy);
	return copy;
}

/* One that `task` waits for is done with, or is not after all. Before SCHED_START. */
static void one_missing(struct schedule *s, uint32_t task, bool less)
{
	s->missing[task] += less ? UINT32_MAX : 1;
	if (s->state[task] == TASK_WAITING || s->state[task] == TASK_READY)
		schedule_in_set(s, task, s->missing[task] ? TASK_WAITING : TASK_READY);
}

void schedule_restore(struct schedule *s, uint32_t task, enum task_state state, uint32_t retries)
{
	assert(!s->started && task < s->n && (size_t)state < TASK_STATE_COUNT);
	bool was_good = schedule_in_good(s->state[task]), was_over = schedule_in_over(s->state[task]);
	bool good = schedule_in_good(state), over = schedule_in_over(state);

	if (state != TASK_CHECKED && !task_state_ended(state))
		state = s->missing[task] ? TASK_WAITING : TASK_READY;
	schedule_in_set(s, task, state);
	s->retries[task] = retries;
	for (size_t i = s->dep_at[task]; was_good != good && i < s->dep_at[task + 1]; i++)
		one_missing(s, s->dep[i], good);
	for (size_t i = s->later_at[task]; was_over != over && i < s->later_at[task + 1]; i++)
		one_missing(s, s->later[i], over);
}

void schedule_home(struct schedule *s, uint32_t task, uint32_t agent, uint32_t slot)
{
	assert(!s->started && task < s->n && agent < s->n_agents);
	if (s->agent[task] == SCHED_NONE || slot >= s->slots)
		return;
	s->by[task] = agent;
	s->home[task] = slot;
}

/* ---- questions ---- */

enum task_state schedule_state(const struct schedule *s, uint32_t task)
{
	assert(task < s->n);
	return (enum task_state)s->state[task];
}

uint32_t schedule_retries(const struct schedule *s, uint32_t task)
{
	assert(task < s->n);
	return s->retries[task];
}

uint32_t schedule_slot(const struct schedule *s, uint32_t task)
{
	assert(task < s->n);
	return s->slot[task];
}

size_t schedule_count(const struct schedule *s, enum task_state state)
{
	return (size_t)state < TASK_STATE_COUNT ? s->count[state] : 0;
}

size_t schedule_idle(const struct schedule *s)
{
	return s->n_free;
}

bool schedule_stopping(const struct schedule *s)
{
	return s->stop != STOP_NO;
}

bool schedule_halted(const struct schedule *s)
{
	return s->halted;
}

bool schedule_ended(const struct schedule *s)
{
	return s->ended;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

uint64_t schedule_digest(const struct schedule *s)
{
	const bool flags[] = {s->started, s->held, s->halted, s->ended, s->claiming};
	uint64_t h = mix(s->n, s->failures), parked = 0;

	h = mix(h, (uint64_t)s->stop);
	for (size_t i = 0; i < MEM_COUNT(flags); i++)
		h = mix(h, flags[i]);
	h = mix(h, s->to_give);
	for (size_t i = 0; i < s->slots; i++)
		h = mix(h, s->closed[i]);
	for (size_t t = 0; t < s->n; t++) {
		h = mix(h, (uint64_t)s->state[t] << 32 | s->slot[t]);
		h = mix(h, s->retries[t]);
		bool last = s->state[t] == TASK_RUNNING || (s->by[t] != SCHED_NONE && s->stays[s->by[t]] && !task_state_ended((enum task_state)s->state[t]));
		h = mix(h, (uint64_t)(last ? s->by[t] : SCHED_NONE) << 32 | s->home[t]);
	}
	for (size_t i = 0; i < s->n_accounts; i++)
		h = mix(h, s->gate[i]);
	/* Where a task is parked decides when it is looked at again, and which holder it is parked
	 * with follows from their order. The order within heaps and lists decides nothing. */
	for (size_t i = 0; i < s->n_holders; i++) {
		h = mix(h, s->holders[i]);
		for (uint32_t t = s->parked[s->holders[i]]; t != SCHED_NONE; t = s->next[t])
			parked += mix(s->holders[i], t);
	}
	return mix(h, parked);
}
