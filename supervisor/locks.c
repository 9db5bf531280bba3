/* locks: removing ref locks of a dead session. */
#include "locks.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/lockfile.h"
#include "store/base/mem.h"
#include "store/owner.h"

static size_t removed; /* nftw hands no context on */

/* Below refs/bosk only bosk writes, and this session's part has no living owner but us. */
static int remove_lock(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_F && str_ends(path, ".lock"))
		removed += lockfile_clear(path, NULL, 0);
	return 0;
}

static void clear_branch(const struct session *s, const char *branch)
{
	AUTO_FREE char *path = mem_printf("%s/refs/heads/%s.lock", gitx_common_dir(s->site->git), branch);
	removed += lockfile_clear(path, NULL, LOCKFILE_PATIENCE_MS);
}

size_t locks_clear_task(const struct session *s, size_t task)
{
	AUTO_FREE char *kept = mem_printf("%s/refs/bosk/keep/%s/%s", gitx_common_dir(s->site->git), s->sid,
	                                  s->plan.tasks[task].id);

	removed = 0;
	nftw(kept, remove_lock, 16, FTW_PHYS);
	if (s->tasks[task].branch)
		clear_branch(s, s->tasks[task].branch);
	return removed;
}

/* Its lock is held from before its rows are written: free, and no rows = it died in between. */
static void clear_unrecorded(const struct site *site, const char *sid)
{
	AUTO_FREE char *lock = site_path(site, "sessions/%s.lock", sid);
	AUTO_FREE char *wake = site_path(site, "sessions/%s.wake", sid);
	struct manifest_row m;
	struct err e = {0};

	if (owner_locked(lock))
		return;
	AUTO_CLOSE int fd = owner_lock(lock, &e);
	if (fd < 0)
		return;
	if (session_manifest(site, sid, &m, &e) == 0) {
		rec_fini(&manifest_row_rec, &m);
	} else if (e.kind == ERR_MISSING) {
		unlink(wake);
		unlink(lock);
	}
}

void locks_clear_unrecorded(const struct site *site)
{
	AUTO_FREE char *path = site_path(site, "sessions");
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		AUTO_FREE char *sid = mem_strndup(entry->d_name, strcspn(entry->d_name, "."));
		if (strlen(sid) == SEAL_SID - 1 && str_eq(entry->d_name + SEAL_SID - 1, ".lock"))
			clear_unrecorded(site, sid);
	}
	if (dir)
		closedir(dir);
}

size_t locks_clear(const struct session *s)
{
	const char *common = gitx_common_dir(s->site->git);
	AUTO_STRV struct strv ours = {0};

	removed = 0;
	strv_addf(&ours, "%s/refs/bosk/int/%s.lock", common, s->sid);
	strv_addf(&ours, "%s/refs/bosk/plan/%s.lock", common, s->row.queue);
	strv_addf(&ours, "%s/refs/bosk/keep/%s", common, s->sid); /* folders of refs */
	strv_addf(&ours, "%s/refs/bosk/rescue/%s", common, s->sid);
	for (size_t i = 0; i < ours.n; i++)
		nftw(ours.v[i], remove_lock, 16, FTW_PHYS);
	clear_branch(s, s->manifest.integration_branch);
	for (size_t i = 0; i < s->plan.n; i++)
		if (s->tasks[i].branch && str_eq(s->tasks[i].session, s->sid))
			clear_branch(s, s->tasks[i].branch);
	removed += gitx_packed_clear(s->site->git);
	return removed;
}
