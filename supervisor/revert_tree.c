/* revert_tree: the commits that take merges out (declared in revert_private.h). A merge is undone by a merge: from the tree
 * that it made, to the one before it, onto the tip. That goes the way of all merges (merge.h), which look for what both
 * sides come from in the history; so commits of these three trees stand in, whose history says just that. */
#include <string.h>

#include "commit.h"
#include "loop.h"
#include "merge.h"
#include "revert_private.h"
#include "store/base/log.h"
#include "store/base/mem.h"

/* ---- a merge that is waited for ---- */

struct answer {
	struct loop *loop;
	bool there, waited;
	struct merge_result is; /* its paths and reason are ours */
	char *reason;
};

static void answered(void *ctx, const struct merge_result *result)
{
	struct answer *a = ctx;

	a->there = true;
	a->is = (struct merge_result){.kind = result->kind, .tree = result->tree, .no_room = result->no_room};
	strv_copy(&a->is.paths, &result->paths);
	a->reason = mem_strdup(result->reason);
	if (a->waited)
		loop_stop(a->loop);
}

static void answer_fini(struct answer *a)
{
	strv_fini(&a->is.paths);
	free(a->reason);
	a->reason = NULL;
	a->there = a->waited = false;
}

struct maker {
	struct revert *r;
	struct loop *loop;
	struct mergebox box;
	struct answer answer;
};

static int merge(struct maker *m, const struct oid *base, const struct oid *ours, const struct oid *theirs, struct err *e)
{
	answer_fini(&m->answer);
	m->answer.loop = m->loop;
	merge_start(m->loop, &m->box, m->r->s->site, base, ours, theirs, answered, &m->answer);
	m->answer.waited = !m->answer.there;
	return m->answer.there ? 0 : loop_run(m->loop, e);
}

/* ---- one step ---- */

static char *subject_of(const struct session *s, const struct oid *commit)
{
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	gitx_message(s->site->git, commit, &text, &ignored);
	return mem_strndup(str_text(&text), strcspn(str_text(&text), "\n"));
}

/* *clean false: it cannot be signed, which was said. */
static int write_commit(struct revert *r, struct revert_step *step, const struct oid *before, const struct oid *tree,
                        bool *clean, struct err *e)
{
	struct session *s = r->s;
	struct commit_made made;
	AUTO_STR struct str text = {0};
	AUTO_FREE char *subject = subject_of(s, &step->merge);

	str_addf(&text, "Revert \"%s\"\n\nThis reverts commit %s", subject, step->merge.hex);
	if (!str_eq(s->tasks[step->task].commit, step->merge.hex))
		str_addf(&text, ", reversing\nchanges made to %s", before->hex);
	str_add(&text, ".\n\n");
	if (!oid_none(&step->by_hand))
		str_addf(&text, "It was reverted by hand before, in commit %s.\n\n", step->by_hand.hex);
	str_addf(&text, "Bosk-Session: %s\nBosk-Queue: %s\nBosk-Task: %s\n" REVERT_TRAILER ": %s\n", s->sid, s->row.queue,
	         s->plan.tasks[step->task].id, step->merge.hex);
	int rc = commit_now(s, &(struct commit_want){tree, &r->tip, 1, text.p}, &made, e);
	*clean = rc == 0 && !oid_none(&made.id);
	if (*clean)
		step->commit = r->tip = made.id;
	else if (rc == 0)
		revert_refuse(r, "not taken out: the commit of that cannot be signed: %s (sign.fallback is refuse)", made.why);
	if (*clean && made.why) {
		commit_told(s, 1, made.why);
		log_warn("the commit that takes %s out is not signed: %s", s->plan.tasks[step->task].id, made.why);
	}
	free(made.why);
	return rc;
}

/* Integrated after it, and changed one of the paths. */
static void name_later(struct revert *r, const struct revert_step *step, const struct strv *paths)
{
	struct session *s = r->s;
	struct gitx *g = s->site->git;
	struct oid at = r->from, parents[2];
	struct err ignored = {0};
	size_t n = 1;

	for (; n && strcmp(at.hex, step->merge.hex) != 0; at = parents[0]) {
		AUTO_STRV struct strv changed = {0};
		AUTO_FREE char *task = gitx_trailer(g, &at, "Bosk-Task"), *taken = gitx_trailer(g, &at, REVERT_TRAILER);
		struct oid before, after;
		bool ours = false;
		for (size_t i = 0; i < r->n; i++)
			ours |= strcmp(r->steps[i].merge.hex, at.hex) == 0;
		if (gitx_parents(g, &at, parents, 2, &n, &ignored) != 0 || !n)
			return;
		if (ours || gitx_tree_of(g, &parents[0], &before, &ignored) != 0 || gitx_tree_of(g, &at, &after, &ignored) != 0 ||
		    gitx_diff_paths(g, &before, &after, 0, &changed, &ignored) != 0)
			continue;
		for (size_t i = 0; i < paths->n; i++)
			if (strv_has(&changed, paths->v[i]))
				revert_refuse(r, "\n  %s: changed later by %s%s (%.12s)", paths->v[i],
				              taken ? "the revert of " : task ? "task " : "a commit that bosk did not make", task ? task : "", at.hex);
	}
}

