/* Finding and ending processes: all of ours, none of anybody else's. */
#include "spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/proc.h"

/* In place of the C library's: a mistake in the search must not cost the machine its processes.
 * Only what the test itself started is ever signalled; anything else is refused and counted. */
static int refused;

/* The number after `name` in a file of "name:<blank>number" lines; -1 when there is none. */
static int number_in(const char *path, const char *name)
{
	AUTO_STR struct str text = {0};
	if (fs_read(path, 1 << 16, &text, NULL) != 0)
		return -1;
	const char *at = strstr(text.p, name);
	return at ? atoi(at + strlen(name)) : -1;
}

static bool started_here(int pid)
{
	const char *given = getenv("TEST_ROOT"); /* set where this program runs itself again */
	int root = given ? atoi(given) : (int)getpid();

	for (int depth = 0; pid > 1 && depth < 50; depth++) {
		AUTO_FREE char *status = mem_printf("/proc/%d/status", pid);
		pid = number_in(status, "\nPPid:");
		if (pid == root)
			return true;
	}
	return false;
}

int pidfd_send_signal(int fd, int signo, siginfo_t *info, unsigned flags)
{
	AUTO_FREE char *path = mem_printf("/proc/self/fdinfo/%d", fd);
	if (!started_here(number_in(path, "\nPid:"))) {
		refused++;
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_pidfd_send_signal, fd, signo, info, flags);
}

/* The replacement is in use, and refuses what is not below us. */
static void the_guard_holds(void **state)
{
	(void)state;
	const pid_t others[] = {1, getpid()};
	for (size_t i = 0; i < MEM_COUNT(others); i++) {
		AUTO_CLOSE int fd = pidfd_open(others[i], 0);
		assert_true(fd >= 0);
		assert_int_equal(pidfd_send_signal(fd, 0, NULL, 0), -1);
		assert_int_equal(refused, 1);
		refused = 0;
	}
}

/* Start a rogue and wait until it is in place. `env` may be NULL; ROGUE_READY is added. */
static pid_t start(const char *mode, const struct strv *env)
{
	int p[2];
	char c;
	pid_t pid;
	struct err e = {0};
	AUTO_STRV struct strv own = {0};

	if (env)
		strv_copy(&own, env);
	strv_add(&own, "ROGUE_READY=1");
	assert_int_equal(pipe(p), 0);
	struct exec_spec spec = {.argv = ARGV(BOSK_ROGUE, mode, "100000"),
	                         .env = own.v,
	                         .in = -1,
	                         .out = p[1],
	                         .err = 2};
	assert_ok(exec_spawn(&pid, &spec, &e), &e);
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	return pid;
}

/* A child that has ended and is not reaped. */
static pid_t zombie(const struct strv *env)
{
	pid_t pid;
	siginfo_t info;
	struct err e = {0};
	struct exec_spec spec = {
		.argv = ARGV("true"), .env = env ? env->v : NULL, .in = -1, .out = -1, .err = 2};
	assert_ok(exec_spawn(&pid, &spec, &e), &e);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

static bool has(const pid_t *list, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == pid)
			return true;
	return false;
}

static void children_are_listed(void **state)
{
	(void)state;
	pid_t list[10];

	assert_int_equal(proc_children(list, 10, NULL, 0), 0);
	pid_t a = start("sleep", NULL), b = start("sleep", NULL), dead = zombie(NULL);
	assert_int_equal(proc_children(list, 10, NULL, 0), 3);
	assert_true(has(list, 3, a) && has(list, 3, b) && has(list, 3, dead));
	assert_int_equal(proc_children(list, 10, (pid_t[]){b, 1}, 2), 2);
	assert_false(has(list, 2, b));
	/* More than there is room for: the number is right, nothing is written beyond. */
	list[1] = 42;
	assert_int_equal(proc_children(list, 1, NULL, 0), 3);
	assert_int_equal(list[1], 42);
	/* Two were killed; the third had ended by itself. */
	assert_int_equal(proc_end_children(NULL, 0, 10000), 2);
	test_no_children();
}

