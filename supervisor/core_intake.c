/* core_intake: what workers say becomes rows, journal entries and scheduler events. A result is a claim
 * until git has confirmed it (promise E3). */
#include <string.h>

#include "commit.h"
#include "core.h"
#include "escape.h"
#include "quota.h"
#include "ready.h"
#include "locks.h"
#include "recover.h"
#include "repair.h"
#include "share.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/secret.h"
#include "worker/slot.h"

/* The running task of a slot when the message names it; SIZE_MAX for a late or made-up one. */
static size_t running_task(const struct core *c, size_t slot, const char *id)
{
	size_t task = c->slot_task[slot];
	return task != SIZE_MAX && str_eq(core_task_id(c, task), id) ? task : SIZE_MAX;
}

static void take_progress(struct core *c, size_t slot, const struct msg_progress *m)
{
	share_git_lock(c, slot, str_eq(m->phase, SLOT_WAITS) ? m->step : NULL);
	view_worktree(c->view, slot, m->task && *m->task ? m->task : NULL, m->phase,
	              m->step && *m->step ? m->step : NULL, c->slot_since[slot]);
	view_output(c->view, slot, m->line ? m->line : "");
}

static void take_attempt(struct core *c, size_t slot, const struct msg_attempt *m)
{
	size_t task = running_task(c, slot, m->task);
	struct msg stop = {.kind = MSG_STOP, .u.stop.reason = (char *)"its account gives no more"};
	struct err ignored = {0};

	if (task == SIZE_MAX)
		return;
	if (!quota_attempt(c, task)) {
		pool_send(c->pool, slot, &stop, &ignored); /* a dead worker is reported by `gone` */
		return;
	}
	c->s->tasks[task].attempts = m->attempt;
	if (m->conversation)
		mem_set(&c->s->tasks[task].conversation, m->conversation);
	mem_set(&c->s->tasks[task].at_step, m->step);
	turn_task(&c->turn, task);
	/* Whatever was in this worktree before is saved by now. */
	for (size_t i = 0; i < c->s->plan.n; i++)
		if (i != task && c->s->tasks[i].left && c->s->tasks[i].worktree == slot + 1) {
			c->s->tasks[i].left = false;
			turn_task(&c->turn, i);
		}
	turn_note(&c->turn, "attempt", task, NULL);
	c->slot_go[slot] = m->attempt;
}

/* What the agent itself says it is, in its first line. */
static void take_conversation(struct core *c, size_t slot, const struct msg_conversation *m)
{
	size_t task = running_task(c, slot, m->task);

	if (task == SIZE_MAX || !m->conversation || str_eq(m->conversation, c->s->tasks[task].conversation))
		return;
	mem_set(&c->s->tasks[task].conversation, m->conversation);
	turn_task(&c->turn, task);
	turn_note(&c->turn, "conversation", task, NULL);
}

void core_go(struct core *c)
{
	struct err ignored = {0}; /* a dead worker: its exit is told elsewhere */

	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++) {
		struct msg m = {.kind = MSG_GO};
		if (!c->slot_go[i])
			continue;
		m.u.go = (struct msg_go){
			.task = (char *)(c->slot_task[i] == SIZE_MAX ? "" : core_task_id(c, c->slot_task[i])), .attempt = c->slot_go[i]};
		c->slot_go[i] = 0;
		if (pool_running(c->pool, i))
			pool_send(c->pool, i, &m, &ignored);
	}
}

static void take_gate(struct core *c, size_t slot, const struct msg_gate_result *m)
{
	size_t task = running_task(c, slot, m->task);
	struct event_row ev = {.kind = (char *)"gate",
	                       .task = m->task,
	                       .slot = slot + 1,
	                       .attempt = m->attempt,
	                       .outcome = m->verdict,
	                       .reason = m->note,
	                       .note = m->gate};
	if (task != SIZE_MAX)
		ev.ordinal = task + 1;
	turn_event(&c->turn, &ev);
	/* What is excused was said at the start. */
	bool red = !str_eq(m->verdict, "pass") && !str_eq(m->verdict, "skipped");
	if (m->note || (red && c->phase != PHASE_PREFLIGHT && !strv_has(&c->s->row.excused, m->gate)))
		view_say(c->view, "%s: gate %s: %s%s%s", m->task ? m->task : "", m->gate, m->verdict, m->note ? ", flaky: " : "",
		         m->note ? m->note : "");
}

