/* strays: ending what a dead session left running, found by its marks. */
#include "strays.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/owner.h"
#include "worker/proc.h"

/* No worktree is there: nobody else has it as theirs. */
static char *place_of(const struct session *s)
{
	return site_path(s->site, "logs/%s/.pull-request", s->sid);
}

void strays_mark(struct strv *env, const struct session *s)
{
	AUTO_FREE char *place = place_of(s);

	proc_put_mark(env, s->sid, place);
}

size_t strays_end(const struct session *s)
{
	const struct manifest_row *m = &s->manifest;
	AUTO_STRV struct strv places = {0};
	AUTO_FREE char *place = place_of(s);
	struct owner self;

	strv_add(&places, s->site->state_dir);
	if (!str_eq(m->state, "done") && !str_eq(m->state, "failed"))
		strv_add(&places, place);
	owner_self(&self);
	/* No process outlives a boot; a landing may be of a later one than the session's owner. */
	if (!str_eq(m->boot_id, self.boot_id) || !str_eq(m->host, self.host))
		return proc_end_marked(&(struct proc_mark){s->sid, &places, 0});
	for (size_t i = 0; i < m->worktrees.n; i++)
		strv_add(&places, m->worktrees.v[i]);
	for (size_t i = 0; i < m->held.n; i++)
		strv_add(&places, m->held.v[i]);
	return proc_end_marked(&(struct proc_mark){s->sid, &places, m->first_ticks});
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
			n = strays_end(&s);
		if (n)
			strv_addf(said, "session %s is dead: ended %zu process%s that it left running", s.sid, n,
			          n == 1 ? "" : "es");
		session_fini(&s);
	}
	return 0;
}
