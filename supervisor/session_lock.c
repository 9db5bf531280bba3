/* session_lock: who has a session, and taking it (declared in session.h). The owner has its lock for life. A visitor
 * that cleans up or repairs has it for a moment, and its words are in the lock file meanwhile: a dead session is not
 * taken for a living one because somebody looks after what it left. */
#include "session.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/owner.h"

enum { VISITOR_MAX = 256, PATIENCE = 100 }; /* bytes; how often the lock is waited for, a tenth of a second each */

/* ---- who has it ---- */

/* Of a lock that somebody has: what its visitor says, such as "is cleaned up by process 4242". */
static bool is_visited(const char *path, struct str *says)
{
	struct err ignored = {0};

	str_clear(says);
	return fs_read(path, VISITOR_MAX, says, &ignored) == 0 && says->len;
}

bool session_live(const struct site *site, const char *sid)
{
	AUTO_FREE char *path = site_path(site, "sessions/%s.lock", sid);
	AUTO_STR struct str visitor = {0};

	return owner_locked(path) && !is_visited(path, &visitor);
}

/* The process that it names lives, and is the one that it names (promise C2). */
static bool owner_lives(const struct manifest_row *m)
{
	struct owner o = {.pid = m->pid, .start_ticks = m->start_ticks};

	if (!m->pid || !str_eq(m->state, "running"))
		return false;
	snprintf(o.boot_id, sizeof o.boot_id, "%s", m->boot_id ? m->boot_id : "");
	return owner_alive(&o);
}

bool session_owned(const struct site *site, const char *sid, const struct manifest_row *m)
{
	return session_live(site, sid) || owner_lives(m);
}

bool session_held(const struct site *site, const char *sid, const struct manifest_row *m)
{
	AUTO_FREE char *path = site_path(site, "sessions/%s.lock", sid);
	return owner_locked(path) || owner_lives(m);
}

const char *session_state(const struct site *site, const char *sid, const struct manifest_row *m)
{
	static const char *const states[] = {"stopped", "limited", "done", "failed"};
	for (size_t i = 0; i < MEM_COUNT(states); i++)
		if (str_eq(m->state, states[i]))
			return states[i];
	return session_owned(site, sid, m) ? "running" : "interrupted";
}

bool session_resumable(const struct site *site, const char *sid, const struct manifest_row *m)
{
	const char *state = session_state(site, sid, m);
	return str_eq(state, "interrupted") || str_eq(state, "stopped") || str_eq(state, "limited");
}

/* ---- taking it ---- */

static char *lock_path(const struct session *s)
{
	return site_path(s->site, "sessions/%s.lock", s->sid);
}

/* Why the lock is not to be had: *visitor tells whether it will be soon. */
static int held(const struct session *s, bool *visited, struct err *e)
{
	AUTO_FREE char *path = lock_path(s);
	AUTO_STR struct str says = {0};
	struct manifest_row now = {0};
	struct err ignored = {0};

	*visited = is_visited(path, &says);
	if (*visited)
		return err_set(e, ERR_HELD, "session %s %s: try again when that is over", s->sid, says.p);
	if (session_manifest(s->site, s->sid, &now, &ignored) == 0 && owner_lives(&now))
		err_set(e, ERR_HELD, "session %s is running in process %llu", s->sid, (unsigned long long)now.pid);
	else /* it was taken a moment ago, or is landed or retried */
		err_set(e, ERR_HELD, "another bosk is at work on session %s", s->sid);
	rec_fini(&manifest_row_rec, &now);
	return -1;
}

/* *visited: it is held by one who will give it back. */
static int take(struct session *s, bool *visited, struct err *e)
{
	AUTO_FREE char *path = lock_path(s);

	*visited = false;
	s->lock_fd = owner_lock(path, e);
	if (s->lock_fd < 0)
		return e->kind == ERR_HELD ? held(s, visited, e) : -1;
	if (!owner_lives(&s->manifest) || s->manifest.pid == (uint64_t)getpid())
		return 0;
	close(mem_steal_fd(&s->lock_fd));
	return err_set(e, ERR_HELD, "session %s is running in process %llu, although its lock file was removed: "
	               "end that process first", s->sid, (unsigned long long)s->manifest.pid);
}

static int sign(struct session *s, const char *words, struct err *e)
{
	size_t n = strlen(words);

	if (ftruncate(s->lock_fd, 0) == 0 && pwrite(s->lock_fd, words, n, 0) == (ssize_t)n)
		return 0;
	close(mem_steal_fd(&s->lock_fd));
	return err_sys(e, "cannot write to the lock file of session %s", s->sid);
}

int session_lock(struct session *s, struct err *e)
{
	bool visited;

	for (int i = 0; take(s, &visited, e) != 0; i++) {
		if (!visited || i == PATIENCE)
			return -1;
		if (i == PATIENCE / 10)
			log_info("waiting: %s", e->text);
		err_clear(e);
	}
	return sign(s, "", e);
}

int session_visit(struct session *s, const char *what, struct err *e)
{
	AUTO_FREE char *words = mem_printf("%s by process %d", what, (int)getpid());
	bool visited;

	return take(s, &visited, e) != 0 ? -1 : sign(s, words, e);
}

/* What is loaded is as it was once the lock was had: somebody else may have had it before. */
static int load(struct session *out, struct site *site, const char *sid, const char *visit, struct err *e)
{
	int rc = session_load(out, site, sid, e);
	if (rc == 0)
		rc = visit ? session_visit(out, visit, e) : session_lock(out, e);
	int lock = mem_steal_fd(&out->lock_fd);
	session_fini(out);
	if (rc == 0)
		rc = session_load(out, site, sid, e);
	out->lock_fd = lock;
	return rc;
}

int session_load_locked(struct session *out, struct site *site, const char *sid, struct err *e)
{
	return load(out, site, sid, NULL, e);
}

int session_load_visited(struct session *out, struct site *site, const char *sid, const char *what, struct err *e)
{
	return load(out, site, sid, what, e);
}
