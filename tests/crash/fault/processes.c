/* processes: calls that make processes and descriptors, and the end of a process. */
#include "fault.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t __vfork(void); /* libc's own, under a name that is not replaced here */

int pipe2(int fds[2], int flags) { return fault_due_handle("pipe2") ? -1 : (int)syscall(SYS_pipe2, fds, flags); }
int signalfd(int fd, const sigset_t *mask, int flags)
{
	return fd < 0 && fault_due_handle("signalfd") ? -1 : (int)syscall(SYS_signalfd4, fd, mask, _NSIG / 8, flags);
}
int epoll_create1(int flags)
{
	return fault_due_handle("epoll_create1") ? -1 : (int)syscall(SYS_epoll_create1, flags);
}
int inotify_init1(int flags)
{
	return fault_due_handle("inotify_init1") ? -1 : (int)syscall(SYS_inotify_init1, flags);
}
int pidfd_open(pid_t pid, unsigned flags)
{
	return fault_due_handle("pidfd_open") ? -1 : (int)syscall(SYS_pidfd_open, pid, flags);
}
int memfd_create(const char *name, unsigned flags)
{
	return fault_due_handle("memfd_create") ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

/* The call at its end is a jump (see CMakeLists.txt): vfork returns twice, into the caller's frame. */
pid_t vfork(void)
{
	pid_t (*volatile real)(void) = __vfork;
	if (fault.on && fault_due("process", "vfork", "-"))
		return -1;
	return real();
}

_Noreturn void _exit(int code)
{
	fault_end();
	for (;;)
		syscall(SYS_exit_group, code);
}
