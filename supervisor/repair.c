/* repair: sending a task back from its merge (architecture 5.10), or parking it. */
#include "repair.h"

#include <string.h>

#include "store/base/clock.h"
#include "store/base/mem.h"
#include "worker/keep.h"

/* ---- what went wrong ---- */

static void name_paths(struct str *out, const struct strv *paths)
{
	for (size_t i = 0; i < paths->n && i < 5; i++)
		str_addf(out, "%s%s", i ? ", " : "", paths->v[i]);
	if (paths->n > 5)
		str_addf(out, " and %zu more", paths->n - 5);
}

static void park(struct core *c, size_t task, enum sched_event_kind kind, const char *reason)
{
	struct task_row *row = &c->s->tasks[task];
	const char *state = kind == SCHED_CONFLICT ? "conflict" : "blocked";

	mem_set(&row->reason, reason);
	mem_set(&row->kept, row->branch);
	row->ended_ms = clock_wall_ms();
	turn_note(&c->turn, state, task, reason);
	turn_task(&c->turn, task);
	core_event(c, kind, task);
	/* Blocked tasks are shown by the event, as those whose own gates stay red. */
	if (kind == SCHED_CONFLICT)
		view_task(c->view, core_task_id(c, task), state, row->ran_ms, reason);
}

/* Its commit is what the repair begins with, so it must outlive the branch, which is reset. A command
 * has nobody who could mend files: it runs again, on what is there now. */
static int remember(struct core *c, size_t task, struct err *e)
{
	struct task_row *row = &c->s->tasks[task];
	const struct task_def *def = &c->s->plan.tasks[task];
	AUTO_FREE char *ref = NULL;
	struct oid commit;

	if (!row->commit || !oid_parse(&commit, row->commit))
		return err_set(e, ERR_PROTO, "its commit is not recorded");
	if (keep_commit(c->s->site->git, c->s->sid, def->id, row->attempts, "-merged", &commit, &ref, e) !=
	    0)
		return err_wrap(e, "cannot keep the commit of %s", def->id);
	mem_set(&row->redo, def->run ? NULL : row->commit);
	mem_set(&row->redo_base, def->run ? NULL : row->base);
	return 0;
}

static void send_back(struct core *c, size_t task, const char *reason)
{
	struct err e = {0};

	if (remember(c, task, &e) != 0) {
		core_fatal(c, &e);
		return;
	}
	mem_set(&c->s->tasks[task].reason, reason);
	turn_note(&c->turn, "repair", task, reason);
	turn_task(&c->turn, task);
	view_say(c->view, "%s: %s; it runs again on the tip", core_task_id(c, task), reason);
	core_event(c, SCHED_REPAIR, task);
}

void repair_merge(struct core *c, size_t task, const struct merge_result *result)
{
	struct task_row *row = &c->s->tasks[task];
	AUTO_STR struct str reason = {0};

	if (result->kind != MERGE_CONFLICT) {
		str_addf(&reason, "git could not merge it: %s", result->reason);
		park(c, task, SCHED_RED, reason.p);
		return;
	}
	strv_fini(&row->conflicts);
	strv_copy(&row->conflicts, &result->paths);
	str_add(&reason, "conflict in ");
	name_paths(&reason, &result->paths);
	if (str_eq(c->s->row.on_conflict, "park")) {
		park(c, task, SCHED_CONFLICT, reason.p);
	} else if (row->repairs >= c->cfg->conflict_attempts) {
		if (row->repairs)
			str_addf(&reason, ", after %llu attempts to repair it", (unsigned long long)row->repairs);
		park(c, task, SCHED_CONFLICT, reason.p);
	} else {
		row->repairs++;
		send_back(c, task, reason.p);
	}
}

void repair_not_signed(struct core *c, size_t task, const char *why)
{
	AUTO_FREE char *reason = mem_printf("its merge cannot be signed: %s (sign.fallback is refuse)", why);

	park(c, task, SCHED_RED, reason);
}

void repair_red(struct core *c, size_t task, const struct msg_checked *m)
{
	struct task_row *row = &c->s->tasks[task];
	const char *why = m->reason && *m->reason ? m->reason : m->verdict;
	AUTO_STR struct str reason = {0};

	mem_set(&row->red, m->red);
	mem_set(&row->red_verdict, m->verdict);
	mem_set(&row->red_why, m->why);
	mem_set(&row->red_said, m->tail);
	str_addf(&reason, "merged onto %.12s, %s", c->s->tip, why);
	/* Neither the task nor its agent can do anything about a gate that could not run. */
	bool judged = str_eq(m->verdict, "fail") || str_eq(m->verdict, "timeout");
	if (!judged || row->reds >= c->cfg->fix_attempts) {
		if (judged)
			str_addf(&reason, ", after %llu fix attempts", (unsigned long long)row->reds);
		park(c, task, SCHED_RED, reason.p);
		return;
	}
	row->reds++;
	mem_set(&row->feedback, m->feedback && *m->feedback ? m->feedback : reason.p);
	send_back(c, task, reason.p);
}

