/* For the tests of the store: a folder per test, and children that open it themselves. Children
 * are forked before they open, and all waiting is on pipes: no sleeping, no guessing. */
#ifndef BOSK_DB_CHILD_H
#define BOSK_DB_CHILD_H

#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db.h"

static char *dir; /* the store of the running test; absent at its start */

static inline int new_dir(void **state)
{
	*state = test_scratch();
	dir = mem_printf("%s/bosk/store", (char *)*state);
	return 0;
}

static inline int remove_dir(void **state)
{
	test_scratch_remove(*state);
	free(dir);
	return 0;
}

static inline struct db *open_here(enum db_mode mode)
{
	struct err e = {0};
	struct db *db = NULL;
	assert_ok(db_open(&db, dir, mode, &e), &e);
	return db;
}

static inline off_t file_size(void)
{
	AUTO_FREE char *path = mem_printf("%s/data.mdb", dir);
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

struct child {
	pid_t pid;
	int to, from;
};

/* Ends a child that is not where it should be; the parent then reads end of file. */
#define must(condition)                                                                           \
	do {                                                                                      \
		if (!(condition)) {                                                               \
			fprintf(stderr, "child: line %d: %s\n", __LINE__, #condition);            \
			_exit(1);                                                                 \
		}                                                                                 \
	} while (0)

static inline void say(int fd)
{
	must(write(fd, "x", 1) == 1);
}

static inline bool heard(int fd)
{
	char byte;
	return read(fd, &byte, 1) == 1;
}

/* A child's ends of the pipes. */
static int in, out;

static inline struct child child_start(void (*run)(void))
{
	int down[2], up[2];
	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	struct child c = {.pid = fork(), .to = down[1], .from = up[0]};
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
		close(down[1]);
		close(up[0]);
		in = down[0];
		out = up[1];
		run();
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	return c;
}

static inline void child_end(struct child *c, int expected)
{
	int status = -1;
	close(c->to);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	assert_int_equal(status, expected);
	close(c->from);
}

static inline struct db *open_child(enum db_mode mode)
{
	struct err e = {0};
	struct db *db = NULL;
	if (db_open(&db, dir, mode, &e) != 0)
		fprintf(stderr, "child: %s\n", e.text);
	must(db);
	return db;
}

#define test(name) cmocka_unit_test_setup_teardown(name, new_dir, remove_dir)

#endif
