/* rescue: from a worktree to a rescue commit, and back. */
#include "rescue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hidden.h"
#include "nested.h"
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

enum { PARENTS_MAX = 16 };

struct shape {
	struct oid tree, parents[PARENTS_MAX];
	size_t n;
};

static bool shape_of(struct gitx *g, const struct oid *commit, struct shape *out)
{
	struct err ignored = {0};

	*out = (struct shape){0};
	return gitx_tree_of(g, commit, &out->tree, &ignored) == 0 &&
	       gitx_parents(g, commit, out->parents, PARENTS_MAX, &out->n, &ignored) == 0 && out->n <= PARENTS_MAX;
}

static bool same_tree(struct gitx *g, const struct oid *a, const struct oid *b)
{
	struct oid of_a, of_b;
	struct err ignored = {0};

	return strcmp(a->hex, b->hex) == 0 ||
	       (gitx_tree_of(g, a, &of_a, &ignored) == 0 && gitx_tree_of(g, b, &of_b, &ignored) == 0 &&
	        strcmp(of_a.hex, of_b.hex) == 0);
}

/* Is all of `now` in `old`, saved before a crash? Two commits of the same work differ in their time, and what a
 * crash left has no index of its own any more. */
static bool same_work(struct gitx *g, const struct oid *old, const struct oid *now)
{
	struct shape a, b;

	if (strcmp(old->hex, now->hex) == 0)
		return true;
	if (!shape_of(g, old, &a) || !shape_of(g, now, &b) || strcmp(a.tree.hex, b.tree.hex) != 0 || !a.n || !b.n)
		return false;
	/* HEAD may have gone to the old one before the worktree was to be removed. */
	if (strcmp(a.parents[0].hex, b.parents[0].hex) != 0 && strcmp(old->hex, b.parents[0].hex) != 0)
		return false;
	for (size_t i = 1; i < b.n; i++) {
		bool in = false;
		for (size_t k = 1; k < a.n && !in; k++)
			in = same_tree(g, &a.parents[k], &b.parents[i]);
		if (!in)
			return false;
	}
	return true;
}

/* What the agent committed was not flushed by anybody yet. */
static void claim(struct gitx *g, const struct oid *commit, const struct oid *known, size_t n)
{
	while (n && oid_none(&known[n - 1]))
		n--;
	gitx_claim(g, commit, n ? &known[n - 1] : NULL);
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
	if (is_known(g, commit, known, n_known))
		return 0;
	claim(g, commit, known, n_known);
	return make_ref(g, sid, task, &at, ref, e);
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
	struct oid others[PARENTS_MAX - 2];
	size_t n_others;            /* commits that only a merge or rebase under way names */
};

/* The other side of a merge that was under way, what a rebase began with or put aside: the files that name them go
 * with the worktree. What is reachable without them is left out. */
static int find_others(struct slot *s, struct found *f, const struct oid *known, size_t n_known, struct err *e)
{
	static const char *const files[] = {"MERGE_HEAD", "CHERRY_PICK_HEAD", "MERGE_AUTOSTASH",
	                                    "rebase-merge/orig-head", "rebase-merge/autostash",
	                                    "rebase-apply/orig-head", "rebase-apply/autostash"};

	for (size_t i = 0; i < MEM_COUNT(files); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", s->admin_dir, files[i]);
		AUTO_STR struct str text = {0};
		if (!fs_exists(path))
			continue;
		if (fs_read(path, 65536, &text, e) != 0)
			return -1;
		char *rest = text.p;
		for (char *line; rest && (line = strsep(&rest, "\n"));) {
			struct oid at;
			if (!oid_parse(&at, line) || !gitx_has_object(s->gitx, &at) || is_known(s->gitx, &at, known, n_known) ||
			    is_known(s->gitx, &at, &f->head, 1) || is_known(s->gitx, &at, f->others, f->n_others))
				continue;
			if (f->n_others == MEM_COUNT(f->others))
				return err_set(e, ERR_ENV, "%s names more commits than can be saved", path);
			f->others[f->n_others++] = at;
		}
	}
	return 0;
}

