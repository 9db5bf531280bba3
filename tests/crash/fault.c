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
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* libc's own, under names that are not replaced here; all other calls are made by number. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
pid_t __vfork(void);

static const struct {
	const char *name;
	int code;
} errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR},   {"EMFILE", EMFILE},
              {"ENOMEM", ENOMEM}, {"EAGAIN", EAGAIN}, {"short", 0}};

static struct {
	bool on, is_short;
	const char *role, *below, *of, *once, *log;
	char kind[16]; /* the one that fails; empty: none */
	unsigned long at, passed, allocated;
	int code;
	pid_t pid; /* in the child of vfork: still the parent's */
} fault;

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
static void end(void)
{
	char count[32];

	if (getpid() != fault.pid)
		return;
	snprintf(count, sizeof count, "%lu", fault.allocated);
	if (fault.on && fault.log)
		log_line("memory", "malloc", count);
	fault.on = false;
}
__attribute__((destructor)) static void end_normally(void) { end(); }

/* ---- does this call fail? ---- */

/* A call of this kind is made on `what`: true when it is the one. With errno as it was, or as wanted. */
static bool due(const char *kind, const char *call, const char *what)
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

/* The same for a call on a descriptor; the kind depends on what is behind it. */
static bool due_fd(const char *kind, const char *of_pipes, const char *call, int fd)
{
	char path[PATH_MAX];
	bool pipe;

	if (!fault.on || !behind(path, fd, &pipe) || (pipe && !of_pipes))
		return false;
	return due(pipe ? of_pipes : kind, call, path);
}

static bool is_there(int dir, const char *path)
{
	int code = errno;
	bool there = faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	errno = code;
	return there;
}

/* For a call on a path: counts when the path is there (or when it is not) as `there` says. */
static bool due_path(const char *kind, const char *call, int dir, const char *path, bool there)
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
	return below(whole) && due(kind, call, whole);
}

static bool due_handle(const char *call) { return fault.on && due("handle", call, "-"); }

/* ---- the calls ---- */

/* Half of it instead of a failure; one byte has no half. */
#define SHORTEN(n) do { if (fault.is_short) n -= n / 2; else return -1; } while (0)

ssize_t write(int fd, const void *bytes, size_t n)
{
	if (due_fd("write", "send", "write", fd))
		SHORTEN(n);
	return syscall(SYS_write, fd, bytes, n);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (due_fd("write", NULL, "pwrite", fd))
		SHORTEN(n);
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}
ssize_t writev(int fd, const struct iovec *v, int n)
{
	if (due_fd("write", "send", "writev", fd))
		SHORTEN(n);
	return syscall(SYS_writev, fd, v, n);
}
ssize_t read(int fd, void *bytes, size_t n)
{
	if (due_fd("read", "receive", "read", fd))
		SHORTEN(n);
	return syscall(SYS_read, fd, bytes, n);
}
ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
	if (due_fd("read", NULL, "pread", fd))
		SHORTEN(n);
	return syscall(SYS_pread64, fd, bytes, n, at);
}
void *mmap(void *where, size_t n, int rights, int flags, int fd, off_t at)
{
	if (fd >= 0 && due_fd("map", NULL, "mmap", fd))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, where, n, rights, flags, fd, at);
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if ((flags & O_CREAT && due_path("create", "open", dir, path, false)) ||
	    due_path("open", "open", dir, path, true))
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}
int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}
DIR *opendir(const char *path)
{
	if (due_path("open", "opendir", AT_FDCWD, path, true))
		return NULL;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}
