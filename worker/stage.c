/* stage: from a worktree's content to one commit on its base. */
#include "stage.h"

#include <string.h>

#include "guest.h"
#include "hidden.h"
#include "index.h"
#include "keep.h"
#include "nested.h"
#include "sign_slot.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worktree.h"

enum { PASSES = 100 };

/* Of what was copied in, the paths that are not ignored now: `git add` has to be told to leave them
 * out, and complains when it is told so of ignored ones. */
static int copied_not_ignored(struct slot *s, struct strv *out, struct err *e)
{
	AUTO_FREE char *list = mem_printf("%s/bosk-copied", s->admin_dir);
	AUTO_STR struct str ignored = {0};
	struct git g = s->git;
	int status;

	if (!s->copied.n || !fs_exists(list))
		return 0; /* nothing was copied yet */
	g.stdin_path = list;
	if (git_try(&g, &status, &ignored, NULL, GIT_ARGS("check-ignore", "-z", "--stdin"), e) != 0)
		return -1;
	for (size_t i = 0; i < s->copied.n; i++) {
		bool found = false;
		for (size_t at = 0; at < ignored.len && !found; at += strlen(ignored.p + at) + 1)
			found = strcmp(ignored.p + at, s->copied.v[i]) == 0;
		if (!found)
			strv_add(out, s->copied.v[i]);
	}
	return 0;
}

/* What is staged anew is written anew: git does not, as long as a file looks as it was staged, or the tree above it is
 * there. */
static int forget(struct slot *s, const struct strv *paths, struct err *e)
{
	AUTO_STRV struct strv argv = {0};

	if (!paths->n)
		return 0;
	static const char *const words[] = {"--literal-pathspecs", "rm", "-r", "--cached", "--sparse", "--quiet", "--force",
	                                    "--ignore-unmatch", "--"};
	for (size_t i = 0; i < MEM_COUNT(words); i++)
		strv_add(&argv, words[i]);
	for (size_t i = 0; i < paths->n; i++)
		strv_add(&argv, paths->v[i]);
	return git_run(&s->git, NULL, (const char *const *)argv.v, e);
}

/* *again counts damaged objects that were moved away, else repositories that were found and gone into, or left out:
 * then it is to be done once more. */
static int stage_once(struct slot *s, const struct oid *base, const struct oid *owns, struct nested *nested,
                      size_t *again, struct oid *tree, struct err *e)
{
	AUTO_STRV struct strv add = {0}, leave = {0}, specs = {0}, damaged = {0};
	AUTO_STR struct str out = {0}, text = {0};
	struct err trouble = {0};
	int status;

	if (worktree_mend(s, e) != 0 || index_ensure(s, base, e) != 0 || hidden_show(s, e) != 0 || copied_not_ignored(s, &leave, e) != 0 ||
	    guest_withhold(s, &leave, e) != 0)
		return err_wrap(e, "cannot stage the work");
	strv_add(&add, "add");
	strv_add(&add, "--all");
	strv_add(&add, "--sparse"); /* also what was made where a sparse checkout shows nothing */
	strv_add(&add, "--");
	strv_add(&specs, ".");
	for (size_t i = 0; i < leave.n; i++)
		strv_addf(&specs, ":(exclude,top,literal)%s", leave.v[i]);
	for (size_t i = 0; i < nested->apart.n; i++)
		strv_addf(&specs, ":(exclude,top,literal)%s", nested->apart.v[i]);
	for (size_t i = 0; i < specs.n; i++)
		strv_add(&add, specs.v[i]);
	FAILPOINT("stage.tree.before");
	if (git_run(&s->git, NULL, (const char *const *)add.v, e) != 0) {
		/* It may be for a repository without a commit. */
		if (e->kind == ERR_ENV && nested_enter(s, owns, NULL, &specs, nested, again, &trouble) == 0 && *again)
			return 0;
		return err_wrap(e, "cannot stage the work");
	}
	/* What was renamed to another case is taken out by the first, and added by the second. */
	if (gitx_folds_case(s->gitx) && git_run(&s->git, NULL, (const char *const *)add.v, e) != 0)
		return err_wrap(e, "cannot stage the work");
	if (git_try(&s->git, &status, &out, &text, GIT_ARGS("write-tree"), e) != 0)
		return -1;
	if (status != 0)
		return err_set(e, strstr(str_text(&text), "unmerged") ? ERR_USAGE : ERR_ENV,
		               "cannot write the tree of the work: %.300s", str_text(&text));
	if (out.len)
		out.p[strcspn(out.p, "\n")] = '\0';
	if (!oid_parse(tree, str_text(&out)))
		return err_set(e, ERR_ENV, "git write-tree said: %.80s", str_text(&out));
	FAILPOINT("stage.tree.after");
	if (gitx_check_tree(s->gitx, base, tree, &damaged, again, e) != 0 || forget(s, &damaged, e) != 0)
		return -1;
	return *again ? 0 : nested_enter(s, owns, tree, &specs, nested, again, e);
}

int stage_tree(struct slot *s, const struct oid *base, const struct oid *owns, struct oid *tree, struct err *e)
{
	AUTO_NESTED struct nested nested = {0};
	size_t again = 1;

	/* A damaged tree hides what is below it: once for each level of folders. So does a repository. */
	for (int pass = 0; again; pass++) {
		again = 0;
		err_clear(e);
		if (stage_once(s, base, owns, &nested, &again, tree, e) != 0) {
			if (pass < PASSES && (gitx_clear_named(s->gitx, e->text) || index_unreadable(s, e)) && ++again)
				continue;
			return -1;
		}
		if (again && pass == PASSES)
			return err_set(e, ERR_DAMAGED, "%s holds too many repositories one inside the other, or objects that git "
			               "wrote cannot be read back: see git fsck --full", s->init.worktree);
	}
	return nested_keep(s, &nested, e);
}

