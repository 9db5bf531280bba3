/* The supervisor's loop: descriptors, timers, children and signals, in one thread and one wait. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "supervisor/child.h"
#include "supervisor/loop.h"

struct fixture {
	struct loop *loop;
	struct str log;
	int pipe[2];
	int afters;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	struct err e = {0};
	assert_ok(loop_open(&f->loop, &e), &e);
	assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	loop_close(f->loop);
	close(f->pipe[0]);
	close(f->pipe[1]);
	str_fini(&f->log);
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	struct err e = {0};
	assert_ok(loop_run(f->loop, &e), &e);
}

static void read_one(void *ctx, int fd, short revents)
{
	struct fixture *f = ctx;
	char c;
	(void)revents;
	while (read(fd, &c, 1) == 1)
		str_addc(&f->log, c);
	if (f->log.len >= 3)
		loop_stop(f->loop);
}

static void write_more(void *ctx)
{
	struct fixture *f = ctx;
	assert_int_equal(write(f->pipe[1], &"abc"[f->afters++], 1), 1);
}

static void after_runs_before_each_wait(void **state)
{
	struct fixture *f = *state;
	loop_fd(f->loop, f->pipe[0], POLLIN, read_one, f);
	loop_after(f->loop, write_more, f);
	run(f);
	assert_string_equal(f->log.p, "abc");
}

static void removes_itself(void *ctx, int fd, short revents)
{
	struct fixture *f = ctx;
	(void)revents;
	str_addc(&f->log, 'r');
	loop_fd_remove(f->loop, fd);
	loop_fd_remove(f->loop, fd); /* twice is nothing */
	loop_fd_remove(f->loop, 12345);
}

static void timer_fired(void *ctx, uint64_t id)
{
	struct fixture *f = ctx;
	str_addf(&f->log, "%llu", (unsigned long long)id);
	if (str_ends(f->log.p, "3"))
		loop_stop(f->loop);
}

static void a_removed_descriptor_is_not_called_again(void **state)
{
	struct fixture *f = *state;
	loop_fd(f->loop, f->pipe[0], POLLIN, removes_itself, f);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	loop_timer(f->loop, 0, timer_fired, f);
	loop_timer(f->loop, 1, timer_fired, f);
	loop_timer(f->loop, 30, timer_fired, f);
	run(f);
	assert_string_equal(f->log.p, "r123");
}

static void rearms(void *ctx, uint64_t id)
{
	struct fixture *f = ctx;
	(void)id;
	str_addc(&f->log, 't');
	if (f->log.len == 3)
		loop_stop(f->loop);
	else
		loop_timer(f->loop, 0, rearms, f);
}

static void timers_are_cancelled_and_rearmed(void **state)
{
	struct fixture *f = *state;
	uint64_t gone = loop_timer(f->loop, 0, timer_fired, f);
	loop_timer_cancel(f->loop, gone);
	loop_timer_cancel(f->loop, gone);
	loop_timer_cancel(f->loop, 0);
	loop_timer(f->loop, 0, rearms, f);
	run(f);
	assert_string_equal(f->log.p, "ttt");
}

/* Due by the wall clock; between those of the other clock, in the order of their times. */
static void timers_of_the_wall_clock(void **state)
{
	struct fixture *f = *state;
	loop_timer_at(f->loop, clock_wall_ms() + 200, timer_fired, f);
	loop_timer_at(f->loop, 1, timer_fired, f); /* long ago */
	loop_timer(f->loop, 600, timer_fired, f);
	loop_timer_cancel(f->loop, loop_timer_at(f->loop, clock_wall_ms() + 100, timer_fired, f));
	run(f);
	assert_string_equal(f->log.p, "213");
}

static void on_signal(void *ctx, int signo)
{
	struct fixture *f = ctx;
	str_addf(&f->log, "s%d", signo == SIGUSR1);
	loop_stop(f->loop);
}

static void signals_come_through_the_loop(void **state)
{
	struct fixture *f = *state;
	loop_signal(f->loop, SIGUSR1, on_signal, f);
	raise(SIGUSR1);
	run(f);
	assert_string_equal(f->log.p, "s1");
}

static void child_ended(void *ctx, const struct child_result *r)
{
	struct fixture *f = ctx;
	str_addf(&f->log, "[%d %zu %s%s]", WIFEXITED(r->wait_status) ? WEXITSTATUS(r->wait_status) : -1,
	         r->out_n, r->err, r->cut ? " cut" : "");
	loop_stop(f->loop);
}

static void run_shell(struct fixture *f, const char *command, uint64_t timeout_ms)
{
	struct err e = {0};
	pid_t pid;
	struct child_spec spec = {.argv = (const char *const[]){"/bin/sh", "-c", command, NULL},
	                          .timeout_ms = timeout_ms};
	assert_ok(child_start(f->loop, &spec, &pid, child_ended, f, &e), &e);
	run(f);
}

static void a_child_is_collected(void **state)
{
	struct fixture *f = *state;
	run_shell(f, "printf 12345; printf oops >&2; exit 7", 0);
	assert_string_equal(f->log.p, "[7 5 oops]");
	str_clear(&f->log);
	run_shell(f, "head -c 200000 /dev/zero", 0);
	assert_string_equal(f->log.p, "[0 200000 ]");
	str_clear(&f->log);
	/* Too much is cut, and the child is not left blocked on its pipe. */
	run_shell(f, "head -c 20000000 /dev/zero", 0);
	assert_true(str_ends(f->log.p, "cut]"));
	str_clear(&f->log);
	/* A grandchild that holds the output does not hold us. */
	run_shell(f, "sleep 100 & echo $! >&2; printf done", 0);
	assert_true(str_starts(f->log.p, "[0 4 "));
	kill((pid_t)strtol(f->log.p + 5, NULL, 10), SIGKILL);
	str_clear(&f->log);
	run_shell(f, "exec sleep 100", 50);
	assert_string_equal(f->log.p, "[-1 0 ]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(after_runs_before_each_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_descriptor_is_not_called_again, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_are_cancelled_and_rearmed, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_of_the_wall_clock, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_come_through_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_is_collected, setup, teardown),
	};
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
