/* Running one program to its end: how it ended, what it printed, and what ends it. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/job.h"
#include "worker/proc.h"

#define SH(script) ARGV("sh", "-c", script)

static char *scratch;

static void run(const struct job *job, enum job_end end, int status)
{
	struct job_result result;
	struct err e = {0};
	assert_ok(job_run(job, &result, &e), &e);
	assert_int_equal(result.end, end);
	assert_int_equal(result.status, status);
	test_no_children();
}

static void exit_codes_and_signals(void **state)
{
	(void)state;
	run(&(struct job){.argv = ARGV("true")}, JOB_EXITED, 0);
	run(&(struct job){.argv = SH("exit 255")}, JOB_EXITED, 255);
	run(&(struct job){.argv = SH("kill -9 $$")}, JOB_SIGNALED, SIGKILL);
	run(&(struct job){.argv = SH("kill -TERM $$")}, JOB_SIGNALED, SIGTERM);
	/* Also for a caller that was started with SIGCHLD ignored. */
	signal(SIGCHLD, SIG_IGN);
	run(&(struct job){.argv = SH("exit 3")}, JOB_EXITED, 3);
	signal(SIGCHLD, SIG_DFL);
}

static void unrun(const struct job *job, int code)
{
	struct job_result result = {0};
	struct err e = {0};
	assert_int_equal(job_run(job, &result, &e), -1);
	assert_int_equal(result.end, JOB_UNRUN);
	assert_int_equal(e.kind, ERR_ENV);
	assert_int_equal(e.code, code);
	test_no_children();
}

static void programs_that_cannot_be_started(void **state)
{
	(void)state;
	AUTO_FREE char *plain = mem_printf("%s/plain", scratch);
	AUTO_FREE char *bare = mem_printf("%s/bare", scratch);
	AUTO_FREE char *none = mem_printf("%s/none", scratch);
	struct err e = {0};

	assert_ok(fs_write(plain, "exit 0\n", 7, false, &e), &e);
	assert_ok(fs_write(bare, "exit 0\n", 7, false, &e), &e);
	assert_int_equal(chmod(bare, 0755), 0);
	unrun(&(struct job){.argv = ARGV("no-such-program-here")}, ENOENT);
	unrun(&(struct job){.argv = ARGV(plain)}, EACCES);
	unrun(&(struct job){.argv = ARGV(bare)}, ENOEXEC);
	unrun(&(struct job){.argv = ARGV("true"), .cwd = none}, ENOENT);
}

static void output_is_captured(void **state)
{
	(void)state;
	AUTO_STR struct str out = {0}, err = {0};
	AUTO_FREE char *input = mem_printf("%s/input", scratch);
	struct err e = {0};

	assert_ok(fs_write(input, "given\n", 6, false, &e), &e);
	run(&(struct job){.argv = SH("cat; echo $X; pwd; echo oops >&2"),
	                  .cwd = "/usr",
	                  .env = (char *[]){(char[]){"PATH=/usr/bin:/bin"}, (char[]){"X=y"}, NULL},
	                  .stdin_path = input,
	                  .out = &out,
	                  .err = &err},
	    JOB_EXITED, 0);
	assert_string_equal(str_text(&out), "given\ny\n/usr\n");
	assert_string_equal(str_text(&err), "oops\n");
	/* Without a file stdin is empty, not the caller's. What is too much is still read. */
	str_clear(&out);
	str_clear(&err);
	run(&(struct job){.argv = ARGV("sh", "-c", "cat; exec \"$0\" print 3000000", BOSK_ROGUE),
	                  .out = &out,
	                  .capture_max = 70000},
	    JOB_EXITED, 0);
	assert_int_equal(out.len, 70000);
	str_clear(&out);
	run(&(struct job){.argv = ARGV(BOSK_ROGUE, "print", "3000000"), .out = &out}, JOB_EXITED,
	    0);
	assert_int_equal(out.len, 1 << 20);
	run(&(struct job){.argv = ARGV(BOSK_ROGUE, "print", "3000000")}, JOB_EXITED, 0);
}

/* ---- a log, and a lot ---- */

struct watched {
	struct output *log;
	const char *path;
	uint64_t limit, worst;
	int calls;
};

static void note_progress(void *ctx)
{
	struct watched *w = ctx;
	uint64_t sum = 0;
	const char *const ends[] = {"", ".1", ".2"};
	for (int i = 0; i < 3; i++) {
		AUTO_FREE char *name = mem_printf("%s%s", w->path, ends[i]);
		struct stat st;
		sum += stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
	}
	if (sum > w->worst)
		w->worst = sum;
	w->calls++;
}

static long peak_memory_kib(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void a_hundred_megabytes(void **state)
{
	(void)state;
	AUTO_FREE char *path = mem_printf("%s/agent.log", scratch);
	struct watched w = {.path = path, .limit = 1 << 20};
	struct job_result result;
	struct stat st;
	struct err e = {0};

	assert_ok(output_open(&w.log, path, w.limit, &e), &e);
	long before = peak_memory_kib();
	struct job job = {.argv = ARGV(BOSK_ROGUE, "print", "104857600"),
	                  .log = w.log,
	                  .progress = note_progress,
	                  .ctx = &w};
	assert_ok(job_run(&job, &result, &e), &e);
	assert_int_equal(result.end, JOB_EXITED);
	assert_true(peak_memory_kib() - before < 16 * 1024);
	/* All was read, and progress told of, but not too often. */
	assert_int_equal(output_bytes(w.log), 104857600);
	assert_in_range(w.calls, 1, result.ms / 250 + 1);
	assert_true(w.worst > 0 && w.worst <= w.limit);
	assert_ok(output_close(w.log, &e), &e);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, w.limit / 2, w.limit);
}

