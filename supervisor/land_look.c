/* land_look: may a checked-out tree be moved? Changes nothing. */
#include "land_look.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/lockfile.h"

char *land_look_trouble(const struct git *g, struct err *e)
{
	static const char *const busy[] = {"MERGE_HEAD",  "CHERRY_PICK_HEAD", "REVERT_HEAD",
	                                   "rebase-merge", "rebase-apply",     "sequencer",
	                                   "BISECT_START"};
	const char *tree = g->cwd;
	AUTO_STR struct str dir = {0}, status = {0};

	if (git_run(g, &dir, GIT_ARGS("rev-parse", "--absolute-git-dir"), e) != 0)
		return mem_printf("%s cannot be read: %s", tree, e->text);
	dir.p[strcspn(dir.p, "\n")] = '\0';
	if (strcmp(dir.p, tree) == 0) /* gitx_checked_out */
		return mem_printf("git does not keep where the main worktree of %s is (go there to land)", tree);
	for (size_t i = 0; i < MEM_COUNT(busy); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir.p, busy[i]);
		if (fs_exists(path))
			return mem_printf("%s is in the middle of something (%s)", tree, busy[i]);
	}
	if (git_run(g, &status,
	            GIT_ARGS("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=none"),
	            e) != 0)
		return mem_printf("%s cannot be read: %s", tree, e->text);
	return status.len ? mem_printf("%s has uncommitted changes", tree) : NULL;
}

char *land_look_locked(const struct git *g, const struct session *s, const char *ref, bool left, struct err *e)
{
	static const char *const names[] = {"index.lock", "HEAD.lock", "ORIG_HEAD.lock"};
	AUTO_STR struct str dir = {0}, text = {0};
	AUTO_STRV struct strv paths = {0};

	if (git_run(g, &dir, GIT_ARGS("rev-parse", "--absolute-git-dir"), e) != 0)
		return mem_printf("%s cannot be read: %s", g->cwd, e->text);
	dir.p[strcspn(dir.p, "\n")] = '\0';
	for (size_t i = 0; i < MEM_COUNT(names); i++)
		strv_addf(&paths, "%s/%s", dir.p, names[i]);
	strv_addf(&paths, "%s/%s.lock", gitx_common_dir(s->site->git), ref);
	for (size_t i = 0; i < paths.n; i++) {
		const char *path = paths.v[i];
		if (left ? !fs_exists(path) || lockfile_clear(path, g->cwd, LOCKFILE_PATIENCE_MS) || !fs_exists(path)
		         : lockfile_wait(path, LOCKFILE_PATIENCE_MS))
			continue;
		lockfile_tell(&text, path, g->cwd);
		return str_take(&text);
	}
	return NULL;
}

bool land_look_below_link(const char *tree, const char *full)
{
	AUTO_FREE char *path = mem_strdup(full);
	struct stat st;

	for (char *slash; (slash = strrchr(path, '/')) > path + strlen(tree);) {
		*slash = '\0';
		if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
			return true;
	}
	return false;
}

/* ---- files in the way ---- */

/* "040000 tree ID TAB PATH", empty = the commit has no such path. */
static int entry_of(const struct git *g, const struct oid *commit, const char *path, struct str *out, struct err *e)
{
	str_clear(out);
	return git_run(g, out, GIT_ARGS("--literal-pathspecs", "ls-tree", "-z", commit->hex, "--", path), e);
}

/* What of the user's lies where `path` is to be made, as a path in the tree; *out stays NULL when nothing does. Not left
 * to git: in a sparse checkout it writes over such files (git 2.39). */
