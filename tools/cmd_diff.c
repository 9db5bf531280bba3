/* bosk diff TASK: what a task changed. Shown by git, without programs of the repository (promise E2). */
#include <unistd.h>

#include "cmd.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/session.h"
#include "worker/exec.h"
#include "worker/git.h"

static const struct cmd_option options[] = {
	{"stat", 0, NULL, "names and sizes only", false},
};

static int show(const struct cmd_line *l, const struct session *s, size_t task)
{
	const struct task_row *row = &s->tasks[task];
	bool running = session_task_state(s, task) == TASK_RUNNING;
	/* Compared with the base: the commit, the worktree while it runs, or what was kept. */
	const char *side = row->commit ? row->commit : running ? NULL : row->kept, *id = s->plan.tasks[task].id;
	uint64_t n = row->worktree;
	AUTO_STRV struct strv argv = {0}, env = {0};

	if (!row->base || (!side && !running)) {
		log_error("task %s has changed nothing (it is %s)", id, session_task_shown(s, task));
		return 1;
	}
	const char *tree = n && n <= s->manifest.worktrees.n ? s->manifest.worktrees.v[n - 1] : "";
	if (!side && !fs_is_dir(tree)) {
		log_error("task %s has no worktree now", id);
		return 1;
	}
	struct git g = {.cwd = side ? gitx_top(s->site->git) : tree};
	git_argv(&argv, &g,
	         GIT_ARGS("--no-pager", "diff", "--no-ext-diff", "--no-textconv",
	                  cmd_flag(l, "stat") ? "--stat" : "--patch", row->base));
	if (side)
		strv_add(&argv, side);
	strv_add(&argv, "--");
	git_env(&env);
	execvpe("git", argv.v, env.v);
	log_error("cannot run git");
	return 4;
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
