/* worktree_setup: what a fresh worktree needs before work can start: copied files and the setup command. */
#include "worktree.h"

#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { SAID_MAX = 300 };

/* Looked at when `setup_inputs` is empty: a change of one means that setup must run again. */
static const char *const lock_files[] = {
	"package-lock.json", "npm-shrinkwrap.json", "yarn.lock",        "pnpm-lock.yaml", "bun.lockb",
	"Cargo.lock",        "go.sum",              "poetry.lock",      "uv.lock",        "Pipfile.lock",
	"requirements.txt",  "Gemfile.lock",        "composer.lock",    "mix.lock",       "flake.lock",
	"conanfile.txt",     "vcpkg.json",          "gradle.lockfile",  "pdm.lock",
};

/* Copy main/path to worktree/path, attributes kept; folders whole. */
static int copy_one(struct slot *s, const char *path, struct err *e)
{
	AUTO_FREE char *from = mem_printf("%s/%s", s->init.main_top, path);
	AUTO_FREE char *to = mem_printf("%s/%s", s->init.worktree, path);
	AUTO_FREE char *parent = mem_strdup(to);
	AUTO_STR struct str text = {0};
	struct job_result result;

	if (!fs_exists(from) || fs_mkdirs(dirname(parent), e) != 0)
		return fs_exists(from) ? -1 : 0; /* nothing to copy is not an error: .env is optional */
	struct job job = {
		.argv = GIT_ARGS("cp", "-a", "--no-target-directory", "--reflink=auto", "--", from, to),
		.err = &text,
		.watch_fd = s->git.watch_fd,
		.watch = s->git.watch,
		.ctx = s->git.ctx,
	};
	if (job_run(&job, &result, e) != 0)
		return -1;
	if (result.end != JOB_EXITED || result.status != 0)
		return err_set(e, ERR_ENV, "cannot copy %s into the worktree: %s", path, str_text(&text));
	return 0;
}

/* NUL-separated names to a sorted list. */
static void split_names(const struct str *names, struct strv *out)
{
	for (size_t i = 0; i < names->len; i += strlen(names->p + i) + 1)
		strv_add(out, names->p + i);
}

/* .worktreeinclude: ignore-style patterns; files that match AND are ignored are copied. A file that
 * is not ignored is the user's uncommitted work and has no business in a task. */
