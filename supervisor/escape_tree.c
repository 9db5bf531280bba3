/* escape_tree: what `git status` says of the user's checkouts, from one look to the next, and a patch of
 * what changed in between (declared in escape.h). The checkouts are only read: no index is written. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "child.h"
#include "escape.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/exec.h"
#include "worker/git.h"
#include "worker/gitlinks.h"
#include "worker/secret.h"

enum { STATUS_LIMIT_MS = 60000, TOLD_MAX = 5, PATHS_MAX = 200, INDEX_MAX = 1 << 30 };

struct checkout {
	const char *top;
	struct strv lines; /* "XY path" and what stat says of it, joined by a newline */
	char *head;        /* commit */
	bool known;
};

struct escape_tree {
	struct core *c;
	struct checkout tops[2];
	size_t n, at;      /* the one being looked at */
	bool busy, again;
	void (*done)(struct core *), (*next_done)(struct core *);
	uint64_t began_ms;
	struct strv ran, suspects; /* tasks since the look before; those of the look that is going on */
	struct strv paths, fresh;  /* changed; of these, what git does not know */
	char *index;               /* a copy, for the patch */
	unsigned patches;
};

static void look_at(struct escape_tree *t);

struct escape_tree *escape_tree_new(struct core *c)
{
	struct escape_tree *t = mem_alloc(sizeof *t);

	const char *tops[] = {gitx_main_top(c->s->site->git), gitx_top(c->s->site->git)};
	*t = (struct escape_tree){.c = c};
	for (size_t i = 0; i < MEM_COUNT(tops); i++)
		if (!str_eq(tops[i], c->s->manifest.borrowed) && (i == 0 || !str_eq(tops[i], tops[0])))
			t->tops[t->n++].top = tops[i];
	return t;
}

void escape_tree_free(struct escape_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		strv_fini(&t->tops[i].lines);
		free(t->tops[i].head);
	}
	strv_fini(&t->ran);
	strv_fini(&t->suspects);
	strv_fini(&t->paths);
	strv_fini(&t->fresh);
	free(t->index);
	free(t);
}

void escape_tree_ran(struct escape_tree *t, const char *task)
{
	if (!strv_has(&t->ran, task))
		strv_add(&t->ran, task);
}

uint64_t escape_tree_age_ms(const struct escape_tree *t)
{
	return clock_mono_ms() - t->began_ms;
}

bool escape_tree_busy(const struct escape_tree *t)
{
	return t->busy;
}

/* ---- one git command after the other ---- */

static bool start(struct escape_tree *t, const char *const *args, child_fn *fn)
{
	AUTO_STRV struct strv argv = {0}, env = {0};
	struct git g = {.cwd = t->tops[t->at].top, .guard = session_guard(t->c->s)};
	struct err ignored = {0};
	pid_t pid;

	git_argv(&argv, &g, args);
	if (git_env(&env, &g, &ignored) != 0)
		return false;
	if (t->index)
		exec_env_set(&env, "GIT_INDEX_FILE", t->index);
	struct child_spec spec = {
		.argv = (const char *const *)argv.v, .env = env.v, .timeout_ms = STATUS_LIMIT_MS};
	return child_start(t->c->loop, &spec, &pid, fn, t, &ignored) == 0;
}

static void next(struct escape_tree *t)
{
	strv_fini(&t->paths);
	strv_fini(&t->fresh);
	if (t->index)
		remove(t->index);
	mem_set(&t->index, NULL);
	t->at++;
	look_at(t);
}

/* ---- the patch ---- */

static void patched(void *ctx, const struct child_result *r)
{
	struct escape_tree *t = ctx;
	const struct core *c = t->c;
	AUTO_FREE char *dir = site_path(c->s->site, "logs/%s", c->s->sid), *path = NULL;
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	do { /* a resumed session has some */
		free(path);
		path = mem_printf("%s/outside-%u.patch", dir, ++t->patches);
	} while (fs_exists(path));
	str_add(&text, "while ");
	for (size_t i = 0; i < t->suspects.n; i++)
		str_addf(&text, "%s%s", i ? ", " : "", t->suspects.v[i]);
	str_addf(&text, " ran, %s changed:", t->tops[t->at].top);
	for (size_t i = 0; i < t->paths.n && i < TOLD_MAX; i++)
		str_addf(&text, " %s", t->paths.v[i]);
	if (t->paths.n > TOLD_MAX)
		str_addf(&text, " and %zu more", t->paths.n - TOLD_MAX);
	if (r && fs_mkdirs(dir, &ignored) == 0 && fs_write(path, r->out, r->out_n, false, &ignored) == 0)
		str_addf(&text, "; as it is now: %s", path);
	str_add(&text, ". If that was not you, look at it");
	secret_hide(&text); /* names are made up by agents */
	strv_add(&t->c->s->manifest.notes, text.p);
	turn_manifest(&t->c->turn);
	next(t);
}

