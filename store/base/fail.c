/* fail: numbered crash points (see fail.h). Empty in builds without BOSK_FAILPOINTS. */
#include "fail.h"

#ifdef BOSK_FAILPOINTS
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Workers and agents inherit the environment: the first argument tells a worker from all others. */
static const char *role(void)
{
	static const char *known;
	char line[256] = "";

	if (known)
		return known;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	size_t first = n > 0 ? strlen(line) + 1 : sizeof line;
	known = first < (size_t)n && strcmp(line + first, "worker") == 0 ? "worker" : "supervisor";
	return known;
}

static void log_point(const char *path, const char *name)
{
	char line[128];
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	int n = snprintf(line, sizeof line, "%ld %s %s\n", (long)getpid(), role(), name);

	if (fd < 0)
		return;
	ssize_t ignored = write(fd, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
	(void)ignored;
	close(fd);
}

static bool due(const char *at, const char *name)
{
	static unsigned long passed, named;
	const char *colon = strrchr(at, ':');

	passed++;
	if (!colon)
		return strtoul(at, NULL, 10) == passed;
	if (strncmp(at, name, (size_t)(colon - at)) != 0 || name[colon - at])
		return false;
	return strtoul(colon + 1, NULL, 10) == ++named;
}

static bool first_to_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void fail_point(const char *name)
{
	const char *at = getenv("BOSK_FAILPOINT_AT"), *log = getenv("BOSK_FAILPOINT_LOG");
	const char *in = getenv("BOSK_FAILPOINT_IN"), *once = getenv("BOSK_FAILPOINT_ONCE");

	if (in && strcmp(in, role()) != 0)
		return;
	if (log)
		log_point(log, name);
	if (!at || !due(at, name) || (once && !first_to_make(once)))
		return;
	if (getenv("BOSK_FAILPOINT_STOP"))
		kill(getpid(), SIGSTOP);
	else
		_exit(137);
}
#else
typedef int fail_translation_unit_is_not_empty;
#endif
