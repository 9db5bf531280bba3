/* seat: numbers unique on the machine while held. */
#include "seat.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "worker/runtime.h"

enum { FIRST_PORT = 20000, PORTS = 20, SEATS = 2000 };

uint64_t seat_port(uint64_t number)
{
	return FIRST_PORT + PORTS * (number - 1);
}

int seat_take(uint64_t *number, int *fd, struct err *e)
{
	AUTO_FREE char *dir = runtime_dir(e);

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
