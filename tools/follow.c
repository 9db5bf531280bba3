/* follow: waits on the log file and on the store's data file, prints what the log grew by. */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/mem.h"

struct following {
	const char *gate; /* NULL = the agent */
	uint64_t attempt; /* whose log is open */
	int fd;           /* -1 = not there yet */
	off_t offset;
	int inotify, watch; /* of the attempt's folder */
	int owner;          /* pidfd of the supervisor: after a kill -9 nothing is written any more */
};

/* The log of the attempt the row is at; the one before is read to its end first. */
static void follow_attempt(struct following *f, const struct session *s, size_t task)
{
	const struct task_row *row = &s->tasks[task];
	AUTO_FREE char *dir = site_path(s->site, "logs/%s/%s/%llu", s->sid, s->plan.tasks[task].id,
	                                (unsigned long long)row->attempts);
	AUTO_FREE char *path = f->gate ? mem_printf("%s/gate-%s.log", dir, f->gate)
	                               : mem_printf("%s/agent.log", dir);

	if (f->attempt != row->attempts) {
		if (f->fd >= 0)
			close(f->fd);
		if (f->watch >= 0)
			inotify_rm_watch(f->inotify, f->watch);
		f->fd = -1;
		f->attempt = row->attempts;
		f->offset = 0;
		f->watch = inotify_add_watch(f->inotify, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	}
	if (f->fd < 0)
		f->fd = open(path, O_RDONLY | O_CLOEXEC);
}

static void print_growth(struct following *f, void (*print)(void *, const char *, size_t), void *ctx)
{
	char chunk[65536];
	ssize_t n;

	while (f->fd >= 0 && (n = pread(f->fd, chunk, sizeof chunk, f->offset)) > 0) {
		print(ctx, chunk, (size_t)n);
		f->offset += n;
	}
}

static int wait_for_change(struct following *f, struct err *e)
{
	char events[4096];
	struct pollfd p[2] = {{.fd = f->inotify, .events = POLLIN}, {.fd = f->owner, .events = POLLIN}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "poll");
	while (read(f->inotify, events, sizeof events) > 0)
		;
	return 0;
}

static bool ended(const struct session *s, size_t task)
{
	enum task_state state = session_task_state(s, task);
	return task_state_ended(state) || state == TASK_CHECKED || !session_live(s->site, s->sid);
}

int follow_task(struct site *site, const char *sid, const char *task_id, const char *gate,
                void (*print)(void *ctx, const char *bytes, size_t n), void *ctx, struct err *e)
{
	struct following f = {.gate = gate, .fd = -1, .watch = -1, .owner = -1};
	AUTO_FREE char *store = site_path(site, "store/data.mdb");
	bool over = false;
	int rc = 0;

	f.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* Every commit of the store writes this file. Watched by name: it must not be opened here, as
	 * closing it would drop the store's own locks (pitfalls 7.1). */
	if (f.inotify < 0 || inotify_add_watch(f.inotify, store, IN_MODIFY) < 0)
		rc = err_sys(e, "cannot watch %s", store);
	while (rc == 0 && !over) {
		struct session s;
		size_t task = 0;
		rc = session_load(&s, site, sid, e);
		if (rc == 0) {
			while (strcmp(s.plan.tasks[task].id, task_id) != 0)
				task++;
			if (f.owner < 0)
				f.owner = (int)syscall(SYS_pidfd_open, (pid_t)s.manifest.pid, 0);
			over = ended(&s, task);
			if (f.fd >= 0)
				print_growth(&f, print, ctx);
			follow_attempt(&f, &s, task);
			print_growth(&f, print, ctx);
		}
		session_fini(&s);
		if (rc == 0 && !over)
			rc = wait_for_change(&f, e);
	}
	if (f.fd >= 0)
		close(f.fd);
	if (f.inotify >= 0)
		close(f.inotify);
	if (f.owner >= 0)
		close(f.owner);
	return rc;
}
