/* Names that only one has. */
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/alone.h"

static bool ended(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, ms) == 1;
}

static char *name_here(const char *text)
{
	struct err e = {0};
	char *name = alone_name("/proc/self/fd", text, &e); /* of this process only */
	assert_non_null(name);
	return name;
}

static void one_at_a_time(void **state)
{
	AUTO_FREE char *name = name_here("db"), *same = name_here("db"), *another = name_here("ports");
	int none;
	(void)state;
	assert_string_equal(name, same);
	assert_string_not_equal(name, another);
	AUTO_CLOSE int first = alone_take(name, &none);
	assert_true(first >= 0);
	assert_int_equal(none, -1);
	AUTO_CLOSE int beside = alone_take(another, &none);
	assert_true(beside >= 0);

	int waits, waits_too;
	assert_int_equal(alone_take(name, &waits), -1);
	assert_int_equal(alone_take(name, &waits_too), -1);
	assert_true(waits >= 0 && waits_too >= 0);
	assert_false(ended(waits, 0));
	close(mem_steal_fd(&first));
	assert_true(ended(waits, 10000));
	assert_true(ended(waits_too, 10000));
	close(waits);
	close(waits_too);
	AUTO_CLOSE int second = alone_take(name, &none);
	assert_true(second >= 0);
}

static void its_end_lets_it_go(void **state)
{
	AUTO_FREE char *name = name_here("dies");
	int other, ready[2];
	char c;
	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = alone_take(name, &other);
		if (fd >= 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(alone_take(name, &other), -1);
	assert_true(other >= 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(ended(other, 10000));
	close(other);
	close(ready[0]);
	close(ready[1]);
	AUTO_CLOSE int fd = alone_take(name, &other);
	assert_true(fd >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_at_a_time), cmocka_unit_test(its_end_lets_it_go)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
