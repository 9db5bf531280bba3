/* escape: refs, and who may have moved them. */
#include "escape.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/keep.h"

enum { STATUS_EVERY_MS = 2000, TOLD_MAX = 5 };

struct escape {
	struct escape_tree *tree;
	void (*go)(struct core *);
	struct strv own;            /* sorted: refs of the session's tasks */
	struct str seen;            /* what stat says of all refs that are not ours */
	struct strv names, values;  /* these refs, sorted by name; a HEAD is a name too */
	uint64_t *idle_since;       /* of each slot: the last assignment or result, ms */
	unsigned kept;
	bool last;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A branch of a session, ours or another one's: integration-<sid>, bosk/<sid>/... */
static bool of_session(const struct escape *x, const char *ref)
{
	return str_starts(ref, "refs/bosk/") || str_starts(ref, "refs/heads/integration-") ||
	       str_starts(ref, "refs/heads/bosk/") ||
	       (x->own.n && bsearch(&ref, x->own.v, x->own.n, sizeof *x->own.v, by_text));
}

/* ---- looking ---- */

static void look_one(struct str *out, const char *name, const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0)
		str_addf(out, "%s %llu %lld %lld.%ld\n", name, (unsigned long long)st.st_ino,
		         (long long)st.st_size, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static void look_below(const struct escape *x, struct str *out, const char *common, const char *name)
{
	AUTO_FREE char *dir = mem_printf("%s/%s", common, name);
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		AUTO_FREE char *ref = mem_printf("%s/%s", name, entry->d_name);
		AUTO_FREE char *path = mem_printf("%s/%s", common, ref);
		AUTO_FREE char *below = mem_printf("%s/", ref);
		bool folder = entry->d_type == DT_DIR || (entry->d_type == DT_UNKNOWN && fs_is_dir(path));
		if (of_session(x, folder ? below : ref))
			continue;
		if (folder)
			look_below(x, out, common, ref);
		else if (!str_ends(ref, ".lock"))
			look_one(out, ref, path);
	}
	if (d)
		closedir(d);
}

/* HEADs of the user's worktrees: name and path of each. Ours have the names of our worktrees. */
static void find_heads(const struct core *c, struct strv *out)
{
	const char *common = gitx_common_dir(c->s->site->git);
	AUTO_FREE char *dir = mem_printf("%s/worktrees", common);
	DIR *d = opendir(dir);
	struct dirent *entry;

	const char *borrowed = c->s->manifest.borrowed; /* is a task's own */
	if (!str_eq(borrowed, gitx_main_top(c->s->site->git))) {
		strv_addf(out, "HEAD of %s", gitx_main_top(c->s->site->git));
		strv_addf(out, "%s/HEAD", common);
	}
	while (d && (entry = readdir(d))) {
		AUTO_FREE char *gitdir = mem_printf("%s/%s/gitdir", dir, entry->d_name);
		AUTO_STR struct str text = {0};
		struct err ignored = {0};
		/* Of all sessions: their worktrees lie in one folder, or are named like one. */
		if (entry->d_name[0] == '.' || fs_read(gitdir, 65536, &text, &ignored) != 0 ||
		    str_starts(str_text(&text), c->s->row.worktrees_dir) ||
		    (borrowed && str_starts(str_text(&text), borrowed) &&
		     str_starts(text.p + strlen(borrowed), "/.git")))
			continue;
		strv_addf(out, "HEAD of %.*s", (int)strcspn(str_text(&text), "\n"), str_text(&text));
		strv_addf(out, "%s/%s/HEAD", dir, entry->d_name);
	}
	if (d)
		closedir(d);
}

static void look(const struct core *c, struct str *out)
{
	const char *common = gitx_common_dir(c->s->site->git);
	AUTO_FREE char *packed = mem_printf("%s/packed-refs", common);
	AUTO_STRV struct strv heads = {0};

	look_below(c->escape, out, common, "refs");
	look_one(out, "packed-refs", packed);
	find_heads(c, &heads);
	for (size_t i = 0; i < heads.n; i += 2)
		look_one(out, heads.v[i], heads.v[i + 1]);
}

static int read_values(const struct core *c, struct strv *names, struct strv *values, struct err *e)
{
	AUTO_STRV struct strv all = {0}, heads = {0};
	struct oid oid;

	find_heads(c, &heads);
	for (size_t i = 0; i < heads.n; i += 2) {
		AUTO_STR struct str text = {0};
		if (fs_read(heads.v[i + 1], 4096, &text, e) != 0)
			continue; /* a worktree that was just removed */
		if (text.len)
			text.p[strcspn(text.p, "\n")] = '\0';
		strv_add(names, heads.v[i]);
		strv_add(values, text.len ? text.p : "(empty)");
	}
	if (gitx_ref_list(c->s->site->git, "refs/", &all, e) != 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (of_session(c->escape, all.v[i]) || gitx_ref_read(c->s->site->git, all.v[i], &oid, e) != 0)
			continue;
		strv_add(names, all.v[i]);
		strv_add(values, oid.hex);
	}
	return 0;
}

static const char *value_of(const struct strv *names, const struct strv *values, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return values->v[i];
	return "";
}

/* ---- judging ---- */

/* Another session that landed there, as the store has it. */
static bool landed_by_other(const struct core *c, const char *ref, const char *value)
{
	AUTO_STRV struct strv ids = {0};
	struct err ignored = {0};
	bool found = false;

	if (!str_starts(ref, "refs/heads/") || session_list(c->s->site, &ids, &ignored) != 0)
		return false;
	for (size_t i = 0; i < ids.n && !found; i++) {
		struct manifest_row m;
		if (str_eq(ids.v[i], c->s->sid) || session_manifest(c->s->site, ids.v[i], &m, &ignored) != 0)
			continue;
		found = str_eq(m.landed, value);
		rec_fini(&manifest_row_rec, &m);
	}
	return found;
}

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

/* Does it hold a commit that the attempt made? Which, in *commit. */
static bool holds_own(const struct core *c, const char *value, const struct strv *made,
                      const char **commit)
{
	struct oid at, own;
	struct err ignored = {0};
	bool reaches = false;

	for (size_t i = 0; i < made->n; i++)
		if (oid_parse(&at, value) && oid_parse(&own, made->v[i]) &&
		    gitx_reaches(c->s->site->git, &at, &own, &reaches, &ignored) == 0 && reaches) {
			*commit = made->v[i];
			return true;
		}
	return false;
}

static void running(const struct core *c, struct str *out)
{
	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++)
		if (c->slot_task[i] != SIZE_MAX)
			str_addf(out, "%s%s", out->len ? ", " : "", core_task_id(c, c->slot_task[i]));
}

