/* borrow: is a checkout fit to be borrowed? */
#include "borrow.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/git.h"

/* What git is in the middle of, by the files it keeps for that; NULL = nothing. */
static const char *under_way(const char *git_dir)
{
	static const struct {
		const char *file, *what;
	} marks[] = {{"MERGE_HEAD", "a merge"},       {"rebase-merge", "a rebase"}, {"rebase-apply", "a rebase"},
	             {"CHERRY_PICK_HEAD", "a cherry-pick"}, {"REVERT_HEAD", "a revert"}, {"BISECT_LOG", "a bisect"},
	             {"index.lock", "a git command (index.lock is there)"}};

	for (size_t i = 0; i < MEM_COUNT(marks); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", git_dir, marks[i].file);
		if (fs_exists(path))
			return marks[i].what;
	}
	return NULL;
}

/* Files that git was told not to look at, and submodules that are checked out, could be lost without a word:
 * `git status` says nothing of the first, and a checkout leaves the second where it is. */
static int check_plain(const char *top, struct err *e)
{
	struct git git = {.cwd = top};
	AUTO_STR struct str out = {0};

	/* "TAG MODE OID STAGE<tab>PATH": a small tag is assume-unchanged, S is skip-worktree. */
	if (git_run(&git, &out, GIT_ARGS("ls-files", "-z", "-s", "-v"), e) != 0)
		return -1;
	for (size_t i = 0; i < out.len; i += strlen(out.p + i) + 1) {
		const char *line = out.p + i, *name = strchr(line, '\t');
		if (!name++)
			continue;
		AUTO_FREE char *path = mem_printf("%s/%s", top, name);
		AUTO_FREE char *inside = mem_printf("%s/.git", path);
		if ((line[0] >= 'a' && line[0] <= 'z') || (line[0] == 'S' && fs_exists(path)))
			return err_set(e, ERR_USAGE, "%s: changes of %s are hidden from git, and would be lost: "
			               "git update-index --no-assume-unchanged --no-skip-worktree -- %s", top, name, name);
		if (str_starts(line + 2, "160000 ") && fs_exists(inside))
			return err_set(e, ERR_USAGE, "%s: the submodule %s is checked out there; tasks would work in it: "
			               "git submodule deinit %s, or leave out --no-worktree and --worktree", top, name, name);
	}
	return 0;
}

static int check_clean(const char *top, const char *git_dir, struct err *e)
{
	struct git git = {.cwd = top};
	AUTO_STR struct str out = {0};
	const char *what = under_way(git_dir);

	if (what)
		return err_set(e, ERR_USAGE, "%s is in the middle of %s: end that first, or leave out --no-worktree and "
		               "--worktree", top, what);
	if (git_run(&git, &out, GIT_ARGS("status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none"),
	            e) != 0)
		return -1;
	if (!out.len)
		return check_plain(top, e);
	size_t lines = 0;
	for (size_t i = 0; i < out.len; i++)
		lines += out.p[i] == '\n';
	out.p[strcspn(out.p, "\n")] = '\0';
	return err_set(e, ERR_USAGE,
	               "%s is not clean (%s%s): commit, stash or remove that first; agents would work in it", top,
	               out.p, lines > 1 ? ", and more" : "");
}

