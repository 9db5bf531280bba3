/* Programs in git's configuration: what is found, what overrides it, and the limit on filters. */
#include "repo.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "worker/exec.h"
#include "worker/git.h"
#include "worker/gitlinks.h"
#include "worker/planted.h"

/* A repository whose session has just begun. */
struct site {
	char *repo, *common;
	struct strv known;
	struct planted planted;
};

static void begin(struct site *s, const char *name, const char *before)
{
	struct err e = {0};
	*s = (struct site){.repo = repo_make(name)};
	s->common = mem_printf("%s/.git", s->repo);
	if (before)
		repo_git(s->repo, "config %s", before);
	assert_ok(planted_list(&s->known, s->common, s->repo, &e), &e);
	planted_init(&s->planted, s->common, &s->known);
}

static void end(struct site *s)
{
	planted_fini(&s->planted);
	strv_fini(&s->known);
	free(s->common);
	free(s->repo);
}

/* What the next git command is given for a key; NULL = nothing. */
static const char *given(struct site *s, const char *key)
{
	struct err e = {0};
	assert_ok(planted_check(&s->planted, s->repo, &e), &e);
	for (size_t i = 0; i < s->planted.overrides.n; i += 2)
		if (strcmp(s->planted.overrides.v[i], key) == 0)
			return s->planted.overrides.v[i + 1];
	return NULL;
}

static void what_was_there_stays_what_comes_is_overridden(void **state)
{
	(void)state;
	struct site s;
	begin(&s, "comes", "filter.lfs.clean 'git-lfs clean -- %f'");
	assert_null(given(&s, "filter.lfs.clean"));
	repo_git(s.repo, "config user.name Else");
	assert_null(given(&s, "user.name"));
	assert_int_equal(s.planted.found.n, 0);
	repo_git(s.repo, "config filter.new.clean x");
	assert_string_equal(given(&s, "filter.new.clean"), "");
	assert_string_equal(given(&s, "filter.new.required"), "false");
	repo_git(s.repo, "config filter.lfs.clean y");
	assert_string_equal(given(&s, "filter.lfs.clean"), "git-lfs clean -- %f");
	assert_null(given(&s, "filter.lfs.required"));
	repo_git(s.repo, "config filter.lfs.process z");
	assert_string_equal(given(&s, "filter.lfs.required"), "true");
	repo_git(s.repo, "config filter.lfs.clean 'git-lfs clean -- %%f'");
	assert_null(given(&s, "filter.lfs.clean"));
	assert_int_equal(s.planted.found.n, 3); /* told once each, and not forgotten */
	end(&s);
}

static void names_with_an_equals_sign_and_upper_case(void **state)
{
	(void)state;
	struct site s;
	begin(&s, "names", "'filter.a=b.clean' one");
	assert_null(given(&s, "filter.a=b.clean"));
	repo_git(s.repo, "config 'filter.a=b.clean' two");
	repo_git(s.repo, "config 'Filter.C=D.Smudge' three");
	assert_string_equal(given(&s, "filter.a=b.clean"), "one");
	assert_string_equal(given(&s, "filter.C=D.smudge"), "");
	AUTO_STR struct str out = {0};
	struct err e = {0};
	struct git g = {.cwd = s.repo, .guard = &s.planted};
	assert_ok(git_run(&g, &out, GIT_ARGS("config", "--get", "filter.a=b.clean"), &e), &e);
	assert_string_equal(out.p, "one\n");
	end(&s);
}

static void includes_count_whatever_their_condition(void **state)
{
	(void)state;
	struct site s;
	begin(&s, "includes", NULL);
	repo_write(s.repo, ".git/more", "[includeIf \"onbranch:none\"]\n\tpath = deep/er\n");
	repo_write(s.repo, ".git/deep/er", "[include]\n\tpath = er\n[filter \"x\"]\n\tclean = one\n");
	repo_git(s.repo, "config include.path more");
	assert_string_equal(given(&s, "filter.x.clean"), "");
	/* A file that is only included is looked at too. */
	repo_write(s.repo, ".git/deep/er", "[filter \"x\"]\n\tclean = one\n\tsmudge = two\n");
	assert_string_equal(given(&s, "filter.x.smudge"), "");
	end(&s);
}

static void passwords_are_not_listed(void **state)
{
	(void)state;
	struct site s;
	begin(&s, "secret", "credential.helper '!echo password=hunter2'");
	for (size_t i = 0; i < s.known.n; i++)
		assert_null(strstr(s.known.v[i], "hunter2"));
	assert_null(given(&s, "credential.helper"));
	end(&s);
}

