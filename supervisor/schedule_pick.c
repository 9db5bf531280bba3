/* schedule_pick: which READY task starts next: order, exclusive tasks, files in use.
 *
 * A task whose files are taken is parked with the one that holds them and looked at again only when
 * that one lets go; otherwise each event would try all of them anew. It must not change states. */
#include "schedule_in.h"

#include "heap.h"

/* Is it one whose conversation is in a slot? */
static bool has_home(const struct schedule *s, uint32_t task)
{
	return s->home[task] != SCHED_NONE && s->by[task] != SCHED_NONE && s->stays[s->by[task]] && s->prefer[task] == SCHED_NONE &&
	       !s->exclusive[task] && !s->sequential;
}

void schedule_pick_add(struct schedule *s, uint32_t task)
{
	uint32_t slot = s->prefer[task];

	if (has_home(s, task))
		s->homes[s->n_homes++] = task;
	else if (s->exclusive[task])
		heap_push(s->loners, &s->n_loners, s->rank[task]); /* it finds all slots free */
	else if (slot != SCHED_NONE)
		heap_push(s->lanes + s->lane_at[slot], &s->n_lane[slot], s->rank[task]);
	else
		heap_push(s->ready, &s->n_ready, s->rank[task]);
}

void schedule_pick_hold(struct schedule *s, uint32_t task)
{
	s->held_at[task] = (uint32_t)s->n_holders;
	s->holders[s->n_holders++] = task;
}

void schedule_pick_release(struct schedule *s, uint32_t task)
{
	uint32_t last = s->holders[--s->n_holders];

	s->holders[s->held_at[task]] = last;
	s->held_at[last] = s->held_at[task];
	s->held_at[task] = SCHED_NONE;
	while (s->parked[task] != SCHED_NONE) {
		uint32_t waiting = s->parked[task];
		s->parked[task] = s->next[waiting];
		schedule_pick_add(s, waiting);
	}
}

/* A task that holds a file this one declares too. The last that began is asked first: those who
 * waited for the same file are all looked at anew after the first of them took it. */
static uint32_t holder_against(const struct schedule *s, uint32_t task)
{
	for (size_t i = s->overlaps ? s->n_holders : 0; i > 0; i--) {
		if (s->overlaps(s->ctx, task, s->holders[i - 1]))
			return s->holders[i - 1];
	}
	return SCHED_NONE;
}

/* May a task of this lane start, as far as the lane goes? Stories of one worktree build on each other: the next
 * begins when the former is merged, not when its worker is done. */
static bool lane_free(const struct schedule *s, uint32_t slot)
{
	return s->lane_busy[slot] == 0 && (s->closed[slot] || s->in_slot[slot] == SCHED_NONE);
}

/* Of those that have a home the first by rank that may start: `bound`, there, as it is free; else of those that may go
 * anywhere now. Whose account is shut is one of them no more. */
static uint32_t next_with_home(struct schedule *s, bool bound)
{
	uint32_t first = SCHED_NONE;

	for (size_t i = 0; i < s->n_homes;) {
		uint32_t task = s->homes[i], home = s->home[task];
		bool stays = !s->closed[home] && schedule_account_same(s, task);
		if (schedule_account_stall(s, task)) {
			s->homes[i] = s->homes[--s->n_homes];
			continue;
		}
		if (stays == bound && (!stays || s->in_slot[home] == SCHED_NONE) &&
		    (first == SCHED_NONE || s->rank[task] < s->rank[first]))
			first = task;
		i++;
	}
	return first;
}

static void forget_home(struct schedule *s, uint32_t task)
{
	size_t i = 0;

	while (s->homes[i] != task)
		i++;
	s->homes[i] = s->homes[--s->n_homes];
}

/* The heap whose first task is the next, and how many are in it: of lanes in use none. */
static uint32_t *next_heap(struct schedule *s, size_t **n)
{
	uint32_t *heap = s->ready;

	*n = &s->n_ready;
	for (uint32_t i = 0; i < s->n_lanes; i++) {
		uint32_t *lane = s->lanes + s->lane_at[i];
		if (s->n_lane[i] && lane_free(s, i) && (!**n || lane[0] < heap[0])) {
			heap = lane;
			*n = &s->n_lane[i];
		}
	}
	return heap;
}

/* With nothing running. */
static bool loner_may(const struct schedule *s, uint32_t task)
{
	uint32_t lane = s->prefer[task];

	return (lane == SCHED_NONE || lane_free(s, lane)) && holder_against(s, task) == SCHED_NONE;
}

uint32_t schedule_pick_take(struct schedule *s)
{
	if (s->alone)
		return SCHED_NONE;
	while (s->n_loners && schedule_account_stall(s, s->by_rank[s->loners[0]]))
		heap_pop(s->loners, &s->n_loners); /* until its account is open it keeps nobody off */

	uint32_t loner = s->n_loners ? s->loners[0] : SCHED_NONE;
	bool may = loner != SCHED_NONE && s->count[TASK_RUNNING] == 0 && loner_may(s, s->by_rank[loner]);
	for (;;) {
		size_t *n;
		uint32_t *heap = next_heap(s, &n), rank = *n ? heap[0] : SCHED_NONE;
		uint32_t first = next_with_home(s, true);
		/* It goes before others, but not before an exclusive one whose turn it is. */
		if (first != SCHED_NONE && loner < s->rank[first] && (may || s->priority[first] < s->priority[s->by_rank[loner]]))
			first = SCHED_NONE;
		bool listed = first != SCHED_NONE;
		first = listed ? first : next_with_home(s, false);
		listed |= first != SCHED_NONE && s->rank[first] < rank;
		rank = listed ? s->rank[first] : rank;
		if (loner < rank && may)
			return s->by_rank[heap_pop(s->loners, &s->n_loners)];
		if (rank == SCHED_NONE)
			return SCHED_NONE;
		uint32_t task = s->by_rank[rank];
		if (!listed && schedule_account_stall(s, task)) {
			heap_pop(heap, n);
			continue;
		}
		if (loner < rank && s->priority[task] < s->priority[s->by_rank[loner]])
			return SCHED_NONE; /* what runs ends sooner when nothing is added to it */
		if (listed)
			forget_home(s, task);
		else
			heap_pop(heap, n);
		uint32_t holder = holder_against(s, task);
		if (holder == SCHED_NONE)
			return task;
		s->next[task] = s->parked[holder];
		s->parked[holder] = task;
	}
}
