/* gitx: refs moved while other processes move, lock and pack them. Children open the repository
 * themselves and leave by _exit with what they found. */
#include "repo.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/fs.h"
#include "worker/gitx.h"

#define PROCESSES 6

/* `n` commits without parents, each another. */
static void make_commits(const char *repo, struct oid *out, size_t n)
{
	struct gitx *g = repo_open(repo);
	struct err e = {0};
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *text = mem_printf("%zu", i);
		assert_ok(gitx_commit_file(g, &out[i], "f", text, strlen(text), NULL, "A <a@b>",
		                           "m", &e), &e);
	}
	gitx_close(g);
}

/* Runs `child` in `n` processes at once; the sum of what they return (0 to 99 each). */
static int in_processes(int n, int (*child)(const char *repo, int number), const char *repo)
{
	int gate[2], total = 0;
	pid_t pids[PROCESSES];

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	fflush(stdout);
	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			char c;
			close(gate[1]);
			while (read(gate[0], &c, 1) > 0) /* all start when the parent closes it */
				continue;
			_exit(child(repo, i));
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < n; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) < 100);
		total += WEXITSTATUS(status);
	}
	return total;
}

static struct oid commits[PROCESSES + 1];

static int swap_once(const char *repo, int number)
{
	struct gitx *g;
	struct err e = {0};
	if (gitx_open(&g, repo, &e) != 0)
		return 100;
	if (gitx_ref_move(g, "refs/heads/x", &commits[PROCESSES], &commits[number], "m", &e) == 0)
		return 1;
	return e.kind == ERR_MOVED ? 0 : 100;
}

static void of_six_exactly_one_wins(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("six");
	make_commits(repo, commits, PROCESSES + 1);
	for (int round = 0; round < 10; round++) {
		repo_git(repo, "update-ref refs/heads/x %s", commits[PROCESSES].hex);
		if (round % 2)
			repo_git(repo, "pack-refs --all");
		assert_int_equal(in_processes(PROCESSES, swap_once, repo), 1);
	}
	repo_fsck(repo);
}

/* Two refs that only ever move together, named in either order. */
static int swap_pairs(const char *repo, int number)
{
	struct gitx *g;
	struct err e = {0};
	struct oid x;
	int won = 0;

	if (gitx_open(&g, repo, &e) != 0)
		return 100;
	for (int i = 0; i < 15; i++) {
		/* Between the two reads another may move both: the swap then finds that out. */
		if (gitx_ref_read(g, "refs/heads/x", &x, &e) != 0)
			return 101;
		struct gitx_move m[] = {{"refs/heads/x", x, commits[number]},
		                        {"refs/bosk/y", x, commits[number]}};
		struct gitx_move other[] = {m[1], m[0]};
		if (gitx_ref_moves(g, number % 2 ? m : other, 2, "m", &e) == 0)
			won++;
		else if (e.kind != ERR_MOVED)
			return 102;
	}
	return won;
}

static void pairs_stay_together(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("pairs");
	make_commits(repo, commits, PROCESSES + 1);
	repo_git(repo, "update-ref refs/heads/x %s", commits[PROCESSES].hex);
	repo_git(repo, "update-ref refs/bosk/y %s", commits[PROCESSES].hex);
	assert_true(in_processes(PROCESSES, swap_pairs, repo) > 0);
	AUTO_FREE char *x = repo_out(repo, "rev-parse refs/heads/x");
	AUTO_FREE char *y = repo_out(repo, "rev-parse refs/bosk/y");
	assert_string_equal(x, y);
	repo_fsck(repo);
}

