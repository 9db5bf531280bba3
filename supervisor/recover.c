/* recover: what a dead supervisor left is compared with git and put right. */
#include "recover.h"

#include <stdlib.h>
#include <string.h>

#include "borrow.h"
#include "locks.h"
#include "orphans/strays.h"
#include "own.h"
#include "queue/queue_copy.h"
#include "revert.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/keep.h"
#include "worker/worktree_look.h"

void recover_fini(struct recovery *r)
{
	free(r->left);
	*r = (struct recovery){0};
}

/* The normalised plan as a commit of its own: with the trailers of merges a lost store can be made
 * again from it. */
static int write_plan(struct session *s, struct oid *out, struct err *e)
{
	AUTO_STR struct str text = {0};
	AUTO_FREE char *message =
		mem_printf("Plan %s\n\nBosk-Queue: %s\n%s", s->row.queue, s->row.queue, s->row.live ? "Bosk-Live: true\n" : "");

	plan_write(&s->plan, &text);
	return gitx_commit_file(s->site->git, out, "plan.json", str_text(&text), text.len, NULL,
	                        s->row.author, message, e);
}

int recover_refs(struct session *s, struct err *e)
{
	AUTO_FREE char *ref = session_int_ref(s), *path = NULL;
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	AUTO_FREE char *plan = mem_printf("refs/bosk/plan/%s", s->row.queue);
	struct gitx_move moves[3];
	size_t n = 0;
	struct oid tip, now, plan_commit;
	struct err absent = {0};
	bool behind = false;

	if (!oid_parse(&tip, s->tip))
		return err_set(e, ERR_DAMAGED, "session %s records no integration tip", s->sid);
	if (queue_is(&s->queue) && gitx_ref_read(s->site->git, plan, &now, &absent) != 0) {
		if (queue_copy_write(s->site, s->row.queue, e) != 0)
			return -1;
	} else if (gitx_ref_read(s->site->git, plan, &now, &absent) != 0) {
		if (write_plan(s, &plan_commit, e) != 0)
			return err_wrap(e, "cannot write the plan to %s", plan);
		moves[n++] = (struct gitx_move){plan, {""}, plan_commit};
	}
	if (gitx_ref_read(s->site->git, ref, &now, &absent) != 0)
		moves[n++] = (struct gitx_move){ref, {""}, tip};
	if (gitx_ref_read(s->site->git, branch, &now, &absent) != 0)
		moves[n++] = (struct gitx_move){branch, {""}, tip};
	else if (strcmp(now.hex, tip.hex) != 0 &&
	         gitx_reaches(s->site->git, &tip, &now, &behind, e) == 0 && behind &&
	         gitx_checked_out(s->site->git, branch, &path, &absent) != 0 && absent.kind == ERR_MISSING)
		moves[n++] = (struct gitx_move){branch, now, tip};
	return n ? gitx_ref_moves(s->site->git, moves, n, "bosk: session", e) : 0;
}

/* It was about bosk's own commit, which is below `now`; NULL: it is not, and the end of the session makes another one. */
static void settle_sprint(struct session *s, struct turn *t, const struct intent_row *intent, const struct oid *now)
{
	struct event_row ev = {.kind = (char *)(now ? "sprint" : "withdrawn"),
	                       .commit = intent->new_tip,
	                       .old_tip = intent->old_tip,
	                       .new_tip = now ? (char *)now->hex : intent->new_tip,
	                       .note = (char *)"found at recovery"};

	if (now && !strv_has(&s->manifest.sprint, intent->new_tip))
		strv_add(&s->manifest.sprint, intent->new_tip);
	turn_event(t, &ev);
}

/* The ref is at or past the intent's new tip: done. At the old tip: withdrawn, merged again. */
static int settle_intent(struct session *s, struct turn *t, struct err *e)
{
	AUTO_FREE char *key = mem_printf("%s/intent", s->sid), *ref = session_int_ref(s);
	struct intent_row intent;
	struct oid now, new_tip;
	struct err absent = {0};
	bool open, done = false;

	if (session_intent(s, "intent", &intent, &open, e) != 0)
		return -1;
	if (!open)
		return 0;
	int rc = 0;
	if (oid_parse(&new_tip, intent.new_tip) && gitx_has_object(s->site->git, &new_tip) &&
	    gitx_ref_read(s->site->git, ref, &now, &absent) == 0)
		rc = gitx_reaches(s->site->git, &now, &new_tip, &done, e);
	if (rc == 0 && str_eq(intent.kind, "revert")) {
		revert_settle(s, t, &intent, done ? now.hex : NULL);
		rec_fini(&intent_row_rec, &intent);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < intent.tasks.n; i++) {
		size_t task = session_task(s, intent.tasks.v[i]);
		if (task == SIZE_MAX || i >= intent.merges.n)
			continue;
		struct task_row *row = &s->tasks[task];
		if (done) {
			mem_set(&row->state, task_state_name(TASK_INTEGRATED));
			mem_set(&row->merge, intent.merges.v[i]);
			mem_set(&row->reason, NULL);
			row->ended_ms = clock_wall_ms();
		}
		turn_task(t, task);
		struct event_row ev = {.kind = (char *)(done ? "integrated" : "withdrawn"),
		                       .task = intent.tasks.v[i],
		                       .ordinal = task + 1,
		                       .commit = row->commit,
		                       .old_tip = intent.old_tip,
		                       .new_tip = done ? now.hex : intent.new_tip,
		                       .merge = done ? row->merge : NULL,
		                       .note = (char *)"found at recovery"};
		turn_event(t, &ev);
	}
	if (rc == 0 && str_eq(intent.kind, "sprint"))
		settle_sprint(s, t, &intent, done ? &now : NULL);
	if (rc == 0) {
		if (done)
			turn_tip(t, now.hex);
		db_batch_del(&t->batch, DB_integration, key);
	}
	rec_fini(&intent_row_rec, &intent);
	return rc;
}

