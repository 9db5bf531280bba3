/* gitx_claim: the objects that a commit brings along, whoever wrote them. A ref is about to rely on them:
 * git flushes no loose object of an agent's own commits, and the names of none, so they are flushed as if
 * we had written them. */
#include "gitx_private.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { DEPTH_MAX = 256 };

/* ---- going through them ---- */

bool gitx_loose(const struct gitx *g, const git_oid *id)
{
	const char *hex = git_oid_tostr_s(id);
	AUTO_FREE char *path = mem_printf("%s/objects/%.2s/%s", g->common_dir, hex, hex + 2);
	return fs_exists(path);
}

static const git_tree_entry *find(const git_tree *tree, const char *name)
{
	return tree ? git_tree_entry_byname(tree, name) : NULL;
}

/* `known` may be NULL: everything in `id` is new. */
static void visit_tree(struct gitx *g, const git_oid *id, const git_oid *known, unsigned depth,
                       gitx_visit_fn *visit, bool *whole)
{
	GITX_AUTO(git_tree) tree = NULL;
	GITX_AUTO(git_tree) other = NULL;

	if ((known && git_oid_equal(id, known)) || depth == DEPTH_MAX || !visit(g, id, whole))
		return;
	if (git_tree_lookup(&tree, g->repo, id) < 0) {
		*whole = false;
		return;
	}
	if (known && git_tree_lookup(&other, g->repo, known) < 0)
		other = NULL;
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *en = git_tree_entry_byindex(tree, i);
		const git_tree_entry *old = find(other, git_tree_entry_name(en));
		bool was_tree = old && git_tree_entry_type(old) == GIT_OBJECT_TREE;
		if (old && git_oid_equal(git_tree_entry_id(en), git_tree_entry_id(old)))
			continue;
		if (git_tree_entry_type(en) == GIT_OBJECT_TREE)
			visit_tree(g, git_tree_entry_id(en), was_tree ? git_tree_entry_id(old) : NULL, depth + 1,
			           visit, whole);
		else if (git_tree_entry_type(en) == GIT_OBJECT_BLOB)
			visit(g, git_tree_entry_id(en), whole);
	}
}

/* What it changed since its first parent. */
static void visit_commit(struct gitx *g, const git_oid *id, gitx_visit_fn *visit, bool *whole)
{
	GITX_AUTO(git_commit) commit = NULL;
	GITX_AUTO(git_commit) parent = NULL;

	if (!visit(g, id, whole))
		return;
	if (git_commit_lookup(&commit, g->repo, id) < 0) {
		*whole = false;
		return;
	}
	if (git_commit_parentcount(commit) && git_commit_parent(&parent, commit, 0) < 0)
		parent = NULL;
	visit_tree(g, git_commit_tree_id(commit), parent ? git_commit_tree_id(parent) : NULL, 0, visit, whole);
}

/* Visits them as they are found; GIT_ITEROVER or an error. */
static int visit_history(struct gitx *g, const git_oid *commit, const git_oid *known, gitx_visit_fn *visit, bool *whole)
{
	git_revwalk *walk = NULL;
	git_oid id;
	int rc = git_revwalk_new(&walk, g->repo);

	if (rc == 0)
		rc = git_revwalk_push(walk, commit) < 0 || git_revwalk_hide(walk, known) < 0 ? -1 : 0;
	while (rc == 0 && (rc = git_revwalk_next(&id, walk)) == 0)
		visit_commit(g, &id, visit, whole);
	git_revwalk_free(walk);
	return rc;
}

static int visit_shallow(struct gitx *g, const git_oid *commit, const git_oid *known, gitx_visit_fn *visit, bool *whole)
{
	git_oid *list = NULL;
	size_t n = 0;
	int rc = gitx_shallow_new(g, commit, known, &list, &n);

	for (size_t i = 0; rc == 0 && i < n; i++)
		visit_commit(g, &list[i], visit, whole);
	free(list);
	return rc == 0 ? GIT_ITEROVER : rc;
}

bool gitx_visit_new(struct gitx *g, const struct oid *commit, const struct oid *known, gitx_visit_fn *visit)
{
	git_oid id, at;
	struct err ignored = {0};
	bool whole = true;

	if (gitx_oid_in(&id, commit, "commit", &ignored) != 0)
		return false;
	if (!known)
		visit_commit(g, &id, visit, &whole);
	else if (gitx_oid_in(&at, known, "commit", &ignored) == 0)
		whole = (gitx_shallow(g) ? visit_shallow : visit_history)(g, &id, &at, visit, &whole) == GIT_ITEROVER && whole;
	git_error_clear();
	return whole;
}

/* ---- flushing them ---- */

/* What lies in a pack was flushed by git, and what it names is taken for older still. */
static bool claim(struct gitx *g, const git_oid *id, bool *whole)
{
	(void)whole;
	if (!gitx_loose(g, id))
		return false;
	gitx_unflushed_add(g, id, true);
	return true;
}

void gitx_claim(struct gitx *g, const struct oid *commit, const struct oid *known)
{
	gitx_visit_new(g, commit, known, claim);
}

void gitx_claim_tree(struct gitx *g, const struct oid *tree, const struct oid *known)
{
	git_oid id, at;
	struct err ignored = {0};
	bool whole = true;

	if (gitx_oid_in(&id, tree, "tree", &ignored) == 0 && gitx_oid_in(&at, known, "tree", &ignored) == 0)
		visit_tree(g, &id, &at, 0, claim, &whole);
	git_error_clear();
}