int stage_restore(struct slot *s, struct err *e)
{
	AUTO_STRV struct strv leave = {0};

	if (worktree_mend(s, e) != 0 || guest_withhold(s, &leave, e) != 0 ||
	    git_run(&s->git, NULL, GIT_ARGS("checkout-index", "--all", "--force", "--quiet"), e) != 0)
		return -1;
	return guest_clean(s, &leave, e);
}

/* HEAD of the worktree: its text, and the commit it stands for. */
static int read_head(struct slot *s, struct str *text, struct oid *head, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/HEAD", s->admin_dir);

	if (fs_read(path, 4096, text, e) != 0)
		return -1;
	text->p[strcspn(text->p, "\n")] = '\0';
	if (str_starts(text->p, "ref: "))
		return gitx_ref_read(s->gitx, text->p + 5, head, e);
	if (!oid_parse(head, text->p))
		return err_set(e, ERR_USAGE, "HEAD of %s is damaged", s->init.worktree);
	return 0;
}

int stage_keep_heads(struct slot *s, const char *task, uint64_t attempt, const char *branch,
                     const struct oid *base, struct err *e)
{
	AUTO_FREE char *ref = NULL;
	AUTO_STR struct str text = {0};
	struct oid head;
	bool descends;

	/* The branch first: it is kept whatever became of HEAD. */
	if (keep_branch(s->gitx, s->init.sid, task, attempt, branch, base, e) != 0)
		return err_wrap(e, "cannot keep the agent's commits");
	if (read_head(s, &text, &head, e) != 0)
		return err_set(e, ERR_USAGE, "HEAD of the worktree points to nothing");
	gitx_claim(s->gitx, &head, base);
	if (strcmp(head.hex, base->hex) != 0 &&
	    keep_commit(s->gitx, s->init.sid, task, attempt, "", &head, &ref, e) != 0)
		return err_wrap(e, "cannot keep the agent's commits");
	if (gitx_reaches(s->gitx, &head, base, &descends, e) != 0)
		return -1;
	if (!descends)
		return err_set(e, ERR_USAGE,
		               "HEAD of the worktree (%.12s) does not descend from the task's base %.12s; it "
		               "is kept as %s",
		               head.hex, base->hex, ref);
	return 0;
}

/* Move the task branch to `commit`, from whatever it is at now. */
static int move_branch(struct slot *s, const char *branch, const struct oid *commit, struct err *e)
{
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", branch);
	AUTO_FREE char *attached = mem_printf("ref: %s", ref);
	AUTO_STR struct str head_text = {0};
	struct oid now, head;
	struct err absent = {0};

	bool there = gitx_ref_read(s->gitx, ref, &now, &absent) == 0;
	if (!there && absent.kind != ERR_MISSING) {
		*e = absent;
		return -1;
	}
	FAILPOINT("task.branch.before");
	if (gitx_ref_move(s->gitx, ref, there ? &now : NULL, commit, "bosk: task", e) != 0)
		return -1;
	FAILPOINT("task.branch.after");
	if (read_head(s, &head_text, &head, &absent) == 0 && strcmp(head_text.p, attached) == 0)
		return 0;
	return worktree_mend(s, e) != 0
	               ? -1
	               : git_run(&s->git, NULL, GIT_ARGS("symbolic-ref", "HEAD", ref), e);
}

int stage_commit(struct slot *s, const char *branch, const struct oid *base, const struct oid *tree,
                 const char *message, struct oid *commit, struct err *e)
{
	const struct sign_text text = {tree, base, 1, s->init.author, message};

	if (sign_slot_commit(s, &text, commit, e) != 0)
		return s->not_signed ? -1 : err_wrap(e, "cannot commit the work");
	gitx_claim(s->gitx, commit, base); /* the tree is git's, and the agent's */
	return move_branch(s, branch, commit, e);
}

int stage_save(struct slot *s, const char *task, uint64_t attempt, const char *branch,
               const struct oid *base, char **kept, struct err *e)
{
	AUTO_FREE char *ref = NULL;
	AUTO_FREE char *message =
		mem_printf("Unfinished work of task %s, attempt %llu\n\nBosk-Session: %s\nBosk-Task: %s\n",
	                   task, (unsigned long long)attempt, s->init.sid, task);
	struct oid tree, base_tree, commit, back;

	*kept = NULL;
	if (gitx_tree_of(s->gitx, base, &base_tree, e) != 0 || stage_tree(s, &base_tree, &base_tree, &tree, e) != 0)
		return -1;
	if (strcmp(tree.hex, base_tree.hex) == 0)
		return 0;
	if (gitx_commit_write(s->gitx, &commit, &tree, base, 1, s->init.author, message, e) != 0 ||
	    keep_commit(s->gitx, s->init.sid, task, attempt, "-work", &commit, &ref, e) != 0 ||
	    (branch && move_branch(s, branch, &commit, e) != 0) ||
	    gitx_ref_read(s->gitx, ref, &back, e) != 0)
		return err_wrap(e, "cannot save the unfinished work");
	if (strcmp(back.hex, commit.hex) != 0)
		return err_set(e, ERR_ENV, "%s reads back as another commit", ref);
	*kept = mem_strdup(branch ? branch : ref);
	return 0;
}
