/* integrate_refs: a batch of merges becomes what the integration refs name. Nothing is moved before the
 * intent is recorded; the done rides in the next turn. */
#include <string.h>

#include "adopt.h"
#include "batch_results.h"
#include "commit.h"
#include "integrate.h"
#include "push.h"
#include "sprint.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

void integrate_record(struct core *c)
{
	struct session *s = c->s;
	struct integration *in = &c->integ;
	AUTO_FREE char *ref = session_int_ref(s), *key = mem_printf("%s/intent", s->sid);
	struct err e = {0};
	struct intent_row intent = {.kind = (char *)(in->sprint ? "sprint" : "integrate"),
	                            .ref = ref,
	                            .old_tip = in->from.hex,
	                            .new_tip = in->tip.hex};

	if (gitx_flush(s->site->git, &e) != 0) {
		core_fatal(c, &e);
		return;
	}
	if (in->sprint) {
		struct event_row ev = {.kind = (char *)"intent",
		                       .commit = in->tip.hex,
		                       .old_tip = in->from.hex,
		                       .new_tip = in->tip.hex,
		                       .note = (char *)"sprint status"};
		turn_event(&c->turn, &ev);
	}
	for (size_t i = 0; i < in->n_items; i++) {
		const struct merge_item *item = &in->items[i];
		const struct task_row *row = &s->tasks[item->task];
		strv_add(&intent.tasks, s->plan.tasks[item->task].id);
		strv_add(&intent.commits, item->commit.hex);
		strv_add(&intent.merges, item->merge.hex);
		strv_add(&intent.hashes, row->result_hash ? row->result_hash : "");
		struct event_row ev = {.kind = (char *)"intent",
		                       .task = s->plan.tasks[item->task].id,
		                       .ordinal = item->task + 1,
		                       .commit = (char *)item->commit.hex,
		                       .old_tip = in->from.hex,
		                       .new_tip = in->tip.hex};
		turn_event(&c->turn, &ev);
	}
	rows_put(&c->turn.batch, DB_integration, key, &intent_row_rec, &intent);
	strv_fini(&intent.tasks);
	strv_fini(&intent.commits);
	strv_fini(&intent.merges);
	strv_fini(&intent.hashes);
	in->phase = INTEG_INTENT;
}

static void withdraw(struct core *c, const char *why)
{
	AUTO_FREE char *key = mem_printf("%s/intent", c->s->sid);

	db_batch_del(&c->turn.batch, DB_integration, key);
	for (size_t i = 0; i < c->integ.n_items; i++)
		turn_note(&c->turn, "withdrawn", c->integ.items[i].task, why);
	if (c->integ.sprint)
		turn_note(&c->turn, "withdrawn", SIZE_MAX, why);
	c->integ.sprint = false;
	integrate_put_back(c);
}

static void done(struct core *c)
{
	struct session *s = c->s;
	struct integration *in = &c->integ;
	AUTO_FREE char *key = mem_printf("%s/intent", s->sid);

	db_batch_del(&c->turn.batch, DB_integration, key);
	turn_tip(&c->turn, in->tip.hex);
	mem_set(&s->manifest.landed, NULL); /* there is something new to land */
	if (in->sprint) {
		commit_say(c, in->sprint_not_signed, in->not_signed);
		sprint_done(c);
	}
	for (size_t i = 0; i < in->n_items; i++) {
		const struct merge_item *item = &in->items[i];
		struct task_row *row = &s->tasks[item->task];
		mem_set(&row->merge, item->merge.hex);
		commit_say(c, item->not_signed, in->not_signed);
		mem_set(&row->reason, NULL);
		row->ended_ms = clock_wall_ms();
		turn_task(&c->turn, item->task);
		struct event_row ev = {.kind = (char *)"integrated",
		                       .task = s->plan.tasks[item->task].id,
		                       .ordinal = item->task + 1,
		                       .attempt = row->attempts,
		                       .commit = row->commit,
		                       .old_tip = in->from.hex,
		                       .new_tip = in->tip.hex,
		                       .merge = row->merge};
		turn_event(&c->turn, &ev);
		core_event(c, SCHED_INTEGRATED, item->task);
		AUTO_FREE char *far = batch_line(s, item->task);
		view_task(c->view, s->plan.tasks[item->task].id, row->partial ? "partial" : "integrated", row->ran_ms, far);
		push_integrated(c);
	}
	in->n_items = 0;
	in->phase = INTEG_IDLE;
}

/* Somebody moved a ref that was ours alone: the merge is redone on what they made of it. */
static int adopt_moved(struct core *c, struct err *e)
{
	struct session *s = c->s;
	struct oid truth;

	if (adopt_refs(s, &truth, e) != 0)
		return -1;
	if (strcmp(truth.hex, c->integ.from.hex) != 0) {
		strv_addf(&s->manifest.notes, "the integration branch was moved to %.12s by someone else; "
		          "the merge was redone on it", truth.hex);
		turn_tip(&c->turn, truth.hex);
		turn_note(&c->turn, "adopt", SIZE_MAX, truth.hex);
	}
	return 0;
}

/* Does the branch follow to the new tip? It does when it is at the old one or behind it, and nobody works
 * on it - which must be known: what cannot be read now for lack of something ends the session, resumable. */
static int look_at_branch(struct core *c, const char *branch, struct oid *at, bool *follows, bool *ahead,
                          struct err *e)
{
	struct gitx *g = c->s->site->git;
	const struct oid *from = &c->integ.from;
	AUTO_FREE char *path = NULL;

	if (gitx_checked_out(g, branch, &path, e) != 0 && e->kind == ERR_MISSING &&
	    gitx_ref_read(g, branch, at, e) == 0 && gitx_reaches(g, from, at, follows, e) == 0 &&
	    (*follows || gitx_reaches(g, at, from, ahead, e) == 0))
		err_clear(e);
	return err_no_room(e->kind) ? -1 : 0;
}

/* Move the truth ref, and the branch with it unless a worktree has it checked out. */
void integrate_refs(struct core *c)
{
	struct session *s = c->s;
	struct integration *in = &c->integ;
	AUTO_FREE char *ref = session_int_ref(s);
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct gitx_move moves[2] = {{ref, in->from, in->tip}, {branch, {""}, in->tip}};
	struct err e = {0};
	bool follows = false, ahead = false;

	if (look_at_branch(c, branch, &moves[1].from, &follows, &ahead, &e) != 0) {
		core_fatal(c, &e);
		return;
	}
	err_clear(&e);
	if (in->sprint)
		FAILPOINT("sprint.refs.before");
	else
		FAILPOINT("integrate.refs.before");
	if (ahead) { /* a commit was added on the branch: take it in first */
		err_set(&e, ERR_MOVED, "%s was moved", branch);
	} else if (gitx_ref_moves(s->site->git, moves, follows ? 2 : 1, "bosk: integrate", &e) == 0) {
		if (in->sprint)
			FAILPOINT("sprint.refs.after");
		else
			FAILPOINT("integrate.refs.after");
		done(c);
		return;
	}
	if (e.kind != ERR_MOVED) {
		core_fatal(c, &e);
		return;
	}
	withdraw(c, e.text);
	if (adopt_moved(c, &e) != 0)
		core_fatal(c, &e);
}

