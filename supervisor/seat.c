/* seat: numbers unique on the machine while held. */
#include "seat.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "worker/runtime.h"

enum { FIRST_PORT = 20000, PORTS = 20, SEATS = 2000 };

uint64_t seat_port(uint64_t number)
{
	return FIRST_PORT + PORTS * (number - 1);
}

/* Of the machine, but of this runtime folder only: tests have their own. -1: somebody has it, or there are no such names. */
static int take_name(const struct stat *folder, uint64_t n, bool *taken)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	int len = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "bosk-seat-%llx-%llx-%llu", (unsigned long long)folder->st_dev,
	                   (unsigned long long)folder->st_ino, (unsigned long long)n);
	*taken = false;
	if (fd >= 0 &&
	    bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
		return mem_steal_fd(&fd);
	*taken = fd >= 0 && errno == EADDRINUSE;
	return -1;
}

int seat_take(struct seat *s, struct err *e)
{
	AUTO_FREE char *dir = runtime_dir(e), *parent = dir ? mem_printf("%s/..", dir) : NULL;
	struct stat folder;

	if (!dir)
		return -1;
	if (stat(parent, &folder) != 0)
		return err_sys(e, "cannot look at %s", parent);
	for (uint64_t n = 1; n <= SEATS; n++) {
		AUTO_FREE char *path = mem_printf("%s/slot-%llu", dir, (unsigned long long)n);
		AUTO_CLOSE int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		bool taken = false;
		if (lock < 0)
			return err_sys(e, "cannot open %s", path);
		/* Never waited for: the next number does as well. */
		if (flock(lock, LOCK_EX | LOCK_NB) != 0)
			continue;
		AUTO_CLOSE int name = take_name(&folder, n, &taken);
		if (!taken) {
			*s = (struct seat){n, mem_steal_fd(&lock), mem_steal_fd(&name)};
			return 0;
		}
	}
	return err_set(e, ERR_ENV, "all %d slots in %s are in use", SEATS, dir);
}

void seat_give(struct seat *s)
{
	if (!s->number)
		return;
	close(s->file);
	if (s->name >= 0)
		close(s->name);
	*s = (struct seat){0};
}
