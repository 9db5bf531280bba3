/* core: one turn after another - apply events, commit once, then act (architecture 1.4). */
#include <string.h>

#include "batch_results.h"
#include "core.h"
#include "floor.h"
#include "quota.h"
#include "own.h"
#include "push.h"
#include "queue/waiting.h"
#include "share.h"
#include "sprint.h"
#include "standing.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"

enum { HOLD_RETRY_MS = 5000 };

const char *core_task_id(const struct core *c, size_t task)
{
	return c->s->plan.tasks[task].id;
}

void core_event(struct core *c, enum sched_event_kind kind, size_t task)
{
	c->events += kind < SCHED_ACCOUNT_SHUT;
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

void core_counts(struct core *c)
{
	size_t integrated = schedule_count(c->sched, TASK_INTEGRATED) + schedule_count(c->sched, TASK_LANDED) +
	                    schedule_count(c->sched, TASK_ALREADY);
	size_t running = schedule_count(c->sched, TASK_RUNNING) + schedule_count(c->sched, TASK_CHECKED);
	size_t failed = 0;
	for (int s = TASK_CONFLICT; s <= TASK_SKIPPED; s++)
		failed += schedule_count(c->sched, (enum task_state)s);
	view_counts(c->view, integrated, running, failed,
	            c->s->plan.n - schedule_count(c->sched, TASK_ROUTED) - schedule_count(c->sched, TASK_REVERTED));
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
		enum task_state state = schedule_state(c->sched, a->cause);
		bool barred = waiting_barred(&c->s->plan, a->cause, session_task_state(c->s, a->cause));
		AUTO_FREE char *reason =
			barred ? mem_printf("it needs %s, which cannot be run", core_task_id(c, a->cause))
			       : waiting_because("it needs", core_task_id(c, a->cause), state);
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
		turn_note(&c->turn, "dropped", a->task, NULL);
		break;
	case SCHED_INTEGRATE:
	case SCHED_CANCEL:
	case SCHED_CLAIM:
	case SCHED_GIVE:
	case SCHED_END:
		break;
	}
	c->todo = mem_grow(c->todo, c->n_todo + 1, sizeof *c->todo);
	c->todo[c->n_todo++] = *a;
}

/* With how far it came, where that is known. */
static void show_ended(struct core *c, uint32_t task, enum task_state state, const struct task_row *row)
{
	AUTO_FREE char *far = row->boxes ? batch_line(c->s, task) : NULL;
	AUTO_FREE char *both = far && row->reason ? mem_printf("%s: %s", far, row->reason) : NULL;

	view_task(c->view, core_task_id(c, task), task_state_name(state), row->ran_ms, both ? both : row->reason);
}

/* A task that ended without being integrated; conflicts and skips are shown where they arise. */
static void show_end(struct core *c, uint32_t task)
{
	enum task_state state = schedule_state(c->sched, task);
	const struct task_row *row = &c->s->tasks[task];
	if (state == TASK_FAILED || state == TASK_TIMEOUT || state == TASK_BLOCKED)
		show_ended(c, task, state, row);
}

/* Nothing more will happen in a worktree of its own: the worker ends, the worktree stays for those who want to look. */
static void let_worker_go(struct core *c, uint32_t task)
{
	size_t place = own_place(c->s, task);
	struct err ignored = {0};

	if (place != SIZE_MAX && c->phase == PHASE_RUN && task_state_ended(schedule_state(c->sched, task)) &&
	    c->slot_task[place] == SIZE_MAX && pool_running(c->pool, place) && !c->slot_let[place])
		c->slot_let[place] = pool_quit(c->pool, place, false, &ignored) == 0;
}

/* Segments have waves, stories and solutions batches where one waits for another; other plans are not told about by theirs. */
static const char *wave_name(const struct plan *plan)
{
	if (str_eq(plan->kind, "segments"))
		return "wave";
	bool batches = str_eq(plan->kind, "stories") || str_eq(plan->kind, "queue");
	for (size_t i = 0; batches && i < plan->n; i++)
		if (plan->wave[i] > 1)
			return "batch";
	return NULL;
}