/* Nobody's who is not through with it. */
static int check_free(const struct site *site, const char *top, struct err *e)
{
	AUTO_STRV struct strv ids = {0};

	if (session_list(site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct manifest_row m;
		if (session_manifest(site, ids.v[i], &m, e) != 0)
			return -1;
		const char *state = session_state(site, ids.v[i], &m);
		bool over = str_eq(state, "done") || str_eq(state, "failed");
		/* A stopped one has given it back. */
		bool back = str_eq(m.borrowed, top) && str_eq(state, "stopped");
		bool theirs = strv_has(&m.worktrees, top) && !over && !back;
		int rc = !theirs ? 0
		                 : err_set(e, str_eq(state, "running") ? ERR_HELD : ERR_USAGE,
		                           "%s is a worktree of session %s (%s)%s%s", top, ids.v[i], state,
		                           str_eq(state, "running") ? "" : ": go on with it by bosk resume ",
		                           str_eq(state, "running") ? "" : ids.v[i]);
		rec_fini(&manifest_row_rec, &m);
		if (rc != 0)
			return -1;
	}
	return 0;
}

/* What HEAD of the checkout is: its branch by full name, or the commit. */
static int head_of(struct gitx *g, char **head, struct err *e)
{
	AUTO_FREE char *branch = NULL;
	struct oid at;

	if (gitx_commit_of(g, "HEAD", &at, e) != 0)
		return err_wrap(e, "%s", gitx_top(g));
	if (gitx_head_branch(g, &branch, e) == 0) {
		*head = mem_printf("refs/heads/%s", branch);
		return 0;
	}
	if (e->kind != ERR_MISSING)
		return -1;
	err_clear(e);
	*head = mem_strdup(at.hex);
	return 0;
}

static int check_linked(const struct site *site, struct gitx *g, const char *path, struct err *e)
{
	AUTO_FREE char *real = realpath(path, NULL), *locked = mem_printf("%s/locked", gitx_git_dir(g));

	if (!str_eq(gitx_common_dir(g), gitx_common_dir(site->git)))
		return err_set(e, ERR_USAGE, "--worktree %s: that is not a worktree of this repository", path);
	if (str_eq(gitx_git_dir(g), gitx_common_dir(g)))
		return err_set(e, ERR_USAGE, "--worktree %s: that is the main checkout, not a linked worktree; "
		               "--no-worktree works in it", path);
	if (!str_eq(real, gitx_top(g)))
		return err_set(e, ERR_USAGE, "--worktree %s: the worktree's top is %s", path, gitx_top(g));
	if (fs_exists(locked))
		return err_set(e, ERR_USAGE, "--worktree %s: it is locked: git worktree unlock %s", path, path);
	return 0;
}

int borrow_look(const struct site *site, const char *path, bool linked, char **top, char **head,
                struct err *e)
{
	struct gitx *g = NULL;

	*top = *head = NULL;
	if (linked && !fs_is_dir(path))
		return err_set(e, ERR_USAGE, "--worktree %s: there is no such folder; git worktree add makes one", path);
	int rc = gitx_open(&g, path, e);
	if (rc != 0 && linked)
		e->kind = ERR_USAGE;
	if (rc == 0 && linked)
		rc = check_linked(site, g, path, e);
	if (rc == 0)
		rc = check_free(site, gitx_top(g), e) != 0 || check_clean(gitx_top(g), gitx_git_dir(g), e) != 0
		             ? -1
		             : head_of(g, head, e);
	if (rc == 0)
		*top = mem_strdup(gitx_top(g));
	gitx_close(g);
	return rc;
}

/* Does it stand where the session put it: on the branch of a task that it left, or on a commit of its own? */
static bool stands(const struct session *s, const char *head)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_FREE char *ref = mem_printf("refs/heads/%s", s->tasks[i].branch ? s->tasks[i].branch : "");
		if (s->tasks[i].branch && str_eq(s->tasks[i].session, s->sid) && strcmp(ref, head) == 0)
			return true;
	}
	return strcmp(head, s->tip) == 0 || strcmp(head, s->row.base) == 0;
}

int borrow_again(struct session *s, struct err *e)
{
	struct gitx *g = NULL;
	AUTO_FREE char *head = NULL;
	const char *top = s->manifest.borrowed;

	if (!top || strv_has(&s->manifest.held, top))
		return 0;
	int rc = fs_is_dir(top) ? gitx_open(&g, top, e)
	                        : err_set(e, ERR_USAGE, "%s, where session %s works, is gone", top, s->sid);
	if (rc == 0)
		rc = head_of(g, &head, e);
	if (rc == 0 && !(str_eq(s->manifest.state, "running") && stands(s, head))) {
		rc = check_clean(top, gitx_git_dir(g), e);
		mem_set(&s->manifest.borrowed_head, head);
		/* Whatever is there is the user's. */
		for (size_t i = 0; i < s->plan.n; i++)
			if (s->tasks[i].worktree == 1)
				s->tasks[i].left = false;
	}
	gitx_close(g);
	return rc;
}