static void everything_below_is_ended(void **state)
{
	(void)state;
	const char *const modes[] = {"sleep", "setsid", "daemon", "deaf",
	                             "polite", "reaper", "chain", "closed"};
	pid_t spared = start("sleep", NULL);
	for (size_t i = 0; i < MEM_COUNT(modes); i++)
		start(modes[i], NULL);
	assert_true(proc_end_children(&spared, 1, 10000) >= MEM_COUNT(modes));
	/* All but one, which lives. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	pid_t list[2];
	assert_int_equal(proc_children(list, 2, NULL, 0), 1);
	assert_int_equal(list[0], spared);
	assert_int_equal(proc_end_children(NULL, 0, 10000), 1);
	test_no_children();
}

/* A child that is dead but still in the hands of a debugger cannot be reaped. */
static void the_limit_holds(void **state)
{
	(void)state;
	int p[2];
	char c = 'n';

	assert_int_equal(pipe(p), 0);
	pid_t held = fork();
	if (held == 0) {
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
		if (write(p[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	pid_t debugger = fork();
	if (debugger == 0) {
		bool ok = ptrace(PTRACE_SEIZE, held, NULL, NULL) == 0;
		if (write(p[1], ok ? "y" : "n", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	size_t ended = proc_end_children(&debugger, 1, 50);
	pid_t list[2];
	size_t left = proc_children(list, 2, &debugger, 1);
	/* With the debugger dead it is ours again. */
	proc_end_children(NULL, 0, 10000);
	test_no_children();
	if (c != 'y')
		skip(); /* tracing is not allowed here */
	assert_int_equal(ended, 0);
	assert_int_equal(left, 1);
	assert_int_equal(list[0], held);
}

static void a_lost_parent_is_noticed(void **state)
{
	(void)state;
	struct err e = {0};
	assert_int_equal(proc_contain(0, getpid(), &e), -1);
	assert_int_equal(e.kind, ERR_GONE);
	assert_ok(proc_contain(0, getppid(), &e), &e);
}

static void the_parent_death_signal_is_set(void **state)
{
	(void)state;
	int p[2];
	char c;

	assert_int_equal(pipe(p), 0);
	pid_t parent = fork();
	if (parent == 0) {
		pid_t self = getpid();
		if (fork() == 0) {
			if (proc_contain(SIGKILL, self, NULL) != 0 || write(p[1], "x", 1) != 1)
				_exit(1);
		}
		for (;;)
			pause();
	}
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	kill(parent, SIGKILL);
	struct pollfd end = {.fd = p[0], .events = POLLIN};
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(p[0], &c, 1), 0);
	close(p[0]);
	proc_end_children(NULL, 0, 10000);
	test_no_children();
}

/* ---- the marker ---- */

static void environment(struct strv *env, const char *sid)
{
	strv_add(env, "PATH=/usr/bin:/bin");
	strv_addf(env, "BOSK_SESSION=%s", sid);
	strv_addf(env, "TEST_ROOT=%d", (int)getpid());
}

static char *new_sid(void)
{
	struct test_rng rng = test_rng_new();
	return mem_printf("t%llx", (unsigned long long)test_rng_next(&rng));
}

static bool lives(pid_t pid)
{
	siginfo_t info = {0};
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == 0;
}

static void only_the_marked_are_ended(void **state)
{
	(void)state;
	AUTO_FREE char *sid = new_sid(), *longer = mem_printf("%s0", sid);
	AUTO_FREE char *value = mem_printf("BOSK_SESSION=%s", sid);
	AUTO_STRV struct strv mine = {0}, other = {0}, inside = {0};

	environment(&mine, sid);
	environment(&other, longer);
	/* Within another variable it is no marker. */
	strv_addf(&inside, "NOTE=%s", value);
	strv_addf(&inside, "X%s", value);

	assert_int_equal(proc_end_marked(&(struct proc_mark){.sid = sid}), 0);
	pid_t ended[] = {start("sleep", &mine), start("deaf", &mine), start("closed", &mine)};
	pid_t spared[] = {start("sleep", &other), start("sleep", &inside), start("sleep", NULL)};
	pid_t dead = zombie(&mine);
	start("daemon", &mine);
	/* deaf has a child; the two parents of the daemon may still be on their way out. */
	size_t n = proc_end_marked(&(struct proc_mark){.sid = sid});
	assert_in_range(n, 5, 7);
	assert_int_equal(refused, 0);
	for (size_t i = 0; i < MEM_COUNT(ended); i++)
		assert_false(lives(ended[i]));
	for (size_t i = 0; i < MEM_COUNT(spared); i++)
		assert_true(lives(spared[i]));
	assert_false(lives(dead));
	assert_int_equal(proc_end_marked(&(struct proc_mark){.sid = sid}), 0);
	/* Those killed above are only reaped here, and count as what they died of. */
	assert_in_range(proc_end_children(NULL, 0, 10000), 5 + 3, n + 3);
	test_no_children();
}

/* A command run inside of a dead session must not end itself, nor the shell it is run from. */
static void our_own_ancestry_is_spared(void **state)
{
	(void)state;
	AUTO_FREE char *sid = new_sid();
	AUTO_STRV struct strv mine = {0};
	AUTO_STR struct str out = {0};
	char self[4096];

	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	assert_true(n > 0);
	self[n] = '\0';
	environment(&mine, sid);
	start("sleep", &mine);
	struct exec_spec spec = {
		.argv = ARGV("sh", "-c", "\"$0\" end-marked \"$1\"; echo and the shell lives",
	                     self, sid),
		.env = mine.v,
	};
	assert_int_equal(test_capture(spec, &out), 0);
	assert_string_equal(str_text(&out), "ended 1, refused 0\nand the shell lives\n");
	proc_end_children(NULL, 0, 10000);
	test_no_children();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guard_holds),
		cmocka_unit_test(a_lost_parent_is_noticed),
		cmocka_unit_test(children_are_listed),
		cmocka_unit_test(everything_below_is_ended),
		cmocka_unit_test(the_limit_holds),
		cmocka_unit_test(the_parent_death_signal_is_set),
		cmocka_unit_test(only_the_marked_are_ended),
		cmocka_unit_test(our_own_ancestry_is_spared),
	};
	if (argc == 3 && strcmp(argv[1], "end-marked") == 0) {
		size_t ended = proc_end_marked(&(struct proc_mark){.sid = argv[2]});
		printf("ended %zu, refused %d\n", ended, refused);
		return 0;
	}
	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
