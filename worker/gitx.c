/* gitx: starting libgit2, opening a repository, and libgit2's errors as struct err.
 * Refuses what libgit2 1.5 would misread (pitfalls 1) instead of working around it. Looks at no
 * GIT_* variable: a hook or a parent git must not be able to point us elsewhere (pitfalls 1.11). */
#include "gitx_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

/* ---- the library ---- */

static bool started, durable_writes;

static void stop(void)
{
	git_libgit2_shutdown();
}

int gitx_init(bool durable, struct err *e)
{
	/* Allowing an extension promises that ignoring it does no harm. These two: relative paths
	 * are understood, and config.worktree is read by gitx_open. Not objectformat, refstorage or
	 * partialclone: there libgit2 would go wrong without a word (pitfalls 1.1, 1.2). */
	const char *extensions[] = {"worktreeconfig", "relativeworktrees"};
	int rc = 0;

	if (!started) {
		gitx_own_memory();
		gitx_stay_offline();
		rc = git_libgit2_init();
		if (rc < 0)
			return gitx_err(e, rc, "cannot start libgit2");
		started = true;
		atexit(stop);
	}
	/* Not GIT_OPT_SET_OWNER_VALIDATION: it is on and stays on (pitfalls 1.8). */
	if ((rc = git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions,
	                           MEM_COUNT(extensions))) < 0 ||
	    (rc = git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)32 << 20)) < 0 ||
	    (rc = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)256 << 20)) < 0 ||
	    /* Trees over the default of 4 KiB would be inflated and hashed anew for every merge
	     * (performance 2). */
	    (rc = git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, (int)GIT_OBJECT_TREE,
	                           (size_t)4 << 20)) < 0 ||
	    (rc = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, (int)durable)) < 0)
		return gitx_err(e, rc, "cannot set up libgit2");
	durable_writes = durable;
	return 0;
}

bool gitx_durable(void)
{
	return durable_writes;
}

/* ---- errors ---- */

static bool names_errno(const char *message, int code)
{
	/* libgit2 appends strerror() to messages of its class OS and clears errno, so the text is
	 * all that is left of it. */
	return strstr(message, strerror(code)) != NULL;
}

static enum err_kind kind_of(int rc, int klass, const char *message)
{
	switch (rc) {
	case GIT_ENOTFOUND:
		return ERR_MISSING;
	case GIT_EEXISTS:
		return ERR_EXISTS;
	case GIT_EMODIFIED:
		return ERR_MOVED;
	case GIT_ELOCKED:
		return ERR_HELD;
	case GIT_EAMBIGUOUS:
	case GIT_EINVALIDSPEC:
		return ERR_USAGE;
	case GIT_EMISMATCH:
		return ERR_DAMAGED;
	default:
		break;
	}
	switch (klass) {
	case GIT_ERROR_OS:
	case GIT_ERROR_FILESYSTEM:
		if (names_errno(message, ENOSPC) || names_errno(message, EDQUOT) ||
		    names_errno(message, EIO))
			return ERR_NOSPACE;
		return names_errno(message, EMFILE) || names_errno(message, ENFILE) || names_errno(message, ENOMEM)
		               ? ERR_STARVED
		               : ERR_ENV;
	case GIT_ERROR_NOMEMORY:
		return ERR_STARVED;
	case GIT_ERROR_ZLIB:
	case GIT_ERROR_ODB:
	case GIT_ERROR_OBJECT:
	case GIT_ERROR_TREE:
		return ERR_DAMAGED; /* what we ask for is well-formed: the stored bytes are not */
	default:
		/* refdb says no more than this of a loose ref that a power cut left empty. */
		return strstr(message, "corrupted") ? ERR_DAMAGED : ERR_ENV;
	}
}

int gitx_err_at(struct err *e, int rc, const char *where, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	const char *message = last && last->message ? last->message : "";
	int klass = last ? last->klass : GIT_ERROR_NONE;
	enum err_kind kind = kind_of(rc, klass, message);
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	if (*message)
		str_addf(&text, ": %s", message);
	else
		str_addf(&text, ": libgit2 error %d", rc);
	err_set_at(e, kind, rc, where, "%s", str_text(&text));
	/* A later call that fails without saying why must not repeat this message. */
	git_error_clear();
	return -1;
}

