/* land_commit: the merge commit that a landing brings the target to: its objects, no ref is moved. */
#include <signal.h>
#include <string.h>

#include "commit.h"
#include "land_private.h"
#include "merge.h"
#include "store/base/mem.h"
#include "worker/job.h"

enum { MERGE_TIMEOUT_MS = 10 * 60 * 1000 };

int land_tasks(struct strv *out, const struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		bool here;
		if (session_task_state(s, i) != TASK_INTEGRATED)
			continue;
		if (session_brings(&here, s, i, e) != 0)
			return -1;
		const struct task_def *t = &s->plan.tasks[i];
		if (here)
			strv_addf(out, "%s%s%s", t->id, t->title ? ": " : "", t->title ? t->title : "");
	}
	return 0;
}

/* git merges `commit` onto `onto`. The caller frees the paths; `text`: what git said. */
static int run_merge(struct landing *l, const struct oid *onto, const struct oid *commit, struct merge_result *merged,
                     struct str *text, struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *name = mem_printf("%s-land", s->sid);
	struct mergebox box = {0};
	AUTO_STRV struct strv argv = {0}, env = {0};
	AUTO_STR struct str out = {0};
	struct job_result result;

	if (mergebox_init(&box, s->site, name, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	if (l->cfg->merge_drivers)
		box.runs = &s->row.git_config;
	if (mergebox_attributes(&box, s->site, &l->onto, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	box.guard = session_guard(s);
	if (mergebox_command(&box, s->site, onto, commit, &argv, &env, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	struct job job = {.argv = (const char *const *)argv.v,
	                  .env = env.v,
	                  .out = &out,
	                  .err = text,
	                  .capture_max = 16 << 20,
	                  .timeout_ms = MERGE_TIMEOUT_MS,
	                  .watch_fd = -1};
	int rc = 0;
	for (int tries = 0; tries < MERGE_TRIES; tries++) {
		str_clear(&out);
		str_clear(text);
		if ((rc = job_run(&job, &result, e)) != 0)
			break;
		/* As waitpid would say it, which is what merge_parse reads. */
		merge_parse(merged, result.end == JOB_EXITED ? result.status << 8 : SIGKILL, str_text(&out), out.len);
		if (!merge_damaged(s->site, onto, merged, str_text(text)))
			break;
		strv_fini(&merged->paths);
	}
	mergebox_fini(&box);
	return rc != 0 ? err_wrap(e, "cannot merge") : 0;
}

/* In conflict: perhaps about the states of stories alone. Then *merged is clean. */
static int merge_states(struct landing *l, struct merge_result *merged, struct err *e)
{
	struct merge_result again = {0};
	AUTO_STRV struct strv texts = {0};
	AUTO_STR struct str text = {0};
	struct oid without, known;
	bool can = false;

	if (land_sprint_without(l, &merged->paths, &without, &texts, &can, e) != 0)
		return -1;
	if (!can)
		return 0;
	int rc = run_merge(l, &l->onto, &without, &again, &text, e);
	strv_fini(&again.paths);
	if (rc != 0 || again.kind != MERGE_CLEAN)
		return rc;
	if (gitx_tree_of(l->s->site->git, &l->tip, &known, e) != 0)
		return -1;
	gitx_claim_tree(l->s->site->git, &again.tree, &known);
	merged->kind = MERGE_CLEAN;
	merged->tree = again.tree;
	return land_sprint_put(l, &merged->paths, &texts, &merged->tree, e);
}

/* *clean false: it cannot be signed, which was said. */
int land_commit_write(struct landing *l, struct oid *out, const struct oid *tree, const struct oid *parents, size_t n,
                      const char *message, bool *clean, struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *again = land_command(l);
	struct commit_made made;

	int rc = commit_now(s, &(struct commit_want){tree, parents, n, message}, &made, e);
	AUTO_FREE char *why = made.why;
	if (rc != 0)
		return -1;
	*clean = !oid_none(&made.id);
	*out = made.id;
	if (!*clean)
		return land_refuse(l, "not landed: the merge cannot be signed: %s (sign.fallback is refuse)\n  then: %s", why, again);
	commit_told(s, why != NULL, why);
	return 0;
}

static int say_conflict(struct landing *l, const struct merge_result *merged, const char *what)
{
	l->falls = true;
	land_refuse(l, "not landed: %s and %s conflict in", l->s->row.target, what);
	for (size_t i = 0; i < merged->paths.n; i++)
		land_refuse(l, "%s %s", i ? "," : "", merged->paths.v[i]);
	if (l->tasks.n)
		return land_refuse(l, "; land all of the session, or merge by hand");
	return land_refuse(l, "; merge it by hand: git switch %s && git merge %s", l->s->row.target, what);
}

int land_commit_tree(struct landing *l, const struct oid *onto, const struct oid *commit, const char *what, struct oid *tree,
                     bool *clean, struct err *e)
{
	AUTO_STR struct str text = {0};
	struct merge_result merged = {0};

	*clean = false;
	if (run_merge(l, onto, commit, &merged, &text, e) != 0)
		return -1;
	int rc = merged.kind == MERGE_CONFLICT && !l->tasks.n ? merge_states(l, &merged, e) : 0;
	if (rc == 0 && merged.kind == MERGE_CONFLICT)
		say_conflict(l, &merged, what);
	else if (rc == 0 && merged.kind == MERGE_FAILED && err_no_room(git_said_kind(str_text(&text))))
		rc = err_set(e, ERR_NOSPACE, "not landed: %s: %.300s", merged.reason, str_text(&text));
	else if (rc == 0 && merged.kind == MERGE_FAILED)
		land_refuse(l, "not landed: %s: %.300s", merged.reason, str_text(&text));
	strv_fini(&merged.paths);
	*clean = rc == 0 && merged.kind == MERGE_CLEAN;
	*tree = merged.tree;
	return rc;
}

/* The message's subject, and a line for each task. */
static int describe(const struct landing *l, struct str *message, struct err *e)
{
	const struct session *s = l->s;
	AUTO_STRV struct strv tasks = {0};
	AUTO_STR struct str trailers = {0};

	str_addf(&trailers, "\nBosk-Session: %s\nBosk-Queue: %s\n", s->sid, s->row.queue);
	for (size_t i = 0; i < l->tasks.n; i++) {
		const struct task_def *t = &s->plan.tasks[session_task(s, l->tasks.v[i])];
		strv_addf(&tasks, "%s%s%s", t->id, t->title ? ": " : "", t->title ? t->title : "");
		str_addf(&trailers, "Bosk-Task: %s\n", t->id);
	}
	if (!l->tasks.n && land_tasks(&tasks, s, e) != 0)
		return -1;
	if (l->tasks.n == 1)
		str_addf(message, "Merge task %s\n", tasks.v[0]);
	else
		str_addf(message, "Merge %zu task%s of bosk session %s\n\n", tasks.n, tasks.n == 1 ? "" : "s", s->sid);
	for (size_t i = 0; l->tasks.n != 1 && i < tasks.n; i++)
		str_addf(message, "* %s\n", tasks.v[i]);
	str_add(message, trailers.p);
	return 0;
}

int land_commit(struct landing *l, bool *clean, struct err *e)
{
	struct session *s = l->s;
	AUTO_STR struct str message = {0};
	struct oid parents[2] = {l->onto, l->tip}, tree = l->merged, known;

	*clean = l->tasks.n > 0;
	if (!l->tasks.n && land_commit_tree(l, &l->onto, &l->tip, s->manifest.integration_branch, &tree, clean, e) != 0)
		return -1;
	if (!*clean)
		return 0;
	l->merged = tree;
	if (describe(l, &message, e) != 0 || gitx_tree_of(s->site->git, &l->tip, &known, e) != 0)
		return -1;
	gitx_claim_tree(s->site->git, &tree, &known);
	return land_commit_write(l, &l->merge, &tree, parents, 2, message.p, clean, e);
}