void repair_postpone(struct core *c, size_t task)
{
	struct task_row *row = &c->s->tasks[task];

	mem_set(&row->redo, row->commit);
	mem_set(&row->redo_base, row->base);
	turn_task(&c->turn, task);
	turn_note(&c->turn, "again", task, "stopped before its merge was checked");
	core_event(c, SCHED_REPAIR, task);
}

void repair_over(struct task_row *row)
{
	mem_set(&row->redo, NULL);
	mem_set(&row->redo_base, NULL);
	mem_set(&row->feedback, NULL);
	strv_fini(&row->conflicts);
}

void repair_undo(struct task_row *row)
{
	mem_set(&row->commit, row->redo);
	mem_set(&row->base, row->redo_base);
}

/* ---- its new run ---- */

struct repair {
	struct core *c;
	size_t task, slot;
};

static void explain(struct str *out, const struct task_row *row, const struct merge_result *merged)
{
	if (merged->kind == MERGE_CONFLICT) {
		str_add(out, "Your work was merged with what other tasks have done meanwhile, and both changed "
		             "the same places. The folder holds the merge; conflict markers (<<<<<<<, =======, "
		             ">>>>>>>) show both sides where there are texts. Resolve them so that the purpose "
		             "of both is kept, and leave no marker behind:\n\n");
		for (size_t i = 0; i < merged->paths.n && i < 200; i++) {
			str_add(out, "- ");
			str_add_printable(out, merged->paths.v[i], strlen(merged->paths.v[i]), false);
			str_addc(out, '\n');
		}
	} else {
		str_add(out, "Your work was merged with what other tasks have done meanwhile. The folder holds "
		             "the merge.\n");
	}
	if (row->feedback)
		str_addf(out, "\n%s", row->feedback);
}

/* `told`: what the journal calls it. */
static void give_up(struct core *c, const struct repair *r, enum sched_event_kind kind,
                    const char *told, const char *reason)
{
	const struct task_def *def = &c->s->plan.tasks[r->task];
	struct task_row *row = &c->s->tasks[r->task];
	struct event_row ev = {.kind = (char *)told,
	                       .task = def->id,
	                       .ordinal = r->task + 1,
	                       .slot = row->worktree,
	                       .attempt = row->attempts,
	                       .reason = (char *)reason,
	                       .commit = row->commit};

	c->slot_task[r->slot] = SIZE_MAX;
	view_worktree(c->view, r->slot, NULL, "", NULL, 0);
	if (reason)
		mem_set(&row->reason, reason);
	turn_task(&c->turn, r->task);
	turn_event(&c->turn, &ev);
	core_event(c, kind, r->task);
}

static void merged(void *ctx, const struct merge_result *result)
{
	struct repair *r = ctx;
	struct core *c = r->c;
	struct task_row *row = &c->s->tasks[r->task];
	AUTO_STR struct str text = {0}, reason = {0};

	if (c->stopping_now) {
		give_up(c, r, SCHED_STOPPED, "again", NULL);
	} else if (result->kind == MERGE_FAILED) {
		str_addf(&reason, "git could not merge it: %s", result->reason);
		give_up(c, r, SCHED_BLOCKED, "blocked", reason.p);
	} else if (result->kind == MERGE_CLEAN && !row->feedback) {
		/* The tip has moved on, and nothing is in the way any more. */
		repair_undo(row);
		repair_over(row);
		give_up(c, r, SCHED_DONE, "checked", NULL);
	} else {
		strv_fini(&row->conflicts);
		strv_copy(&row->conflicts, &result->paths);
		explain(&text, row, result);
		core_send_task(c, r->task, r->slot, &result->tree, str_text(&text));
	}
	free(r);
}

void repair_start(struct core *c, size_t task, size_t slot)
{
	const struct task_row *row = &c->s->tasks[task];
	struct repair *r = mem_alloc(sizeof *r);
	struct oid base, tip, commit;

	*r = (struct repair){c, task, slot};
	if (!oid_parse(&base, row->redo_base ? row->redo_base : "") || !oid_parse(&commit, row->redo) ||
	    !oid_parse(&tip, row->base)) {
		struct merge_result bad = {.kind = MERGE_FAILED, .reason = "its commit is not recorded"};
		merged(r, &bad);
		return;
	}
	merge_start(c->loop, &c->box, c->s->site, &base, &tip, &commit, merged, r);
}
