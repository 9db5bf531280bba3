/* gitx_objects: reading commits, trees, blobs and history. Writes nothing; objects are written in
 * gitx_write.c. Replace refs, grafts and `shallow` are not honoured (libgit2 does not know them):
 * whoever needs history as git shows it asks gitx_merge_caveat first. */
#include "gitx_private.h"

#include <ctype.h>
#include <string.h>

#include "store/base/mem.h"

bool oid_parse(struct oid *out, const char *hex)
{
	*out = (struct oid){0};
	size_t n = hex ? strlen(hex) : 0;
	if (n != sizeof out->hex - 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)hex[i]))
			return false;
	for (size_t i = 0; i < n; i++)
		out->hex[i] = (char)tolower((unsigned char)hex[i]);
	return true;
}

void gitx_oid_out(struct oid *out, const git_oid *id)
{
	git_oid_tostr(out->hex, sizeof out->hex, id);
}

int gitx_oid_in(git_oid *out, const struct oid *in, const char *what, struct err *e)
{
	if (strnlen(in->hex, sizeof in->hex) != sizeof in->hex - 1 ||
	    git_oid_fromstr(out, in->hex) != 0)
		return err_set(e, ERR_USAGE, "%s: '%.40s' is not an object id", what, in->hex);
	return 0;
}

git_odb_object *gitx_object(struct gitx *g, const git_oid *id, struct err *e)
{
	git_odb_object *object = NULL;
	int rc = git_odb_read(&object, g->odb, id);
	if (rc < 0) {
		gitx_err(e, rc, "cannot read object %s", git_oid_tostr_s(id));
		return NULL;
	}
	return object;
}

static int commit_at(struct gitx *g, const struct oid *oid, git_commit **out, struct err *e)
{
	git_oid id;
	if (gitx_oid_in(&id, oid, "commit", e) != 0)
		return -1;
	int rc = git_commit_lookup(out, g->repo, &id);
	return rc < 0 ? gitx_err(e, rc, "cannot read commit %s", oid->hex) : 0;
}

/* ---- commits ---- */

int gitx_commit_of(struct gitx *g, const char *rev, struct oid *out, struct err *e)
{
	GITX_AUTO(git_object) object = NULL;
	GITX_AUTO(git_object) commit = NULL;

	*out = (struct oid){0};
	int rc = *rev ? git_revparse_single(&object, g->repo, rev) : GIT_ENOTFOUND;
	if (rc == GIT_ENOTFOUND)
		return err_code(e, ERR_MISSING, rc, "there is no revision '%s' in this repository",
		                rev);
	if (rc < 0)
		return gitx_err(e, rc, "cannot understand the revision '%s'", rev);
	rc = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC)
		return err_code(e, ERR_MISSING, rc, "'%s' is a %s, not a commit", rev,
		                git_object_type2string(git_object_type(object)));
	if (rc < 0)
		return gitx_err(e, rc, "cannot read the commit of '%s'", rev);
	gitx_oid_out(out, git_object_id(commit));
	return 0;
}

int gitx_tree_of(struct gitx *g, const struct oid *commit, struct oid *out, struct err *e)
{
	GITX_AUTO(git_commit) c = NULL;
	if (commit_at(g, commit, &c, e) != 0)
		return -1;
	gitx_oid_out(out, git_commit_tree_id(c));
	return 0;
}

int gitx_parents(struct gitx *g, const struct oid *commit, struct oid *out, size_t max, size_t *n,
                 struct err *e)
{
	GITX_AUTO(git_commit) c = NULL;
	if (commit_at(g, commit, &c, e) != 0)
		return -1;
	*n = git_commit_parentcount(c);
	for (size_t i = 0; i < *n && i < max; i++)
		gitx_oid_out(&out[i], git_commit_parent_id(c, (unsigned)i));
	return 0;
}

