/* rogue: a badly behaved program for the tests of exec, job and proc. Links nothing of bosk.
 *
 *   rogue MODE [ARGUMENT]     with ROGUE_READY=N in the environment one byte is written to
 *                             descriptor N when everything the mode promises is in place.
 *
 * Modes that never end by themselves sleep without a limit: whoever starts them ends them. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(99);
}

static _Noreturn void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	return pid;
}

static void ready(void)
{
	const char *fd = getenv("ROGUE_READY");
	if (fd && write(atoi(fd), "r", 1) != 1)
		die("ready");
}

static long long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Exit when `child` has reported itself in place through the pipe. */
static _Noreturn void exit_after_report(int fd)
{
	char c;
	if (read(fd, &c, 1) != 1)
		die("report");
	_exit(0);
}

static void report(int fd)
{
	if (write(fd, "x", 1) != 1)
		die("report");
	close(fd);
}

/* A child in a session of its own that sleeps for ever; the parent exits 0. */
static void mode_setsid(void)
{
	int p[2];
	if (pipe(p) != 0)
		die("pipe");
	if (fork_or_die() > 0)
		exit_after_report(p[0]);
	setsid();
	ready();
	report(p[1]);
	sleep_for_ever();
}

/* The classical daemon: fork, setsid, fork, and all descriptors closed. */
static void mode_daemon(void)
{
	int p[2];
	if (pipe(p) != 0)
		die("pipe");
	if (fork_or_die() > 0)
		exit_after_report(p[0]);
	setsid();
	if (fork_or_die() > 0)
		_exit(0);
	signal(SIGHUP, SIG_IGN);
	ready();
	report(p[1]);
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	sleep_for_ever();
}

/* Ignores what can be ignored, and has a child in its group that does too. */
static void mode_deaf(void)
{
	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_IGN);
	if (fork_or_die() == 0)
		sleep_for_ever();
	ready();
	sleep_for_ever();
}

/* Exits on TERM with status 7, leaving a child in its group that ignores TERM. */
static void exit_7(int signo)
{
	(void)signo;
	_exit(7);
}

static void mode_polite(void)
{
	signal(SIGTERM, SIG_IGN);
	if (fork_or_die() == 0)
		sleep_for_ever();
	signal(SIGTERM, exit_7);
	ready();
	sleep_for_ever();
}

/* Prints "first", exits 0; a child keeps stdout open (ARGUMENT "flood": and fills it). */
static void mode_holder(const char *how)
{
	char block[4096];
	int p[2];
	if (pipe(p) != 0 || write(1, "first\n", 6) != 6)
		die("write");
	if (fork_or_die() > 0)
		exit_after_report(p[0]);
	setsid();
	report(p[1]);
	if (!how)
		sleep_for_ever();
	memset(block, 'f', sizeof block);
	while (write(1, block, sizeof block) > 0)
		;
}

/* N bytes in lines of 64, as fast as possible. */
static void mode_print(const char *count)
{
	static char block[64 * 1024];
	unsigned long long left = strtoull(count, NULL, 10);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = i % 64 == 63 ? '\n' : (char)('!' + i / 64 % 90);
	while (left) {
		ssize_t n = write(1, block, left < sizeof block ? left : sizeof block);
		if (n < 0)
			die("write");
		left -= (unsigned long long)n;
	}
}

/* A line every 100 ms, N times. */
static void mode_tick(const char *count)
{
	for (int n = atoi(count); n > 0; n--) {
		if (write(1, "tick\n", 5) != 5)
			die("write");
		poll(NULL, 0, 100);
	}
}

/* For N ms: fork, leave the group, and let the parent die. */
static void mode_chain(const char *ms)
{
	long long end = now_ms() + atoll(ms);
	ready();
	while (now_ms() < end) {
		if (fork_or_die() > 0)
			_exit(0);
		setsid();
	}
	_exit(0);
}

/* Adopts its own orphans: three grandchildren in sessions of their own. */
static void mode_reaper(void)
{
	int p[2];
	char c;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || pipe(p) != 0)
		die("reaper");
	for (int i = 0; i < 3; i++) {
		if (fork_or_die() == 0) {
			if (fork_or_die() > 0)
				_exit(0);
			setsid();
			report(p[1]);
			sleep_for_ever();
		}
	}
	for (int i = 0; i < 3; i++)
		if (read(p[0], &c, 1) != 1)
			die("report");
	ready();
	sleep_for_ever();
}

/* Open descriptors, "0 1 2\n", without the one used to list them. */
static void mode_fds(void)
{
	char open_fds[256] = {0};
	DIR *d = opendir("/proc/self/fd");
	if (!d)
		die("/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(d));) {
		int fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && fd != dirfd(d) && fd < 256)
			open_fds[fd] = 1;
	}
	closedir(d);
	for (int fd = 0; fd < 256; fd++)
		if (open_fds[fd])
			printf("%d ", fd);
	printf("\n");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : NULL;

	if (strcmp(mode, "setsid") == 0) {
		mode_setsid();
	} else if (strcmp(mode, "daemon") == 0) {
		mode_daemon();
	} else if (strcmp(mode, "deaf") == 0) {
		mode_deaf();
	} else if (strcmp(mode, "polite") == 0) {
		mode_polite();
	} else if (strcmp(mode, "holder") == 0) {
		mode_holder(argument);
	} else if (strcmp(mode, "print") == 0 && argument) {
		mode_print(argument);
	} else if (strcmp(mode, "tick") == 0 && argument) {
		mode_tick(argument);
	} else if (strcmp(mode, "chain") == 0 && argument) {
		mode_chain(argument);
	} else if (strcmp(mode, "reaper") == 0) {
		mode_reaper();
	} else if (strcmp(mode, "fds") == 0) {
		mode_fds();
	} else if (strcmp(mode, "closed") == 0) {
		ready();
		for (int fd = 0; fd < 64; fd++)
			close(fd);
		sleep_for_ever();
	} else if (strcmp(mode, "sleep") == 0) {
		ready();
		sleep_for_ever();
	} else {
		fprintf(stderr, "rogue: unknown mode \"%s\"\n", mode);
		return 64;
	}
	return 0;
}
