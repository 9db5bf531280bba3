/* gitx_refs: names of refs, and reading them, and what can be said of a move before its locks
 * are taken. Moves nothing (gitx_moves.c). */
#include "gitx_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/mem.h"

#define HEADS "refs/heads/"

int gitx_ref_read(struct gitx *g, const char *ref, struct oid *out, struct err *e)
{
	git_oid id;

	*out = (struct oid){0};
	int rc = git_reference_name_to_id(&id, g->repo, ref);
	if (rc == GIT_ENOTFOUND)
		return err_code(e, ERR_MISSING, rc, "there is no ref %s", ref);
	if (rc < 0)
		return gitx_err(e, rc, "cannot read the ref %s", ref);
	gitx_oid_out(out, &id);
	return 0;
}

char *gitx_ref_stands_for(struct gitx *g, const char *ref)
{
	GITX_AUTO(git_reference) r = NULL;
	GITX_AUTO(git_reference) real = NULL;
	AUTO_FREE char *file = mem_printf("%s/%s", g->common_dir, ref);
	AUTO_FREE char *top = realpath(g->common_dir, NULL), *linked = NULL;
	struct stat st;

	/* As git once wrote one; libgit2 reads through it. */
	if (top && lstat(file, &st) == 0 && S_ISLNK(st.st_mode) && (linked = realpath(file, NULL)))
		return mem_strdup(str_starts(linked, top) ? linked + strlen(top) + 1 : linked);
	if (git_reference_lookup(&r, g->repo, ref) != 0 || git_reference_type(r) != GIT_REFERENCE_SYMBOLIC) {
		git_error_clear();
		return NULL;
	}
	/* Through all that lie between; the last may be absent. */
	if (git_reference_resolve(&real, r) == 0)
		return mem_strdup(git_reference_name(real));
	git_error_clear();
	return mem_strdup(git_reference_symbolic_target(r));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int gitx_ref_list(struct gitx *g, const char *prefix, struct strv *out, struct err *e)
{
	GITX_AUTO(git_reference_iterator) it = NULL;
	/* In libgit2's globs a star matches slashes; ref names cannot hold glob characters. */
	AUTO_FREE char *glob = mem_printf("%s*", prefix);
	const char *name;
	size_t before = out->n;

	if (!str_starts(prefix, "refs/") || strpbrk(prefix, "*?[\\"))
		return err_set(e, ERR_USAGE, "'%s' is not the beginning of a ref name", prefix);
	int rc = git_reference_iterator_glob_new(&it, g->repo, glob);
	while (rc == 0 && (rc = git_reference_next_name(&name, it)) == 0)
		strv_add(out, name);
	if (rc != GIT_ITEROVER)
		return gitx_err(e, rc, "cannot list the refs below %s", prefix);
	/* Loose ones come first otherwise; sorted is what callers can rely on. */
	if (out->n > before)
		qsort(out->v + before, out->n - before, sizeof *out->v, by_name);
	return 0;
}

bool gitx_branch_name_ok(const char *branch)
{
	int valid = 0;

	/* libgit2 lets DEL pass, git does not. */
	if (strchr(branch, 0x7f) || git_branch_name_is_valid(&valid, branch) != 0)
		valid = 0;
	git_error_clear();
	/* Each part is a file name, with ".lock" at its end for a moment. */
	for (const char *part = branch; valid && part; part = strchr(part, '/')) {
		part += *part == '/';
		valid = strcspn(part, "/") <= 255 - strlen(".lock");
	}
	return valid != 0;
}

int gitx_head_branch(struct gitx *g, char **out, struct err *e)
{
	GITX_AUTO(git_reference) head = NULL;
	int rc = git_reference_lookup(&head, g->repo, "HEAD");

	*out = NULL;
	if (rc < 0)
		return gitx_err(e, rc, "cannot read HEAD of %s", g->top);
	const char *target = git_reference_symbolic_target(head);
	if (!target || !str_starts(target, HEADS))
		return err_set(e, ERR_MISSING, "%s is on no branch (detached HEAD)", g->top);
	*out = mem_strdup(target + strlen(HEADS));
	return 0;
}

struct tracking {
	const char *remote_ref;
	git_buf local;
};

static int match_refspec(const git_config_entry *entry, void *ctx)
{
	struct tracking *t = ctx;
	git_refspec *spec = NULL;

	/* One that libgit2 does not understand (a negative one) fetches nothing here. */
	if (!t->local.ptr && git_refspec_parse(&spec, entry->value, 1) == 0 &&
	    git_refspec_src_matches(spec, t->remote_ref) &&
	    git_refspec_transform(&t->local, spec, t->remote_ref) != 0)
		git_buf_dispose(&t->local);
	git_refspec_free(spec);
	return 0;
}

/* Not git_branch_upstream_name: it looks the remote up with its URL, and each configuration entry
 * that is no url.*.insteadOf leaks 20 KiB then. */
int gitx_upstream(struct gitx *g, const char *branch, char **out, struct err *e)
{
	GITX_AUTO_BUF remote = {0};
	GITX_AUTO_BUF merge = {0};
	AUTO_FREE char *remote_key = mem_printf("branch.%s.remote", branch);
	AUTO_FREE char *merge_key = mem_printf("branch.%s.merge", branch);

	*out = NULL;
	if (git_config_get_string_buf(&remote, g->cfg, remote_key) == 0 &&
	    git_config_get_string_buf(&merge, g->cfg, merge_key) == 0 && merge.size) {
		AUTO_FREE char *fetch_key = mem_printf("remote.%s.fetch", remote.ptr);
		struct tracking t = {.remote_ref = merge.ptr};
		if (str_eq(remote.ptr, "."))
			*out = mem_strdup(merge.ptr);
		else
			git_config_get_multivar_foreach(g->cfg, fetch_key, NULL, match_refspec, &t);
		if (t.local.ptr)
			*out = mem_strdup(t.local.ptr);
		git_buf_dispose(&t.local);
	}
	git_error_clear();
	return *out ? 0 : err_set(e, ERR_MISSING, "the branch %s has no upstream", branch);
}

/* ---- before a move ---- */

static int check_target(struct gitx *g, const struct gitx_move *m, struct err *e)
{
	git_oid id;
	size_t n;
	git_object_t type;

	if (!oid_none(&m->from) && gitx_oid_in(&id, &m->from, m->ref, e) != 0)
		return -1;
	if (oid_none(&m->to))
		return 0;
	if (gitx_oid_in(&id, &m->to, m->ref, e) != 0)
		return -1;
	int rc = git_odb_read_header(&n, &type, g->odb, &id);
	if (rc < 0)
		return gitx_err(e, rc, "cannot move %s to %s", m->ref, m->to.hex);
	if (str_starts(m->ref, "refs/heads/") && type != GIT_OBJECT_COMMIT)
		return err_set(e, ERR_USAGE,
		               "cannot move the branch %s to %s: that is a %s, not a commit",
		               m->ref, m->to.hex, git_object_type2string(type));
	return 0;
}

int gitx_check_moves(struct gitx *g, const struct gitx_move *moves, size_t n, struct err *e)
{
	/* Each worktree has its own of these, and libgit2 would pick the wrong file. */
	static const char *const own[] = {"refs/bisect/", "refs/worktree/", "refs/rewritten/"};

	for (size_t i = 0; i < n; i++) {
		const char *ref = moves[i].ref;
		int valid = 0;
		if (git_reference_name_is_valid(&valid, ref) != 0 || !valid ||
		    strchr(ref, 0x7f) || !str_starts(ref, "refs/"))
			return err_set(e, ERR_USAGE, "'%s' is not the full name of a ref", ref);
		for (size_t k = 0; k < MEM_COUNT(own); k++)
			if (str_starts(ref, own[k]))
				return err_set(e, ERR_USAGE, "%s belongs to one worktree", ref);
		for (size_t k = 0; k < n; k++) {
			size_t len = strlen(moves[k].ref);
			if (k != i && str_starts(ref, moves[k].ref) &&
			    (ref[len] == '\0' || ref[len] == '/'))
				return err_set(e, ERR_USAGE, "%s and %s cannot be moved together",
				               moves[k].ref, ref);
		}
		if (check_target(g, &moves[i], e) != 0)
			return -1;
	}
	return 0;
}

/* Loose or packed (pitfalls 4.5). */
bool gitx_name_taken(struct gitx *g, const char *ref, struct str *by)
{
	AUTO_FREE char *above = mem_strdup(ref);
	AUTO_FREE char *below = mem_printf("%s/", ref);
	AUTO_STRV struct strv found = {0};

	for (char *slash = strrchr(above, '/'); slash > above + strlen("refs/");
	     slash = strrchr(above, '/')) {
		GITX_AUTO(git_reference) there = NULL;
		*slash = '\0';
		if (git_reference_lookup(&there, g->repo, above) == 0) {
			str_add(by, above);
			return true;
		}
	}
	git_error_clear();
	if (gitx_ref_list(g, below, &found, NULL) != 0 || !found.n)
		return false;
	str_add(by, found.v[0]);
	return true;
}
