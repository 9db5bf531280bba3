/* proc: finding and ending processes that are ours, through /proc and pidfds. Starts nothing. */
#include "proc.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/base/str.h"
#include "store/owner.h"

enum {
	CHILDREN_AT_ONCE = 1024,
	REAP_WAIT_MS = 10,
	MARKED_LIMIT_MS = 5000,
	MARKED_WAIT_MS = 1000,
};

int proc_contain(int signo, pid_t parent, struct err *e)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return err_sys(e, "cannot become the reaper of orphans");
	if (signo > 0 && prctl(PR_SET_PDEATHSIG, signo) != 0)
		return err_sys(e, "cannot set the parent-death signal");
	/* After prctl: a parent that died before it would never be told of. */
	if (parent && getppid() != parent)
		return err_set(e, ERR_GONE, "the parent process %d is gone", (int)parent);
	return 0;
}

/* ---- reading /proc ---- */

/* All of a /proc file, added to `out`; false when it cannot be read (process gone, or hidden). */
static bool read_proc(const char *path, struct str *out)
{
	char buf[4096];
	ssize_t n;

	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			str_addn(out, buf, (size_t)n);
	return n == 0;
}

/* 0 = no such process. */
static pid_t parent_of(pid_t pid)
{
	char path[64], state;
	int parent = 0;
	AUTO_STR struct str stat = {0};

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!read_proc(path, &stat) || !stat.len)
		return 0;
	/* The name may hold anything, also ") R 1": the numbers start after the last ')'. */
	const char *end = strrchr(stat.p, ')');
	if (!end || sscanf(end + 1, " %c %d", &state, &parent) != 2)
		return 0;
	return (pid_t)parent;
}

/* The next process of an open /proc; 0 at the end. */
static pid_t next_process(DIR *proc)
{
	for (struct dirent *entry; (entry = readdir(proc));) {
		uint64_t pid;
		if (str_u64(entry->d_name, &pid) && pid > 0 && pid <= INT32_MAX)
			return (pid_t)pid;
	}
	return 0;
}

static bool among(pid_t pid, const pid_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == pid)
			return true;
	return false;
}

/* ---- children ---- */

/* For kernels built without the list of children. */
static size_t children_by_parent(pid_t *out, size_t max, const pid_t *except, size_t n_except)
{
	size_t n = 0;
	DIR *proc = opendir("/proc");
	if (!proc)
		return 0;
	for (pid_t pid; (pid = next_process(proc));) {
		if (among(pid, except, n_except) || parent_of(pid) != getpid())
			continue;
		if (n < max)
			out[n] = pid;
		n++;
	}
	closedir(proc);
	return n;
}

size_t proc_children(pid_t *out, size_t max, const pid_t *except, size_t n_except)
{
	char path[64];
	AUTO_STR struct str text = {0};
	size_t n = 0;

	/* Complete although the kernel says it may skip entries: it does so only when a child is
	 * reaped meanwhile, and nobody but this thread reaps. */
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	if (!read_proc(path, &text))
		return children_by_parent(out, max, except, n_except);
	char *rest = text.p;
	for (char *word; rest && (word = strtok_r(rest, " ", &rest));) {
		pid_t pid = (pid_t)strtol(word, NULL, 10);
		if (pid <= 0 || among(pid, except, n_except))
			continue;
		if (n < max)
			out[n] = pid;
		n++;
	}
	return n;
}

/* Reap a child if it is dead. */
static bool reap(pid_t pid, size_t *killed)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) != 0)
		return errno == ECHILD;
	if (info.si_pid != pid)
		return false;
	*killed += info.si_code == CLD_KILLED && info.si_status == SIGKILL;
	return true;
}

