/* guest: files of the user's in a checkout where tasks run. */
#include "guest.h"

#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { LIST_MAX = 256 << 20 };

/* Names as git lists them: sorted bytes, each ended by a NUL. */
struct names {
	struct str text;
	const char **v;
	size_t n;
};

static void names_index(struct names *l)
{
	size_t cap = 0;
	for (size_t i = 0; i < l->text.len; i += strlen(l->text.p + i) + 1) {
		if (l->n == cap)
			l->v = mem_grow(l->v, cap = cap ? cap * 2 : 64, sizeof *l->v);
		l->v[l->n++] = l->text.p + i;
	}
}

static void names_fini(struct names *l)
{
	str_fini(&l->text);
	free(l->v);
}
#define AUTO_NAMES __attribute__((cleanup(names_fini)))

/* The first name that is not before `key`. */
static size_t names_at(const struct names *l, const char *key)
{
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(l->v[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool names_has(const struct names *l, const char *key)
{
	size_t at = names_at(l, key);
	return at < l->n && strcmp(l->v[at], key) == 0;
}

/* Those that are `path` or below it, into *out (NULL: only the first is asked for). */
static const char *names_below(const struct names *l, const char *path, struct str *out)
{
	AUTO_FREE char *folder = mem_printf("%s/", path);
	const char *first = names_has(l, path) ? l->v[names_at(l, path)] : NULL;

	if (first && out)
		str_addn(out, first, strlen(first) + 1);
	for (size_t i = names_at(l, folder); i < l->n && str_starts(l->v[i], folder); i++) {
		first = first ? first : l->v[i];
		if (!out)
			break;
		str_addn(out, l->v[i], strlen(l->v[i]) + 1);
	}
	return first;
}

static char *list_path(const struct slot *s)
{
	return mem_printf("%s/bosk-theirs", s->admin_dir);
}

/* Is HEAD where it is to be again at the end? */
static bool at_home(const struct slot *s)
{
	AUTO_FREE char *path = mem_printf("%s/HEAD", s->admin_dir);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	if (fs_read(path, 4096, &text, &ignored) != 0)
		return false;
	text.p[strcspn(text.p, "\n")] = '\0';
	return strcmp(str_starts(text.p, "ref: ") ? text.p + 5 : text.p, s->init.borrowed) == 0;
}

/* Folders stand for all that is in them only when a rule names them: others may get new files. */
static int list_ignored(struct slot *s, struct str *list, struct err *e)
{
	AUTO_STR struct str out = {0};

	if (git_run(&s->git, &out,
	            GIT_ARGS("status", "--porcelain", "-z", "--ignored=matching", "--untracked-files=all",
	                     "--ignore-submodules=all"),
	            e) != 0)
		return -1;
	for (size_t i = 0, n; i < out.len; i += n + 1) {
		n = strlen(out.p + i);
		if (!str_starts(out.p + i, "!! "))
			continue;
		size_t len = n - 3 - (out.p[i + n - 1] == '/');
		str_addn(list, out.p + i + 3, len);
		str_addc(list, '\0');
	}
	return 0;
}

/* Written down before the first checkout: after that the rules may be other ones. */
static int begin(struct slot *s, struct err *e)
{
	AUTO_FREE char *path = list_path(s);
	AUTO_STR struct str list = {0};

	if (s->theirs_known)
		return 0;
	/* After a kill the list of before counts, unless the user took the checkout back meanwhile. */
	if (fs_exists(path) && (s->init.was_task || !at_home(s))) {
		if (fs_read(path, LIST_MAX, &list, e) != 0)
			return -1;
	} else if (list_ignored(s, &list, e) != 0 || fs_write(path, str_text(&list), list.len, true, e) != 0) {
		return err_wrap(e, "cannot list what is ignored in %s", s->init.worktree);
	}
	for (size_t i = 0; i < list.len; i += strlen(list.p + i) + 1)
		strv_add(&s->theirs, list.p + i);
	s->theirs_known = true;
	return 0;
}

/* Out of the index: an agent may have added them by force. Their files stay. */
static int unindex(struct slot *s, struct err *e)
{
	AUTO_NAMES struct names index = {0};
	AUTO_STR struct str out = {0};
	AUTO_FREE char *path = mem_printf("%s/bosk-unindex", s->admin_dir);
	struct git g = s->git;

	if (git_run(&g, &index.text, GIT_ARGS("ls-files", "-z", "--cached"), e) != 0)
		return -1;
	names_index(&index);
	for (size_t i = 0; i < s->theirs.n; i++)
		names_below(&index, s->theirs.v[i], &out);
	if (!out.len)
		return 0;
	if (fs_write(path, out.p, out.len, false, e) != 0)
		return -1;
	g.stdin_path = path;
	int rc = git_run(&g, NULL, GIT_ARGS("update-index", "--force-remove", "-z", "--stdin"), e);
	unlink(path);
	return rc;
}

int guest_withhold(struct slot *s, struct strv *leave, struct err *e)
{
	AUTO_STR struct str ignored = {0};
	int status;

	if (!s->init.borrowed || !s->made)
		return 0;
	if (begin(s, e) != 0)
		return -1;
	if (!s->theirs.n)
		return 0;
	if (unindex(s, e) != 0)
		return err_wrap(e, "cannot keep ignored files out of the index");
	AUTO_FREE char *list = list_path(s);
	struct git g = s->git;
	g.stdin_path = list;
	if (git_try(&g, &status, &ignored, NULL, GIT_ARGS("check-ignore", "-z", "--stdin"), e) != 0)
		return -1;
	/* The answer has the order of the question. */
	size_t at = 0;
	for (size_t i = 0; i < s->theirs.n; i++) {
		if (at < ignored.len && strcmp(ignored.p + at, s->theirs.v[i]) == 0)
			at += strlen(ignored.p + at) + 1;
		else
			strv_add(leave, s->theirs.v[i]);
	}
	return 0;
}

int guest_check(struct slot *s, const struct oid *commit, struct err *e)
{
	AUTO_NAMES struct names tree = {0};

	if (!s->init.borrowed || !s->theirs.n)
		return 0;
	if (git_run(&s->git, &tree.text, GIT_ARGS("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit->hex),
	            e) != 0)
		return -1;
	names_index(&tree);
	for (size_t i = 0; i < s->theirs.n; i++) {
		const char *found = names_below(&tree, s->theirs.v[i], NULL);
		AUTO_FREE char *here = mem_printf("%s/%s", s->init.worktree, s->theirs.v[i]);
		AUTO_FREE char *parent = mem_strdup(s->theirs.v[i]);
		/* A file where the user has a folder. */
		for (char *slash; !found && (slash = strrchr(parent, '/'));) {
			*slash = '\0';
			if (names_has(&tree, parent))
				found = parent;
		}
		if (found && fs_exists(here))
			return err_set(e, ERR_USAGE,
			               "commit %.12s has %s, where %s holds a file of yours that git ignores (%s): move that "
			               "away, or leave out --no-worktree and --worktree",
			               commit->hex, found, s->init.worktree, s->theirs.v[i]);
	}
	return 0;
}

int guest_clean(struct slot *s, const struct strv *leave, struct err *e)
{
	AUTO_STRV struct strv clean = {0};

	/* Twice -f: also folders that are repositories of their own. Ignored files stay (no -x). */
	strv_add(&clean, "clean");
	strv_add(&clean, "-ffdq");
	for (size_t i = 0; i < s->copied.n; i++)
		strv_addf(&clean, "--exclude=/%s", s->copied.v[i]);
	for (size_t i = 0; i < leave->n; i++) {
		AUTO_STR struct str literal = {0};
		for (const char *p = leave->v[i]; *p; p++) {
			if (strchr("*?[\\", *p))
				str_addc(&literal, '\\');
			str_addc(&literal, *p);
		}
		strv_addf(&clean, "--exclude=/%s", literal.p);
	}
	return git_run(&s->git, NULL, (const char *const *)clean.v, e);
}

void guest_end(struct slot *s)
{
	AUTO_FREE char *path = list_path(s);
	unlink(path);
	strv_fini(&s->theirs);
	s->theirs_known = false;
}
