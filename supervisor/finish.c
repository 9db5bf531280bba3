/* finish: gates on the base and on the final tip, and the orderly end of a session. */
#include <signal.h>
#include <string.h>

#include "batch_results.h"
#include "core.h"
#include "escape.h"
#include "quota.h"
#include "land.h"
#include "own.h"
#include "push.h"
#include "queue/waiting.h"
#include "ready.h"
#include "recover.h"
#include "revert.h"
#include "share.h"
#include "sprint.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "worker/worktree_look.h"

enum { CLEANED_AT_ONCE = 4 };

/* Will a resume go on with it? A session that halted is over, with tasks that were never started; so is one where all
 * that is left waits for what somebody else works on: the next run begins with what became of that. */
static bool unfinished(const struct core *c)
{
	if (schedule_halted(c->sched) || (schedule_ended(c->sched) && !schedule_stopping(c->sched)))
		return false;
	for (size_t i = 0; i < c->s->plan.n; i++)
		if (!task_state_ended(schedule_state(c->sched, (uint32_t)i)))
			return true;
	return false;
}

static bool all_fine(const struct core *c)
{
	for (size_t i = 0; i < c->s->plan.n; i++)
		if (!task_state_fine(schedule_state(c->sched, (uint32_t)i)))
			return false;
	return true;
}

void finish_remember(struct core *c, const struct strv *gates)
{
	struct oid tip, tree;
	struct err ignored = {0};

	if (oid_parse(&tip, c->s->tip) && gitx_tree_of(c->s->site->git, &tip, &tree, &ignored) == 0)
		green_add(c->green, tree.hex, gates, NULL);
}

/* One that looks at what was added has seen a tree only with all that came before it: not where a task went without it. */
static bool saw_all(const struct core *c, const struct config_gate *gate)
{
	for (size_t i = 0; gate->builtin && i < c->s->plan.n; i++) {
		const struct task_def *def = &c->s->plan.tasks[i];
		if (def->gates_given && !strv_has(&def->gates, gate->name))
			return false;
	}
	return true;
}

/* Did every gate run and pass on this very tree, or what it came to is excused? Then they need not run again. */
static bool all_passed(const struct core *c, const char *tree)
{
	for (size_t i = 0; i < c->cfg->n_gates; i++) {
		const char *gate = c->cfg->gates[i].name;
		bool excused = strv_has(&c->s->row.excused, gate);
		if (!saw_all(c, &c->cfg->gates[i]))
			return false;
		if (excused ? !green_accepted(c->green, tree, gate) : !green_passed(c->green, tree, gate))
			return false;
	}
	return true;
}

void finish_flaky(struct core *c, const struct strv *flaky, const char *where)
{
	struct strv *notes = &c->s->manifest.notes;

	for (size_t i = 0; i < flaky->n; i++) {
		const char *name = flaky->v[i], *split = strrchr(name, '=');
		AUTO_FREE char *note =
			mem_printf("gate %.*s is flaky: %s %s", (int)(split - name), name, split + 1, where);
		if (!strv_has(notes, note))
			strv_add(notes, note);
	}
	if (flaky->n)
		turn_manifest(&c->turn);
}

/* The gates say nothing of the tip then: the resume runs them. */
static void tip_unchecked(struct core *c, const char *why)
{
	struct err e;
	err_set(&e, ERR_NOSPACE, "the gates cannot be run on the final tip: %s", why);
	core_fatal(c, &e);
}

/* `m`: NULL = no gate was run for it. */
static void tip_checked(struct core *c, const char *verdict, const char *reason, const struct msg_checked *m)
{
	const char *said = m ? m->tail : NULL;

	mem_set(&c->s->manifest.final_gates, verdict);
	mem_set(&c->s->manifest.final_reason, reason);
	mem_set(&c->s->manifest.final_said, said);
	struct event_row ev = {.kind = (char *)"final",
	                       .outcome = (char *)verdict,
	                       .reason = (char *)reason,
	                       .commit = c->s->tip,
	                       .gates = m ? m->gates : (struct strv){0}};
	turn_event(&c->turn, &ev);
	if (!str_eq(verdict, "pass"))
		view_say(c->view, "the final tip is red: %s", reason ? reason : verdict);
	finish_cleanup(c);
}

void finish_checked(struct core *c, const struct msg_checked *m)
{
	view_worktree(c->view, c->check_slot, NULL, "", NULL, 0);
	if (c->phase == PHASE_FINAL)
		finish_flaky(c, &m->flaky, "on the final tip");
	if (c->phase == PHASE_PREFLIGHT && str_eq(m->label, "base"))
		ready_checked(c, m);
	else if (c->phase == PHASE_FINAL && str_eq(m->verdict, "no-room"))
		tip_unchecked(c, m->reason ? m->reason : "");
	else if (c->phase == PHASE_FINAL && str_eq(m->label, "final"))
		tip_checked(c, m->verdict, m->reason && *m->reason ? m->reason : NULL, m);
}

