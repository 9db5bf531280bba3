/* Which outputs say that no test was run, that a tool is missing, that the disk is full; and which do not. */
#include "test.h"

#include "worker/tally.h"

static void read_all(struct tally *t, const char *text)
{
	*t = (struct tally){0};
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		AUTO_FREE char *one = mem_strndup(line, n);
		tally_line(t, one, n);
		line += n + (line[n] == '\n');
	}
}

static const char *const ran_none[] = {
	"collected 0 items\n\n============================ no tests ran in 0.01s =============================\n",
	"no tests ran in 0.00s\n",
	"collected 5 items / 5 deselected / 0 selected\n\n======= 5 deselected in 0.01s =======\n",
	"5 deselected in 0.01s\n",
	"\n----------------------------------------------------------------------\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n",
	"running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s\n",
	"    Starting 0 tests across 0 binaries\nerror: no tests to run\n(hint: use `--no-tests` to customize)\n",
	"?   \texample.com/a\t[no test files]\n?   \texample.com/b\t[no test files]\n",
	"testing: warning: no tests to run\nPASS\nok  \texample.com/a\t0.001s [no tests to run]\n",
	"No tests found, exiting with code 1\nRun with `--passWithNoTests` to exit with code 0\n",
	"No test files found, exiting with code 1\n",
	"\n\n  0 passing (1ms)\n\n",
	"Error: No tests found\n",
	"Test project /work/build\nNo tests were found!!!\n",
	"[==========] Running 0 tests from 0 test suites.\n[==========] 0 tests from 0 test suites ran. (0 ms total)\n[  PASSED  ] 0 tests.\n",
	"1..0\n",
	"1..0 # SKIP nothing to do\n",
	"\n0 tests, 0 failures\n",
	"Files=0, Tests=0,  0 wallclock secs\nResult: NOTESTS\n",
	"No examples found.\n\nFinished in 0.00026 seconds\n0 examples, 0 failures\n",
	"0 runs, 0 assertions, 0 failures, 0 errors, 0 skips\n",
	"No tests executed!\n",
	"[INFO] Tests run: 0, Failures: 0, Errors: 0, Skipped: 0\n",
	"1..0\n# tests 0\n# suites 0\n# pass 0\n# fail 0\n",
	"Tests:       0 total\n",
	"ok | 0 passed | 0 failed (1ms)\n",
	"===============================================================================\nNo tests ran\n\n",
	"There are no tests to run\n",
	"*********************************\nNo test configuration file found!\n*********************************\nUsage\n",
	"\t Executed 0 tests, with 0 failures (0 unexpected) in 0.000 (0.001) seconds\n",
};

static const char *const ran_some[] = {
	"collected 3 items\n\n============================== 3 passed in 0.02s ===============================\n",
	"collected 0 items / 1 error\n\n=============================== 1 error in 0.05s ===============================\n",
	"Ran 3 tests in 0.000s\n\nOK\n",
	/* a workspace: a result for each crate, and one for what is in comments */
	("running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
	 "running 0 tests\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"),
	"running 1 test\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
	"?   \texample.com/a\t[no test files]\nok  \texample.com/b\t0.002s\n",
	"?   \texample.com/a\t[no test files]\nok  \texample.com/b\t(cached)\n",
	"?   \texample.com/a\t[no test files]\nFAIL\texample.com/b [build failed]\n",
	"No tests found related to files changed since last commit.\nTests:       2 passed, 2 total\n",
	"  12 passing (40ms)\n",
	"\t Executed 2 tests, with 0 failures (0 unexpected) in 0.001 (0.002) seconds\n",
	"  0 passing (1ms)\n  1 failing\n",
	"100% tests passed, 0 tests failed out of 12\n",
	"[==========] Running 4 tests from 2 test suites.\n",
	"1..2\nok 1 a\nok 2 b\n",
	"1..0\n1..1\nnot ok 1 b\n",
	"10 tests, 0 failures\n",
	"Files=2, Tests=10,  0 wallclock secs\nResult: PASS\n",
	"3 examples, 0 failures\n",
	"OK (3 tests, 5 assertions)\n",
	"Tests run: 0, Failures: 0\nTests run: 7, Failures: 0\n",
	"# tests 3\n# pass 3\n",
	"ok | 4 passed | 0 failed (12ms)\n",
};

static void no_tests(void **state)
{
	struct tally t;
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(ran_none); i++) {
		read_all(&t, ran_none[i]);
		if (!t.none || t.some || !tally_late(&t, t.none_at))
			fail_msg("it ran no tests (%d, %d): %s", (int)t.none, (int)t.some, ran_none[i]);
	}
	for (size_t i = 0; i < MEM_COUNT(ran_some); i++) {
		read_all(&t, ran_some[i]);
		if (!t.some)
			fail_msg("it ran tests: %s", ran_some[i]);
	}
	read_all(&t, "built 0 tests of nothing\nall 10 things are fine\n0 errors\n");
	assert_true(!t.none && !t.some); /* nobody knows */
}

static void missing_tools(void **state)
{
	static const struct {
		const char *line, *tool;
	} rows[] = {
		{"/usr/bin/python3: No module named pytest", "pytest"},
		{"python3.12: No module named mypy.__main__; 'mypy' is a package", "mypy.__main__; "},
		{"error: no such command: `nextest`", "nextest"},
		{"make: *** [Makefile:2: test] Error 127", "a command of the makefile"},
		{"make[1]: *** [Makefile:9: lint] Error 126", "a command of the makefile"},
	};
	struct tally t;
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(rows); i++) {
		read_all(&t, rows[i].line);
		assert_true(tally_late(&t, t.missing_at));
		assert_string_equal(t.missing, rows[i].tool);
	}
	read_all(&t, "ModuleNotFoundError: No module named 'app'\nmake: *** [Makefile:2: test] Error 1\nimporting python: No module named x");
	assert_int_equal(t.missing_at, 0);
	read_all(&t, "E   ModuleNotFoundError: No module named 'app'");
	assert_int_equal(t.missing_at, 0);
}

static void a_full_disk(void **state)
{
	AUTO_STR struct str text = {0};
	struct tally t;
	(void)state;
	read_all(&t, "cc1: fatal error: error writing to /tmp/x.s: No space left on device\ncompilation terminated.\n");
	assert_true(tally_late(&t, t.full_at));
	str_add(&text, "test: write fails with ENOSPC\n");
	for (int i = 0; i < 100; i++)
		str_add(&text, "more\n");
	read_all(&t, text.p);
	assert_false(tally_late(&t, t.full_at)); /* it went on after that */
	read_all(&t, "all is well\n");
	assert_false(tally_late(&t, t.full_at));
}

static void killed(void **state)
{
	static const char *const lines[] = {"make: *** [Makefile:2: test] Killed", "make[2]: *** [Makefile:2: test] Error 137",
	                                    "g++: fatal error: Killed signal terminated program cc1plus",
	                                    "  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)"};
	struct tally t;
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(lines); i++) {
		read_all(&t, lines[i]);
		assert_true(tally_late(&t, t.killed_at));
	}
	read_all(&t, "make: *** [Makefile:2: test] Error 1\nKilled\n");
	assert_false(tally_late(&t, t.killed_at)); /* by whom is not known */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_tests),
		cmocka_unit_test(missing_tools),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
