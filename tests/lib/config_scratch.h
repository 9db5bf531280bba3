/* For the tests of the configuration: a folder with a repository and a home, and files in them. */
#ifndef BOSK_CONFIG_SCRATCH_H
#define BOSK_CONFIG_SCRATCH_H

#include "test.h"

#include "store/base/fs.h"

static struct {
	char *dir, *repo, *user;
} scratch;

static inline int set_up(void **state)
{
	(void)state;
	struct err e = {0};
	scratch.dir = test_scratch();
	scratch.repo = mem_printf("%s/repo", scratch.dir);
	scratch.user = mem_printf("%s/xdg/bosk", scratch.dir);
	AUTO_FREE char *xdg = mem_printf("%s/xdg", scratch.dir);
	assert_ok(fs_mkdirs(scratch.repo, &e), &e);
	assert_ok(fs_mkdirs(scratch.user, &e), &e);
	setenv("XDG_CONFIG_HOME", xdg, 1);
	setenv("HOME", scratch.dir, 1);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	test_scratch_remove(scratch.dir);
	free(scratch.repo);
	free(scratch.user);
	return 0;
}

static inline void put(const char *folder, const char *name, const char *text)
{
	struct err e = {0};
	AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
}

#endif
