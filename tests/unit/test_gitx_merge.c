/* The merge in process: the traps of merging trees by hand, and what it must leave to git. */
#include "test.h"

#include "repo.h"
#include "store/base/fs.h"
#include "worker/gitx.h"

struct fixture {
	char *repo;
	char *blob[4];
	struct gitx *g;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);

	f->repo = repo_make("merge");
	repo_git(f->repo, "mktree </dev/null"); /* git stores the empty tree only when asked to */
	for (int i = 1; i < 4; i++)
		f->blob[i] = repo_out(f->repo, "hash-object -w --stdin <<E\nblob %d\nE\n", i);
	f->g = repo_open(f->repo);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	gitx_close(f->g);
	for (int i = 1; i < 4; i++)
		free(f->blob[i]);
	assert_int_equal(fs_remove_tree(f->repo, &e), 0);
	free(f->repo);
	free(f);
	return 0;
}

/* "100644 1 name, 040000 TREEID name": a digit is that blob. The tree's id; the caller owns it. */
static char *tree(struct fixture *f, const char *spec)
{
	AUTO_STR struct str lines = {0};
	AUTO_FREE char *copy = mem_strdup(spec);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ",")) && *item) {
		char mode[8], id[48], name[64];
		assert_int_equal(sscanf(item, " %7s %47s %63s", mode, id, name), 3);
		const char *type = str_eq(mode, "040000") ? "tree" : str_eq(mode, "160000") ? "commit" : "blob";
		str_addf(&lines, "%s %s %s\t%s\n", mode, type, strlen(id) == 1 ? f->blob[id[0] - '0'] : id, name);
	}
	return repo_out(f->repo, "mktree --missing <<'E'\n%sE\n", str_text(&lines));
}

static struct oid commit(struct fixture *f, const char *tree_id, const struct oid *parent)
{
	struct oid id;
	AUTO_FREE char *hex = parent ? repo_out(f->repo, "commit-tree -p %s -m c %s", parent->hex, tree_id)
	                             : repo_out(f->repo, "commit-tree -m c %s", tree_id);
	assert_true(oid_parse(&id, hex));
	return id;
}

/* As git merges it, or "" when it is left to git. The caller owns it. Trees are given up. */
static char *merged(struct fixture *f, char *base, char *ours, char *theirs)
{
	struct oid b = commit(f, base, NULL), out = {""};
	struct err e = {0};
	bool done;

	/* Two sides with one tree are still two commits. */
	AUTO_FREE char *hex = repo_out(f->repo, "commit-tree -p %s -m ours %s", b.hex, ours);
	struct oid o, t = commit(f, theirs, &b);
	assert_true(oid_parse(&o, hex));
	assert_ok(gitx_merge(f->g, &done, &out, &b, &o, &t, &e), &e);
	if (done) {
		AUTO_FREE char *git = repo_out(f->repo, "merge-tree --write-tree %s %s", o.hex, t.hex);
		assert_string_equal(out.hex, git);
		repo_fsck(f->repo);
	}
	free(base);
	free(ours);
	free(theirs);
	return mem_strdup(done ? out.hex : "");
}

static void assert_merged(struct fixture *f, char *base, char *ours, char *theirs, char *wanted)
{
	AUTO_FREE char *got = merged(f, base, ours, theirs);
	assert_string_equal(got, wanted);
	free(wanted);
}
#define T(spec) tree(f, spec)

static void left_to_git(struct fixture *f, char *base, char *ours, char *theirs)
{
	assert_merged(f, base, ours, theirs, mem_strdup(""));
}

static char *sub(struct fixture *f, const char *name, const char *spec, const char *more)
{
	AUTO_FREE char *id = tree(f, spec);
	AUTO_FREE char *all = mem_printf("040000 %s %s%s%s", id, name, *more ? ", " : "", more);
	return tree(f, all);
}
#define SUB(name, spec, more) sub(f, name, spec, more)

