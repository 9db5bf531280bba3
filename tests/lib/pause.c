/* pause: loaded into a program (LD_PRELOAD), it stops it at one call of the system until the test has done
 * something else meanwhile.
 *
 *   BOSK_PAUSE_AT   "lock TEXT": before it locks a file with TEXT in its path for itself alone;
 *                   "open TEXT": after it has opened such a file for writing
 *   BOSK_PAUSE      a path: PATH.here is made when it stops there, the first time; it goes on when PATH.go, a
 *                   FIFO, was opened for writing */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int open64(const char *path, int flags, ...);

/* The function that this one stands before, into the pointer at `out`. */
static void next(const char *name, void *out)
{
	void *found = dlsym(RTLD_NEXT, name);
	memcpy(out, &found, sizeof found);
}

static int really_open(const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...);

	next("open64", &real);
	return real(path, flags, mode);
}

static void pause_at(const char *what, const char *path)
{
	const char *at = getenv("BOSK_PAUSE_AT"), *base = getenv("BOSK_PAUSE");
	char here[PATH_MAX], go[PATH_MAX];
	size_t n = strlen(what);

	if (!at || !base || strncmp(at, what, n) != 0 || !strstr(path, at + n))
		return;
	snprintf(here, sizeof here, "%s.here", base);
	snprintf(go, sizeof go, "%s.go", base);
	int fd = really_open(here, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	close(fd);
	fd = really_open(go, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
}

int flock(int fd, int operation)
{
	int (*real)(int, int);
	char link[64], path[PATH_MAX];

	next("flock", &real);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = operation & LOCK_EX ? readlink(link, path, sizeof path - 1) : -1;
	if (n > 0) {
		path[n] = '\0';
		pause_at("lock ", path);
	}
	return real(fd, operation);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	int fd = really_open(path, flags, mode);
	if ((flags & O_ACCMODE) != O_RDONLY)
		pause_at("open ", path);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	int fd = really_open(path, flags, mode);
	if ((flags & O_ACCMODE) != O_RDONLY)
		pause_at("open ", path);
	return fd;
}
