/* mend_tasks: where each task stands - by the journal where that is whole, by the merges on the branch in
 * any case. */
#include <string.h>

#include "mend_private.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "supervisor/revert.h"
#include "supervisor/sprint.h"
#include "supervisor/standing.h"
#include "worker/keep.h"

bool mend_there(struct gitx *g, const char *hex, struct oid *out)
{
	return hex && oid_parse(out, hex) && gitx_has_object(g, out);
}

/* What the journal says of a task, into its row. */
static void from_journal(struct mend *m, size_t i)
{
	const struct replay_task *told = &m->q->replay.tasks[i];
	struct task_row *row = &m->s->tasks[i];
	enum task_state state;

	if (i >= m->q->replay.n)
		return;
	if (!row->state || !task_state_parse(row->state, &state) || !replay_agrees(&m->q->replay, i, state))
		mem_set(&row->state, task_state_name(told->state == TASK_RUNNING ? TASK_WAITING : told->state));
	mem_set(&row->commit, told->commit);
	mem_set(&row->merge, told->merge);
	row->attempts = told->attempts;
}

static void remove_text(struct strv *l, const char *text)
{
	struct strv kept = {0};

	for (size_t i = 0; i < l->n; i++)
		if (!str_eq(l->v[i], text))
			strv_add(&kept, l->v[i]);
	strv_fini(l);
	*l = kept;
}

/* A commit on the branch that takes a merge out again. It is met before that. */
static void from_revert(struct mend *m, const struct oid *at, size_t i, const char *merge, bool *seen)
{
	struct task_row *row = &m->s->tasks[i];

	if (!strv_has(&row->undone, merge)) {
		strv_add(&row->undone, merge);
		strv_add(&row->reverts, at->hex);
	}
	remove_text(&row->earlier, merge);
	if (seen[i]) /* it was done again after that */
		return;
	seen[i] = true;
	mem_set(&row->session, m->s->sid);
	mem_set(&row->merge, NULL);
	row->partial = false;
	if (str_eq(row->state, "reverted"))
		return;
	strv_addf(m->said, "%s: task %s is reverted, by commit %.12s", m->s->sid, m->s->plan.tasks[i].id, at->hex);
	mem_set(&row->state, task_state_name(TASK_REVERTED));
	AUTO_FREE char *why = mem_printf("taken out by bosk revert, in commit %.12s", at->hex);
	mem_set(&row->reason, why);
	row->ended_ms = row->ended_ms ? row->ended_ms : clock_wall_ms();
}

/* Its merge, further down: the commit that it brought is not the task's state any more, but stays known. */
static void from_undone(struct mend *m, struct task_row *row, const struct oid *commit)
{
	struct oid there;

	if (str_eq(row->state, "reverted") && !mend_there(m->s->site->git, row->commit, &there))
		mem_set(&row->commit, commit->hex);
}

