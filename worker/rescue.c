/* rescue: from a worktree to a rescue commit, and back. */
#include "rescue.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worktree.h"
#include "worktree_look.h"

enum { IGNORED_MAX = 200, INDEX_MAX = 1 << 30 }; /* names in the message; bytes */

static const char ASIDE[] = "bosk-index";

/* ---- refs ---- */

static bool is_known(struct gitx *g, const struct oid *commit, const struct oid *known, size_t n)
{
	struct err ignored = {0};
	bool in = false;

	for (size_t i = 0; i < n && !in; i++)
		if (!oid_none(&known[i]))
			gitx_reaches(g, &known[i], commit, &in, &ignored);
	return in;
}

/* The same work, saved before a crash? Two commits of it differ in their time only. */
static bool same_work(struct gitx *g, const struct oid *a, const struct oid *b)
{
	struct oid tree_a, tree_b, parents_a[2], parents_b[2];
	size_t n_a = 0, n_b = 0;
	struct err ignored = {0};

	if (strcmp(a->hex, b->hex) == 0)
		return true;
	return gitx_tree_of(g, a, &tree_a, &ignored) == 0 && gitx_tree_of(g, b, &tree_b, &ignored) == 0 &&
	       strcmp(tree_a.hex, tree_b.hex) == 0 && gitx_parents(g, a, parents_a, 2, &n_a, &ignored) == 0 &&
	       gitx_parents(g, b, parents_b, 2, &n_b, &ignored) == 0 && n_a == n_b && n_a &&
	       strcmp(parents_a[0].hex, parents_b[0].hex) == 0;
}

/* *commit becomes the one that the ref names, which may be an earlier one of the same work. */
static int make_ref(struct gitx *g, const char *sid, const char *task, struct oid *commit, char **ref,
                    struct err *e)
{
	struct oid now;
	struct err absent = {0};

	*ref = NULL;
	for (int n = 1;; n++) {
		free(*ref);
		*ref = mem_printf("refs/bosk/rescue/%s/%s/%d", sid, task, n);
		if (gitx_ref_read(g, *ref, &now, &absent) != 0)
			break;
		if (same_work(g, &now, commit)) {
			*commit = now;
			return 0;
		}
	}
	FAILPOINT("rescue.ref.before");
	if (gitx_ref_move(g, *ref, NULL, commit, "bosk: rescue", e) != 0 || gitx_ref_read(g, *ref, &now, e) != 0)
		return err_wrap(e, "cannot save the work as %s", *ref);
	FAILPOINT("rescue.ref.after");
	if (strcmp(now.hex, commit->hex) != 0 || !gitx_has_object(g, commit))
		return err_set(e, ERR_ENV, "%s does not read back as what was saved", *ref);
	return 0;
}

int rescue_commit(struct gitx *g, const char *sid, const char *task, const struct oid *commit,
                  const struct oid *known, size_t n_known, char **ref, struct err *e)
{
	struct oid at = *commit;

	*ref = NULL;
	return is_known(g, commit, known, n_known) ? 0 : make_ref(g, sid, task, &at, ref, e);
}

/* ---- what is in a worktree ---- */

/* An id that git prints; `out` is "" when it says no. */
static int ask_id(const struct git *git, const char *const *args, struct oid *out, struct err *e)
{
	AUTO_STR struct str text = {0}, said = {0};
	int status;

	*out = (struct oid){""};
	if (git_try(git, &status, &text, &said, args, e) != 0)
		return -1;
	if (text.len)
		text.p[strcspn(text.p, "\n")] = '\0';
	if (status != 0 || !oid_parse(out, str_text(&text)))
		*out = (struct oid){""};
	return 0;
}

/* Ignored files go with the worktree: the message says which there were. */
static int list_ignored(struct slot *s, struct str *out, struct err *e)
{
	AUTO_STR struct str text = {0};
	size_t n = 0;

	if (git_run(&s->git, &text, GIT_ARGS("status", "--porcelain", "--ignored", "--untracked-files=normal"),
	            e) != 0)
		return -1;
	char *rest = text.p;
	for (char *line; rest && (line = strsep(&rest, "\n"));) {
		if (!str_starts(line, "!! "))
			continue;
		if (!n)
			str_add(out, "Ignored, and not in this commit:\n\n");
		if (n++ < IGNORED_MAX)
			str_addf(out, "    %s\n", line + 3);
	}
	if (n > IGNORED_MAX)
		str_addf(out, "    and %zu more\n", n - IGNORED_MAX);
	if (n)
		str_addc(out, '\n');
	return 0;
}

struct found {
	struct oid head, head_tree; /* "" = HEAD points nowhere */
	struct oid index, tree;     /* trees; index "" = it has conflicts in it */
};

/* One commit of all of it; or HEAD, when there is no more than that. */
static int write_commit(struct slot *s, const char *task, const struct found *f, const struct str *ignored,
                        struct oid *out, struct err *e)
{
	bool index_lost = !oid_none(&f->index) && strcmp(f->index.hex, f->head_tree.hex) != 0 &&
	                  strcmp(f->index.hex, f->tree.hex) != 0;
	AUTO_FREE char *of_index = mem_printf("Index of task %s\n", task);
	AUTO_FREE char *message = mem_printf(
		"Work of task %s, as it was in %s\n\n%sBosk-Session: %s\nBosk-Task: %s\nBosk-Head: %s\n"
		"Bosk-Index: %s\n", task, s->init.worktree, str_text(ignored), s->init.sid, task, f->head.hex,
		oid_none(&f->index) ? "conflict" : f->index.hex);
	struct oid parents[2] = {f->head};
	size_t n = !oid_none(&f->head);