static void changes_on_one_side_are_taken(void **state)
{
	struct fixture *f = *state;
	assert_merged(f, T("100644 1 a, 100644 1 b"), T("100644 2 a, 100644 1 b"), T("100644 1 a, 100644 3 b"),
	              T("100644 2 a, 100644 3 b"));
	/* Deleted, added, made executable, a link, a submodule. */
	assert_merged(f, T("100644 1 a, 100644 1 b, 100644 1 c"), T("100755 1 b, 100644 1 c, 100644 2 d"),
	              T("100644 1 a, 100644 1 b, 120000 1 c"), T("100755 1 b, 120000 1 c, 100644 2 d"));
	assert_merged(f, T("100644 1 a"),
	              T("100644 1 a, 160000 0123456789012345678901234567890123456789 m"), T("100644 2 a"),
	              T("100644 2 a, 160000 0123456789012345678901234567890123456789 m"));
	/* A file becomes a folder, a folder a file. */
	assert_merged(f, T("100644 1 a, 100644 1 x"), SUB("x", "100644 1 in", "100644 1 a"),
	              T("100644 2 a, 100644 1 x"), SUB("x", "100644 1 in", "100644 2 a"));
	assert_merged(f, SUB("x", "100644 1 in", "100644 1 a"), T("100644 1 a, 100644 1 x"),
	              SUB("x", "100644 1 in", "100644 2 a"), T("100644 2 a, 100644 1 x"));
}

static void file_and_folder_of_one_name_meet(void **state)
{
	struct fixture *f = *state;
	/* In git's order x-1 and x.c stand between the file x and the folder x. */
	left_to_git(f, T("100644 1 x-1, 100644 1 x.c"), T("100644 2 x, 100644 1 x-1, 100644 1 x.c"),
	            SUB("x", "100644 1 in", "100644 1 x-1, 100644 1 x.c"));
	assert_merged(f, SUB("x", "100644 1 in", "100644 1 x-1"), SUB("x", "100644 1 in", "100644 1 x-1, 100644 2 x.c"),
	              SUB("x", "100644 2 in", "100644 1 x-1"), SUB("x", "100644 2 in", "100644 1 x-1, 100644 2 x.c"));
}

static void an_old_mode_is_no_change(void **state)
{
	struct fixture *f = *state;
	/* Left out on one side only by its mode: the other side's change counts. */
	assert_merged(f, T("100664 1 a, 100644 1 b"), T("100644 1 a, 100644 2 b"), T("100664 2 a, 100644 1 b"),
	              T("100644 2 a, 100644 2 b"));
}

static void empty_folders(void **state)
{
	struct fixture *f = *state;
	static const char stored[] = "040000 4b825dc642cb6eb9a060e54bf8d69288fbee4904 e, 100644 1 a, 100644 1 b";
	/* One that is stored and that neither side changed stays. */
	assert_merged(f, T(stored), T("040000 4b825dc642cb6eb9a060e54bf8d69288fbee4904 e, 100644 2 a, 100644 1 b"),
	              T("040000 4b825dc642cb6eb9a060e54bf8d69288fbee4904 e, 100644 1 a, 100644 2 b"),
	              T("040000 4b825dc642cb6eb9a060e54bf8d69288fbee4904 e, 100644 2 a, 100644 2 b"));
	/* One that both sides have emptied together goes. */
	assert_merged(f, SUB("d", "100644 1 x, 100644 2 y", "100644 1 a"), SUB("d", "100644 1 x", "100644 1 a"),
	              SUB("d", "100644 2 y", "100644 1 a"), T("100644 1 a"));
}

static void the_same_on_both_sides(void **state)
{
	struct fixture *f = *state;
	assert_merged(f, T("100644 1 a"), T("100644 2 a, 100644 3 n"), T("100644 2 a, 100644 3 n"),
	              T("100644 2 a, 100644 3 n"));
	/* Deleted on both sides: it may be renamed on each to another name. */
	left_to_git(f, T("100644 1 a, 100644 1 b"), T("100644 1 a, 100644 2 p"), T("100644 1 a, 100644 3 q"));
	/* The same inside a folder that is now equal on both sides. */
	left_to_git(f, SUB("d", "100644 1 x, 100644 2 y", ""), SUB("d", "100644 2 y", "100644 1 p"),
	            SUB("d", "100644 2 y", "100644 1 q"));
	/* Another kind on both sides. */
	left_to_git(f, T("100644 1 a"), T("120000 1 a"), T("120000 1 a"));
}

