/* lockfile: telling a lock file that was left from one that is held. */
#include "lockfile.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "holder.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

enum { STEP_MS = 50 };

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_size == b->st_size;
}

/* There is nothing to wait on but time: nothing tells of a file that goes. */
static void pause_a_step(void)
{
	struct timespec step = {0, STEP_MS * 1000000L};
	nanosleep(&step, NULL);
}

bool lockfile_wait(const char *path, unsigned patience_ms)
{
	struct stat st;

	for (unsigned waited = 0; lstat(path, &st) == 0; waited += STEP_MS) {
		if (waited >= patience_ms)
			return false;
		pause_a_step();
	}
	return true;
}

static pid_t holder(const char *path, const char *folder)
{
	pid_t pid = holder_of(path);
	return pid || !folder ? pid : holder_git(folder);
}

/* Renamed before it is removed, so that it is the file that was looked at and no lock that somebody took a moment
 * ago. The new name ends in .lock: git takes it for no ref, should we end here. */
static bool take_away(const char *path, const struct stat *seen)
{
	AUTO_FREE char *aside = mem_printf("%s.stale.%d.lock", path, (int)getpid());
	struct stat now;

	if (rename(path, aside) != 0)
		return false;
	bool is_it = lstat(aside, &now) == 0 && same(&now, seen);
	if (!is_it && link(aside, path) != 0)
		return false; /* somebody has it again: the name aside is nobody's */
	return unlink(aside) == 0 && is_it;
}

bool lockfile_clear(const char *path, const char *folder, unsigned patience_ms)
{
	struct stat first, now;

	if (lstat(path, &first) != 0)
		return false;
	for (unsigned waited = 0; waited < patience_ms; waited += STEP_MS) {
		pause_a_step();
		if (lstat(path, &now) != 0 || !same(&now, &first))
			return false;
	}
	return !holder(path, folder) && take_away(path, &first);
}

void lockfile_tell(struct str *out, const char *path, const char *folder)
{
	struct stat st;
	AUTO_STR struct str age = {0};

	if (lstat(path, &st) != 0) {
		str_addf(out, "%s was there a moment ago", path);
		return;
	}
	uint64_t now = clock_wall_ms(), made = (uint64_t)st.st_mtime * 1000;
	clock_add_duration(&age, now > made ? now - made : 0);
	str_addf(out, "%s, %s old, ", path, age.p);
	pid_t pid = holder(path, folder);
	if (pid)
		str_addf(out, "seems to be held by process %d: let that end first", (int)pid);
	else
		str_addf(out, "is held by no process that shows; if no git is at work there: rm '%s'", path);
}
