/* fault: does this call fail? For the calls that stand before libc's. */
#ifndef BOSK_TEST_FAULT_H
#define BOSK_TEST_FAULT_H

#include <stdbool.h>
#include <sys/types.h>

#pragma GCC visibility push(hidden)

struct fault {
	bool on, is_short;
	const char *role, *below, *of, *once, *log;
	char kind[16]; /* the one that fails; empty: none */
	unsigned long at, passed, allocated;
	int code;
	pid_t pid; /* in the child of vfork: still the parent's */
};
extern struct fault fault;

/* A call of this kind is made on `what`: true when it is the one. With errno as it was, or as wanted. */
bool fault_due(const char *kind, const char *call, const char *what);
/* The same for a call on a descriptor; the kind depends on what is behind it. */
bool fault_due_fd(const char *kind, const char *of_pipes, const char *call, int fd);
/* For a call on a path: counts when the path is there (or when it is not) as `there` says. */
bool fault_due_path(const char *kind, const char *call, int dir, const char *path, bool there);
bool fault_due_handle(const char *call);

void fault_end(void); /* the process ends */

#pragma GCC visibility pop

#endif