int gitx_message(struct gitx *g, const struct oid *commit, struct str *out, struct err *e)
{
	GITX_AUTO(git_commit) c = NULL;
	if (commit_at(g, commit, &c, e) != 0)
		return -1;
	str_add(out, git_commit_message_raw(c));
	return 0;
}

char *gitx_trailer(struct gitx *g, const struct oid *commit, const char *key)
{
	AUTO_STR struct str text = {0};
	AUTO_FREE char *start = mem_printf("\n%s: ", key);
	struct err ignored = {0};

	if (gitx_message(g, commit, &text, &ignored) != 0)
		return NULL;
	char *last = NULL;
	for (char *p = (char *)str_text(&text); (p = strstr(p, "\n\n")); p++)
		if (p[2])
			last = p + 1;
	char *at = last ? strstr(last, start) : NULL;
	if (!at)
		return NULL;
	at += strlen(start);
	return mem_strndup(at, strcspn(at, "\n"));
}

bool gitx_has_object(struct gitx *g, const struct oid *oid)
{
	git_oid id;
	size_t n;
	git_object_t type;

	/* Not git_odb_exists: it is content with a loose file that a crash left empty. */
	bool found = git_oid_fromstr(&id, oid->hex) == 0 &&
	             git_odb_read_header(&n, &type, g->odb, &id) == 0;
	git_error_clear();
	return found;
}

/* ---- history ---- */

int gitx_reaches(struct gitx *g, const struct oid *commit, const struct oid *ancestor, bool *out,
                 struct err *e)
{
	GITX_AUTO(git_commit) from = NULL;
	GITX_AUTO(git_commit) to = NULL;

	/* Both are looked up first: a missing one must be an error, never "not reachable". */
	if (commit_at(g, commit, &from, e) != 0 || commit_at(g, ancestor, &to, e) != 0)
		return -1;
	const git_oid *a = git_commit_id(from), *b = git_commit_id(to);
	int rc = git_oid_equal(a, b) ? 1
	         : gitx_shallow(g)   ? gitx_shallow_reaches(g, a, b)
	                             : git_graph_descendant_of(g->repo, a, b);
	/* Nor does libgit2 know of grafts: what lies behind them is not reachable here. */
	if (rc == GIT_ENOTFOUND && gitx_merge_caveat(g))
		rc = 0;
	if (rc < 0)
		return gitx_err(e, rc, "cannot tell whether %s contains %s", commit->hex,
		                ancestor->hex);
	*out = rc == 1;
	return 0;
}

int gitx_ahead_behind(struct gitx *g, const struct oid *local, const struct oid *upstream,
                      size_t *ahead, size_t *behind, struct err *e)
{
	git_oid a, b;
	if (gitx_oid_in(&a, local, "commit", e) != 0 || gitx_oid_in(&b, upstream, "commit", e) != 0)
		return -1;
	int rc = git_graph_ahead_behind(ahead, behind, g->repo, &a, &b);
	return rc < 0 ? gitx_err(e, rc, "cannot compare %s with %s", local->hex, upstream->hex) : 0;
}

/* ---- trees ---- */

struct path_list {
	struct strv *out;
	size_t max, found;
	bool full;
};

/* Called for every difference. Returning 1 keeps it out of the git_diff, which is thrown away. */
static int add_path(const git_diff *diff, const git_diff_delta *delta, const char *spec, void *ctx)
{
	struct path_list *l = ctx;
	/* A deletion has only the old name; without renames the two are otherwise the same. */
	const char *path = delta->new_file.path ? delta->new_file.path : delta->old_file.path;

	(void)diff;
	(void)spec;
	if (l->max && l->found == l->max) {
		l->full = true;
		return -1;
	}
	l->found++;
	strv_add(l->out, path);
	return 1;
}

int gitx_tree_at(struct gitx *g, const struct oid *oid, git_tree **out, struct err *e)
{
	git_oid id;
	if (oid_none(oid) || str_eq(oid->hex, GITX_EMPTY_TREE))
		return 0;
	if (gitx_oid_in(&id, oid, "tree", e) != 0)
		return -1;
	int rc = git_tree_lookup(out, g->repo, &id);
	return rc < 0 ? gitx_err(e, rc, "cannot read tree %s", oid->hex) : 0;
}

