/* gitx_merge: the merge of two commits whose changes do not meet, tree by tree, in process
 * (architecture 9 step 1). It answers only what `git merge-tree` would answer with the same tree, and
 * leaves the rest to git: an entry changed on both sides may be a rename, a file that follows a moved
 * folder, a text merge or a conflict. A merge made of changes that do not meet cannot be any of these:
 * a rename matters only when the other side changed or removed the file as well, a moved folder only when
 * the other side added to it, and then an entry is changed on both sides. Attributes and drivers count
 * only for contents that meet. The trees are walked by name: in git's order a file `x` and a folder
 * `x` are not neighbours. */
#include "gitx_private.h"

#include <string.h>

#include "store/base/mem.h"

enum { DEPTH_MAX = 256 }; /* folders in folders; deeper is left to git */

struct entry {
	const char *name; /* borrowed from its tree */
	git_filemode_t mode; /* as git sees it: an old 100664 is 100644; 0 = there is none */
	git_oid id;
};

struct entries {
	git_tree *tree;
	struct entry *v;
	size_t n;
};

/* A tree object made and not written yet. */
struct made {
	git_oid id;
	struct str bytes;
};

struct merger {
	struct gitx *g;
	struct made *made;
	size_t n_made;
};

enum outcome { OUT_MERGED, OUT_NOT_MINE, OUT_ERROR };

/* ---- reading a tree ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* git's order: a folder's name counts as if it ended in a slash. */
static int by_git(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t nx = strlen(x->name), ny = strlen(y->name), n = nx < ny ? nx : ny;
	int c = memcmp(x->name, y->name, n);

	if (c)
		return c;
	unsigned char ex = (unsigned char)x->name[n], ey = (unsigned char)y->name[n];
	if (!ex && x->mode == GIT_FILEMODE_TREE)
		ex = '/';
	if (!ey && y->mode == GIT_FILEMODE_TREE)
		ey = '/';
	return (int)ex - (int)ey;
}

/* The two orders are nearly always the same: then nothing is moved. */
static void sort(struct entry *v, size_t n, int (*order)(const void *, const void *))
{
	for (size_t i = 1; i < n; i++)
		if (order(&v[i - 1], &v[i]) > 0) {
			qsort(v, n, sizeof *v, order);
			return;
		}
}

static void drop(struct entries *l)
{
	git_tree_free(l->tree);
	free(l->v);
}

/* No entries for NULL, and for anything that is no tree. */
static enum outcome read_entries(struct merger *m, struct entries *out, const struct entry *at,
                                 struct err *e)
{
	if (!at || at->mode != GIT_FILEMODE_TREE)
		return OUT_MERGED;
	/* git knows the empty tree even where it is not stored. */
	if (git_oid_streq(&at->id, GITX_EMPTY_TREE) == 0)
		return OUT_MERGED;
	int rc = git_tree_lookup(&out->tree, m->g->repo, &at->id);
	if (rc < 0)
		return gitx_err(e, rc, "cannot read tree %s", git_oid_tostr_s(&at->id)), OUT_ERROR;
	out->n = git_tree_entrycount(out->tree);
	out->v = mem_array(out->n + 1, sizeof *out->v);
	for (size_t i = 0; i < out->n; i++) {
		const git_tree_entry *te = git_tree_entry_byindex(out->tree, i);
		out->v[i] = (struct entry){git_tree_entry_name(te), git_tree_entry_filemode(te),
		                           *git_tree_entry_id(te)};
	}
	sort(out->v, out->n, by_name);
	/* Twice the same name: a broken tree. */
	for (size_t i = 1; i < out->n; i++)
		if (str_eq(out->v[i - 1].name, out->v[i].name))
			return OUT_NOT_MINE;
	return OUT_MERGED;
}

/* ---- making a tree ---- */

static enum outcome add_tree(struct merger *m, struct entry *v, size_t n, git_oid *id, struct err *e)
{
	AUTO_STR struct str bytes = {0};

	sort(v, n, by_git);
	for (size_t i = 0; i < n; i++) {
		str_addf(&bytes, "%o %s", (unsigned)v[i].mode, v[i].name);
		str_addc(&bytes, '\0');
		str_addn(&bytes, v[i].id.id, sizeof v[i].id.id);
	}
	int rc = git_odb_hash(id, str_text(&bytes), bytes.len, GIT_OBJECT_TREE);
	if (rc < 0)
		return gitx_err(e, rc, "cannot name a tree"), OUT_ERROR;
	m->made = mem_grow(m->made, m->n_made + 1, sizeof *m->made);
	m->made[m->n_made++] = (struct made){*id, bytes};
	bytes = (struct str){0};
	return OUT_MERGED;
}

/* ---- merging ---- */

static bool same(const struct entry *a, const struct entry *b)
{
	return a->mode == b->mode && (!a->mode || git_oid_equal(&a->id, &b->id));
}

static bool is_tree(const struct entry *a)
{
	return a->mode == GIT_FILEMODE_TREE;
}

static int format_of(const struct entry *a)
{
	return (int)a->mode & 0170000;
}

static enum outcome merge_trees(struct merger *m, struct entry *out, const struct entry *base,
                                const struct entry *ours, const struct entry *theirs,
                                unsigned depth, struct err *e);