/* For what no session does: somebody else has it, or it cannot be run. */
static bool somebody_waits(const struct core *c)
{
	bool waits = schedule_count(c->sched, TASK_CLAIMED) > 0;

	for (size_t i = 0; i < c->s->plan.n && !waits; i++)
		waits = waiting_barred(&c->s->plan, i, session_task_state(c->s, i));
	return waits;
}

/* What could not begin, and did not end either. */
static void say_waiting(struct core *c)
{
	size_t n = c->s->plan.n;
	AUTO_FREE enum task_state *states = mem_array(n, sizeof *states);
	AUTO_FREE char **why = mem_array(n, sizeof *why);

	for (size_t i = 0; i < n; i++) {
		enum task_state row = session_task_state(c->s, i);
		states[i] = waiting_barred(&c->s->plan, i, row) ? row : schedule_state(c->sched, (uint32_t)i);
	}
	waiting_all(why, &c->s->plan, states);
	for (size_t i = 0; i < n; i++) {
		if (!why[i])
			continue;
		mem_set(&c->s->tasks[i].reason, why[i]);
		turn_task(&c->turn, i);
		view_task(c->view, core_task_id(c, i), "pending", 0, why[i]);
		free(why[i]);
	}
}

void finish_tasks(struct core *c)
{
	if (somebody_waits(c) && !unfinished(c))
		say_waiting(c);
	if (unfinished(c) || !sprint_begin(c))
		finish_gates(c);
}

/* The gates must have passed on what the branch now holds: on the merged tree, not only on each task's own. */
void finish_gates(struct core *c)
{
	struct oid tip, tree;
	struct err e = {0};

	bool moved = strcmp(c->s->tip, c->s->row.tip) != 0;
	if (!c->cfg->n_gates || !moved || unfinished(c)) {
		finish_cleanup(c);
		return;
	}
	c->phase = PHASE_FINAL;
	if (oid_parse(&tip, c->s->tip) && gitx_tree_of(c->s->site->git, &tip, &tree, &e) == 0 &&
	    all_passed(c, tree.hex)) {
		tip_checked(c, "pass", NULL, NULL);
		return;
	}
	if (core_check(c, "final", c->s->tip, &e) == 0)
		return;
	if (err_no_room(e.kind))
		tip_unchecked(c, e.text);
	else
		tip_checked(c, "error", e.text, NULL);
}

bool finish_worktree_left(const struct core *c, size_t i)
{
	const struct session *s = c->s;
	AUTO_FREE char *admin = NULL, *why = NULL;
	struct slot probe = {.init = {.sid = (char *)s->sid,
	                              .worktree = s->manifest.worktrees.v[i],
	                              .common_dir = (char *)gitx_common_dir(s->site->git)}};
	return session_borrows(s, i) ? !c->given_back : worktree_look(&probe, &admin, &why) != WORKTREE_NONE;
}

/* What should be gone at the end and is not: said now and in the report. */
static void note_stays(struct core *c, const char *what, const char *name, const char *why)
{
	const struct strv *notes = &c->s->manifest.notes;

	session_note_stays(c->s, what, name, why);
	view_say(c->view, "%s", notes->v[notes->n - 1]);
}

/* A stopped session keeps its worktrees: resume goes on in them. What is the user's is given back. */
static bool worktree_stays(const struct core *c, size_t slot)
{
	return !c->forget && !session_borrows(c->s, slot) && (c->s->row.keep_worktrees || unfinished(c));
}

/* Not all at once: a plan may have named very many, and a worker is needed to remove one. */
static void clean_more(struct core *c)
{
	struct session *s = c->s;
	struct err e = {0};

	while (c->cleaned < s->manifest.worktrees.n && c->quitting < s->row.jobs + CLEANED_AT_ONCE) {
		size_t i = c->cleaned++;
		bool there = pool_running(c->pool, i) || finish_worktree_left(c, i);
		bool remove = !worktree_stays(c, i) && !c->slot_keep[i] && there;
		if (!there || (!remove && !pool_running(c->pool, i)))
			continue;
		if (pool_quit(c->pool, i, remove, &e) == 0 || pool_running(c->pool, i))
			c->quitting++;
		else
			note_stays(c, "worktree", s->manifest.worktrees.v[i], e.text);
	}
}

void finish_cleanup(struct core *c)
{
	c->phase = PHASE_CLEANUP;
	c->quitting = c->cleaned = 0;
	clean_more(c);
	escape_last(c); /* calls finish_session itself when it is done and nobody is left */
	if (!c->quitting && c->phase == PHASE_CLEANUP)
		finish_session(c);
}