static void a_configuration_that_cannot_be_read_runs_no_git(void **state)
{
	(void)state;
	struct site s;
	struct err e = {0};
	begin(&s, "broken", NULL);
	struct git g = {.cwd = s.repo, .guard = &s.planted};
	assert_ok(git_run(&g, NULL, GIT_ARGS("version"), &e), &e);
	repo_write(s.repo, ".git/config", "[core\n");
	assert_int_equal(git_run(&g, NULL, GIT_ARGS("version"), &e), -1);
	assert_int_equal(e.kind, ERR_ENV);
	assert_non_null(strstr(e.text, "config"));
	end(&s);
}

/* Somebody removes a worktree just then. */
static void a_file_that_goes_while_it_is_read_is_no_error(void **state)
{
	(void)state;
	struct site s;
	struct err e = {0};
	begin(&s, "going", NULL);
	AUTO_FREE char *old = mem_strdup(getenv("PATH")), *path = mem_printf("%s/bin:%s", repo_scratch, old);
	AUTO_FREE char *script = mem_printf("#!/bin/sh\ncase $* in *%s*) rm -r '%s/worktrees' ;; esac\nPATH='%s' exec git \"$@\"\n",
	                                    "/config.worktree", s.common, old);
	AUTO_FREE char *stub = mem_printf("%s/bin/git", repo_scratch);
	AUTO_FREE char *file = mem_printf("%s/worktrees/x/config.worktree", s.common);

	repo_write(s.repo, ".git/worktrees/x/config.worktree", "[core]\n\tsparseCheckout = true\n");
	repo_write(repo_scratch, "bin/git", script);
	assert_int_equal(chmod(stub, 0755), 0);
	setenv("PATH", path, 1);
	int rc = planted_check(&s.planted, s.repo, &e);
	setenv("PATH", old, 1);
	assert_ok(rc, &e);
	assert_false(fs_exists(file));
	end(&s);
}

/* A repository inside the worktree, in an index of each version, whole and split. */
static void nested_repositories_are_found(void **state)
{
	static const char *const ways[] = {"--index-version 2", "--index-version 3", "--index-version 4",
	                                   "--split-index"};
	(void)state;
	AUTO_FREE char *repo = repo_make("nested"), *sub = mem_printf("%s/dir/sub", repo);
	AUTO_STRV struct strv found = {0};

	repo_write(repo, "dir/file", "x");
	repo_write(repo, "dir/zfile", "x");
	repo_git(repo, "add .");
	assert_false(gitlinks_configs(repo, &found));
	repo_new(sub);
	repo_commit(sub, "f", "x", NULL);
	repo_git(repo, "add .");
	for (size_t i = 0; i < MEM_COUNT(ways); i++) {
		repo_git(repo, "update-index %s", ways[i]);
		strv_fini(&found);
		assert_true(gitlinks_configs(repo, &found));
		AUTO_FREE char *config = mem_printf("%s/.git/config", sub);
		assert_true(strv_has(&found, config));
	}
	/* What is no index is none, however it ends. */
	AUTO_STR struct str bytes = {0};
	AUTO_FREE char *index = mem_printf("%s/.git/index", repo);
	struct err e = {0};
	repo_git(repo, "update-index --no-split-index --index-version 4");
	assert_ok(fs_read(index, 1 << 20, &bytes, &e), &e);
	for (size_t n = 0; n < bytes.len; n++) {
		strv_fini(&found);
		assert_ok(fs_write(index, bytes.p, n, false, &e), &e);
		gitlinks_configs(repo, &found);
		assert_true(found.n <= 4); /* the old shared index may be there still */
	}
}

static void a_filter_that_hangs_ends_with_its_git(void **state)
{
	(void)state;
	AUTO_FREE char *repo = repo_make("hangs");
	struct err e = {0};
	struct git g = {.cwd = repo, .timeout_ms = 300};
	repo_git(repo, "config filter.slow.clean 'sleep 1000'");
	repo_write(repo, ".gitattributes", "*.slow filter=slow\n");
	repo_write(repo, "a.slow", "x");
	assert_int_equal(git_run(&g, NULL, GIT_ARGS("add", "--all", "--", "."), &e), -1);
	assert_non_null(strstr(e.text, "did not end"));
}

static int group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_there_stays_what_comes_is_overridden),
		cmocka_unit_test(names_with_an_equals_sign_and_upper_case),
		cmocka_unit_test(includes_count_whatever_their_condition),
		cmocka_unit_test(passwords_are_not_listed),
		cmocka_unit_test(a_configuration_that_cannot_be_read_runs_no_git),
		cmocka_unit_test(a_file_that_goes_while_it_is_read_is_no_error),
		cmocka_unit_test(nested_repositories_are_found),
		cmocka_unit_test(a_filter_that_hangs_ends_with_its_git),
	};
	return cmocka_run_group_tests(tests, repo_setup, repo_teardown);
}

int main(void)
{
	return group();
}
