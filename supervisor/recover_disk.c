/* recover_disk: the machine went down, not only the supervisor. What bosk relies on was flushed; what agents
 * did on their way was not, and may be there by name and hold nothing, and so may a worktree that git was just
 * making (declared in recover.h). */
#include "recover.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/git.h"
#include "worker/lockfile.h"
#include "worker/worktree_look.h"

/* ---- objects ---- */

/* A loose object that was written since the session began and cannot be read. git takes the file for the
 * object, and does not write it again (pitfalls 6.2). */
static int drop_object(const struct session *s, const struct git *g, const char *id, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/objects/%.2s/%s", g->cwd, id, id + 2);
	struct stat st;
	int status;

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_ctime < s->manifest.started_ms / 1000)
		return 0;
	if (git_try(g, &status, NULL, NULL, GIT_ARGS("cat-file", "-p", id), e) != 0)
		return -1;
	if (status == 0)
		return 0;
	log_info("removed object %s, which was cut off when the machine went down", id);
	return unlink(path) == 0 ? 0 : err_sys(e, "cannot remove %s", path);
}

static size_t hex_run(const char *p)
{
	size_t n = 0;
	while (isdigit((unsigned char)p[n]) || (p[n] >= 'a' && p[n] <= 'f'))
		n++;
	return n;
}

/* What git says is only taken as a hint at which to look. */
static int drop_objects(const struct session *s, struct err *e)
{
	struct git g = {.cwd = gitx_common_dir(s->site->git)};
	AUTO_STR struct str said = {0};
	AUTO_STRV struct strv ids = {0};
	int status;

	if (git_try(&g, &status, NULL, &said,
	            GIT_ARGS("fsck", "--no-full", "--no-dangling", "--no-reflogs", "--no-progress"), e) != 0)
		return -1;
	for (const char *p = str_text(&said); *p;) {
		size_t n = hex_run(p);
		AUTO_FREE char *id = mem_strndup(p, n);
		if (n == 40 && !strv_has(&ids, id))
			strv_add(&ids, id);
		p += n ? n : 1;
	}
	for (size_t i = 0; i < ids.n; i++)
		if (drop_object(s, &g, ids.v[i], e) != 0)
			return -1;
	return 0;
}

/* ---- branches ---- */

/* One that is no use to anybody: its task begins again. */
static int settle_branch(struct session *s, const struct task_row *row, struct err *e)
{
	struct gitx *g = s->site->git;
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", row->branch);
	struct oid tip, base;
	struct err absent = {0};

	if (gitx_ref_drop_damaged(g, ref, e) != 0)
		return -1;
	/* A partial clone lacks objects as it is. */
	if (gitx_ref_read(g, ref, &tip, &absent) != 0 || gitx_merge_caveat(g) ||
	    gitx_whole(g, &tip, oid_parse(&base, row->base ? row->base : "") ? &base : NULL))
		return 0;
	log_warn("%s is gone: the machine went down before what was committed there reached the disk", row->branch);
	return gitx_ref_move(g, ref, &tip, NULL, "bosk: lost in a power cut", e);
}

/* A lock of ours says so, unless its words were not flushed. Whoever made it died with the machine: still, not
 * while anybody has it open or touches it. */
static void clear_wordless_lock(const struct session *s)
{
	AUTO_FREE char *path = mem_printf("%s/packed-refs.lock", gitx_common_dir(s->site->git));
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		lockfile_clear(path, NULL, LOCKFILE_PATIENCE_MS);
}

/* ---- worktrees ---- */

/* What is half made is removed when its turn comes; until then it must not be in the way. */
static int link_half_made(const struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->manifest.worktrees.n; i++) {
		AUTO_FREE char *admin = NULL, *why = NULL;
		struct slot probe = {.init = {.sid = (char *)s->sid,
		                              .worktree = s->manifest.worktrees.v[i],
		                              .common_dir = (char *)gitx_common_dir(s->site->git)}};
		if (!session_borrows(s, i) && worktree_look(&probe, &admin, &why) == WORKTREE_HALF && admin &&
		    worktree_link(&probe, admin, e) != 0)
			return -1;
	}
	return 0;
}

int recover_disk(struct session *s, struct err *e)
{
	struct owner self;

	if (link_half_made(s, e) != 0)
		return -1;
	owner_self(&self);
	if (!s->manifest.boot_id || str_eq(s->manifest.boot_id, self.boot_id))
		return 0;
	clear_wordless_lock(s);
	if (drop_objects(s, e) != 0)
		return -1;
	for (size_t i = 0; i < s->plan.n; i++)
		if (s->tasks[i].branch && str_eq(s->tasks[i].session, s->sid) &&
		    settle_branch(s, &s->tasks[i], e) != 0)
			return -1;
	return 0;
}
