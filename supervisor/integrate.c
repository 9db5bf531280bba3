/* integrate: from a checked task's commit to the integration refs. Object durable -> intent recorded
 * -> refs moved by compare-and-swap -> done recorded (promise A2). One at a time, in order of
 * completion; always a merge commit. */
#include <string.h>

#include "core.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

static void merged(void *ctx, const struct merge_result *result);

void integrate_add(struct core *c, size_t task)
{
	c->integ.queue[c->integ.n++] = task;
}

static void next_merge(struct core *c)
{
	struct integration *in = &c->integ;
	struct oid commit;

	if (in->busy || !in->n)
		return;
	in->task = in->queue[0];
	memmove(in->queue, in->queue + 1, --in->n * sizeof *in->queue);
	const struct task_row *row = &c->s->tasks[in->task];
	in->busy = true;
	in->intent = false;
	oid_parse(&in->tip, c->s->tip);
	if (!row->commit || !oid_parse(&commit, row->commit)) {
		struct merge_result bad = {.kind = MERGE_FAILED, .reason = "its commit is not recorded"};
		merged(c, &bad);
		return;
	}
	merge_start(c->loop, &c->box, c->s->site, &in->tip, &commit, merged, c);
}

/* The task's branch stays, the paths are named, dependents are skipped by the scheduler. */
static void park(struct core *c, const struct merge_result *result)
{
	size_t task = c->integ.task;
	struct task_row *row = &c->s->tasks[task];
	AUTO_STR struct str reason = {0};

	strv_fini(&row->conflicts);
	strv_copy(&row->conflicts, &result->paths);
	if (result->kind == MERGE_CONFLICT) {
		str_add(&reason, "conflict in ");
		for (size_t i = 0; i < result->paths.n && i < 5; i++)
			str_addf(&reason, "%s%s", i ? ", " : "", result->paths.v[i]);
		if (result->paths.n > 5)
			str_addf(&reason, " and %zu more", result->paths.n - 5);
	} else {
		str_addf(&reason, "git could not merge it: %s", result->reason);
	}
	mem_set(&row->reason, reason.p);
	mem_set(&row->kept, row->branch);
	row->ended_ms = clock_wall_ms();
	turn_note(&c->turn, "conflict", task, reason.p);
	turn_task(&c->turn, task);
	c->integ.busy = false;
	core_event(c, SCHED_CONFLICT, task);
	view_task(c->view, core_task_id(c, task), "conflict", row->ran_ms, reason.p);
}

static int write_merge(struct core *c, const struct oid *tree, struct err *e)
{
	struct session *s = c->s;
	const struct task_def *def = &s->plan.tasks[c->integ.task];
	const struct task_row *row = &s->tasks[c->integ.task];
	AUTO_STR struct str text = {0};
	struct oid parents[2] = {c->integ.tip};

	oid_parse(&parents[1], row->commit);
	str_addf(&text, "Merge task %s%s%s\n\n", def->id, def->title ? ": " : "",
	         def->title ? def->title : "");
	str_addf(&text,
	         "Bosk-Session: %s\nBosk-Queue: %s\nBosk-Task: %s\nBosk-Attempt: %llu\nBosk-Result: %s\n",
	         s->sid, s->row.queue, def->id, (unsigned long long)row->attempts,
	         row->result_hash ? row->result_hash : "");
	return gitx_commit_write(s->site->git, &c->integ.merge, tree, parents, 2, s->row.author, text.p,
	                         e);
}

static void merged(void *ctx, const struct merge_result *result)
{
	struct core *c = ctx;
	struct session *s = c->s;
	struct err e = {0};

	if (result->kind != MERGE_CLEAN) {
		park(c, result);
		return;
	}
	if (write_merge(c, &result->tree, &e) != 0) {
		core_fatal(c, &e);
		return;
	}
	/* Record what is about to be done; integrate_step does it after the commit. */
	struct task_row *row = &s->tasks[c->integ.task];
	AUTO_FREE char *ref = session_int_ref(s), *key = mem_printf("%s/intent", s->sid);
	AUTO_STR struct str bytes = {0};
	struct intent_row intent = {.kind = (char *)"integrate",
	                            .ref = ref,
	                            .old_tip = c->integ.tip.hex,
	                            .new_tip = c->integ.merge.hex};
	strv_add(&intent.tasks, s->plan.tasks[c->integ.task].id);
	strv_add(&intent.commits, row->commit);
	strv_add(&intent.merges, c->integ.merge.hex);
	strv_add(&intent.hashes, row->result_hash ? row->result_hash : "");
	rec_encode(&intent_row_rec, &intent, &bytes);
	strv_fini(&intent.tasks);
	strv_fini(&intent.commits);
	strv_fini(&intent.merges);
	strv_fini(&intent.hashes);
	db_batch_put(&c->turn.batch, DB_integration, key, bytes.p, bytes.len);
	struct event_row ev = {.kind = (char *)"intent",
	                       .task = s->plan.tasks[c->integ.task].id,
	                       .ordinal = c->integ.task + 1,
	                       .commit = row->commit,
	                       .old_tip = c->integ.tip.hex,
	                       .new_tip = c->integ.merge.hex};
	turn_event(&c->turn, &ev);
	c->integ.intent = true;
}

