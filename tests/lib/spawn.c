/* For tests that start programs. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

void test_read_all(int fd, struct str *out)
{
	char buf[4096];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	for (;;) {
		if (poll(&p, 1, 10000) <= 0)
			fail_msg("no end of file");
		ssize_t n = read(fd, buf, sizeof buf);
		if (n <= 0)
			return;
		str_addn(out, buf, (size_t)n);
	}
}

int test_capture(struct exec_spec spec, struct str *out)
{
	int p[2], status;
	pid_t pid;
	struct err e = {0};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	spec.in = -1;
	spec.out = p[1];
	spec.err = 2;
	assert_ok(exec_spawn(&pid, &spec, &e), &e);
	close(p[1]);
	test_read_all(p[0], out);
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void test_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}