/* A merge on the branch: its task is integrated, whatever the rows say. */
static void from_merge(struct mend *m, const struct oid *at, const struct oid *parents, size_t n, bool *seen)
{
	struct gitx *g = m->s->site->git;
	AUTO_FREE char *sid = gitx_trailer(g, at, "Bosk-Session"), *id = gitx_trailer(g, at, "Bosk-Task");
	AUTO_FREE char *hash = gitx_trailer(g, at, "Bosk-Result"), *attempt = gitx_trailer(g, at, "Bosk-Attempt");
	size_t i = str_eq(sid, m->s->sid) ? session_task(m->s, id) : SIZE_MAX;
	struct oid base;
	size_t n_base = 0;
	struct err ignored = {0};
	enum task_state state;

	AUTO_FREE char *reverts = i == SIZE_MAX ? NULL : gitx_trailer(g, at, REVERT_TRAILER);
	if (reverts && n == 1)
		from_revert(m, at, i, reverts, seen);
	if (i == SIZE_MAX || n != 2)
		return;
	struct task_row *row = &m->s->tasks[i];
	if (strv_has(&row->undone, at->hex)) {
		from_undone(m, row, &parents[1]);
		return;
	}
	if (strv_has(&row->earlier, at->hex))
		return;
	if (seen[i]) { /* of a story that was done again after that */
		strv_add(&row->earlier, at->hex);
		return;
	}
	seen[i] = true;
	if (!str_eq(row->session, sid) || !row->state || !task_state_parse(row->state, &state) ||
	    (state != TASK_INTEGRATED && state != TASK_LANDED) || !str_eq(row->merge, at->hex)) {
		strv_addf(m->said, "%s: task %s is integrated, by merge %.12s", sid, id, at->hex);
		mem_set(&row->state, task_state_name(TASK_INTEGRATED));
		mem_set(&row->reason, NULL);
		mem_set(&row->kept, NULL);
		row->ended_ms = row->ended_ms ? row->ended_ms : clock_wall_ms();
	}
	mem_set(&row->session, sid);
	mem_set(&row->merge, at->hex);
	mem_set(&row->commit, parents[1].hex);
	if (gitx_parents(g, &parents[1], &base, 1, &n_base, &ignored) == 0 && n_base)
		mem_set(&row->base, base.hex);
	if (hash && *hash)
		mem_set(&row->result_hash, hash);
	if (!row->boxes)
		standing_story(g, at, &parents[1], &m->s->plan.tasks[i], row);
	if (!row->attempts && attempt)
		str_u64(attempt, &row->attempts);
}

/* Where the session began must be on its branch; else it is where its merges begin. */
static int mend_base(struct mend *m, const struct oid *base, struct err *e)
{
	struct oid tip, began;
	bool on = false;

	if (!oid_parse(&tip, m->s->tip))
		return err_set(e, ERR_DAMAGED, "session %s records no integration tip", m->s->sid);
	if (mend_there(m->s->site->git, m->s->row.tip, &began) &&
	    gitx_reaches(m->s->site->git, &tip, &began, &on, e) != 0)
		return -1;
	if (on)
		return 0;
	mem_set(&m->s->row.tip, base->hex);
	rows_put(&m->t->batch, DB_sessions, m->s->sid, &session_row_rec, &m->s->row);
	strv_addf(m->said, "%s: its branch begins at %.12s", m->s->sid, base->hex);
	return 0;
}

static int from_branch(struct mend *m, bool *seen, struct err *e)
{
	struct gitx *g = m->s->site->git;
	struct oid at, base, parents[2];
	size_t n = 1;

	if (!oid_parse(&at, m->s->tip) || rebuild_base(m->v, m->vs, &base, e) != 0)
		return -1;
	for (; n && strcmp(at.hex, base.hex) != 0; at = parents[0]) {
		if (gitx_parents(g, &at, parents, 2, &n, e) != 0)
			return -1;
		from_merge(m, &at, parents, n, seen);
	}
	return mend_base(m, &base, e);
}

static void begin_again(struct mend *m, size_t i, const char *why)
{
	struct task_row *row = &m->s->tasks[i];

	mem_set(&row->state, task_state_name(TASK_WAITING));
	mem_set(&row->commit, NULL);
	mem_set(&row->merge, NULL);
	mem_set(&row->reason, why);
	strv_addf(m->said, "%s: task %s is pending again: %s", m->s->sid, m->s->plan.tasks[i].id, why);
}

