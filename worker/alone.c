/* alone: names of abstract sockets. */
#include "alone.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/seal.h"

enum { WAITERS = 4096, TRIES = 1000 };

char *alone_name(const char *folder, const char *text, struct err *e)
{
	struct stat st;

	if (stat(folder, &st) != 0) {
		err_sys(e, "cannot look at %s", folder);
		return NULL;
	}
	AUTO_FREE char *place = mem_printf("%u %llx %llx", (unsigned)getuid(), (unsigned long long)st.st_dev,
	                                   (unsigned long long)st.st_ino);
	const char *const pieces[] = {"bosk-alone", place, text};
	char hash[SEAL_HEX];

	seal_hash_pieces(hash, pieces, MEM_COUNT(pieces));
	return mem_printf("bosk-%s", hash);
}

static socklen_t address(struct sockaddr_un *a, const char *name)
{
	size_t n = strlen(name), room = sizeof a->sun_path - 1;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = n < room ? n : room;
	memcpy(a->sun_path + 1, name, n); /* behind a NUL: no file */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

static bool same_user(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == getuid();
}

/* Nobody accepts: who is connected is told by the kernel when the holder has gone. */
static int follow(const struct sockaddr_un *a, socklen_t n, bool *gone)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*gone = false;
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)a, n) != 0) {
		*gone = errno == ECONNREFUSED; /* it went, or does not listen yet */
		return -1;
	}
	return same_user(fd) ? mem_steal_fd(&fd) : -1;
}

int alone_take(const char *name, int *other)
{
	struct sockaddr_un a;
	socklen_t n = address(&a, name);
	bool gone = true;

	*other = -1;
	for (int i = 0; i < TRIES && gone; i++) {
		AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -1;
		if (bind(fd, (struct sockaddr *)&a, n) == 0)
			return listen(fd, WAITERS) == 0 ? mem_steal_fd(&fd) : -1;
		if (errno != EADDRINUSE)
			return -1;
		*other = follow(&a, n, &gone);
	}
	return -1;
}
