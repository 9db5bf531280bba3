/* revert_record: from commits that take merges out to refs and rows that say so (declared in revert_private.h). */
#include <string.h>

#include "recover.h"
#include "revert_private.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

static void remove_text(struct strv *l, const char *text)
{
	struct strv kept = {0};

	for (size_t i = 0; i < l->n; i++)
		if (!str_eq(l->v[i], text))
			strv_add(&kept, l->v[i]);
	strv_fini(l);
	*l = kept;
}

/* What it brought is gone: a story begins anew, with the boxes that the branch has now. */
static void forget_story(struct task_row *row)
{
	row->partial = false;
	row->boxes = row->boxes_already = row->boxes_closed = 0;
	strv_fini(&row->questions);
	strv_fini(&row->blocked);
	strv_fini(&row->human);
	mem_set(&row->story_hash, NULL);
}

static void undo_row(const struct session *s, struct task_row *row, const char *merge, const char *commit)
{
	AUTO_FREE char *why = mem_printf("taken out by bosk revert, in commit %.12s", commit);

	mem_set(&row->state, task_state_name(TASK_REVERTED));
	mem_set(&row->session, s->sid);
	mem_set(&row->reason, why);
	strv_add(&row->undone, merge);
	strv_add(&row->reverts, commit);
	remove_text(&row->earlier, merge);
	mem_set(&row->merge, NULL);
	forget_story(row);
	row->ended_ms = clock_wall_ms();
}

void revert_settle(struct session *s, struct turn *t, const struct intent_row *intent, const char *tip)
{
	for (size_t i = 0; i < intent->tasks.n && i < intent->commits.n && i < intent->merges.n; i++) {
		size_t task = session_task(s, intent->tasks.v[i]);
		if (task == SIZE_MAX)
			continue;
		struct task_row *row = &s->tasks[task];
		struct event_row ev = {.kind = (char *)(tip ? "reverted" : "withdrawn"),
		                       .task = intent->tasks.v[i],
		                       .ordinal = task + 1,
		                       .attempt = row->attempts,
		                       .commit = intent->merges.v[i],
		                       .old_tip = intent->old_tip,
		                       .new_tip = (char *)(tip ? tip : intent->new_tip),
		                       .merge = intent->commits.v[i],
		                       .note = (char *)"bosk revert"};
		if (tip)
			undo_row(s, row, intent->commits.v[i], intent->merges.v[i]);
		turn_task(t, task);
		turn_event(t, &ev);
	}
	AUTO_FREE char *key = mem_printf("%s/intent", s->sid);
	db_batch_del(&t->batch, DB_integration, key);
	if (tip)
		turn_tip(t, tip);
}

/* What was checked and needs what goes out is not merged without it; its commit is kept. */
static int put_back(struct revert *r, struct turn *t, struct err *e)
{
	struct session *s = r->s;

	for (size_t i = 0; i < s->plan.n; i++) {
		if (!r->back[i])
			continue;
		if (recover_keep(s, i, e) != 0)
			return -1;
		mem_set(&s->tasks[i].state, task_state_name(TASK_WAITING));
		turn_task(t, i);
		turn_note(t, "again", i, "what it needs was taken out by bosk revert");
	}
	return 0;
}

static int record_intent(struct revert *r, const struct intent_row *intent, struct err *e)
{
	struct session *s = r->s;
	AUTO_FREE char *key = mem_printf("%s/intent", s->sid);
	struct turn t;

	turn_init(&t, s);
	int rc = put_back(r, &t, e);
	for (size_t i = 0; i < r->n; i++) {
		struct event_row ev = {.kind = (char *)"intent",
		                       .task = s->plan.tasks[r->steps[i].task].id,
		                       .ordinal = r->steps[i].task + 1,
		                       .commit = r->steps[i].commit.hex,
		                       .old_tip = intent->old_tip,
		                       .new_tip = intent->new_tip,
		                       .note = (char *)"revert"};
		turn_event(&t, &ev);
	}
	/* No gate has run on what comes; one that was over has work again: a resume ends it, with the gates on that. */
	mem_set(&s->manifest.final_gates, NULL);
	mem_set(&s->manifest.final_reason, NULL);
	mem_set(&s->manifest.final_said, NULL);
	if (str_eq(s->manifest.state, "done") || str_eq(s->manifest.state, "failed"))
		mem_set(&s->manifest.state, "stopped");
	turn_note(&t, "reverting", SIZE_MAX, s->plan.tasks[r->task].id);
	rows_put(&t.batch, DB_integration, key, &intent_row_rec, intent);
	if (rc == 0)
		rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

static int record_outcome(struct revert *r, const struct intent_row *intent, bool done, struct err *e)
{
	struct turn t;

	turn_init(&t, r->s);
	revert_settle(r->s, &t, intent, done ? r->tip.hex : NULL);
	int rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}

/* The truth, and the branch with it unless somebody works on it, or had it elsewhere. */
static int move_refs(struct revert *r, const char *ref, struct err *e)
{
	struct gitx *g = r->s->site->git;
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", r->s->manifest.integration_branch), *path = NULL;
	struct gitx_move moves[2] = {{ref, r->from, r->tip}, {branch, {""}, r->tip}};
	bool follows = false, ahead = false;

	if (gitx_checked_out(g, branch, &path, e) != 0 && e->kind == ERR_MISSING &&
	    gitx_ref_read(g, branch, &moves[1].from, e) == 0 && gitx_reaches(g, &r->from, &moves[1].from, &follows, e) == 0 &&
	    (follows || gitx_reaches(g, &moves[1].from, &r->from, &ahead, e) == 0))
		err_clear(e);
	if (err_no_room(e->kind))
		return -1;
	err_clear(e);
	if (ahead) /* a commit of somebody's, that is to be taken in first */
		return err_set(e, ERR_MOVED, "somebody has committed on branch %s meanwhile", r->s->manifest.integration_branch);
	return gitx_ref_moves(g, moves, follows ? 2 : 1, "bosk: revert", e);
}

int revert_record(struct revert *r, struct err *e)
{
	struct session *s = r->s;
	AUTO_FREE char *ref = session_int_ref(s);
	struct intent_row intent = {.kind = (char *)"revert", .ref = ref, .old_tip = r->from.hex, .new_tip = r->tip.hex};
	struct err why = {0}, later = {0};

	for (size_t i = 0; i < r->n; i++) {
		strv_add(&intent.tasks, s->plan.tasks[r->steps[i].task].id);
		strv_add(&intent.commits, r->steps[i].merge.hex);
		strv_add(&intent.merges, r->steps[i].commit.hex);
	}
	FAILPOINT("revert.written");
	int rc = gitx_flush(s->site->git, e);
	if (rc == 0)
		rc = record_intent(r, &intent, e);
	if (rc == 0) {
		FAILPOINT("revert.refs.before");
		bool moved = move_refs(r, ref, &why) == 0;
		if (moved)
			FAILPOINT("revert.refs.after");
		/* Of a failure half-way the refs themselves say what became of it. */
		rc = moved || why.kind == ERR_MOVED || why.kind == ERR_HELD ? record_outcome(r, &intent, moved, moved ? e : &later) : -1;
		r->moved = why.kind == ERR_MOVED;
		if (!moved)
			rc = err_set(e, why.kind == ERR_MOVED ? ERR_HELD : why.kind, "nothing was taken out: %s%s", why.text,
			             why.kind == ERR_MOVED ? "; try again" : "");
	}
	strv_fini(&intent.tasks);
	strv_fini(&intent.commits);
	strv_fini(&intent.merges);
	return rc;
}
