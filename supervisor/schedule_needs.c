/* schedule_needs: what the end of a task means for those that wait for it.
 *
 * It must not decide how a task ended, nor who starts next. */
#include "schedule_in.h"

void schedule_needs_ready(struct schedule *s, uint32_t task)
{
	schedule_in_set(s, task, TASK_READY);
	schedule_pick_add(s, task);
}

static void one_less(struct schedule *s, uint32_t task)
{
	if (--s->missing[task] == 0 && s->state[task] == TASK_WAITING)
		schedule_needs_ready(s, task);
}

void schedule_needs_over(struct schedule *s, uint32_t task)
{
	for (size_t i = s->later_at[task]; i < s->later_at[task + 1]; i++)
		one_less(s, s->later[i]);
}

/* Each task enters the list once. */
void schedule_needs_bad(struct schedule *s, uint32_t first)
{
	size_t done = 0, n = 0;

	s->cause[first] = first;
	s->dirty[n++] = first;
	while (done < n) {
		uint32_t t = s->dirty[done++];
		for (size_t i = s->dep_at[t]; i < s->dep_at[t + 1]; i++) {
			uint32_t d = s->dep[i];
			bool waits = s->state[d] == TASK_WAITING;
			/* One restored as SKIPPED only passes the cause on. */
			if (s->cause[d] != SCHED_NONE || (!waits && s->state[d] != TASK_SKIPPED))
				continue;
			s->cause[d] = first;
			s->dirty[n++] = d;
			if (!waits)
				continue;
			schedule_in_set(s, d, TASK_SKIPPED);
			schedule_needs_over(s, d);
			schedule_in_act(s, (struct sched_action){SCHED_SKIP, d, SCHED_NONE, first});
		}
	}
}

void schedule_needs_good(struct schedule *s, uint32_t task)
{
	schedule_in_set(s, task, TASK_INTEGRATED);
	for (size_t i = s->dep_at[task]; i < s->dep_at[task + 1]; i++)
		one_less(s, s->dep[i]);
	schedule_needs_over(s, task);
}
