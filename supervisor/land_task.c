/* land_task: single tasks of a session, without what else is on its branch: the change of each, made from the base it was
 * given, is merged onto the target (declared in land_private.h). What they need has landed, or lands with them. */
#include "land_private.h"

#include <string.h>

#include "commit.h"
#include "land_pr.h"
#include "merge.h"
#include "store/base/mem.h"

static char *needs_fault(const struct session *s, const bool *wanted, size_t task)
{
	for (size_t k = s->plan.needs_at[task]; k < s->plan.needs_at[task + 1]; k++) {
		size_t need = s->plan.needs[k];
		if (session_task_state(s, need) == TASK_INTEGRATED && !wanted[need])
			return mem_printf("not landed: %s needs %s, which has not landed: add --task %s, or land all of the session",
			                  s->plan.tasks[task].id, s->plan.tasks[need].id, s->plan.tasks[need].id);
	}
	return NULL;
}

static char *fault_of(const struct session *s, size_t task, struct err *e)
{
	const char *id = s->plan.tasks[task].id;
	enum task_state state = session_task_state(s, task);
	bool here = false;

	if (state == TASK_LANDED)
		return mem_printf("not landed: task %s has landed already", id);
	if (state == TASK_INTEGRATED && session_brings(&here, s, task, e) != 0)
		return NULL;
	if (!here || !s->tasks[task].commit || !s->tasks[task].base)
		return mem_printf("not landed: task %s is not integrated in session %s (%s)", id, s->sid,
		                  session_task_shown(s, task));
	return s->tasks[task].earlier.n ? mem_printf("not landed: story %s was integrated in %zu parts: land all of the session",
	                                             id, s->tasks[task].earlier.n + 1)
	                                : NULL;
}

char *land_task_fault(struct landing *l, struct err *e)
{
	const struct session *s = l->s;
	AUTO_FREE bool *wanted = mem_array(s->plan.n, sizeof *wanted);

	for (size_t i = 0; l->ask->tasks && i < l->ask->tasks->n; i++) {
		size_t task;
		if (session_task_like(s, l->ask->tasks->v[i], &task, e) != 0)
			return NULL;
		wanted[task] = true;
	}
	for (size_t i = 0; i < s->plan.n; i++) {
		if (!wanted[i])
			continue;
		char *fault = fault_of(s, i, e);
		if (e->kind == ERR_NONE && !fault)
			fault = needs_fault(s, wanted, i);
		if (fault || e->kind != ERR_NONE)
			return fault;
		strv_add(&l->tasks, s->plan.tasks[i].id);
	}
	return NULL;
}

/* The change from `base` to `commit`, on `onto`. */
static int change_onto(struct landing *l, const struct oid *onto, const struct oid *base, const struct oid *commit,
                       const char *id, struct oid *tree, bool *clean, struct err *e)
{
	struct oid from, ours, theirs;

	if (gitx_merge(l->s->site->git, clean, tree, base, onto, commit, e) != 0)
		return -1;
	if (*clean)
		return 0;
	if (commit_stand_in(l->s, &from, base, NULL, e) != 0 || commit_stand_in(l->s, &ours, onto, &from, e) != 0 ||
	    commit_stand_in(l->s, &theirs, commit, &from, e) != 0)
		return -1;
	return land_commit_tree(l, &ours, &theirs, id, tree, clean, e);
}

/* One task, upon l->tip, which is l->onto at first. */
static int add_one(struct landing *l, size_t task, bool *clean, struct err *e)
{
	struct session *s = l->s;
	const struct task_row *row = &s->tasks[task];
	AUTO_STR struct str message = {0};
	struct oid base, commit, tree, before;
	bool there = false;

	if (!oid_parse(&base, row->base) || !oid_parse(&commit, row->commit))
		return err_set(e, ERR_DAMAGED, "task %s has no commit that is recorded", s->plan.tasks[task].id);
	if (change_onto(l, &l->tip, &base, &commit, s->plan.tasks[task].id, &tree, clean, e) != 0)
		return -1;
	if (!*clean)
		return 0;
	l->merged = tree;
	/* As it is, where nothing else comes with it. */
	if (l->tasks.n == 1 && gitx_reaches(s->site->git, &l->onto, &base, &there, e) != 0)
		return -1;
	if (there) {
		l->tip = commit;
		return 0;
	}
	if (gitx_tree_of(s->site->git, &l->tip, &before, e) != 0 || gitx_message(s->site->git, &commit, &message, e) != 0)
		return -1;
	if (strcmp(before.hex, tree.hex) == 0)
		return 0; /* it is there */
	str_addf(&message, "%sBosk-Commit: %s\n", str_ends(str_text(&message), "\n") ? "" : "\n", commit.hex);
	gitx_claim_tree(s->site->git, &tree, &before);
	before = l->tip;
	return land_commit_write(l, &l->tip, &tree, &before, 1, str_text(&message), clean, e);
}

