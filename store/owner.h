/* owner: who a session belongs to, and whether that process lives.
 *
 * The truth is an exclusive flock on sessions/<sid>.lock, held for life by the supervisor on a
 * close-on-exec descriptor: the kernel drops it at death, whatever the pid table says (promise C3).
 * {pid, start time, boot id, host} only says who. */
#ifndef BOSK_OWNER_H
#define BOSK_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct owner {
	uint64_t pid;
	uint64_t start_ticks; /* field 22 of /proc/PID/stat, clock ticks since boot */
	char boot_id[40];
	char host[65];
};

void owner_self(struct owner *out);
/* Of another process of this machine. False when there is none: then only the machine is known. */
bool owner_of(pid_t pid, struct owner *out);
pid_t owner_parent(pid_t pid); /* 0 = it has none, or is none */
/* Start time of a process; false when there is none. Parsed after the last ')' (pitfalls 8.1). */
bool owner_start_ticks(pid_t pid, uint64_t *out);
/* The letter /proc gives a process: R, S, D, T (stopped), t (traced), Z (zombie) ...; 0 = none. */
char owner_state(pid_t pid);
/* False for a dead, zombie or reused pid, or another boot; true when it is certainly that process. */
bool owner_alive(const struct owner *o);

/* Take the lock file at `path` (made when absent, 0600). Returns the descriptor (>= 0), owned by
 * the caller and held until closed; ERR_HELD when a living process has it. Never inherited. */
int owner_lock(const char *path, struct err *e);
/* Does somebody hold it now? (Asked with a shared, non-blocking lock that is given back at once.)
 * A file that is there but cannot be asked counts as held. */
bool owner_locked(const char *path);

#endif
