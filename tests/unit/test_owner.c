/* Owners: alive, dead, zombie, reused; and the lock that outlives none of them. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/clock.h"
#include "store/base/lock.h"
#include "store/owner.h"

/* A child that does `work`, says so with one byte, and stays until it is killed. */
struct child {
	pid_t pid;
	int said;
};

static struct child child_start(void (*work)(const char *), const char *arg)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct child c = {.pid = fork(), .said = ends[0]};
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		if (work)
			work(arg);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 1);
	return c;
}

static void child_kill(struct child *c)
{
	kill(c->pid, SIGKILL);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
	close(c->said);
}

static void this_process_is_alive(void **state)
{
	(void)state;
	struct owner o, again;
	owner_self(&o);
	owner_self(&again);
	assert_memory_equal(&o, &again, sizeof o);
	assert_int_equal(o.pid, getpid());
	assert_true(o.start_ticks > 0);
	assert_int_equal(strlen(o.boot_id), 36);
	assert_true(strlen(o.host) > 0);
	assert_true(owner_alive(&o));
	assert_true(owner_state(getpid()) == 'R');
}

static void another_start_boot_or_pid_is_not_it(void **state)
{
	(void)state;
	struct owner o;
	owner_self(&o);
	o.start_ticks++;
	assert_false(owner_alive(&o)); /* the pid was used again */
	owner_self(&o);
	o.boot_id[0] = o.boot_id[0] == 'a' ? 'b' : 'a';
	assert_false(owner_alive(&o));
	owner_self(&o);
	o.boot_id[0] = '\0';
	assert_false(owner_alive(&o));
	const uint64_t pids[] = {0, UINT32_MAX, UINT64_MAX, 4194304 + 1};
	for (size_t i = 0; i < MEM_COUNT(pids); i++) {
		owner_self(&o);
		o.pid = pids[i];
		assert_false(owner_alive(&o));
	}
	assert_int_equal(owner_state(0), 0);
	assert_false(owner_start_ticks(-1, &o.start_ticks));
}

static void a_zombie_is_dead(void **state)
{
	(void)state;
	struct owner o;
	struct child c = child_start(NULL, NULL);
	owner_self(&o);
	o.pid = (uint64_t)c.pid;
	assert_true(owner_start_ticks(c.pid, &o.start_ticks));
	assert_true(owner_alive(&o));
	kill(c.pid, SIGSTOP);
	assert_int_equal(waitpid(c.pid, NULL, WUNTRACED), c.pid);
	assert_int_equal(owner_state(c.pid), 'T');
	assert_true(owner_alive(&o)); /* stopped is not dead */

	kill(c.pid, SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(owner_state(c.pid), 'Z');
	assert_false(owner_alive(&o));
	child_kill(&c);
	assert_int_equal(owner_state(c.pid), 0);
	assert_false(owner_alive(&o));
}

static void name_oddly(const char *name)
{
	prctl(PR_SET_NAME, name);
}

static void a_name_with_brackets_does_not_shift_the_fields(void **state)
{
	(void)state;
	const char *const names[] = {") R 1 2 3 4 (", "a) Z (b", ")))", "x\ny) R 1"};
	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		struct child plain = child_start(NULL, NULL);
		struct child odd = child_start(name_oddly, names[i]);
		uint64_t before = 0, after = 0;
		assert_true(owner_start_ticks(plain.pid, &before));
		assert_true(owner_start_ticks(odd.pid, &after));
		assert_true(after >= before && after - before < 100000);
		assert_true(owner_state(odd.pid) != 'Z');
		child_kill(&plain);
		child_kill(&odd);
	}
}

static void take_lock(const char *path)
{
	struct err e = {0};
	if (owner_lock(path, &e) < 0)
		_exit(1);
}

static void a_lock_lasts_as_long_as_its_process(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/a1b2c3.lock", dir);
	struct err e = {0};
	struct stat st;

	assert_false(owner_locked(path)); /* absent */
	mode_t mask = umask(0777);
	struct child c = child_start(take_lock, path);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(owner_locked(path));
	assert_int_equal(owner_lock(path, &e), -1);
	assert_int_equal(e.kind, ERR_HELD);
	child_kill(&c);
	assert_false(owner_locked(path));

	int fd = owner_lock(path, &e);
	assert_ok(fd < 0, &e);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(owner_locked(path)); /* also by this process */
	assert_int_equal(owner_lock(path, &e), -1);
	close(fd);
	assert_false(owner_locked(path));
	test_scratch_remove(dir);
}

