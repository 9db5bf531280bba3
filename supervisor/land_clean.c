/* land_clean: after a landing (declared in land_private.h). Only what the target holds goes: the integration branch, and
 * branches of tasks that are still there. What holds more than that stays and is listed (promises A5, B3). */
#include "land_private.h"

#include <string.h>

#include "store/base/mem.h"

/* The branch, by compare-and-swap, when its tip is on the target and nobody has it checked out; else it is listed. */
static void remove_branch(struct landing *l, const char *name, const struct oid *target)
{
	struct gitx *g = l->s->site->git;
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", name), *path = NULL;
	struct oid at;
	struct err e = {0};
	bool in = false;

	if (gitx_ref_read(g, ref, &at, &e) != 0) {
		if (e.kind == ERR_MISSING)
			session_note_gone(l->s, "branch", name);
		return;
	}
	if (gitx_checked_out(g, ref, &path, &e) == 0) {
		land_refuse(l, "\nthe branch %s stays: it is checked out in %s", name, path);
		return;
	}
	if (e.kind != ERR_MISSING) { /* perhaps it is */
		land_refuse(l, "\nthe branch %s stays: %s", name, e.text);
		return;
	}
	err_clear(&e);
	int rc = gitx_reaches(g, target, &at, &in, &e);
	if (rc == 0 && !in)
		land_refuse(l, "\nthe branch %s stays: it holds what is not in %s", name, l->s->row.target);
	else if (rc != 0 || (gitx_ref_move(g, ref, &at, NULL, "bosk: landed", &e) != 0 && e.kind != ERR_MOVED))
		land_refuse(l, "\nthe branch %s stays: %s", name, e.text);
	else
		session_note_gone(l->s, "branch", name);
}

static void list_refs(struct landing *l, const char *kind, const char *how)
{
	AUTO_FREE char *prefix = mem_printf("refs/bosk/%s/%s/", kind, l->s->sid);
	AUTO_STRV struct strv refs = {0};
	struct err ignored = {0};

	if (gitx_ref_list(l->s->site->git, prefix, &refs, &ignored) == 0 && refs.n)
		land_refuse(l, "\n  kept: %zu ref%s in %s (%s)", refs.n, refs.n == 1 ? "" : "s", prefix, how);
}

void land_clean(struct landing *l)
{
	struct session *s = l->s;
	struct oid target;
	struct err ignored = {0};

	if (gitx_ref_read(s->site->git, l->ref, &target, &ignored) != 0)
		return;
	if (!l->tasks.n && !s->row.keep_worktrees)
		remove_branch(l, s->manifest.integration_branch, &target);
	for (size_t i = 0; i < s->plan.n; i++)
		if (session_task_state(s, i) == TASK_LANDED && s->tasks[i].branch && str_eq(s->tasks[i].session, s->sid) &&
		    !s->tasks[i].reason && !s->row.keep_worktrees)
			remove_branch(l, s->tasks[i].branch, &target);
	list_refs(l, "keep", "what agents had committed");
	list_refs(l, "rescue", "saved work: bosk rescue list");
}