static void make_patch(void *ctx, const struct child_result *added)
{
	struct escape_tree *t = ctx;
	AUTO_STRV struct strv args = {0};

	(void)added; /* what it could not add is not in the patch */
	strv_add(&args, "--literal-pathspecs");
	strv_add(&args, "diff");
	strv_add(&args, "--binary");
	strv_add(&args, "--no-ext-diff");
	strv_add(&args, "--no-textconv");
	strv_add(&args, "--ignore-submodules=dirty");
	strv_add(&args, "HEAD");
	strv_add(&args, "--");
	for (size_t i = 0; i < t->paths.n && i < PATHS_MAX; i++)
		strv_add(&args, t->paths.v[i]);
	if (!start(t, (const char *const *)args.v, patched))
		patched(t, NULL);
}

/* New files show in a diff once an index has heard of them: a copy of the index. */
static void start_patch(struct escape_tree *t)
{
	AUTO_FREE char *git_dir = gitlinks_git_dir(t->tops[t->at].top);
	AUTO_FREE char *index = mem_printf("%s/index", git_dir ? git_dir : "");
	AUTO_STR struct str bytes = {0};
	AUTO_STRV struct strv args = {0};
	struct err ignored = {0};

	t->index = site_path(t->c->s->site, "tmp/outside-%s", t->c->s->sid);
	if (fs_read(index, INDEX_MAX, &bytes, &ignored) != 0 ||
	    fs_write(t->index, bytes.p, bytes.len, false, &ignored) != 0) {
		patched(t, NULL);
		return;
	}
	strv_add(&args, "--literal-pathspecs");
	strv_add(&args, "add");
	strv_add(&args, "--intent-to-add");
	strv_add(&args, "--");
	for (size_t i = 0; i < t->fresh.n && i < PATHS_MAX; i++)
		strv_add(&args, t->fresh.v[i]);
	if (!t->fresh.n || !start(t, (const char *const *)args.v, make_patch))
		make_patch(t, NULL);
}

/* ---- the look ---- */

static void add_changed(struct escape_tree *t, const char *line)
{
	AUTO_FREE char *path = mem_strndup(line + 3, strcspn(line + 3, "\n"));

	if (strv_has(&t->paths, path))
		return;
	strv_add(&t->paths, path);
	if (str_starts(line, "??"))
		strv_add(&t->fresh, path);
}

static void read_status(const struct checkout *k, const struct child_result *r, struct strv *lines)
{
	for (size_t i = 0; i < r->out_n; i += strlen(r->out + i) + 1) {
		struct stat st = {0};
		if (strlen(r->out + i) < 4)
			continue;
		AUTO_FREE char *path = mem_printf("%s/%s", k->top, r->out + i + 3);
		if (lstat(path, &st) != 0)
			st = (struct stat){0};
		strv_addf(lines, "%s\n%llu %lld %lld.%ld", r->out + i, (unsigned long long)st.st_ino,
		          (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	}
}

static void looked(void *ctx, const struct child_result *r)
{
	struct escape_tree *t = ctx;
	struct checkout *k = &t->tops[t->at];
	AUTO_STRV struct strv lines = {0};
	struct oid head = {""};
	struct err ignored = {0};

	if (!WIFEXITED(r->wait_status) || WEXITSTATUS(r->wait_status) != 0) {
		next(t); /* another look may see it */
		return;
	}
	read_status(k, r, &lines);
	gitx_commit_of(t->c->s->site->git, "HEAD", &head, &ignored);
	for (size_t i = 0; i < lines.n && k->known; i++)
		if (!strv_has(&k->lines, lines.v[i]))
			add_changed(t, lines.v[i]);
	/* What is not there any more was committed or undone; a commit shows by its ref. */
	for (size_t i = 0; i < k->lines.n && str_eq(k->head, head.hex); i++)
		if (!strv_has(&lines, k->lines.v[i]))
			add_changed(t, k->lines.v[i]);
	strv_fini(&k->lines);
	k->lines = lines;
	lines = (struct strv){0};
	k->known = true;
	mem_set(&k->head, head.hex);
	if (t->paths.n && t->suspects.n)
		start_patch(t);
	else
		next(t);
}

static void look_at(struct escape_tree *t)
{
	while (t->at < t->n) {
		if (start(t, GIT_ARGS("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal",
		                      "--ignore-submodules=dirty"), looked))
			return;
		t->at++;
	}
	t->busy = false;
	void (*done)(struct core *) = t->done;
	t->done = NULL;
	if (t->again) {
		t->again = false;
		escape_tree_look(t, t->next_done);
	}
	if (done)
		done(t->c);
}

void escape_tree_look(struct escape_tree *t, void (*done)(struct core *))
{
	if (t->busy) {
		t->again = true;
		t->next_done = done;
		return;
	}
	t->busy = true;
	t->done = done;
	t->at = 0;
	t->began_ms = clock_mono_ms();
	strv_fini(&t->suspects);
	t->suspects = t->ran;
	t->ran = (struct strv){0};
	for (size_t i = 0; i < t->c->s->manifest.worktrees.n; i++)
		if (t->c->slot_task[i] != SIZE_MAX)
			escape_tree_ran(t, core_task_id(t->c, t->c->slot_task[i]));
	look_at(t);
}
