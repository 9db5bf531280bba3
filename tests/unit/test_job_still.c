/* A machine that is suspended, and one that stands still in another way, while a job runs: neither fires a limit. The clocks
 * and poll are those of this file: a moment at which they jump is chosen by the job's own watcher. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "worker/job.h"
#include "worker/proc.h"

enum { HOURS_10 = 36000 };

static int64_t ahead_mono, ahead_others; /* seconds */
static bool stands_still; /* the next poll that has a time-out takes hours */

int clock_gettime(clockid_t id, struct timespec *out)
{
	long rc = syscall(SYS_clock_gettime, id, out);

	if (rc == 0 && id == CLOCK_MONOTONIC)
		out->tv_sec += ahead_mono;
	else if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_BOOTTIME))
		out->tv_sec += ahead_others;
	return (int)rc;
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	if (stands_still && ms > 0) {
		stands_still = false;
		ahead_mono += HOURS_10;
		ahead_others += HOURS_10;
		t = (struct timespec){0};
	}
	return (int)syscall(SYS_ppoll, fds, n, ms < 0 ? NULL : &t, NULL, 0);
}

struct moment {
	int fd, go; /* readable while the child waits; a line lets it go on */
	void (*happens)(void);
	int calls;
};

static bool at_that_moment(void *ctx)
{
	struct moment *m = ctx;
	char c;

	if (m->calls++ == 0)
		m->happens();
	if (m->calls < 4) /* what is due is done between these calls */
		return false;
	if (read(m->fd, &c, 1) == 1)
		assert_int_equal(write(m->go, "x\n", 2), 2);
	return false;
}

static void suspended(void)
{
	ahead_others += HOURS_10;
}

static void frozen(void)
{
	stands_still = true;
}

/* The child says that it is there, and waits for a word. */
static void goes_on_after(void (*happens)(void))
{
	const uint64_t limits[][2] = {{3600 * 1000, 0}, {0, 3600 * 1000}, {2 * 3600 * 1000, 900 * 1000}};
	struct err e = {0};

	for (size_t i = 0; i < MEM_COUNT(limits); i++) {
		int said[2], word[2];
		assert_int_equal(pipe2(said, O_CLOEXEC), 0);
		assert_int_equal(pipe2(word, O_CLOEXEC), 0);
		AUTO_FREE char *in = mem_printf("/proc/self/fd/%d", word[0]);
		struct moment m = {.fd = said[0], .go = word[1], .happens = happens};
		struct job_result result;
		struct job job = {.argv = (const char *const[]){"sh", "-c", "echo x >&9; read -r word; exit 5", NULL},
		                  .stdin_path = in, .keep_fd = 9, .timeout_ms = limits[i][0], .silence_ms = limits[i][1],
		                  .watch_fd = said[0], .watch = at_that_moment, .ctx = &m, .contained = true};

		assert_int_equal(dup3(said[1], 9, O_CLOEXEC), 9);
		assert_ok(job_run(&job, &result, &e), &e);
		assert_int_equal(result.end, JOB_EXITED);
		assert_int_equal(result.status, 5);
		assert_int_equal(ahead_others, (int64_t)(i + 1) * HOURS_10);
		close(9);
		for (int k = 0; k < 2; k++) {
			close(said[k]);
			close(word[k]);
		}
	}
	ahead_mono = ahead_others = 0;
}

static void a_suspended_machine_fires_no_limit(void **state)
{
	(void)state;
	goes_on_after(suspended);
}

static void nor_does_one_that_stood_still(void **state)
{
	(void)state;
	goes_on_after(frozen);
}

/* ... but what comes after it counts. */
static void pause_first(void)
{
	stands_still = true;
}

static bool first_only(void *ctx)
{
	struct moment *m = ctx;
	char c;

	if (m->calls++ == 0)
		m->happens();
	return read(m->fd, &c, 1) < 0;
}

static void limits_still_end_it_afterwards(void **state)
{
	(void)state;
	struct job_result result;
	struct err e = {0};
	int said[2];

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	struct moment m = {.fd = said[0], .happens = pause_first};
	struct job job = {.argv = (const char *const[]){"sh", "-c", "echo x >&9; sleep 1000", NULL}, .keep_fd = 9, .timeout_ms = 300,
	                  .watch_fd = said[0], .watch = first_only, .ctx = &m, .contained = true};
	assert_int_equal(dup3(said[1], 9, O_CLOEXEC), 9);
	assert_ok(job_run(&job, &result, &e), &e);
	assert_int_equal(result.end, JOB_TIMEOUT);
	assert_int_equal(ahead_mono, HOURS_10);
	close(9);
	close(said[0]);
	close(said[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_suspended_machine_fires_no_limit),
		cmocka_unit_test(nor_does_one_that_stood_still),
		cmocka_unit_test(limits_still_end_it_afterwards),
	};
	struct err e = {0};

	if (proc_contain(0, 0, &e) != 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("job_still", tests, NULL, NULL);
}
