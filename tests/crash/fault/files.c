/* files: calls on files and pipes, each by its number when it does not fail. */
#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Half of it instead of a failure; one byte has no half. */
#define SHORTEN(n) do { if (fault.is_short) n -= n / 2; else return -1; } while (0)

ssize_t write(int fd, const void *bytes, size_t n)
{
	if (fault_due_fd("write", "send", "write", fd))
		SHORTEN(n);
	return syscall(SYS_write, fd, bytes, n);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (fault_due_fd("write", NULL, "pwrite", fd))
		SHORTEN(n);
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}
ssize_t writev(int fd, const struct iovec *v, int n)
{
	if (fault_due_fd("write", "send", "writev", fd))
		SHORTEN(n);
	return syscall(SYS_writev, fd, v, n);
}
ssize_t read(int fd, void *bytes, size_t n)
{
	if (fault_due_fd("read", "receive", "read", fd))
		SHORTEN(n);
	return syscall(SYS_read, fd, bytes, n);
}
ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
	if (fault_due_fd("read", NULL, "pread", fd))
		SHORTEN(n);
	return syscall(SYS_pread64, fd, bytes, n, at);
}
void *mmap(void *where, size_t n, int rights, int flags, int fd, off_t at)
{
	if (fd >= 0 && fault_due_fd("map", NULL, "mmap", fd))
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
	if ((flags & O_CREAT && fault_due_path("create", "open", dir, path, false)) ||
	    fault_due_path("open", "open", dir, path, true))
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
	if (fault_due_path("open", "opendir", AT_FDCWD, path, true))
		return NULL;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}
int mkfifo(const char *path, mode_t mode)
{
	return fault_due_path("create", "mkfifo", AT_FDCWD, path, false)
	               ? -1
	               : (int)syscall(SYS_mknodat, AT_FDCWD, path, mode | S_IFIFO, 0);
}
int mkdirat(int dir, const char *path, mode_t mode)
{
	return fault_due_path("folder", "mkdir", dir, path, false) ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int fsync(int fd) { return fault_due_fd("sync", NULL, "fsync", fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd)
{
	return fault_due_fd("sync", NULL, "fdatasync", fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
int sync_file_range(int fd, off_t at, off_t n, unsigned flags)
{
	if (fault_due_fd("sync", NULL, "sync_file_range", fd))
		return -1;
	return (int)syscall(SYS_sync_file_range, fd, at, n, flags);
}
int ftruncate(int fd, off_t n)
{
	return fault_due_fd("size", NULL, "ftruncate", fd) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}
int truncate(const char *path, off_t n)
{
	return fault_due_path("size", "truncate", AT_FDCWD, path, true) ? -1 : (int)syscall(SYS_truncate, path, n);
}
int posix_fallocate(int fd, off_t at, off_t n)
{
	int old = errno;
	bool failed = fault_due_fd("size", NULL, "posix_fallocate", fd) || syscall(SYS_fallocate, fd, 0, at, n) != 0;
	int code = failed ? errno : 0;
	errno = old;
	return code;
}

int renameat(int dir, const char *from, int to_dir, const char *to)
{
	return fault_due_path("name", "rename", dir, from, true) ? -1
	                                                         : (int)syscall(SYS_renameat2, dir, from, to_dir, to, 0);
}
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int link(const char *from, const char *to)
{
	return fault_due_path("name", "link", AT_FDCWD, to, false)
	               ? -1
	               : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int symlink(const char *from, const char *to)
{
	return fault_due_path("name", "symlink", AT_FDCWD, to, false)
	               ? -1
	               : (int)syscall(SYS_symlinkat, from, AT_FDCWD, to);
}
int unlinkat(int dir, const char *path, int flags)
{
	return fault_due_path("remove", flags & AT_REMOVEDIR ? "rmdir" : "unlink", dir, path, true)
	               ? -1
	               : (int)syscall(SYS_unlinkat, dir, path, flags);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path)
{
	int rc = unlink(path);
	return rc != 0 && errno == EISDIR ? rmdir(path) : rc;
}
int chmod(const char *path, mode_t mode)
{
	return fault_due_path("mode", "chmod", AT_FDCWD, path, true) ? -1
	                                                       : (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}
int fchmod(int fd, mode_t mode)
{
	return fault_due_fd("mode", NULL, "fchmod", fd) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}
