/* claim_wait: waiting for a claim without polling (declared in claim.h). */
#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/owner.h"

/* The pidfd first, then another look at who has that pid (promise C2). */
static int watch_one(const struct claim_row *row)
{
	AUTO_CLOSE int fd = pidfd_open((pid_t)row->pid, 0);
	uint64_t ticks;

	if (fd < 0 || !owner_start_ticks((pid_t)row->pid, &ticks) || ticks != row->start_ticks)
		return -1;
	return mem_steal_fd(&fd);
}

size_t claim_watch(int **fds, const struct claims *c, const char *sid, bool *gone)
{
	size_t n = 0;

	*gone = false;
	*fds = mem_array(c->n, sizeof **fds);
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->v[i].sid, sid))
			continue;
		int fd = watch_one(&c->v[i].row);
		if (fd >= 0)
			(*fds)[n++] = fd;
		else
			*gone = true;
	}
	return n;
}

/* Until this session is woken or one of the others dies. -1 = the system failed. */
static int sleep_on(int wake_fd, const struct claims *c, const char *sid, struct err *e)
{
	AUTO_FREE int *fds = NULL;
	char bytes[64];
	bool gone;
	size_t n = claim_watch(&fds, c, sid, &gone);
	AUTO_FREE struct pollfd *p = mem_array(n + 1, sizeof *p);
	int rc = 0;

	p[0] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
	for (size_t i = 0; i < n; i++)
		p[i + 1] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	while (!gone && (rc = poll(p, n + 1, -1)) < 0 && errno == EINTR)
		;
	if (rc < 0)
		err_sys(e, "poll");
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	while (read(wake_fd, bytes, sizeof bytes) > 0)
		;
	return rc < 0 ? -1 : 0;
}

int claim_take(const struct site *site, const char *kind, const char *sid, uint64_t capacity,
               bool (*waits)(void *ctx, const char *text), void *ctx, struct err *e)
{
	AUTO_CLOSE int wake_fd = session_wake_open(site, sid, e);
	struct claim_change change = {.capacity = capacity, .want = 1};
	AUTO_STR struct str said = {0};
	struct claims now = {0};
	bool over = false;
	const struct claim_row *own;

	if (wake_fd < 0)
		return -1;
	int rc = claim_change(&now, site, kind, sid, &change, e);
	change.want = 0;
	while (rc == 0 && !((own = claim_of(&now, sid)) && own->held)) {
		AUTO_STR struct str text = {0};
		claim_text(&now, kind, sid, &text, NULL);
		bool other = !str_eq(str_text(&text), str_text(&said));
		over = waits(ctx, other ? str_text(&text) : NULL);
		str_clear(&said);
		str_add(&said, str_text(&text));
		if (over)
			break;
		rc = sleep_on(wake_fd, &now, sid, e);
		claim_fini(&now);
		if (rc == 0)
			rc = claim_read(&now, site, kind, e);
		if (rc == 0 && now.due) {
			claim_fini(&now);
			rc = claim_change(&now, site, kind, sid, &change, e);
		}
	}
	claim_fini(&now);
	if (rc == 0 && !over)
		return 0;
	if (rc == 0)
		rc = err_set(e, ERR_GONE, "the wait for %s was ended", str_text(&said));
	claim_drop(site, kind, sid);
	return rc;
}

void claim_drop(const struct site *site, const char *kind, const char *sid)
{
	struct claim_change change = {.give = UINT64_MAX};
	struct claims now = {0};
	struct err ignored = {0};

	claim_change(&now, site, kind, sid, &change, &ignored);
	claim_fini(&now);
}
