/* exec: starting a program with vfork + exec.
 *
 * Between vfork and exec the child runs in the caller's memory while the caller waits. So whatever
 * needs memory, a lookup or a decision is done in the parent before. The child makes
 * async-signal-safe system calls only and never returns from child_main. */
#include "exec.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/base/str.h"

/* What the child needs, ready to use, and what it reports back through the shared memory. */
struct plan {
	const struct exec_spec *spec;
	const char *path;
	char *const *env;
	int cwd;     /* -1 = stay */
	int from[3]; /* sources of 0, 1, 2; never 0-2 themselves */
	int highest; /* close each descriptor up to this one; -1 = close_range works */
	pid_t parent;
	const char *volatile failed; /* what could not be done; NULL = nothing so far */
	volatile int code;
};

/* ---- looking up, in the parent ---- */

static const char *env_value(char *const *env, const char *name)
{
	size_t n = strlen(name);
	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/* The file to run, owned by the caller; NULL with errno set. */
static char *look_up(const char *name, char *const *env)
{
	if (!*name || strchr(name, '/')) {
		errno = ENOENT;
		return *name ? mem_strdup(name) : NULL;
	}
	const char *dir = env_value(env, "PATH");
	if (!dir)
		dir = "/usr/local/bin:/usr/bin:/bin";
	int code = ENOENT;
	for (;; dir++) {
		size_t n = strcspn(dir, ":");
		if (*dir == '/') {
			char *path = mem_printf("%.*s/%s", (int)n, dir, name);
			struct stat st;
			if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
				/* Effective ids, as execve will check. */
				if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
					return path;
				code = errno;
			}
			free(path);
		}
		dir += n;
		if (!*dir)
			break;
	}
	errno = code;
	return NULL;
}

/* The highest open descriptor, for kernels without close_range. */
static int highest_descriptor(void)
{
	int highest = 2;
	DIR *d = opendir("/proc/self/fd");
	if (!d)
		return (int)sysconf(_SC_OPEN_MAX);
	for (struct dirent *entry; (entry = readdir(d));) {
		uint64_t fd;
		if (str_u64(entry->d_name, &fd) && (int)fd > highest)
			highest = (int)fd;
	}
	closedir(d);
	return highest;
}

/* ---- the child ---- */

static _Noreturn void child_fail(struct plan *p, const char *what)
{
	p->code = errno;
	p->failed = what;
	_exit(127);
}

/* Close-on-exec rather than closed: one call whatever `keep` has in the middle. */
static void close_others(struct plan *p)
{
	if (p->highest < 0) {
		if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0)
			child_fail(p, "close descriptors");
	}
	for (int fd = 3; fd <= p->highest; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC); /* fails where nothing is open: fine */
	for (size_t i = 0; i < p->spec->n_keep; i++)
		if (fcntl(p->spec->keep[i], F_SETFD, 0) != 0)
			child_fail(p, "keep a descriptor");
}

