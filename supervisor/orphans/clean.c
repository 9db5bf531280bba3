/* clean: an orphan's worktrees and branches, saved and removed. Each step is recorded before the next one needs it:
 * cut off anywhere, the next clean-up or resume goes on from there. */
#include "clean.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "strays.h"
#include "supervisor/locks.h"
#include "supervisor/own.h"
#include "supervisor/recover.h"
#include "supervisor/turn.h"
#include "worker/rescue.h"
#include "worker/worktree.h"
#include "worker/worktree_look.h"

struct cleaning {
	struct session *s;
	struct turn turn;
	struct strv *said;
	bool stayed;       /* something is left, by rule or because of a failure */
	bool failed;       /* ... could not be saved or removed */
	struct oid *saved; /* of each task: what its worktree came to; "" = nothing */
};

/* Its worktrees: those of its slots, then those that hold work which could not be saved and that no slot uses. */
static size_t n_paths(const struct session *s)
{
	return s->manifest.worktrees.n + s->manifest.held.n;
}

/* NULL = not one to be cleaned: a checkout of the user's, or one that was there before in the list. */
static const char *path_at(const struct session *s, size_t i)
{
	const struct manifest_row *m = &s->manifest;

	if (i < m->worktrees.n)
		return session_borrows(s, i) ? NULL : m->worktrees.v[i];
	const char *path = m->held.v[i - m->worktrees.n];
	return strv_has(&m->worktrees, path) || str_eq(m->borrowed, path) ? NULL : path;
}

/* A worktree as the functions of the worker know it. */
static void open_slot(struct slot *out, struct session *s, size_t i)
{
	*out = (struct slot){.gitx = s->site->git};
	out->init = (struct msg_init){.sid = s->sid,
	                              .slot = i + 1,
	                              .worktree = (char *)path_at(s, i),
	                              .common_dir = (char *)gitx_common_dir(s->site->git),
	                              .main_top = (char *)gitx_main_top(s->site->git),
	                              .state_dir = s->site->state_dir,
	                              .author = s->row.author};
	out->git = (struct git){.cwd = out->init.worktree, .guard = session_guard(s)};
	out->git_main = (struct git){.cwd = out->init.main_top, .guard = session_guard(s)};
	out->tmp_dir = mem_printf("%s/tmp/%s-%zu", s->site->state_dir, s->sid, i + 1);
}

static void close_slot(struct slot *s)
{
	free(s->admin_dir);
	free(s->dot_git);
	free(s->tmp_dir);
	free(s->work_task);
	strv_fini(&s->nested);
	strv_fini(&s->notes);
	strv_fini(&s->copied);
}

size_t clean_worktrees(const struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < n_paths(s); i++) {
		const char *path = path_at(s, i);
		AUTO_FREE char *admin = path ? mem_printf("%s/worktrees%s", gitx_common_dir(s->site->git),
		                                          strrchr(path, '/')) : NULL;
		/* What the plan names has no name of ours. */
		n += path && (fs_exists(path) || (!own_is(s, i) && fs_exists(admin)));
	}
	return n;
}

/* The last task to have worked there, whose work may be there still; SIZE_MAX = none. */
static size_t task_in(const struct session *s, size_t slot)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		if (row->left && row->worktree == slot + 1 && str_eq(row->session, s->sid) &&
		    (found == SIZE_MAX || row->started_ms > s->tasks[found].started_ms))
			found = i;
	}
	return found;
}

/* What is safe without a rescue: the branch, and where a task began. */
static void add_known(const struct session *s, size_t task, struct oid known[3])
{
	const struct task_row *row = task == SIZE_MAX ? NULL : &s->tasks[task];

	memset(known, 0, 3 * sizeof *known);
	oid_parse(&known[0], s->tip);
	oid_parse(&known[1], s->row.tip ? s->row.tip : "");
	if (row && row->base)
		oid_parse(&known[2], row->base);
}