static int find_in_the_way(const struct git *g, const struct oid *from, const char *path, char **out, struct err *e)
{
	AUTO_FREE char *part = mem_strdup(path);
	AUTO_STR struct str entry = {0}, others = {0};
	struct stat st = {0};

	/* Its folders, from the top: instead of one there may be a file, which is fine where that is the commit's. */
	for (char *slash = strchr(part, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		AUTO_FREE char *full = mem_printf("%s/%s", g->cwd, part);
		if (lstat(full, &st) != 0)
			return 0;
		if (!slash || !S_ISDIR(st.st_mode))
			break;
		*slash = '/';
	}
	if (entry_of(g, from, part, &entry, e) != 0)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		if (!entry.len)
			*out = mem_strdup(part);
		return 0;
	}
	/* A folder of the commit gives way to a file, when nothing but the commit's is in it. */
	if (str_starts(str_text(&entry), "040000 ") &&
	    git_run(g, &others, GIT_ARGS("--literal-pathspecs", "ls-files", "--others", "-z", "--", path), e) != 0)
		return -1;
	if (!str_starts(str_text(&entry), "040000 ") || others.len)
		*out = mem_strdup(others.len ? others.p : path);
	return 0;
}

/* Names of what differs between the two, NUL after each. */
static int names(const struct git *g, const struct oid *from, const struct oid *to, const char *filter, struct str *out,
                 struct err *e)
{
	return git_run(g, out, GIT_ARGS("diff-tree", "-r", "-z", "--no-renames", "--name-only", filter, from->hex, to->hex), e);
}

char *land_look_in_the_way(const struct git *g, const struct oid *from, const struct oid *to, struct err *e)
{
	AUTO_STR struct str added = {0};

	if (names(g, from, to, "--diff-filter=A", &added, e) != 0)
		return mem_printf("%s cannot be read: %s", g->cwd, e->text);
	for (size_t i = 0; i < added.len; i += strlen(added.p + i) + 1) {
		AUTO_FREE char *found = NULL;
		if (find_in_the_way(g, from, added.p + i, &found, e) != 0)
			return mem_printf("%s cannot be read: %s", g->cwd, e->text);
		if (found)
			return mem_printf("%s is in the way in %s", found, g->cwd);
	}
	return NULL;
}

/* ---- files that git was told not to look at ---- */

/* Paths marked assume-unchanged (a small letter) or skip-worktree (S): `git status` says nothing of changes there. */
static int marked(const struct git *g, struct strv *out, struct err *e)
{
	AUTO_STR struct str text = {0};

	if (git_run(g, &text, GIT_ARGS("ls-files", "-v", "-z"), e) != 0)
		return -1;
	for (size_t i = 0; i < text.len; i += strlen(text.p + i) + 1)
		if (islower((unsigned char)text.p[i]) || text.p[i] == 'S')
			strv_add(out, text.p + i + 2);
	return 0;
}

static int is_changed(const struct git *g, const struct oid *from, const struct strv *paths, const char *path, bool *out,
                      struct err *e)
{
	AUTO_FREE char *full = mem_printf("%s/%s", g->cwd, path);
	AUTO_STR struct str entry = {0}, id = {0};
	struct stat st;
	int status;

	*out = false;
	if (lstat(full, &st) != 0 || !strv_has(paths, path)) /* absent: as a sparse checkout has it */
		return 0;
	*out = true;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (entry_of(g, from, path, &entry, e) != 0 || git_try(g, &status, &id, NULL, GIT_ARGS("hash-object", "--", path), e) != 0)
		return -1;
	AUTO_FREE char *blob = mem_strndup(str_text(&id), strcspn(str_text(&id), "\n"));
	*out = status != 0 || !*blob || !strstr(str_text(&entry), blob);
	return 0;
}

char *land_look_hidden(const struct git *g, const struct oid *from, const struct oid *to, struct err *e)
{
	AUTO_STR struct str changed = {0};
	AUTO_STRV struct strv paths = {0};
	bool differs = false;

	int rc = marked(g, &paths, e);
	if (rc == 0 && paths.n)
		rc = names(g, from, to, "--diff-filter=MDT", &changed, e);
	for (size_t i = 0; rc == 0 && i < changed.len; i += strlen(changed.p + i) + 1) {
		rc = is_changed(g, from, &paths, changed.p + i, &differs, e);
		if (rc == 0 && differs)
			return mem_printf("%s in %s is not as it was committed (it is marked assume-unchanged or skip-worktree, so git "
			                  "status does not show it)", changed.p + i, g->cwd);
	}
	return rc == 0 ? NULL : mem_printf("%s cannot be read: %s", g->cwd, e->text);
}