/* One commit of all of it; or HEAD, when there is no more than that. */
static int write_commit(struct slot *s, const char *task, const struct found *f, const struct str *ignored,
                        struct oid *out, struct err *e)
{
	bool index_lost = !oid_none(&f->index) && strcmp(f->index.hex, f->head_tree.hex) != 0 &&
	                  strcmp(f->index.hex, f->tree.hex) != 0;
	AUTO_FREE char *of_index = mem_printf("Index of task %s\n\nBosk-Session: %s\nBosk-Task: %s\n", task, s->init.sid,
	                                      task);
	AUTO_FREE char *message = mem_printf(
		"Work of task %s, as it was in %s\n\n%sBosk-Session: %s\nBosk-Task: %s\nBosk-Head: %s\n"
		"Bosk-Index: %s\n", task, s->init.worktree, str_text(ignored), s->init.sid, task, f->head.hex,
		oid_none(&f->index) ? "conflict" : f->index.hex);
	struct oid parents[PARENTS_MAX] = {f->head};
	size_t n = !oid_none(&f->head);

	if (n && !index_lost && !f->n_others && strcmp(f->tree.hex, f->head_tree.hex) == 0) {
		*out = f->head;
		return 0;
	}
	if (index_lost) {
		if (gitx_commit_write(s->gitx, &parents[n], &f->index, parents, n, s->init.author, of_index, e) != 0)
			return -1;
		n++;
	}
	for (size_t i = 0; i < f->n_others; i++)
		parents[n++] = f->others[i];
	return gitx_commit_write(s->gitx, out, &f->tree, parents, n, s->init.author, message, e);
}

/* Where the worktree's content is staged: its own index stays what it is until all of that is saved. */
static char *index_path(const struct slot *s, const char *name)
{
	return mem_printf("%s/%s", s->admin_dir, name);
}

/* A copy of the index. Its time stays too: a file as young as the index is compared by its content. */
static int copy_index(struct slot *s, const struct oid *head, const char *aside, struct err *e)
{
	AUTO_FREE char *own = index_path(s, "index");
	AUTO_STR struct str bytes = {0};
	struct stat st;

	unlink(aside);
	if (stat(own, &st) != 0) /* files that are tracked and ignored are known by it only */
		return errno != ENOENT      ? err_sys(e, "cannot look at %s", own)
		       : oid_none(head) ? 0
		                        : git_run(&s->git, NULL, GIT_ARGS("read-tree", head->hex), e);
	if (fs_read(own, INDEX_MAX, &bytes, e) != 0 || fs_write(aside, str_text(&bytes), bytes.len, false, e) != 0)
		return -1;
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	return utimensat(AT_FDCWD, aside, times, 0) != 0 ? err_sys(e, "cannot set the time of %s", aside) : 0;
}

static int stage_aside(struct slot *s, const struct oid *head, const struct oid *head_tree, const struct oid *owns,
                       struct oid *tree, struct err *e)
{
	AUTO_FREE char *aside = index_path(s, ASIDE);

	s->git.index_file = aside;
	int rc = copy_index(s, head, aside, e);
	if (rc == 0)
		rc = hidden_show(s, e);
	if (rc == 0)
		rc = stage_tree(s, head_tree, owns, tree, e);
	s->git.index_file = NULL;
	return rc;
}

/* HEAD to what was saved, but only from where it was then: somebody may have committed meanwhile. */
static int leave_head(struct slot *s, const struct oid *saved, struct err *e)
{
	struct oid now, was;
	size_t n = 0;

	if (ask_id(&s->git, GIT_ARGS("rev-parse", "--verify", "--quiet", "HEAD^{commit}"), &now, e) != 0)
		return -1;
	if (oid_none(&now) || strcmp(now.hex, saved->hex) == 0)
		return 0;
	if (gitx_parents(s->gitx, saved, &was, 1, &n, e) != 0)
		return -1;
	if (!n || strcmp(now.hex, was.hex) != 0)
		return err_set(e, ERR_MOVED, "somebody committed in it while it was saved");
	return git_run(&s->git, NULL,
	               GIT_ARGS("update-ref", "--no-deref", "-m", "bosk: rescue", "HEAD", saved->hex, was.hex), e);
}

