/* run: the supervisor's loop. Wait, make events, apply them, commit once, then act. */
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "floor.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/proc.h"

enum { HOLD_RETRY_MS = 5000 };

const char *core_task_id(const struct core *c, size_t task)
{
	return c->s->plan.tasks[task].id;
}

void core_event(struct core *c, enum sched_event_kind kind, size_t task)
{
	c->inbox = mem_grow(c->inbox, c->n_inbox + 1, sizeof *c->inbox);
	c->inbox[c->n_inbox++] =
		(struct sched_event){kind, task == SIZE_MAX ? SCHED_NONE : (uint32_t)task};
}

void core_fatal(struct core *c, const struct err *e)
{
	if (c->fatal.kind == ERR_NONE)
		c->fatal = *e;
	loop_stop(c->loop);
}

void core_sync(struct core *c, size_t task)
{
	mem_set(&c->s->tasks[task].state, task_state_name(schedule_state(c->sched, (uint32_t)task)));
	turn_task(&c->turn, task);
}

static void show_counts(struct core *c)
{
	size_t integrated = schedule_count(c->sched, TASK_INTEGRATED) +
	                    schedule_count(c->sched, TASK_LANDED);
	size_t running = schedule_count(c->sched, TASK_RUNNING) + schedule_count(c->sched, TASK_CHECKED);
	size_t failed = 0;
	for (int s = TASK_CONFLICT; s <= TASK_SKIPPED; s++)
		failed += schedule_count(c->sched, (enum task_state)s);
	view_counts(c->view, integrated, running, failed, c->s->plan.n);
}

/* What an action changes in the rows, before it is committed and performed. */
static void record(struct core *c, const struct sched_action *a)
{
	struct task_row *row = a->task == SCHED_NONE ? NULL : &c->s->tasks[a->task];

	switch (a->kind) {
	case SCHED_ASSIGN:
		core_assigned(c, a->task, a->slot);
		break;
	case SCHED_SKIP: {
		AUTO_FREE char *reason =
			mem_printf("it needs %s, which is %s", core_task_id(c, a->cause),
		                   task_state_shown(schedule_state(c->sched, a->cause)));
		mem_set(&row->reason, reason);
		row->ended_ms = clock_wall_ms();
		core_sync(c, a->task);
		turn_note(&c->turn, "skipped", a->task, reason);
		view_task(c->view, core_task_id(c, a->task), "skipped", 0, reason);
		break;
	}
	case SCHED_BACKOFF:
		row->retries = schedule_retries(c->sched, a->task);
		core_sync(c, a->task);
		turn_note(&c->turn, "backoff", a->task, row->reason);
		view_say(c->view, "%s: %s; it runs again", core_task_id(c, a->task),
		         row->reason ? row->reason : "failed");
		break;
	case SCHED_DROP:
		core_sync(c, a->task);
		break;
	case SCHED_INTEGRATE:
	case SCHED_CANCEL:
	case SCHED_END:
		break;
	}
	c->todo = mem_grow(c->todo, c->n_todo + 1, sizeof *c->todo);
	c->todo[c->n_todo++] = *a;
}

/* A task that ended without being integrated; conflicts and skips are shown where they arise. */
static void show_end(struct core *c, uint32_t task)
{
	enum task_state state = schedule_state(c->sched, task);
	const struct task_row *row = &c->s->tasks[task];
	if (state == TASK_FAILED || state == TASK_TIMEOUT || state == TASK_BLOCKED)
		view_task(c->view, core_task_id(c, task), task_state_name(state), row->ran_ms, row->reason);
}

static void apply_one(struct core *c, struct sched_event ev)
{
	const struct sched_action *actions;
	size_t n = schedule_apply(c->sched, ev, &actions);

	if (ev.task != SCHED_NONE) {
		core_sync(c, ev.task);
		show_end(c, ev.task);
	}
	for (size_t k = 0; k < n; k++)
		record(c, &actions[k]);
}

/* Below a floor nothing starts; what runs may end and give room. Asked when something happened, so
 * no timer is needed. With nothing running nothing would ever change: give up, resumable. */