static void what_may_be_a_rename_is_left_to_git(void **state)
{
	struct fixture *f = *state;
	/* A renamed file that the other side changed; a file added to a folder that the other side moved. */
	left_to_git(f, T("100644 1 a"), T("100644 1 b"), T("100644 2 a"));
	left_to_git(f, SUB("d", "100644 1 x", ""), SUB("moved", "100644 1 x", ""),
	            SUB("d", "100644 1 x, 100644 2 new", ""));
	left_to_git(f, T("100644 1 a"), T("100644 2 a"), T("100644 3 a"));
}

static void only_by_the_base_git_would_take(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *one = T("100644 1 a, 100644 1 b"), *two = T("100644 2 a, 100644 1 b");
	AUTO_FREE char *three = T("100644 2 a, 100644 3 b");
	struct oid root = commit(f, one, NULL), base = commit(f, two, &root), theirs = commit(f, three, &base);
	struct oid tree_id;
	struct err e = {0};
	bool done;

	/* The tip was reset to before the base: git brings the base's change with it. */
	assert_ok(gitx_merge(f->g, &done, &tree_id, &base, &root, &theirs, &e), &e);
	assert_false(done);
	/* The tip holds the commit already, and what it did was taken back since. */
	struct oid undone = commit(f, two, &theirs);
	assert_ok(gitx_merge(f->g, &done, &tree_id, &base, &undone, &theirs, &e), &e);
	assert_false(done);
	assert_ok(gitx_merge(f->g, &done, &tree_id, &base, &base, &theirs, &e), &e);
	assert_true(done);
	assert_string_equal(tree_id.hex, three);
}

static void missing_objects_and_wrong_ids(void **state)
{
	struct fixture *f = *state;
	/* A folder that is not there, on a side that must be entered; one that need not be is no matter. */
	AUTO_FREE char *good = SUB("d", "100644 1 x", "");
	AUTO_FREE char *other = SUB("d", "100644 2 x", "");
	AUTO_FREE char *gone = T("040000 0123456789012345678901234567890123456789 d");
	struct oid base = commit(f, good, NULL), ours = commit(f, other, &base), theirs, tree_id, wrong;
	struct err e = {0};
	bool done;
	AUTO_FREE char *hex = repo_out(f->repo, "hash-object -t commit -w --stdin <<E\n"
	                               "tree %s\nparent %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\nE\n",
	                               gone, base.hex);

	assert_true(oid_parse(&theirs, hex));
	assert_int_equal(gitx_merge(f->g, &done, &tree_id, &base, &ours, &theirs, &e), -1);
	assert_false(done);
	err_clear(&e);
	assert_true(oid_parse(&wrong, "0123456789012345678901234567890123456789"));
	assert_int_equal(gitx_merge(f->g, &done, &tree_id, &base, &ours, &wrong, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_false(done);
}

static void a_repository_with_a_caveat_is_left_to_git(void **state)
{
	struct fixture *f = *state;
	repo_commit(f->repo, "file", "two\n", NULL);
	repo_git(f->repo, "replace HEAD HEAD~1");
	left_to_git(f, T("100644 1 a, 100644 1 b"), T("100644 2 a, 100644 1 b"), T("100644 1 a, 100644 3 b"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_on_one_side_are_taken),
		TEST(file_and_folder_of_one_name_meet),
		TEST(an_old_mode_is_no_change),
		TEST(empty_folders),
		TEST(the_same_on_both_sides),
		TEST(what_may_be_a_rename_is_left_to_git),
		TEST(only_by_the_base_git_would_take),
		TEST(missing_objects_and_wrong_ids),
		TEST(a_repository_with_a_caveat_is_left_to_git),
	};
	return cmocka_run_group_tests_name("gitx_merge", tests, repo_setup, repo_teardown);
}
