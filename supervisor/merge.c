/* merge: merging through `git merge-tree`, one process per merge (never --stdin: it aborts on some
 * inputs and would take the others with it, architecture 9 step 2). */
#include "merge.h"

#include <string.h>
#include <sys/wait.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/exec.h"
#include "worker/git.h"

enum { TIMEOUT_MS = 10 * 60 * 1000 };

struct merge {
	merge_fn *fn;
	void *ctx;
};

void merge_parse(struct merge_result *out, int wait_status, const char *bytes, size_t n)
{
	*out = (struct merge_result){.kind = MERGE_FAILED, .reason = "git merge-tree died"};
	if (!WIFEXITED(wait_status))
		return;
	int status = WEXITSTATUS(wait_status);
	out->reason = "git merge-tree failed";
	if (status != 0 && status != 1)
		return;
	/* Exit 1 also means an unknown revision: only a full id first tells a conflict from that. */
	size_t first = strnlen(bytes, n);
	out->reason = "git merge-tree named no tree";
	if (first == n || !oid_parse(&out->tree, bytes))
		return;
	if (status == 0) {
		out->kind = MERGE_CLEAN;
		return;
	}
	out->kind = MERGE_CONFLICT;
	/* The conflicting paths follow, each ended by NUL, until an empty one. */
	for (size_t i = first + 1; i < n && bytes[i];) {
		if (!strv_has(&out->paths, bytes + i))
			strv_add(&out->paths, bytes + i);
		i += strnlen(bytes + i, n - i) + 1;
	}
}

static void merged(void *ctx, const struct child_result *child)
{
	struct merge *m = ctx;
	struct merge_result result;
	AUTO_STR struct str reason = {0};

	merge_parse(&result, child->wait_status, child->out, child->out_n);
	if (result.kind == MERGE_FAILED && *child->err) {
		str_addf(&reason, "%s: %.300s", result.reason, child->err);
		result.reason = reason.p;
	}
	m->fn(m->ctx, &result);
	strv_fini(&result.paths);
	free(m);
}

void merge_command(struct site *site, const char *scratch, const struct oid *tip,
                   const struct oid *commit, struct strv *argv, struct strv *env)
{
	struct git g = {.cwd = scratch};

	git_argv(argv, &g,
	         GIT_ARGS("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", tip->hex,
	                  commit->hex));
	git_env(env);
	exec_env_set(env, "GIT_DIR", gitx_common_dir(site->git));
	exec_env_set(env, "GIT_WORK_TREE", scratch);
}

void merge_start(struct loop *l, struct site *site, const struct oid *base, const struct oid *tip,
                 const struct oid *commit, merge_fn *fn, void *ctx)
{
	AUTO_STRV struct strv argv = {0}, env = {0};
	AUTO_FREE char *scratch = site_path(site, "tmp/merge");
	struct merge_result failed = {.kind = MERGE_FAILED};
	struct err e = {0};
	pid_t pid;

	(void)base; /* recorded at dispatch for the in-process merge; git finds it by itself */
	struct merge *m = mem_alloc(sizeof *m);
	*m = (struct merge){fn, ctx};
	merge_command(site, scratch, tip, commit, &argv, &env);
	struct child_spec spec = {.argv = (const char *const *)argv.v,
	                          .cwd = scratch,
	                          .env = env.v,
	                          .timeout_ms = TIMEOUT_MS};
	if (fs_mkdirs(scratch, &e) == 0 && child_start(l, &spec, &pid, merged, m, &e) == 0)
		return;
	free(m);
	failed.reason = e.text;
	fn(ctx, &failed);
}
