/* gitx_sub: a repository inside a worktree, looked at without running git in it: its settings are an agent's, and
 * libgit2 runs no program of theirs. For one question only, and "yes" whenever in doubt: libgit2 sees changes
 * where git sees none (pitfalls 1.4, 1.9), not the other way round. */
#include "gitx_private.h"

#include <string.h>

/* Is something reachable from HEAD, a branch or the stash that no remote-tracking ref holds? */
static bool is_ahead(git_repository *repo)
{
	git_revwalk *walk = NULL;
	git_oid id;
	bool ahead = true;

	if (git_revwalk_new(&walk, repo) == 0 && git_revwalk_push_glob(walk, "refs/heads/*") == 0 &&
	    git_revwalk_push_glob(walk, "refs/stash") == 0 && git_revwalk_hide_glob(walk, "refs/remotes/*") == 0) {
		int rc = git_revwalk_push_head(walk);
		ahead = (rc < 0 && git_repository_head_unborn(repo) != 1) || git_revwalk_next(&id, walk) != GIT_ITEROVER;
	}
	git_revwalk_free(walk);
	return ahead;
}

static bool is_dirty(git_repository *repo, const char *top)
{
	const char *workdir = git_repository_workdir(repo); /* ends with a slash */
	git_status_list *list = NULL;
	git_status_options opts;
	bool dirty = true;
	size_t n = strlen(top);

	/* Else its settings say that it is somewhere else. */
	if (!workdir || strncmp(workdir, top, n) != 0 || strcmp(workdir + n, "/") != 0)
		return true;

	git_status_options_init(&opts, GIT_STATUS_OPTIONS_VERSION);
	opts.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED;
	if (git_status_list_new(&list, repo, &opts) == 0)
		dirty = git_status_list_entrycount(list) > 0;
	git_status_list_free(list);
	return dirty;
}

void gitx_sub_look(const char *git_dir, const char *top, bool *ahead, bool *dirty)
{
	git_repository *repo = NULL;

	*ahead = *dirty = true;
	if (git_repository_open_ext(&repo, git_dir, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT,
	                            NULL) == 0) {
		*ahead = is_ahead(repo);
		*dirty = is_dirty(repo, top);
	}
	git_repository_free(repo);
	git_error_clear();
}