static int find_included(struct slot *s, struct err *e)
{
	AUTO_FREE char *list = mem_printf("%s/.worktreeinclude", s->init.main_top);
	AUTO_FREE char *patterns = mem_printf("--exclude-from=%s", list);
	AUTO_STR struct str matching = {0}, ignored = {0};
	AUTO_STRV struct strv wanted = {0}, ignored_names = {0};

	if (!fs_exists(list))
		return 0;
	if (git_run(&s->git_main, &matching,
	            GIT_ARGS("ls-files", "-z", "--others", "--ignored", patterns), e) != 0 ||
	    git_run(&s->git_main, &ignored,
	            GIT_ARGS("ls-files", "-z", "--others", "--ignored", "--exclude-standard"), e) != 0)
		return -1;
	split_names(&matching, &wanted);
	split_names(&ignored, &ignored_names);
	/* Both lists come sorted by git: one walk finds what they share. */
	for (size_t i = 0, k = 0; i < wanted.n && k < ignored_names.n;) {
		int order = strcmp(wanted.v[i], ignored_names.v[k]);
		if (order == 0 && !strv_has(&s->copied, wanted.v[i]))
			strv_add(&s->copied, wanted.v[i]);
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

/* The list lies beside the worktree's own git state, for the worker that takes it over: what was copied
 * in is never committed, saved or cleaned. */
static char *copied_path(const struct slot *s)
{
	return mem_printf("%s/bosk-copied", s->admin_dir);
}

void worktree_read_copied(struct slot *s)
{
	AUTO_FREE char *path = copied_path(s);
	AUTO_STR struct str list = {0};
	struct err absent = {0};

	strv_fini(&s->copied);
	strv_copy(&s->copied, &s->init.copy);
	if (fs_read(path, 64 << 20, &list, &absent) == 0)
		for (size_t i = 0; i < list.len; i += strlen(list.p + i) + 1)
			if (!strv_has(&s->copied, list.p + i))
				strv_add(&s->copied, list.p + i);
}

/* Says no when it cannot tell: then it is taken for work. */
static bool is_as_copied(struct slot *s, const char *path, struct err *e)
{
	AUTO_FREE char *from = mem_printf("%s/%s", s->init.main_top, path);
	AUTO_FREE char *to = mem_printf("%s/%s", s->init.worktree, path);
	int status;

	return git_try(&s->git, &status, NULL, NULL,
	               GIT_ARGS("diff", "--no-index", "--quiet", "--no-ext-diff", "--no-textconv", "--", from, to), e) == 0 &&
	       status == 0;
}

int worktree_drop_changed(struct slot *s, struct err *e)
{
	AUTO_STRV struct strv copied = s->copied;
	int status;

	s->copied = (struct strv){0};
	for (size_t i = 0; i < copied.n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", s->init.worktree, copied.v[i]);
		struct err ignored = {0};
		if (git_try(&s->git, &status, NULL, NULL, GIT_ARGS("check-ignore", "--quiet", "--", copied.v[i]), e) != 0)
			return -1;
		if (status == 0 || !fs_exists(path) || is_as_copied(s, copied.v[i], &ignored))
			strv_add(&s->copied, copied.v[i]);
	}
	return 0;
}

static int copy_files(struct slot *s, struct err *e)
{
	AUTO_FREE char *path = copied_path(s);
	AUTO_STR struct str list = {0};

	if (s->init.borrowed) /* it has what its user put there */
		return 0;
	if (find_included(s, e) != 0)
		return -1;
	for (size_t i = 0; i < s->copied.n; i++)
		str_addn(&list, s->copied.v[i], strlen(s->copied.v[i]) + 1);
	/* Known before it is done: a kill in between leaves no copy that nobody knows of. */
	if (fs_write(path, str_text(&list), list.len, false, e) != 0)
		return -1;
	for (size_t i = 0; i < s->copied.n; i++)
		if (copy_one(s, s->copied.v[i], e) != 0)
			return -1;
	return 0;
}

static void setup_key(const struct slot *s, char out[SEAL_HEX])
{
	AUTO_STRV struct strv pieces = {0};
	size_t n = s->init.setup_inputs.n;

	strv_add(&pieces, s->init.setup);
	for (size_t i = 0; i < (n ? n : MEM_COUNT(lock_files)); i++) {
		const char *name = n ? s->init.setup_inputs.v[i] : lock_files[i];
		AUTO_FREE char *path = mem_printf("%s/%s", s->init.worktree, name);
		AUTO_STR struct str content = {0};
		struct err ignored = {0};
		char hash[SEAL_HEX] = "absent";
		if (fs_read(path, 64 << 20, &content, &ignored) == 0)
			seal_hash(hash, content.p, content.len);
		strv_add(&pieces, name);
		strv_add(&pieces, hash);
	}
	seal_hash_pieces(out, (const char *const *)pieces.v, pieces.n);
}

int worktree_setup(struct slot *s, char *const *env, const char *log_path, struct err *e)
{
	if (!s->ready && copy_files(s, e) != 0)
		return -1;
	s->ready = true;
	if (!s->init.setup || !*s->init.setup)
		return 0;

	/* Beside the worktree's own git state: gone with it, never in the way of a commit. */
	AUTO_FREE char *key_path = mem_printf("%s/bosk-setup", s->admin_dir);
	char key[SEAL_HEX];
	AUTO_STR struct str last = {0}, tail = {0};
	struct err ignored = {0};
	setup_key(s, key);
	if (fs_read(key_path, 4096, &last, &ignored) == 0 && strcmp(last.p, key) == 0)
		return 0;

	unlink(key_path); /* erased before, written after success */
	FAILPOINT("worktree.setup.before");
	slot_progress(s, "setup", NULL, "");
	struct job_result result;
	struct slot_run run = {.command = s->init.setup,
	                       .env = env,
	                       .log_path = log_path,
	                       .timeout_ms = 3600 * 1000,
	                       .tail = &tail,
	                       .tail_max = 2000};
	if (slot_shell(s, &run, &result, e) != 0)
		return err_wrap(e, "setup");
	if (result.end == JOB_STOPPED)
		return err_set(e, ERR_GONE, "setup was stopped");
	while (tail.len && tail.p[tail.len - 1] == '\n')
		tail.p[--tail.len] = '\0';
	str_keep_tail(&tail, SAID_MAX);
	if (result.end != JOB_EXITED || result.status != 0)
		return err_set(e, ERR_USAGE, "setup failed (%s %d)%s%s",
		               result.end == JOB_EXITED ? "exit" : "ended by signal or limit",
		               result.status, tail.len ? ": " : "", str_text(&tail));
	FAILPOINT("worktree.setup.after");
	return fs_write(key_path, key, strlen(key), false, e);
}
