/* nested: finding repositories inside a worktree, and having git stage their files.
 *
 * git goes into a folder, whatever .git it holds, when the index has a file in it. So one is put there that does not
 * exist; `git add --all` goes in, stages all that is there by the rules that count for plain files, and drops it. */
#include "nested.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gitlinks.h"
#include "nested_keep.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worktree.h"

static const char DOOR[] = ".bosk-nested";
static const char NO_ID[] = "0000000000000000000000000000000000000000";

void nested_fini(struct nested *n)
{
	strv_fini(&n->taken);
	strv_fini(&n->apart);
	strv_fini(&n->subs);
}

/* ---- what is at a path ---- */

enum kind {
	NOTHING,  /* no .git, or not inside the worktree */
	INSIDE,   /* its git folder goes with the worktree */
	OUTSIDE,  /* it is somewhere else */
	WORKTREE, /* a worktree of this repository */
};

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* *dir (owned by the caller) is its git folder, a real path; NULL with NOTHING, and when there is none. */
static enum kind look(const struct slot *s, const char *path, char **dir)
{
	AUTO_FREE char *top = mem_printf("%s/%s", s->init.worktree, path);
	AUTO_FREE char *dot_git = mem_printf("%s/.git", top);
	AUTO_FREE char *worktrees = mem_printf("%s/worktrees", s->init.common_dir);
	AUTO_FREE char *modules = mem_printf("%s/modules", s->admin_dir);
	struct stat st;

	*dir = NULL;
	if (lstat(dot_git, &st) != 0)
		return NOTHING;
	/* Through a link it is none of ours (promise E5). */
	AUTO_FREE char *whole = realpath(s->init.worktree, NULL), *real = realpath(top, NULL);
	if (!whole || !real || !is_below(real, whole) || strcmp(real + strlen(whole) + 1, path) != 0)
		return NOTHING;
	AUTO_FREE char *named = gitlinks_git_dir(top);
	*dir = named ? realpath(named, NULL) : NULL;
	if (!*dir)
		return OUTSIDE;
	if (is_below(*dir, worktrees) && !strchr(*dir + strlen(worktrees) + 1, '/') && !str_eq(*dir, s->admin_dir))
		return WORKTREE;
	return is_below(*dir, whole) || is_below(*dir, modules) ? INSIDE : OUTSIDE;
}

/* ---- finding them ---- */

/* Where git would not go in, of what it did not stage: folders that it ends with a slash, and those that the index
 * has as submodules. */
static int list_refused(struct slot *s, const struct strv *specs, struct strv *links, struct err *e)
{
	AUTO_STRV struct strv argv = {0};
	AUTO_STR struct str others = {0}, index = {0};
	static const char *const words[] = {"ls-files", "-z", "--others", "--exclude-standard", "--"};

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		strv_add(&argv, words[i]);
	for (size_t i = 0; i < specs->n; i++)
		strv_add(&argv, specs->v[i]);
	if (git_run(&s->git, &others, (const char *const *)argv.v, e) != 0 ||
	    git_run(&s->git, &index, GIT_ARGS("ls-files", "-z", "--stage"), e) != 0)
		return -1;
	for (size_t i = 0, n; i < others.len; i += n + 1) {
		n = strlen(others.p + i);
		if (n && others.p[i + n - 1] == '/')
			strv_give(links, mem_strndup(others.p + i, n - 1));
	}
	for (size_t i = 0; i < index.len; i += strlen(index.p + i) + 1) {
		const char *tab = strchr(index.p + i, '\t');
		if (str_starts(index.p + i, "160000 ") && tab && !strv_has(links, tab + 1))
			strv_add(links, tab + 1);
	}
	return 0;
}

