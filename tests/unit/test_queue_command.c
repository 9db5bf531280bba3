/* queue_command: which criteria are commands. Many are from real solutions. */
#include "test.h"

#include "supervisor/plan/queue_command.h"

static void assert_command(const char *text, const char *want)
{
	AUTO_FREE char *command = queue_command(text);

	if (!str_eq(command, want))
		fail_msg("%s\n  is %s", text, command ? command : "prose");
}

static void commands(void **state)
{
	(void)state;
	static const char *const same[] = {
		"npm test", "npm run build", "npm run check", "npm test -- --grep 'returns 404 when the user is not there'",
		"npx tsc --noEmit", "pnpm --filter web test", "yarn lint", "node scripts/verify.js", "node --test",
		"pytest tests/test_auth.py -k \"expired and not slow\"", "python -m pytest -x", "python scripts/check.py",
		"python3 -m unittest", "cargo test --lib", "cargo check", "go test ./...", "go vet ./pkg/...", "make", "make check",
		"make -C src test", "make clean && make test", "cmake --build build", "ctest --output-on-failure",
		"grep -q 'new HttpClient' src/App.cs", "grep -rn LATER src | wc -l", "test -f dist/index.js", "test ! -e old.c",
		"[ -f a.txt ]", "test \"$(grep -c x f)\" = 1", "bash scripts/e2e.sh", "sh check.sh", "./gradlew test", "./run-tests.sh --all",
		"dotnet build XhMonitor.Desktop", "CI=1 npm test", "cd web && npm test", "git diff --exit-code", "ls dist/",
		"npm run test:unit 2>&1 | tail -5", "pytest -x; npm test", "vitest run src/auth", "ruff check src",
	};
	for (size_t i = 0; i < MEM_COUNT(same); i++)
		assert_command(same[i], same[i]);
	assert_command("  npm test\n", "npm test");
	assert_command("`npm test`", "npm test");
	assert_command("$ make sure", "make sure");
	assert_command("`$ whatever it is`", "whatever it is");
	assert_command("```bash\nmake\nmake test\n```", "make\nmake test");
	assert_command("``echo `date` ``", NULL); /* ticks inside: whatever that means */
}

static void prose(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", " ", "`", "``", "$ ", "``````",
		"All tests pass", "npm test passes", "npm test passes without errors", "npm run build succeeds",
		"Run npm test", "run `npm test` and look", "`npm test` passes", "npm test: all green", "npm test - no errors",
		"npm test -> ok", "npm test (should pass)", "npm test, then npm run lint", "pytest should pass", "pytest.",
		"grep -r 'new.*HttpClient' XhMonitor.Desktop/FloatingWindow.xaml.cs \xe8\xbf\x94\xe5\x9b\x9e\xe7\xa9\xba",
		"grep for LATER in src", "grep -c LATER src > 0", "grep -c LATER src == 0", "make sure the file is there", "make it faster",
		"go to /login and log in", "go through the dialog", "test the login flow", "test coverage above 80%", "node is restarted",
		"python version is 3.12", "diff of the output", "cd web", "the command npm test exits with 0", "don't run npm test",
		"npm test doesn't fail", "cargo test returns 0", "dotnet build \xe9\x80\x9a\xe8\xbf\x87", "git status is clean",
		"./script should print ok", "npm test\nnpm run lint", "rm -rf /", "curl http://localhost/", "sudo make install",
		"bash is available", "sh", "npm test `date`", "swift response times", "make?", "make the tests pass",
	};
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		assert_command(texts[i], NULL);
}

static void where_commands_stand(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"echo hello", "echo hello"}, {"`npm test`", "npm test"}, {"$ npm test", "npm test"}, {" a\nb ", "a\nb"}, {" \n", NULL},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *bare = queue_command_bare(cases[i][0]);
		assert_true(str_eq(bare, cases[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"S2.2: criteria that are commands", commands, NULL, NULL, NULL},
		{"S2.2: criteria in prose are not run", prose, NULL, NULL, NULL},
		{"S2.2: a command without its marks", where_commands_stand, NULL, NULL, NULL},
	};
	return cmocka_run_group_tests_name("queue_command", tests, NULL, NULL);
}