void finish_gone(struct core *c, size_t slot, bool asked, const char *why)
{
	struct session *s = c->s;
	struct err e = {0};

	if (slot >= c->cleaned)
		return; /* it was let go before: its worktree's turn comes */
	/* It said neither "removed" nor why not (that sets slot_keep). */
	if (!worktree_stays(c, slot) && !c->slot_keep[slot] && finish_worktree_left(c, slot)) {
		if (!c->slot_again[slot]) {
			c->slot_again[slot] = !c->slot_let[slot];
			if (pool_quit(c->pool, slot, true, &e) == 0 || pool_running(c->pool, slot))
				return;
		}
		note_stays(c, "worktree", s->manifest.worktrees.v[slot], why);
	} else if (!asked) {
		strv_addf(&s->manifest.notes, "worktree %zu: %s", slot + 1, why);
	}
	if (!c->quitting)
		return;
	c->quitting--;
	clean_more(c);
	if (!c->quitting)
		finish_session(c);
}

/* Branches that say nothing any more: of integrated tasks (their commit is in the integration branch)
 * and of tasks that left nothing. By compare-and-swap, and never one that is checked out. */
static void remove_branches(struct core *c)
{
	struct session *s = c->s;
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		enum task_state state = schedule_state(c->sched, (uint32_t)i);
		/* With a reason its branch is of what failed after that. */
		bool in = (state == TASK_INTEGRATED && !row->reason) || state == TASK_REVERTED;
		const char *at = in ? row->commit : row->kept ? NULL : row->base;
		struct oid tip;
		struct err e = {0};
		AUTO_FREE char *path = NULL;
		if (!row->branch || !at || !str_eq(row->session, s->sid) || !task_state_ended(state))
			continue;
		AUTO_FREE char *ref = mem_printf("refs/heads/%s", row->branch);
		if (!oid_parse(&tip, at) || gitx_checked_out(s->site->git, ref, &path, &e) == 0)
			continue;
		if (e.kind == ERR_MISSING &&
		    gitx_ref_move(s->site->git, ref, &tip, NULL, "bosk: integrated", &e) == 0) {
			session_note_gone(s, "branch", row->branch);
			continue;
		}
		if (e.kind == ERR_HELD) { /* mostly packed-refs.lock, which stops the others too: wait once */
			strv_addf(&s->manifest.notes, "branches of integrated tasks stay: %s", e.text);
			return;
		}
		if (e.kind != ERR_MOVED) /* elsewhere or gone is somebody's doing */
			note_stays(c, "branch", row->branch, e.text);
	}
}

void finish_session(struct core *c)
{
	struct session *s = c->s;
	struct err e = {0};

	if (!escape_over(c) || push_busy(c))
		return; /* they call again */
	c->phase = PHASE_OVER;
	/* What is left of a worktree needs a session that it belongs to. */
	for (size_t i = 0; i < s->manifest.worktrees.n; i++)
		if (finish_worktree_left(c, i))
			c->forget = false;
		else /* perhaps by the user's hand */
			session_note_gone(s, "worktree", s->manifest.worktrees.v[i]);
	bool open = unfinished(c) || push_left(c); /* a resume pushes what a stop cut off */
	if (c->forget || (!open && !s->row.keep_worktrees))
		own_clear(s);
	if (c->forget)
		return;
	/* Somebody may have removed the integration branch, or a worktree that had it checked out. */
	if (recover_refs(s, &e) != 0)
		strv_addf(&s->manifest.notes, "%s", e.text);
	FAILPOINT("finish.branches.before");
	if (!open && !s->row.keep_worktrees)
		remove_branches(c);
	FAILPOINT("finish.branches.after");
	session_note_planted(s);
	share_finish(c);
	bool halted = schedule_halted(c->sched);
	const char *state = open ? (c->quota->over ? "limited" : "stopped") : all_fine(c) ? "done" : "failed";
	/* What is to be landed is not over yet: a resume after a crash must go on with that. */
	bool lands = !open && land_asked(s) &&
	             (s->manifest.landing.n ||
	              (strcmp(s->tip, s->row.tip) != 0 && !revert_left_nothing(s) &&
	               (!s->manifest.final_gates || str_eq(s->manifest.final_gates, "pass"))));
	land_ended(s); /* anew, perhaps in another way than before */
	mem_set(&s->manifest.state, lands ? "landing" : state);
	if (halted)
		strv_addf(&s->manifest.notes,
		          "%llu tasks in a row did not come to anything, so no new ones were started "
		          "(halt_after_failures)",
		          (unsigned long long)c->cfg->halt_after_failures);
	turn_note(&c->turn, "end", SIZE_MAX, state);
}

int finish_exit_code(const struct core *c)
{
	const struct manifest_row *m = &c->s->manifest;

	if (c->exit_code >= 0)
		return c->exit_code;
	bool all = all_fine(c) && !push_left(c);
	if (c->quota->over && !c->exit_signal && unfinished(c))
		return 3;
	if (all && !batch_partial(c->s) && (!m->final_gates || str_eq(m->final_gates, "pass")))
		return push_failed(c) ? 1 : 0;
	return c->exit_signal && !all ? 128 + c->exit_signal : 1;
}
