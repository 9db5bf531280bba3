/* gitx: commits written so that git reads them, strict authors, objects that a power cut left empty.
 * Against real repositories made by git. */
#include "repo.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/fs.h"
#include "worker/gitx.h"

static struct oid oid_of(const char *path, const char *rev)
{
	AUTO_FREE char *hex = repo_out(path, "rev-parse --verify -q '%s'", rev);
	struct oid o;
	assert_true(oid_parse(&o, hex));
	return o;
}

static void commits_read_the_same_in_git(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("commit");
	struct err e = {0};
	struct oid id, tree = oid_of(repo, "HEAD^{tree}"), parents[2] = {oid_of(repo, "HEAD")};

	repo_commit(repo, "file", "two\n", NULL);
	parents[1] = oid_of(repo, "HEAD");
	setenv("TZ", "XYZ-05:30", 1);
	tzset();
	uint64_t before = clock_wall_ms() / 1000;
	struct gitx *g = repo_open(repo);
	assert_ok(gitx_commit_write(g, &id, &tree, parents, 2, "J\303\266rg Q. <j@example.com>",
	                            "subject\n\nno newline at the end", &e), &e);
	AUTO_FREE char *text = repo_out(repo, "cat-file -p %s", id.hex);
	AUTO_FREE char *when = repo_out(repo, "show -s --format=%%ct %s", id.hex);
	uint64_t at = 0;
	assert_true(str_u64(when, &at));
	assert_in_range(at, before, before + 60);
	AUTO_FREE char *want = mem_printf("tree %s\nparent %s\nparent %s\n"
	                                  "author J\303\266rg Q <j@example.com> %s +0530\n"
	                                  "committer J\303\266rg Q <j@example.com> %s +0530\n\n"
	                                  "subject\n\nno newline at the end",
	                                  tree.hex, parents[0].hex, parents[1].hex, when, when);
	assert_string_equal(text, want);
	unsetenv("TZ");
	tzset();

	struct oid empty = {"4b825dc642cb6eb9a060e54bf8d69288fbee4904"}, got;
	assert_ok(gitx_commit_write(g, &id, &empty, NULL, 0, "A <a@b>", "", &e), &e);
	assert_ok(gitx_tree_of(g, &id, &got, &e), &e);
	repo_git(repo, "update-ref refs/heads/empty %s", id.hex);

	/* Neither a missing tree nor a missing parent nor a blob for a tree makes a commit. */
	struct oid absent = {"1234567890123456789012345678901234567890"};
	struct oid blob = oid_of(repo, "HEAD:file");
	assert_int_equal(gitx_commit_write(g, &id, &absent, NULL, 0, "A <a@b>", "m", &e), -1);
	assert_int_equal(gitx_commit_write(g, &id, &blob, NULL, 0, "A <a@b>", "m", &e), -1);
	assert_int_equal(gitx_commit_write(g, &id, &tree, &absent, 1, "A <a@b>", "m", &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_non_null(strstr(e.text, absent.hex));
	gitx_close(g);
	repo_fsck(repo);
}

static void authors_are_parsed_strictly(void **state)
{
	static const char *const bad[] = {
		"", "Name", "<a@b>", " <a@b>", "Name<a@b>", "Name <>", "Name <a@b", "Name <a@b> ",
		"Name a@b>", "Na<me <a@b>", "Name <a@b>>", "Name <a <b>", "Name <a b>", "Na\nme <a@b>",
		"Name <a@\nb>", "Name >a@b<", "... <a@b>", "Name\177 <a@b>",
	};
	(void)state;
	AUTO_FREE char *repo = repo_make("authors");
	struct gitx *g = repo_open(repo);
	struct oid id, tree = oid_of(repo, "HEAD^{tree}");
	for (size_t i = 0; i < MEM_COUNT(bad); i++) {
		struct err e = {0};
		if (gitx_commit_write(g, &id, &tree, NULL, 0, bad[i], "m", &e) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	gitx_close(g);
}

static void single_files_are_committed(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("plan");
	struct gitx *g = repo_open(repo);
	AUTO_STR struct str text = {0};
	struct oid first, second, got;
	size_t n;
	struct err e = {0};

	assert_ok(gitx_commit_file(g, &first, "plan.yaml", "a\0b\n", 4, NULL, "A <a@b>", "plan", &e),
	          &e);
	assert_ok(gitx_commit_file(g, &second, "plan.yaml", NULL, 0, &first, "A <a@b>", "plan", &e),
	          &e);
	assert_ok(gitx_read_file(g, &first, "plan.yaml", &text, &e), &e);
	assert_int_equal(text.len, 4);
	assert_memory_equal(text.p, "a\0b\n", 4);
	assert_ok(gitx_parents(g, &second, &got, 1, &n, &e), &e);
	assert_int_equal(n, 1);
	assert_string_equal(got.hex, first.hex);
	AUTO_FREE char *list = repo_out(repo, "ls-tree -r %s", first.hex);
	assert_non_null(strstr(list, "100644 blob"));
	assert_non_null(strstr(list, "\tplan.yaml"));
	static const char *const bad[] = {"", ".", "..", ".git", ".GIT", "a/b"};
	for (size_t i = 0; i < MEM_COUNT(bad); i++) {
		assert_int_equal(gitx_commit_file(g, &got, bad[i], "", 0, NULL, "A <a@b>", "m", &e),
		                 -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	repo_git(repo, "update-ref refs/bosk/plan/1 %s", second.hex);
	gitx_close(g);
	repo_fsck(repo);
}

/* ---- what a power cut leaves (pitfalls 6.2) ---- */

static char *object_path(const char *repo, const struct oid *id)
{
	return mem_printf("%s/.git/objects/%.2s/%s", repo, id->hex, id->hex + 2);
}

static void damaged_objects_are_written_again(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("empty object");
	struct oid commit, tree, blob;
	struct err e = {0};
	struct gitx *g = repo_open(repo);
	assert_ok(gitx_commit_file(g, &commit, "p", "text\n", 5, NULL, "A <a@b>", "m", &e), &e);
	assert_ok(gitx_tree_of(g, &commit, &tree, &e), &e);
	gitx_close(g);
	AUTO_FREE char *spec = mem_printf("%s:p", commit.hex);
	blob = oid_of(repo, spec);

	AUTO_FREE char *tree_file = object_path(repo, &tree);
	AUTO_FREE char *blob_file = object_path(repo, &blob);
	assert_int_equal(truncate(tree_file, 0), 0);
	assert_int_equal(truncate(blob_file, 0), 0);
	g = repo_open(repo);
	assert_false(gitx_has_object(g, &tree));
	assert_ok(gitx_commit_file(g, &commit, "p", "text\n", 5, NULL, "A <a@b>", "m", &e), &e);
	assert_true(gitx_has_object(g, &tree));
	repo_git(repo, "update-ref refs/bosk/p %s", commit.hex);
	repo_fsck(repo);
	gitx_close(g);

	/* Damaged in other ways: rubbish, and the first half, from which libgit2 does not come back. */
	AUTO_STR struct str whole = {0};
	assert_ok(fs_read(blob_file, 4096, &whole, &e), &e);
	for (int half = 0; half < 2; half++) {
		assert_int_equal(chmod(blob_file, 0600), 0);
		assert_ok(fs_write(blob_file, half ? whole.p : "rubbish", half ? whole.len / 2 : 7, false, &e), &e);
		g = repo_open(repo);
		assert_ok(gitx_commit_file(g, &commit, "p", "text\n", 5, NULL, "A <a@b>", "m", &e), &e);
		repo_fsck(repo);
		gitx_close(g);
	}
}

/* One file of a tree gets other bytes; all else, its mode too, is as it was. */
static void a_file_is_put_into_a_tree(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("put");
	AUTO_FREE char *outer = mem_printf("%s/a/b", repo), *link = mem_printf("%s/a/link", repo);
	struct err e = {0};
	struct oid out, one, two;
	AUTO_STR struct str text = {0};

	repo_write(repo, "a/b/c", "old\n");
	repo_write(repo, "a/b.x", "x\n");
	repo_write(repo, "a/b/c.d", "d\n");
	repo_write(repo, "a.b", "e\n");
	repo_write(repo, "c", "root\n");
	assert_int_equal(symlink(outer, link), 0);
	repo_commit(repo, "a/run", "run\n", NULL);
	repo_git(repo, "update-index --chmod=+x a/run && git -C %s commit -qm x", repo);
	struct gitx *g = repo_open(repo);
	struct oid tree = oid_of(repo, "HEAD^{tree}");

	assert_ok(gitx_file_put(g, &one, &tree, "a/b/c", "new", 3, &e), &e);
	assert_ok(gitx_file_put(g, &two, &one, "a/run", "", 0, &e), &e);
	assert_ok(gitx_file_put(g, &out, &two, "c", "top\n", 4, &e), &e);
	AUTO_FREE char *changed = repo_out(repo, "diff-tree -r --raw --abbrev=4 HEAD %s | cut -c 1-14,25-", out.hex);
	assert_string_equal(changed, ":100644 100644 M\ta/b/c\n:100755 100755 M\ta/run\n:100644 100644 M\tc");
	assert_ok(gitx_file_in(g, &out, "a/b/c", 3, &text, &e), &e);
	assert_string_equal(text.p, "new");
	assert_ok(gitx_file_put(g, &one, &out, "c", "root\n", 5, &e), &e);
	assert_ok(gitx_file_put(g, &two, &one, "a/run", "run\n", 4, &e), &e);
	assert_ok(gitx_file_put(g, &one, &two, "a/b/c", "old\n", 4, &e), &e);
	assert_string_equal(one.hex, tree.hex);

	static const struct {
		const char *path;
		enum err_kind kind;
	} none[] = {{"a/b/c", ERR_USAGE}, /* larger */ {"a/link", ERR_USAGE}, {"a/b", ERR_USAGE}, {"a/x", ERR_MISSING},
	            {"x/y", ERR_MISSING}, {"c/d", ERR_MISSING}};
	for (size_t i = 0; i < MEM_COUNT(none); i++) {
		assert_int_equal(gitx_file_in(g, &out, none[i].path, 2, &text, &e), -1);
		assert_int_equal(e.kind, none[i].kind);
	}
	assert_int_equal(gitx_file_put(g, &one, &tree, "a/x", "", 0, &e), -1);
	assert_int_equal(gitx_file_put(g, &one, &tree, "x/y", "", 0, &e), -1);
	repo_git(repo, "update-ref refs/bosk/put $(git -C %s commit-tree -m x %s)", repo, out.hex);
	repo_fsck(repo);
	gitx_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_read_the_same_in_git),
		cmocka_unit_test(authors_are_parsed_strictly),
		cmocka_unit_test(single_files_are_committed),
		cmocka_unit_test(damaged_objects_are_written_again),
		cmocka_unit_test(a_file_is_put_into_a_tree),
	};
	return cmocka_run_group_tests_name("gitx write", tests, repo_setup, repo_teardown);
}
