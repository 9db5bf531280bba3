/* lockfile: telling a lock file that was left from one that is held. */
#include "lockfile.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000, STEP_MS = 50 };

/* The user's git may hold it at this very moment, for microseconds: a lock that outlives git's own
 * patience many times over belonged to the dead. There is nothing to wait on but time. */
bool lockfile_clear_old(const char *path)
{
	struct stat first, now;

	if (lstat(path, &first) != 0)
		return false;
	for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
		struct timespec step = {0, STEP_MS * 1000000L};
		nanosleep(&step, NULL);
		if (lstat(path, &now) != 0 || now.st_ino != first.st_ino)
			return false;
	}
	return unlink(path) == 0;
}
