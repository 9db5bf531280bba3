/* follow: waits on log files and on the store's data file, prints what the logs grew by. */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/mem.h"

/* The log of one task. */
struct following {
	bool begun;       /* it ran since we look, or is the one asked for */
	uint64_t attempt; /* whose log is open */
	int fd;           /* -1 = not there yet */
	off_t offset;
	int watch;        /* of the attempt's folder */
	struct str line;  /* not ended yet, when lines are wanted */
};

struct follow {
	struct site *site;
	const char *sid, *task, *gate; /* task NULL = all; gate NULL = the agent */
	follow_print *print;
	void *ctx;
	struct following *tasks;
	size_t n;
	int inotify;
	int owner; /* pidfd of the supervisor: after a kill -9 nothing is written any more */
};

/* The log of the attempt the row is at; the one before was read to its end. */
static void follow_attempt(const struct follow *w, struct following *f, const struct session *s, size_t task)
{
	const struct task_row *row = &s->tasks[task];
	AUTO_FREE char *dir = site_path(s->site, "logs/%s/%s/%llu", s->sid, s->plan.tasks[task].id,
	                                (unsigned long long)row->attempts);
	AUTO_FREE char *path = w->gate ? mem_printf("%s/gate-%s.log", dir, w->gate)
	                               : mem_printf("%s/agent.log", dir);

	if (f->attempt != row->attempts) {
		if (f->fd >= 0)
			close(f->fd);
		if (f->watch >= 0)
			inotify_rm_watch(w->inotify, f->watch);
		f->fd = -1;
		f->attempt = row->attempts;
		f->offset = 0;
		f->watch = inotify_add_watch(w->inotify, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	}
	if (f->fd < 0)
		f->fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* Of one task as it comes; of all, whole lines, so that they do not mix. */
static void print_growth(const struct follow *w, struct following *f, const char *id, bool last)
{
	char chunk[65536];
	ssize_t n;

	while (f->fd >= 0 && (n = pread(f->fd, chunk, sizeof chunk, f->offset)) > 0) {
		f->offset += n;
		if (w->task)
			w->print(w->ctx, id, chunk, (size_t)n);
		else
			str_addn(&f->line, chunk, (size_t)n);
		const char *end = f->line.len ? memrchr(f->line.p, '\n', f->line.len) : NULL;
		size_t whole = end ? (size_t)(end + 1 - f->line.p) : 0;
		if (whole)
			w->print(w->ctx, id, f->line.p, whole);
		str_keep_tail(&f->line, f->line.len - whole);
	}
	if (last && f->line.len) {
		w->print(w->ctx, id, f->line.p, f->line.len);
		str_clear(&f->line);
	}
}

static int wait_for_change(const struct follow *w, struct err *e)
{
	char events[4096];
	struct pollfd p[2] = {{.fd = w->inotify, .events = POLLIN}, {.fd = w->owner, .events = POLLIN}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "poll");
	while (read(w->inotify, events, sizeof events) > 0)
		;
	return 0;
}

static bool ended(const struct follow *w, const struct session *s)
{
	for (size_t i = 0; w->task && i < s->plan.n; i++) {
		enum task_state state = session_task_state(s, i);
		if (strcmp(s->plan.tasks[i].id, w->task) == 0 && (task_state_ended(state) || state == TASK_CHECKED))
			return true;
	}
	return !session_live(s->site, s->sid);
}

static void look(struct follow *w, const struct session *s, bool last)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		struct following *f = &w->tasks[i];
		const char *id = s->plan.tasks[i].id;
		if (!w->task)
			f->begun |= session_task_state(s, i) == TASK_RUNNING;
		else
			f->begun = strcmp(id, w->task) == 0;
		if (!f->begun)
			continue;
		if (f->fd >= 0)
			print_growth(w, f, id, last || f->attempt != s->tasks[i].attempts);
		follow_attempt(w, f, s, i);
		print_growth(w, f, id, last);
	}
}

static void begin(struct follow *w, const struct session *s)
{
	if (w->tasks)
		return;
	w->n = s->plan.n;
	w->tasks = mem_array(w->n, sizeof *w->tasks);
	for (size_t i = 0; i < w->n; i++)
		w->tasks[i] = (struct following){.fd = -1, .watch = -1};
	w->owner = (int)syscall(SYS_pidfd_open, (pid_t)s->manifest.pid, 0);
}

static void finish(struct follow *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->tasks[i].fd >= 0)
			close(w->tasks[i].fd);
		str_fini(&w->tasks[i].line);
	}
	free(w->tasks);
	if (w->inotify >= 0)
		close(w->inotify);
	if (w->owner >= 0)
		close(w->owner);
}

int follow_logs(struct site *site, const char *sid, const char *task, const char *gate, follow_print *print,
                void *ctx, struct err *e)
{
	struct follow w = {.site = site, .sid = sid, .task = task, .gate = gate, .print = print, .ctx = ctx, .owner = -1};
	AUTO_FREE char *store = site_path(site, "store/data.mdb");
	bool over = false;
	int rc = 0;

	w.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* Every commit of the store writes this file. Watched by name: it must not be opened here, as
	 * closing it would drop the store's own locks (pitfalls 7.1). */
	if (w.inotify < 0 || inotify_add_watch(w.inotify, store, IN_MODIFY) < 0)
		rc = err_sys(e, "cannot watch %s", store);
	while (rc == 0 && !over) {
		struct session s;
		rc = session_load(&s, site, sid, e);
		if (rc == 0) {
			begin(&w, &s);
			over = ended(&w, &s);
			look(&w, &s, over);
		}
		session_fini(&s);
		if (rc == 0 && !over)
			rc = wait_for_change(&w, e);
	}
	finish(&w);
	return rc;
}