/* ---- opening ---- */

static int open_failed(struct err *e, int rc, const char *path)
{
	static const char unsupported[] = "unsupported extension name extensions.";
	const git_error *last = git_error_last();
	AUTO_FREE char *message = mem_strdup(last && last->message ? last->message : "");
	int klass = last ? last->klass : GIT_ERROR_NONE;

	git_error_clear();
	if (!fs_exists(path))
		return err_code(e, ERR_ENV, rc, "there is no folder %s", path);
	if (str_starts(message, unsupported)) {
		const char *name = message + strlen(unsupported);
		if (str_eq(name, "objectformat"))
			return err_code(e, ERR_ENV, rc,
			                "%s is in a sha256 repository; bosk works with sha1 "
			                "repositories only. Work in a sha1 copy of it (git "
			                "fast-export, git fast-import)",
			                path);
		if (str_eq(name, "refstorage"))
			return err_code(e, ERR_ENV, rc,
			                "%s is in a repository with reftable refs, which bosk "
			                "cannot read. Change it with: git refs migrate "
			                "--ref-format=files",
			                path);
		return err_code(e, ERR_ENV, rc,
		                "%s is in a repository with the format extension '%s', which bosk "
		                "does not know and must not ignore. Work in a plain clone of it",
		                path, name);
	}
	/* Without any safe.directory set the owner check ends in "config value 'safe.directory' was
	 * not found" (pitfalls 1.8). */
	if (rc == GIT_EOWNER || (klass == GIT_ERROR_CONFIG && strstr(message, "safe.directory")))
		return err_code(e, ERR_ENV, rc,
		                "the repository at %s belongs to another user. If you trust it: "
		                "git config --global --add safe.directory <its top folder> (the "
		                "full path; '*' does not count here)",
		                path);
	if (rc == GIT_ENOTFOUND && klass == GIT_ERROR_REPOSITORY)
		return err_code(e, ERR_ENV, rc, getenv("GIT_DIR")
		                        ? "%s is not in a git repository, and GIT_DIR is not looked at. Let the folder say "
		                          "where its repository is: echo \"gitdir: $(realpath \"$GIT_DIR\")\" >.git"
		                        : "%s is not in a git repository. Go into one, or make one with: git init",
		                path);
	return err_code(e, ERR_ENV, rc, "cannot open the repository at %s: %s", path, message);
}

/* realpath without a slash at the end; NULL when it does not exist. */
static char *real(const char *path)
{
	return path ? realpath(path, NULL) : NULL;
}

static bool get_flag(git_config *cfg, const char *key)
{
	int value = 0;
	return git_config_get_bool(&value, cfg, key) == 0 && value;
}

/* core.worktree of `cfg` as a real path, or NULL. Relative to the git dir, as in git. */
static char *configured_top(git_config *cfg, const char *git_dir)
{
	GITX_AUTO_BUF value = {0};
	if (git_config_get_string_buf(&value, cfg, "core.worktree") != 0 || !value.ptr[0])
		return NULL;
	AUTO_FREE char *joined = value.ptr[0] == '/' ? mem_strdup(value.ptr)
	                                             : mem_printf("%s/%s", git_dir, value.ptr);
	return real(joined);
}

/* libgit2 1.5 never reads config.worktree, where git moves core.bare and core.worktree to
 * (pitfalls 1.3). Level APP: above the repository's own. */
static int add_worktree_config(git_config *cfg, const char *git_dir, git_repository *repo,
                               struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/config.worktree", git_dir);

	if (!get_flag(cfg, "extensions.worktreeconfig") || !fs_exists(path))
		return 0;
	int rc = git_config_add_file_ondisk(cfg, path, GIT_CONFIG_LEVEL_APP, repo, 0);
	if (rc < 0 && rc != GIT_EEXISTS)
		return gitx_err(e, rc, "cannot read %s", path);
	return 0;
}

