/* hidden: taking marks off the index. */
#include "hidden.h"

#include <string.h>
#include <unistd.h>

#include "gitlinks.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

enum { TOLD_MAX = 5 };

/* Paths, each with a NUL behind it. */
struct marked {
	struct str assumed, there, away;
};

static bool any_marks(const struct slot *s)
{
	AUTO_STRV struct strv files = {0};
	bool found = false;

	gitlinks_index_files(s->admin_dir, &files);
	if (s->git.index_file)
		strv_add(&files, s->git.index_file);
	for (size_t i = 0; i < files.n && !found; i++)
		found = gitlinks_index_marks(files.v[i]);
	return found;
}

/* As bosk's git sees it: not when it was turned on while the session ran. */
static int is_sparse(struct slot *s, bool *sparse, struct err *e)
{
	AUTO_STR struct str out = {0};
	int status;

	if (git_try(&s->git, &status, &out, NULL, GIT_ARGS("config", "--type=bool", "--get", "core.sparseCheckout"), e) != 0)
		return -1;
	*sparse = status == 0 && str_starts(str_text(&out), "true");
	return 0;
}

static int find(struct slot *s, struct marked *m, struct err *e)
{
	AUTO_STR struct str text = {0};

	/* "TAG PATH": a small tag is assume-unchanged, S is skip-worktree. */
	if (git_run(&s->git, &text, GIT_ARGS("ls-files", "-v", "-z"), e) != 0)
		return -1;
	for (size_t at = 0; at + 2 < text.len; at += strlen(text.p + at) + 1) {
		char tag = text.p[at];
		const char *name = text.p + at + 2;
		AUTO_FREE char *path = mem_printf("%s/%s", s->init.worktree, name);
		if (tag >= 'a' && tag <= 'z')
			str_addn(&m->assumed, name, strlen(name) + 1);
		if (tag == 'S' || tag == 's')
			str_addn(fs_exists(path) ? &m->there : &m->away, name, strlen(name) + 1);
	}
	return 0;
}

/* A git command that takes paths on its stdin. */
static int give(struct slot *s, const struct str *paths, const char *const *args, struct err *e)
{
	AUTO_FREE char *list = mem_printf("%s/bosk-marked", s->admin_dir);
	struct git git = s->git;
	int rc;

	if (!paths->len)
		return 0;
	git.stdin_path = list;
	rc = fs_write(list, paths->p, paths->len, false, e);
	if (rc == 0)
		rc = git_run(&git, NULL, args, e);
	unlink(list);
	return rc;
}

static void tell(struct slot *s, const struct str *paths)
{
	size_t n = 0;

	for (size_t at = 0; at < paths->len; at += strlen(paths->p + at) + 1) {
		AUTO_FREE char *note = mem_printf("git had been told not to look at %s: bosk looked", paths->p + at);
		if (n++ < TOLD_MAX && !strv_has(&s->notes, note))
			strv_give(&s->notes, mem_steal(&note));
	}
	if (n > TOLD_MAX)
		strv_addf(&s->notes, "git had been told not to look at %zu files more: bosk looked", n - TOLD_MAX);
}

static int show(struct slot *s, const struct marked *m, bool put_back, struct err *e)
{
	tell(s, &m->assumed);
	tell(s, &m->there);
	if (give(s, &m->assumed, GIT_ARGS("update-index", "-z", "--no-assume-unchanged", "--stdin"), e) != 0 ||
	    give(s, &m->there, GIT_ARGS("update-index", "-z", "--no-skip-worktree", "--stdin"), e) != 0)
		return -1;
	if (!put_back)
		return 0;
	tell(s, &m->away);
	if (give(s, &m->away, GIT_ARGS("update-index", "-z", "--no-skip-worktree", "--stdin"), e) != 0)
		return -1;
	return give(s, &m->away, GIT_ARGS("checkout-index", "--force", "--quiet", "-z", "--stdin"), e);
}

int hidden_show(struct slot *s, struct err *e)
{
	struct marked m = {{0}, {0}, {0}};
	bool sparse = true;

	if (!any_marks(s))
		return 0;
	int rc = find(s, &m, e);
	if (rc == 0 && m.away.len && !s->git.index_file)
		rc = is_sparse(s, &sparse, e);
	if (rc == 0)
		rc = show(s, &m, !sparse, e);
	str_fini(&m.assumed);
	str_fini(&m.there);
	str_fini(&m.away);
	return rc != 0 ? err_wrap(e, "cannot look at what git was told not to look at") : 0;
}