static void probe_without_end(const char *path)
{
	pid_t parent = getpid();
	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC) != 0)
		_exit(1);
	if (fork() == 0) {
		owner_locked(path);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		while (getppid() == parent)
			owner_locked(path);
		_exit(0);
	}
	if (read(ends[0], &byte, 1) != 1)
		_exit(1);
}

/* status asks while resume takes: the asking must not be mistaken for an owner. */
static void a_probe_is_no_owner(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/lock", dir);
	struct err e = {0};
	close(owner_lock(path, &e));
	struct child c = child_start(probe_without_end, path);
	for (int i = 0; i < 5000; i++) {
		int fd = owner_lock(path, &e);
		assert_ok(fd < 0, &e);
		close(fd);
	}
	child_kill(&c);
	test_scratch_remove(dir);
}

static bool take_and_remove(const char *path)
{
	struct err e = {0};
	struct stat st;
	for (int i = 0; i < 500; i++) {
		AUTO_CLOSE int fd = owner_lock(path, &e);
		/* Removed by the one before us: then somebody else may hold the name's new file. */
		if (fd < 0 || fstat(fd, &st) != 0 || st.st_nlink != 1 || unlink(path) != 0)
			return false;
	}
	return true;
}

static void cleaners_and_takers_never_hold_together(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/lock", dir);
	int status = -1;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(take_and_remove(path) ? 0 : 1);
	bool ok = take_and_remove(path);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(ok && status == 0);
	test_scratch_remove(dir);
}

static void a_lock_on_a_removed_name_keeps_nobody_out(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/lock", dir);
	struct err e = {0};
	int first = owner_lock(path, &e);
	assert_int_equal(unlink(path), 0);
	int second = owner_lock(path, &e);
	assert_ok(second < 0, &e);
	assert_true(owner_locked(path));
	close(second);
	assert_false(owner_locked(path));
	close(first);
	assert_int_equal(symlink("/dev/null", path), -1); /* there is a file already */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(owner_lock(path, &e), -1);
	assert_true(owner_locked(path)); /* cannot be asked: not free */
	test_scratch_remove(dir);
}

static void waiting_ends_at_the_limit_and_leaves_signals_as_they_were(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *path = mem_printf("%s/lock", dir);
	struct child c = child_start(take_lock, path);
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	int number = SIGRTMAX - 2;
	struct sigaction before = {.sa_handler = SIG_IGN, .sa_flags = SA_RESTART}, after;
	sigset_t blocked, mask;

	sigemptyset(&before.sa_mask);
	sigaction(number, &before, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, number);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	uint64_t start = clock_mono_ms();
	assert_int_equal(lock_wait(fd, 60), 1);
	assert_true(clock_mono_ms() - start >= 60);
	assert_int_equal(lock_wait(fd, 0), 1);
	sigaction(number, NULL, &after);
	assert_true(after.sa_handler == SIG_IGN && after.sa_flags & SA_RESTART);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_true(sigismember(&mask, number));
	sigpending(&mask);
	assert_false(sigismember(&mask, number));

	child_kill(&c);
	assert_int_equal(lock_wait(fd, 0), 0);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	test_scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_process_is_alive),
		cmocka_unit_test(another_start_boot_or_pid_is_not_it),
		cmocka_unit_test(a_zombie_is_dead),
		cmocka_unit_test(a_name_with_brackets_does_not_shift_the_fields),
		cmocka_unit_test(a_lock_lasts_as_long_as_its_process),
		cmocka_unit_test(a_probe_is_no_owner),
		cmocka_unit_test(cleaners_and_takers_never_hold_together),
		cmocka_unit_test(a_lock_on_a_removed_name_keeps_nobody_out),
		cmocka_unit_test(waiting_ends_at_the_limit_and_leaves_signals_as_they_were),
	};
	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