int land_task_commits(struct landing *l, bool *clean, struct err *e)
{
	*clean = true;
	l->tip = l->onto;
	for (size_t i = 0; i < l->tasks.n && *clean; i++)
		if (add_one(l, session_task(l->s, l->tasks.v[i]), clean, e) != 0)
			return -1;
	return 0;
}

/* The commit that was offered before, or was about to be: not another one with the same change. */
static bool known_commit(const struct landing *l, size_t task, struct oid *out)
{
	struct session *s = l->s;
	AUTO_FREE char *key = mem_printf("pr-%06zu", task + 1);
	struct intent_row intent;
	struct err ignored = {0};
	bool open = false;

	if (session_intent(s, key, &intent, &open, &ignored) == 0 && open) {
		bool fine = oid_parse(out, intent.new_tip ? intent.new_tip : "");
		rec_fini(&intent_row_rec, &intent);
		return fine && gitx_has_object(s->site->git, out);
	}
	const struct task_row *row = &s->tasks[task];
	const char *of = row->pr_of ? row->pr_of : !str_eq(row->pushed, row->commit) ? row->pushed : NULL;
	return of && oid_parse(out, of) && gitx_has_object(s->site->git, out);
}

/* The session's gates, on what is offered; what is there already is not. */
static int gates(struct landing *l, size_t task, bool *green, struct err *e)
{
	const struct task_row *row = &l->s->tasks[task];
	struct gitx *g = l->s->site->git;
	size_t n = 1;

	if (str_eq(row->pr_of, l->tip.hex))
		return 0;
	/* What it adds is what is looked at: the target may be further by now. */
	if (str_eq(row->commit, l->tip.hex) ? !oid_parse(&l->onto, row->base)
	                                    : gitx_parents(g, &l->tip, &l->onto, 1, &n, e) != 0 || !n)
		return e->kind != ERR_NONE ? -1 : err_set(e, ERR_DAMAGED, "task %s has no base", l->s->plan.tasks[task].id);
	if (gitx_tree_of(g, &l->tip, &l->merged, e) != 0)
		return -1;
	l->merge = l->tip;
	return land_gates(l, green, e);
}

int land_task_pr(struct landing *l, bool draft, struct err *e)
{
	struct session *s = l->s;
	size_t task = session_task(s, l->tasks.v[0]);
	struct task_row *row = &s->tasks[task];
	const char *id = s->plan.tasks[task].id, *title = s->plan.tasks[task].title;
	AUTO_FREE char *again = land_command(l), *ref = mem_printf("refs/heads/%s", s->row.target);
	AUTO_STR struct str body = {0}, subject = {0};
	bool clean = l->tasks.n == 1, over = false;

	if (!clean)
		land_refuse(l, "a pull request is of one task, or of all of the session: name one with --task");
	if (clean && gitx_ref_read(s->site->git, ref, &l->target, e) != 0)
		return -1;
	if (clean && land_fetch(l, &clean, e) != 0)
		return -1;
	if (clean && land_fetch_onto(l, &clean, e) != 0)
		return -1;
	if (clean && !known_commit(l, task, &l->tip) && land_task_commits(l, &clean, e) != 0)
		return -1;
	if (clean && land_offered(l, &over, e) != 0)
		return -1;
	if (over)
		return 0;
	if (clean && gates(l, task, &clean, e) != 0)
		return -1;
	if (!clean)
		return land_record_refusal(s, str_text(&l->out->text), e);
	if (gitx_message(s->site->git, &l->tip, &body, e) != 0)
		return -1;
	/* Where it is not the task's own commit, its branch may be another's already (push: on). */
	bool own = str_eq(l->tip.hex, row->commit);
	AUTO_FREE char *branch = mem_printf("%s%s%s", row->branch, own ? "" : "-onto-", own ? "" : s->row.target);
	str_addf(&subject, "%s%s%s", id, title ? ": " : "", title ? title : "");
	const struct land_pr pr = {.commit = l->tip.hex,
	                           .branch = branch,
	                           .title = subject.p,
	                           .body = str_text(&body),
	                           .again = again,
	                           .task = task,
	                           .draft = draft,
	                           .config = l->cfg};
	return land_pr_one(s, &pr, l->out, e) != 0 ? -1 : land_record_refusal(s, NULL, e);
}