/* Paths that are to stay submodules. */
static int list_submodules(struct slot *s, const struct oid *owns, struct strv *out, struct err *e)
{
	AUTO_FREE char *modules = mem_printf("%s/.gitmodules", s->init.worktree);
	AUTO_STRV struct strv folders = {0};
	AUTO_STR struct str text = {0};
	struct stat st;
	int status;

	if (gitx_folders(s->gitx, owns, &folders, out, e) != 0)
		return -1;
	if (lstat(modules, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (git_try(&s->git, &status, &text, NULL,
	            GIT_ARGS("config", "--file", modules, "--no-includes", "-z", "--get-regexp", "^submodule\\..*\\.path$"),
	            e) != 0)
		return -1;
	for (size_t i = 0; i < text.len; i += strlen(text.p + i) + 1) {
		const char *value = strchr(text.p + i, '\n');
		if (value)
			strv_add(out, value + 1);
	}
	return 0;
}

/* ---- going in ---- */

/* It is there, so that an index that a crash leaves with a door in it is whole. */
static int empty_file(struct slot *s, struct oid *out, struct err *e)
{
	AUTO_STR struct str text = {0};

	if (git_run(&s->git, &text, GIT_ARGS("hash-object", "-w", "--stdin"), e) != 0)
		return -1;
	if (text.len)
		text.p[strcspn(text.p, "\n")] = '\0';
	return oid_parse(out, str_text(&text)) ? 0 : err_set(e, ERR_ENV, "git hash-object said: %.80s", str_text(&text));
}

static int change_index(struct slot *s, const struct str *lines, struct err *e)
{
	AUTO_FREE char *list = mem_printf("%s/bosk-enter", s->admin_dir);
	struct git git = s->git;

	if (!lines->len)
		return 0;
	if (fs_write(list, lines->p, lines->len, false, e) != 0)
		return -1;
	git.stdin_path = list;
	int rc = git_run(&git, NULL, GIT_ARGS("update-index", "-z", "--index-info"), e);
	unlink(list);
	return rc;
}

int nested_enter(struct slot *s, const struct oid *owns, const struct oid *tree, const struct strv *specs,
                 struct nested *n, size_t *entered, struct err *e)
{
	AUTO_STRV struct strv folders = {0}, links = {0}, submodules = {0};
	AUTO_STR struct str lines = {0};
	struct oid empty = {""};

	if (tree ? gitx_folders(s->gitx, tree, &folders, &links, e) != 0 : list_refused(s, specs, &links, e) != 0)
		return -1;
	for (size_t i = 0; i < links.n; i++) {
		const char *path = links.v[i];
		AUTO_FREE char *dir = NULL;
		enum kind kind = look(s, path, &dir);
		if (kind == NOTHING || strv_has(&n->apart, path))
			continue;
		if (oid_none(&empty) && (list_submodules(s, owns, &submodules, e) != 0 || empty_file(s, &empty, e) != 0))
			return -1;
		if (strv_has(&submodules, path)) {
			if (kind == INSIDE && !strv_has(&n->subs, path))
				strv_add(&n->subs, path);
			continue;
		}
		str_addf(&lines, "0 %s\t%s", NO_ID, path);
		str_addc(&lines, '\0');
		if (kind != WORKTREE) {
			str_addf(&lines, "100644 %s 0\t%s/%s", empty.hex, path, DOOR);
			str_addc(&lines, '\0');
		}
		if (!strv_has(&n->taken, path))
			strv_add(kind == WORKTREE ? &n->apart : &n->taken, path);
		++*entered;
	}
	/* One in a folder with files that the index has: git has gone in by itself. */
	for (size_t i = 0; i < folders.n; i++) {
		AUTO_FREE char *dir = NULL;
		enum kind kind = look(s, folders.v[i], &dir);
		if (kind != NOTHING && kind != WORKTREE && !strv_has(&n->taken, folders.v[i]))
			strv_add(&n->taken, folders.v[i]);
	}
	return change_index(s, &lines, e);
}

/* ---- keeping them ---- */

static int keep_taken(struct slot *s, const char *path, struct str *note, struct err *e)
{
	AUTO_FREE char *dir = NULL, *ref = NULL;
	enum kind kind = look(s, path, &dir);

	str_addf(note, "%s was a git repository of its own: its files are taken as plain files", path);
	if (kind == INSIDE && nested_keep_folder(s, dir, path, &ref, e) != 0)
		return -1;
	if (ref)
		str_addf(note, ", its history is %s (bosk rescue show says how to read it)", ref);
	else if (kind == OUTSIDE && dir)
		str_addf(note, ", its history stays in %s", dir);
	return 0;
}

static int keep_apart(struct slot *s, const char *path, struct str *note, struct err *e)
{
	AUTO_FREE char *top = mem_printf("%s/%s", s->init.worktree, path), *dir = NULL, *ref = NULL;

	if (look(s, path, &dir) == WORKTREE && (nested_keep_worktree(s, top, dir, path, &ref, e) != 0 ||
	                                        worktree_remove_inner(s, top, e) != 0))
		return -1;
	str_addf(note, "%s was a worktree of this repository: it is not part of the work", path);
	if (ref)
		str_addf(note, ", what it held is %s", ref);
	return 0;
}

/* Nothing is said of one that its remote holds as it is. */
static int keep_sub(struct slot *s, const char *path, struct str *note, struct err *e)
{
	AUTO_FREE char *top = mem_printf("%s/%s", s->init.worktree, path), *dir = NULL, *ref = NULL, *work = NULL;
	AUTO_FREE char *real = realpath(top, NULL);
	bool ahead, dirty;

	if (look(s, path, &dir) != INSIDE || !real)
		return 0;
	gitx_sub_look(dir, real, &ahead, &dirty);
	if ((ahead && nested_keep_folder(s, dir, path, &ref, e) != 0) ||
	    (dirty && nested_keep_files(s, top, path, &work, e) != 0))
		return -1;
	if (ref)
		str_addf(note, "the submodule %s has commits that no remote of it has: they are in %s (bosk rescue show says "
		               "how to read it)", path, ref);
	if (work)
		str_addf(note, "%s%s%s has changes that are not committed: its files are %s", ref ? "; " : "",
		         ref ? "" : "the submodule ", ref ? "it" : path, work);
	return 0;
}

int nested_keep(struct slot *s, const struct nested *n, struct err *e)
{
	const struct {
		const struct strv *paths;
		int (*keep)(struct slot *, const char *, struct str *, struct err *);
	} all[] = {{&n->taken, keep_taken}, {&n->apart, keep_apart}, {&n->subs, keep_sub}};

	for (size_t k = 0; k < MEM_COUNT(all); k++)
		for (size_t i = 0; i < all[k].paths->n; i++) {
			AUTO_STR struct str text = {0}, note = {0};
			if (all[k].keep(s, all[k].paths->v[i], &text, e) != 0)
				return -1;
			if (s->task && !str_eq(s->work_task, s->task)) /* of a session that was cut off: told with another's */
				str_addf(&note, "of %s: ", s->work_task ? s->work_task : "nobody");
			str_add(&note, str_text(&text));
			if (text.len && !strv_has(&s->notes, note.p))
				strv_add(&s->notes, note.p);
		}
	strv_fini(&s->nested);
	strv_copy(&s->nested, &n->taken);
	return 0;
}

int nested_drop_links(struct slot *s, struct err *e)
{
	for (size_t i = 0; i < s->nested.n; i++) {
		AUTO_FREE char *dot_git = mem_printf("%s/%s/.git", s->init.worktree, s->nested.v[i]), *dir = NULL;
		if (look(s, s->nested.v[i], &dir) != NOTHING && fs_remove_tree(dot_git, e) != 0)
			return -1;
	}
	return 0;
}
