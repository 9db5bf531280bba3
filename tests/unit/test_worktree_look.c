/* worktree_look: what a power cut in the middle of `git worktree add` may leave is the session's; what only looks like
 * it, or may hold work, is not. */
#include <sys/stat.h>
#include <unistd.h>

#include "repo.h"
#include "store/base/fs.h"
#include "worker/worktree_look.h"

#define ADMIN "repo/.git/worktrees/"

/* NULL = the file is not there. */
struct left {
	const char *name; /* of the admin folder, and of the worktree unless that is `at` */
	const char *locked, *head, *dot_git, *index, *file, *commondir, *at;
	enum worktree_kind kind;
};

static void put(const char *top, const char *folder, const char *name, const char *text)
{
	AUTO_FREE char *file = mem_printf("%s/%s", folder, name);
	if (text)
		repo_write(top, file, text);
}

static void look(const struct left *l)
{
	char *top = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/wt/%s", top, l->at ? l->at : l->name), *common = mem_printf("%s/repo/.git", top);
	AUTO_FREE char *admin_dir = mem_printf(ADMIN "%s", l->name), *gitdir = mem_printf("%s/.git\n", path);
	AUTO_FREE char *link = mem_printf("gitdir: %s/worktrees/%s\n", common, l->name);
	AUTO_FREE char *admin = NULL, *why = NULL;
	struct slot s = {.init = {.sid = (char *)"5e5510", .worktree = path, .common_dir = common}};
	struct err e = {0};

	assert_ok(fs_mkdirs(path, &e), &e);
	put(top, admin_dir, "gitdir", gitdir);
	put(top, admin_dir, "commondir", l->commondir ? l->commondir : "");
	put(top, admin_dir, "locked", l->locked);
	put(top, admin_dir, "HEAD", l->head);
	put(top, admin_dir, "index", l->index);
	put(path, ".", ".git", l->dot_git && strcmp(l->dot_git, "whole") == 0 ? link : l->dot_git);
	put(path, ".", "file", l->file);
	assert_int_equal(worktree_look(&s, &admin, &why), l->kind);
	assert_true((l->kind == WORKTREE_OTHER) == (why != NULL));
	test_scratch_remove(top);
}

static void what_a_power_cut_left_of_its_making_is_half_made(void **state)
{
	(void)state;
	static const struct left cases[] = {
		{"5e5510-1", .locked = "", .head = "", .dot_git = "", .kind = WORKTREE_HALF},
		{"5e5510-1", .locked = "bosk ses", .head = "", .dot_git = "git", .kind = WORKTREE_HALF},
		{"5e5510-1", .locked = "", .head = "0123456789\n", .dot_git = "whole", .kind = WORKTREE_HALF},
		{"5e5510-1", .locked = "", .kind = WORKTREE_HALF},
		{"5e5510-1", .dot_git = "whole", .kind = WORKTREE_HALF},
		{"5e5510-11", .at = "5e5510-1", .locked = "", .dot_git = "whole", .kind = WORKTREE_HALF}, /* was taken */
		{"named-by-a-plan", .locked = "", .head = "", .dot_git = "", .kind = WORKTREE_HALF},
		{"named-by-a-plan", .locked = "", .dot_git = "whole", .commondir = "../", .kind = WORKTREE_HALF},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		look(&cases[i]);
}

static void what_may_be_the_users_is_not(void **state)
{
	(void)state;
	static const struct left cases[] = {
		/* `git worktree lock` gives no reason unless it is told one. */
		{"5e5510-1", .locked = "", .head = "", .dot_git = "whole", .index = "DIRC", .kind = WORKTREE_OTHER},
		{"5e5510-1", .locked = "", .head = "", .dot_git = "whole", .file = "work", .kind = WORKTREE_OTHER},
		{"5e5510-1", .locked = "", .head = "ref: refs/heads/mine\n", .dot_git = "whole", .kind = WORKTREE_OTHER},
		{"5e5510-1", .locked = "mine\n", .head = "", .dot_git = "", .kind = WORKTREE_OTHER},
		{"5e5510-1", .locked = "bosk session other", .dot_git = "", .kind = WORKTREE_OTHER},
		{"mine", .locked = "", .head = "", .dot_git = "", .commondir = "../..\n", .kind = WORKTREE_OTHER},
		{"mine", .locked = "", .dot_git = "whole", .file = "work", .kind = WORKTREE_OTHER},
		{"5e5510-1", .locked = "", .dot_git = "gitdir: /elsewhere", .kind = WORKTREE_OTHER},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		look(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_power_cut_left_of_its_making_is_half_made),
		cmocka_unit_test(what_may_be_the_users_is_not),
	};
	return cmocka_run_group_tests_name("worktree_look", tests, NULL, NULL);
}