/* So that nothing is lost whatever becomes of the ref. Its name in `out`. */
static void keep(struct core *c, const char *value, const char *what, struct str *out)
{
	AUTO_FREE char *ref =
		mem_printf("refs/bosk/keep/%s/outside/%u-%s", c->s->sid, c->escape->kept, what);
	struct oid oid;
	struct err ignored = {0};

	if (oid_parse(&oid, value) &&
	    gitx_ref_move(c->s->site->git, ref, NULL, &oid, "bosk: seen", &ignored) == 0)
		str_addf(out, "%s%s", out->len ? " and " : "", ref);
}

static void tell_change(struct core *c, const char *name, const char *old, const char *now)
{
	AUTO_STR struct str text = {0}, kept = {0}, tasks = {0};

	c->escape->kept++;
	running(c, &tasks);
	str_addf(&text, "while %s ran, %s ", str_text(&tasks), name);
	if (!*old)
		str_addf(&text, "came, at %.60s", now);
	else if (!*now)
		str_addf(&text, "was removed; it was at %.60s", old);
	else
		str_addf(&text, "went from %.60s to %.60s", old, now);
	keep(c, old, "old", &kept);
	keep(c, now, "new", &kept);
	if (kept.len)
		str_addf(&text, "; kept as %s", kept.p);
	str_add(&text, ". If that was not you, look at it");
	strv_add(&c->s->manifest.notes, text.p);
}