static _Noreturn void child_main(struct plan *p)
{
	const struct exec_spec *spec = p->spec;
	sigset_t none;

	if (spec->death_signal) {
		/* The parent may have died before this call: then no signal will ever come. */
		if (prctl(PR_SET_PDEATHSIG, spec->death_signal) != 0)
			child_fail(p, "set the parent-death signal");
		if (getppid() != p->parent)
			_exit(127);
	}
	if (spec->group && setpgid(0, 0) != 0)
		child_fail(p, "make a process group");
	if (p->cwd >= 0 && fchdir(p->cwd) != 0)
		child_fail(p, "enter its folder");
	for (int i = 0; i < 3; i++)
		if (dup2(p->from[i], i) < 0)
			child_fail(p, "redirect");
	close_others(p);

	/* An ignored signal and a blocked one would cross the exec (pitfalls 8.8). Dispositions
	 * first: no handler of the parent may run here once the mask is empty. KILL, STOP and the
	 * two of the C library are refused, which is fine. */
	struct sigaction sa = {.sa_handler = SIG_DFL};
	for (int signo = 1; signo < NSIG; signo++)
		sigaction(signo, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	execve(p->path, (char *const *)spec->argv, p->env);
	child_fail(p, "run");
}

/* ---- the parent ---- */

/* In a function of its own, with nothing to keep across the two returns of vfork. */
static __attribute__((noinline)) pid_t vfork_and_run(struct plan *p)
{
	pid_t pid = vfork();
	if (pid == 0)
		child_main(p);
	return pid;
}

/* What a lack or a broken disk did is nobody's fault, and may be over when it is tried again. */
static enum err_kind kind_of(int code)
{
	if (code == EAGAIN || code == ENOMEM || code == EMFILE || code == ENFILE)
		return ERR_STARVED;
	return code == EIO ? ERR_NOSPACE : ERR_ENV;
}

static int report(const struct plan *p, const char *name, struct err *e)
{
	const char *hint = "";
	if (strcmp(p->failed, "run") == 0 && p->code == ENOEXEC)
		hint = " (a script needs a #! line)";
	else if (strcmp(p->failed, "run") == 0 && p->code == ENOENT &&
	         faccessat(p->cwd < 0 ? AT_FDCWD : p->cwd, p->path, F_OK, 0) == 0)
		hint = " (its interpreter is missing)";
	return err_code(e, kind_of(p->code), p->code, "cannot run %s: cannot %s: %s%s", name, p->failed,
	                strerror(p->code), hint);
}

static int spawn(pid_t *out, struct plan *p, const char *name, struct err *e)
{
	sigset_t all, old;
	struct sigaction chld;

	if (sigaction(SIGCHLD, NULL, &chld) == 0 &&
	    (chld.sa_handler == SIG_IGN || (chld.sa_flags & SA_NOCLDWAIT))) {
		chld = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(SIGCHLD, &chld, NULL);
	}
	/* No handler may run in the child: it would work on the parent's memory. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = vfork_and_run(p);
	int code = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_code(e, kind_of(code), code, "cannot run %s: cannot start a process: %s", name,
		                strerror(code));
	if (p->failed) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return report(p, name, e);
	}
	*out = pid;
	return 0;
}

/* A source that is 0, 1 or 2 could be overwritten before its turn: take it out of their way. */
static int source(int fd, int *null, int *moved)
{
	if (fd < 0) {
		if (*null < 0) {
			*null = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (*null < 0)
				return -1;
		}
		fd = *null;
	}
	if (fd > 2)
		return fd;
	*moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *moved;
}

int exec_spawn(pid_t *out, const struct exec_spec *spec, struct err *e)
{
	const char *name = spec->exe ? spec->exe : spec->argv[0];
	AUTO_CLOSE int cwd = -1, null = -1, moved_in = -1, moved_out = -1, moved_err = -1;

	assert(spec->argv[0]);
	struct plan p = {
		.spec = spec,
		.env = spec->env ? spec->env : environ,
		.highest = -1,
		.parent = getpid(),
	};
	for (size_t i = 0; i < spec->n_keep; i++)
		assert(spec->keep[i] > 2);

	AUTO_FREE char *path = spec->exe ? mem_strdup(spec->exe) : look_up(name, p.env);
	if (!path)
		return err_code(e, ERR_ENV, errno, "cannot run %s: %s", name,
		                errno == ENOENT ? "not found" : strerror(errno));
	p.path = path;
	if (spec->cwd) {
		cwd = open(spec->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (cwd < 0)
			return err_code(e, kind_of(errno), errno, "cannot run %s in %s: %s", name,
			                spec->cwd, strerror(errno));
	}
	p.cwd = cwd;
	p.from[0] = source(spec->in, &null, &moved_in);
	p.from[1] = source(spec->out, &null, &moved_out);
	p.from[2] = source(spec->err, &null, &moved_err);
	if (p.from[0] < 0 || p.from[1] < 0 || p.from[2] < 0)
		return err_code(e, kind_of(errno), errno, "cannot run %s: descriptors: %s", name,
		                strerror(errno));
	/* An empty range: only asks whether this kernel knows the call (Linux 5.11). */
	if (close_range(UINT_MAX, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0)
		p.highest = highest_descriptor();
	return spawn(out, &p, name, e);
}

/* ---- environments ---- */

static void copy_env(struct strv *out, bool git)
{
	*out = (struct strv){0};
	for (char **v = environ; v && *v; v++)
		if (git || !str_starts(*v, "GIT_"))
			strv_add(out, *v);
}

void exec_env(struct strv *out)
{
	copy_env(out, true);
}

void exec_clean_env(struct strv *out)
{
	copy_env(out, false);
}

/* Every value goes: which of two equal names wins depends on who reads. */
void exec_env_unset(struct strv *env, const char *name)
{
	size_t n = strlen(name), kept = 0;

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			free(env->v[i]);
		else
			env->v[kept++] = env->v[i];
	}
	env->n = kept;
	if (env->v)
		env->v[kept] = NULL;
}

void exec_env_set(struct strv *env, const char *name, const char *value)
{
	exec_env_unset(env, name);
	strv_addf(env, "%s=%s", name, value);
}
