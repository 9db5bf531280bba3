/* writer: the flock in front of each write transaction. Must not be held across anything but one
 * transaction. */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/mem.h"
#include "owner.h"

int writer_file_make(const char *path, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fchmod(fd, 0600) != 0)
		return err_sys(e, "cannot make the lock file %s", path);
	return 0;
}

/* The holder's pid, said in the file by pid_write: for the message only, the lock is the truth. */
static long pid_read(int fd)
{
	char text[32] = "";
	return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static void pid_write(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%-10ld\n", (long)getpid()); /* one length: no truncate */
	ssize_t ignored = pwrite(fd, text, (size_t)n, 0); /* a full disk is the transaction's to report */
	(void)ignored;
}

static int held(int fd, const char *path, struct err *e)
{
	long pid = pid_read(fd);
	char state = pid > 0 ? owner_state((pid_t)pid) : 0;

	if (!state)
		return err_set(e, ERR_HELD, "%s: another writer holds the store", path);
	return err_code(e, ERR_HELD, (int)pid, "%s: the store is held by writer pid %ld%s", path, pid,
	                state == 'T' || state == 't' ? " (stopped)" : "");
}

int writer_lock(const char *path, unsigned patience_ms, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == ENOENT) /* a missing folder must not look like a missing row */
		return err_code(e, ERR_ENV, errno, "cannot make %s: %s", path, strerror(errno));
	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	int rc = lock_wait(fd, patience_ms);
	if (rc > 0)
		return held(fd, path, e);
	if (rc < 0)
		return err_sys(e, "cannot lock %s", path);
	pid_write(fd);
	return mem_steal_fd(&fd);
}
