/* gitx: refs moved by compare-and-swap, several at once, packed and loose, against locks, failures
 * and other processes. Checked with the git command on real repositories. */
#include "repo.h"

#include <unistd.h>

#include "store/base/fs.h"
#include "worker/gitx.h"

/* A repository with three commits to point at: ids[0] is the oldest. */
static struct oid ids[3];
static const struct oid none;

static char *make(const char *name)
{
	char *repo = repo_make(name);
	repo_commit(repo, "file", "two\n", NULL);
	repo_commit(repo, "file", "three\n", NULL);
	for (int i = 0; i < 3; i++) {
		AUTO_FREE char *hex = repo_out(repo, "rev-parse HEAD~%d", 2 - i);
		assert_true(oid_parse(&ids[i], hex));
	}
	return repo;
}

/* What git says of a ref: 0, 1, 2 for ids, -1 when it is not there. */
static int value(const char *repo, const char *ref)
{
	AUTO_FREE char *hex = repo_out(repo, "for-each-ref --format='%%(objectname)' %s", ref);
	for (int i = 0; i < 3; i++)
		if (str_eq(hex, ids[i].hex))
			return i;
	assert_string_equal(hex, "");
	return -1;
}

static void assert_no_locks(const char *repo)
{
	AUTO_FREE char *found = mem_printf("! find '%s/.git' -name '*.lock' -o -name '*.bosk' | "
	                                   "grep .", repo);
	assert_int_equal(system(found), 0);
}

/* ---- one ref ---- */