/* Is the commit what it must be: there, on its base alone, with that tree, on its branch? */
static bool confirm(struct core *c, size_t task, const struct msg_result *m, struct err *e)
{
	const struct task_row *row = &c->s->tasks[task];
	struct gitx *git = c->s->site->git;
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", row->branch);
	struct oid commit, tree, tip, parents[2];
	size_t n = 0;

	if (!m->commit || !m->tree || !oid_parse(&commit, m->commit))
		return err_set(e, ERR_PROTO, "the result names no commit"), false;
	if (gitx_tree_of(git, &commit, &tree, e) != 0 ||
	    gitx_parents(git, &commit, parents, 2, &n, e) != 0 || gitx_ref_read(git, branch, &tip, e) != 0)
		return false;
	if (n != 1 || !str_eq(parents[0].hex, row->base))
		return err_set(e, ERR_PROTO, "commit %.12s is not on its base %.12s alone", m->commit,
		               row->base),
		       false;
	if (!str_eq(tree.hex, m->tree))
		return err_set(e, ERR_PROTO, "commit %.12s has another tree than the result says", m->commit),
		       false;
	if (!str_eq(tip.hex, m->commit))
		return err_set(e, ERR_PROTO, "branch %s is at %.12s, not at %.12s", row->branch, tip.hex,
		               m->commit),
		       false;
	return true;
}

/* What became of a story; with questions also when its work is not taken. */
static void take_story(struct task_row *row, const struct msg_result *m, bool ok)
{
	bool stands = !ok && row->earlier.n; /* then the rest is still what was integrated before */

	if (stands && !m->questions.n)
		return;
	strv_fini(&row->questions);
	strv_copy(&row->questions, &m->questions);
	if (stands)
		return;
	strv_fini(&row->human);
	strv_fini(&row->blocked);
	strv_copy(&row->human, &m->human);
	strv_copy(&row->blocked, &m->blocked);
	row->partial = ok && m->partial;
	row->boxes = m->boxes;
	row->boxes_already = m->boxes_already;
	row->boxes_closed = ok ? m->boxes_closed : 0;
	if (ok && m->story_hash)
		mem_set(&row->story_hash, m->story_hash);
}

static void gates_taken(struct task_row *row, const struct msg_result *m)
{
	strv_fini(&row->gates);
	strv_copy(&row->gates, &m->gates);
	strv_fini(&row->flaky);
	strv_copy(&row->flaky, &m->flaky);
	mem_set(&row->red, m->red);
	mem_set(&row->red_verdict, m->red_verdict);
	mem_set(&row->red_why, m->red_why);
	mem_set(&row->red_said, m->red_said);
}

