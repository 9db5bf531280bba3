/* gitx_put: one file of a tree, read with a limit and put back with other bytes: blob and folders are written again, no
 * ref, index or worktree is touched. */
#include "gitx_private.h"

#include <string.h>

#include "store/base/mem.h"

/* The tree's own bytes with another id for the entry `name`. The entries, their modes and their order stay as they are. */
static int put_entry(struct gitx *g, git_oid *tree, const char *name, size_t n_name, const git_oid *id, struct err *e)
{
	GITX_AUTO(git_odb_object) object = gitx_object(g, tree, e);
	AUTO_STR struct str bytes = {0};

	if (!object)
		return -1;
	str_addn(&bytes, git_odb_object_data(object), git_odb_object_size(object));
	for (size_t at = 0; at < bytes.len;) { /* mode, space, name, NUL, the id as 20 bytes */
		char *entry = bytes.p + at, *space = strchr(entry, ' ');
		size_t n = strlen(entry);
		if (!space || at + n + 1 + sizeof id->id > bytes.len)
			break;
		if ((size_t)(entry + n - space - 1) == n_name && memcmp(space + 1, name, n_name) == 0) {
			memcpy(entry + n + 1, id->id, sizeof id->id);
			return gitx_object_write(g, tree, GIT_OBJECT_TREE, bytes.p, bytes.len, e);
		}
		at += n + 1 + sizeof id->id;
	}
	return err_set(e, ERR_DAMAGED, "tree %s has no entry %.*s", git_oid_tostr_s(tree), (int)n_name, name);
}

static int entry_at(struct gitx *g, const struct oid *tree, const char *path, git_tree_entry **out, struct err *e)
{
	GITX_AUTO(git_tree) root = NULL;
	git_oid id;

	if (gitx_oid_in(&id, tree, "tree", e) != 0)
		return -1;
	int rc = git_tree_lookup(&root, g->repo, &id);
	if (rc < 0)
		return gitx_err(e, rc, "cannot read tree %s", tree->hex);
	rc = git_tree_entry_bypath(out, root, path);
	if (rc == GIT_ENOTFOUND)
		return err_code(e, ERR_MISSING, rc, "there is no %s", path);
	return rc < 0 ? gitx_err(e, rc, "cannot find %s in tree %s", path, tree->hex) : 0;
}

int gitx_file_in(struct gitx *g, const struct oid *tree, const char *path, size_t max, struct str *out, struct err *e)
{
	GITX_AUTO(git_tree_entry) entry = NULL;
	GITX_AUTO(git_odb_object) blob = NULL;
	git_object_t type;
	size_t n;

	if (entry_at(g, tree, path, &entry, e) != 0)
		return -1;
	git_filemode_t mode = git_tree_entry_filemode(entry);
	if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
		return err_set(e, ERR_USAGE, "is %s, not a file",
		               mode == GIT_FILEMODE_LINK ? "a link" : mode == GIT_FILEMODE_TREE ? "a folder" : "a submodule");
	int rc = git_odb_read_header(&n, &type, g->odb, git_tree_entry_id(entry));
	if (rc < 0)
		return gitx_err(e, rc, "cannot read object %s", git_oid_tostr_s(git_tree_entry_id(entry)));
	if (n > max)
		return err_set(e, ERR_USAGE, "is larger than %zu bytes", max);
	blob = gitx_object(g, git_tree_entry_id(entry), e);
	if (!blob)
		return -1;
	str_addn(out, git_odb_object_data(blob), git_odb_object_size(blob));
	return 0;
}

int gitx_file_put(struct gitx *g, struct oid *out, const struct oid *tree, const char *path, const void *bytes, size_t n,
                  struct err *e)
{
	AUTO_FREE char *folder = mem_strdup(path);
	git_oid id, at;

	if (gitx_object_write(g, &id, GIT_OBJECT_BLOB, n ? bytes : "", n, e) != 0)
		return err_wrap(e, "%s", path);
	/* From the innermost folder outwards. */
	for (char *slash; (slash = strrchr(folder, '/'));) {
		GITX_AUTO(git_tree_entry) entry = NULL;
		const char *name = path + (slash + 1 - folder);
		*slash = '\0';
		if (entry_at(g, tree, folder, &entry, e) != 0)
			return -1;
		at = *git_tree_entry_id(entry);
		if (put_entry(g, &at, name, strcspn(name, "/"), &id, e) != 0)
			return -1;
		id = at;
	}
	if (gitx_oid_in(&at, tree, "tree", e) != 0 || put_entry(g, &at, path, strcspn(path, "/"), &id, e) != 0)
		return -1;
	gitx_oid_out(out, &at);
	return 0;
}
