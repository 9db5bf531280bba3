/* supervisor: a session's life - opening, the gates on the base, the loop, closing. */
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "commit.h"
#include "core.h"
#include "escape.h"
#include "forget.h"
#include "quota.h"
#include "own.h"
#include "push.h"
#include "queue/waiting.h"
#include "ready.h"
#include "share.h"
#include "standing.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "view_out.h"
#include "worker/proc.h"

static struct schedule *make_schedule(const struct core *c)
{
	const struct session *s = c->s;
	AUTO_FREE int64_t *priority = mem_array(s->plan.n, sizeof *priority);
	AUTO_FREE bool *exclusive = mem_array(s->plan.n, sizeof *exclusive);
	AUTO_FREE bool *stands = mem_array(s->plan.n, sizeof *stands);
	AUTO_FREE uint32_t *prefer = mem_array(s->plan.n, sizeof *prefer);

	size_t worktrees = own_slots(s);
	/* a resume that was killed may have recorded only one of the two */
	size_t slots = s->row.jobs < worktrees ? s->row.jobs : worktrees;
	bool prefers = plan_assign(prefer, &s->plan, slots);
	for (size_t i = 0; i < s->plan.n; i++) {
		priority[i] = (int64_t)s->plan.tasks[i].priority;
		exclusive[i] = s->plan.tasks[i].exclusive;
		stands[i] = standing_has(s, i);
	}
	struct sched_plan plan = {.tasks = s->plan.n,
	                          .slots = slots,
	                          .needs = s->plan.needs,
	                          .needs_at = s->plan.needs_at,
	                          .after = s->plan.after,
	                          .after_at = s->plan.after_at,
	                          .priority = priority,
	                          .exclusive = exclusive,
	                          .stands = stands,
	                          .prefer = prefers ? prefer : NULL,
	                          .overlaps = plan_overlaps,
	                          .ctx = &c->s->plan,
	                          .retries = (uint32_t)c->cfg->retries,
	                          .halt_after_failures = (uint32_t)c->cfg->halt_after_failures,
	                          .sequential = s->row.sequential,
	                          .closed = share_asks(c)};
	quota_plan(c, &plan);
	struct schedule *sched = schedule_new(&plan);
	for (size_t i = 0; i < s->plan.n; i++) {
		enum task_state state = session_task_state(s, i);
		/* What cannot be run is out of the schedule; in its row it stays pending. */
		schedule_restore(sched, (uint32_t)i, waiting_barred(&s->plan, i, state) ? TASK_SKIPPED : state,
		                 (uint32_t)s->tasks[i].retries);
	}
	return sched;
}

static struct view *open_view(const struct core *c)
{
	struct view_options o = {
		.mode = c->options->quiet ? VIEW_QUIET : view_out_terminal(2) ? VIEW_LIVE : VIEW_PLAIN,
		.color = view_out_color(2),
		.fd = 2,
		.worktrees = c->s->manifest.worktrees.n,
		.only_busy = c->s->manifest.own > 0,
		.total = c->s->plan.n,
	};
	return view_open(&o);
}

static void start_phase(struct core *c)
{
	struct err e = {0};

	if (c->phase != PHASE_PREFLIGHT)
		return; /* stopped before it began */
	if (c->s->row.live || (c->s->row.preflight && !c->s->manifest.preflight_done)) {
		if (ready_begin(c, &e) != 0)
			core_fatal(c, &e);
		return;
	}
	c->phase = PHASE_RUN;
	core_event(c, SCHED_START, SIZE_MAX);
}

static void after_wake(void *ctx)
{
	struct core *c = ctx;

	core_turns(c);
	if (!c->held)
		notify_step(c->notify);
}