int mkfifo(const char *path, mode_t mode)
{
	return due_path("create", "mkfifo", AT_FDCWD, path, false)
	               ? -1
	               : (int)syscall(SYS_mknodat, AT_FDCWD, path, mode | S_IFIFO, 0);
}
int mkdir(const char *path, mode_t mode)
{
	return due_path("folder", "mkdir", AT_FDCWD, path, false)
	               ? -1
	               : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int fsync(int fd) { return due_fd("sync", NULL, "fsync", fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd)
{
	return due_fd("sync", NULL, "fdatasync", fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
int sync_file_range(int fd, off_t at, off_t n, unsigned flags)
{
	if (due_fd("sync", NULL, "sync_file_range", fd))
		return -1;
	return (int)syscall(SYS_sync_file_range, fd, at, n, flags);
}
int ftruncate(int fd, off_t n)
{
	return due_fd("size", NULL, "ftruncate", fd) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}
int truncate(const char *path, off_t n)
{
	return due_path("size", "truncate", AT_FDCWD, path, true) ? -1 : (int)syscall(SYS_truncate, path, n);
}
int posix_fallocate(int fd, off_t at, off_t n)
{
	int old = errno;
	bool failed = due_fd("size", NULL, "posix_fallocate", fd) || syscall(SYS_fallocate, fd, 0, at, n) != 0;
	int code = failed ? errno : 0;
	errno = old;
	return code;
}

int rename(const char *from, const char *to)
{
	return due_path("name", "rename", AT_FDCWD, from, true)
	               ? -1
	               : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int link(const char *from, const char *to)
{
	return due_path("name", "link", AT_FDCWD, to, false)
	               ? -1
	               : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int symlink(const char *from, const char *to)
{
	return due_path("name", "symlink", AT_FDCWD, to, false)
	               ? -1
	               : (int)syscall(SYS_symlinkat, from, AT_FDCWD, to);
}
int unlink(const char *path)
{
	return due_path("remove", "unlink", AT_FDCWD, path, true) ? -1
	                                                          : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
int rmdir(const char *path)
{
	return due_path("remove", "rmdir", AT_FDCWD, path, true)
	               ? -1
	               : (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char *path)
{
	int rc = unlink(path);
	return rc != 0 && errno == EISDIR ? rmdir(path) : rc;
}
int chmod(const char *path, mode_t mode)
{
	return due_path("mode", "chmod", AT_FDCWD, path, true) ? -1
	                                                       : (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}
int fchmod(int fd, mode_t mode)
{
	return due_fd("mode", NULL, "fchmod", fd) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int pipe2(int fds[2], int flags) { return due_handle("pipe2") ? -1 : (int)syscall(SYS_pipe2, fds, flags); }
int signalfd(int fd, const sigset_t *mask, int flags)
{
	return fd < 0 && due_handle("signalfd") ? -1 : (int)syscall(SYS_signalfd4, fd, mask, _NSIG / 8, flags);
}
int epoll_create1(int flags)
{
	return due_handle("epoll_create1") ? -1 : (int)syscall(SYS_epoll_create1, flags);
}
int inotify_init1(int flags)
{
	return due_handle("inotify_init1") ? -1 : (int)syscall(SYS_inotify_init1, flags);
}
int pidfd_open(pid_t pid, unsigned flags)
{
	return due_handle("pidfd_open") ? -1 : (int)syscall(SYS_pidfd_open, pid, flags);
}
int memfd_create(const char *name, unsigned flags)
{
	return due_handle("memfd_create") ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

/* The call at its end is a jump (see CMakeLists.txt): vfork returns twice, into the caller's frame. */
pid_t vfork(void)
{
	pid_t (*volatile real)(void) = __vfork;
	if (fault.on && due("process", "vfork", "-"))
		return -1;
	return real();
}

/* ---- memory ---- */

/* The library that asks; NULL when it does not count. dladdr reads all the symbols of a library, so each
 * place of a call is looked up once. */
static const char *library_of(const void *asks)
{
	static struct { const void *at; const char *name; } known[4096];
	size_t i = ((uintptr_t)asks * UINT64_C(0x9e3779b97f4a7c15)) >> 52;
	Dl_info info;

	if (known[i].at != asks) {
		const char *path = dladdr(asks, &info) && info.dli_fname ? info.dli_fname : "?";
		const char *slash = strrchr(path, '/');
		known[i].at = asks;
		known[i].name = slash ? slash + 1 : path;
	}
	bool tls = strncmp(known[i].name, "libcrypto", 9) == 0 || strncmp(known[i].name, "libmbed", 7) == 0;
	return tls ? NULL : known[i].name;
}

/* Counted by themselves: a line each in the log would be too many. */
static bool due_memory(const void *asks)
{
	bool counts = fault.on && (fault.log || strcmp(fault.kind, "memory") == 0);
	const char *name = counts ? library_of(asks) : NULL;

	if (!name)
		return false;
	fault.allocated++;
	const char *log = fault.log;
	fault.log = NULL;
	bool is = due("memory", "malloc", name);
	fault.log = log;
	return is;
}
#define ASKS __builtin_return_address(0)
void *malloc(size_t n) { return due_memory(ASKS) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return due_memory(ASKS) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return due_memory(ASKS) ? NULL : __libc_realloc(p, n); }

_Noreturn void _exit(int code)
{
	end();
	for (;;)
		syscall(SYS_exit_group, code);
}
