/* seat: numbers unique on the machine while held. */
#include "seat.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

enum { FIRST_PORT = 20000, PORTS = 20, SEATS = 2000 };

uint64_t seat_port(uint64_t number)
{
	return FIRST_PORT + PORTS * (number - 1);
}

/* $XDG_RUNTIME_DIR/bosk, else /tmp/bosk-UID, which must be ours alone: /tmp is everybody's. */
static char *seats_dir(struct err *e)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *dir = runtime && *runtime == '/' ? mem_printf("%s/bosk", runtime)
	                                       : mem_printf("/tmp/bosk-%u", (unsigned)getuid());
	struct stat st;

	if (fs_mkdirs(dir, e) == 0) {
		if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == getuid() &&
		    (st.st_mode & 022) == 0)
			return dir;
		err_set(e, ERR_ENV, "%s is not a folder that only this user can write", dir);
	}
	free(dir);
	return NULL;
}

int seat_take(uint64_t *number, int *fd, struct err *e)
{
	AUTO_FREE char *dir = seats_dir(e);

	if (!dir)
		return -1;
	for (uint64_t n = 1; n <= SEATS; n++) {
		AUTO_FREE char *path = mem_printf("%s/slot-%llu", dir, (unsigned long long)n);
		AUTO_CLOSE int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (lock < 0)
			return err_sys(e, "cannot open %s", path);
		/* Never waited for: the next number does as well. */
		if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
			*number = n;
			*fd = mem_steal_fd(&lock);
			return 0;
		}
	}
	return err_set(e, ERR_ENV, "all %d slots in %s are in use", SEATS, dir);
}
