/* git: running the git command with the repository's own programs switched off. */
#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "exec.h"
#include "job.h"
#include "planted.h"
#include "secret.h"
#include "store/base/mem.h"

enum { TIMEOUT_MS = 15 * 60 * 1000, OUTPUT_MAX = 64 << 20 };

void git_argv(struct strv *argv, const struct git *g, const char *const *args)
{
	/* Each of these is a program or a side effect that the repository's configuration could ask
	 * for and that nobody asked bosk for. */
	static const char *const settings[] = {
		"core.hooksPath=/dev/null", "core.fsmonitor=false",     "gc.auto=0",
		"maintenance.auto=false",   "submodule.recurse=false",  "advice.detachedHead=false",
		"core.fsync=committed,reference", "protocol.ext.allow=never", "core.pager=cat",
		/* Worktrees work side by side as it is: threads within one only add to what each costs. */
		"core.preloadIndex=false", "index.threads=1",
	};

	strv_add(argv, "git");
	strv_add(argv, "-C");
	strv_add(argv, g->cwd);
	for (size_t i = 0; i < MEM_COUNT(settings); i++) {
		strv_add(argv, "-c");
		strv_add(argv, settings[i]);
	}
	for (size_t i = 0; g->extra && i < g->extra->n; i++) {
		strv_add(argv, "-c");
		strv_add(argv, g->extra->v[i]);
	}
	for (; *args; args++)
		strv_add(argv, *args);
}