static void one_ref_is_made_moved_and_deleted(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("one");
	struct gitx *g = repo_open(repo);
	struct err e = {0};
	struct oid got;
	const char *ref = "refs/heads/bosk/task-1";

	assert_int_equal(gitx_ref_read(g, ref, &got, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_ok(gitx_ref_move(g, ref, NULL, &ids[0], "bosk: made\nwith a newline", &e), &e);
	assert_int_equal(value(repo, ref), 0);
	assert_ok(gitx_ref_read(g, ref, &got, &e), &e);
	assert_string_equal(got.hex, ids[0].hex);
	assert_ok(gitx_ref_move(g, ref, &ids[0], &ids[1], "bosk: moved", &e), &e);
	assert_ok(gitx_ref_move(g, ref, &ids[1], &ids[1], "bosk: only compared", &e), &e);
	assert_int_equal(value(repo, ref), 1);
	AUTO_FREE char *log = repo_out(repo, "reflog show --format=%%gs %s", ref);
	assert_string_equal(log, "bosk: moved\nbosk: made with a newline");
	assert_ok(gitx_ref_move(g, ref, &ids[1], NULL, "bosk: deleted", &e), &e);
	assert_int_equal(value(repo, ref), -1);
	/* Neither the log nor a folder stays in the way of another name. */
	assert_ok(gitx_ref_move(g, "refs/heads/bosk", NULL, &ids[0], "bosk", &e), &e);
	repo_git(repo, "branch -D bosk");
	repo_git(repo, "branch bosk/task-1/deeper");
	assert_ok(gitx_ref_move(g, "refs/bosk/keep/s/t/1", NULL, &ids[0], NULL, &e), &e);
	assert_ok(gitx_ref_move(g, "refs/bosk/keep/s/t/1", &ids[0], NULL, NULL, &e), &e);
	AUTO_FREE char *keep = mem_printf("%s/.git/refs/bosk/keep", repo);
	assert_false(fs_exists(keep));
	gitx_close(g);
	assert_no_locks(repo);
	repo_fsck(repo);
}

static void a_lost_race_changes_nothing(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("lost");
	struct gitx *g = repo_open(repo);
	struct {
		const struct oid *at, *from, *to;
	} cases[] = {
		{&ids[1], &ids[0], &ids[2]}, {&ids[1], &none, &ids[2]}, {&none, &ids[0], &ids[2]},
		{&ids[1], &ids[0], &none},   {&none, &ids[0], &none},   {&ids[1], &ids[0], &ids[0]},
		{&ids[1], &none, &none},
	};
	for (size_t packed = 0; packed < 2; packed++)
		for (size_t i = 0; i < MEM_COUNT(cases); i++) {
			struct err e = {0};
			repo_git(repo, "update-ref -d refs/heads/x");
			if (!oid_none(cases[i].at))
				repo_git(repo, "update-ref refs/heads/x %s", cases[i].at->hex);
			if (packed)
				repo_git(repo, "pack-refs --all");
			assert_int_equal(gitx_ref_move(g, "refs/heads/x", cases[i].from,
			                               cases[i].to, "m", &e), -1);
			assert_int_equal(e.kind, ERR_MOVED);
			assert_non_null(strstr(e.text, "refs/heads/x"));
			assert_int_equal(value(repo, "refs/heads/x"), oid_none(cases[i].at) ? -1 : 1);
		}
	gitx_close(g);
	assert_no_locks(repo);
}

static void what_cannot_be_moved_is_refused(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("refused");
	struct gitx *g = repo_open(repo);
	AUTO_FREE char *hex = repo_out(repo, "rev-parse HEAD:file");
	AUTO_FREE char *file = mem_printf("%s/.git/refs/heads/linked", repo);
	struct oid blob, absent = {"1234567890123456789012345678901234567890"};
	struct err e = {0};

	static const char *const bad[] = {
		"HEAD", "main", "refs", "refs/heads/", "refs/heads/a..b", "refs/heads/a\177b",
		"refs/bisect/bad", "refs/worktree/x", "refs/rewritten/x", "/refs/heads/x",
	};
	for (size_t i = 0; i < MEM_COUNT(bad); i++) {
		assert_int_equal(gitx_ref_move(g, bad[i], NULL, &ids[0], "m", &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	assert_true(oid_parse(&blob, hex));
	assert_int_equal(gitx_ref_move(g, "refs/heads/b", NULL, &blob, "m", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_ok(gitx_ref_move(g, "refs/bosk/b", NULL, &blob, "m", &e), &e);
	assert_int_equal(gitx_ref_move(g, "refs/bosk/c", NULL, &absent, "m", &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_int_equal(value(repo, "refs/bosk/c"), -1);

	repo_git(repo, "symbolic-ref refs/heads/alias refs/heads/main");
	assert_int_equal(gitx_ref_move(g, "refs/heads/alias", &ids[2], &ids[0], "m", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(symlink("main", file), 0);
	assert_int_equal(gitx_ref_move(g, "refs/heads/linked", &ids[2], &ids[0], "m", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(value(repo, "refs/heads/main"), 2);
	unlink(file);

	struct gitx_move twice[] = {{"refs/heads/t", {""}, ids[0]}, {"refs/heads/t", {""}, ids[1]}};
	assert_int_equal(gitx_ref_moves(g, twice, 2, "m", &e), -1);
	struct gitx_move inside[] = {{"refs/heads/t/u", {""}, ids[0]}, {"refs/heads/t", {""}, ids[1]}};
	assert_int_equal(gitx_ref_moves(g, inside, 2, "m", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);

	/* What a power cut leaves without fsync: neither read nor written over. */
	assert_ok(fs_write(file, "", 0, false, &e), &e);
	struct oid got;
	assert_int_equal(gitx_ref_read(g, "refs/heads/linked", &got, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(gitx_ref_move(g, "refs/heads/linked", NULL, &ids[0], "m", &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_non_null(strstr(e.text, "refs/heads/linked"));
	unlink(file);
	gitx_close(g);
	assert_no_locks(repo);
}

static void names_inside_names_are_explained(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("inside");
	struct gitx *g = repo_open(repo);
	repo_git(repo, "update-ref refs/bosk/a %s", ids[0].hex);
	repo_git(repo, "update-ref refs/bosk/b/c %s", ids[0].hex);
	for (int packed = 0; packed < 2; packed++) {
		struct err e = {0};
		assert_int_equal(gitx_ref_move(g, "refs/bosk/a/x/y", NULL, &ids[0], "m", &e), -1);
		assert_int_equal(e.kind, ERR_EXISTS);
		assert_non_null(strstr(e.text, "there is a ref refs/bosk/a,"));
		assert_int_equal(gitx_ref_move(g, "refs/bosk/b", NULL, &ids[0], "m", &e), -1);
		assert_int_equal(e.kind, ERR_EXISTS);
		assert_non_null(strstr(e.text, "there is a ref refs/bosk/b/c,"));
		assert_ok(gitx_ref_move(g, "refs/bosk/a-x", packed ? &ids[0] : NULL, &ids[0], "m", &e),
		          &e);
		repo_git(repo, "pack-refs --all");
	}
	AUTO_FREE char *all = repo_out(repo, "for-each-ref --format='%%(refname)' refs/bosk");
	assert_string_equal(all, "refs/bosk/a\nrefs/bosk/a-x\nrefs/bosk/b/c");
	gitx_close(g);
	assert_no_locks(repo);
}

/* ---- several refs ---- */

static void three_refs_move_together_or_not(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("three");
	struct gitx *g = repo_open(repo);
	/* made, moved, deleted; not in the order of their names */
	const struct gitx_move right[] = {{"refs/heads/z", {""}, ids[1]},
	                                  {"refs/heads/m", ids[0], ids[1]},
	                                  {"refs/bosk/d", ids[0], {""}}};
	for (int packed = 0; packed < 2; packed++) {
		struct err e = {0};
		repo_git(repo, "update-ref refs/heads/m %s", ids[0].hex);
		repo_git(repo, "update-ref refs/bosk/d %s", ids[0].hex);
		if (packed)
			repo_git(repo, "pack-refs --all");
		for (size_t wrong = 0; wrong < 3; wrong++) {
			struct gitx_move moves[3];
			memcpy(moves, right, sizeof moves);
			moves[wrong].from = ids[2];
			assert_int_equal(gitx_ref_moves(g, moves, 3, "m", &e), -1);
			assert_int_equal(e.kind, ERR_MOVED);
			assert_non_null(strstr(e.text, moves[wrong].ref));
			assert_int_equal(value(repo, "refs/heads/z"), -1);
			assert_int_equal(value(repo, "refs/heads/m"), 0);
			assert_int_equal(value(repo, "refs/bosk/d"), 0);
		}
		assert_ok(gitx_ref_moves(g, right, 3, "m", &e), &e);
		assert_int_equal(value(repo, "refs/heads/z"), 1);
		assert_int_equal(value(repo, "refs/heads/m"), 1);
		assert_int_equal(value(repo, "refs/bosk/d"), -1);
		assert_ok(gitx_ref_move(g, "refs/heads/z", &ids[1], NULL, "m", &e), &e);
	}
	gitx_close(g);
	assert_no_locks(repo);
	repo_fsck(repo);
}

static void packed_refs_stay_right(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("packed");
	struct gitx *g = repo_open(repo);
	struct err e = {0};
	struct oid got;

	repo_git(repo, "tag -a -m note annotated");
	repo_git(repo, "tag -a -m note zz-last");
	repo_git(repo, "branch a %s", ids[0].hex);
	repo_git(repo, "branch b %s", ids[0].hex);
	repo_git(repo, "pack-refs --all");
	assert_ok(gitx_ref_move(g, "refs/heads/a", &ids[0], &ids[1], "m", &e), &e);
	/* The packed value below a loose one does not come back. */
	assert_ok(gitx_ref_move(g, "refs/heads/a", &ids[1], NULL, "m", &e), &e);
	assert_int_equal(value(repo, "refs/heads/a"), -1);
	assert_ok(gitx_ref_move(g, "refs/heads/a", NULL, &ids[2], "m", &e), &e);
	repo_git(repo, "pack-refs --all");
	assert_ok(gitx_ref_read(g, "refs/heads/a", &got, &e), &e);
	assert_string_equal(got.hex, ids[2].hex);
	assert_ok(gitx_ref_move(g, "refs/heads/a", &ids[2], NULL, "m", &e), &e);
	assert_int_equal(gitx_ref_read(g, "refs/heads/a", &got, &e), -1);
	AUTO_FREE char *hex = repo_out(repo, "rev-parse refs/tags/zz-last");
	AUTO_FREE char *peeled = repo_out(repo, "rev-parse 'annotated^{}'");
	assert_true(oid_parse(&got, hex));
	/* The last line of the file, with the line of what it peels to. */
	assert_ok(gitx_ref_move(g, "refs/tags/zz-last", &got, NULL, "m", &e), &e);
	AUTO_FREE char *file = mem_printf("%s/.git/packed-refs", repo);
	AUTO_STR struct str text = {0};
	assert_ok(fs_read(file, 1 << 20, &text, &e), &e);
	AUTO_FREE char *end = mem_printf(" refs/tags/annotated\n^%s\n", peeled);
	assert_true(str_starts(text.p, "# pack-refs with: peeled fully-peeled sorted \n"));
	assert_true(str_ends(text.p, end));
	assert_int_equal(value(repo, "refs/heads/b"), 0);
	gitx_close(g);
	assert_no_locks(repo);
	repo_fsck(repo);
}

/* ---- when writing fails in the middle ---- */

static void a_full_disk_puts_everything_back(void **state)
{
	(void)state;
	AUTO_FREE char *repo = make("full");
	AUTO_FREE char *log = mem_printf("%s/.git/logs/refs/heads/last", repo);
	struct gitx *g = repo_open(repo);
	struct err e = {0};
	const struct gitx_move moves[] = {{"refs/heads/first", ids[0], ids[1]},
	                                  {"refs/heads/made", {""}, ids[1]},
	                                  {"refs/heads/gone", ids[0], {""}},
	                                  {"refs/heads/gone-packed", ids[0], {""}},
	                                  {"refs/heads/last", ids[0], ids[1]},
	                                  {"refs/heads/never", ids[0], {""}}};
	static const char *const there[] = {"first", "gone", "gone-packed", "last", "never"};

	for (size_t i = 0; i < MEM_COUNT(there); i++) {
		repo_git(repo, "branch %s %s", there[i], ids[0].hex);
		if (str_eq(there[i], "gone-packed"))
			repo_git(repo, "pack-refs --all");
	}
	repo_git(repo, "pack-refs --all");
	repo_git(repo, "update-ref refs/heads/gone HEAD");
	repo_git(repo, "update-ref refs/heads/gone %s", ids[0].hex); /* loose over packed */
	unlink(log);
	assert_int_equal(symlink("/dev/full", log), 0);
	assert_int_equal(gitx_ref_moves(g, moves, MEM_COUNT(moves), "m", &e), -1);
	assert_int_equal(e.kind, ERR_NOSPACE);
	assert_null(strstr(e.text, "put back"));
	for (size_t i = 0; i < MEM_COUNT(moves); i++)
		assert_int_equal(value(repo, moves[i].ref), oid_none(&moves[i].from) ? -1 : 0);
	assert_no_locks(repo);
	unlink(log);
	assert_ok(gitx_ref_moves(g, moves, MEM_COUNT(moves), "m", &e), &e);
	for (size_t i = 0; i < MEM_COUNT(moves); i++)
		assert_int_equal(value(repo, moves[i].ref), oid_none(&moves[i].to) ? -1 : 1);
	gitx_close(g);
	repo_fsck(repo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_ref_is_made_moved_and_deleted),
		cmocka_unit_test(a_lost_race_changes_nothing),
		cmocka_unit_test(what_cannot_be_moved_is_refused),
		cmocka_unit_test(names_inside_names_are_explained),
		cmocka_unit_test(three_refs_move_together_or_not),
		cmocka_unit_test(packed_refs_stay_right),
		cmocka_unit_test(a_full_disk_puts_everything_back),
	};
	return cmocka_run_group_tests_name("gitx refs", tests, repo_setup, repo_teardown);
}