static int record(struct cleaning *c, size_t task, const char *commit, const char *ref, struct err *e)
{
	struct event_row ev = {.kind = (char *)"rescued",
	                       .task = task == SIZE_MAX ? NULL : c->s->plan.tasks[task].id,
	                       .ordinal = task == SIZE_MAX ? 0 : task + 1,
	                       .note = (char *)ref};

	ev.commit = (char *)commit;
	turn_event(&c->turn, &ev);
	if (task != SIZE_MAX) {
		mem_set(&c->s->tasks[task].rescue, commit);
		turn_task(&c->turn, task);
	}
	return turn_commit(&c->turn, e);
}

/* By rule: somebody else has it, or may have. */
static void stays(struct cleaning *c, const char *what, const char *name, const char *why)
{
	c->stayed = true;
	strv_addf(c->said, "%s: %s %s stays: %s", c->s->sid, what, name, why);
}

static void failed(struct cleaning *c, const char *what, const char *name, struct err *e)
{
	c->failed = true;
	stays(c, what, name, e->text);
	err_clear(e);
}

/* Saves what is in it. *saved: the commit that its HEAD may be left at. */
static int save_worktree(struct cleaning *c, struct slot *slot, size_t i, struct oid *saved, struct err *e)
{
	struct session *s = c->s;
	size_t task = task_in(s, i);
	AUTO_FREE char *name = task != SIZE_MAX ? mem_strdup(s->plan.tasks[task].id)
	                                        : mem_printf("worktree-%zu", i + 1);
	AUTO_FREE char *ref = NULL;
	struct oid known[3];

	add_known(s, task, known);
	slot->work_attempt = task != SIZE_MAX ? s->tasks[task].attempts : 0;
	int rc = rescue_save(slot, name, known, MEM_COUNT(known), saved, &ref, e);
	for (size_t k = 0; k < slot->notes.n; k++) {
		AUTO_FREE char *note = mem_printf("%s: %s", name, slot->notes.v[k]);
		strv_addf(c->said, "%s: %s", s->sid, note);
		if (!strv_has(&s->manifest.notes, note))
			strv_add(&s->manifest.notes, note);
		turn_manifest(&c->turn);
	}
	if (rc != 0)
		return -1;
	if (task != SIZE_MAX)
		c->saved[task] = *saved;
	if (!ref)
		return 0;
	strv_addf(c->said, "%s: work of %s in %s is saved: %s", s->sid, name, slot->init.worktree, ref);
	return record(c, task, saved->hex, ref, e);
}

static void clean_worktree(struct cleaning *c, size_t i)
{
	struct session *s = c->s;
	const char *path = path_at(s, i);
	AUTO_FREE char *admin = NULL, *why = NULL;
	struct slot slot;
	struct oid saved;
	struct err e = {0};
	int rc = 0;

	open_slot(&slot, s, i);
	enum worktree_kind kind = worktree_look(&slot, &admin, &why);
	if (kind == WORKTREE_OTHER) {
		stays(c, "worktree", path, why);
	} else if (kind != WORKTREE_NONE) {
		/* Also one that was to be removed, and was worked in since. */
		if (worktree_adopt(&slot))
			rc = worktree_revive(&slot, &e);
		else if (kind == WORKTREE_GONE)
			slot.admin_dir = mem_strdup(admin);
		if (rc == 0 && slot.admin_dir)
			rc = save_worktree(c, &slot, i, &saved, &e);
		FAILPOINT("clean.worktree.saved");
		if (rc == 0)
			rc = slot.made ? rescue_remove(&slot, &saved, &e)
			               : worktree_remove(&slot, &e);
		FAILPOINT("clean.worktree.removed");
		if (rc == 0)
			strv_addf(c->said, kind == WORKTREE_GONE ? "%s: forgot worktree %s, whose folder is gone"
			                                         : "%s: removed worktree %s", s->sid, path);
		else
			failed(c, "worktree", path, &e);
	}
	struct err ignored = {0};
	fs_remove_tree(slot.tmp_dir, &ignored);
	close_slot(&slot);
}

