/* Starting programs: what is found, what is refused, and which descriptors the child has. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"

/* In place of the C library's: a kernel that does not know the call. */
static bool no_close_range;
int close_range(unsigned first, unsigned last, int flags)
{
	if (no_close_range) {
		errno = ENOSYS;
		return -1;
	}
	return (int)syscall(SYS_close_range, first, last, flags);
}

static char *scratch;

static void refused(struct exec_spec spec, int code)
{
	pid_t pid = 77;
	struct err e = {0};
	spec.in = spec.out = spec.err = -1;
	assert_int_equal(exec_spawn(&pid, &spec, &e), -1);
	assert_int_equal(e.kind, ERR_ENV);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.text, spec.exe ? spec.exe : spec.argv[0]));
	assert_int_equal(pid, 77);
	test_no_children(); /* not even a zombie */
}

static void put(const char *name, const char *text, int mode)
{
	AUTO_FREE char *path = mem_printf("%s/%s", scratch, name);
	struct err e = {0};
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
	assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static int open_descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void programs_that_cannot_run(void **state)
{
	(void)state;
	AUTO_STRV struct strv env = {0};
	AUTO_FREE char *with_slash = mem_printf("%s/plain", scratch);
	AUTO_FREE char *none = mem_printf("%s/none", scratch);
	AUTO_FREE char *orphan = mem_printf("#!%s/interpreter\n", none);

	strv_addf(&env, "PATH=relative:%s::%s", scratch, none);
	put("plain", "echo no\n", 0644);
	put("bare", "echo no\n", 0755);
	put("orphan", orphan, 0755);
	int before = open_descriptors();
	for (int i = 0; i < 50; i++) {
		refused((struct exec_spec){.argv = ARGV("absent"), .env = env.v}, ENOENT);
		refused((struct exec_spec){.argv = ARGV(""), .env = env.v}, ENOENT);
		refused((struct exec_spec){.argv = ARGV("plain"), .env = env.v}, EACCES);
		refused((struct exec_spec){.argv = ARGV(with_slash)}, EACCES);
		refused((struct exec_spec){.argv = ARGV("bare"), .env = env.v}, ENOEXEC);
		refused((struct exec_spec){.argv = ARGV("orphan"), .env = env.v}, ENOENT);
		refused((struct exec_spec){.argv = ARGV("sh"), .exe = none}, ENOENT);
		refused((struct exec_spec){.argv = ARGV("sh"), .cwd = none}, ENOENT);
		refused((struct exec_spec){.argv = ARGV("sh"), .cwd = with_slash}, ENOTDIR);
	}
	assert_int_equal(open_descriptors(), before);
}

static void programs_are_found(void **state)
{
	(void)state;
	AUTO_STRV struct strv env = {0};
	AUTO_STR struct str out = {0};

	put("hello", "#!/bin/sh\necho hello $X from \"$(pwd)\"\n", 0755);
	strv_addf(&env, "PATH=%s/none:%s:/usr/bin:/bin", scratch, scratch);
	strv_add(&env, "X=y");
	/* The PATH of the child's environment, and its folder. */
	test_capture((struct exec_spec){.argv = ARGV("hello"), .env = env.v, .cwd = "/usr"}, &out);
	assert_string_equal(str_text(&out), "hello y from /usr\n");
	/* A relative name with a slash belongs to that folder too. */
	str_clear(&out);
	test_capture((struct exec_spec){.argv = ARGV("./hello"), .env = env.v, .cwd = scratch},
	             &out);
	assert_true(str_starts(str_text(&out), "hello y from /"));
	/* Without PATH, the usual folders. */
	str_clear(&out);
	char *none[] = {NULL};
	test_capture((struct exec_spec){.argv = ARGV("echo", "found"), .env = none}, &out);
	assert_string_equal(str_text(&out), "found\n");
	/* A relative entry of PATH is not searched, even from its folder. */
	AUTO_STRV struct strv dot = {0};
	AUTO_CLOSE int here = open(".", O_PATH | O_CLOEXEC);
	strv_add(&dot, "PATH=.:");
	assert_int_equal(chdir(scratch), 0);
	refused((struct exec_spec){.argv = ARGV("hello"), .env = dot.v, .cwd = scratch}, ENOENT);
	assert_int_equal(fchdir(here), 0);
	/* exe is run, argv[0] stays. */
	str_clear(&out);
	test_capture((struct exec_spec){.argv = ARGV("purr", "/proc/self/cmdline"),
	                                .exe = "/bin/cat"},
	             &out);
	assert_int_equal(out.len, sizeof "purr\0/proc/self/cmdline");
	assert_memory_equal(out.p, "purr\0/proc/self/cmdline", out.len);
}

static void the_child_has_no_other_descriptor(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		AUTO_STR struct str out = {0};
		no_close_range = round == 1;
		int low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 200);
		int kept = fcntl(low, F_DUPFD_CLOEXEC, 100);
		assert_int_equal(high, 200);
		assert_int_equal(kept, 100);
		test_capture((struct exec_spec){.argv = ARGV(BOSK_ROGUE, "fds")}, &out);
		assert_string_equal(str_text(&out), "0 1 2 \n");
		str_clear(&out);
		test_capture((struct exec_spec){.argv = ARGV(BOSK_ROGUE, "fds"),
		                                .keep = (int[]){kept, high},
		                                .n_keep = 2},
		             &out);
		assert_string_equal(str_text(&out), "0 1 2 100 200 \n");
		/* Inheritable in the child only. */
		assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fcntl(low, F_GETFD), 0);
		refused((struct exec_spec){.argv = ARGV("true"), .keep = (int[]){99}, .n_keep = 1},
		        EBADF);
		close(low);
		close(high);
		close(kept);
	}
	no_close_range = false;
}

