/* gitx: which repositories open, where their folders are found, and which are refused with what
 * words. Against real repositories made by git. */
#include "repo.h"

#include <dlfcn.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/gitx.h"

static void assert_refused(const char *path, const char *word, const char *advice)
{
	struct gitx *g = NULL;
	struct err e = {0};
	assert_int_equal(gitx_open(&g, path, &e), -1);
	assert_null(g);
	assert_int_equal(e.kind, ERR_ENV);
	assert_int_equal(err_exit_code(&e), 4);
	if (!strstr(e.text, word) || !strstr(e.text, advice) || !strstr(e.text, path))
		fail_msg("expected '%s', '%s' and the path in: %s", word, advice, e.text);
}

/* ---- opening ---- */

static void places_are_found(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("with space");
	AUTO_FREE char *sub = mem_printf("%s/deep/er", repo);
	AUTO_FREE char *wt = mem_printf("%s/linked one", repo_scratch);
	AUTO_FREE char *git = mem_printf("%s/.git", repo);
	AUTO_FREE char *wt_git = mem_printf("%s/.git/worktrees/linked-one", repo);
	struct err e = {0};

	assert_ok(fs_mkdirs(sub, &e), &e);
	repo_git(repo, "worktree add -q -b side '%s'", wt);
	/* None of these may be looked at. */
	setenv("GIT_DIR", "/nonexistent", 1);
	setenv("GIT_OBJECT_DIRECTORY", "/nonexistent", 1);
	setenv("GIT_NAMESPACE", "other", 1);
	const char *const inside[] = {repo, sub, git};
	for (size_t i = 0; i < MEM_COUNT(inside); i++) {
		struct gitx *g = repo_open(inside[i]);
		assert_string_equal(gitx_top(g), repo);
		assert_string_equal(gitx_main_top(g), repo);
		assert_string_equal(gitx_common_dir(g), git);
		assert_string_equal(gitx_git_dir(g), git);
		gitx_close(g);
	}
	struct gitx *g = repo_open(wt);
	assert_string_equal(gitx_top(g), wt);
	assert_string_equal(gitx_main_top(g), repo);
	assert_string_equal(gitx_common_dir(g), git);
	assert_string_equal(gitx_git_dir(g), wt_git);
	AUTO_FREE char *branch = NULL;
	assert_ok(gitx_head_branch(g, &branch, &e), &e);
	assert_string_equal(branch, "side");
	gitx_close(g);
	repo_env(repo_scratch);
}

