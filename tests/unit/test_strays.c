/* Nothing of a job outlives it: every way of escaping is tried, then /proc is searched for what is
 * left. The only time asserted is that of promise C1. */
#include "spawn.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/job.h"
#include "worker/proc.h"

enum { PROMPT_MS = 10000, LONG_GRACE_MS = 600000 };

static struct strv environment; /* with a marker that no other process has */
static char *marker;

/* Running processes with the marker. A zombie shows no environment: it is waited for or not. */
static int marked(void)
{
	int n = 0;
	DIR *proc = opendir("/proc");
	assert_non_null(proc);
	for (struct dirent *entry; (entry = readdir(proc));) {
		AUTO_STR struct str env = {0};
		AUTO_FREE char *path = mem_printf("/proc/%s/environ", entry->d_name);
		uint64_t pid;
		if (str_u64(entry->d_name, &pid) && fs_read(path, 1 << 20, &env, NULL) == 0 &&
		    env.len && memmem(env.p, env.len, marker, strlen(marker)))
			n++;
	}
	closedir(proc);
	return n;
}

static void nothing_is_left(void)
{
	assert_int_equal(marked(), 0);
	test_no_children();
}

struct stop {
	int fd, seen;
};

static bool when_ready(void *ctx)
{
	struct stop *s = ctx;
	char c;
	assert_int_equal(read(s->fd, &c, 1), 1);
	s->seen = marked();
	return true;
}

/* Run a rogue; with `stop` it is stopped as soon as it reports itself in place. */
static struct job_result run(const char *mode, const char *argument, bool stop, uint64_t grace_ms,
                             struct str *out)
{
	int p[2];
	struct job_result result;
	struct err e = {0};
	struct stop s = {0};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	s.fd = p[0];
	AUTO_FREE char *number = mem_printf("%d", p[1]);
	exec_env_set(&environment, "ROGUE_READY", number);
	struct job job = {.argv = ARGV(BOSK_ROGUE, mode, argument),
	                  .env = environment.v,
	                  .keep_fd = p[1],
	                  .grace_ms = grace_ms,
	                  .contained = true,
	                  .out = out,
	                  .watch_fd = stop ? p[0] : -1,
	                  .watch = when_ready,
	                  .ctx = &s};
	assert_ok(job_run(&job, &result, &e), &e);
	nothing_is_left();
	assert_true(result.ms < PROMPT_MS);
	if (stop) {
		assert_int_equal(result.end, JOB_STOPPED);
		assert_true(s.seen > 0); /* the search does find what is there */
	} else {
		assert_int_equal(result.end, JOB_EXITED);
		assert_int_equal(result.status, 0);
	}
	close(p[0]);
	close(p[1]);
	return result;
}

static void a_child_in_another_session(void **state)
{
	(void)state;
	run("setsid", NULL, false, LONG_GRACE_MS, NULL);
}

static void a_daemon(void **state)
{
	(void)state;
	run("daemon", NULL, false, LONG_GRACE_MS, NULL);
}

static void a_child_that_holds_stdout(void **state)
{
	(void)state;
	AUTO_STR struct str out = {0};
	run("holder", NULL, false, LONG_GRACE_MS, &out);
	assert_string_equal(str_text(&out), "first\n");
	/* Nor does one that fills it for ever. */
	str_clear(&out);
	run("holder", "flood", false, LONG_GRACE_MS, &out);
	assert_true(str_starts(str_text(&out), "first\n"));
}

static void a_chain_that_forks_on(void **state)
{
	(void)state;
	run("chain", "3000", false, LONG_GRACE_MS, NULL);
}

static void one_that_ignores_every_signal(void **state)
{
	(void)state;
	run("deaf", NULL, true, 100, NULL);
	run("deaf", NULL, true, 0, NULL);
}

static void one_that_obeys_and_leaves_a_child(void **state)
{
	(void)state;
	/* The grace is that of the leader: when it is gone the rest is not waited for. */
	run("polite", NULL, true, LONG_GRACE_MS, NULL);
}

static void one_that_adopts_its_own_orphans(void **state)
{
	(void)state;
	run("reaper", NULL, true, 100, NULL);
}

static void one_that_closed_everything(void **state)
{
	(void)state;
	run("closed", NULL, true, 100, NULL);
}

/* Without containment the group is all that is ended, and what left it lives on. */
static void not_contained(void **state)
{
	(void)state;
	int p[2], status;
	struct job_result result;
	struct err e = {0};
	struct stop s = {0};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	s.fd = p[0];
	AUTO_FREE char *number = mem_printf("%d", p[1]);
	exec_env_set(&environment, "ROGUE_READY", number);
	struct job job = {.argv = ARGV(BOSK_ROGUE, "polite"),
	                  .env = environment.v,
	                  .keep_fd = p[1],
	                  .grace_ms = LONG_GRACE_MS,
	                  .watch_fd = p[0],
	                  .watch = when_ready,
	                  .ctx = &s};
	assert_ok(job_run(&job, &result, &e), &e);
	assert_int_equal(result.end, JOB_STOPPED);
	assert_int_equal(s.seen, 2);
	/* The one that ignores TERM was killed with the group, and is ours to reap. */
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	nothing_is_left();

	job.argv = ARGV(BOSK_ROGUE, "setsid");
	job.watch = NULL;
	assert_ok(job_run(&job, &result, &e), &e);
	assert_int_equal(result.end, JOB_EXITED);
	assert_int_equal(marked(), 1);
	assert_int_equal(proc_end_children(NULL, 0, PROMPT_MS), 1);
	nothing_is_left();
	close(p[0]);
	close(p[1]);
}

/* The caller of job_run is killed at a time of its own: the job dies with it. */
static void the_caller_is_killed(void **state)
{
	(void)state;
	int p[2];
	char c;
	struct err e = {0};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	AUTO_FREE char *number = mem_printf("%d", p[1]);
	exec_env_set(&environment, "ROGUE_READY", number);
	pid_t caller = fork();
	if (caller == 0) {
		struct job_result result;
		struct job job = {.argv = ARGV(BOSK_ROGUE, "sleep"),
		                  .env = environment.v,
		                  .keep_fd = p[1]};
		_exit(job_run(&job, &result, &e) == 0 ? 1 : 2);
	}
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	kill(caller, SIGKILL);
	assert_int_equal(read(p[0], &c, 1), 0);
	close(p[0]);
	proc_end_children(NULL, 0, PROMPT_MS);
	nothing_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_in_another_session),
		cmocka_unit_test(a_daemon),
		cmocka_unit_test(a_child_that_holds_stdout),
		cmocka_unit_test(a_chain_that_forks_on),
		cmocka_unit_test(one_that_ignores_every_signal),
		cmocka_unit_test(one_that_obeys_and_leaves_a_child),
		cmocka_unit_test(one_that_adopts_its_own_orphans),
		cmocka_unit_test(one_that_closed_everything),
		cmocka_unit_test(not_contained),
		cmocka_unit_test(the_caller_is_killed),
	};
	struct err e = {0};
	if (proc_contain(0, 0, &e) != 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	struct test_rng rng = test_rng_new();
	marker = mem_printf("STRAY=%llx", (unsigned long long)test_rng_next(&rng));
	strv_add(&environment, marker);
	int rc = cmocka_run_group_tests_name("strays", tests, NULL, NULL);
	strv_fini(&environment);
	free(marker);
	return rc;
}
