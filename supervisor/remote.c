/* remote: git ls-remote and git push, to their end. */
#include "remote.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "orphans/strays.h"
#include "stoppable.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/secret.h"

enum { WHY_MAX = 500, OUT_MAX = 1 << 20, ATTRIBUTES_MAX = 1 << 20, GRACE_MS = 2000 };

char *remote_said(const char *stderr_text, bool late, int wait_status)
{
	AUTO_FREE char *hidden = secret_hidden(stderr_text ? stderr_text : "");
	struct str line = {0};

	if (late)
		return mem_strdup("it took longer than push_timeout");
	str_add_printable(&line, hidden, strnlen(hidden, WHY_MAX), true);
	for (char *p = line.p; p && *p; p++)
		if (*p == '\n')
			*p = p[1] ? ';' : '\0';
	if (!line.p || !*line.p)
		str_addf(&line, WIFSIGNALED(wait_status) ? "git push was ended by signal %d" : "git push: exit %d",
		         WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status));
	return str_take(&line);
}

#define LFS_SAYS "objects of Git LFS: "

char *remote_step_said(enum remote_step step, const char *why)
{
	return mem_printf("%s%s", step == REMOTE_GIT ? "" : LFS_SAYS, why);
}

char *remote_by_hand(const char *remote, const char *commit, const char *branch, const char *why)
{
	/* What is there was pushed by an earlier run or by others: replaced only by hand. */
	bool other = strstr(why, "[rejected]") != NULL;
	AUTO_STR struct str look = {0}, lease = {0};

	if (other) {
		str_addf(&look, "git fetch %s %s && git log %s..FETCH_HEAD; if those commits may go: ", remote, branch, commit);
		str_addf(&lease, " --force-with-lease=%s:FETCH_HEAD", branch);
	}
	if (str_starts(why, LFS_SAYS))
		str_addf(&look, "git lfs push %s %s && ", remote, commit);
	return mem_printf("%sgit push%s %s %s:refs/heads/%s", str_text(&look), str_text(&lease), remote, commit, branch);
}

/* The last words of the lines that --porcelain marks as failed: "! <from>:<to> [rejected] (stale info)". */
static void add_marked(struct str *out, const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		AUTO_FREE char *one = mem_strndup(line, strcspn(line, "\n"));
		const char *words = *one == '!' ? strrchr(one, '\t') : NULL;
		if (words)
			str_addf(out, "%s\n", words + 1);
	}
}

static struct git git_of(struct session *s)
{
	return (struct git){.cwd = gitx_main_top(s->site->git), .guard = session_guard(s), .remote = true};
}

/* NULL = exit 0; else why not, the caller's. *code: its exit code, -1 = none. */
static char *run_argv(struct session *s, uint64_t timeout_ms, struct str *out, const struct strv *argv, bool marked, int *code)
{
	struct git g = git_of(s);
	AUTO_STRV struct strv env = {0};
	AUTO_STR struct str text = {0}, said = {0};
	struct job_result result;
	struct err e = {0};

	*code = -1;
	if (git_env(&env, &g, &e) != 0)
		return mem_strdup(e.text);
	struct job job = {.argv = (const char *const *)argv->v,
	                  .timeout_ms = timeout_ms,
	                  .grace_ms = GRACE_MS,
	                  .out = out,
	                  .err = &text,
	                  .capture_max = OUT_MAX};
	strays_mark(&env, s);
	job.env = env.v;
	if (stoppable_run(s, &job, &result, &e) != 0)
		return mem_strdup(e.text);
	if (result.end == JOB_STOPPED)
		return mem_strdup("it was asked to stop");
	if (result.end == JOB_EXITED)
		*code = result.status;
	if (*code == 0)
		return NULL;
	if (marked)
		add_marked(&said, str_text(out));
	str_add(&said, str_text(&text));
	return remote_said(said.p, result.end == JOB_TIMEOUT, result.end == JOB_EXITED ? result.status << 8 : result.status);
}

static char *run(struct session *s, uint64_t timeout_ms, struct str *out, const char *const *args)
{
	struct git g = git_of(s);
	AUTO_STRV struct strv argv = {0};
	int code;

	git_argv(&argv, &g, args);
	return run_argv(s, timeout_ms, out, &argv, str_eq(args[0], "push"), &code);
}

/* ---- what Git LFS keeps elsewhere ---- */

enum remote_step remote_first(struct session *s)
{
	AUTO_FREE char *info = mem_printf("%s/info/attributes", gitx_common_dir(s->site->git));
	AUTO_STR struct str text = {0};
	struct err absent = {0};

	if (!gitx_lfs(s->site->git))
		return REMOTE_GIT;
	bool here = fs_read(info, ATTRIBUTES_MAX, &text, &absent) == 0 && strstr(str_text(&text), "filter=lfs");
	return here ? REMOTE_LFS : REMOTE_LOOK;
}

enum remote_step remote_next(enum remote_step step, int exit_code)
{
	return step == REMOTE_LOOK && exit_code != 1 ? REMOTE_LFS : REMOTE_GIT;
}