	if (n && !index_lost && strcmp(f->tree.hex, f->head_tree.hex) == 0) {
		*out = f->head;
		return 0;
	}
	if (index_lost) {
		if (gitx_commit_write(s->gitx, &parents[n], &f->index, parents, n, s->init.author, of_index, e) != 0)
			return -1;
		n++;
	}
	return gitx_commit_write(s->gitx, out, &f->tree, parents, n, s->init.author, message, e);
}

/* Where the worktree's content is staged: its own index stays what it is until all of that is saved. */
static char *index_path(const struct slot *s, const char *name)
{
	return mem_printf("%s/%s", s->admin_dir, name);
}

static int stage_aside(struct slot *s, const struct oid *base, struct oid *tree, struct err *e)
{
	AUTO_FREE char *own = index_path(s, "index"), *aside = index_path(s, ASIDE);
	AUTO_STR struct str bytes = {0};

	unlink(aside);
	if (fs_exists(own) && (fs_read(own, INDEX_MAX, &bytes, e) != 0 ||
	                       fs_write(aside, str_text(&bytes), bytes.len, false, e) != 0))
		return -1;
	s->git.index_file = aside;
	int rc = stage_tree(s, base, tree, e);
	s->git.index_file = NULL;
	return rc;
}

int rescue_remove(struct slot *s, const struct oid *saved, struct err *e)
{
	AUTO_FREE char *own = index_path(s, "index"), *aside = index_path(s, ASIDE);

	if (rename(aside, own) != 0)
		return err_sys(e, "cannot rename %s", aside);
	return worktree_remove_saved(s, saved, e);
}

int rescue_save(struct slot *s, const char *task, const struct oid *known, size_t n_known,
                struct oid *saved, char **ref, struct err *e)
{
	/* Without its folder git still reads the index, when told where it is. */
	AUTO_FREE char *git_dir = mem_printf("--git-dir=%s", s->admin_dir);
	struct git git = s->git;
	struct found f = {0};
	AUTO_STR struct str ignored = {0};
	bool folder = s->made;

	*ref = NULL;
	if (folder && worktree_mend(s, e) != 0)
		return -1;
	if (!folder)
		git.cwd = s->init.common_dir;
	if (ask_id(&git, GIT_ARGS(git_dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"), &f.head, e) != 0 ||
	    ask_id(&git, GIT_ARGS(git_dir, "write-tree"), &f.index, e) != 0)
		return -1;
	if (!oid_none(&f.head) && gitx_tree_of(s->gitx, &f.head, &f.head_tree, e) != 0)
		return -1;
	if (folder && (list_ignored(s, &ignored, e) != 0 || stage_aside(s, &f.head_tree, &f.tree, e) != 0))
		return -1;
	if (!folder)
		f.tree = oid_none(&f.index) ? f.head_tree : f.index;
	if (oid_none(&f.tree))
		return err_set(e, ERR_ENV, "neither HEAD nor the index of %s can be read", s->init.worktree);
	if (write_commit(s, task, &f, &ignored, saved, e) != 0)
		return err_wrap(e, "cannot save what is in %s", s->init.worktree);
	if (is_known(s->gitx, saved, known, n_known))
		return 0;
	return make_ref(s->gitx, s->init.sid, task, saved, ref, e);
}

/* ---- and back ---- */

/* Value of a trailer of a rescue commit, "" = none. */
static void trailer(const struct str *message, const char *key, char *out, size_t size)
{
	AUTO_FREE char *start = mem_printf("\n%s: ", key);
	const char *at = NULL, *next = str_text(message);

	while ((next = strstr(next, start)))
		at = next = next + strlen(start); /* the last: names of files come before */
	size_t n = at ? strcspn(at, "\n") : 0;
	n = n < size - 1 ? n : size - 1;
	memcpy(out, at ? at : "", n);
	out[n] = '\0';
}

int rescue_put_back(struct slot *s, const struct oid *rescued, struct err *e)
{
	AUTO_STR struct str message = {0};
	char head_hex[64], index_hex[64];
	struct oid head = *rescued, index;

	if (gitx_message(s->gitx, rescued, &message, e) != 0)
		return err_wrap(e, "what was saved of %s", s->init.worktree);
	trailer(&message, "Bosk-Head", head_hex, sizeof head_hex);
	trailer(&message, "Bosk-Index", index_hex, sizeof index_hex);
	/* A commit of the task's own was saved as it is: there was nothing beside it. */
	bool made_here = oid_parse(&head, head_hex);
	if (!made_here)
		head = *rescued;
	if (worktree_bring(s, NULL, &head, e) != 0)
		return -1;
	if (!made_here)
		return 0;
	if (git_run(&s->git, NULL, GIT_ARGS("read-tree", "-m", "-u", head.hex, rescued->hex), e) != 0)
		return err_wrap(e, "cannot put back what was saved of %s", s->init.worktree);
	if (oid_parse(&index, index_hex) && git_run(&s->git, NULL, GIT_ARGS("read-tree", index.hex), e) != 0)
		return err_wrap(e, "cannot put back the index of %s", s->init.worktree);
	return 0;
}
