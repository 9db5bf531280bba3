/* session_find: which session or task a command means (declared in session.h). */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "store/base/mem.h"

/* "a1b2c3 (running, QUE-...)" for each, for the user to choose from. */
static void describe(const struct site *site, const struct strv *ids, struct str *out)
{
	for (size_t i = 0; i < ids->n; i++) {
		struct manifest_row m;
		struct err ignored = {0};
		if (session_manifest(site, ids->v[i], &m, &ignored) != 0)
			continue;
		str_addf(out, "\n  %s  %-11s  %s", ids->v[i], session_state(site, ids->v[i], &m), m.queue);
		rec_fini(&manifest_row_rec, &m);
	}
}

int session_find(const struct site *site, const char *name, const char *what, session_fits *fits,
                 char sid[SEAL_SID], struct err *e)
{
	AUTO_STRV struct strv all = {0}, fit = {0};
	AUTO_STR struct str list = {0};

	if (session_list(site, &all, e) != 0)
		return -1;
	if (!all.n)
		return err_set(e, ERR_USAGE, "there is no session in this repository; bosk run PLAN makes one");
	for (size_t i = 0; i < all.n; i++) {
		struct manifest_row m;
		if (name && !str_starts(all.v[i], name))
			continue;
		if (session_manifest(site, all.v[i], &m, e) != 0)
			return -1;
		if (name || !fits || fits(site, all.v[i], &m))
			strv_add(&fit, all.v[i]);
		rec_fini(&manifest_row_rec, &m);
	}
	if (fit.n == 1) {
		snprintf(sid, SEAL_SID, "%s", fit.v[0]);
		return 0;
	}
	describe(site, fit.n ? &fit : &all, &list);
	if (name)
		return err_set(e, ERR_USAGE, "%s session begins with '%s'; there %s:%s",
		               fit.n ? "more than one" : "no", name, fit.n ? "are" : "is", str_text(&list));
	bool live = false;
	for (size_t i = 0; i < all.n; i++)
		live |= session_live(site, all.v[i]);
	if (!fit.n)
		return err_set(e, live ? ERR_HELD : ERR_USAGE, "no session that bosk %s could apply to; there is:%s", what,
		               str_text(&list));
	return err_set(e, ERR_USAGE, "bosk %s: say which session:%s", what, str_text(&list));
}

/* How well a session's tasks fit a name: one is called so, or one or more begin with it. */
enum fit { FIT_NONE, FIT_MANY, FIT_PREFIX, FIT_EXACT };

static enum fit match_task(const struct session *s, const char *id, size_t *index)
{
	enum fit fit = FIT_NONE;
	for (size_t i = 0; i < s->plan.n; i++) {
		if (strcmp(s->plan.tasks[i].id, id) == 0) {
			*index = i;
			return FIT_EXACT;
		}
		if (str_starts(s->plan.tasks[i].id, id)) {
			*index = i;
			fit = fit == FIT_NONE ? FIT_PREFIX : FIT_MANY;
		}
	}
	return fit;
}

int session_task_like(const struct session *s, const char *id, size_t *index, struct err *e)
{
	enum fit fit = match_task(s, id, index);

	if (fit >= FIT_PREFIX)
		return 0;
	return err_set(e, ERR_USAGE, fit == FIT_MANY ? "more than one task of session %s begins with '%s'"
	                                             : "session %s has no task '%s'", s->sid, id);
}

int session_find_task(struct session *out, struct site *site, const char *name, size_t *index,
                      struct err *e)
{
	const char *slash = strchr(name, '/'), *colon = slash ? NULL : strchr(name, ':');
	AUTO_FREE char *queue = colon ? mem_strndup(name, (size_t)(colon - name)) : NULL;
	AUTO_STRV struct strv all = {0}, with = {0};
	char sid[SEAL_SID];

	*out = (struct session){.lock_fd = -1};
	if (slash) {
		AUTO_FREE char *session = mem_strndup(name, (size_t)(slash - name));
		if (session_find(site, session, "", NULL, sid, e) != 0)
			return -1;
		strv_add(&all, sid);
		name = slash + 1;
	} else if (session_list(site, &all, e) != 0) {
		return -1;
	}
	if (colon)
		name = colon + 1;
	enum fit best = FIT_NONE;
	for (size_t i = 0; i < all.n; i++) {
		struct session s;
		size_t at;
		enum fit fit = FIT_NONE;
		if (session_load(&s, site, all.v[i], e) == 0 && (!queue || str_eq(s.row.queue, queue)))
			fit = match_task(&s, name, &at);
		session_fini(&s);
		if (fit > best) {
			best = fit;
			strv_fini(&with);
		}
		if (fit == best && fit >= FIT_PREFIX)
			strv_add(&with, all.v[i]);
	}
	err_clear(e);
	/* The same plan may have run more than once: a living session is meant before an ended one,
	 * and otherwise the user has to say. */
	AUTO_STRV struct strv live = {0};
	for (size_t i = 0; with.n > 1 && i < with.n; i++)
		if (session_live(site, with.v[i]))
			strv_add(&live, with.v[i]);
	if (live.n == 1) {
		strv_fini(&with);
		strv_copy(&with, &live);
	}
	if (with.n == 1) {
		if (session_load(out, site, with.v[0], e) != 0)
			return -1;
		match_task(out, name, index);
		return 0;
	}
	if (!with.n)
		return err_set(e, ERR_USAGE, best == FIT_MANY ? "more than one task begins with '%s'"
		                                       : "no session has a task '%s'", name);
	AUTO_STR struct str list = {0};
	describe(site, &with, &list);
	return err_set(e, ERR_USAGE, "task %s is in several sessions: name one as SID/%s:%s", name, name,
	               str_text(&list));
}
