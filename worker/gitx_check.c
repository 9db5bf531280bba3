/* gitx_check: can the objects be read that git has just written? git, as libgit2, takes an object for written when a
 * file of its name is there, also when a power cut left that file empty, cut or full of zeros (pitfalls 6.2). */
#include "gitx_private.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/mem.h"

bool gitx_clear_damaged(struct gitx *g, const git_oid *id)
{
	AUTO_FREE char *path = gitx_loose_path(g, id);
	/* A name that fsck ignores and gc removes: what can still be read of it stays for a while. */
	AUTO_FREE char *aside = mem_printf("%.*stmp_obj_damaged_%d_%s", (int)(strrchr(path, '/') + 1 - path), path,
	                                   (int)getpid(), strrchr(path, '/') + 1);
	struct stat st, now;

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || !gitx_loose_damaged(g, id))
		return false;
	/* Rename, then look again: another process may have put the real object there meanwhile. */
	if (rename(path, aside) != 0)
		return false;
	if (lstat(aside, &now) == 0 && (now.st_ino != st.st_ino || now.st_size != st.st_size))
		return rename(aside, path) == 0;
	if (!st.st_size)
		unlink(aside);
	return true;
}

bool gitx_clear_named(struct gitx *g, const char *said)
{
	static const char mark[] = "loose object ";
	git_oid id;

	for (const char *at = said; (at = strstr(at, mark));) {
		at += strlen(mark);
		if (strlen(at) > GIT_OID_HEXSZ && git_oid_fromstrn(&id, at, GIT_OID_HEXSZ) == 0)
			return gitx_clear_damaged(g, &id);
	}
	return false;
}

struct check {
	struct gitx *g;
	struct strv *paths;
	size_t *cleared;
	struct err *e;
};

static bool damaged(struct check *c, const git_oid *id, const char *path)
{
	if (!gitx_clear_damaged(c->g, id))
		return false;
	++*c->cleared;
	strv_add(c->paths, *path ? path : ".");
	return true;
}

/* What `base` has too is not looked at; NULL = it has nothing. */
static int check_tree(struct check *c, const git_oid *base, const git_oid *id, const char *at)
{
	GITX_AUTO(git_tree) before = NULL;
	GITX_AUTO(git_tree) tree = NULL;
	int rc;

	if (damaged(c, id, at))
		return 0;
	if ((rc = git_tree_lookup(&tree, c->g->repo, id)) < 0 ||
	    (base && (rc = git_tree_lookup(&before, c->g->repo, base)) < 0))
		return gitx_err(c->e, rc, "cannot read the tree %s", git_oid_tostr_s(id));
	for (size_t i = 0; rc == 0 && i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *now = git_tree_entry_byindex(tree, i);
		const git_tree_entry *was = before ? git_tree_entry_byname(before, git_tree_entry_name(now)) : NULL;
		const git_oid *to = git_tree_entry_id(now), *from = was ? git_tree_entry_id(was) : NULL;
		git_object_t type = git_tree_entry_type(now);
		if (type == GIT_OBJECT_COMMIT || (from && git_oid_equal(from, to)))
			continue;
		AUTO_FREE char *path = mem_printf("%s%s%s", at, *at ? "/" : "", git_tree_entry_name(now));
		if (type == GIT_OBJECT_TREE)
			rc = check_tree(c, was && git_tree_entry_type(was) == type ? from : NULL, to, path);
		else
			damaged(c, to, path);
	}
	return rc;
}

int gitx_check_tree(struct gitx *g, const struct oid *base, const struct oid *tree, struct strv *paths,
                    size_t *cleared, struct err *e)
{
	struct check c = {g, paths, cleared, e};
	git_oid from, to;

	bool none = oid_none(base);
	if ((!none && gitx_oid_in(&from, base, "tree", e) != 0) || gitx_oid_in(&to, tree, "tree", e) != 0)
		return -1;
	return !none && git_oid_equal(&from, &to) ? 0 : check_tree(&c, none ? NULL : &from, &to, "");
}
