/* land_tree: putting a tree right in which a landing stopped half-way. */
#include "land_tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "land_look.h"
#include "land_private.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/git.h"

/* ---- mending ---- */

struct mend {
	struct session *s;
	struct git git;
	const char *tree;
	const struct intent_row *intent;
	struct strv ahead;         /* paths of which the index has what new_tip has, and not what old_tip has */
	struct strv sparse;        /* paths that a sparse checkout keeps out of the tree: in the index alone */
	struct strv listed;        /* what the index is to have of those: "MODE,ID,PATH" */
	struct strv written, made; /* paths that git touched: in old_tip too, new in new_tip */
	bool forward; /* to new_tip: then `written` is to be brought there, `made` to be removed */
	struct str trouble;
};

/* One path that differs, from `git diff-tree --raw`. */
struct change {
	const char *path, *old_mode, *new_mode, *old_blob, *new_blob;
};

static bool absent(const char *mode)
{
	return strspn(mode, "0") == strlen(mode);
}

/* The content of the path is this blob, seen through the path's filters. */
static int holds(const struct mend *m, const char *path, const char *blob, bool *out, struct err *e)
{
	AUTO_STR struct str id = {0};
	int status;
	/* It fails where a filter does, which may be at half of a file. */
	if (git_try(&m->git, &status, &id, NULL, GIT_ARGS("hash-object", "--", path), e) != 0)
		return -1;
	*out = status == 0 && strncmp(str_text(&id), blob, strlen(blob)) == 0;
	return 0;
}

/* git writes files in place: one that was being written holds a beginning of the new content. */
static int is_beginning(const struct mend *m, const struct change *c, const char *file, bool *out,
                        struct err *e)
{
	AUTO_FREE char *rev = mem_printf("%s:%s", m->intent->new_tip, c->path);
	AUTO_STR struct str now = {0}, whole = {0};

	*out = false;
	if (fs_read(file, SIZE_MAX, &now, e) != 0)
		return -1;
	if (!now.len) {
		*out = true;
		return 0;
	}
	if (git_run(&m->git, &whole, GIT_ARGS("cat-file", "--filters", rev), e) != 0)
		return -1;
	*out = now.len < whole.len && memcmp(now.p, whole.p, now.len) == 0;
	return 0;
}

static int link_holds(const struct mend *m, const struct change *c, const char *file, bool *old,
                      bool *new, struct err *e)
{
	AUTO_STR struct str want = {0};
	char now[4096];
	ssize_t n = readlink(file, now, sizeof now);
	const char *blobs[] = {c->old_blob, c->new_blob}, *modes[] = {c->old_mode, c->new_mode};
	bool *out[] = {old, new};

	for (int i = 0; i < 2; i++) {
		str_clear(&want);
		if (strcmp(modes[i], "120000") != 0)
			continue;
		if (git_run(&m->git, &want, GIT_ARGS("cat-file", "blob", blobs[i]), e) != 0)
			return -1;
		*out[i] = n >= 0 && want.len == (size_t)n && memcmp(str_text(&want), now, (size_t)n) == 0;
	}
	return 0;
}

/* It is in the index alone, and goes there to where the rest goes. */
static void sort_sparse(struct mend *m, const struct change *c)
{
	const char *mode = m->forward ? c->new_mode : c->old_mode, *blob = m->forward ? c->new_blob : c->old_blob;

	if (absent(mode))
		strv_add(&m->made, c->path);
	else
		strv_addf(&m->listed, "%s,%s,%s", mode, blob, c->path);
}

