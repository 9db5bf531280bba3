/* bosk path TASK */
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "supervisor/own.h"
#include "supervisor/session.h"

static int run(const struct cmd_line *l)
{
	struct site site;
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	size_t task = 0;
	int code = 0;

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = session_find_task(&s, &site, cmd_word(l, 0), &task, &e);
	if (rc != 0) {
		code = cmd_fail(&e);
	} else {
		/* In one of its own nobody else works afterwards. */
		size_t own = own_place(&s, task);
		uint64_t n = own != SIZE_MAX ? own + 1 : s.tasks[task].worktree;
		const char *path = n && n <= s.manifest.worktrees.n ? s.manifest.worktrees.v[n - 1] : NULL;
		if (path && fs_is_dir(path) && (own != SIZE_MAX || session_task_state(&s, task) == TASK_RUNNING)) {
			/* For a script as it is, for a person as on every terminal. */
			AUTO_STR struct str line = {0};
			str_addf(&line, "%s\n", path);
			if (isatty(STDOUT_FILENO))
				cmd_print(&line);
			else
				fwrite(line.p, 1, line.len, stdout);
		} else {
			log_error("task %s has no worktree now (it is %s%s%s)", s.plan.tasks[task].id,
			          session_task_shown(&s, task), s.tasks[task].kept ? "; its work is on branch " : "",
			          s.tasks[task].kept ? s.tasks[task].kept : "");
			code = 1;
		}
	}
	session_fini(&s);
	site_close(&site);
	return code;
}

const struct cmd cmd_path_entry = {.name = "path",
                                   .args = "TASK",
                                   .summary = "where a task's worktree is",
                                   .min_rest = 1,
                                   .max_rest = 1,
                                   .run = run};
