/* gitx: revisions, commits, trees, differences and history as git sees them. Against real
 * repositories made by git. */
#include "repo.h"

#include <unistd.h>

#include "store/base/fs.h"
#include "worker/gitx.h"

static struct oid oid_of(const char *path, const char *rev)
{
	AUTO_FREE char *hex = repo_out(path, "rev-parse --verify -q '%s'", rev);
	struct oid o;
	assert_true(oid_parse(&o, hex));
	return o;
}

static void ids_are_40_hex_digits(void **state)
{
	struct oid o;
	(void)state;
	assert_true(oid_parse(&o, "0123456789abcdefABCDEF0123456789abcdef01"));
	assert_string_equal(o.hex, "0123456789abcdefabcdef0123456789abcdef01");
	assert_false(oid_parse(&o, "0123456789abcdefABCDEF0123456789abcdef0"));
	assert_true(oid_none(&o));
	assert_false(oid_parse(&o, "0123456789abcdefABCDEF0123456789abcdef012"));
	assert_false(oid_parse(&o, "0123456789abcdefABCDEF0123456789abcdeg01"));
	assert_false(oid_parse(&o, ""));
	assert_false(oid_parse(&o, NULL));
}

static void revisions_resolve_as_in_git(void **state)
{
	static const char *const revs[] = {
		"main", "HEAD", "HEAD~1", "HEAD^", "v1", "light", "refs/heads/side", "side~1", "main@{0}",
		"HEAD^2",
	};
	(void)state;
	AUTO_FREE char *repo = repo_make("revs");
	struct err e = {0};
	struct oid got;

	repo_git(repo, "checkout -q -b side");
	repo_commit(repo, "s", "1\n", NULL);
	repo_git(repo, "checkout -q main");
	repo_commit(repo, "m", "1\n", NULL);
	repo_git(repo, "merge -q --no-edit side");
	repo_git(repo, "tag -a -m note v1");
	repo_git(repo, "tag light HEAD~1");
	repo_git(repo, "repack -adq");
	struct gitx *g = repo_open(repo);
	for (size_t i = 0; i < MEM_COUNT(revs); i++) {
		AUTO_FREE char *peeled = mem_printf("%s^{commit}", revs[i]);
		struct oid want = oid_of(repo, peeled);
		assert_ok(gitx_commit_of(g, revs[i], &got, &e), &e);
		assert_string_equal(got.hex, want.hex);
	}
	struct oid head = oid_of(repo, "HEAD"), tree = oid_of(repo, "HEAD^{tree}"), parents[2];
	size_t n = 0;
	assert_ok(gitx_commit_of(g, head.hex, &got, &e), &e);
	assert_ok(gitx_tree_of(g, &head, &got, &e), &e);
	assert_string_equal(got.hex, tree.hex);
	assert_ok(gitx_parents(g, &head, parents, 2, &n, &e), &e);
	assert_int_equal(n, 2);
	assert_string_equal(parents[0].hex, oid_of(repo, "HEAD^1").hex);
	assert_string_equal(parents[1].hex, oid_of(repo, "HEAD^2").hex);
	assert_ok(gitx_parents(g, &head, NULL, 0, &n, &e), &e);
	assert_int_equal(n, 2);
	assert_int_equal(gitx_commit_of(g, "HEAD^{tree}", &got, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_non_null(strstr(e.text, "is a tree"));
	assert_true(oid_none(&got));
	assert_int_equal(gitx_tree_of(g, &tree, &got, &e), -1);
	assert_true(gitx_has_object(g, &tree));
	struct oid absent = {"1234567890123456789012345678901234567890"};
	assert_false(gitx_has_object(g, &absent));
	assert_false(gitx_has_object(g, &(struct oid){""}));
	assert_int_equal(gitx_tree_of(g, &absent, &got, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	gitx_close(g);
}

static void missing_revisions_are_named(void **state)
{
	static const char *const revs[] = {"nosuch", "HEAD~9", "", "refs/heads/x",
	                                   "1234567890123456789012345678901234567890"};
	(void)state;
	AUTO_FREE char *repo = repo_make("missing");
	struct gitx *g = repo_open(repo);
	for (size_t i = 0; i < MEM_COUNT(revs); i++) {
		struct err e = {0};
		struct oid got;
		assert_int_equal(gitx_commit_of(g, revs[i], &got, &e), -1);
		assert_int_equal(e.kind, ERR_MISSING);
		assert_non_null(strstr(e.text, revs[i]));
	}
	gitx_close(g);
}

static void history(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("history");
	struct err e = {0};
	size_t ahead, behind;

	repo_git(repo, "checkout -q -b side");
	repo_commit(repo, "s", "1\n", NULL);
	repo_commit(repo, "s", "2\n", NULL);
	repo_git(repo, "checkout -q main");
	repo_commit(repo, "m", "1\n", NULL);
	struct gitx *g = repo_open(repo);
	static const char *const revs[] = {"main", "side", "main~1", "side~1"};
	for (size_t i = 0; i < MEM_COUNT(revs); i++)
		for (size_t k = 0; k < MEM_COUNT(revs); k++) {
			struct oid a = oid_of(repo, revs[i]), b = oid_of(repo, revs[k]);
			bool got;
			assert_ok(gitx_reaches(g, &a, &b, &got, &e), &e);
			assert_int_equal(got, repo_try(repo, "merge-base --is-ancestor %s %s",
			                               revs[k], revs[i]));
		}
	struct oid main_id = oid_of(repo, "main"), side = oid_of(repo, "side");
	assert_ok(gitx_ahead_behind(g, &side, &main_id, &ahead, &behind, &e), &e);
	assert_int_equal(ahead, 2);
	assert_int_equal(behind, 1);
	struct oid absent = {"1234567890123456789012345678901234567890"};
	bool got;
	assert_int_equal(gitx_reaches(g, &main_id, &absent, &got, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	gitx_close(g);
}

/* Where history is cut off git and bosk agree, whatever the clock said when the commits were made. */
static void shallow_history(void **state)
{
	(void)state;
	AUTO_FREE char *whole = repo_make("whole-history"), *cut = mem_printf("%s/shallow", repo_scratch);
	struct err e = {0};

	setenv("GIT_COMMITTER_DATE", "1900000000 +0000", 1);
	repo_commit(whole, "file", "by a clock that was fast\n", NULL);
	setenv("GIT_COMMITTER_DATE", "1700000000 +0100", 1);
	repo_git(repo_scratch, "clone -q --depth 1 'file://%s' shallow", whole);
	repo_git(cut, "checkout -q -b side");
	repo_commit(cut, "s", "1\n", NULL);
	repo_commit(cut, "s", "2\n", NULL);
	repo_git(cut, "checkout -q main");
	repo_commit(cut, "m", "1\n", NULL);
	repo_git(cut, "merge -q --no-ff -m merge side");
	struct gitx *g = repo_open(cut);
	static const char *const revs[] = {"main", "side", "main~1", "side~1", "side~2"};
	for (size_t i = 0; i < MEM_COUNT(revs); i++)
		for (size_t k = 0; k < MEM_COUNT(revs); k++) {
			struct oid a = oid_of(cut, revs[i]), b = oid_of(cut, revs[k]);
			bool got;
			assert_ok(gitx_reaches(g, &a, &b, &got, &e), &e);
			assert_int_equal(got, repo_try(cut, "merge-base --is-ancestor %s %s", revs[k], revs[i]));
		}
	struct oid tip = oid_of(cut, "main"), edge = oid_of(cut, "side~2"), blob = oid_of(cut, "side~1:s");
	assert_true(gitx_whole(g, &tip, &edge));
	gitx_close(g);
	AUTO_FREE char *path = mem_printf("%s/.git/objects/%.2s/%s", cut, blob.hex, blob.hex + 2);
	assert_int_equal(unlink(path), 0);
	g = repo_open(cut);
	assert_false(gitx_whole(g, &tip, &edge));
	gitx_close(g);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The same names as git diff-tree -z, each once. */
static void assert_same_diff(struct gitx *g, const char *repo, const char *a, const char *b)
{
	AUTO_FREE char *file = mem_printf("%s/names", repo_scratch);
	AUTO_STR struct str names = {0};
	AUTO_STRV struct strv want = {0}, got = {0};
	struct err e = {0};

	repo_git(repo, "diff-tree -r -z --name-only --no-renames %s %s >'%s'", a, b, file);
	assert_ok(fs_read(file, 1 << 20, &names, &e), &e);
	for (size_t at = 0; at < names.len; at += strlen(names.p + at) + 1)
		strv_add(&want, names.p + at);
	struct oid ta = oid_of(repo, a), tb = oid_of(repo, b);
	assert_ok(gitx_diff_paths(g, &ta, &tb, 0, &got, &e), &e);
	assert_int_equal(got.n, want.n);
	if (got.n) {
		qsort(got.v, got.n, sizeof *got.v, by_text);
		qsort(want.v, want.n, sizeof *want.v, by_text);
	}
	for (size_t i = 0; i < got.n; i++)
		assert_string_equal(got.v[i], want.v[i]);
}

static void differences_have_gits_names(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("diff");
	struct err e = {0};

	repo_write(repo, "to-link", "x\n");
	repo_write(repo, "to-dir", "x\n");
	repo_write(repo, "from-dir/a", "x\n");
	repo_write(repo, "from-dir/b", "x\n");
	repo_write(repo, "script", "x\n");
	repo_write(repo, "moved/here", "a file that moves, long enough to be found again\n");
	repo_write(repo, "a.c", "x\n");
	repo_write(repo, "a/c", "x\n");
	repo_git(repo, "add -A");
	repo_git(repo, "update-index --add --cacheinfo 160000,%s,sub", oid_of(repo, "HEAD").hex);
	repo_git(repo, "commit -q -m base");
	repo_git(repo, "config diff.ignoreSubmodules all");
	repo_git(repo, "config submodule.sub.ignore all");
	repo_git(repo, "rm -rq to-link to-dir from-dir moved");
	repo_write(repo, "to-dir/x", "y\n");
	repo_write(repo, "from-dir", "y\n");
	repo_write(repo, "new\nline", "y\n");
	repo_write(repo, "gr\303\274n/\346\227\245.txt", "y\n");
	repo_write(repo, "qu\"ote \\ back", "y\n");
	repo_write(repo, "moved/there", "a file that moves, long enough to be found again\n");
	repo_write(repo, "a/d", "x\n");
	repo_write(repo, "a.c", "y\n");
	AUTO_FREE char *link = mem_printf("%s/to-link", repo);
	assert_int_equal(symlink("elsewhere", link), 0);
	repo_git(repo, "add -A -- ':!sub'");
	repo_git(repo, "update-index --chmod=+x script");
	repo_git(repo, "update-index --cacheinfo 160000,%s,sub", oid_of(repo, "HEAD~1").hex);
	repo_git(repo, "commit -q -m next");
	struct gitx *g = repo_open(repo);
	assert_same_diff(g, repo, "HEAD~1^{tree}", "HEAD^{tree}");
	assert_same_diff(g, repo, "HEAD^{tree}", "HEAD~1^{tree}");
	assert_same_diff(g, repo, "HEAD^{tree}", "HEAD^{tree}");

	struct oid none = {""}, tree = oid_of(repo, "HEAD~2^{tree}");
	struct oid empty = {"4b825dc642cb6eb9a060e54bf8d69288fbee4904"};
	const struct oid *const pairs[][2] = {{&none, &tree}, {&tree, &none}, {&empty, &tree}};
	for (size_t i = 0; i < MEM_COUNT(pairs); i++) {
		AUTO_STRV struct strv got = {0};
		assert_ok(gitx_diff_paths(g, pairs[i][0], pairs[i][1], 0, &got, &e), &e);
		assert_int_equal(got.n, 1);
		assert_string_equal(got.v[0], "file");
	}
	AUTO_STRV struct strv got = {0};
	assert_ok(gitx_diff_paths(g, &none, &none, 0, &got, &e), &e);
	assert_ok(gitx_diff_paths(g, &none, &empty, 0, &got, &e), &e);
	assert_int_equal(got.n, 0);
	tree = oid_of(repo, "HEAD^{tree}");
	assert_ok(gitx_diff_paths(g, &none, &tree, 3, &got, &e), &e);
	assert_int_equal(got.n, 3);
	struct oid commit = oid_of(repo, "HEAD");
	assert_int_equal(gitx_diff_paths(g, &none, &commit, 0, &got, &e), -1);
	gitx_close(g);
}

static void files_and_messages_are_read(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("read");
	AUTO_STR struct str text = {0};
	struct err e = {0};

	repo_write(repo, "deep/er/f", "content\n");
	repo_git(repo, "add -A");
	repo_git(repo, "commit -q --cleanup=verbatim -m '\n\nsubject\n\nbody\n\n'");
	struct gitx *g = repo_open(repo);
	struct oid head = oid_of(repo, "HEAD");
	assert_ok(gitx_message(g, &head, &text, &e), &e);
	assert_string_equal(text.p, "\n\nsubject\n\nbody\n\n");
	str_clear(&text);
	assert_ok(gitx_read_file(g, &head, "deep/er/f", &text, &e), &e);
	assert_string_equal(text.p, "content\n");
	static const char *const none[] = {"deep/er", "deep/er/g", "nosuch", "file/x"};
	for (size_t i = 0; i < MEM_COUNT(none); i++) {
		assert_int_equal(gitx_read_file(g, &head, none[i], &text, &e), -1);
		assert_int_equal(e.kind, ERR_MISSING);
		assert_non_null(strstr(e.text, none[i]));
	}
	gitx_close(g);
}

/* Cut off anywhere, as a power cut leaves it: an error, and no reading on for ever. */
static void a_loose_object_that_is_cut_off_is_an_error(void **state)
{
	static const char *const which[] = {"HEAD", "HEAD^{tree}", "HEAD:file"};
	(void)state;
	AUTO_FREE char *repo = repo_make("cut");
	struct err e = {0};
	bool reaches;
	size_t n;

	repo_commit(repo, "file", "content that is long enough to be cut off in its middle\n", NULL);
	struct oid head = oid_of(repo, "HEAD"), before = oid_of(repo, "HEAD~1"), got;
	for (size_t i = 0; i < MEM_COUNT(which); i++) {
		struct oid id = oid_of(repo, which[i]);
		AUTO_FREE char *path = mem_printf("%s/.git/objects/%.2s/%s", repo, id.hex, id.hex + 2);
		AUTO_STR struct str whole = {0};
		assert_ok(fs_read(path, 4096, &whole, &e), &e);
		for (size_t length = 0; length < whole.len; length++) {
			AUTO_STR struct str text = {0};
			assert_int_equal(unlink(path), 0);
			assert_ok(fs_write(path, whole.p, length, false, &e), &e);
			struct gitx *g = repo_open(repo);
			assert_false(gitx_has_object(g, &id));
			assert_int_equal(gitx_read_file(g, &head, "file", &text, &e), -1);
			assert_int_equal(e.kind, ERR_DAMAGED);
			if (i != 1) /* there libgit2 has words of its own */
				assert_non_null(strstr(e.text, path));
			if (i == 0) {
				assert_int_equal(gitx_parents(g, &head, &got, 1, &n, &e), -1);
				assert_int_equal(gitx_reaches(g, &head, &before, &reaches, &e), -1);
			}
			gitx_close(g);
		}
		assert_ok(fs_write(path, whole.p, whole.len, false, &e), &e);
	}
	/* A pack that has it too is good for it. */
	AUTO_FREE char *path = mem_printf("%s/.git/objects/%.2s/%s", repo, head.hex, head.hex + 2);
	AUTO_FREE char *folder = mem_printf("%s/.git/objects/%.2s", repo, head.hex);
	AUTO_STR struct str text = {0};
	repo_git(repo, "repack -adq");
	assert_ok(fs_mkdirs(folder, &e), &e);
	assert_ok(fs_write(path, "", 0, false, &e), &e);
	struct gitx *g = repo_open(repo);
	assert_ok(gitx_read_file(g, &head, "file", &text, &e), &e);
	gitx_close(g);
}

static void a_damaged_object_is_not_found_by_its_first_digits(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("prefix");
	struct err e = {0};
	struct oid head = oid_of(repo, "HEAD"), got;
	AUTO_FREE char *path = mem_printf("%s/.git/objects/%.2s/%s", repo, head.hex, head.hex + 2);
	AUTO_FREE char *prefix = mem_strndup(head.hex, 12);
	AUTO_STR struct str whole = {0};

	assert_ok(fs_read(path, 4096, &whole, &e), &e);
	struct gitx *g = repo_open(repo);
	assert_ok(gitx_commit_of(g, prefix, &got, &e), &e);
	gitx_close(g);
	assert_int_equal(unlink(path), 0);
	assert_ok(fs_write(path, whole.p, whole.len / 2, false, &e), &e);
	g = repo_open(repo);
	assert_int_equal(gitx_commit_of(g, prefix, &got, &e), -1);
	gitx_close(g);
}

static int leaking(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(missing_revisions_are_named),
	                                   cmocka_unit_test(a_damaged_object_is_not_found_by_its_first_digits)};
	return cmocka_run_group_tests_name("gitx, no match", tests, repo_setup, repo_teardown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_40_hex_digits),
		cmocka_unit_test(revisions_resolve_as_in_git),
		cmocka_unit_test(history),
		cmocka_unit_test(shallow_history),
		cmocka_unit_test(differences_have_gits_names),
		cmocka_unit_test(files_and_messages_are_read),
		cmocka_unit_test(a_loose_object_that_is_cut_off_is_an_error),
	};
	int failed = repo_forked(leaking);
	return failed + cmocka_run_group_tests_name("gitx objects", tests, repo_setup, repo_teardown);
}