/* Is it as old_tip has it, on its way to new_tip, or the user's? */
static int sort_one(struct mend *m, const struct change *c, struct err *e)
{
	AUTO_FREE char *file = mem_printf("%s/%s", m->tree, c->path);
	bool added = absent(c->old_mode), gone = absent(c->new_mode), old = false, way = false;
	struct stat st;

	if (strcmp(c->old_mode, "160000") == 0 || strcmp(c->new_mode, "160000") == 0)
		return 0; /* a submodule's folder is not written */
	bool hidden = land_look_below_link(m->tree, file);
	if (hidden || lstat(file, &st) != 0) {
		if (!hidden && errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "cannot look at %s", file);
		if (strv_has(&m->sparse, c->path))
			return sort_sparse(m, c), 0;
		old = added;
		way = true;
		st.st_mode = 0;
	} else if (S_ISLNK(st.st_mode)) {
		if (link_holds(m, c, file, &old, &way, e) != 0)
			return -1;
	} else if (S_ISREG(st.st_mode)) {
		if ((!added && holds(m, c->path, c->old_blob, &old, e) != 0) ||
		    (!gone && holds(m, c->path, c->new_blob, &way, e) != 0) ||
		    (!gone && !old && !way && is_beginning(m, c, file, &way, e) != 0))
			return -1;
	} else if (S_ISDIR(st.st_mode)) {
		old = added; /* what is below it is looked at by itself */
		way = !added;
	}
	if (m->forward) {
		if ((old || way) && !S_ISDIR(st.st_mode))
			strv_add(gone ? &m->made : &m->written, c->path);
	} else if (way || (!added && strv_has(&m->ahead, c->path))) {
		strv_add(added ? &m->made : &m->written, c->path);
	} else if (!old) {
		str_addf(&m->trouble, "%s in %s is neither as before it nor as after it", c->path, m->tree);
	}
	return 0;
}

static int index_differs(struct mend *m, const char *commit, struct strv *paths, struct err *e)
{
	AUTO_STR struct str text = {0};

	if (git_run(&m->git, &text, GIT_ARGS("diff-index", "--cached", "-z", "--name-only", "--no-renames", commit, "--"), e) != 0)
		return -1;
	for (size_t i = 0; i < text.len; i += strlen(text.p + i) + 1)
		strv_add(paths, text.p + i);
	return 0;
}

/* git writes the index when all files are; but a disk may have kept that, and not what was done before it. */
static int look_ahead(struct mend *m, struct err *e)
{
	AUTO_STRV struct strv from_old = {0}, from_new = {0};

	if (index_differs(m, m->intent->old_tip, &from_old, e) != 0 ||
	    (from_old.n && index_differs(m, m->intent->new_tip, &from_new, e) != 0))
		return -1;
	for (size_t i = 0; i < from_old.n; i++)
		if (!strv_has(&from_new, from_old.v[i]))
			strv_add(&m->ahead, from_old.v[i]);
	return 0;
}

static int look_sparse(struct mend *m, struct err *e)
{
	AUTO_STR struct str text = {0};

	if (git_run(&m->git, &text, GIT_ARGS("ls-files", "-t", "-z"), e) != 0)
		return -1;
	for (size_t i = 0; i < text.len; i += strlen(text.p + i) + 1)
		if (str_starts(text.p + i, "S "))
			strv_add(&m->sparse, text.p + i + 2);
	return 0;
}

/* ":100644 100755 OLD NEW M" NUL path NUL, and so on. */
static int sort_all(struct mend *m, struct err *e)
{
	AUTO_STR struct str raw = {0};

	if (git_run(&m->git, &raw,
	            GIT_ARGS("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames",
	                     m->intent->old_tip, m->intent->new_tip),
	            e) != 0)
		return -1;
	for (size_t i = 0; i < raw.len && !m->trouble.len;) {
		char *field[4], *rest = raw.p + i + 1;
		i += strlen(raw.p + i) + 1;
		for (int k = 0; k < 4; k++)
			if (!(field[k] = strsep(&rest, " ")))
				return err_set(e, ERR_ENV, "git diff-tree is not understood");
		struct change c = {raw.p + i, field[0], field[1], field[2], field[3]};
		if (sort_one(m, &c, e) != 0)
			return -1;
		i += strlen(raw.p + i) + 1;
	}
	return 0;
}

/* Files that the commit does not have: away, with the folders that only they needed. */
static int remove_made(struct mend *m, struct err *e)
{
	for (size_t i = 0; i < m->made.n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", m->tree, m->made.v[i]);
		if (git_run(&m->git, NULL,
		            GIT_ARGS("update-index", "--force-remove", "--", m->made.v[i]), e) != 0)
			return -1;
		if (land_look_below_link(m->tree, path)) /* not made yet, or already gone */
			continue;
		if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "cannot remove %s", path);
		for (char *slash; (slash = strrchr(path, '/')) > path + strlen(m->tree);) {
			*slash = '\0';
			if (rmdir(path) != 0)
				break;
		}
	}
	return 0;
}

