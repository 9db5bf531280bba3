/* dbdir: what the folder of the store needs beside LMDB. Includes no LMDB. */
#include "dbdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

/* The mutexes and the first 500 readers: less than LMDB makes it, so that its own size stands. */
enum { LOCK_ROOM = 32768 };

int dbdir_lock_room(const char *dir, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/lock.mdb", dir);
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return errno == ENOSPC ? err_sys(e, "cannot make %s", path) : 0;
	if (st.st_size == 0)
		fchmod(fd, 0600); /* whatever the umask */
	int code = posix_fallocate(fd, 0, LOCK_ROOM);
	if (code != ENOSPC && code != EFBIG && code != EIO)
		return 0;
	return err_code(e, ERR_NOSPACE, code, "cannot make %s: %s", path, strerror(code));
}

int dbdir_sync_names(const char *dir, struct err *e)
{
	AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int up = 0; up < 3; up++) {
		if (fd < 0 || fsync(fd) != 0)
			return err_sys(e, "cannot flush the folder %s", dir);
		int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = parent;
	}
	return 0;
}

const char *dbdir_remote(uint32_t type)
{
	static const struct {
		uint32_t magic;
		const char *name;
	} remote[] = {
		{0x6969, "NFS"},      {0x517b, "SMB"},      {0xff534d42, "CIFS"},
		{0xfe534d42, "SMB2"}, {0x01021997, "9p"},   {0x65735546, "FUSE"},
		{0x00c36400, "Ceph"}, {0x5346414f, "AFS"},
	};

	for (size_t i = 0; i < MEM_COUNT(remote); i++)
		if (type == remote[i].magic)
			return remote[i].name;
	return NULL;
}

void dbdir_warn_remote(const char *dir)
{
	struct statfs fs;
	const char *name = statfs(dir, &fs) == 0 ? dbdir_remote((uint32_t)fs.f_type) : NULL;

	if (name)
		log_warn("%s is on %s, where locks and shared memory may not hold: use bosk from one machine and "
		         "one session at a time",
		         dir, name);
}

int dbdir_set_aside(const char *dir, char **moved, struct err *e)
{
	AUTO_STR struct str stamp = {0};
	AUTO_FREE char *data = mem_printf("%s/data.mdb", dir), *locks = mem_printf("%s/lock.mdb", dir);

	*moved = NULL;
	clock_add_stamp(&stamp, clock_wall_ms());
	AUTO_FREE char *data_to = NULL, *locks_to = NULL;
	for (int i = 1; !data_to || fs_exists(data_to) || fs_exists(locks_to); i++) {
		mem_freep(&data_to);
		mem_freep(&locks_to);
		data_to = mem_printf("%s/broken-%s-%d.data.mdb", dir, stamp.p, i);
		locks_to = mem_printf("%s/broken-%s-%d.lock.mdb", dir, stamp.p, i);
	}
	FAILPOINT("store.aside.before");
	if (rename(data, data_to) == 0)
		*moved = mem_strdup(data_to);
	else if (errno != ENOENT)
		return err_sys(e, "cannot move %s aside", data);
	FAILPOINT("store.aside.half");
	if (rename(locks, locks_to) != 0 && errno != ENOENT)
		return err_sys(e, "cannot move %s aside", locks);
	FAILPOINT("store.aside.after");
	return dbdir_sync_names(dir, e);
}