/* The last of its wave has ended: how the wave went. */
static void show_wave(struct core *c, uint32_t task)
{
	const struct plan *plan = &c->s->plan;
	const char *name = c->phase == PHASE_RUN && task_state_ended(schedule_state(c->sched, task)) ? wave_name(plan) : NULL;
	uint32_t wave = plan->wave[task];
	size_t n = 0, good = 0, routed = 0;
	AUTO_STR struct str text = {0};

	if (!name || c->wave_shown[wave - 1])
		return;
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->wave[i] != wave)
			continue;
		enum task_state state = schedule_state(c->sched, (uint32_t)i);
		if (!task_state_ended(state))
			return;
		n++;
		good += task_state_good(state);
		routed += state == TASK_ROUTED;
	}
	c->wave_shown[wave - 1] = true;
	str_addf(&text, "%s %u is over: %zu of %zu integrated", name, wave, good, n - routed);
	if (routed)
		str_addf(&text, ", %zu routed", routed);
	view_say(c->view, "%s", text.p);
}

static void apply_one(struct core *c, struct sched_event ev)
{
	const struct sched_action *actions;
	size_t n = schedule_apply(c->sched, ev, &actions);

	if (ev.kind >= SCHED_ACCOUNT_SHUT)
		ev.task = SCHED_NONE; /* an account's number */
	if (ev.task != SCHED_NONE) {
		core_sync(c, ev.task);
		const struct task_row *row = &c->s->tasks[ev.task];
		if (row->earlier.n && !row->merge && schedule_state(c->sched, ev.task) == TASK_INTEGRATED)
			standing_back(c, ev.task);
		show_end(c, ev.task);
		let_worker_go(c, ev.task);
	}
	for (size_t k = 0; k < n; k++)
		record(c, &actions[k]);
	if (ev.task != SCHED_NONE)
		show_wave(c, ev.task);
	for (size_t k = 0; k < n; k++)
		if (actions[k].kind == SCHED_SKIP)
			show_wave(c, actions[k].task);
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
		core_counts(c);
	c->n_inbox = 0;
}

static void hold_over(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	(void)id;
	c->hold_timer = 0; /* the next turn tries the commit again */
}

/* No room, or a process that was stopped while it wrote: keep the turn, start nothing, try again
 * (architecture 1.4). */
static void hold(struct core *c, const struct err *e)
{
	if (!c->held)
		log_warn("%s; bosk starts nothing new until it can write again", e->text);
	c->held = true;
	c->hold_timer = loop_timer(c->loop, HOLD_RETRY_MS, hold_over, c);
}

void core_turns(void *ctx)
{
	struct core *c = ctx;
	struct err e = {0};

	for (;;) {
		apply_inbox(c);
		if (c->held && c->hold_timer)
			return;
		bool quiet = turn_empty(&c->turn) && !c->n_todo;
		if (turn_commit(&c->turn, &e) != 0) {
			if (e.kind == ERR_NOSPACE || e.kind == ERR_HELD)
				hold(c, &e);
			else
				core_fatal(c, &e);
			return;
		}
		if (c->held)
			log_info("the store can be written again");
		c->held = false;
		core_go(c);
		size_t n = c->n_todo;
		AUTO_FREE struct sched_action *todo = mem_steal(&c->todo);
		c->n_todo = 0;
		for (size_t i = 0; i < n; i++)
			core_perform(c, &todo[i]);
		integrate_step(c);
		sprint_step(c);
		share_step(c);
		quota_step(c);
		push_step(c);
		give_up_below_floor(c);
		if (c->fatal.kind != ERR_NONE || (quiet && !c->n_inbox && turn_empty(&c->turn)))
			break;
	}
	if (c->phase == PHASE_OVER)
		loop_stop(c->loop);
	view_draw(c->view, clock_mono_ms(), false);
}