/* How the user's git reaches others. An ssh of git's own choice would wait for somebody to type a password. */
static void add_remote(struct strv *env, const struct git *g)
{
	static const char *const keep[] = {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS"};
	struct git here = *g;
	struct err ignored = {0};
	int status = -1;

	for (size_t i = 0; i < MEM_COUNT(keep); i++)
		if (getenv(keep[i]))
			exec_env_set(env, keep[i], getenv(keep[i]));
	here.remote = false;
	if (!getenv("GIT_SSH") && !getenv("GIT_SSH_COMMAND") &&
	    git_try(&here, &status, NULL, NULL, GIT_ARGS("config", "--get", "core.sshCommand"), &ignored) == 0 && status != 0)
		exec_env_set(env, "GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
}

int git_env(struct strv *env, const struct git *g, struct err *e)
{
	/* Where the user keeps git's settings is no pointer to another repository: it stays. */
	static const char *const keep[] = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
	                                   "GIT_CONFIG_NOSYSTEM"};

	exec_clean_env(env);
	for (size_t i = 0; i < MEM_COUNT(keep); i++)
		if (getenv(keep[i]))
			exec_env_set(env, keep[i], getenv(keep[i]));
	exec_env_set(env, "GIT_TERMINAL_PROMPT", "0");
	exec_env_set(env, "GIT_EDITOR", "true");
	exec_env_set(env, "GIT_PAGER", "cat");
	exec_env_set(env, "GIT_PROXY_COMMAND", ""); /* the first core.gitProxy counts: no override helps */
	exec_env_set(env, "GIT_OPTIONAL_LOCKS", "0");
	exec_env_set(env, "LC_ALL", "C");
	if (g->index_file)
		exec_env_set(env, "GIT_INDEX_FILE", g->index_file);
	if (g->remote)
		add_remote(env, g);
	if (!g->guard)
		return 0;
	if (planted_check(g->guard, g->cwd, e) != 0)
		return -1;
	planted_env(g->guard, env);
	return 0;
}

int git_try(const struct git *g, int *status, struct str *out, struct str *text,
            const char *const *args, struct err *e)
{
	AUTO_STRV struct strv argv = {0}, env = {0};
	struct job_result result;

	git_argv(&argv, g, args);
	if (git_env(&env, g, e) != 0)
		return -1;
	struct job job = {
		.argv = (const char *const *)argv.v,
		.env = env.v,
		.stdin_path = g->stdin_path,
		.keep_fd = g->keep_fd,
		.timeout_ms = g->timeout_ms ? g->timeout_ms : TIMEOUT_MS,
		.grace_ms = 2000,
		.out = out,
		.err = text,
		.capture_max = OUTPUT_MAX,
		.watch_fd = g->watch ? g->watch_fd : -1,
		.watch = g->watch,
		.ctx = g->ctx,
	};
	if (job_run(&job, &result, e) != 0)
		return err_wrap(e, "cannot run git %s", args[0]);
	switch (result.end) {
	case JOB_EXITED:
		*status = result.status;
		return 0;
	case JOB_SIGNALED:
		return err_set(e, ERR_ENV, "git %s in %s died of signal %d", args[0], g->cwd,
		               result.status);
	case JOB_STOPPED:
		return err_set(e, ERR_GONE, "git %s was stopped", args[0]);
	default:
		return err_set(e, ERR_ENV, "git %s in %s did not end in %llu s", args[0], g->cwd,
		               (unsigned long long)(job.timeout_ms / 1000));
	}
}

enum err_kind git_said_kind(const char *text)
{
	static const int starved[] = {EMFILE, ENFILE, ENOMEM, EAGAIN};

	if (strstr(text, "No space left") || strstr(text, "Out of diskspace") || strstr(text, strerror(EIO)))
		return ERR_NOSPACE;
	for (size_t i = 0; i < MEM_COUNT(starved); i++)
		if (strstr(text, strerror(starved[i])))
			return ERR_STARVED;
	return ERR_ENV;
}

int git_run(const struct git *g, struct str *out, const char *const *args, struct err *e)
{
	AUTO_STR struct str text = {0};
	int status;

	if (git_try(g, &status, out, &text, args, e) != 0)
		return -1;
	if (status == 0)
		return 0;
	secret_hide(&text); /* a remote's URL; before it is cut in the middle of one */
	str_keep_tail(&text, 600);
	while (text.len && text.p[text.len - 1] == '\n')
		text.p[--text.len] = '\0';
	return err_code(e, git_said_kind(str_text(&text)), status, "git %s in %s failed (exit %d): %s",
	                args[0], g->cwd, status, str_text(&text));
}

int git_version(unsigned *major, unsigned *minor, struct err *e)
{
	AUTO_STR struct str out = {0};
	struct git g = {.cwd = "/"};

	if (git_run(&g, &out, GIT_ARGS("version"), e) != 0)
		return err_wrap(e, "bosk needs git >= 2.38 on the PATH");
	if (sscanf(str_text(&out), "git version %u.%u", major, minor) != 2)
		return err_set(e, ERR_ENV, "cannot read the output of git version: %s", str_text(&out));
	if (*major < 2 || (*major == 2 && *minor < 38))
		return err_set(e, ERR_ENV, "git %u.%u is too old: bosk needs git >= 2.38 (merge-tree)",
		               *major, *minor);
	return 0;
}

int git_lock(const struct git *g, const char *path, int *out, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct job_result result;

	if (fd < 0)
		return err_sys(e, "cannot open the lock %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*out = mem_steal_fd(&fd);
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return err_sys(e, "cannot lock %s", path);
	/* flock(1) waits in our place on the same open file, so the lock it gets is ours, and the
	 * wait can be watched and ended like any other job. */
	AUTO_FREE char *number = mem_printf("%d", fd);
	struct job job = {
		.argv = GIT_ARGS("flock", "--exclusive", number),
		.keep_fd = fd,
		.timeout_ms = g->timeout_ms,
		.watch_fd = g->watch ? g->watch_fd : -1,
		.watch = g->watch,
		.ctx = g->ctx,
	};
	if (job_run(&job, &result, e) != 0)
		return err_wrap(e, "cannot wait for the lock %s", path);
	if (result.end == JOB_TIMEOUT)
		return err_set(e, ERR_HELD, "another bosk has held %s for %llu s", path,
		               (unsigned long long)(g->timeout_ms / 1000));
	if (result.end != JOB_EXITED || result.status != 0)
		return err_set(e, ERR_GONE, "the wait for the lock %s was ended", path);
	*out = mem_steal_fd(&fd);
	return 0;
}
