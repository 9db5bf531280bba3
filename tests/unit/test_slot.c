/* slot: waiting that is not waited for when the work is to stop. */
#include <unistd.h>

#include "test.h"
#include "worker/slot.h"

static bool stop_it(void *ctx)
{
	struct slot *s = ctx;
	s->stop = true;
	return true;
}

/* An hour: the test would be ended for it. */
static void s0_5_a_stop_ends_the_wait_at_once(void **state)
{
	(void)state;
	int fds[2];
	struct slot s = {0};

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	s.git = (struct git){.watch_fd = fds[0], .watch = stop_it, .ctx = &s};
	slot_wait(&s, 3600 * 1000);
	assert_true(s.stop);
	slot_wait(&s, 3600 * 1000);
	close(fds[0]);
	close(fds[1]);
}

static bool only_looks(void *ctx)
{
	char byte;
	return read(*(int *)ctx, &byte, 1) < 0;
}

static void other_messages_do_not_end_it(void **state)
{
	(void)state;
	int fds[2];
	struct slot s = {0};

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "xyz", 3), 3);
	s.git = (struct git){.watch_fd = fds[0], .watch = only_looks, .ctx = &fds[0]};
	slot_wait(&s, 20);
	assert_false(s.stop);
	/* All were taken: it went on waiting after the first. */
	close(fds[1]);
	char byte;
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s0_5_a_stop_ends_the_wait_at_once),
		cmocka_unit_test(other_messages_do_not_end_it),
	};
	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
