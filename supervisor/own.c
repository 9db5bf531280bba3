/* own: paths of worktrees that plans name - looking, recording, and what is made around them. */
#include "own.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "own_hide.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/worktree_look.h"

/* ---- places ---- */

bool own_is(const struct session *s, size_t place)
{
	return place >= s->manifest.own_at && place - s->manifest.own_at < s->manifest.own;
}

size_t own_place(const struct session *s, size_t task)
{
	size_t before = 0;

	if (!s->manifest.own || !s->plan.tasks[task].worktree)
		return SIZE_MAX;
	for (size_t i = 0; i < task; i++)
		before += s->plan.tasks[i].worktree != NULL;
	return before < s->manifest.own ? s->manifest.own_at + before : SIZE_MAX;
}

size_t own_slot_place(const struct session *s, size_t slot)
{
	return s->manifest.own && slot >= s->manifest.own_at ? slot + s->manifest.own : slot;
}

size_t own_slots(const struct session *s)
{
	return s->manifest.worktrees.n - s->manifest.own - (session_merge_slot(s) != SIZE_MAX);
}

/* ---- paths ---- */

/* As git and the store both name it: links in what exists of it are followed. *missing: the length of what exists. */
static char *resolve(const char *path, size_t *missing)
{
	AUTO_FREE char *at = mem_strdup(path);

	for (char *slash; !fs_exists(at) && (slash = strrchr(at, '/')) && slash != at;)
		*slash = '\0';
	AUTO_FREE char *real = realpath(at, NULL);
	const char *rest = path + strlen(at);
	if (!real || strcmp(real, "/") == 0) {
		*missing = 0;
		return mem_strdup(path);
	}
	*missing = strlen(real);
	return mem_printf("%s%s", real, rest);
}

static void fault(struct plan_faults *faults, const struct plan *plan, size_t i, const char *fmt, const char *a,
                  const char *b)
{
	AUTO_FREE char *text = mem_printf("%s%s%s", fmt, a, b);
	plan_faults_add(faults, plan->source, 0, 0, plan->tasks[i].id, "worktree", "%s", text);
}

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);
	return strncmp(path, top, n) == 0 && (path[n] == '/' || !path[n]);
}

static void check_one(const struct site *site, const struct plan *plan, size_t i, const char *path,
                      struct plan_faults *faults)
{
	AUTO_FREE char *admin = NULL, *why = NULL;
	struct slot probe = {.init = {.sid = (char *)"",
	                              .worktree = (char *)path,
	                              .common_dir = (char *)gitx_common_dir(site->git)}};

	if (path[0] != '/' || strpbrk(path, "\n\r") || str_ends(path, "/"))
		fault(faults, plan, i, "it must be an absolute path of one line: ", path, "");
	else if (is_below(path, gitx_common_dir(site->git)))
		fault(faults, plan, i, "it lies inside of git's own folder: ", path, "");
	else if (fs_exists(path))
		fault(faults, plan, i, path, " exists already", ": move it elsewhere, or name another path");
	else if (worktree_look(&probe, &admin, &why) != WORKTREE_NONE)
		fault(faults, plan, i, "git knows a worktree at ", path,
		      ", whose folder is gone: if nothing of it is needed, git worktree prune");
}

void own_check(const struct site *site, const struct plan *plan, struct plan_faults *faults)
{
	size_t ignored;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->tasks[i].worktree) {
			AUTO_FREE char *path = resolve(plan->tasks[i].worktree, &ignored);
			check_one(site, plan, i, path, faults);
		}
}

/* Of those that do not exist now. */
static void add_parents(struct session *s, const char *path, size_t exists)
{
	AUTO_FREE char *at = mem_strdup(path);

	for (char *slash; (slash = strrchr(at, '/')) && (size_t)(slash - at) > exists;) {
		*slash = '\0';
		if (!strv_has(&s->manifest.parents, at))
			strv_add(&s->manifest.parents, at);
	}
}

/* The first folder on the way that is new, as a pattern of info/exclude. */
static void add_hidden(struct session *s, const char *path, size_t exists)
{
	const char *top = gitx_main_top(s->site->git);
	size_t n = strlen(top);
	AUTO_STR struct str pattern = {0};

	if (!is_below(path, top) || exists < n)
		return;
	size_t end = exists + (path[exists] ? 1 + strcspn(path + exists + 1, "/") : 0);
	for (size_t i = n; i < end; i++) {
		if (strchr("*?[\\", path[i]))
			str_addc(&pattern, '\\');
		str_addc(&pattern, path[i]);
	}
	str_addc(&pattern, '/');
	if (!strv_has(&s->manifest.hidden, pattern.p))
		strv_add(&s->manifest.hidden, pattern.p);
}

void own_fill(struct session *s)
{
	struct manifest_row *m = &s->manifest;

	m->own_at = m->worktrees.n;
	for (size_t i = 0; i < s->plan.n; i++) {
		size_t exists;
		if (!s->plan.tasks[i].worktree)
			continue;
		AUTO_FREE char *path = resolve(s->plan.tasks[i].worktree, &exists);
		strv_add(&m->worktrees, path);
		m->own++;
		add_parents(s, path, exists);
		add_hidden(s, path, exists);
	}
	strv_sort(&m->parents); /* so that each comes before what is in it */
}

/* ---- what all sessions need ---- */

static bool any_left(const struct manifest_row *m)
{
	for (size_t i = 0; i < m->own && m->own_at + i < m->worktrees.n; i++)
		if (fs_exists(m->worktrees.v[m->own_at + i]))
			return true;
	return false;
}

static int wanted(const struct session *s, bool over, struct strv *out, struct err *e)
{
	AUTO_STRV struct strv ids = {0};

	if (session_list(s->site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct manifest_row m;
		struct err gone = {0};
		if (session_manifest(s->site, ids.v[i], &m, &gone) != 0) {
			if (gone.kind == ERR_MISSING)
				continue;
			*e = gone;
			return -1;
		}
		bool open = str_eq(ids.v[i], s->sid) ? !over
		                                     : !m.cleaned_ms && !str_eq(m.state, "done") && !str_eq(m.state, "failed");
		for (size_t k = 0; k < m.hidden.n && (open || any_left(&m)); k++)
			if (!strv_has(out, m.hidden.v[k]))
				strv_add(out, m.hidden.v[k]);
		rec_fini(&manifest_row_rec, &m);
	}
	return 0;
}

void own_hide(const struct session *s, bool over)
{
	if (s->manifest.hidden.n)
		own_hide_sync(s, over, wanted);
}

void own_clear(const struct session *s)
{
	for (size_t i = s->manifest.parents.n; i-- > 0;)
		rmdir(s->manifest.parents.v[i]); /* what is not empty stays */
	own_hide(s, true);
}