/* One ref or HEAD that is no longer as it was. True: it is the attempt's doing. */
static bool judge(struct core *c, const struct msg_result *m, const char *name, const char *old,
                  const char *now, char **reason)
{
	const char *commit = NULL;
	bool own = m && *now && holds_own(c, now, &m->made, &commit);

	if (!own && (str_starts(name, "refs/remotes/") || landed_by_other(c, name, now)))
		return false; /* fetched; explained */
	tell_change(c, name, old, now);
	if (own && !*reason)
		*reason = mem_printf("it went outside of its branch: %s %s commit %.12s, which it made", name,
		                     *old ? "now holds" : "was made and holds", commit);
	return own;
}

static bool look_at_refs(struct core *c, const struct msg_result *m, char **reason)
{
	struct escape *x = c->escape;
	AUTO_STR struct str now = {0};
	AUTO_STRV struct strv names = {0}, values = {0};
	struct err e = {0};
	bool own = false;

	look(c, &now);
	if (str_eq(str_text(&now), str_text(&x->seen)) || read_values(c, &names, &values, &e) != 0)
		return false;
	for (size_t i = 0; i < names.n; i++) {
		const char *old = value_of(&x->names, &x->values, names.v[i]);
		if (strcmp(old, values.v[i]) != 0)
			own |= judge(c, m, names.v[i], old, values.v[i], reason);
	}
	for (size_t i = 0; i < x->names.n; i++)
		if (!*value_of(&names, &values, x->names.v[i]))
			judge(c, m, x->names.v[i], x->values.v[i], "", reason);
	str_fini(&x->seen);
	x->seen = now;
	now = (struct str){0};
	strv_fini(&x->names);
	strv_fini(&x->values);
	x->names = names;
	x->values = values;
	names = values = (struct strv){0};
	return own;
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

/* Files that changed in worktrees where nobody worked. */
static bool look_at_idle(struct core *c, size_t slot, const struct msg_result *m, char **reason)
{
	AUTO_STR struct str text = {0}, tasks = {0};

	if (!m->strange.n)
		return false;
	bool own = was_alone(c, slot);
	running(c, &tasks);
	str_addf(&text, "while %s ran, these changed where nobody worked:", tasks.p);
	for (size_t i = 0; i < m->strange.n && i < TOLD_MAX; i++)
		str_addf(&text, " %s", m->strange.v[i]);
	if (m->strange.n > TOLD_MAX)
		str_addf(&text, " and %zu more", m->strange.n - TOLD_MAX);
	str_addf(&text, "; copies are in %s/outside", m->copies ? m->copies : "");
	strv_add(&c->s->manifest.notes, text.p);
	if (own && !*reason)
		*reason = mem_printf("it went outside of its worktree: %s was changed while nobody else ran",
		                     m->strange.v[0]);
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
	for (size_t i = 0; i < c->s->plan.n; i++) {
		AUTO_FREE char *branch =
			session_task_branch(c->cfg->branch, c->s->sid, &c->s->plan.tasks[i]);
		strv_addf(&x->own, "refs/heads/%s", branch);
	}
	if (x->own.n)
		qsort(x->own.v, x->own.n, sizeof *x->own.v, by_text);
	look(c, &x->seen);
	if (read_values(c, &x->names, &x->values, e) != 0)
		return err_wrap(e, "cannot look at the refs");
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
	strv_fini(&x->own);
	str_fini(&x->seen);
	strv_fini(&x->names);
	strv_fini(&x->values);
	free(x->idle_since);
	free(x);
	c->escape = NULL;
}

void escape_assigned(struct core *c, size_t task, size_t slot)
{
	c->escape->idle_since[slot] = clock_mono_ms();
	escape_tree_ran(c->escape->tree, core_task_id(c, task));
}

void escape_idle(const struct core *c, size_t slot, struct strv *idle)
{
	for (size_t i = 0; i < c->s->manifest.worktrees.n; i++)
		if (i != slot && c->slot_task[i] == SIZE_MAX && c->escape->idle_since[i])
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
	bool own = look_at_refs(c, m, reason);

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