static int open_core(struct core *c, const struct recovery *recovery, struct err *e)
{
	const struct pool_handler handler = {core_message, core_gone, c};
	struct session *s = c->s;

	turn_init(&c->turn, s);
	c->turn.json = c->options->json;
	if (mergebox_init(&c->box, s->site, s->sid, e) != 0 || loop_open(&c->loop, e) != 0 ||
	    control_open(c, e) != 0)
		return -1;
	c->box.guard = session_guard(s);
	c->box.runs = c->cfg->merge_drivers ? &s->row.git_config : NULL;
	quota_open(c);
	ready_open(c);
	c->sched = make_schedule(c);
	c->view = open_view(c);
	share_open(c);
	c->pool = pool_new(c->loop, s, c->cfg, &handler);
	c->slot_task = mem_array(s->manifest.worktrees.n, sizeof *c->slot_task);
	c->slot_since = mem_array(s->manifest.worktrees.n, sizeof *c->slot_since);
	c->slot_go = mem_array(s->manifest.worktrees.n, sizeof *c->slot_go);
	c->slot_keep = mem_array(s->manifest.worktrees.n, sizeof *c->slot_keep);
	c->slot_let = mem_array(s->manifest.worktrees.n, sizeof *c->slot_let);
	c->slot_again = mem_array(s->manifest.worktrees.n, sizeof *c->slot_again);
	c->wave_shown = mem_array(s->plan.n, sizeof *c->wave_shown);
	c->retry_timer = mem_array(s->plan.n, sizeof *c->retry_timer);
	for (size_t i = 0; i < s->manifest.worktrees.n; i++)
		c->slot_task[i] = SIZE_MAX;
	for (size_t i = 0; i < s->manifest.worktrees.n; i++)
		c->slot_keep[i] = strv_has(&s->manifest.held, s->manifest.worktrees.v[i]);
	c->integ.queue = mem_array(s->plan.n + 1, sizeof *c->integ.queue);
	c->integ.items = mem_array(s->plan.n + 1, sizeof *c->integ.items);
	c->green = green_new(c->cfg);
	if (recovery && green_again(c->green, s, e) != 0)
		return -1;
	c->merge_slot = session_merge_slot(s);
	for (size_t i = 0; recovery && i < recovery->n; i++) {
		const struct recovery_left *left = &recovery->left[i];
		const struct task_row *row = &s->tasks[left->task];
		pool_leftover(c->pool, left->slot,
		              &(struct pool_leftover){core_task_id(c, left->task), row->branch, row->base,
		                                      row->rescue, left->attempt});
	}
	push_open(c);
	quota_begin(c);
	c->notify = notify_open(c->loop, s, c->cfg->notify);
	loop_after(c->loop, after_wake, c);
	control_clock(c);
	return 0;
}

static void close_core(struct core *c)
{
	ready_close(c);
	quota_close(c);
	share_close(c);
	view_close(c->view);
	child_close_all();
	commit_close(c);
	notify_close(c->notify);
	pool_free(c->pool);
	escape_close(c);
	if (c->turn.s)
		turn_fini(&c->turn);
	schedule_free(c->sched);
	mergebox_fini(&c->box);
	loop_close(c->loop);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	free(c->slot_task);
	free(c->slot_since);
	free(c->slot_go);
	free(c->slot_keep);
	free(c->slot_let);
	free(c->slot_again);
	free(c->wave_shown);
	strv_fini(&c->story_folders);
	free(c->retry_timer);
	free(c->integ.queue);
	free(c->integ.items);
	free(c->integ.not_signed);
	free(c->inbox);
	free(c->todo);
	green_free(c->green);
}

int supervisor_run(bool *over, struct session *s, const struct config *cfg, const struct recovery *recovery,
                   const struct supervisor_options *options)
{
	struct core c = {.s = s,
	                 .cfg = cfg,
	                 .options = options,
	                 .wake_fd = -1,
	                 .exit_code = -1,
	                 .fresh = !recovery};
	struct err e = {0};

	*over = false;
	if (proc_contain(0, 0, &e) != 0 || open_core(&c, recovery, &e) != 0) {
		log_error("%s", e.text);
		close_core(&c);
		return err_exit_code(&e);
	}
	struct event_row first = {.kind = (char *)(recovery ? "resume" : "session"),
	                          .commit = s->row.base,
	                          .new_tip = s->tip,
	                          .note = s->row.target};
	turn_event(&c.turn, &first);
	core_planned(&c);
	core_counts(&c);
	if (escape_open(&c, start_phase, &e) != 0 || loop_run(c.loop, &e) != 0)
		core_fatal(&c, &e);
	if (c.phase == PHASE_OVER)
		notify_finish(c.notify);
	if (c.forget && c.fatal.kind == ERR_NONE && forget_session(s, &e) != 0)
		core_fatal(&c, &e);
	int code = c.fatal.kind != ERR_NONE ? err_exit_code(&c.fatal) : finish_exit_code(&c);
	if (c.fatal.kind != ERR_NONE && code == 2)
		code = 4; /* "nothing was started" is not what this was */
	bool left = c.phase != PHASE_OVER && c.fatal.kind == ERR_NONE;
	*over = c.phase == PHASE_OVER && c.fatal.kind == ERR_NONE;
	close_core(&c);
	if (left)
		log_warn("session %s was left as it is; it can go on: bosk resume %s", s->sid, s->sid);
	if (c.fatal.kind != ERR_NONE)
		log_error("%s\n  session %s can go on: bosk resume %s", c.fatal.text, s->sid, s->sid);
	return code;
}
