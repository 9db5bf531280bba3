/* core_planned: tasks of which the plan itself says what becomes of them: stories that are done already, and those
 * that are not for bosk. Nobody works on them. */
#include "core.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

void core_planned(struct core *c)
{
	struct session *s = c->s;

	for (size_t i = 0; i < s->plan.n; i++) {
		enum task_state state = plan_end(&s->plan.tasks[i]);
		if (state == TASK_WAITING || task_state_ended(session_task_state(s, i)))
			continue;
		schedule_restore(c->sched, (uint32_t)i, state, 0);
		mem_set(&s->tasks[i].session, s->sid);
		mem_set(&s->tasks[i].reason, s->plan.tasks[i].routed);
		s->tasks[i].ended_ms = clock_wall_ms();
		core_sync(c, i);
		turn_note(&c->turn, task_state_name(state), i, s->plan.tasks[i].routed);
		view_task(c->view, core_task_id(c, i), task_state_shown(state), 0,
		          state == TASK_ALREADY ? "it was done already" : s->plan.tasks[i].routed);
	}
}
