/* strays: ending what a dead session left running, found by its marks. */
#include "strays.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/proc.h"

static size_t end_marked(const char *sid, const struct manifest_row *m)
{
	AUTO_STRV struct strv worktrees = {0};
	struct owner self;

	owner_self(&self);
	if (!str_eq(m->boot_id, self.boot_id) || !str_eq(m->host, self.host))
		return 0; /* no process outlives a boot */
	for (size_t i = 0; i < m->worktrees.n; i++)
		strv_add(&worktrees, m->worktrees.v[i]);
	for (size_t i = 0; i < m->held.n; i++)
		strv_add(&worktrees, m->held.v[i]);
	return proc_end_marked(&(struct proc_mark){sid, &worktrees, m->first_ticks});
}

size_t strays_end(const struct session *s)
{
	return end_marked(s->sid, &s->manifest);
}

int strays_end_all(struct site *site, struct strv *said, struct err *e)
{
	AUTO_STRV struct strv sids = {0};

	proc_marks(&sids);
	for (size_t i = 0; i < sids.n; i++) {
		struct session s = {.site = site, .lock_fd = -1};
		struct err other = {0};
		size_t n = 0;
		if (strlen(sids.v[i]) != SEAL_SID - 1 || session_manifest(site, sids.v[i], &s.manifest, &other) != 0) {
			if (other.kind == ERR_NONE || other.kind == ERR_MISSING)
				continue; /* of another repository */
			*e = other;
			return -1;
		}
		memcpy(s.sid, sids.v[i], SEAL_SID);
		/* The lock: nobody takes the session up while its processes are ended. */
		if (session_visit(&s, "is cleaned up", &other) == 0)
			n = end_marked(s.sid, &s.manifest);
		if (n)
			strv_addf(said, "session %s is dead: ended %zu process%s that it left running", s.sid, n,
			          n == 1 ? "" : "es");
		session_fini(&s);
	}
	return 0;
}