/* Entry and mark in one write of the index: an entry without it would be a file that the user has deleted. */
static int write_listed(struct mend *m, struct err *e)
{
	for (size_t i = 0; i < m->listed.n; i++) {
		const char *entry = m->listed.v[i], *path = strchr(strchr(entry, ',') + 1, ',') + 1;
		if (git_run(&m->git, NULL, GIT_ARGS("update-index", "--add", "--cacheinfo", entry, "--skip-worktree", "--", path), e) != 0)
			return -1;
	}
	return 0;
}

static int write_back(struct mend *m, struct err *e)
{
	if (remove_made(m, e) != 0 || write_listed(m, e) != 0)
		return -1;
	for (size_t i = 0; i < m->written.n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", m->tree, m->written.v[i]);
		if (fs_is_dir(path)) { /* with something of the user's in it, or it would be gone */
			str_addf(&m->trouble, "%s is a folder now", path);
			return 0;
		}
		if (git_run(&m->git, NULL,
		            GIT_ARGS("--literal-pathspecs", "checkout", "--quiet", "--force",
		                     m->forward ? m->intent->new_tip : m->intent->old_tip, "--",
		                     m->written.v[i]),
		            e) != 0)
			return -1;
	}
	return 0;
}

int land_tree_home(const struct session *s, const struct intent_row *intent, struct oid *now, bool *out, struct err *e)
{
	AUTO_STRV struct strv paths = {0};

	*out = gitx_ref_read(s->site->git, intent->ref, now, e) == 0 &&
	       gitx_checked_out_all(s->site->git, intent->ref, &paths, e) == 0 && paths.n == 1 &&
	       str_eq(paths.v[0], intent->tree_path);
	return err_no_room(e->kind) ? -1 : 0;
}

static int mend(struct mend *m, char **trouble, struct err *e)
{
	AUTO_STRV struct strv settings = {0};

	/* As in the landing itself: an index that is there is whole. */
	strv_add(&settings, LAND_FSYNC);
	m->git.extra = &settings;
	int rc = m->forward ? 0 : look_ahead(m, e);
	if (rc == 0)
		rc = look_sparse(m, e);
	if (rc == 0)
		rc = sort_all(m, e);
	if (rc == 0 && !m->trouble.len)
		rc = write_back(m, e);
	if (rc == 0 && !m->trouble.len)
		rc = land_flush(m->s, &m->git, m->intent->ref, m->intent->old_tip, m->intent->new_tip, e);
	if (m->trouble.len)
		*trouble = str_take(&m->trouble);
	str_fini(&m->trouble);
	strv_fini(&m->ahead);
	strv_fini(&m->sparse);
	strv_fini(&m->listed);
	strv_fini(&m->written);
	strv_fini(&m->made);
	return rc;
}

int land_tree_undo(struct session *s, const struct intent_row *intent, char **trouble, struct err *e)
{
	struct mend m = {.s = s,
	                 .git = {.cwd = intent->tree_path, .guard = session_guard(s)},
	                 .tree = intent->tree_path,
	                 .intent = intent};
	return mend(&m, trouble, e);
}

int land_tree_mend(struct session *s, const struct intent_row *intent, char **trouble,
                   struct err *e)
{
	struct mend m = {.s = s,
	                 .git = {.cwd = intent->tree_path, .guard = session_guard(s)},
	                 .tree = intent->tree_path,
	                 .intent = intent};
	struct owner self;
	struct err gone = {0};
	struct oid now;
	bool home;

	/* The tree or its branch may be gone since, or another branch checked out: nothing to mend. */
	if (!fs_exists(m.tree))
		return 0;
	if (land_tree_home(s, intent, &now, &home, &gone) != 0)
		return err_set(e, gone.kind, "%s", gone.text);
	if (!home)
		return 0;
	owner_self(&self);
	*trouble = land_look_locked(&m.git, s, intent->ref, true, e);
	if (*trouble)
		return 0;
	bool new = strcmp(now.hex, intent->new_tip) == 0, old = strcmp(now.hex, intent->old_tip) == 0;
	/* Finished, but the machine went down before its files were flushed. */
	m.forward = new && intent->boot_id && !str_eq(intent->boot_id, self.boot_id);
	if (!new && !old)
		return 0; /* somebody else has been here since */
	FAILPOINT("land.mend.before");
	int rc = old || m.forward
	                 ? mend(&m, trouble, e)
	                 : land_flush(s, &m.git, intent->ref, intent->old_tip, intent->new_tip, e);
	FAILPOINT("land.mend.after");
	return rc;
}