/* One packs all the time; the others make a ref, have it packed, and delete it. */
static int pack_or_delete(const char *repo, int number)
{
	struct gitx *g;
	struct err e = {0};

	if (gitx_open(&g, repo, &e) != 0)
		return 100;
	for (int i = 0; i < 25; i++) {
		AUTO_FREE char *ref = mem_printf("refs/bosk/%s/%d-%d", number ? "gone" : "keep",
		                                 number, i);
		if (gitx_ref_move(g, ref, NULL, &commits[0], "m", &e) != 0)
			return 101;
		repo_try(repo, "pack-refs --all");
		if (number && gitx_ref_move(g, ref, &commits[0], NULL, "m", &e) != 0)
			return 102;
	}
	return 0;
}

static void packing_meanwhile_loses_and_revives_nothing(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("packing");
	make_commits(repo, commits, 1);
	assert_int_equal(in_processes(3, pack_or_delete, repo), 0);
	AUTO_FREE char *kept = repo_out(repo, "for-each-ref refs/bosk/keep | wc -l");
	AUTO_FREE char *gone = repo_out(repo, "for-each-ref refs/bosk/gone | wc -l");
	assert_string_equal(kept, "25");
	assert_string_equal(gone, "0");
	repo_fsck(repo);
}

/* ---- locks of others ---- */

static void held_locks_are_named_in_time(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("held");
	AUTO_FREE char *ref_lock = mem_printf("%s/.git/refs/heads/x.lock", repo);
	AUTO_FREE char *packed_lock = mem_printf("%s/.git/packed-refs.lock", repo);
	struct err e = {0};
	struct oid got;

	make_commits(repo, commits, 2);
	struct gitx *g = repo_open(repo);
	struct gitx_move moves[] = {{"refs/heads/a", {""}, commits[0]},
	                            {"refs/heads/x", {""}, commits[0]}};
	assert_ok(fs_write(ref_lock, "", 0, false, &e), &e);
	uint64_t start = clock_mono_ms();
	assert_int_equal(gitx_ref_moves(g, moves, 2, "m", &e), -1);
	assert_in_range(clock_mono_ms() - start, 1900, 4000);
	assert_int_equal(e.kind, ERR_HELD);
	assert_int_equal(err_exit_code(&e), 5);
	assert_non_null(strstr(e.text, ref_lock));
	assert_int_equal(gitx_ref_read(g, "refs/heads/a", &got, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	unlink(ref_lock);

	/* packed-refs.lock stops deletions only; the refs themselves are free meanwhile. */
	assert_ok(fs_write(packed_lock, "", 0, false, &e), &e);
	assert_ok(gitx_ref_moves(g, moves, 2, "m", &e), &e);
	assert_int_equal(gitx_ref_move(g, "refs/heads/x", &commits[0], NULL, "m", &e), -1);
	assert_int_equal(e.kind, ERR_HELD);
	assert_non_null(strstr(e.text, packed_lock));
	assert_true(fs_exists(packed_lock));
	assert_ok(gitx_ref_move(g, "refs/heads/x", &commits[0], &commits[1], "m", &e), &e);
	unlink(packed_lock);
	/* libgit2 alone says 0 here after such a failure, and deletes nothing. */
	assert_ok(gitx_ref_move(g, "refs/heads/x", &commits[1], NULL, "m", &e), &e);
	assert_int_equal(gitx_ref_read(g, "refs/heads/x", &got, &e), -1);

	/* A lock that goes away in time. */
	assert_ok(fs_write(ref_lock, "", 0, false, &e), &e);
	pid_t child = fork();
	if (child == 0) {
		usleep(300 * 1000);
		unlink(ref_lock);
		_exit(0);
	}
	assert_ok(gitx_ref_move(g, "refs/heads/x", NULL, &commits[0], "m", &e), &e);
	assert_int_equal(waitpid(child, NULL, 0), child);
	gitx_close(g);
	repo_fsck(repo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_six_exactly_one_wins),
		cmocka_unit_test(pairs_stay_together),
		cmocka_unit_test(packing_meanwhile_loses_and_revives_nothing),
		cmocka_unit_test(held_locks_are_named_in_time),
	};
	return cmocka_run_group_tests_name("gitx races", tests, repo_setup, repo_teardown);
}
