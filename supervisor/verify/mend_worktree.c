/* mend_worktree: a worktree that a session which is over left behind. */
#include <string.h>

#include "mend_private.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "worker/git.h"
#include "worker/keep.h"

int mend_worktree(struct mend *m, const char *path, struct err *e)
{
	struct gitx *g = m->s->site->git;
	AUTO_FREE char *lock_path = site_path(m->s->site, "git.lock"), *kept = NULL;
	AUTO_CLOSE int lock = -1;
	AUTO_STR struct str changes = {0}, head = {0};
	struct git inside = {.cwd = path, .guard = session_guard(m->s)};
	struct git outside = {.cwd = gitx_common_dir(g)};
	struct oid at, tip;
	bool in = false;

	if (git_run(&inside, &changes, GIT_ARGS("status", "--porcelain", "--ignore-submodules=none"), e) != 0 ||
	    git_run(&inside, &head, GIT_ARGS("rev-parse", "HEAD"), e) != 0)
		return err_wrap(e, "worktree %s", path);
	if (changes.len) {
		strv_add(&m->s->manifest.held, path);
		strv_addf(&m->s->manifest.notes, "the worktree %s holds changes that are nowhere else", path);
		strv_addf(m->said, "%s: worktree %s stays: it holds changes that are nowhere else", m->s->sid, path);
		return 0;
	}
	head.p[strcspn(head.p, "\n")] = '\0';
	if (!oid_parse(&at, head.p) || !oid_parse(&tip, m->s->tip))
		return err_set(e, ERR_DAMAGED, "worktree %s: its HEAD cannot be read", path);
	if (gitx_reaches(g, &tip, &at, &in, e) != 0 ||
	    (!in && keep_commit(g, m->s->sid, "verify", 1, "-worktree", &at, &kept, e) != 0))
		return -1;
	if (git_lock(&outside, lock_path, &lock, e) != 0)
		return -1;
	outside.keep_fd = lock;
	FAILPOINT("mend.worktree.before");
	if (git_run(&outside, NULL, GIT_ARGS("worktree", "remove", "--force", "--force", "--", path), e) != 0)
		return err_wrap(e, "worktree %s", path);
	FAILPOINT("mend.worktree.removed");
	strv_addf(m->said, "%s: removed the worktree %s, in which nothing was its own", m->s->sid, path);
	return 0;
}
