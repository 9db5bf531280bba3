/* The gate around the scanner: its verdicts, its output, whose allow file counts. */
#include "worker/leak_gate.h"

#include <fcntl.h>
#include <unistd.h>

#include "repo.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "test.h"

#define TOKEN "ghp" "_Zq3kV9xTt7LmR2bWcY8sHd5nJfKpG4aE1uQo"

static char *repo;
static struct slot slot;
static struct oid first, second;

static void tree_of(const char *rev, struct oid *out)
{
	struct oid commit;
	struct err e = {0};

	assert_ok(gitx_commit_of(slot.gitx, rev, &commit, &e), &e);
	assert_ok(gitx_tree_of(slot.gitx, &commit, out, &e), &e);
}

static int begin(void **state)
{
	if (repo_setup(state) != 0)
		return -1;
	repo = repo_make("gate");
	repo_commit(repo, ".bosk-secrets-allow", "allowed/\nnot a line\n", NULL);
	repo_write(repo, "allowed/a.py", "x = '" TOKEN "'\n");
	repo_commit(repo, "a.py", "x = 1\ny = '" TOKEN "'\n", NULL);
	slot.gitx = repo_open(repo);
	slot.init.worktree = repo;
	tree_of("HEAD~1", &first);
	tree_of("HEAD", &second);
	return 0;
}

static int end(void **state)
{
	gitx_close(slot.gitx);
	free(repo);
	return repo_teardown(state);
}

/* The verdict of what `to` has and `from` has not. */
static const char *run(const struct oid *from, const struct oid *to, uint64_t timeout_ms, struct str *why, struct str *tail, struct str *log)
{
	struct msg_gate g = {.name = (char *)"security", .builtin = (char *)"secrets", .timeout_ms = timeout_ms};
	AUTO_FREE char *path = mem_printf("%s/gate.log", repo_scratch);
	const char *verdict = "none";
	struct err e = {0};
	uint64_t ms = 0;

	str_clear(why);
	str_clear(tail);
	str_clear(log);
	assert_ok(leak_gate_between(&slot, from, to, &e), &e);
	assert_ok(leak_gate_run(&slot, &g, 1, path, &verdict, &ms, why, tail, &e), &e);
	assert_ok(fs_read(path, 1 << 20, log, &e), &e);
	return verdict;
}

static void verdicts(void **state)
{
	AUTO_STR struct str why = {0}, tail = {0}, log = {0};
	struct oid missing, none = {0};

	(void)state;
	assert_string_equal(run(&first, &second, 0, &why, &tail, &log), "fail");
	assert_string_equal(why.p, "1 finding");
	assert_int_equal(strncmp(tail.p, "a.py:2: github-token: ", 22), 0);
	assert_non_null(strstr(tail.p, "1 finding in 2 changed files, 1 allowed."));
	assert_non_null(strstr(tail.p, ".bosk-secrets-allow: line 2 is more than"));
	assert_null(strstr(log.p, "Zq3kV9"));
	assert_int_equal(strncmp(log.p, "allowed/a.py:1: github-token: allowed by", 40), 0);

	assert_string_equal(run(&second, &second, 0, &why, &tail, &log), "pass");
	/* A base without an allow file. */
	assert_string_equal(run(&none, &second, 0, &why, &tail, &log), "fail");
	assert_string_equal(why.p, "3 findings");
	assert_true(oid_parse(&missing, "1234567890123456789012345678901234567890"));
	assert_string_equal(run(&first, &missing, 0, &why, &tail, &log), "could-not-run");
	assert_non_null(strstr(why.p, "12345678"));
}

static bool stop(void *ctx)
{
	(void)ctx;
	return true;
}

/* With something to read for `watch`. */
static const char *run_watched(bool (*watch)(void *ctx), uint64_t ms, struct str *why)
{
	AUTO_STR struct str tail = {0}, log = {0};
	int fds[2];

	assert_return_code(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	slot.git.watch_fd = fds[0];
	slot.git.watch = watch;
	const char *verdict = run(&first, &second, ms, why, &tail, &log);
	slot.git.watch = NULL;
	close(fds[0]);
	close(fds[1]);
	return verdict;
}

static void it_ends_when_told(void **state)
{
	AUTO_STR struct str why = {0};

	(void)state;
	assert_null(run_watched(stop, 0, &why));
}

/* The time of the gate goes by. */
static bool later(void *ctx)
{
	uint64_t now = clock_mono_ms();

	(void)ctx;
	while (clock_mono_ms() < now + 3)
		;
	return false;
}

static void it_takes_no_longer_than_it_may(void **state)
{
	AUTO_STR struct str why = {0};

	(void)state;
	assert_string_equal(run_watched(later, 1, &why), "timeout");
	assert_string_equal(why.p, "no end after 0.0 s");
}

/* The session's base says what is allowed, not that of the task. */
static void the_session_allows(void **state)
{
	AUTO_STR struct str why = {0}, tail = {0}, log = {0};
	AUTO_FREE char *root = repo_out(repo, "rev-list --max-parents=0 HEAD");

	(void)state;
	slot.init.session_base = root;
	assert_string_equal(run(&first, &second, 0, &why, &tail, &log), "fail");
	assert_string_equal(why.p, "2 findings");
	slot.init.session_base = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts), cmocka_unit_test(it_ends_when_told), cmocka_unit_test(it_takes_no_longer_than_it_may), cmocka_unit_test(the_session_allows)};
	return cmocka_run_group_tests(tests, begin, end);
}