int recover_intent(struct session *s, struct err *e)
{
	struct turn t;

	turn_init(&t, s);
	int rc = settle_intent(s, &t, e);
	bool any = !turn_empty(&t);
	if (rc == 0 && any)
		rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc == 0 && any ? recover_refs(s, e) : rc;
}

int recover_keep(const struct session *s, size_t task, struct err *e)
{
	const struct task_row *row = &s->tasks[task];
	struct oid base;

	if (!row->branch || !oid_parse(&base, row->base ? row->base : ""))
		return 0;
	if (keep_branch(s->site->git, s->sid, s->plan.tasks[task].id, row->attempts, row->branch, &base,
	                e) != 0)
		return err_wrap(e, "cannot keep what the interrupted task %s committed",
		                s->plan.tasks[task].id);
	return 0;
}

/* A checked task's commit must still be there; a running one starts again from its base. */
static int settle_task(struct session *s, struct turn *t, size_t task, struct recovery *out,
                       struct err *e)
{
	struct task_row *row = &s->tasks[task];
	enum task_state state = session_task_state(s, task);
	struct oid commit;

	/* Whatever became of the task: what is in its worktree is saved before anything else happens
	 * there. The last one to have been assigned there is the one it is from. */
	if (row->left && row->worktree && str_eq(row->session, s->sid))
		out->left[out->n++] = (struct recovery_left){row->worktree - 1, task, row->attempts, row->started_ms};
	if (state == TASK_RUNNING) {
		if (recover_keep(s, task, e) != 0)
			return -1;
	} else if (state == TASK_CHECKED) {
		if (oid_parse(&commit, row->commit ? row->commit : "") &&
		    gitx_has_object(s->site->git, &commit))
			return 0;
		mem_set(&row->reason, "its commit is not in the repository any more");
	} else if (state != TASK_BACKOFF) {
		return 0;
	}
	mem_set(&row->state, task_state_name(TASK_WAITING));
	turn_task(t, task);
	turn_note(t, "again", task, "the supervisor died");
	return 0;
}

/* A worktree that is held is not a slot any more: the slot gets a new path. */
static void replace_held(struct session *s)
{
	struct strv *w = &s->manifest.worktrees;
	size_t next = w->n + s->manifest.held.n;

	for (size_t i = 0; i < w->n; i++)
		if (strv_has(&s->manifest.held, w->v[i])) {
			AUTO_FREE char *path = mem_printf("%s/%s-%zu", s->row.worktrees_dir, s->sid, ++next);
			mem_set(&w->v[i], path);
		}
}

static int by_start(const void *a, const void *b)
{
	const struct recovery_left *x = a, *y = b;
	return x->started_ms < y->started_ms ? -1 : x->started_ms > y->started_ms;
}

static void take_over(struct session *s, struct turn *t)
{
	struct owner self;
	struct manifest_row *m = &s->manifest;

	owner_self(&self);
	if (!str_eq(m->boot_id, self.boot_id))
		m->first_ticks = self.start_ticks;
	m->cleaned_ms = m->leaving_ms = 0;
	m->pid = self.pid;
	m->start_ticks = self.start_ticks;
	mem_set(&m->boot_id, self.boot_id);
	mem_set(&m->host, self.host);
	mem_set(&m->state, "running");
	turn_note(t, "recover", SIZE_MAX, NULL);
}

/* What is not its own lies where its worktrees are to be: said before anything begins. */
static int check_paths(const struct session *s, struct err *e)
{
	const struct manifest_row *m = &s->manifest;

	for (size_t i = 0; i < m->worktrees.n; i++) {
		AUTO_FREE char *admin = NULL, *why = NULL;
		struct slot probe = {.init = {.sid = (char *)s->sid,
		                              .worktree = m->worktrees.v[i],
		                              .common_dir = (char *)gitx_common_dir(s->site->git)}};
		if (!session_borrows(s, i) && !strv_has(&m->held, m->worktrees.v[i]) &&
		    worktree_look(&probe, &admin, &why) == WORKTREE_OTHER)
			return err_set(e, ERR_ENV, "%s is in the way: %s. bosk does not touch it; move it elsewhere",
			               m->worktrees.v[i], why);
	}
	return 0;
}

int recover_session(struct session *s, struct recovery *out, struct err *e)
{
	struct turn t;

	*out = (struct recovery){.left = mem_array(s->plan.n, sizeof *out->left)};
	if (check_paths(s, e) != 0 || recover_disk(s, e) != 0 || borrow_again(s, e) != 0)
		return -1;
	size_t strays = strays_end(s);
	if (strays)
		log_info("ended %zu processes that the dead session left running", strays);
	size_t locks = locks_clear(s);
	if (locks)
		log_info("removed %zu ref locks that the dead session left", locks);
	FAILPOINT("recover.locks.after");
	turn_init(&t, s);
	FAILPOINT("recover.before");
	int rc = settle_intent(s, &t, e);
	for (size_t i = 0; rc == 0 && i < s->plan.n; i++)
		rc = settle_task(s, &t, i, out, e);
	if (out->n) /* in this order the last of a slot counts */
		qsort(out->left, out->n, sizeof *out->left, by_start);
	replace_held(s);
	if (rc == 0)
		take_over(s, &t);
	if (rc == 0)
		rc = turn_commit(&t, e);
	turn_fini(&t);
	if (rc == 0)
		rc = recover_refs(s, e);
	if (rc == 0)
		own_hide(s, false);
	FAILPOINT("recover.after");
	return rc;
}