static void take_result(struct core *c, size_t slot, struct msg_result *m)
{
	static const struct {
		const char *outcome;
		enum sched_event_kind kind;
	} kinds[] = {{"ok", SCHED_DONE},           {"failed", SCHED_FAILED}, {"timeout", SCHED_TIMEOUT},
	             {"blocked", SCHED_BLOCKED},   {"stopped", SCHED_STOPPED}, {"unsaved", SCHED_BLOCKED},
	             {"no-room", SCHED_FAILED},   {"limited", SCHED_LIMITED}, {"auth", SCHED_LIMITED},
	             {"transient", SCHED_TRANSIENT}, {"config", SCHED_FINAL}, {"invalid", SCHED_FINAL},
	             /* markers are left: its first commit is merged again, and conflicts again */
	             {"unmerged", SCHED_DONE}};
	size_t task = running_task(c, slot, m->task), k = 0;
	struct err e = {0};

	if (task == SIZE_MAX)
		return;
	struct task_row *row = &c->s->tasks[task];
	const char *outcome = m->outcome ? m->outcome : "failed", *reason = m->reason;
	while (k < MEM_COUNT(kinds) && !str_eq(kinds[k].outcome, outcome))
		k++;
	if (k == MEM_COUNT(kinds)) {
		outcome = "failed";
		k = 1;
	}
	if (k == 0 && !confirm(c, task, m, &e)) {
		outcome = "failed";
		reason = e.text;
		k = 1;
	}
	AUTO_FREE char *escape = NULL;
	AUTO_STR struct str escaped = {0};
	if (escape_found(c, slot, m, &escape) && k == 0) {
		outcome = "failed";
		str_add(&escaped, escape);
		secret_hide(&escaped);
		reason = escaped.p;
		k = 1;
	}
	row->attempts = m->attempts;
	row->left = false; /* committed, saved, or its worktree is held */
	row->ran_ms += m->ran_ms;
	row->ended_ms = clock_wall_ms();
	mem_set(&row->commit, k == 0 ? m->commit : NULL);
	mem_set(&row->reason, k == 0 ? NULL : reason);
	mem_set(&row->kept, m->kept);
	if (m->log)
		mem_set(&row->log, m->log);
	gates_taken(row, m);
	take_story(row, m, k == 0);
	mem_set(&row->step, k == 0 ? NULL : m->step);
	mem_set(&row->told, m->told);
	row->told_goes_on = kinds[k].kind == SCHED_LIMITED || kinds[k].kind == SCHED_TRANSIENT || kinds[k].kind == SCHED_STOPPED;
	turn_result(&c->turn, task, outcome, m->tree);
	if (k == 0) {
		green_add(c->green, m->tree, &m->gates, &c->s->plan.tasks[task]);
		repair_over(row);
	} else if (kinds[k].kind == SCHED_DONE) {
		repair_undo(row);
	}
	struct event_row ev = {.kind = (char *)"result",
	                       .task = m->task,
	                       .ordinal = task + 1,
	                       .slot = slot + 1,
	                       .attempt = m->attempts,
	                       .outcome = (char *)outcome,
	                       .reason = row->reason,
	                       .commit = row->commit,
	                       .gates = row->gates};
	turn_event(&c->turn, &ev);
	for (size_t i = 0; i < m->notes.n; i++) {
		AUTO_STR struct str note = {0};
		str_addf(&note, "%s: %s", m->task, m->notes.v[i]);
		secret_hide(&note); /* names are made up by agents */
		if (!strv_has(&c->s->manifest.notes, note.p)) /* an earlier attempt may have been told the same */
			strv_add(&c->s->manifest.notes, note.p);
	}
	session_note_planted(c->s); /* written with the event above */
	if (m->sign_late && m->not_signed)
		commit_late(c->s, m->not_signed);
	commit_say(c, k == 0 && m->commit, m->not_signed);
	if (str_eq(outcome, "unsaved")) {
		/* That worktree holds the only copy of somebody's work: nothing may run there again. */
		strv_addf(&c->s->manifest.notes, "the work of %s is only in %s: %s", m->task,
		          m->worktree ? m->worktree : "its worktree", row->reason);
		c->slot_keep[slot] = true;
		strv_add(&c->s->manifest.held, c->s->manifest.worktrees.v[slot]);
		core_event(c, SCHED_STOP, SIZE_MAX);
	}
	c->slot_task[slot] = SIZE_MAX;
	view_worktree(c->view, slot, NULL, "", NULL, 0);
	bool room = !str_eq(outcome, "no-room");
	enum sched_event_kind kind = quota_result(c, task, m, outcome, kinds[k].kind);
	core_event(c, room ? kind : core_no_room(c, task), task);
}

