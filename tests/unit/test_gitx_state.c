/* gitx: branches and lists of refs, where branches are checked out, and what makes merges git's
 * business. Against real repositories made by git. */
#include "repo.h"

#include "store/base/fs.h"
#include "worker/gitx.h"

/* ---- branches ---- */

static void head_and_upstream(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("upstream");
	AUTO_FREE char *copy = mem_printf("%s/upstream copy", repo_scratch);
	AUTO_FREE char *branch = NULL;
	AUTO_FREE char *up = NULL;
	struct err e = {0};

	repo_git(repo_scratch, "clone -q '%s' '%s'", repo, copy);
	repo_git(copy, "branch -q local");
	struct gitx *g = repo_open(copy);
	assert_ok(gitx_head_branch(g, &branch, &e), &e);
	assert_string_equal(branch, "main");
	assert_ok(gitx_upstream(g, "main", &up, &e), &e);
	assert_string_equal(up, "refs/remotes/origin/main");
	free(mem_steal(&up));
	assert_int_equal(gitx_upstream(g, "local", &up, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_null(up);
	repo_git(copy, "branch -q --set-upstream-to=main local");
	assert_ok(gitx_upstream(g, "local", &up, &e), &e);
	assert_string_equal(up, "refs/heads/main");
	free(mem_steal(&branch));
	repo_git(copy, "checkout -q --detach");
	assert_int_equal(gitx_head_branch(g, &branch, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	repo_git(copy, "checkout -q --orphan 'new/born'");
	assert_ok(gitx_head_branch(g, &branch, &e), &e);
	assert_string_equal(branch, "new/born");
	gitx_close(g);
}

static void branch_names_as_git_takes_them(void **state)
{
	static const char *const names[] = {
		"main", "a/b", "a-b", "a.b", "-a", "a..b", ".a", "a/.b", "a.lock", "a.lock/b", "a/",
		"/a", "a//b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a@{b", "@a",
		"a@", "HEAD", "a.", "a\tb", "a\177b", "\303\244", "a{b", "a;b", "refs/heads/a", "",
	};
	(void)state;
	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		setenv("NAME", names[i], 1);
		bool git = repo_try(repo_scratch, "check-ref-format --branch \"$NAME\"");
		if (gitx_branch_name_ok(names[i]) != git)
			fail_msg("'%s': git says %s", names[i], git ? "yes" : "no");
	}
	char longest[300] = "x/";
	memset(longest + 2, 'a', 250);
	assert_true(gitx_branch_name_ok(longest));
	longest[252] = 'a'; /* with ".lock" no file name any more */
	assert_false(gitx_branch_name_ok(longest));
}

static void lists_are_sorted_and_whole(void **state)
{
	static const char *const made[] = {"refs/bosk/k/b", "refs/bosk/k/a/1", "refs/bosk/kk/x",
	                                   "refs/bosk/k/a/0"};
	(void)state;
	AUTO_FREE char *repo = repo_make("list");
	struct gitx *g = repo_open(repo);
	struct err e = {0};
	for (size_t i = 0; i < MEM_COUNT(made); i++) {
		repo_git(repo, "update-ref %s HEAD", made[i]);
		if (i == 1)
			repo_git(repo, "pack-refs --all");
	}
	struct {
		const char *prefix, *want;
	} cases[] = {
		{"refs/bosk/k/", "refs/bosk/k/a/0\nrefs/bosk/k/a/1\nrefs/bosk/k/b"},
		{"refs/bosk/k", "refs/bosk/k/a/0\nrefs/bosk/k/a/1\nrefs/bosk/k/b\nrefs/bosk/kk/x"},
		{"refs/bosk/k/a/1", "refs/bosk/k/a/1"},
		{"refs/bosk/none/", ""},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_STRV struct strv got = {0};
		AUTO_STR struct str text = {0};
		assert_ok(gitx_ref_list(g, cases[i].prefix, &got, &e), &e);
		for (size_t k = 0; k < got.n; k++)
			str_addf(&text, "%s%s", k ? "\n" : "", got.v[k]);
		assert_string_equal(str_text(&text), cases[i].want);
	}
	AUTO_STRV struct strv got = {0};
	assert_int_equal(gitx_ref_list(g, "heads/", &got, &e), -1);
	assert_int_equal(gitx_ref_list(g, "refs/*", &got, &e), -1);
	gitx_close(g);
}

/* ---- checked out where ---- */

static void assert_held(struct gitx *g, const char *branch, const char *top)
{
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", branch);
	AUTO_FREE char *path = NULL;
	struct err e = {0};
	int rc = gitx_checked_out(g, ref, &path, &e);
	if (!top) {
		assert_int_equal(rc, -1);
		assert_int_equal(e.kind, ERR_MISSING);
		return;
	}
	assert_ok(rc, &e);
	assert_string_equal(path, top);
}

static void branches_checked_out(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("checked out");
	AUTO_FREE char *wt = mem_printf("%s/wt one", repo_scratch);
	AUTO_FREE char *off = mem_printf("%s/wt-off", repo_scratch);
	char base[41];

	repo_commit(repo, "file", "two\n", base);
	repo_git(repo, "branch free");
	repo_git(repo, "branch mai");
	repo_git(repo, "worktree add -q -b one '%s'", wt);
	repo_git(repo, "worktree add -q --detach '%s'", off);
	const char *const views[] = {repo, wt, off};
	for (size_t i = 0; i < MEM_COUNT(views); i++) {
		struct gitx *g = repo_open(views[i]);
		assert_held(g, "main", repo);
		assert_held(g, "one", wt);
		assert_held(g, "free", NULL);
		assert_held(g, "mai", NULL); /* the beginning of a name is not the name */
		gitx_close(g);
	}

	/* Over a symbolic ref, and more than once. */
	struct gitx *g = repo_open(repo);
	AUTO_STRV struct strv all = {0};
	struct err e = {0};
	repo_git(off, "symbolic-ref refs/heads/alias refs/heads/free");
	repo_git(off, "symbolic-ref HEAD refs/heads/alias");
	assert_held(g, "free", off);
	repo_git(off, "checkout -q --detach");
	repo_git(off, "branch -D -q alias");
	assert_held(g, "free", NULL);
	repo_git(off, "checkout -q --ignore-other-worktrees main");
	assert_ok(gitx_checked_out_all(g, "refs/heads/main", &all, &e), &e);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.v[0], repo);
	assert_string_equal(all.v[1], off);
	repo_git(off, "checkout -q --detach");

	/* A rebase that stopped: HEAD is detached, the branch is moved at its end. */
	repo_git(off, "checkout -q -b topic HEAD~1");
	repo_commit(off, "file", "three\n", NULL);
	assert_false(repo_try(off, "rebase -q main"));
	assert_held(g, "topic", off);
	repo_git(off, "rebase --abort");
	assert_false(repo_try(off, "rebase -q --apply main"));
	assert_held(g, "topic", off);
	repo_git(off, "rebase --abort");
	/* The branches that rebase --update-refs will carry along. */
	repo_git(off, "branch carried");
	repo_commit(off, "other", "x\n", NULL);
	assert_false(repo_try(off, "rebase -q --update-refs main"));
	assert_held(g, "carried", off);
	repo_git(off, "rebase --abort");
	assert_held(g, "carried", NULL);
	/* A bisect comes back to its branch. */
	repo_git(off, "bisect start HEAD HEAD~2");
	assert_held(g, "topic", off);
	assert_held(g, "free", NULL);
	repo_git(off, "bisect reset");
	repo_git(off, "checkout -q --detach");
	assert_held(g, "topic", NULL);

	/* HEAD as a symbolic link, as old git wrote it. */
	repo_git(wt, "config core.preferSymlinkRefs true");
	repo_git(wt, "symbolic-ref HEAD refs/heads/free");
	assert_held(g, "free", wt);
	repo_git(wt, "config --unset core.preferSymlinkRefs");
	/* A removed worktree counts until it is pruned; so it does for git. */
	assert_ok(fs_remove_tree(wt, &e), &e);
	assert_held(g, "free", wt);
	repo_git(repo, "worktree prune");
	assert_held(g, "free", NULL);
	gitx_close(g);
	repo_fsck(repo);
}

static void relative_worktrees(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("relative");
	AUTO_FREE char *wt = mem_printf("%s/relative-wt", repo_scratch);
	AUTO_FREE char *link = mem_printf("%s/.git", wt);
	AUTO_FREE char *back = mem_printf("%s/.git/worktrees/relative-wt/gitdir", repo);
	static const char to[] = "gitdir: ../relative/.git/worktrees/relative-wt\n";
	static const char from[] = "../../../../relative-wt/.git\n";
	struct err e = {0};

	/* By hand, as git 2.48 writes it: the git used here may be older. */
	repo_git(repo, "worktree add -q -b rel '%s'", wt);
	assert_ok(fs_write(link, to, strlen(to), false, &e), &e);
	assert_ok(fs_write(back, from, strlen(from), false, &e), &e);
	repo_git(repo, "config core.repositoryformatversion 1");
	repo_git(repo, "config extensions.relativeWorktrees true");
	struct gitx *g = repo_open(wt);
	assert_string_equal(gitx_top(g), wt);
	assert_string_equal(gitx_main_top(g), repo);
	assert_held(g, "rel", wt);
	gitx_close(g);
}

/* ---- caveats ---- */

static void assert_caveat(const char *path, const char *word)
{
	struct gitx *g = repo_open(path);
	const char *text = gitx_merge_caveat(g);
	if (word) {
		assert_non_null(text);
		assert_non_null(strstr(text, word));
	} else if (text) {
		fail_msg("unexpected: %s", text);
	}
	gitx_close(g);
}

static void caveats_for_merging(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("plain");
	AUTO_FREE char *shallow = mem_printf("%s/shallow", repo_scratch);
	AUTO_FREE char *wt = mem_printf("%s/shallow-wt", repo_scratch);

	repo_commit(repo, "file", "two\n", NULL);
	assert_caveat(repo, NULL);
	repo_git(repo_scratch, "clone -q --depth 1 'file://%s' shallow", repo);
	assert_caveat(shallow, "shallow");
	repo_git(shallow, "worktree add -q '%s'", wt);
	assert_caveat(wt, "shallow"); /* the common folder counts */
	repo_git(repo, "replace HEAD HEAD~1");
	assert_caveat(repo, "replace");
	repo_git(repo, "pack-refs --all");
	assert_caveat(repo, "replace");
	repo_git(repo, "replace -d HEAD");
	assert_caveat(repo, NULL);
	repo_write(repo, ".git/info/grafts", "");
	assert_caveat(repo, NULL);
	repo_write(repo, ".git/info/grafts", "# a graft\n");
	assert_caveat(repo, "grafts");
}

static void partial_clones_have_a_caveat(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("whole");
	AUTO_FREE char *partial = mem_printf("%s/partial", repo_scratch);

	repo_git(repo, "config uploadpack.allowFilter true");
	repo_git(repo_scratch, "clone -q --filter=blob:none 'file://%s' partial", repo);
	assert_caveat(partial, "partial");
	repo_git(partial, "config remote.origin.promisor false");
	assert_caveat(partial, NULL);
	/* As git wrote it before 2.24, in format version 0. */
	repo_git(repo, "config extensions.partialClone origin");
	assert_caveat(repo, "partial");
}

static int format_version_1(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_worktrees),
		cmocka_unit_test(partial_clones_have_a_caveat),
	};
	return cmocka_run_group_tests_name("gitx state, format 1", tests, repo_setup,
	                                   repo_teardown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_and_upstream),
		cmocka_unit_test(branch_names_as_git_takes_them),
		cmocka_unit_test(lists_are_sorted_and_whole),
		cmocka_unit_test(branches_checked_out),
		cmocka_unit_test(caveats_for_merging),
	};
	int failed = repo_forked(format_version_1);
	return failed +
	       cmocka_run_group_tests_name("gitx state", tests, repo_setup, repo_teardown);
}
