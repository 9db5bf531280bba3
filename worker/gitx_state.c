/* gitx_state: which worktree has a branch checked out, and why merges may need git, from git's
 * plain files. Not through git_worktree_list or git_branch_is_checked_out: those cost 0.1 ms a worktree
 * (performance 5) and see neither rebase nor bisect. Changes nothing. */
#include "gitx_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

/* ---- who has a branch checked out (promise A7, pitfalls 4.6) ---- */

/* The file's text without white space at its end; NULL in *out when there is no such file. Another
 * failure is an error: "cannot look" must not become "not checked out". */
static int read_text(const char *dir, const char *name, char **out, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, name);
	AUTO_STR struct str text = {0};
	char target[4096];

	*out = NULL;
	/* HEAD may be a symbolic link to the ref (core.preferSymlinkRefs). */
	ssize_t n = str_eq(name, "HEAD") ? readlink(path, target, sizeof target) : -1;
	if (n > 0 && (size_t)n < sizeof target) {
		*out = mem_printf("ref: %.*s", (int)n, target);
		return 0;
	}
	if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fs_read(path, (size_t)1 << 20, &text, e) != 0) {
		/* Removed since: a rebase or a worktree that just ended. */
		if (e->kind == ERR_MISSING) {
			err_clear(e);
			return 0;
		}
		return -1;
	}
	while (text.len && strchr(" \t\r\n", text.p[text.len - 1]))
		text.p[--text.len] = '\0';
	*out = str_take(&text);
	return 0;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);
	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == '\0'))
			return true;
	}
	return false;
}

enum { SYMBOLIC_MAX = 5 }; /* as git itself */

/* Does the text of a HEAD lead to `ref`, over symbolic refs too? */
static int leads_to(const struct gitx *g, const char *head, const char *ref, bool *out, struct err *e)
{
	AUTO_FREE char *text = mem_strdup(head);

	*out = false;
	for (int i = 0; text && str_starts(text, "ref:") && i < SYMBOLIC_MAX && !*out; i++) {
		AUTO_FREE char *name = mem_strdup(text + 4 + strspn(text + 4, " \t"));
		*out = str_eq(name, ref);
		free(text);
		text = NULL;
		if (!*out && read_text(g->common_dir, name, &text, e) != 0)
			return -1;
	}
	return 0;
}

/* Does the worktree with this git folder stand on `ref`, or will it move it when its rebase or
 * bisect ends? */
static int stands_on(const struct gitx *g, const char *dir, const char *ref, bool *out, struct err *e)
{
	static const char *const rebases[] = {
		"rebase-merge/head-name", "rebase-apply/head-name",
		"rebase-merge/update-refs", /* git rebase --update-refs: name, old, new, name, ... */
	};
	const char *branch = str_starts(ref, "refs/heads/") ? ref + strlen("refs/heads/") : ref;
	char *text;

	*out = false;
	if (read_text(dir, "HEAD", &text, e) != 0)
		return -1;
	int rc = text ? leads_to(g, text, ref, out, e) : 0;
	free(text);
	if (rc != 0)
		return -1;
	for (size_t i = 0; i < MEM_COUNT(rebases) && !*out; i++) {
		if (read_text(dir, rebases[i], &text, e) != 0)
			return -1;
		*out = text && has_line(text, ref);
		free(text);
	}
	if (*out)
		return 0;
	if (read_text(dir, "BISECT_START", &text, e) != 0)
		return -1;
	*out = text && (str_eq(text, branch) || str_eq(text, ref));
	free(text);
	return 0;
}

/* The worktree's top, as its admin folder's `gitdir` file has it; the admin folder itself when that
 * file is missing. */