static void unusual_layouts_open(void **state)
{
	(void)state;
	/* sparse checkout: extensions.worktreeConfig, and core.worktree moved to config.worktree */
	AUTO_FREE char *repo = repo_make("sparse");
	AUTO_FREE char *elsewhere = mem_printf("%s/elsewhere", repo_scratch);
	struct err e = {0};
	repo_git(repo, "sparse-checkout set --no-cone file");
	repo_git(repo, "config core.repositoryformatversion 1");
	struct gitx *g = repo_open(repo);
	assert_string_equal(gitx_top(g), repo);
	gitx_close(g);
	assert_ok(fs_mkdirs(elsewhere, &e), &e);
	repo_git(repo, "config --worktree core.worktree '%s'", elsewhere);
	assert_int_equal(gitx_open(&g, repo, &e), -1);
	assert_int_equal(e.kind, ERR_ENV);
	assert_non_null(strstr(e.text, "does not find its way back"));
	AUTO_FREE char *link = mem_printf("gitdir: %s/.git\n", repo);
	repo_write(elsewhere, ".git", link);
	g = repo_open(repo);
	assert_string_equal(gitx_top(g), elsewhere);
	gitx_close(g);

	/* a git folder elsewhere, seen from the main and from a linked worktree */
	AUTO_FREE char *apart = mem_printf("%s/apart", repo_scratch);
	AUTO_FREE char *apart_git = mem_printf("%s/apart.git", repo_scratch);
	AUTO_FREE char *apart_wt = mem_printf("%s/apart-wt", repo_scratch);
	assert_ok(fs_mkdirs(apart, &e), &e);
	repo_git(apart, "init -q -b main --separate-git-dir '%s' .", apart_git);
	repo_commit(apart, "f", "1\n", NULL);
	repo_git(apart, "worktree add -q -b side '%s'", apart_wt);
	g = repo_open(apart);
	assert_string_equal(gitx_top(g), apart);
	assert_string_equal(gitx_common_dir(g), apart_git);
	gitx_close(g);
	g = repo_open(apart_wt);
	assert_string_equal(gitx_top(g), apart_wt);
	assert_string_equal(gitx_main_top(g), apart_wt); /* git does not know it either */
	gitx_close(g);

	/* a worktree of a bare repository is no bare repository */
	AUTO_FREE char *bare = mem_printf("%s/hub.git", repo_scratch);
	AUTO_FREE char *bare_wt = mem_printf("%s/hub-wt", repo_scratch);
	AUTO_FREE char *found = NULL;
	repo_git(repo_scratch, "clone -q --bare '%s' '%s'", apart, bare);
	repo_git(bare, "worktree add -q '%s' side", bare_wt);
	g = repo_open(bare_wt);
	assert_string_equal(gitx_main_top(g), bare_wt);
	/* its HEAD says main, but nobody has main checked out */
	assert_int_equal(gitx_checked_out(g, "refs/heads/main", &found, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_ok(gitx_checked_out(g, "refs/heads/side", &found, &e), &e);
	assert_string_equal(found, bare_wt);
	gitx_close(g);
	assert_refused(bare, "bare", "git worktree add");
	/* ... also when git has moved core.bare out of libgit2's sight */
	repo_git(bare, "config extensions.worktreeConfig true");
	repo_git(bare, "config --worktree core.bare true");
	repo_git(bare, "config --file '%s/config' --unset core.bare", bare);
	assert_refused(bare, "bare", "git worktree add");
}

static void others_are_refused_with_advice(void **state)
{
	(void)state;
	AUTO_FREE char *sha256 = mem_printf("%s/sha256", repo_scratch);
	AUTO_FREE char *strange = repo_make("strange");
	AUTO_FREE char *reftable = repo_make("reftable");
	AUTO_FREE char *newer = repo_make("newer");
	AUTO_FREE char *absent = mem_printf("%s/absent", repo_scratch);
	struct err e = {0};

	assert_refused(repo_scratch, "not in a git repository", "git init");
	assert_refused(absent, "no folder", absent);
	assert_ok(fs_mkdirs(sha256, &e), &e);
	repo_git(sha256, "init -q --object-format=sha256 .");
	assert_refused(sha256, "sha256", "sha1");
	repo_git(strange, "config core.repositoryformatversion 1");
	repo_git(strange, "config extensions.frobnicate true");
	assert_refused(strange, "'frobnicate'", "clone");
	repo_git(reftable, "config core.repositoryformatversion 1");
	repo_git(reftable, "config extensions.refStorage reftable");
	assert_refused(reftable, "reftable", "git refs migrate");
	repo_git(newer, "config core.repositoryformatversion 7");
	assert_refused(newer, "version", "7");
}

static void foreign_owner_is_refused(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("foreign");
	AUTO_FREE char *config = mem_printf("%s/.gitconfig", repo_scratch);
	struct err e = {0};

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	AUTO_FREE char *command = mem_printf("chown -R 65534 '%s'", repo);
	assert_int_equal(system(command), 0);
	assert_refused(repo, "another user", "safe.directory");
	/* Another message inside libgit2 once the key exists. */
	AUTO_FREE char *star = mem_strdup("[safe]\n\tdirectory = /elsewhere\n");
	assert_ok(fs_write(config, star, strlen(star), false, &e), &e);
	assert_refused(repo, "another user", "safe.directory");
	AUTO_FREE char *this = mem_printf("[safe]\n\tdirectory = %s\n", repo);
	assert_ok(fs_write(config, this, strlen(this), false, &e), &e);
	gitx_close(repo_open(repo));
	unlink(config);
}

/* What libgit2 would read certificates with is this program's (gitx_offline.c), where it has such a thing at all. */
static void no_certificates_are_read(void **state)
{
	(void)state;
	void *it = dlsym(RTLD_DEFAULT, "mbedtls_x509_crt_parse_file");
	Dl_info where = {0};

	if (!it)
		skip(); /* a libgit2 with another TLS */
	assert_int_not_equal(dladdr(it, &where), 0);
	if (strstr(where.dli_fname, "libmbed"))
		fail_msg("libgit2 calls that of %s", where.dli_fname);
}

static int format_version_1(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unusual_layouts_open),
		cmocka_unit_test(others_are_refused_with_advice),
	};
	return cmocka_run_group_tests_name("gitx, format 1", tests, repo_setup, repo_teardown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_found),
		cmocka_unit_test(foreign_owner_is_refused),
		cmocka_unit_test(no_certificates_are_read),
	};
	int failed = repo_forked(format_version_1);
	return failed + cmocka_run_group_tests_name("gitx", tests, repo_setup, repo_teardown);
}