static void check_floors(struct core *c)
{
	AUTO_STR struct str why = {0};

	if (c->phase != PHASE_RUN || !c->n_inbox)
		return;
	bool low = !floor_ok(c->cfg, c->s->row.worktrees_dir, &why) ||
	           !floor_ok(c->cfg, c->s->site->state_dir, &why);
	if (low != c->low) {
		c->low = low;
		apply_one(c, (struct sched_event){low ? SCHED_HOLD : SCHED_RELEASE, SCHED_NONE});
		view_say(c->view, low ? "nothing new starts: %s" : "there is room again%s", str_text(&why));
	}
}

static void give_up_below_floor(struct core *c)
{
	AUTO_STR struct str why = {0};
	struct err e = {0};

	if (!c->low || c->phase != PHASE_RUN || schedule_count(c->sched, TASK_RUNNING) ||
	    schedule_count(c->sched, TASK_CHECKED) || schedule_ended(c->sched))
		return;
	if (floor_ok(c->cfg, c->s->row.worktrees_dir, &why))
		floor_ok(c->cfg, c->s->site->state_dir, &why);
	err_set(&e, ERR_NOSPACE, "%s, and nothing is running that could end", str_text(&why));
	core_fatal(c, &e);
}

static void apply_inbox(struct core *c)
{
	check_floors(c);
	for (size_t i = 0; i < c->n_inbox; i++)
		apply_one(c, c->inbox[i]);
	if (c->n_inbox)
		show_counts(c);
	c->n_inbox = 0;
}

static void hold_over(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	(void)id;
	c->hold_timer = 0; /* the next turn tries the commit again */
}

/* No room: keep the turn, start nothing, try again (architecture 1.4). */
static void hold(struct core *c, const struct err *e)
{
	if (!c->held)
		log_warn("%s; bosk starts nothing new until it can write again", e->text);
	c->held = true;
	c->hold_timer = loop_timer(c->loop, HOLD_RETRY_MS, hold_over, c);
}

static void turns(void *ctx)
{
	struct core *c = ctx;
	struct err e = {0};

	for (;;) {
		apply_inbox(c);
		if (c->held && c->hold_timer)
			return;
		bool quiet = turn_empty(&c->turn) && !c->n_todo;
		if (turn_commit(&c->turn, &e) != 0) {
			if (e.kind == ERR_NOSPACE)
				hold(c, &e);
			else
				core_fatal(c, &e);
			return;
		}
		if (c->held)
			log_info("there is room again");
		c->held = false;
		size_t n = c->n_todo;
		AUTO_FREE struct sched_action *todo = mem_steal(&c->todo);
		c->n_todo = 0;
		for (size_t i = 0; i < n; i++)
			core_perform(c, &todo[i]);
		integrate_step(c);
		give_up_below_floor(c);
		if (c->fatal.kind != ERR_NONE || (quiet && !c->n_inbox && turn_empty(&c->turn)))
			break;
	}
	if (c->phase == PHASE_OVER)
		loop_stop(c->loop);
	view_draw(c->view, clock_mono_ms(), false);
}

static struct schedule *make_schedule(const struct core *c)
{
	const struct session *s = c->s;
	AUTO_FREE int64_t *priority = mem_array(s->plan.n, sizeof *priority);
	AUTO_FREE bool *exclusive = mem_array(s->plan.n, sizeof *exclusive);

	for (size_t i = 0; i < s->plan.n; i++) {
		priority[i] = (int64_t)s->plan.tasks[i].priority;
		exclusive[i] = s->plan.tasks[i].exclusive;
	}
	struct sched_plan plan = {.tasks = s->plan.n,
	                          .slots = s->row.jobs,
	                          .needs = s->plan.needs,
	                          .needs_at = s->plan.needs_at,
	                          .priority = priority,
	                          .exclusive = exclusive,
	                          .overlaps = plan_overlaps,
	                          .ctx = &c->s->plan,
	                          .retries = (uint32_t)c->cfg->retries,
	                          .halt_after_failures = (uint32_t)c->cfg->halt_after_failures,
	                          .sequential = s->row.sequential};
	struct schedule *sched = schedule_new(&plan);
	for (size_t i = 0; i < s->plan.n; i++)
		schedule_restore(sched, (uint32_t)i, session_task_state(s, i),
		                 (uint32_t)s->tasks[i].retries);
	return sched;
}

