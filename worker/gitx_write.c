/* gitx_write: writing blobs, trees and commits, each read back before its id is given out. Moves no
 * ref. Hooks and signing are not run here (pitfalls 1.10): a caller that must sign uses git. */
#include "gitx_private.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "secret.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

/* ---- one object ---- */

static bool reads_back(struct gitx *g, const git_oid *id, git_object_t type, const void *bytes, size_t n)
{
	struct err ignored = {0};

	/* The others are asked for next, and libgit2 has them ready then. */
	if (type == GIT_OBJECT_BLOB && gitx_loose_holds(g, id, type, bytes, n))
		return true;
	GITX_AUTO(git_odb_object) object = gitx_object(g, id, &ignored);
	return object && git_odb_object_type(object) == type && git_odb_object_size(object) == n;
}

int gitx_object_write(struct gitx *g, git_oid *out, git_object_t type, const void *bytes,
                      size_t n, struct err *e)
{
	const char *kind = git_object_type2string(type);
	int rc = gitx_write_unflushed(g, out, bytes, n, type);

	if (rc < 0)
		return gitx_err(e, rc, "cannot write a %s", kind);
	if (reads_back(g, out, type, bytes, n))
		return 0;
	/* A file of that name was taken for the object, whatever is in it (pitfalls 6.2). */
	if (gitx_clear_damaged(g, out) && (rc = gitx_write_unflushed(g, out, bytes, n, type)) < 0)
		return gitx_err(e, rc, "cannot write %s %s again", kind, git_oid_tostr_s(out));
	if (reads_back(g, out, type, bytes, n))
		return 0;
	return err_set(e, ERR_DAMAGED,
	               "%s %s is stored, but cannot be read back: its file in %s/objects is damaged. "
	               "See git fsck --full",
	               kind, git_oid_tostr_s(out), g->common_dir);
}

/* ---- commits ---- */

/* "Name <mail>", nothing else: no missing part, no second bracket, no control character (a newline
 * would forge a header line). */
static bool well_formed(const char *text)
{
	const char *open = strchr(text, '<'), *close = strchr(text, '>');
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return open && close && open == strrchr(text, '<') && close == text + n - 1 &&
	       text[0] != ' ' && open >= text + 2 && open[-1] == ' ' && close >= open + 2 &&
	       !strchr(open, ' ');
}

static int parse_person(git_signature **out, const char *text, struct err *e)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm local;
	int rc = -1;

	if (!localtime_r(&now, &local))
		return err_sys(e, "cannot tell the local time");
	if (well_formed(text)) {
		const char *open = strchr(text, '<');
		AUTO_FREE char *name = mem_strndup(text, (size_t)(open - 1 - text));
		AUTO_FREE char *mail = mem_strndup(open + 1, strlen(open + 1) - 1);
		/* libgit2 cuts the same characters off the ends as git does ("J. Doe Jr."); it
		 * fails when nothing is left. */
		rc = git_signature_new(out, name, mail, now, (int)(local.tm_gmtoff / 60));
		git_error_clear();
	}
	return rc == 0 ? 0
	               : err_set(e, ERR_USAGE, "'%s' is not an author of the form: Name <mail>",
	                         text);
}

static int read_parents(struct gitx *g, git_commit **out, const struct oid *parents, size_t n,
                        struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		git_oid id;
		if (gitx_oid_in(&id, &parents[i], "parent", e) != 0)
			return -1;
		int rc = git_commit_lookup(&out[i], g->repo, &id);
		if (rc < 0)
			return gitx_err(e, rc, "cannot read parent commit %s", parents[i].hex);
	}
	return 0;
}

static int read_tree(struct gitx *g, git_tree **out, const struct oid *tree, struct err *e)
{
	git_oid id;
	if (gitx_oid_in(&id, tree, "tree", e) != 0)
		return -1;
	/* The empty tree has a well-known id, but git does not always store it. */
	if (str_eq(tree->hex, GITX_EMPTY_TREE) &&
	    gitx_object_write(g, &id, GIT_OBJECT_TREE, "", 0, e) != 0)
		return -1;
	int rc = git_tree_lookup(out, g->repo, &id);
	return rc < 0 ? gitx_err(e, rc, "cannot read tree %s", tree->hex) : 0;
}

