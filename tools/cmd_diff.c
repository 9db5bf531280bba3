/* bosk diff TASK: what a task changed. Shown by git, without programs of the repository (promise E2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "page.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/session.h"
#include "worker/exec.h"
#include "worker/git.h"
#include "worker/job.h"

static const struct cmd_option options[] = {
	{"stat", 0, NULL, "names and sizes only"},
};

/* A copy of the worktree's index that knows of new files too: git diff shows those only then, and the
 * running task's own index is not ours to change. The caller owns and unlinks it; NULL = said. */
static char *index_copy(const struct git *g)
{
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *path = mem_printf("%s/bosk-diff-XXXXXX", tmp ? tmp : "/tmp");
	AUTO_STR struct str where = {0}, bytes = {0};
	AUTO_STRV struct strv argv = {0}, env = {0};
	struct err e = {0};
	struct job_result result;

	AUTO_CLOSE int fd = mkstemp(path);
	if (fd < 0 || git_run(g, &where, GIT_ARGS("rev-parse", "--git-path", "index"), &e) != 0) {
		log_error("cannot look at %s: %s", g->cwd, e.text);
		return NULL;
	}
	where.p[strcspn(where.p, "\n")] = '\0';
	if (fs_read(where.p, 1 << 30, &bytes, &e) == 0)
		fs_write_all(fd, bytes.p, bytes.len, &e);
	git_argv(&argv, g, GIT_ARGS("add", "--intent-to-add", "--all", "--", "."));
	if (git_env(&env, g, &e) != 0) {
		log_error("%s", e.text);
		unlink(path);
		return NULL;
	}
	exec_env_set(&env, "GIT_INDEX_FILE", path);
	struct job job = {.argv = (const char *const *)argv.v, .env = env.v, .watch_fd = -1};
	job_run(&job, &result, &e); /* what it could not add is not shown */
	return mem_steal(&path);
}

static int show(const struct cmd_line *l, struct session *s, size_t task)
{
	const struct task_row *row = &s->tasks[task];
	bool running = session_task_state(s, task) == TASK_RUNNING;
	/* Compared with the base: the commit, the worktree while it runs, or what was kept. */
	const char *side = row->commit ? row->commit : running ? NULL : row->kept, *id = s->plan.tasks[task].id;
	uint64_t n = row->worktree;
	AUTO_STRV struct strv args = {0};

	if (!row->base || (!side && !running)) {
		log_error("task %s has changed nothing (it is %s)", id, session_task_shown(s, task));
		return 1;
	}
	const char *tree = n && n <= s->manifest.worktrees.n ? s->manifest.worktrees.v[n - 1] : "";
	if (!side && !fs_is_dir(tree)) {
		log_error("task %s has no worktree now", id);
		return 1;
	}
	struct git g = {.cwd = side ? gitx_top(s->site->git) : tree, .guard = session_guard(s)};
	AUTO_FREE char *index = NULL;
	if (!side && !(index = index_copy(&g)))
		return 4;
	strv_add(&args, "diff");
	strv_add(&args, "--no-ext-diff");
	strv_add(&args, "--no-textconv");
	strv_add(&args, cmd_flag(l, "stat") ? "--stat" : "--patch");
	strv_add(&args, row->base);
	if (side)
		strv_add(&args, side);
	strv_add(&args, "--");
	int code = page_git(&g, (const char *const *)args.v, index);
	if (index)
		unlink(index);
	return code;
}

static int run(const struct cmd_line *l)
{
	struct site site;
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	size_t task = 0;

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = session_find_task(&s, &site, cmd_word(l, 0), &task, &e);
	int code = rc == 0 ? show(l, &s, task) : cmd_fail(&e);
	session_fini(&s);
	site_close(&site);
	return code;
}

const struct cmd cmd_diff_entry = {.name = "diff",
                                   .args = "TASK",
                                   .summary = "what a task changed",
                                   CMD_OPTIONS(options),
                                   .min_rest = 1,
                                   .max_rest = 1,
                                   .run = run};
