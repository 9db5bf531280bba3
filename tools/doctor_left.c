/* doctor_left: lock files and temporary objects of git's that somebody left. */
#include "doctor_left.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/lockfile.h"

/* nftw hands no context on */
static struct strv found;
static size_t objects;
static uint64_t bytes;

static int look_lock(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	/* One that is held for a moment is none that was left. */
	if (type == FTW_F && str_ends(path, ".lock") && st->st_mtime + LOCKFILE_PATIENCE_MS / 1000 < time(NULL))
		strv_add(&found, path);
	return 0;
}

static int look_object(const char *path, const struct stat *st, int type, struct FTW *at)
{
	if (type == FTW_F && str_starts(path + at->base, "tmp_")) {
		objects++;
		bytes += (uint64_t)st->st_size;
	}
	return 0;
}

/* Locks lie in the git folder itself, below refs, and in each worktree's own folder. */
static int look_top(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + at->base;

	if (type == FTW_D && at->level == 1 && !str_eq(name, "refs") && !str_eq(name, "worktrees"))
		return FTW_SKIP_SUBTREE;
	look_lock(path, st, type, at);
	return FTW_CONTINUE;
}

/* The worktree that a lock beside its HEAD is about; NULL = it is about no worktree. The caller owns it. */
static char *folder_of(const struct site *site, const char *lock)
{
	AUTO_FREE char *dir = mem_strndup(lock, (size_t)(strrchr(lock, '/') - lock));
	AUTO_FREE char *gitdir = mem_printf("%s/gitdir", dir);
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	if (str_eq(dir, gitx_common_dir(site->git)))
		return str_ends(lock, "/packed-refs.lock") ? NULL : mem_strdup(gitx_main_top(site->git));
	if (fs_read(gitdir, 65536, &text, &ignored) != 0 || !str_ends(str_text(&text), "/.git\n"))
		return NULL;
	return mem_strndup(text.p, text.len - strlen("/.git\n"));
}

/* The session that made what the lock is about and whose resume removes it. */
static const char *session_of(const struct site *site, const struct strv *ids, const char *lock)
{
	for (size_t i = 0; i < ids->n; i++) {
		struct manifest_row m;
		struct err ignored = {0};
		if (!strstr(lock, ids->v[i]) || session_manifest(site, ids->v[i], &m, &ignored) != 0)
			continue;
		bool goes_on = session_resumable(site, ids->v[i], &m);
		rec_fini(&manifest_row_rec, &m);
		if (goes_on)
			return ids->v[i];
	}
	return NULL;
}

void doctor_left(const struct site *site, const struct strv *ids, struct strv *out)
{
	const char *common = gitx_common_dir(site->git);
	AUTO_FREE char *store = mem_printf("%s/objects", common);

	nftw(common, look_top, 16, FTW_PHYS | FTW_MOUNT | FTW_ACTIONRETVAL);
	for (size_t i = 0; i < found.n; i++) {
		AUTO_FREE char *folder = folder_of(site, found.v[i]);
		AUTO_STR struct str text = {0};
		const char *sid = session_of(site, ids, found.v[i] + strlen(common));
		if (sid)
			str_addf(&text, "%s, of session %s: bosk resume %s removes it", found.v[i], sid, sid);
		else
			lockfile_tell(&text, found.v[i], folder);
		strv_addf(out, "lock %s", text.p);
	}
	strv_fini(&found);
	objects = bytes = 0;
	nftw(store, look_object, 16, FTW_PHYS | FTW_MOUNT);
	if (objects)
		strv_addf(out, "%zu temporary object%s, %.1f MiB, in %s: being written now, or left by one that died; git gc "
		          "removes them after two weeks", objects, objects == 1 ? "" : "s",
		          (double)bytes / (1 << 20), store);
}