/* Where the main worktree is, asked from a linked one. */
static int find_main(struct gitx *g, struct err *e)
{
	GITX_AUTO(git_config) cfg = NULL;
	AUTO_FREE char *path = mem_printf("%s/config", g->common_dir);
	int rc = git_config_open_ondisk(&cfg, path);

	if (rc < 0)
		return gitx_err(e, rc, "cannot read %s", path);
	if (add_worktree_config(cfg, g->common_dir, NULL, e) != 0)
		return -1;
	g->main_bare = get_flag(cfg, "core.bare");
	if (!g->main_bare)
		g->main_top = configured_top(cfg, g->common_dir);
	if (!g->main_bare && !g->main_top && str_ends(g->common_dir, "/.git"))
		g->main_top = mem_strndup(g->common_dir, strlen(g->common_dir) - strlen("/.git"));
	if (!g->main_top) {
		g->main_unknown = true;
		g->main_top = mem_strdup(g->top);
	}
	return 0;
}

/* bosk's git commands run in the worktree, and get no GIT_DIR: git must find the repository from there. */
static int check_way_back(const struct gitx *g, struct err *e)
{
	GITX_AUTO_BUF found = {0};
	AUTO_FREE char *at = git_repository_discover(&found, g->top, 0, NULL) == 0 ? real(found.ptr) : NULL;

	git_error_clear();
	if (at && strcmp(at, g->git_dir) == 0)
		return 0;
	return err_set(e, ERR_ENV,
	               "core.worktree of %s is %s, from where git does not find its way back without GIT_DIR. Once, it "
	               "helps to: echo 'gitdir: %s' >'%s/.git'",
	               g->git_dir, g->top, g->git_dir, g->top);
}

static int find_places(struct gitx *g, const char *path, struct err *e)
{
	g->common_dir = real(git_repository_commondir(g->repo));
	g->git_dir = real(git_repository_path(g->repo));
	if (!g->common_dir || !g->git_dir)
		return err_sys(e, "cannot find the git folder of %s", path);
	g->linked = git_repository_is_worktree(g->repo);
	if (add_worktree_config(g->cfg, g->git_dir, g->repo, e) != 0)
		return -1;
	if (git_repository_is_bare(g->repo) || (!g->linked && get_flag(g->cfg, "core.bare")))
		return err_set(e, ERR_ENV,
		               "%s is in a bare repository: there are no files to work on. Use a "
		               "worktree of it (git worktree add) or a clone",
		               path);
	if (!g->linked)
		g->top = configured_top(g->cfg, g->git_dir);
	if (!g->top)
		g->top = real(git_repository_workdir(g->repo));
	if (!g->top)
		return err_set(e, ERR_ENV,
		               "the worktree of %s is not where git expects it (%s). When it was "
		               "moved, run there: git worktree repair",
		               path, git_repository_workdir(g->repo));
	if (!g->linked && check_way_back(g, e) != 0)
		return -1;
	if (g->linked)
		return find_main(g, e);
	g->main_top = mem_strdup(g->top);
	return 0;
}

int gitx_open(struct gitx **out, const char *path, struct err *e)
{
	git_repository *repo = NULL;
	int rc = git_repository_open_ext(&repo, path, 0, NULL);

	if (rc < 0)
		return open_failed(e, rc, path);
	struct gitx *g = mem_alloc(sizeof *g);
	g->repo = repo;
	if ((rc = git_repository_config(&g->cfg, repo)) < 0 ||
	    (rc = git_repository_odb(&g->odb, repo)) < 0) {
		gitx_err(e, rc, "cannot open the repository at %s", path);
		goto undo;
	}
	if (find_places(g, path, e) != 0 || gitx_loose_begin(g, e) != 0)
		goto undo;
	*out = g;
	return 0;
undo:
	gitx_close(g);
	return -1;
}

void gitx_close(struct gitx *g)
{
	if (!g)
		return;
	git_odb_free(g->odb);
	git_config_free(g->cfg);
	git_repository_free(g->repo);
	free(g->unflushed);
	free(g->common_dir);
	free(g->git_dir);
	free(g->top);
	free(g->main_top);
	free(g);
}

bool gitx_folds_case(const struct gitx *g)
{
	return get_flag(g->cfg, "core.ignorecase");
}

const char *gitx_common_dir(const struct gitx *g)
{
	return g->common_dir;
}

const char *gitx_git_dir(const struct gitx *g)
{
	return g->git_dir;
}

const char *gitx_top(const struct gitx *g)
{
	return g->top;
}

const char *gitx_main_top(const struct gitx *g)
{
	return g->main_top;
}