static int check_row(struct mend *m, size_t i, bool seen, struct err *e)
{
	struct gitx *g = m->s->site->git;
	struct task_row *row = &m->s->tasks[i];
	enum task_state state = session_task_state(m->s, i), planned = plan_end(&m->s->plan.tasks[i]);
	struct oid oid;
	struct err ignored = {0};
	bool there;

	if (m->vs->broken && state == TASK_WAITING && planned != TASK_WAITING) { /* nobody works on it */
		mem_set(&row->state, task_state_name(planned));
		mem_set(&row->session, m->s->sid);
		mem_set(&row->reason, m->s->plan.tasks[i].routed);
		return 0;
	}

	if (state == TASK_INTEGRATED || state == TASK_LANDED) {
		/* Of an earlier session of the queue, or merged by hand: then it is somewhere below the tip. */
		if (session_brings(&there, m->s, i, e) != 0)
			return -1;
		if (!seen && !there && (!row->session || str_eq(row->session, m->s->sid)))
			begin_again(m, i, "its merge is not on the branch");
		return 0;
	}
	if (row->commit && !mend_there(g, row->commit, &oid)) {
		if (state == TASK_CHECKED)
			begin_again(m, i, "its commit is not in the repository any more");
		mem_set(&row->commit, NULL);
	}
	AUTO_FREE char *ref = !row->kept ? NULL
	                      : str_starts(row->kept, "refs/") ? mem_strdup(row->kept)
	                                                       : mem_printf("refs/heads/%s", row->kept);
	if (!ref || gitx_ref_read(g, ref, &oid, &ignored) == 0)
		return 0;
	if (mend_there(g, row->commit, &oid) && gitx_ref_move(g, ref, NULL, &oid, "bosk: verify", &ignored) == 0) {
		strv_addf(m->said, "%s: %s holds the work of task %s again", m->s->sid, row->kept, m->s->plan.tasks[i].id);
		return 0;
	}
	strv_addf(&m->s->manifest.notes, "the work that task %s had left on %s is gone", m->s->plan.tasks[i].id,
	          row->kept);
	mem_set(&row->kept, NULL);
	return 0;
}

/* What a branch of an unknown task holds is kept: its next attempt begins the branch anew. */
static int keep_unknown(struct mend *m, size_t i, struct err *e)
{
	struct task_row *row = &m->s->tasks[i];
	AUTO_FREE char *branch = mem_printf("bosk/%s/%s", m->s->sid, m->s->plan.tasks[i].id);
	struct oid base;

	if (row->branch || !oid_parse(&base, m->s->row.tip))
		return 0;
	return keep_branch(m->s->site->git, m->s->sid, m->s->plan.tasks[i].id, row->attempts, branch, &base, e);
}

int mend_sprint(struct mend *m, struct err *e)
{
	struct session *s = m->s;
	struct gitx *g = s->site->git;
	AUTO_STRV struct strv found = {0}; /* newest first */
	struct oid at, parents[2];
	size_t n = 1;
	bool same;

	for (bool on = oid_parse(&at, s->tip); on && n && !str_eq(at.hex, s->row.tip); at = parents[0]) {
		if (sprint_is(g, &at, s->sid))
			strv_add(&found, at.hex);
		if (gitx_parents(g, &at, parents, 2, &n, e) != 0)
			return -1;
	}
	same = found.n == s->manifest.sprint.n;
	for (size_t i = 0; i < found.n && same; i++)
		same = str_eq(found.v[found.n - 1 - i], s->manifest.sprint.v[i]);
	if (same)
		return 0;
	strv_fini(&s->manifest.sprint);
	for (size_t i = found.n; i-- > 0;)
		strv_add(&s->manifest.sprint, found.v[i]);
	strv_addf(m->said, "%s: %zu commits of the sprint status are on its branch", s->sid, found.n);
	return 0;
}

int mend_tasks(struct mend *m, struct err *e)
{
	AUTO_FREE bool *seen = mem_array(m->s->plan.n, sizeof *seen);
	bool journal = !m->vs->gap && !m->q->broken && !m->vs->broken;

	for (size_t i = 0; journal && i < m->s->plan.n; i++)
		if (i >= m->q->n || !verify_outside(m->q, i))
			from_journal(m, i);
	if (from_branch(m, seen, e) != 0)
		return -1;
	for (size_t i = 0; i < m->s->plan.n; i++) {
		if (check_row(m, i, seen[i], e) != 0)
			return -1;
		turn_task(m->t, i);
		if (keep_unknown(m, i, e) != 0)
			return -1;
	}
	return 0;
}
