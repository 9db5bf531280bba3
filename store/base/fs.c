/* fs: files and folders of bosk's own state. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "mem.h"

int fs_mkdirs(const char *path, struct err *e)
{
	AUTO_FREE char *copy = mem_strdup(path);

	for (char *p = copy + 1;; p++) {
		char c = *p;
		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) == 0) {
			if (chmod(copy, 0700) != 0)
				return err_sys(e, "cannot set the mode of %s", copy);
		} else if (errno != EEXIST) {
			int code = errno; /* a folder that is there may answer with EROFS or EACCES */
			if (!fs_is_dir(copy)) {
				errno = code;
				return err_sys(e, "cannot make the folder %s", copy);
			}
		}
		*p = c;
		if (!c)
			break;
	}
	if (!fs_is_dir(path)) {
		errno = ENOTDIR;
		return err_sys(e, "cannot make the folder %s", path);
	}
	return 0;
}

int fs_read(const char *path, size_t max, struct str *out, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "cannot open %s", path) : fs_read_open(fd, path, max, out, e);
}

int fs_read_open(int fd, const char *path, size_t max, struct str *out, struct err *e)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read %s", path);
		if (n == 0)
			break;
		if (out->len + (size_t)n > max)
			return err_set(e, ERR_USAGE, "%s is larger than %zu bytes", path, max);
		str_addn(out, chunk, (size_t)n);
	}
	if (!out->p)
		str_addn(out, "", 0);
	return 0;
}

int fs_write_all(int fd, const void *bytes, size_t n, struct err *e)
{
	const char *p = bytes;
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_sys(e, "write failed");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int sync_parent(const char *path, struct err *e)
{
	AUTO_FREE char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	if (!slash)
		return 0;
	slash[slash == dir] = '\0';
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return err_sys(e, "cannot flush the folder %s", dir);
	return 0;
}

int fs_write(const char *path, const void *bytes, size_t n, bool durable, struct err *e)
{
	AUTO_FREE char *tmp = mem_printf("%s.tmp.%d", path, (int)getpid());
	AUTO_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "cannot make %s", tmp);
	if (fs_write_all(fd, bytes, n, e) != 0) {
		err_wrap(e, "%s", tmp);
		goto undo;
	}
	if (durable && fsync(fd) != 0) {
		err_sys(e, "cannot flush %s", tmp);
		goto undo;
	}
	FAILPOINT("fs.write.before");
	if (rename(tmp, path) != 0) {
		err_sys(e, "cannot rename %s to %s", tmp, path);
		goto undo;
	}
	FAILPOINT("fs.write.after");
	return durable ? sync_parent(path, e) : 0;
undo:
	unlink(tmp);
	return -1;
}

bool fs_exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool fs_is_pipe(const char *path)
{
	AUTO_FREE char *real = realpath(path, NULL);
	struct stat st;
	return real && stat(real, &st) == 0 && S_ISFIFO(st.st_mode);
}

static uint64_t blocks; /* nftw hands no context on */

static int count_blocks(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	if (type != FTW_NS)
		blocks += (uint64_t)st->st_blocks;
	return 0;
}

uint64_t fs_tree_bytes(const char *path)
{
	blocks = 0;
	nftw(path, count_blocks, 16, FTW_PHYS | FTW_MOUNT);
	return blocks * 512;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

int fs_remove_tree(const char *path, struct err *e)
{
	if (!fs_exists(path))
		return 0;
	if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		return err_sys(e, "cannot remove %s", path);
	return 0;
}

enum { WALKS_MAX = 64 };
static size_t opened; /* by the walk that goes on */

static int open_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if ((type != FTW_D && type != FTW_DNR) || st->st_uid != geteuid() || (st->st_mode & S_IRWXU) == S_IRWXU)
		return 0;
	/* By its descriptor: what is a link by now is not followed. */
	AUTO_CLOSE int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FREE char *name = mem_printf("/proc/self/fd/%d", fd);
	if (fd < 0 || chmod(name, (st->st_mode & 07777) | S_IRWXU) != 0)
		return 0; /* who needs it says so */
	opened++;
	return 0;
}

int fs_open_up(const char *path, struct err *e)
{
	/* Each walk ends at folders that it could not read before it had opened them. */
	opened = fs_exists(path);
	for (int walks = 0; opened && walks < WALKS_MAX; walks++) {
		opened = 0;
		if (nftw(path, open_one, 32, FTW_PHYS | FTW_MOUNT) != 0)
			return err_sys(e, "cannot look through %s", path);
	}
	return 0;
}