int rescue_remove(struct slot *s, const struct oid *saved, struct err *e)
{
	AUTO_FREE char *own = index_path(s, "index"), *aside = index_path(s, ASIDE);

	if (leave_head(s, saved, e) != 0)
		return -1;
	if (rename(aside, own) != 0)
		return err_sys(e, "cannot rename %s", aside);
	FAILPOINT("rescue.index.after");
	return nested_drop_links(s, e) != 0 ? -1 : worktree_remove_saved(s, saved, e);
}

int rescue_save(struct slot *s, const char *task, const struct oid *known, size_t n_known,
                struct oid *saved, char **ref, struct err *e)
{
	/* Without its folder git still reads the index, when told where it is. */
	AUTO_FREE char *git_dir = mem_printf("--git-dir=%s", s->admin_dir), *own = index_path(s, "index");
	struct git git = s->git;
	struct found f = {0};
	struct oid owns = {""};
	AUTO_STR struct str ignored = {0};
	bool folder = s->made;

	*ref = NULL;
	mem_set(&s->work_task, task);
	if (folder && (worktree_mend(s, e) != 0 || fs_open_up(s->init.worktree, e) != 0 ||
	               worktree_drop_changed(s, e) != 0))
		return -1;
	if (!folder)
		git.cwd = s->init.common_dir;
	/* Where there is no index git would write one of no files. */
	if (ask_id(&git, GIT_ARGS(git_dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"), &f.head, e) != 0 ||
	    (fs_exists(own) && ask_id(&git, GIT_ARGS(git_dir, "write-tree"), &f.index, e) != 0))
		return -1;
	if (!oid_none(&f.head) && gitx_tree_of(s->gitx, &f.head, &f.head_tree, e) != 0)
		return -1;
	/* Of submodules in HEAD the agent may have committed some, which are none: the base says. */
	while (n_known && oid_none(&known[n_known - 1]))
		n_known--;
	if (n_known && gitx_tree_of(s->gitx, &known[n_known - 1], &owns, e) != 0)
		return -1;
	if (find_others(s, &f, known, n_known, e) != 0 ||
	    (folder && (list_ignored(s, &ignored, e) != 0 ||
	                stage_aside(s, &f.head, &f.head_tree, &owns, &f.tree, e) != 0)))
		return -1;
	if (!folder)
		f.tree = oid_none(&f.index) ? f.head_tree : f.index;
	if (oid_none(&f.tree))
		return err_set(e, ERR_ENV, "neither HEAD nor the index of %s can be read", s->init.worktree);
	if (write_commit(s, task, &f, &ignored, saved, e) != 0)
		return err_wrap(e, "cannot save what is in %s", s->init.worktree);
	if (is_known(s->gitx, saved, known, n_known))
		return 0;
	claim(s->gitx, saved, known, n_known);
	return make_ref(s->gitx, s->init.sid, task, saved, ref, e);
}

/* ---- and back ---- */

int rescue_put_back(struct slot *s, const struct oid *rescued, struct err *e)
{
	AUTO_FREE char *head_hex = gitx_trailer(s->gitx, rescued, "Bosk-Head");
	AUTO_FREE char *index_hex = gitx_trailer(s->gitx, rescued, "Bosk-Index");
	struct oid head, index;

	/* A commit of the task's own was saved as it is: there was nothing beside it. */
	bool made_here = head_hex && oid_parse(&head, head_hex);
	if (!made_here)
		head = *rescued;
	if (worktree_bring(s, NULL, &head, e) != 0)
		return -1;
	if (!made_here)
		return 0;
	if (git_run(&s->git, NULL, GIT_ARGS("read-tree", "-m", "-u", head.hex, rescued->hex), e) != 0)
		return err_wrap(e, "cannot put back what was saved of %s", s->init.worktree);
	if (index_hex && oid_parse(&index, index_hex) && git_run(&s->git, NULL, GIT_ARGS("read-tree", index.hex), e) != 0)
		return err_wrap(e, "cannot put back the index of %s", s->init.worktree);
	return 0;
}
