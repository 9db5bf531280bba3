/* core_assign: from a decision of the scheduler to the message that makes a worker do it. */
#include <string.h>
#include <sys/stat.h>

#include "agents.h"
#include "commit.h"
#include "core.h"
#include "escape.h"
#include "quota.h"
#include "own.h"
#include "queue/queue.h"
#include "ready.h"
#include "repair.h"
#include "share.h"
#include "standing.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MOST_MS = 60000 };

/* git resolves links in what it remembers. */
static bool is_worktree(const struct session *s, const char *path)
{
	struct stat there, ours;

	for (size_t i = 0; i < s->manifest.worktrees.n; i++)
		if (stat(path, &there) == 0 && stat(s->manifest.worktrees.v[i], &ours) == 0 &&
		    there.st_ino == ours.st_ino && there.st_dev == ours.st_dev)
			return true;
	return false;
}

/* The task's branch; another name when somebody has taken that one along, in a worktree that is not the session's. */
static char *free_branch(const struct core *c, size_t task)
{
	const struct session *s = c->s;
	AUTO_FREE char *first = session_task_branch(c->cfg->branch, s->sid, &s->plan.tasks[task]);

	for (int i = 1;; i++) {
		AUTO_FREE char *name = i == 1 ? mem_strdup(first) : mem_printf("%s+%d", first, i);
		AUTO_FREE char *ref = mem_printf("refs/heads/%s", name), *path = NULL;
		struct err ignored = {0};
		struct oid at;
		if (gitx_ref_read(s->site->git, ref, &at, &ignored) != 0 ||
		    gitx_checked_out(s->site->git, ref, &path, &ignored) != 0 || !fs_is_dir(path) ||
		    is_worktree(s, path))
			return mem_steal(&name);
	}
}

void core_assigned(struct core *c, size_t task, size_t slot)
{
	struct session *s = c->s;
	struct task_row *row = &s->tasks[task];
	size_t own = own_place(s, task), place = own != SIZE_MAX ? own : own_slot_place(s, slot);
	AUTO_FREE char *branch = free_branch(c, task);

	const struct msg_agent *def = quota_agent(c, schedule_agent(c->sched, (uint32_t)task));
	if (!str_eq(row->session, s->sid) || (row->worktree != place + 1 && !(def && def->moves)))
		mem_set(&row->conversation, NULL);
	row->worktree = place + 1;
	row->started_ms = clock_wall_ms();
	row->ended_ms = 0;
	mem_set(&row->session, s->sid);
	mem_set(&row->branch, branch);
	mem_set(&row->commit, NULL);
	mem_set(&row->step, NULL);
	row->left = true;
	mem_set(&row->rescue, NULL);
	core_sync(c, task);
	quota_assigned(c, task);
	/* A conversation goes on with its work as it was, so on the commit where that began; what has to be repaired begins at the tip. */
	if (!row->conversation || !row->base || row->redo)
		mem_set(&row->base, s->tip);
	c->slot_task[place] = task;
	escape_assigned(c, task, place);
	share_assigned(c, own_slot_place(s, slot)); /* what runs is counted, wherever it does */
	c->slot_since[place] = clock_mono_ms();
	struct event_row ev = {.kind = (char *)"assign",
	                       .task = s->plan.tasks[task].id,
	                       .ordinal = task + 1,
	                       .slot = place + 1,
	                       .old_tip = row->base};
	turn_event(&c->turn, &ev);
}

