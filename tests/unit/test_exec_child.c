/* What a started program is born with: signals, group, environment, and that it dies with its
 * parent. */
#include "spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/proc.h"

static void on_signal(int signo)
{
	(void)signo;
}

static void signals_are_default_in_the_child(void **state)
{
	(void)state;
	AUTO_STR struct str out = {0};
	sigset_t all, old, before, after;

	for (int signo = 1; signo < NSIG; signo++)
		if (signo != SIGSEGV && signo != SIGABRT && signo != SIGBUS && signo != SIGFPE &&
		    signo != SIGILL)
			signal(signo, signo == SIGUSR1 ? on_signal : SIG_IGN);
	sigfillset(&all);
	sigdelset(&all, SIGUSR2);
	sigprocmask(SIG_SETMASK, &all, &old);
	sigprocmask(SIG_SETMASK, NULL, &before);
	raise(SIGUSR1); /* pending here, and not there */
	/* SIGCHLD is among the ignored: the status must not be lost. */
	struct exec_spec spec = {.argv = ARGV("cat", "/proc/self/status")};
	int status = test_capture(spec, &out);
	assert_int_equal(status, 0);
	sigprocmask(SIG_SETMASK, NULL, &after);
	sigprocmask(SIG_SETMASK, &old, NULL);
	for (int signo = 1; signo < NSIG; signo++)
		if (signo != SIGSEGV && signo != SIGABRT && signo != SIGBUS && signo != SIGFPE &&
		    signo != SIGILL)
			signal(signo, SIG_DFL);
	for (int signo = 1; signo < NSIG; signo++)
		assert_int_equal(sigismember(&after, signo), sigismember(&before, signo));
	assert_non_null(strstr(str_text(&out), "SigBlk:\t0000000000000000\n"));
	assert_non_null(strstr(str_text(&out), "SigIgn:\t0000000000000000\n"));
	assert_non_null(strstr(str_text(&out), "SigPnd:\t0000000000000000\n"));
}

static void a_group_of_its_own(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		pid_t pid;
		struct err e = {0};
		struct exec_spec spec = {.argv = ARGV(BOSK_ROGUE, "sleep"),
		                         .in = -1,
		                         .out = -1,
		                         .err = -1,
		                         .group = own};
		assert_ok(exec_spawn(&pid, &spec, &e), &e);
		/* At once: the parent may signal the group as soon as the call returns. */
		assert_int_equal(getpgid(pid), own ? pid : getpgid(0));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static void the_child_dies_with_its_parent(void **state)
{
	(void)state;
	int p[2], status;
	char c;
	AUTO_STR struct str rest = {0};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid_t helper = fork();
	if (helper == 0) {
		pid_t pid;
		char *env[] = {(char[]){"ROGUE_READY=1"}, NULL};
		struct exec_spec spec = {.argv = ARGV(BOSK_ROGUE, "sleep"),
		                         .env = env,
		                         .in = -1,
		                         .out = p[1],
		                         .err = 2,
		                         .death_signal = SIGKILL,
		                         .group = true};
		if (exec_spawn(&pid, &spec, NULL) != 0)
			_exit(98);
		for (;;)
			pause();
	}
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	kill(helper, SIGKILL);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	/* The pipe is closed by the death of its last holder; then the orphan is ours to reap. */
	test_read_all(p[0], &rest);
	close(p[0]);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void environments(void **state)
{
	(void)state;
	AUTO_STRV struct strv env = {0};
	AUTO_STR struct str out = {0};

	setenv("GIT_DIR", "/elsewhere", 1);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GITHUB", "stays", 1);
	exec_clean_env(&env);
	unsetenv("GIT_DIR");
	unsetenv("GIT_CONFIG_COUNT");
	for (size_t i = 0; i < env.n; i++)
		assert_false(str_starts(env.v[i], "GIT_"));
	assert_true(strv_has(&env, "GITHUB=stays"));
	strv_add(&env, "TWICE=1");
	strv_add(&env, "TWICE_MORE=x");
	strv_add(&env, "TWICE=2");
	size_t n = env.n;
	exec_env_set(&env, "TWICE", "3");
	exec_env_set(&env, "NEW", "");
	assert_int_equal(env.n, n);
	assert_null(env.v[n]);
	assert_true(strv_has(&env, "TWICE=3") && strv_has(&env, "NEW="));
	assert_true(strv_has(&env, "TWICE_MORE=x"));
	assert_false(strv_has(&env, "TWICE=1") || strv_has(&env, "TWICE=2"));
	test_capture((struct exec_spec){.argv = ARGV("sh", "-c", "echo $TWICE-$GITHUB-$GIT_DIR-"),
	                           .env = env.v},
	        &out);
	assert_string_equal(str_text(&out), "3-stays--\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_default_in_the_child),
		cmocka_unit_test(a_group_of_its_own),
		cmocka_unit_test(the_child_dies_with_its_parent),
		cmocka_unit_test(environments),
	};
	struct err e = {0};
	if (proc_contain(0, 0, &e) != 0)
		return 1;
	return cmocka_run_group_tests_name("exec_child", tests, NULL, NULL);
}