static struct view *open_view(const struct core *c)
{
	bool terminal = isatty(2);
	struct view_options o = {
		.mode = c->options->quiet ? VIEW_QUIET : terminal ? VIEW_LIVE : VIEW_PLAIN,
		.color = terminal && !getenv("NO_COLOR"),
		.fd = 2,
		.worktrees = c->s->manifest.worktrees.n,
		.total = c->s->plan.n,
	};
	const char *term = getenv("TERM");
	if (o.mode == VIEW_LIVE && (!term || strcmp(term, "dumb") == 0))
		o.mode = VIEW_PLAIN;
	return view_open(&o);
}

static void start_phase(struct core *c)
{
	struct err e = {0};

	if (c->cfg->n_gates && c->s->row.preflight && !c->s->manifest.preflight_done) {
		c->phase = PHASE_PREFLIGHT;
		if (core_check(c, "base", c->s->tip, &e) != 0)
			core_fatal(c, &e);
		return;
	}
	c->phase = PHASE_RUN;
	core_event(c, SCHED_START, SIZE_MAX);
}

static int open_core(struct core *c, const struct recovery *recovery, struct err *e)
{
	const struct pool_handler handler = {core_message, core_gone, c};
	struct session *s = c->s;

	if (loop_open(&c->loop, e) != 0 || control_open(c, e) != 0)
		return -1;
	turn_init(&c->turn, s);
	c->turn.json = c->options->json;
	c->sched = make_schedule(c);
	c->view = open_view(c);
	c->pool = pool_new(c->loop, s, c->cfg, &handler);
	c->slot_task = mem_array(s->manifest.worktrees.n, sizeof *c->slot_task);
	c->slot_since = mem_array(s->manifest.worktrees.n, sizeof *c->slot_since);
	c->slot_keep = mem_array(s->manifest.worktrees.n, sizeof *c->slot_keep);
	c->retry_timer = mem_array(s->plan.n, sizeof *c->retry_timer);
	for (size_t i = 0; i < s->manifest.worktrees.n; i++)
		c->slot_task[i] = SIZE_MAX;
	c->integ.queue = mem_array(s->plan.n + 1, sizeof *c->integ.queue);
	for (size_t i = 0; recovery && i < recovery->n; i++) {
		const struct recovery_left *left = &recovery->left[i];
		const struct task_row *row = &s->tasks[left->task];
		pool_leftover(c->pool, left->slot,
		              &(struct pool_leftover){core_task_id(c, left->task), row->branch, row->base,
		                                      left->attempt});
	}
	loop_after(c->loop, turns, c);
	control_clock(c);
	return 0;
}

static void close_core(struct core *c)
{
	view_close(c->view);
	pool_free(c->pool);
	if (c->turn.s)
		turn_fini(&c->turn);
	schedule_free(c->sched);
	loop_close(c->loop);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	free(c->slot_task);
	free(c->slot_since);
	free(c->slot_keep);
	free(c->retry_timer);
	free(c->integ.queue);
	free(c->inbox);
	free(c->todo);
	free(c->green_tree);
}

int supervisor_run(struct session *s, const struct config *cfg, const struct recovery *recovery,
                   const struct supervisor_options *options)
{
	struct core c = {.s = s,
	                 .cfg = cfg,
	                 .options = options,
	                 .wake_fd = -1,
	                 .exit_code = -1,
	                 .fresh = !recovery};
	struct err e = {0};

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
	show_counts(&c);
	start_phase(&c);
	if (loop_run(c.loop, &e) != 0)
		core_fatal(&c, &e);
	if (c.forget && c.fatal.kind == ERR_NONE && finish_forget(&c, &e) != 0)
		core_fatal(&c, &e);
	int code = c.fatal.kind != ERR_NONE ? err_exit_code(&c.fatal) : finish_exit_code(&c);
	close_core(&c);
	if (c.fatal.kind != ERR_NONE)
		log_error("%s\n  session %s can go on: bosk resume %s", c.fatal.text, s->sid, s->sid);
	return code;
}
