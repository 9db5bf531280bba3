/* What the end of a gate's command means. */
#include "test.h"

#include <signal.h>
#include <sys/stat.h>

#include "worker/verdict.h"

static const char *const nowhere[] = {NULL};

static void judge(enum job_end end, int status, const struct tally *t, const char *word, const char *reason, bool again)
{
	const struct job_result r = {end, status, 5};
	AUTO_STR struct str why = {0};

	struct verdict v = verdict_of(&r, 90000, t, nowhere, &why);
	if (!str_eq(v.word, word) || !str_eq(str_text(&why), reason) || v.again != again)
		fail_msg("%d %d: %s (%s)%s", (int)end, status, v.word, str_text(&why), v.again ? ", again" : "");
}

static void ends(void **state)
{
	const struct tally nothing = {0};
	(void)state;
	judge(JOB_EXITED, 0, &nothing, "pass", "exit 0", false);
	judge(JOB_EXITED, 1, &nothing, "fail", "exit 1", true);
	judge(JOB_EXITED, 5, &nothing, "fail", "exit 5", true);
	judge(JOB_EXITED, 126, &nothing, "could-not-run", "exit 126: cannot be executed", false);
	judge(JOB_EXITED, 127, &nothing, "could-not-run", "exit 127: command not found", false);
	judge(JOB_EXITED, 128, &nothing, "fail", "exit 128", true); /* git: fatal */
	judge(JOB_EXITED, 129, &nothing, "fail", "exit 129", true); /* git: usage */
	judge(JOB_EXITED, 137, &nothing, "could-not-run", "exit 137: a command died of SIGKILL, as when memory runs out", true);
	judge(JOB_EXITED, 139, &nothing, "could-not-run", "exit 139: a command died of SIGSEGV", true);
	judge(JOB_EXITED, 255, &nothing, "fail", "exit 255", true);
	judge(JOB_SIGNALED, SIGKILL, &nothing, "could-not-run", "died of SIGKILL, as when memory runs out", true);
	judge(JOB_SIGNALED, SIGHUP, &nothing, "could-not-run", "died of SIGHUP", true);
	judge(JOB_SIGNALED, SIGRTMIN + 3, &nothing, "could-not-run", "died of signal 37", true);
	judge(JOB_TIMEOUT, 0, &nothing, "timeout", "no end after 90 s", false);
	judge(JOB_UNRUN, 0, &nothing, "could-not-run", "could not be started", false);
}

static void what_it_said(void **state)
{
	struct tally none = {.lines = 9, .none = 1, .none_at = 9}, both = {.lines = 9, .none = 2, .none_at = 9, .some = 1};
	struct tally early = {.lines = 900, .none = 1, .none_at = 9}, tool = {.lines = 9, .missing_at = 8, .missing = "pytest"};
	struct tally killed = {.lines = 9, .killed_at = 8};
	(void)state;
	judge(JOB_EXITED, 0, &none, "could-not-run", "exit 0: it ran no tests", false);
	judge(JOB_EXITED, 5, &none, "could-not-run", "exit 5: it ran no tests", false);
	judge(JOB_EXITED, 0, &both, "pass", "exit 0", false);
	judge(JOB_EXITED, 1, &both, "fail", "exit 1", true);
	judge(JOB_EXITED, 0, &early, "could-not-run", "exit 0: it ran no tests", false);
	judge(JOB_EXITED, 1, &early, "fail", "exit 1", true); /* something else, later */
	judge(JOB_EXITED, 1, &tool, "could-not-run", "exit 1: not found: pytest", false);
	judge(JOB_EXITED, 0, &tool, "pass", "exit 0", false);
	judge(JOB_EXITED, 2, &killed, "could-not-run", "exit 2: a command in it died of SIGKILL, as when memory runs out", true);
	judge(JOB_EXITED, 0, &killed, "pass", "exit 0", false);
}

static void a_full_disk_is_full_and_said_so(void **state)
{
	const struct tally said = {.lines = 9, .full_at = 8}, nothing = {.lines = 9};
	/* /proc has no room at all; / may be anything */
	const char *const full[] = {"/", "/proc", NULL}, *const absent[] = {"/nowhere/at/all", NULL};
	const struct job_result failed = {JOB_EXITED, 1, 5}, passed = {JOB_EXITED, 0, 5};
	AUTO_STR struct str why = {0};
	(void)state;
	assert_true(verdict_full("/proc"));
	assert_string_equal(verdict_of(&failed, 0, &said, full, &why).word, "could-not-run");
	assert_non_null(strstr(why.p, "no space left on the disk of /"));
	assert_true(verdict_of(&failed, 0, &said, full, &why).no_room);
	assert_false(verdict_of(&failed, 0, &nothing, full, &why).no_room);
	assert_string_equal(verdict_of(&failed, 0, &nothing, full, &why).word, "fail");
	assert_string_equal(verdict_of(&passed, 0, &said, full, &why).word, "pass");
	assert_string_equal(verdict_of(&failed, 0, &said, absent, &why).word, "fail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(what_it_said),
		cmocka_unit_test(a_full_disk_is_full_and_said_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
