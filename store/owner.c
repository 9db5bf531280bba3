/* owner: who a session belongs to, and whether that process lives. Signals nobody. */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"

/* ---- processes ---- */

/* One small file of /proc into `out`, without the final newline. False when there is none. */
static bool proc_read(const char *path, char *out, size_t size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n <= 0)
		return false;
	out[out[n - 1] == '\n' ? n - 1 : n] = '\0';
	return true;
}

static bool stat_of(pid_t pid, char *state, int *parent, uint64_t *start_ticks)
{
	char path[64], text[1024];
	unsigned long long ticks;

	if (pid <= 0)
		return false;
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	if (!proc_read(path, text, sizeof text))
		return false;
	/* "pid (name) state ...": the name may hold anything, blanks, brackets and newlines included. */
	const char *after = strrchr(text, ')');
	if (!after || sscanf(after + 1,
	                     " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
	                     "%*d %*d %llu",
	                     state, parent, &ticks) != 3)
		return false;
	*start_ticks = ticks;
	return true;
}

bool owner_start_ticks(pid_t pid, uint64_t *out)
{
	char state;
	int parent;
	return stat_of(pid, &state, &parent, out);
}

char owner_state(pid_t pid)
{
	char state;
	int parent;
	uint64_t ticks;
	return stat_of(pid, &state, &parent, &ticks) ? state : 0;
}

static void boot_id(char *out, size_t size)
{
	if (!proc_read("/proc/sys/kernel/random/boot_id", out, size))
		out[0] = '\0';
}

pid_t owner_parent(pid_t pid)
{
	char state;
	int parent;
	uint64_t ticks;
	return stat_of(pid, &state, &parent, &ticks) ? parent : 0;
}

bool owner_of(pid_t pid, struct owner *out)
{
	memset(out, 0, sizeof *out);
	out->pid = pid > 0 ? (uint64_t)pid : 0;
	boot_id(out->boot_id, sizeof out->boot_id);
	if (gethostname(out->host, sizeof out->host - 1) != 0)
		out->host[0] = '\0';
	return owner_start_ticks(pid, &out->start_ticks);
}

void owner_self(struct owner *out)
{
	owner_of(getpid(), out);
}

bool owner_alive(const struct owner *o)
{
	char boot[sizeof o->boot_id], state;
	int parent;
	uint64_t ticks;

	boot_id(boot, sizeof boot);
	if (!boot[0] || strcmp(boot, o->boot_id) != 0)
		return false;
	if (o->pid > INT32_MAX || !stat_of((pid_t)o->pid, &state, &parent, &ticks))
		return false;
	return ticks == o->start_ticks && state != 'Z' && state != 'X' && state != 'x';
}

/* ---- the lock ---- */

/* owner_locked holds a shared lock for some microseconds: that must not look like an owner. */
enum { PROBE_MS = 100 };

static bool same_file(int fd, const char *path)
{
	struct stat mine, there;
	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

int owner_lock(const char *path, struct err *e)
{
	/* Whoever cleans up removes the file while holding its lock: a lock on a name that is gone
	 * keeps nobody out, so take the one that is there now. */
	for (;;) {
		AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0 || fchmod(fd, 0600) != 0)
			return err_sys(e, "cannot make the lock file %s", path);
		int rc = lock_wait(fd, PROBE_MS);
		if (rc > 0)
			return err_set(e, ERR_HELD, "%s is held by a living process", path);
		if (rc < 0)
			return err_sys(e, "cannot lock %s", path);
		if (same_file(fd, path))
			return mem_steal_fd(&fd);
	}
}

bool owner_locked(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno != ENOENT;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return true;
	flock(fd, LOCK_UN);
	return false;
}
