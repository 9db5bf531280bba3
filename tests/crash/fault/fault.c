/* fault: preloaded into bosk, makes the K-th call of a kind fail (for syscalls.sh). In the environment:
 *   FAULT_EXE=PATH        the program meant; in all others (git, shells, agents) nothing happens
 *   FAULT_ROLE=ROLE       worker, or supervisor: any other command
 *   FAULT_BELOW=DIR[:DIR] files below these count, and pipes; not logs, terminals, libraries
 *   FAULT_AT=KIND:K       the K-th call of this kind that a process makes ...
 *   FAULT_OF=GLOB         counting only those on a path that matches
 *   FAULT_WITH=ERROR      ... fails with this errno (of `errors`), or: short, half is written or read
 *   FAULT_ONCE=FILE       only in the process that makes FILE; in it then: CALL WHAT
 *   FAULT_LOG=FILE        appends "PID ROLE KIND CALL WHAT" for each call that counts
 *
 *   write    write pwrite writev, to files     send     the same, to pipes
 *   read     read pread, of files              receive  the same, of pipes      map     mmap of files
 *   create   open and mkfifo of new ones       folder   mkdir of new ones
 *   open     open and opendir of what is there
 *   sync     fsync fdatasync sync_file_range   size     ftruncate truncate posix_fallocate
 *   name     rename link symlink               remove   unlink rmdir            mode    chmod fchmod
 *   process  vfork    handle  pipe2 and all else that makes descriptors
 *   memory   malloc and its kin, for WHAT: the library that asks, libc too; not for TLS, which is only loaded
 *
 * Counted is what bosk and its libraries call, and there is no other call by which they change a file but
 * utimes (seen with strace and nm -D). Not counted is what libc calls by itself, in nftw, fopen, mkstemp
 * and realpath. Calls that fail anyway (a mkdir of what is there) do not count either, nor writes to
 * memory that is a file: LMDB's table of readers. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	int code;
} errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR},   {"EMFILE", EMFILE},
              {"ENOMEM", ENOMEM}, {"EAGAIN", EAGAIN}, {"short", 0}};

struct fault fault;

/* ---- start ---- */

static void log_line(const char *kind, const char *call, const char *what)
{
	char line[PATH_MAX + 100];
	int n = snprintf(line, sizeof line, "%ld %s %s %s %s\n", (long)getpid(), fault.role, kind, call, what);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, fault.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	syscall(SYS_write, fd, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
	close(fd);
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
	const char *exe = getenv("FAULT_EXE"), *role = getenv("FAULT_ROLE"), *at = getenv("FAULT_AT");
	const char *with = getenv("FAULT_WITH");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0 || !exe || strlen(exe) != (size_t)n || strncmp(self, exe, (size_t)n) != 0)
		return;
	fault.role = argc > 1 && strcmp(argv[1], "worker") == 0 ? "worker" : "supervisor";
	fault.pid = getpid();
	fault.below = getenv("FAULT_BELOW");
	fault.of = getenv("FAULT_OF");
	fault.once = getenv("FAULT_ONCE");
	fault.log = getenv("FAULT_LOG");
	const char *colon = at ? strchr(at, ':') : NULL;
	if (colon && with && (!role || strcmp(role, fault.role) == 0)) {
		snprintf(fault.kind, sizeof fault.kind, "%.*s", (int)(colon - at), at);
		fault.at = strtoul(colon + 1, NULL, 10);
		fault.is_short = strcmp(with, "short") == 0;
		for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
			if (strcmp(with, errors[i].name) == 0)
				fault.code = errors[i].code;
	}
	fault.on = fault.below && (fault.log || fault.kind[0]);
}

/* How many allocations there were: too many for a line each. */
void fault_end(void)
{
	char count[32];

	if (getpid() != fault.pid)
		return;
	snprintf(count, sizeof count, "%lu", fault.allocated);
	if (fault.on && fault.log)
		log_line("memory", "malloc", count);
	fault.on = false;
}
__attribute__((destructor)) static void end_normally(void) { fault_end(); }

/* ---- does this call fail? ---- */

bool fault_due(const char *kind, const char *call, const char *what)
{
	int code = errno;

	if (fault.log)
		log_line(kind, call, what);
	if (strcmp(kind, fault.kind) != 0 || (fault.of && fnmatch(fault.of, what, 0) != 0) ||
	    ++fault.passed != fault.at)
		return false;
	if (fault.once) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, fault.once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		char line[PATH_MAX + 32];
		int n = snprintf(line, sizeof line, "%s %s\n", call, what);
		if (fd >= 0)
			syscall(SYS_write, fd, line, (size_t)n);
		if (fd >= 0)
			close(fd);
		errno = code;
		if (fd < 0)
			return false;
	}
	errno = fault.is_short ? code : fault.code;
	return true;
}

static bool below(const char *path)
{
	for (const char *dir = fault.below; *dir;) {
		size_t n = strcspn(dir, ":");
		if (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
		dir += n + (dir[n] == ':');
	}
	return false;
}

/* The file or pipe behind a descriptor; NULL when it does not count. */
static const char *behind(char out[PATH_MAX], int fd, bool *pipe)
{
	char link[40];
	int code = errno;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, PATH_MAX - 1);
	errno = code;
	if (n < 0)
		return NULL;
	out[n] = '\0';
	*pipe = strncmp(out, "pipe:", 5) == 0;
	return below(out) || (*pipe && fd > 2) ? out : NULL;
}

bool fault_due_fd(const char *kind, const char *of_pipes, const char *call, int fd)
{
	char path[PATH_MAX];
	bool pipe;

	if (!fault.on || !behind(path, fd, &pipe) || (pipe && !of_pipes))
		return false;
	return fault_due(pipe ? of_pipes : kind, call, path);
}

static bool is_there(int dir, const char *path)
{
	int code = errno;
	bool there = faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	errno = code;
	return there;
}

bool fault_due_path(const char *kind, const char *call, int dir, const char *path, bool there)
{
	char from[PATH_MAX] = "", whole[2 * PATH_MAX];
	bool pipe;

	if (!fault.on || is_there(dir, path) != there)
		return false;
	if (*path != '/' && dir == AT_FDCWD && !getcwd(from, sizeof from))
		return false;
	if (*path != '/' && dir != AT_FDCWD && !behind(from, dir, &pipe))
		return false;
	snprintf(whole, sizeof whole, "%s%s%s", from, *from ? "/" : "", path);
	return below(whole) && fault_due(kind, call, whole);
}

bool fault_due_handle(const char *call) { return fault.on && fault_due("handle", call, "-"); }