int gitx_commit_write(struct gitx *g, struct oid *out, const struct oid *tree,
                      const struct oid *parents, size_t n_parents, const char *author,
                      const char *message, struct err *e)
{
	GITX_AUTO(git_signature) person = NULL;
	GITX_AUTO(git_tree) t = NULL;
	GITX_AUTO_BUF text = {0};
	git_commit **list = NULL;
	git_oid id;
	int rc = -1;
	AUTO_FREE char *clean = secret_hidden(message); /* promise E7, for every commit there is */

	if (parse_person(&person, author, e) != 0 || read_tree(g, &t, tree, e) != 0)
		return -1;
	list = mem_array(n_parents + 1, sizeof(git_commit *));
	if (read_parents(g, list, parents, n_parents, e) != 0)
		goto done;
	/* Not git_commit_create: in 1.5 it returns 0 when the object could not be written. */
	rc = git_commit_create_buffer(&text, g->repo, person, person, NULL, clean, t, n_parents,
	                              (const git_commit **)list);
	if (rc < 0) {
		rc = gitx_err(e, rc, "cannot make a commit of tree %s", tree->hex);
		goto done;
	}
	rc = gitx_object_write(g, &id, GIT_OBJECT_COMMIT, text.ptr, text.size, e);
	if (rc == 0) {
		gitx_oid_out(out, &id);
		FAILPOINT("git.commit.written");
	}
done:
	for (size_t i = 0; i < n_parents; i++)
		git_commit_free(list[i]);
	free(list);
	return rc;
}

int gitx_commit_adopt(struct gitx *g, const struct oid *commit, const struct oid *tree, struct err *e)
{
	GITX_AUTO(git_tree) t = NULL;
	struct oid has;
	git_oid id;

	if (read_tree(g, &t, tree, e) != 0 || gitx_oid_in(&id, commit, "commit", e) != 0 ||
	    gitx_tree_of(g, commit, &has, e) != 0)
		return -1;
	if (strcmp(has.hex, tree->hex) != 0)
		return err_set(e, ERR_ENV, "commit %s has tree %s, not %s", commit->hex, has.hex, tree->hex);
	gitx_unflushed_add(g, &id, true);
	return 0;
}

static int add_entry(struct str *tree, const char *name, const git_oid *blob, struct err *e)
{
	if (!*name || strchr(name, '/') || str_eq(name, ".") || str_eq(name, "..") ||
	    strcasecmp(name, ".git") == 0)
		return err_set(e, ERR_USAGE, "'%s' cannot be the name of a file in a commit", name);
	/* An entry in git's own form: mode, space, name, NUL, the id as 20 bytes. */
	str_addf(tree, "100644 %s", name);
	str_addc(tree, '\0');
	str_addn(tree, blob->id, sizeof blob->id);
	return 0;
}

static int commit_tree(struct gitx *g, struct oid *out, const struct str *tree, const struct oid *parent,
                       const char *author, const char *message, struct err *e)
{
	struct oid tree_id;
	git_oid id;

	if (gitx_object_write(g, &id, GIT_OBJECT_TREE, tree->p, tree->len, e) != 0)
		return -1;
	gitx_oid_out(&tree_id, &id);
	bool rooted = parent && !oid_none(parent);
	return gitx_commit_write(g, out, &tree_id, parent, rooted ? 1 : 0, author, message, e);
}

int gitx_commit_file(struct gitx *g, struct oid *out, const char *name, const void *content,
                     size_t n, const struct oid *parent, const char *author, const char *message,
                     struct err *e)
{
	AUTO_STR struct str tree = {0};
	git_oid id = {0};

	if (add_entry(&tree, name, &id, e) != 0)
		return -1;
	if (gitx_object_write(g, &id, GIT_OBJECT_BLOB, n ? content : "", n, e) != 0)
		return err_wrap(e, "%s", name);
	str_clear(&tree);
	add_entry(&tree, name, &id, e);
	return commit_tree(g, out, &tree, parent, author, message, e);
}

int gitx_blob_write(struct gitx *g, struct oid *out, const void *content, size_t n, struct err *e)
{
	git_oid id;

	if (gitx_object_write(g, &id, GIT_OBJECT_BLOB, n ? content : "", n, e) != 0)
		return -1;
	gitx_oid_out(out, &id);
	return 0;
}

int gitx_commit_blobs(struct gitx *g, struct oid *out, const char *const *names, const struct oid *blobs, size_t n,
                      const char *author, const char *message, struct err *e)
{
	AUTO_STR struct str tree = {0};

	for (size_t i = 0; i < n; i++) {
		git_oid id;
		if (gitx_oid_in(&id, &blobs[i], "blob", e) != 0 || add_entry(&tree, names[i], &id, e) != 0)
			return -1;
	}
	return commit_tree(g, out, &tree, NULL, author, message, e);
}
