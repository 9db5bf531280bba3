/* Real repositories for the tests, made and asked by the git command, with nothing of the user's
 * settings in the way. Not for the program itself. */
#ifndef BOSK_TEST_REPO_H
#define BOSK_TEST_REPO_H

#include "test.h"

/* This process and its children from now on: HOME is `home`, no system configuration, a fixed
 * identity and date, no GIT_DIR and the like. Call before gitx_init. */
void repo_env(const char *home);

/* An empty repository with the branch `main`; missing folders are made. */
void repo_new(const char *path);
/* git -C PATH ARGS, given to the shell; the test fails with its output unless it succeeds. */
void repo_git(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, giving its standard output without the newline at the end; the caller owns it. */
char *repo_out(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, only whether it succeeds. */
bool repo_try(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void repo_write(const char *path, const char *file, const char *content); /* makes folders */
/* Writes one file, adds everything and commits; the id in `hex` (41 bytes) unless NULL. */
void repo_commit(const char *path, const char *file, const char *content, char *hex);
void repo_fsck(const char *path); /* git fsck --full is silent and succeeds */

/* For groups of tests that work on repositories: a scratch folder, repo_env and gitx_init. */
int repo_setup(void **state);
int repo_teardown(void **state);
extern char *repo_scratch;
/* A new repository of that name in the scratch folder, with one commit; the caller owns the path. */
char *repo_make(const char *name);
struct gitx *repo_open(const char *path); /* gitx_open, which must succeed */

/* Runs a group of tests in a child that leaves by _exit, without the leak check. For what makes
 * libgit2 1.5 lose memory: every regular expression that does not match leaks 20 KiB, which is each
 * configuration entry at each opening of a repository of format version 1, and a revision that
 * does not exist. */
int repo_forked(int (*group)(void));

#endif
