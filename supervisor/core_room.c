/* core_room: a task that failed because the machine has no room for it - disk, descriptors, processes or
 * memory. That says nothing of the task: it is tried again like any failure, and then the session stops
 * and can be resumed, instead of failing one task after the other. */
#include "core.h"
#include "store/base/log.h"

enum sched_event_kind core_no_room(struct core *c, size_t task)
{
	const struct task_row *row = &c->s->tasks[task];

	if (row->retries < c->cfg->retries)
		return SCHED_FAILED;
	if (c->exit_code < 0)
		log_error("%s: %s\n  nothing more is started; when there is room: bosk resume %s",
		          core_task_id(c, task), row->reason ? row->reason : "no room", c->s->sid);
	c->exit_code = 4;
	core_event(c, SCHED_STOP_NOW, SIZE_MAX);
	return SCHED_STOPPED;
}
