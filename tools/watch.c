/* watch: inotify on the store's folder, a pidfd for each living supervisor. */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

/* The folder, not the file: it must not be opened here, as closing it would drop the store's own locks
 * (pitfalls 7.1), and a store made again is a new file. */
static int watch_folder(struct watch *w, const struct site *site, struct err *e)
{
	AUTO_FREE char *store = site_path(site, "store"), *state = site_path(site, ".");
	const char *folders[] = {store, state, gitx_common_dir(site->git)};
	size_t i = 0;

	while (i + 1 < MEM_COUNT(folders) && !fs_is_dir(folders[i]))
		i++;
	if (inotify_add_watch(w->inotify, folders[i], IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(e, "cannot watch %s", folders[i]);
	w->store = i == 0;
	return 0;
}

int watch_open(struct watch *out, const struct site *site, struct err *e)
{
	*out = (struct watch){.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
	if (out->inotify < 0)
		return err_sys(e, "inotify");
	return watch_folder(out, site, e);
}

static void forget_owners(struct watch *w)
{
	for (size_t i = 0; i < w->sids.n; i++)
		close(w->owners[i]);
	free(w->owners);
	w->owners = NULL;
	strv_fini(&w->sids);
}

static void find_owners(struct watch *w, const struct site *site)
{
	AUTO_STRV struct strv all = {0};
	struct err ignored = {0};

	forget_owners(w);
	if (session_list(site, &all, &ignored) != 0)
		return;
	w->owners = mem_array(all.n, sizeof *w->owners);
	for (size_t i = 0; i < all.n; i++) {
		struct manifest_row m;
		if (!session_live(site, all.v[i]))
			continue;
		if (session_manifest(site, all.v[i], &m, &ignored) == 0) {
			int fd = (int)syscall(SYS_pidfd_open, (pid_t)m.pid, 0);
			if (fd >= 0) {
				w->owners[w->sids.n] = fd;
				strv_add(&w->sids, all.v[i]);
			}
		}
		rec_fini(&manifest_row_rec, &m);
	}
}

int watch_wait(struct watch *w, const struct site *site, bool *over, struct err *e)
{
	char events[4096];

	find_owners(w, site);
	size_t n = w->sids.n;
	AUTO_FREE struct pollfd *p = mem_array(n + 2, sizeof *p);
	p[0] = (struct pollfd){.fd = w->inotify, .events = POLLIN};
	p[1] = (struct pollfd){.fd = 1}; /* tells when its reader has gone */
	for (size_t i = 0; i < n; i++)
		p[i + 2] = (struct pollfd){.fd = w->owners[i], .events = POLLIN};
	while (poll(p, n + 2, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "poll");
	*over = p[1].revents & (POLLERR | POLLHUP | POLLNVAL);
	while (read(w->inotify, events, sizeof events) > 0)
		;
	return w->store ? 0 : watch_folder(w, site, e);
}

void watch_close(struct watch *w)
{
	forget_owners(w);
	if (w->inotify >= 0)
		close(w->inotify);
}
