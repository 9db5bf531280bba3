/* core_planned: what the plan itself says of its stories: where they lie, and what becomes of those that are done
 * already or not for bosk. Nobody works on these. */
#include <string.h>

#include "core.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

static void add_folder(struct strv *folders, const char *story)
{
	const char *slash = strrchr(story, '/');
	AUTO_FREE char *folder = mem_strndup(story, slash ? (size_t)(slash - story) + 1 : 0);

	if (!strv_has(folders, folder))
		strv_add(folders, folder);
}

void core_planned(struct core *c)
{
	struct session *s = c->s;

	for (size_t i = 0; i < s->plan.n; i++)
		if (s->plan.tasks[i].story)
			add_folder(&c->story_folders, s->plan.tasks[i].story);
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
