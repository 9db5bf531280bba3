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

/* git merges `commit` onto the target. The caller frees the paths; `text`: what git said. */
static int run_merge(struct landing *l, const struct oid *commit, struct merge_result *merged, struct str *text,
                     struct err *e)
{
	struct session *s = l->s;
	AUTO_FREE char *name = mem_printf("%s-land", s->sid);
	struct mergebox box = {0};
	AUTO_STRV struct strv argv = {0}, env = {0};
	AUTO_STR struct str out = {0};
	struct job_result result;
	struct config config = {0};
	struct plan_faults faults = {0};

	if (mergebox_init(&box, s->site, name, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	if (config_load_sources(&config, &s->row.config, &faults) == 0 && config.merge_drivers)
		box.runs = &s->row.git_config;
	config_fini(&config);
	plan_faults_fini(&faults);
	if (mergebox_attributes(&box, s->site, &l->target, e) != 0) {
		mergebox_fini(&box);
		return -1;
	}
	box.guard = session_guard(s);
	if (mergebox_command(&box, s->site, &l->target, commit, &argv, &env, e) != 0) {
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
		if (!merge_damaged(s->site, &l->target, merged, str_text(text)))
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
	int rc = run_merge(l, &without, &again, &text, e);
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
static int write_merge(struct landing *l, const struct oid *tree, const char *message, bool *clean, struct err *e)
{
	struct session *s = l->s;
	struct oid parents[2] = {l->target, l->tip};
	struct commit_made made;

	if (commit_now(s, &(struct commit_want){tree, parents, 2, message}, &made, e) != 0) {
		free(made.why);
		return -1;
	}
	*clean = !oid_none(&made.id);
	l->merge = made.id;
	if (!*clean)
		land_refuse(l, "not landed: the merge cannot be signed: %s (sign.fallback is refuse)\n  then: bosk land %s "
		            "--merge", made.why, s->sid);
	else
		commit_told(s, made.why != NULL, made.why);
	free(made.why);
	return 0;
}

int land_commit(struct landing *l, bool *clean, struct err *e)
{
	struct session *s = l->s;
	AUTO_STRV struct strv tasks = {0};
	AUTO_STR struct str text = {0}, message = {0};
	struct merge_result merged = {0};

	*clean = false;
	if (run_merge(l, &l->tip, &merged, &text, e) != 0)
		return -1;
	if (merged.kind == MERGE_CONFLICT && merge_states(l, &merged, e) != 0) {
		strv_fini(&merged.paths);
		return -1;
	}
	if (merged.kind == MERGE_CONFLICT) {
		land_refuse(l, "not landed: %s and %s conflict in", s->row.target, s->manifest.integration_branch);
		for (size_t i = 0; i < merged.paths.n; i++)
			land_refuse(l, "%s %s", i ? "," : "", merged.paths.v[i]);
		land_refuse(l, "; merge it by hand: git switch %s && git merge %s", s->row.target,
		       s->manifest.integration_branch);
	} else if (merged.kind == MERGE_FAILED && err_no_room(git_said_kind(str_text(&text)))) {
		return err_set(e, ERR_NOSPACE, "not landed: %s: %.300s", merged.reason, str_text(&text));
	} else if (merged.kind == MERGE_FAILED) {
		land_refuse(l, "not landed: %s: %.300s", merged.reason, str_text(&text));
	}
	*clean = merged.kind == MERGE_CLEAN;
	strv_fini(&merged.paths);
	if (!*clean)
		return 0;
	if (land_tasks(&tasks, s, e) != 0)
		return -1;
	str_addf(&message, "Merge %zu task%s of bosk session %s\n\n", tasks.n, tasks.n == 1 ? "" : "s", s->sid);
	for (size_t i = 0; i < tasks.n; i++)
		str_addf(&message, "* %s\n", tasks.v[i]);
	str_addf(&message, "\nBosk-Session: %s\nBosk-Queue: %s\n", s->sid, s->row.queue);
	struct oid known;
	if (gitx_tree_of(s->site->git, &l->tip, &known, e) != 0)
		return -1;
	gitx_claim_tree(s->site->git, &merged.tree, &known);
	return write_merge(l, &merged.tree, message.p, clean, e);
}