int gitx_diff_paths(struct gitx *g, const struct oid *tree_a, const struct oid *tree_b, size_t max,
                    struct strv *out, struct err *e)
{
	GITX_AUTO(git_tree) a = NULL;
	GITX_AUTO(git_tree) b = NULL;
	GITX_AUTO(git_diff) diff = NULL;
	git_diff_options opts;
	struct path_list list = {.out = out, .max = max};

	if (gitx_tree_at(g, tree_a, &a, e) != 0 || gitx_tree_at(g, tree_b, &b, e) != 0)
		return -1;
	if (!a && !b)
		return 0;
	git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	/* Else a file that became a link counts as removed and added: its path would come twice. */
	opts.flags = GIT_DIFF_INCLUDE_TYPECHANGE;
	opts.ignore_submodules = GIT_SUBMODULE_IGNORE_NONE;
	opts.notify_cb = add_path;
	opts.payload = &list;
	int rc = git_diff_tree_to_tree(&diff, g->repo, a, b, &opts);
	if (rc < 0 && !list.full)
		return gitx_err(e, rc, "cannot compare the trees %s and %s", tree_a->hex,
		                tree_b->hex);
	git_error_clear();
	return 0;
}

struct folders {
	struct strv *folders, *links;
};

static int add_folder(const char *root, const git_tree_entry *entry, void *ctx)
{
	struct folders *f = ctx;

	if (git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE)
		strv_addf(f->folders, "%s%s", root, git_tree_entry_name(entry));
	else if (git_tree_entry_filemode(entry) == GIT_FILEMODE_COMMIT)
		strv_addf(f->links, "%s%s", root, git_tree_entry_name(entry));
	return 0;
}

int gitx_folders(struct gitx *g, const struct oid *tree, struct strv *folders, struct strv *links, struct err *e)
{
	GITX_AUTO(git_tree) at = NULL;
	struct folders f = {folders, links};

	if (gitx_tree_at(g, tree, &at, e) != 0)
		return -1;
	int rc = at ? git_tree_walk(at, GIT_TREEWALK_PRE, add_folder, &f) : 0;
	return rc < 0 ? gitx_err(e, rc, "cannot read the folders of tree %s", tree->hex) : 0;
}

int gitx_read_file(struct gitx *g, const struct oid *commit, const char *path, struct str *out,
                   struct err *e)
{
	GITX_AUTO(git_object) named = NULL;
	GITX_AUTO(git_object) tree = NULL;
	git_oid id;
	GITX_AUTO(git_tree_entry) entry = NULL;
	GITX_AUTO(git_odb_object) blob = NULL;

	if (gitx_oid_in(&id, commit, "commit", e) != 0)
		return -1;
	int rc = git_object_lookup(&named, g->repo, &id, GIT_OBJECT_ANY);
	if (rc == 0)
		rc = git_object_peel(&tree, named, GIT_OBJECT_TREE);
	if (rc < 0)
		return gitx_err(e, rc, "cannot read the tree of commit %s", commit->hex);
	rc = git_tree_entry_bypath(&entry, (git_tree *)tree, path);
	if (rc == GIT_ENOTFOUND)
		return err_code(e, ERR_MISSING, rc, "commit %s has no file %s", commit->hex, path);
	if (rc < 0)
		return gitx_err(e, rc, "cannot find %s in commit %s", path, commit->hex);
	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
		return err_set(e, ERR_MISSING, "%s in commit %s is not a file", path, commit->hex);
	blob = gitx_object(g, git_tree_entry_id(entry), e);
	if (!blob)
		return err_wrap(e, "%s in commit %s", path, commit->hex);
	str_addn(out, git_odb_object_data(blob), git_odb_object_size(blob));
	return 0;
}