void core_message(void *ctx, size_t slot, struct msg *m)
{
	struct core *c = ctx;

	switch (m->kind) {
	case MSG_PROGRESS:
		take_progress(c, slot, &m->u.progress);
		return;
	case MSG_ATTEMPT:
		take_attempt(c, slot, &m->u.attempt);
		return;
	case MSG_GATE_RESULT:
		take_gate(c, slot, &m->u.gate_result);
		return;
	case MSG_CONVERSATION:
		take_conversation(c, slot, &m->u.conversation);
		return;
	case MSG_SPENT:
		if (running_task(c, slot, m->u.spent.task) != SIZE_MAX)
			quota_spent(c, c->slot_task[slot], &m->u.spent);
		return;
	case MSG_TRIED:
		ready_tried(c, &m->u.tried);
		return;
	case MSG_RESULT:
		take_result(c, slot, &m->u.result);
		return;
	case MSG_CHECKED:
		if (c->phase == PHASE_RUN && slot == c->merge_slot)
			integrate_checked(c, &m->u.checked);
		else
			finish_checked(c, &m->u.checked);
		return;
	case MSG_REMOVED:
		for (size_t i = 0; i < m->u.removed.notes.n; i++)
			strv_addf(&c->s->manifest.notes, "%s: %s", m->u.removed.worktree, m->u.removed.notes.v[i]);
		if (!m->u.removed.done && c->phase < PHASE_CLEANUP) {
			view_say(c->view, "the worktree %s stays for now: %s", m->u.removed.worktree,
			         m->u.removed.reason ? m->u.removed.reason : "");
		} else if (!m->u.removed.done) {
			session_note_stays(c->s, "worktree", m->u.removed.worktree, m->u.removed.reason);
			view_say(c->view, "%s", c->s->manifest.notes.v[c->s->manifest.notes.n - 1]);
			c->slot_keep[slot] = true;
		} else {
			session_note_gone(c->s, "worktree", m->u.removed.worktree);
			c->given_back |= session_borrows(c->s, slot);
		}
		turn_manifest(&c->turn);
		return;
	case MSG_INIT:
	case MSG_GATE:
	case MSG_CHECK:
	case MSG_TASK:
	case MSG_STOP:
	case MSG_QUIT:
	case MSG_HELLO:
	case MSG_AGENT:
	case MSG_GO:
		return; /* to workers only, or dealt with by the pool */
	}
}

/* The worker that ran the gates died: that says nothing of the tree. Another one runs them, once. */
static void lost_check(struct core *c, const char *why)
{
	const char *label = c->phase == PHASE_FINAL ? "final" : "base";
	bool starved = pool_starved(c->pool, c->check_slot);
	struct msg_checked lost = {.label = (char *)label,
	                           .verdict = (char *)(starved ? "no-room" : "error"),
	                           .reason = (char *)why};
	struct err ignored = {0};

	turn_note(&c->turn, "lost", SIZE_MAX, why);
	if (c->check_lost++ || core_check(c, label, c->s->tip, &ignored) != 0)
		finish_checked(c, &lost);
}

void core_gone(void *ctx, size_t slot, bool asked, const char *why)
{
	struct core *c = ctx;
	size_t task = c->slot_task[slot];
	struct err e = {0};

	c->slot_go[slot] = 0;
	if (task != SIZE_MAX) {
		c->slot_task[slot] = SIZE_MAX;
		quota_lost(c, task);
		mem_set(&c->s->tasks[task].reason, why);
		c->s->tasks[task].ended_ms = clock_wall_ms();
		turn_result(&c->turn, task, "lost", NULL);
		turn_note(&c->turn, "lost", task, why);
		locks_clear_task(c->s, task); /* waits only when it died in the middle of a move */
		if (recover_keep(c->s, task, &e) != 0)
			core_fatal(c, &e);
		/* The next worker of this slot saves what is in the worktree first. */
		pool_leftover(c->pool, slot,
		              &(struct pool_leftover){core_task_id(c, task), c->s->tasks[task].branch,
		                                      c->s->tasks[task].base, NULL, c->s->tasks[task].attempts});
		enum sched_event_kind kind = pool_starved(c->pool, slot) ? core_no_room(c, task) : SCHED_FAILED;
		if (kind == SCHED_STOPPED)
			turn_note(&c->turn, "again", task, why);
		core_event(c, kind, task);
	}
	view_worktree(c->view, slot, NULL, "", NULL, 0);
	if ((c->phase == PHASE_PREFLIGHT || c->phase == PHASE_FINAL) && slot == c->check_slot)
		lost_check(c, why);
	if (c->phase == PHASE_RUN && slot == c->merge_slot)
		integrate_check_lost(c, why);
	if (c->phase < PHASE_CLEANUP)
		share_gone(c, slot);
	if (c->phase == PHASE_CLEANUP)
		finish_gone(c, slot, asked, why);
	c->slot_let[slot] = false;
}