static int top_of(const char *admin, char **out, struct err *e)
{
	AUTO_FREE char *link = NULL;
	if (read_text(admin, "gitdir", &link, e) != 0)
		return -1;
	if (!link) {
		*out = mem_strdup(admin);
		return 0;
	}
	if (str_ends(link, "/.git"))
		link[strlen(link) - strlen("/.git")] = '\0';
	/* Relative with extensions.relativeWorktrees. */
	AUTO_FREE char *joined =
		link[0] == '/' ? mem_strdup(link) : mem_printf("%s/%s", admin, link);
	char *real = realpath(joined, NULL);
	*out = real ? real : mem_steal(&joined); /* a removed worktree not pruned yet counts */
	return 0;
}

static int look_at_linked(struct gitx *g, DIR *dir, const char *ref, struct strv *paths, struct err *e)
{
	struct dirent *entry;

	while ((errno = 0, entry = readdir(dir))) {
		bool found;
		if (entry->d_name[0] == '.')
			continue;
		AUTO_FREE char *admin =
			mem_printf("%s/worktrees/%s", g->common_dir, entry->d_name);
		AUTO_FREE char *path = NULL;
		if (stands_on(g, admin, ref, &found, e) != 0 || (found && top_of(admin, &path, e) != 0))
			return -1;
		if (found)
			strv_add(paths, path);
	}
	return errno ? err_sys(e, "cannot list %s/worktrees", g->common_dir) : 0;
}

int gitx_checked_out_all(struct gitx *g, const char *ref, struct strv *paths, struct err *e)
{
	AUTO_FREE char *list = mem_printf("%s/worktrees", g->common_dir);
	bool found = false;

	if (!g->main_bare && stands_on(g, g->common_dir, ref, &found, e) != 0)
		return -1;
	if (found)
		strv_add(paths, g->main_unknown ? g->common_dir : g->main_top);
	DIR *dir = opendir(list);
	if (!dir && errno != ENOENT)
		return err_sys(e, "cannot list %s", list);
	if (!dir)
		return 0;
	int rc = look_at_linked(g, dir, ref, paths, e);
	closedir(dir);
	return rc;
}

int gitx_checked_out(struct gitx *g, const char *ref, char **path, struct err *e)
{
	AUTO_STRV struct strv paths = {0};
	struct err own = {0};

	*path = NULL;
	if (!e)
		e = &own;
	if (gitx_checked_out_all(g, ref, &paths, e) != 0)
		return -1;
	if (!paths.n)
		return err_set(e, ERR_MISSING, "no worktree has %s checked out", ref);
	*path = mem_strdup(paths.v[0]);
	return 0;
}

/* ---- what makes merges here git's business (architecture 9, pitfalls 1.6 and 1.7) ---- */

static bool has_content(const struct gitx *g, const char *name)
{
	AUTO_FREE char *path = mem_printf("%s/%s", g->common_dir, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;
	return fd >= 0 && read(fd, &c, 1) == 1;
}

static int note_promisor(const git_config_entry *entry, void *found)
{
	int yes = 0;
	if (!str_starts(entry->name, "remote.") || !str_ends(entry->name, ".promisor"))
		return 0;
	/* Parsing fails on rubbish: then git would not run here at all; careful means yes. */
	if (git_config_parse_bool(&yes, entry->value) != 0 || yes)
		*(bool *)found = true;
	return 0;
}

const char *gitx_merge_caveat(struct gitx *g)
{
	AUTO_STRV struct strv replaced = {0};
	GITX_AUTO(git_config_entry) partial = NULL;
	bool promisor = false;

	if (has_content(g, "shallow"))
		return "the repository is a shallow clone";
	if (has_content(g, "info/grafts"))
		return "the repository has grafts (info/grafts)";
	if (gitx_ref_list(g, "refs/replace/", &replaced, NULL) != 0 || replaced.n)
		return "the repository has replace refs (refs/replace/)";
	/* Not git_config_foreach_match: in 1.5 each entry that does not match leaks 20 KiB. */
	git_config_foreach(g->cfg, note_promisor, &promisor);
	if (promisor || git_config_get_entry(&partial, g->cfg, "extensions.partialclone") == 0)
		return "the repository is a partial clone (a promisor remote)";
	git_error_clear();
	return NULL;
}