/* One name. out->mode 0: there is nothing under it in the result. */
static enum outcome merge_entry(struct merger *m, struct entry *out, const struct entry *base,
                                const struct entry *ours, const struct entry *theirs,
                                unsigned depth, struct err *e)
{
	if (same(base, theirs)) {
		*out = *ours;
		return OUT_MERGED;
	}
	if (same(base, ours)) {
		*out = *theirs;
		return OUT_MERGED;
	}
	/* Both changed it. Two folders are entered even when they are the same now: what both have
	 * deleted inside may be a file that they renamed differently. */
	if (is_tree(ours) && is_tree(theirs) && (is_tree(base) || !base->mode))
		return merge_trees(m, out, base, ours, theirs, depth + 1, e);
	/* The same addition, or the same change of one kind of file. Deleted on both sides is neither. */
	if (!same(ours, theirs) || (base->mode && format_of(base) != format_of(ours)))
		return OUT_NOT_MINE;
	*out = *ours;
	return OUT_MERGED;
}

static const struct entry *take(const struct entries *l, size_t *i, const char *name)
{
	static const struct entry none;
	return *i < l->n && str_eq(l->v[*i].name, name) ? &l->v[(*i)++] : &none;
}

static enum outcome merge_lists(struct merger *m, struct entry *out, const struct entries *l,
                                unsigned depth, struct err *e)
{
	struct entry *merged = mem_array(l[0].n + l[1].n + l[2].n + 1, sizeof *merged);
	size_t at[3] = {0}, n = 0;
	enum outcome rc = OUT_MERGED;

	while (rc == OUT_MERGED) {
		const char *name = NULL;
		const struct entry *side[3];
		for (int k = 0; k < 3; k++)
			if (at[k] < l[k].n && (!name || strcmp(l[k].v[at[k]].name, name) < 0))
				name = l[k].v[at[k]].name;
		if (!name)
			break;
		for (int k = 0; k < 3; k++)
			side[k] = take(&l[k], &at[k], name);
		rc = merge_entry(m, &merged[n], side[0], side[1], side[2], depth, e);
		merged[n].name = name;
		n += merged[n].mode != 0;
	}
	/* A folder that ends empty goes, but not the root. */
	if (rc == OUT_MERGED && (n || !depth)) {
		rc = add_tree(m, merged, n, &out->id, e);
		out->mode = GIT_FILEMODE_TREE;
	}
	free(merged);
	return rc;
}

static enum outcome merge_trees(struct merger *m, struct entry *out, const struct entry *base,
                                const struct entry *ours, const struct entry *theirs,
                                unsigned depth, struct err *e)
{
	struct entries lists[3] = {0};
	const struct entry *trees[3] = {base, ours, theirs};
	enum outcome rc = depth < DEPTH_MAX ? OUT_MERGED : OUT_NOT_MINE;

	*out = (struct entry){0};
	for (int k = 0; k < 3 && rc == OUT_MERGED; k++)
		rc = read_entries(m, &lists[k], trees[k], e);
	if (rc == OUT_MERGED)
		rc = merge_lists(m, out, lists, depth, e);
	for (int k = 0; k < 3; k++)
		drop(&lists[k]);
	return rc;
}

/* ---- the whole ---- */

static int root_of(struct gitx *g, const struct oid *commit, struct entry *out, struct err *e)
{
	struct oid tree;

	*out = (struct entry){.name = "", .mode = GIT_FILEMODE_TREE};
	return gitx_tree_of(g, commit, &tree, e) == 0 ? gitx_oid_in(&out->id, &tree, "tree", e) : -1;
}

/* Is `base` what git would merge by? Not when somebody has reset the tip to before it, has merged
 * `theirs` already, or when there are several. */
static int only_base(struct gitx *g, const struct oid *base, const struct oid *ours,
                     const struct oid *theirs, bool *out, struct err *e)
{
	struct oid found;

	if (gitx_merge_base(g, &found, ours, theirs, e) != 0)
		return -1;
	*out = str_eq(found.hex, base->hex);
	return 0;
}

int gitx_merge_base(struct gitx *g, struct oid *out, const struct oid *ours, const struct oid *theirs, struct err *e)
{
	git_oidarray found = {0};
	git_oid a, b;

	*out = (struct oid){0};
	if (gitx_oid_in(&a, ours, "commit", e) != 0 || gitx_oid_in(&b, theirs, "commit", e) != 0)
		return -1;
	int rc = git_merge_bases(&found, g->repo, &a, &b);
	if (rc < 0 && rc != GIT_ENOTFOUND)
		return gitx_err(e, rc, "cannot find what %s and %s have in common", ours->hex, theirs->hex);
	if (rc == 0 && found.count == 1)
		gitx_oid_out(out, &found.ids[0]);
	git_oidarray_dispose(&found);
	git_error_clear();
	return 0;
}

int gitx_merge(struct gitx *g, bool *merged, struct oid *tree, const struct oid *base,
               const struct oid *ours, const struct oid *theirs, struct err *e)
{
	struct merger m = {.g = g};
	struct entry roots[3], out;
	git_oid id;
	int rc = -1;

	*merged = false;
	if (gitx_merge_caveat(g))
		return 0;
	if (root_of(g, base, &roots[0], e) != 0 || root_of(g, ours, &roots[1], e) != 0 ||
	    root_of(g, theirs, &roots[2], e) != 0 || only_base(g, base, ours, theirs, merged, e) != 0)
		return -1;
	if (!*merged)
		return 0;
	enum outcome end = merge_trees(&m, &out, &roots[0], &roots[1], &roots[2], 0, e);
	*merged = end == OUT_MERGED;
	if (end != OUT_ERROR)
		rc = 0;
	/* Only now, when all of it is known; children come before their parents. */
	for (size_t i = 0; i < m.n_made; i++) {
		if (*merged && rc == 0)
			rc = gitx_object_write(g, &id, GIT_OBJECT_TREE, str_text(&m.made[i].bytes),
			                       m.made[i].bytes.len, e);
		str_fini(&m.made[i].bytes);
	}
	free(m.made);
	*merged = *merged && rc == 0;
	if (*merged)
		gitx_oid_out(tree, &out.id);
	return rc;
}
