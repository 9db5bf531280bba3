/* escape: a look at everything that is not the session's when a task ends, and when the session does. */
#include "escape.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/clock.h"
#include "store/base/mem.h"
#include "worker/keep.h"
#include "worker/secret.h"

enum { STATUS_EVERY_MS = 2000, TOLD_MAX = 5 };

struct escape {
	struct escape_tree *tree;
	struct escape_refs *refs;
	void (*go)(struct core *);
	uint64_t *idle_since; /* of each slot: the last assignment or result, ms; UINT64_MAX: it is given away */
	bool last;
};

static bool other_session_lives(const struct core *c)
{
	AUTO_STRV struct strv ids = {0};
	struct err ignored = {0};

	if (session_list(c->s->site, &ids, &ignored) != 0)
		return true;
	for (size_t i = 0; i < ids.n; i++)
		if (!str_eq(ids.v[i], c->s->sid) && session_live(c->s->site, ids.v[i]))
			return true;
	return false;
}

void escape_running(const struct core *c, struct str *out)
{
	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++)
		if (c->slot_task[i] != SIZE_MAX)
			str_addf(out, "%s%s", out->len ? ", " : "", core_task_id(c, c->slot_task[i]));
}

/* Nobody else ran since this task was given to its slot, in this session or another. */
static bool was_alone(const struct core *c, size_t slot)
{
	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++)
		if (i != slot && (c->slot_task[i] != SIZE_MAX ||
		                  c->escape->idle_since[i] > c->escape->idle_since[slot]))
			return false;
	return !other_session_lives(c);
}

/* Has another task begun, or ended, in the worktree of `path` since this one was given to its slot? */
static bool worked_since(const struct core *c, size_t slot, const char *path)
{
	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++) {
		const char *top = c->s->manifest.worktrees.v[i];
		if (str_starts(path, top) && path[strlen(top)] == '/')
			return c->escape->idle_since[i] >= c->escape->idle_since[slot];
	}
	return false;
}

/* Files that changed in worktrees where nobody worked. */
static bool look_at_idle(struct core *c, size_t slot, const struct msg_result *m, char **reason)
{
	AUTO_STR struct str text = {0}, tasks = {0};
	AUTO_STRV struct strv strange = {0};

	for (size_t i = 0; i < m->strange.n; i++)
		if (!worked_since(c, slot, m->strange.v[i]))
			strv_add(&strange, m->strange.v[i]);
	if (!strange.n)
		return false;
	bool own = was_alone(c, slot);
	escape_running(c, &tasks);
	str_addf(&text, "while %s ran, these changed where nobody worked:", tasks.p);
	for (size_t i = 0; i < strange.n && i < TOLD_MAX; i++)
		str_addf(&text, " %s", strange.v[i]);
	if (strange.n > TOLD_MAX)
		str_addf(&text, " and %zu more", strange.n - TOLD_MAX);
	str_addf(&text, "; copies are in %s/outside", m->copies ? m->copies : "");
	secret_hide(&text); /* names are made up by agents */
	strv_add(&c->s->manifest.notes, text.p);
	if (own && !*reason)
		*reason = mem_printf("it went outside of its worktree: %s was changed while nobody else ran",
		                     strange.v[0]);
	return own;
}

/* ---- life ---- */

static void opened(struct core *c)
{
	c->escape->go(c);
}

int escape_open(struct core *c, void (*go)(struct core *), struct err *e)
{
	struct escape *x = c->escape = mem_alloc(sizeof *x);

	x->go = go;
	x->idle_since = mem_array(c->s->manifest.worktrees.n, sizeof *x->idle_since);
	if (escape_refs_new(&x->refs, c, e) != 0)
		return -1;
	x->tree = escape_tree_new(c);
	escape_tree_look(x->tree, opened);
	return 0;
}

void escape_close(struct core *c)
{
	struct escape *x = c->escape;

	if (!x)
		return;
	escape_tree_free(x->tree);
	escape_refs_free(x->refs);
	free(x->idle_since);
	free(x);
	c->escape = NULL;
}

void escape_assigned(struct core *c, size_t task, size_t slot)
{
	c->escape->idle_since[slot] = clock_mono_ms();
	escape_tree_ran(c->escape->tree, core_task_id(c, task));
}

void escape_left(struct core *c, size_t slot)
{
	c->escape->idle_since[slot] = UINT64_MAX;
}

void escape_idle(const struct core *c, size_t slot, struct strv *idle)
{
	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++)
		if (i != slot && c->slot_task[i] == SIZE_MAX && c->escape->idle_since[i] &&
		    c->escape->idle_since[i] != UINT64_MAX)
			strv_add(idle, c->s->manifest.worktrees.v[i]);
}

/* The commit of an attempt that fails for this: the next one moves its branch. */
static void keep_work(struct core *c, struct msg_result *m)
{
	AUTO_FREE char *ref = NULL;
	struct oid commit;
	struct err ignored = {0};

	if (m->commit && oid_parse(&commit, m->commit) &&
	    keep_commit(c->s->site->git, c->s->sid, m->task, m->attempts, "-work", &commit, &ref,
	                &ignored) == 0)
		mem_set(&m->kept, ref);
}

bool escape_found(struct core *c, size_t slot, struct msg_result *m, char **reason)
{
	bool own = escape_refs_look(c->escape->refs, m, reason);

	own |= look_at_idle(c, slot, m, reason);
	if (own)
		keep_work(c, m);
	c->escape->idle_since[slot] = clock_mono_ms();
	if (escape_tree_age_ms(c->escape->tree) > STATUS_EVERY_MS)
		escape_tree_look(c->escape->tree, NULL);
	return own;
}

/* The workers may have ended before. */
static void looked_last(struct core *c)
{
	if (c->phase == PHASE_CLEANUP && !c->quitting)
		finish_session(c);
}

void escape_last(struct core *c)
{
	if (c->escape && !c->escape->last) {
		c->escape->last = true;
		escape_tree_look(c->escape->tree, looked_last);
	}
}

bool escape_over(struct core *c)
{
	return !c->escape || !escape_tree_busy(c->escape->tree);
}