static void both_streams_in_the_log_in_order(void **state)
{
	(void)state;
	AUTO_FREE char *path = mem_printf("%s/order.log", scratch);
	AUTO_STR struct str text = {0};
	struct output *log;
	struct err e = {0};

	assert_ok(output_open(&log, path, 1 << 20, &e), &e);
	run(&(struct job){.argv = SH("echo a; echo b >&2; echo c; echo d >&2"), .log = log},
	    JOB_EXITED, 0);
	assert_string_equal(output_last_line(log), "d");
	assert_ok(output_close(log, &e), &e);
	assert_ok(fs_read(path, 1000, &text, &e), &e);
	assert_string_equal(str_text(&text), "a\nb\nc\nd\n");
}

/* ---- limits and the watcher ---- */

static void limits_end_a_job(void **state)
{
	(void)state;
	struct job deaf = {.argv = ARGV(BOSK_ROGUE, "deaf"), .contained = true};

	deaf.timeout_ms = 100;
	run(&deaf, JOB_TIMEOUT, 0);
	deaf.grace_ms = 100;
	run(&deaf, JOB_TIMEOUT, 0);
	deaf.timeout_ms = 60000;
	deaf.silence_ms = 100;
	run(&deaf, JOB_SILENT, 0);
	/* Output ends the silence: 3 s of ticks are longer than what is allowed, no gap is. */
	run(&(struct job){.argv = ARGV(BOSK_ROGUE, "tick", "30"), .silence_ms = 2500}, JOB_EXITED,
	    0);
	/* But not the time-out. */
	run(&(struct job){.argv = ARGV(BOSK_ROGUE, "tick", "100000"),
	                  .timeout_ms = 500,
	                  .silence_ms = 60000},
	    JOB_TIMEOUT, 0);
	/* Nor do limits hurt that are out of reach. */
	run(&(struct job){.argv = ARGV("true"),
	                  .timeout_ms = UINT64_MAX,
	                  .silence_ms = UINT64_MAX,
	                  .grace_ms = UINT64_MAX},
	    JOB_EXITED, 0);
}

struct watcher {
	int fd, calls;
	bool stop;
};

static bool on_watch(void *ctx)
{
	struct watcher *w = ctx;
	char c;
	w->calls++;
	return read(w->fd, &c, 1) == 1 && w->stop;
}

/* Output goes on being read between TERM and KILL. */
static void last_words_are_read(void **state)
{
	(void)state;
	AUTO_STR struct str out = {0};
	int p[2];
	struct watcher w = {.stop = true};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	w.fd = p[0];
	const char *script = "trap 'head -c 1000000 /dev/zero; echo bye; exit 1' TERM;"
			     "echo r >&9; while :; do sleep 1; done";
	assert_int_equal(dup3(p[1], 9, O_CLOEXEC), 9);
	run(&(struct job){.argv = SH(script),
	                  .keep_fd = 9,
	                  .out = &out,
	                  .grace_ms = 60000,
	                  .watch_fd = p[0],
	                  .watch = on_watch,
	                  .ctx = &w,
	                  .contained = true},
	    JOB_STOPPED, 0);
	assert_int_equal(out.len, 1000004);
	assert_true(str_ends(out.p + 1000000, "bye\n"));
	close(9);
	close(p[0]);
	close(p[1]);
}

static void a_watcher_may_let_it_run(void **state)
{
	(void)state;
	int p[2];
	struct watcher w = {0};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	w.fd = p[0];
	assert_int_equal(write(p[1], "ab", 2), 2);
	close(p[1]);
	/* Once for each byte, once for the end of the pipe, and then no more. */
	run(&(struct job){.argv = ARGV(BOSK_ROGUE, "tick", "5"),
	                  .watch_fd = p[0],
	                  .watch = on_watch,
	                  .ctx = &w},
	    JOB_EXITED, 0);
	assert_int_equal(w.calls, 3);
	close(p[0]);
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void signals_do_not_disturb(void **state)
{
	(void)state;
	AUTO_STR struct str out = {0};
	struct sigaction sa = {.sa_handler = on_alarm}, old; /* no SA_RESTART */
	struct itimerval often = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};

	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &often, NULL);
	run(&(struct job){.argv = ARGV(BOSK_ROGUE, "tick", "5"), .out = &out, .timeout_ms = 60000},
	    JOB_EXITED, 0);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_string_equal(str_text(&out), "tick\ntick\ntick\ntick\ntick\n");
}

static void no_descriptor_is_left_open(void **state)
{
	(void)state;
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;
	close(before);
	for (int i = 0; i < 20; i++) {
		run(&(struct job){.argv = SH("echo x")}, JOB_EXITED, 0);
		unrun(&(struct job){.argv = ARGV("no-such-program-here")}, ENOENT);
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes_and_signals),
		cmocka_unit_test(programs_that_cannot_be_started),
		cmocka_unit_test(output_is_captured),
		cmocka_unit_test(a_hundred_megabytes),
		cmocka_unit_test(both_streams_in_the_log_in_order),
		cmocka_unit_test(limits_end_a_job),
		cmocka_unit_test(last_words_are_read),
		cmocka_unit_test(a_watcher_may_let_it_run),
		cmocka_unit_test(signals_do_not_disturb),
		cmocka_unit_test(no_descriptor_is_left_open),
	};
	struct err e = {0};
	if (proc_contain(0, 0, &e) != 0)
		return 1;
	signal(SIGPIPE, SIG_IGN); /* as every caller of job_run */
	scratch = test_scratch();
	int rc = cmocka_run_group_tests_name("job", tests, NULL, NULL);
	test_scratch_remove(scratch);
	return rc;
}