/* Wait for a child that was killed, and reap it. */
static void wait_for(pid_t pid, unsigned ms, size_t *killed)
{
	AUTO_CLOSE int fd = pidfd_open(pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	/* Without a descriptor to spare this is only a pause. */
	poll(&p, 1, (int)ms);
	/* A dead one that a debugger has not let go of is not ours to reap yet: do not spin. */
	if (!reap(pid, killed))
		poll(NULL, 0, 1);
}

size_t proc_end_children(const pid_t *except, size_t n_except, unsigned limit_ms)
{
	pid_t pids[CHILDREN_AT_ONCE];
	uint64_t deadline = clock_mono_ms() + limit_ms;
	size_t killed = 0, n;

	while ((n = proc_children(pids, CHILDREN_AT_ONCE, except, n_except)) > 0) {
		pid_t alive = 0;
		if (n > CHILDREN_AT_ONCE)
			n = CHILDREN_AT_ONCE;
		/* An unreaped child of ours keeps its pid: no other process can be hit. All are
		 * killed before any is waited for, so that none sees another die and reacts. */
		for (size_t i = 0; i < n; i++)
			kill(pids[i], SIGKILL);
		for (size_t i = 0; i < n; i++)
			if (!reap(pids[i], &killed))
				alive = pids[i];
		uint64_t now = clock_mono_ms();
		if (now >= deadline)
			break;
		if (alive)
			wait_for(alive,
			         deadline - now < REAP_WAIT_MS ? (unsigned)(deadline - now)
			                                       : REAP_WAIT_MS,
			         &killed);
	}
	return killed;
}

/* ---- processes with the marker ---- */

static const char mark_session[] = "BOSK_SESSION", mark_worktree[] = "BOSK_WORKTREE";

void proc_put_mark(struct strv *env, const char *sid, const char *worktree)
{
	exec_env_set(env, mark_session, sid);
	exec_env_set(env, mark_worktree, worktree);
}

/* Value of a variable, NULL = it is not there. */
static const char *value_of(const struct str *env, const char *name)
{
	size_t n = strlen(name);
	const char *p = str_text(env), *end = p + env->len;

	while ((size_t)(end - p) > n) {
		if (memcmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1; /* str ends with a NUL, whatever the process has put there */
		p = memchr(p, '\0', (size_t)(end - p));
		if (!p)
			return NULL;
		p++;
	}
	return NULL;
}

/* The environment of a process of this user. A zombie has none. */
static bool environment_of(pid_t pid, struct str *env)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (stat(path, &st) != 0 || st.st_uid != geteuid())
		return false;
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	return read_proc(path, env);
}

static bool is_marked(pid_t pid, const struct proc_mark *mark)
{
	AUTO_STR struct str env = {0};
	uint64_t began;

	if (!environment_of(pid, &env) || !str_eq(value_of(&env, mark_session), mark->sid))
		return false;
	if (mark->worktrees) {
		const char *worktree = value_of(&env, mark_worktree);
		if (!worktree || !strv_has(mark->worktrees, worktree))
			return false;
	}
	return !mark->since_ticks || (owner_start_ticks(pid, &began) && began >= mark->since_ticks);
}

static bool exited(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	return poll(&p, 1, timeout_ms) > 0;
}

/* Kill `pid` if it is marked. The pidfd is taken before looking: as long as it says "not exited"
 * afterwards, what was looked at was that very process. */
static bool end_if_marked(pid_t pid, const struct proc_mark *mark)
{
	AUTO_CLOSE int fd = pidfd_open(pid, 0);
	if (fd < 0 || !is_marked(pid, mark) || exited(fd, 0))
		return false;
	if (pidfd_send_signal(fd, SIGKILL, NULL, 0) != 0)
		return false;
	/* One that cannot die must not keep the others alive: the next round tries it again. */
	return exited(fd, MARKED_WAIT_MS);
}

/* This process and everything above it; returns the number. */
static size_t ancestry(pid_t *out, size_t max)
{
	size_t n = 0;
	for (pid_t pid = getpid(); pid > 0 && n < max; pid = parent_of(pid))
		out[n++] = pid;
	return n;
}

size_t proc_end_marked(const struct proc_mark *mark)
{
	uint64_t deadline = clock_mono_ms() + MARKED_LIMIT_MS;
	size_t ended = 0;

	assert(*mark->sid);
	/* Until twice in a row nothing was found: a process in the middle of an exec shows no
	 * environment for a moment, and one may be forked behind the reader. */
	for (int empty = 0; empty < 2 && clock_mono_ms() < deadline; empty++) {
		pid_t above[256];
		size_t n_above = ancestry(above, MEM_COUNT(above));
		DIR *proc = opendir("/proc");
		if (!proc)
			break;
		for (pid_t pid; (pid = next_process(proc));) {
			if (among(pid, above, n_above) || !end_if_marked(pid, mark))
				continue;
			ended++;
			empty = -1;
		}
		closedir(proc);
	}
	return ended;
}

void proc_marks(struct strv *out)
{
	pid_t above[256];
	size_t n_above = ancestry(above, MEM_COUNT(above));
	DIR *proc = opendir("/proc");

	for (pid_t pid; proc && (pid = next_process(proc));) {
		AUTO_STR struct str env = {0};
		const char *sid = NULL;
		if (!among(pid, above, n_above) && environment_of(pid, &env))
			sid = value_of(&env, mark_session);
		if (sid && !strv_has(out, sid))
			strv_add(out, sid);
	}
	if (proc)
		closedir(proc);
}