/* It is recorded when the same command is given again. */
static void by_hand(struct revert *r)
{
	const struct session *s = r->s;
	AUTO_FREE char *path = mem_printf("%s/%s-by-hand", s->row.worktrees_dir, s->sid);

	revert_refuse(r, "\nby hand:\n  git worktree add %s %s\n  git -C %s revert -m 1", path, s->manifest.integration_branch, path);
	for (size_t i = 0; i < r->n; i++)
		if (oid_none(&r->steps[i].by_hand))
			revert_refuse(r, " %.12s", r->steps[i].merge.hex);
	revert_refuse(r, "\n  mend the files there, then git add and git revert --continue\n  git worktree remove %s\n"
	              "  bosk revert %s/%s%s", path, s->sid, s->plan.tasks[r->task].id, r->n > 1 ? " --with-dependents" : "");
}

static void tell_conflict(struct revert *r, const struct revert_step *step, const struct strv *paths)
{
	revert_refuse(r, "not taken out: what %s changed was changed again since, in", r->s->plan.tasks[step->task].id);
	for (size_t i = 0; i < paths->n; i++)
		revert_refuse(r, "%s %s", i ? "," : "", paths->v[i]);
	revert_refuse(r, "; nothing was changed");
	name_later(r, step, paths);
	by_hand(r);
}

static int make_one(struct maker *m, struct revert_step *step, bool *clean, struct err *e)
{
	struct revert *r = m->r;
	struct gitx *g = r->s->site->git;
	struct oid parents[2], base, ours, theirs, tree;
	size_t n = 0;

	if (gitx_parents(g, &step->merge, parents, 2, &n, e) != 0 || !n)
		return n ? -1 : err_set(e, ERR_DAMAGED, "%.12s has no parent", step->merge.hex);
	if (!oid_none(&step->by_hand)) {
		if (gitx_tree_of(g, &r->tip, &tree, e) != 0)
			return -1;
	} else {
		if (commit_stand_in(r->s, &base, &step->merge, NULL, e) != 0 ||
		    commit_stand_in(r->s, &ours, &r->tip, &base, e) != 0 ||
		    commit_stand_in(r->s, &theirs, &parents[0], &base, e) != 0 || merge(m, &base, &ours, &theirs, e) != 0)
			return -1;
		const struct merge_result *is = &m->answer.is;
		*clean = is->kind == MERGE_CLEAN;
		if (is->kind == MERGE_FAILED && is->no_room)
			return err_set(e, ERR_STARVED, "git could not undo a merge: %s", m->answer.reason);
		if (is->kind == MERGE_FAILED)
			revert_refuse(r, "not taken out: git could not undo the merge of %s: %s", r->s->plan.tasks[step->task].id,
			              m->answer.reason);
		if (is->kind == MERGE_CONFLICT)
			tell_conflict(r, step, &is->paths);
		if (!*clean)
			return 0;
		tree = is->tree;
	}
	return write_commit(r, step, &parents[0], &tree, clean, e);
}

int revert_commits(struct revert *r, bool *clean, struct err *e)
{
	struct session *s = r->s;
	struct maker m = {.r = r};
	AUTO_FREE char *name = mem_printf("%s-revert", s->sid);
	struct config config = {0};
	struct plan_faults faults = {0};

	*clean = true;
	r->tip = r->from;
	int rc = loop_open(&m.loop, e);
	if (rc == 0)
		rc = mergebox_init(&m.box, s->site, name, e);
	if (rc == 0 && config_load_sources(&config, &s->row.config, &faults) == 0 && config.merge_drivers)
		m.box.runs = &s->row.git_config;
	plan_faults_fini(&faults);
	config_fini(&config);
	m.box.guard = session_guard(s);
	for (size_t i = 0; rc == 0 && *clean && i < r->n; i++)
		rc = make_one(&m, &r->steps[i], clean, e);
	answer_fini(&m.answer);
	child_close_all();
	mergebox_fini(&m.box);
	loop_close(m.loop);
	return rc;
}
