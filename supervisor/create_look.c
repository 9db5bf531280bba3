/* create_look: what a run starts from - target, base, identity, the folder of the worktrees (declared in
 * create.h). Looks, changes nothing. */
#include "create.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "borrow.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/exec.h"
#include "worker/git.h"
#include "worker/job.h"

void create_base_fini(struct create_base *b)
{
	free(b->target);
	free(b->author);
	free(b->worktrees_dir);
	free(b->borrowed);
	free(b->borrowed_head);
	*b = (struct create_base){0};
}

/* "Name <mail>" as `git var GIT_COMMITTER_IDENT` says it, environment included, guesses excluded. */
static char *identity(const struct site *site, struct err *e)
{
	static const char *const names[] = {"GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"};
	AUTO_STRV struct strv argv = {0}, env = {0};
	AUTO_STR struct str out = {0};
	struct git g = {.cwd = gitx_top(site->git)};
	struct job_result result;

	git_argv(&argv, &g, GIT_ARGS("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"));
	if (git_env(&env, &g, e) != 0)
		return NULL;
	for (size_t i = 0; i < MEM_COUNT(names); i++)
		if (getenv(names[i]))
			exec_env_set(&env, names[i], getenv(names[i]));
	struct job job = {.argv = (const char *const *)argv.v,
	                  .env = env.v,
	                  .out = &out,
	                  .watch_fd = -1,
	                  .timeout_ms = 60000};
	if (job_run(&job, &result, e) != 0)
		return NULL;
	char *end = out.p ? strrchr(out.p, '>') : NULL;
	if (result.end != JOB_EXITED || result.status != 0 || !end) {
		err_set(e, ERR_ENV,
		        "git does not know who commits. Say it once, then run bosk again:\n"
		        "  git config --global user.name \"Your Name\"\n"
		        "  git config --global user.email you@example.org");
		return NULL;
	}
	end[1] = '\0';
	return mem_strdup(out.p);
}

/* The nearest folder on the way to `path` that exists; the caller owns it. */
static char *nearest(const char *path)
{
	char *at = mem_strdup(path);
	for (char *slash; !fs_exists(at) && (slash = strrchr(at, '/')) && slash != at;)
		*slash = '\0';
	return at;
}

/* The configured folder, {repo} filled in, relative to the main worktree; where its parent cannot be
 * written, below $XDG_STATE_HOME/bosk. */
static int worktrees_dir(struct create_base *out, const struct site *site, const char *pattern,
                         struct err *e)
{
	const char *top = gitx_main_top(site->git), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	AUTO_FREE char *top_copy = mem_strdup(top);
	const char *repo = basename(top_copy);
	AUTO_STR struct str path = {0};

	if (pattern[0] != '/')
		str_addf(&path, "%s/", top);
	for (const char *p = pattern; *p;) {
		bool hole = str_starts(p, "{repo}");
		if (hole)
			str_add(&path, repo);
		else
			str_addc(&path, *p);
		p += hole ? strlen("{repo}") : 1;
	}
	AUTO_FREE char *at = nearest(path.p);
	if (access(at, W_OK | X_OK) != 0) {
		out->fallback_dir = true;
		str_clear(&path);
		if (state && *state == '/')
			str_addf(&path, "%s/bosk/%s", state, repo);
		else
			str_addf(&path, "%s/.local/state/bosk/%s", home ? home : "/tmp", repo);
		free(at);
		at = nearest(path.p);
	}
	/* git and the store must name the same path: resolve what exists of it. Made later. */
	AUTO_FREE char *real = realpath(at, NULL);
	if (!real)
		return err_sys(e, "worktrees.dir %s", path.p);
	out->worktrees_dir = mem_printf("%s%s", real, path.p + strlen(at));
	if (strchr(out->worktrees_dir, '\n'))
		return err_set(e, ERR_ENV, "git cannot keep worktrees in a folder whose name has a newline: %s; "
		               "set worktrees.dir", out->worktrees_dir);
	return 0;
}

/* git moves the branch that it stands for, bosk would not find that checked out: the name is the user's to say. */
static int refuse_symbolic(const struct create_base *b, const struct site *site, const char *ref, bool given, struct err *e)
{
	AUTO_FREE char *real = gitx_ref_stands_for(site->git, ref);
	const char *name = real && str_starts(real, "refs/heads/") ? real + strlen("refs/heads/") : NULL;

	if (!real)
		return 0;
	if (!name)
		return err_set(e, ERR_USAGE, "branch %s is a symbolic ref: it stands for %s, which is no branch. Name another with --target",
		               b->target, real);
	return err_set(e, ERR_USAGE, "branch %s is a symbolic ref: it only stands for %s. Say that%s with --target %s", b->target, real,
	               given ? "" : " (git switch, then run bosk again), or", name);
}

int create_look(struct create_base *out, const struct site *site, const struct create_options *o,
                struct err *e)
{
	*out = (struct create_base){0};
	if (o->target) {
		out->target = mem_strdup(o->target);
	} else if (gitx_head_branch(site->git, &out->target, e) != 0) {
		if (e->kind == ERR_MISSING)
			return err_set(e, ERR_USAGE, "HEAD is detached: say where the work goes with --target BRANCH");
		return -1;
	}
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", out->target);
	if (refuse_symbolic(out, site, ref, o->target != NULL, e) != 0)
		return -1;
	if (gitx_commit_of(site->git, ref, &out->base, e) != 0) {
		struct err absent = {0};
		bool named = gitx_ref_read(site->git, ref, &out->base, &absent) == 0;
		if (named && e->kind == ERR_MISSING)
			return err_set(e, ERR_DAMAGED,
			               "commit %.12s of branch %s cannot be read: objects are missing in %s/objects "
			               "or in what objects/info/alternates names there. See git fsck",
			               out->base.hex, out->target, gitx_common_dir(site->git));
		if (named)
			return err_wrap(e, "commit %.12s of branch %s cannot be read", out->base.hex, out->target);
		if (e->kind == ERR_MISSING)
			return err_set(e, ERR_USAGE,
			               "branch %s does not exist or has no commit yet: make a first commit, or name "
			               "another with --target", out->target);
		return -1;
	}
	out->at = out->base;
	if (o->base && gitx_commit_of(site->git, o->base, &out->base, e) != 0)
		return err_wrap(e, "--base %s", o->base);
	if (*o->config->author)
		out->author = mem_strdup(o->config->author);
	else
		out->author = identity(site, e);
	if (!out->author)
		return -1;
	if (o->borrow && borrow_look(site, o->borrow, o->borrow_linked, &out->borrowed, &out->borrowed_head, e) != 0)
		return -1;
	return worktrees_dir(out, site, o->config->worktrees_dir, e);
}