static void withdraw(struct core *c, const char *why)
{
	AUTO_FREE char *key = mem_printf("%s/intent", c->s->sid);
	db_batch_del(&c->turn.batch, DB_integration, key);
	turn_note(&c->turn, "withdrawn", c->integ.task, why);
	/* First in the queue again: its place in the order is kept. */
	memmove(c->integ.queue + 1, c->integ.queue, c->integ.n++ * sizeof *c->integ.queue);
	c->integ.queue[0] = c->integ.task;
	c->integ.busy = false;
	c->integ.intent = false;
}

static void done(struct core *c)
{
	struct session *s = c->s;
	size_t task = c->integ.task;
	struct task_row *row = &s->tasks[task];
	AUTO_FREE char *key = mem_printf("%s/intent", s->sid);

	db_batch_del(&c->turn.batch, DB_integration, key);
	turn_tip(&c->turn, c->integ.merge.hex);
	mem_set(&s->manifest.landed, NULL); /* there is something new to land */
	mem_set(&row->merge, c->integ.merge.hex);
	mem_set(&row->reason, NULL);
	row->ended_ms = clock_wall_ms();
	turn_task(&c->turn, task);
	struct event_row ev = {.kind = (char *)"integrated",
	                       .task = s->plan.tasks[task].id,
	                       .ordinal = task + 1,
	                       .attempt = row->attempts,
	                       .commit = row->commit,
	                       .old_tip = c->integ.tip.hex,
	                       .new_tip = c->integ.merge.hex};
	turn_event(&c->turn, &ev);
	c->integ.busy = false;
	c->integ.intent = false;
	core_event(c, SCHED_INTEGRATED, task);
	view_task(c->view, s->plan.tasks[task].id, "integrated", row->ran_ms, NULL);
}

/* Somebody moved a ref that was ours alone. Nothing of theirs is dropped: what descends from our tip
 * becomes the tip and the merge is redone on it; a branch that went elsewhere is left alone. */
static int adopt_moved(struct core *c, const char *ref, const char *branch, struct err *e)
{
	struct session *s = c->s;
	struct oid truth, other;
	struct err absent = {0};
	bool ours = false;

	if (gitx_ref_read(s->site->git, ref, &truth, e) != 0)
		return err_wrap(e, "the integration ref is gone; bosk resume %s makes it again", s->sid);
	if (gitx_ref_read(s->site->git, branch, &other, &absent) == 0 &&
	    gitx_reaches(s->site->git, &other, &truth, &ours, e) != 0)
		return -1;
	if (ours && strcmp(other.hex, truth.hex) != 0) {
		if (gitx_ref_move(s->site->git, ref, &truth, &other, "bosk: adopt", e) != 0)
			return -1;
		truth = other;
	}
	if (strcmp(truth.hex, c->integ.tip.hex) != 0) {
		AUTO_FREE char *note = mem_printf("the integration branch was moved to %.12s by someone else; "
		                                  "the merge was redone on it", truth.hex);
		strv_add(&s->manifest.notes, note);
		turn_tip(&c->turn, truth.hex);
	}
	return 0;
}

/* Move the truth ref, and the branch with it unless a worktree has it checked out. */
static void move_refs(struct core *c)
{
	struct session *s = c->s;
	struct integration *in = &c->integ;
	AUTO_FREE char *ref = session_int_ref(s), *path = NULL;
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct gitx_move moves[2] = {{ref, in->tip, in->merge}, {branch, {""}, in->merge}};
	struct err e = {0}, ignored = {0};
	bool follows = false, ahead = false;

	/* The branch follows when it is at the tip or behind it, and nobody works on it. */
	if (gitx_checked_out(s->site->git, branch, &path, &ignored) != 0 &&
	    gitx_ref_read(s->site->git, branch, &moves[1].from, &ignored) == 0) {
		gitx_reaches(s->site->git, &in->tip, &moves[1].from, &follows, &ignored);
		if (!follows)
			gitx_reaches(s->site->git, &moves[1].from, &in->tip, &ahead, &ignored);
	}
	FAILPOINT("integrate.refs.before");
	if (ahead) { /* a commit was added on the branch: take it in first */
		err_set(&e, ERR_MOVED, "%s was moved", branch);
	} else if (gitx_ref_moves(s->site->git, moves, follows ? 2 : 1, "bosk: integrate", &e) == 0) {
		FAILPOINT("integrate.refs.after");
		done(c);
		return;
	}
	if (e.kind != ERR_MOVED) {
		core_fatal(c, &e);
		return;
	}
	withdraw(c, e.text);
	if (adopt_moved(c, ref, branch, &e) != 0)
		core_fatal(c, &e);
}

void integrate_step(struct core *c)
{
	if (c->integ.busy && c->integ.intent)
		move_refs(c);
	if (!c->integ.busy)
		next_merge(c);
}
