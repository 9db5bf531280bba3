/* nested_keep: git folders as plain trees of our own repository. */
#include "nested_keep.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

/* Whose it is; without a task, which worktree's. */
static char *owner(const struct slot *s)
{
	return s->work_task ? mem_strdup(s->work_task) : mem_printf("worktree-%llu", (unsigned long long)s->init.slot);
}

static bool holds_any(const char *dir, const char *but, const char *nor)
{
	DIR *d = opendir(dir);
	bool any = false;

	for (struct dirent *entry; d && !any && (entry = readdir(d));)
		any = entry->d_name[0] != '.' && strcmp(entry->d_name, but) != 0 && strcmp(entry->d_name, nor) != 0;
	if (d)
		closedir(d);
	return any;
}

/* One that was only begun has nothing to keep. */
static bool has_objects(const char *dir)
{
	AUTO_FREE char *objects = mem_printf("%s/objects", dir), *packs = mem_printf("%s/objects/pack", dir);
	AUTO_FREE char *others = mem_printf("%s/objects/info/alternates", dir);

	return holds_any(objects, "info", "pack") || holds_any(packs, "", "") || fs_exists(others);
}

/* Everything in `top` but what `add` leaves out, in an index of its own that begins as `head` ("" = empty). */
static int write_tree(struct slot *s, const char *top, const struct oid *head, const char *const *add,
                      struct oid *tree, struct err *e)
{
	AUTO_FREE char *index = mem_printf("%s/bosk-nested", s->admin_dir);
	AUTO_STR struct str out = {0};
	AUTO_STRV struct strv argv = {0};
	struct git git = s->git;
	/* Ours are the repository and its settings, theirs is the folder. */
	AUTO_FREE char *git_dir = mem_printf("--git-dir=%s", s->admin_dir), *work_tree = mem_printf("--work-tree=%s", top);

	git.cwd = top;
	git.index_file = index;
	strv_add(&argv, git_dir);
	strv_add(&argv, work_tree);
	for (; *add; add++)
		strv_add(&argv, *add);
	unlink(index);
	int rc = oid_none(head) ? 0 : git_run(&git, NULL, GIT_ARGS(git_dir, work_tree, "read-tree", head->hex), e);
	if (rc == 0)
		rc = git_run(&git, NULL, (const char *const *)argv.v, e);
	if (rc == 0)
		rc = git_run(&git, &out, GIT_ARGS(git_dir, work_tree, "write-tree"), e);
	unlink(index);
	if (rc != 0)
		return -1;
	if (out.len)
		out.p[strcspn(out.p, "\n")] = '\0';
	return oid_parse(tree, str_text(&out)) ? 0 : err_set(e, ERR_ENV, "git write-tree said: %.80s", str_text(&out));
}

/* The ref that holds this tree already, of an earlier attempt or of before a crash. */
static char *kept_before(struct slot *s, const char *task, const struct oid *tree)
{
	AUTO_FREE char *below = mem_printf("refs/bosk/keep/%s/%s/", s->init.sid, task);
	AUTO_STRV struct strv refs = {0};
	struct err ignored = {0};
	struct oid at, of;

	if (gitx_ref_list(s->gitx, below, &refs, &ignored) != 0)
		return NULL;
	for (size_t i = 0; i < refs.n; i++)
		if (strstr(refs.v[i] + strlen(below), KEEP_NESTED) && gitx_ref_read(s->gitx, refs.v[i], &at, &ignored) == 0 &&
		    gitx_tree_of(s->gitx, &at, &of, &ignored) == 0 && strcmp(of.hex, tree->hex) == 0)
			return mem_strdup(refs.v[i]);
	return NULL;
}

static int keep(struct slot *s, const struct oid *tree, const struct oid *parent, const char *subject,
                const char *body, char **ref, struct err *e)
{
	AUTO_FREE char *task = owner(s);
	AUTO_FREE char *message =
		mem_printf("%s\n\n%sBosk-Session: %s\nBosk-Task: %s\n", subject, body, s->init.sid, task);
	struct oid commit, back;

	if ((*ref = kept_before(s, task, tree)))
		return 0;
	if (gitx_commit_write(s->gitx, &commit, tree, parent, parent ? 1 : 0, s->init.author, message, e) != 0 ||
	    keep_commit(s->gitx, s->init.sid, task, s->work_attempt, KEEP_NESTED, &commit, ref, e) != 0 ||
	    gitx_ref_read(s->gitx, *ref, &back, e) != 0)
		return -1;
	return strcmp(back.hex, commit.hex) == 0 ? 0 : err_set(e, ERR_ENV, "%s reads back as another commit", *ref);
}

int nested_keep_folder(struct slot *s, const char *dir, const char *what, char **ref, struct err *e)
{
	AUTO_FREE char *subject = mem_printf("The .git of %s", what);
	struct oid tree;

	*ref = NULL;
	if (!has_objects(dir))
		return 0;
	if (write_tree(s, dir, &(struct oid){""},
	               GIT_ARGS("-c", "core.autocrlf=false", "-c", "core.attributesFile=/dev/null", "add", "--all",
	                        "--force", "--sparse", "--", "."),
	               &tree, e) != 0 ||
	    keep(s, &tree, NULL, subject,
	         "To look at it: git init DIR, then git archive THIS-COMMIT | tar -x -C DIR/.git\n"
	         "Of a submodule, then git config --file DIR/.git/config --unset core.worktree\n\n", ref, e) != 0)
		return err_wrap(e, "cannot keep %s", dir);
	return 0;
}

int nested_keep_files(struct slot *s, const char *top, const char *what, char **ref, struct err *e)
{
	AUTO_FREE char *subject = mem_printf("Files of %s", what);
	struct oid tree;

	*ref = NULL;
	if (write_tree(s, top, &(struct oid){""}, GIT_ARGS("add", "--all", "--sparse", "--", "."), &tree, e) != 0 ||
	    keep(s, &tree, NULL, subject, "", ref, e) != 0)
		return err_wrap(e, "cannot save what is in %s", top);
	return 0;
}

/* What its HEAD stands for; "" = nothing. */
static void read_head(struct slot *s, const char *admin, struct oid *head, bool *branch)
{
	AUTO_FREE char *path = mem_printf("%s/HEAD", admin);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	*head = (struct oid){""};
	if (fs_read(path, 4096, &text, &ignored) != 0 || !text.len)
		return;
	text.p[strcspn(text.p, "\n")] = '\0';
	*branch = str_starts(text.p, "ref: ");
	if (*branch ? gitx_ref_read(s->gitx, text.p + strlen("ref: "), head, &ignored) != 0 : !oid_parse(head, text.p))
		*head = (struct oid){""};
}

int nested_keep_worktree(struct slot *s, const char *top, const char *admin, const char *what, char **ref,
                         struct err *e)
{
	AUTO_FREE char *subject = mem_printf("Work in %s", what);
	struct oid head, head_tree = {""}, tree;
	bool branch = false;

	*ref = NULL;
	read_head(s, admin, &head, &branch);
	if ((!oid_none(&head) && gitx_tree_of(s->gitx, &head, &head_tree, e) != 0) ||
	    write_tree(s, top, &head, GIT_ARGS("add", "--all", "--sparse", "--", "."), &tree, e) != 0)
		return err_wrap(e, "cannot save what is in %s", top);
	/* A branch holds itself. */
	if (branch && strcmp(tree.hex, head_tree.hex) == 0)
		return 0;
	if (keep(s, &tree, oid_none(&head) ? NULL : &head, subject, "", ref, e) != 0)
		return err_wrap(e, "cannot save what is in %s", top);
	return 0;
}