/* git-lfs takes a folder for a remote only as a URL. The caller owns it. */
static char *lfs_remote(const struct git *g, const char *remote)
{
	bool folder = strchr(remote, '/') && !strstr(remote, "://");
	AUTO_FREE char *path = *remote == '/' ? mem_strdup(remote) : mem_printf("%s/%s", g->cwd, remote);
	AUTO_FREE char *real = folder ? realpath(path, NULL) : NULL;

	return real ? mem_printf("file://%s", real) : mem_strdup(remote);
}

void remote_lfs_argv(struct strv *argv, const struct git *g, struct session *s, const struct remote_branch *b,
                     enum remote_step step)
{
	AUTO_FREE char *remote = lfs_remote(g, b->remote);

	/* What the branch began with counts: its last commit may have ended the use of LFS. */
	if (step == REMOTE_LOOK)
		git_argv(argv, g, GIT_ARGS("grep", "-q", "-F", "-e", "filter=lfs", b->commit, s->row.base, "--",
		                           ":(glob)**/.gitattributes"));
	else
		git_argv(argv, g, GIT_ARGS("lfs", "push", remote, b->commit));
}

/* NULL, or why the push is not to begin. */
static char *push_lfs(struct session *s, const struct remote_branch *b)
{
	struct git g = git_of(s);
	int code = 0;

	for (enum remote_step step = remote_first(s); step != REMOTE_GIT; step = remote_next(step, code)) {
		AUTO_STRV struct strv argv = {0};
		AUTO_STR struct str out = {0};
		remote_lfs_argv(&argv, &g, s, b, step);
		AUTO_FREE char *why = run_argv(s, b->timeout_ms, &out, &argv, false, &code);
		if (why && (step == REMOTE_LFS || code < 0))
			return remote_step_said(step, why);
	}
	return NULL;
}

/* Addresses that a push to it goes to; none when git knows no remote of this name. */
static void addresses(struct session *s, const struct remote_branch *b, struct strv *out)
{
	AUTO_STR struct str text = {0};
	AUTO_FREE char *why = run(s, b->timeout_ms, &text, GIT_ARGS("remote", "get-url", "--push", "--all", "--", b->remote));

	for (char *line = why || !text.p ? NULL : strtok(text.p, "\n"); line; line = strtok(NULL, "\n"))
		strv_add(out, line);
	/* One may be named by its path or address. */
	if (!out->n && strpbrk(b->remote, "/:"))
		strv_add(out, b->remote);
}

/* "<commit>\t<ref>" of one of them. NULL, or why it cannot be asked. */
static char *ask_one(struct session *s, const struct remote_branch *b, const char *address, struct oid *at)
{
	AUTO_STR struct str text = {0};
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", b->branch);
	char *why = run(s, b->timeout_ms, &text, GIT_ARGS("ls-remote", "--refs", "--", address, ref));

	*at = (struct oid){""};
	for (char *line = why || !text.p ? NULL : strtok(text.p, "\n"); line; line = strtok(NULL, "\n")) {
		char *tab = strchr(line, '\t');
		if (!tab || strcmp(tab + 1, ref) != 0) /* a pattern matches the ends of longer names, too */
			continue;
		*tab = '\0';
		if (!oid_parse(at, line))
			return mem_printf("it answered what is no commit: %.60s", line);
	}
	return why;
}

static enum remote_state judge(struct session *s, const struct remote_branch *b, const struct oid *at)
{
	struct oid commit;
	struct err ignored = {0};
	bool behind = false;

	if (oid_none(at))
		return REMOTE_NONE;
	if (strcmp(at->hex, b->commit) == 0)
		return REMOTE_SAME;
	bool known = oid_parse(&commit, b->commit) && gitx_has_object(s->site->git, at) &&
	             gitx_reaches(s->site->git, &commit, at, &behind, &ignored) == 0;
	return known && behind ? REMOTE_BEHIND : REMOTE_OTHER;
}

void remote_ask(struct remote_look *out, struct session *s, const struct remote_branch *b)
{
	AUTO_STRV struct strv to = {0};

	*out = (struct remote_look){.state = REMOTE_SAME};
	addresses(s, b, &to);
	if (!to.n) {
		out->state = REMOTE_MUTE;
		out->why = mem_printf("there is no remote %s (git remote add %s URL, or set pr.remote)", b->remote, b->remote);
	}
	/* Where it goes to several, the one that lags most or differs counts. */
	for (size_t i = 0; i < to.n && out->state != REMOTE_MUTE && out->state != REMOTE_OTHER; i++) {
		struct oid at;
		out->why = ask_one(s, b, to.v[i], &at);
		enum remote_state state = out->why ? REMOTE_MUTE : judge(s, b, &at);
		if (i && state == REMOTE_SAME)
			continue;
		out->state = state;
		mem_set(&out->at, oid_none(&at) ? NULL : at.hex);
	}
}

char *remote_push(struct session *s, const struct remote_branch *b, const char *at)
{
	AUTO_FREE char *lease = mem_printf("--force-with-lease=refs/heads/%s:%s", b->branch, at ? at : "");
	AUTO_FREE char *what = mem_printf("%s:refs/heads/%s", b->commit, b->branch);
	AUTO_STR struct str out = {0};
	char *cannot = push_lfs(s, b);

	if (cannot)
		return cannot;
	return run(s, b->timeout_ms, &out, GIT_ARGS(REMOTE_PUSH, "--porcelain", lease, "--", b->remote, what));
}
