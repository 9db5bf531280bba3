/* queue_command: which criteria are commands. Many are from real solutions. */
#include "test.h"

#include "supervisor/plan/queue_command.h"

static size_t wrong;

static void look(const char *text, const char *want)
{
	AUTO_FREE char *command = queue_command(text, false);

	if (str_eq(command, want))
		return;
	print_error("%s\n  is %s\n", text, command ? command : "prose");
	wrong++;
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
		"cargo test --all", "cargo test parser", "cargo clippy --all-targets -- -D warnings", "cargo build --release",
		"pytest -k x", "pytest tests", "npx vitest run auth", "yarn test:unit", "yarn workspace web run test", "pnpm -r test",
		"npm --prefix web run lint -- --fix=false", "npm -w web test", "npm run e2e", "make -j4 check", "make test-unit V=1",
		"make lint 2>&1 | tail -3", "./gradlew :app:testDebugUnitTest", "./gradlew test", "mvn -q verify", "go mod tidy && git diff --exit-code go.mod",
		"git grep -n LATER src", "git log --oneline | head -3", "git -C web status --porcelain", "poetry run pytest -q",
		"uv run ruff check .", "bundle exec rspec spec/a_spec.rb", "composer validate --strict", "composer run phpstan",
		"black --check .", "tsc --noEmit >/dev/null", "test $(git ls-files | wc -l) -gt 3", "diff -u a.txt b.txt", "dotnet test LoginTests",
		"[ -s f ]", "test -f f && echo ok", "[ -s f ] && echo \"all is well\"", "npm test && test -f dist/a && echo OK",
	};
	for (size_t i = 0; i < MEM_COUNT(same); i++)
		look(same[i], same[i]);
	look("  npm test\n", "npm test");
	look("`npm test`", "npm test");
	look("$ make sure", "make sure");
	look("`$ whatever it is`", "whatever it is");
	look("```bash\nmake\nmake test\n```", "make\nmake test");
	look("``echo `date` ``", NULL); /* ticks inside: whatever that means */
	assert_int_equal(wrong, 0);
}

static void prose(void **state)
{
	(void)state;
	wrong = 0;
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
		"bundle size below 200 kB", "git history stays linear", "npm package size under 1 MB", "black list updated",
		"make targets unchanged", "grep -c LATER f = 0", "./src/api.ts handles 404", "./src/api handles 404", "go list items",
		"cargo features documented", "yarn lockfile unchanged", "poetry metadata complete", "composer autoload works",
		"ruff rules unchanged", "gcc flags documented", "clang builds too", "jest coverage", "npm test coverage 80%",
		"make build faster", "mvn modules split", "node tests added", "test 'login' button works", "git log readable",
		"black", "npm run speed improved", "Git status --short", "ninja files generated", "ls output sorted", "eslint rules kept",
		/* what leaves the machine, or writes where it should not */
		"npm publish", "git push origin main", "git push", "git commit -m x", "git reset --hard", "cargo publish", "npm run deploy",
		"npm run publish:npm", "yarn publish", "pnpm -r publish", "make deploy", "make -k release", "make install", "mvn deploy",
		"gradle publish", "./gradlew publish", "./deploy.sh", "./scripts/release.sh 1.0", "composer update", "poetry publish", "bundle update",
		"npm test && npm publish", "npm test; git push origin main", "npm test;git push", "npm test&&git push", "npm test | sh",
		"npm test & git push", "npm test > out.txt", "npm test >out.txt", "cat < f", "npm test $(git push)", "npm test \"$(git push)\"",
		"npm test \"`git push`\"", "(git push)", "CI=1 git push", "cd web && npm publish", "npx prisma migrate deploy", "npx npm publish",
		"bash -c 'git push'", "bash -lc 'git push'", "cargo --config test publish", "git -C diff push", "npm --prefix test publish",
		"npm install lodash", "git grep x && git push", "npm test &&", "npm test; ; npm test", "test -f a && rm -rf b",
		/* what is said after it may stand for what was asked */
		"echo ok", "test -f a || echo missing", "test -f a; echo done", "test -f a && echo ok || echo missing", "echo ok && test -f a",
		"test -f a && echo ok > b", "test -f a && echo $(git push)", "test the page && echo ok", "npm test && echo ok", "test -f a && echo",
	};
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		look(texts[i], NULL);
	assert_int_equal(wrong, 0);
}

static void nested(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};

	for (int i = 0; i < 200000; i++)
		str_add(&text, "$(make ");
	str_addc(&text, ')');
	look(text.p, NULL);
	assert_int_equal(wrong, 0);
}

static void where_commands_stand(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"echo hello", "echo hello"}, {"`npm test`", "npm test"}, {"$ npm test", "npm test"}, {" a\nb ", "a\nb"}, {" \n", NULL},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *bare = queue_command(cases[i][0], true);
		assert_true(str_eq(bare, cases[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"S2.2: criteria that are commands", commands, NULL, NULL, NULL},
		{"S2.2: criteria in prose are not run, nor what publishes", prose, NULL, NULL, NULL},
		{"S2.2: a criterion that opens shells within shells", nested, NULL, NULL, NULL},
		{"S2.2: a command without its marks", where_commands_stand, NULL, NULL, NULL},
	};
	return cmocka_run_group_tests_name("queue_command", tests, NULL, NULL);
}