/* A branch that the report names as the place of unfinished work stays. */
static bool is_result(const struct task_row *row)
{
	return row->kept && str_eq(row->kept, row->branch);
}

static int clean_branch(struct cleaning *c, size_t task, struct err *e)
{
	struct session *s = c->s;
	const struct task_row *row = &s->tasks[task];
	const char *id = s->plan.tasks[task].id;
	AUTO_FREE char *name = mem_printf("refs/heads/%s", row->branch ? row->branch : ""), *path = NULL, *ref = NULL;
	struct oid tip, known[5] = {0};
	struct err absent = {0};

	if (!row->branch || !str_eq(row->session, s->sid) || is_result(row) ||
	    gitx_ref_read(s->site->git, name, &tip, &absent) != 0)
		return 0;
	if (gitx_checked_out(s->site->git, name, &path, &absent) == 0 || absent.kind != ERR_MISSING) {
		AUTO_FREE char *where = mem_printf("it is checked out in %s", path ? path : "a worktree");
		if (path && strv_has(&s->manifest.worktrees, path) && !str_eq(path, s->manifest.borrowed)) {
			c->stayed = true; /* as its worktree, of which was told */
			return 0;
		}
		AUTO_FREE char *lent = mem_printf("%s is lent to it: bosk resume %s gives it back", path ? path : "", s->sid);
		stays(c, "branch", row->branch, path && str_eq(path, s->manifest.borrowed) ? lent : where);
		return 0;
	}
	add_known(s, task, known);
	known[3] = c->saved[task];
	if (row->rescue)
		oid_parse(&known[4], row->rescue);
	if (rescue_commit(s->site->git, s->sid, id, &tip, known, MEM_COUNT(known), &ref, e) != 0)
		return -1;
	if (ref)
		strv_addf(c->said, "%s: branch %s is saved: %s", s->sid, row->branch, ref);
	if (gitx_ref_move(s->site->git, name, &tip, NULL, "bosk: clean", e) != 0)
		return -1;
	strv_addf(c->said, "%s: removed branch %s", s->sid, row->branch);
	return 0;
}

static int close_entry(struct cleaning *c, struct err *e)
{
	struct session *s = c->s;

	FAILPOINT("clean.manifest.before");
	s->manifest.cleaned_ms = clock_wall_ms();
	strv_fini(&s->manifest.held);
	turn_note(&c->turn, "cleaned", SIZE_MAX, NULL);
	int rc = turn_commit(&c->turn, e);
	FAILPOINT("clean.manifest.after");
	return rc;
}

int clean_session(struct session *s, struct strv *said, bool *whole, struct err *e)
{
	struct cleaning c = {.s = s, .said = said, .saved = mem_array(s->plan.n + 1, sizeof *c.saved)};
	struct err fault = {0};
	int rc = 0;

	strays_end(s); /* they would go on writing */
	locks_clear(s);
	rc = recover_disk(s, e);
	if (rc != 0) {
		free(c.saved);
		return rc;
	}
	turn_init(&c.turn, s);
	c.turn.visit = true;
	for (size_t i = 0; i < n_paths(s); i++)
		if (path_at(s, i))
			clean_worktree(&c, i);
	FAILPOINT("clean.branches.before");
	for (size_t i = 0; i < s->plan.n; i++)
		if (clean_branch(&c, i, &fault) != 0)
			failed(&c, "branch", s->tasks[i].branch, &fault);
	FAILPOINT("clean.branches.after");
	if (!c.stayed)
		own_clear(s);
	if (!c.stayed)
		rc = close_entry(&c, e);
	turn_fini(&c.turn);
	free(c.saved);
	*whole = !c.failed;
	return rc;
}
