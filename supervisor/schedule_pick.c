/* schedule_pick: which READY task starts next: order, exclusive tasks, files in use.
 *
 * A task whose files are taken is parked with the one that holds them and looked at again only when
 * that one lets go; otherwise each event would try all of them anew. It must not change states. */
#include "schedule_in.h"

#include "heap.h"

void schedule_pick_add(struct schedule *s, uint32_t task)
{
	uint32_t slot = s->prefer[task];

	if (s->exclusive[task])
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
		if (loner < rank && may)
			return s->by_rank[heap_pop(s->loners, &s->n_loners)];
		if (rank == SCHED_NONE)
			return SCHED_NONE;
		uint32_t task = s->by_rank[rank];
		if (schedule_account_stall(s, task)) {
			heap_pop(heap, n);
			continue;
		}
		if (loner < rank && s->priority[task] < s->priority[s->by_rank[loner]])
			return SCHED_NONE; /* what runs ends sooner when nothing is added to it */
		heap_pop(heap, n);
		uint32_t holder = holder_against(s, task);
		if (holder == SCHED_NONE)
			return task;
		s->next[task] = s->parked[holder];
		s->parked[holder] = task;
	}
}