void core_send_task(struct core *c, size_t task, size_t slot, const struct oid *start,
                    const char *feedback)
{
	struct session *s = c->s;
	const struct task_def *d = &s->plan.tasks[task];
	const struct task_row *row = &s->tasks[task];
	AUTO_STRV struct strv trailers = {0}, idle = {0}, hashes = {0};
	struct err e = {0};
	struct msg m = {.kind = MSG_TASK};
	struct task_def texts = {0};

	if (d->texts && queue_texts(&texts, s->site, s->row.queue, task + 1, &e) != 0) {
		c->slot_task[slot] = SIZE_MAX;
		mem_set(&c->s->tasks[task].reason, e.text);
		quota_lost(c, task);
		core_event(c, SCHED_FAILED, task);
		return;
	}
	const struct msg_agent *agent = quota_agent(c, schedule_agent(c->sched, (uint32_t)task)), *own =
		s->row.executor ? NULL : agents_def(c->cfg, agents_of(d, s->row.agent), s->row.agent);
	/* A command of the call stands in for the one that is named, and has its time. */
	const struct msg_agent *named = agent ? agent : agents_def(c->cfg, agents_of(d, s->row.agent), s->row.agent);
	bool each = str_eq(c->cfg->steps, "each");
	escape_idle(c, slot, &idle);
	AUTO_FREE char *said = feedback && row->answers ? mem_printf("%s\n%s", feedback, row->answers)
	                       : row->answers            ? mem_strdup(row->answers)
	                       : feedback                ? mem_strdup(feedback) : NULL;
	if (d->story_hash)
		strv_add(&hashes, d->story_hash);
	if (d->story_hash && row->story_hash) /* bosk's own change */
		strv_add(&hashes, row->story_hash);
	if (d->story_hash && row->earlier.n) /* the same, after an attempt that is not merged */
		standing_hash(s, task, &hashes);

	strv_addf(&trailers, "Bosk-Session: %s", s->sid);
	strv_addf(&trailers, "Bosk-Queue: %s", s->row.queue);
	strv_addf(&trailers, "Bosk-Task: %s", d->id);
	m.u.task = (struct msg_task){
		.id = d->id,
		.ordinal = task + 1,
		.attempts = row->attempts,
		.retry = row->retries,
		.title = d->title,
		.base = row->base,
		.branch = row->branch,
		.preamble = d->preamble,
		.prompt = d->texts ? texts.prompt : d->prompt,
		.run = d->run,
		.executor = s->row.executor,
		.env = d->env,
		.timeout_ms = agents_limit(d, named, c->cfg),
		.silence_ms = agents_silence(named, c->cfg),
		.gates = d->gates,
		.gates_given = d->gates_given,
		.allow_empty = d->allow_empty,
		.fix_attempts = c->cfg->fix_attempts,
		.subject = d->subject ? d->subject : d->title ? d->title : d->id,
		.trailers = trailers,
		.kind = s->queue.kind,
		.domain = d->domain,
		.plan_branch = d->branch,
		.earlier = row->redo,
		.fix_wait_ms = str_eq(s->queue.kind, "segments") ? BACKOFF_FIRST_MS : 0,
		.needs = d->needs,
		.files = d->files,
		.queue = s->row.queue,
		.start_tree = start ? (char *)start->hex : NULL,
		.conflicts = start ? row->conflicts : (struct strv){0},
		.feedback = said,
		.idle = idle,
		.story = d->story,
		.story_hashes = hashes,
		.human = d->human,
		.story_folders = c->story_folders,
		.human_patterns = c->cfg->stories_human,
		.step_ids = d->step_ids,
		.step_titles = d->step_titles,
		.step_texts = !each ? (struct strv){0} : d->texts ? texts.step_texts : d->step_texts,
		.steps_each = each,
		.step_gates = d->step_gates,
		.claims = d->claims,
		.issue = d->issue,
		.solution = d->solution,
		.agent = agent ? agent->name : NULL,
		/* A model's name is of the agent that it was written for. */
		.model = !agent ? NULL : agent == own ? (char *)agents_model(d, agent) : agent->model,
		.conversation = agent ? row->conversation : NULL,
		.at_step = agent && row->conversation ? row->at_step : NULL,
		.told = row->told_goes_on ? row->told : NULL,
		.not_signed = (char *)commit_skips(s),
	};
	view_worktree(c->view, slot, d->id, "prepare", NULL, c->slot_since[slot]);
	int rc = pool_send(c->pool, slot, &m, &e);
	rec_fini(&task_def_rec, &texts);
	if (rc == 0)
		return;
	if (e.kind == ERR_GONE)
		return; /* it died meanwhile: `gone` comes and fails the task */
	c->slot_task[slot] = SIZE_MAX;
	mem_set(&c->s->tasks[task].reason, e.text);
	quota_lost(c, task);
	core_event(c, err_no_room(e.kind) ? core_no_room(c, task) : SCHED_FAILED, task);
}

static void retry_due(void *ctx, uint64_t id)
{
	struct core *c = ctx;
	for (size_t i = 0; i < c->s->plan.n; i++)
		if (c->retry_timer[i] == id) {
			c->retry_timer[i] = 0;
			core_event(c, SCHED_RETRY_DUE, i);
			return;
		}
}

static void back_off(struct core *c, size_t task)
{
	uint64_t ms = BACKOFF_FIRST_MS, pause = quota_pause(c, task);

	for (uint64_t i = 1; i < c->s->tasks[task].retries && ms < BACKOFF_MOST_MS; i++)
		ms *= 2;
	c->retry_timer[task] =
		loop_timer(c->loop, pause ? pause : ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS, retry_due, c);
}

void core_perform(struct core *c, const struct sched_action *a)
{
	struct msg stop = {.kind = MSG_STOP};
	struct err ignored = {0};
	/* Where it was assigned: not always the place of its slot. */
	size_t place = a->task != SCHED_NONE ? c->s->tasks[a->task].worktree - 1 : SIZE_MAX;

	switch (a->kind) {
	case SCHED_ASSIGN:
		if (c->s->tasks[a->task].redo)
			repair_start(c, a->task, place);
		else
			core_send_task(c, a->task, place, NULL, NULL);
		return;
	case SCHED_INTEGRATE:
		integrate_add(c, a->task);
		return;
	case SCHED_BACKOFF:
		back_off(c, a->task);
		return;
	case SCHED_CANCEL:
		stop.u.stop.reason = (char *)"stopped on request";
		pool_send(c->pool, place, &stop, &ignored); /* a dead worker is reported by `gone` */
		return;
	case SCHED_CLAIM:
		share_claim(c);
		return;
	case SCHED_GIVE:
		share_give(c, own_slot_place(c->s, a->slot));
		return;
	case SCHED_END:
		finish_tasks(c);
		return;
	case SCHED_SKIP:
	case SCHED_DROP:
		return;
	}
}

int core_check(struct core *c, const char *label, const char *commit, struct err *e)
{
	struct msg m = {.kind = MSG_CHECK};
	/* A slot would have to be asked for. */
	size_t slot = share_asks(c) && c->merge_slot != SIZE_MAX ? c->merge_slot : 0;

	while (slot < c->s->manifest.worktrees.n && (c->slot_keep[slot] || own_is(c->s, slot)))
		slot++;
	if (slot == c->s->manifest.worktrees.n)
		return err_set(e, ERR_ENV, "every worktree holds work that could not be saved");
	c->check_slot = slot;
	m.u.check = (struct msg_check){.label = (char *)label, .commit = (char *)commit};
	if (c->phase == PHASE_PREFLIGHT)
		ready_fill(c, &m.u.check);
	if (c->cfg->n_gates)
		view_say(c->view, "running the gates on the %s (%.12s)",
		         strcmp(label, "base") == 0 ? "base" : "final tip", commit);
	view_worktree(c->view, slot, label, "gate", NULL, clock_mono_ms());
	return pool_send(c->pool, slot, &m, e);
}