/* In a process of its own: descriptors 0-2 are rearranged, then the program is run. */
static int spawn_with(void (*rearrange)(int *fds), const int *fds)
{
	pid_t helper = fork();
	if (helper == 0) {
		pid_t pid;
		int status, own[3] = {fds[0], fds[1], fds[2]};
		struct err e = {0};
		rearrange(own);
		struct exec_spec spec = {
			.argv = ARGV("sh", "-c", "read x; echo out-$x; echo err-$x >&2"),
			.in = own[0],
			.out = own[1],
			.err = own[2],
		};
		if (exec_spawn(&pid, &spec, &e) != 0 || waitpid(pid, &status, 0) != pid)
			_exit(98);
		_exit(WEXITSTATUS(status));
	}
	int status;
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void crosswise(int *fds)
{
	dup2(fds[0], 2);
	dup2(fds[1], 0);
	dup2(fds[2], 1);
	memcpy(fds, (int[]){2, 0, 1}, 3 * sizeof *fds);
}

static void in_place(int *fds)
{
	for (int i = 0; i < 3; i++)
		fds[i] = dup2(fds[i], i);
}

static void nothing_open_below_3(int *fds)
{
	(void)fds;
	for (int i = 0; i < 3; i++)
		close(i);
}

static void standard_streams_from_any_number(void **state)
{
	(void)state;
	void (*const ways[])(int *) = {crosswise, in_place, nothing_open_below_3};
	for (size_t i = 0; i < MEM_COUNT(ways); i++) {
		int in[2], out[2], err[2];
		AUTO_STR struct str a = {0}, b = {0};
		assert_int_equal(pipe2(in, O_CLOEXEC), 0);
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		assert_int_equal(pipe2(err, O_CLOEXEC), 0);
		assert_int_equal(write(in[1], "word\n", 5), 5);
		assert_int_equal(spawn_with(ways[i], (int[]){in[0], out[1], err[1]}), 0);
		close(out[1]);
		close(err[1]);
		test_read_all(out[0], &a);
		test_read_all(err[0], &b);
		assert_string_equal(str_text(&a), "out-word\n");
		assert_string_equal(str_text(&b), "err-word\n");
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(err[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_that_cannot_run),
		cmocka_unit_test(programs_are_found),
		cmocka_unit_test(the_child_has_no_other_descriptor),
		cmocka_unit_test(standard_streams_from_any_number),
	};
	scratch = test_scratch();
	int rc = cmocka_run_group_tests_name("exec", tests, NULL, NULL);
	test_scratch_remove(scratch);
	return rc;
}
