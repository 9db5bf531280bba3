/* revert: whether a task can be taken out, and what of its session after it. */
#include "revert_private.h"

#include <string.h>

#include "adopt.h"
#include "locks.h"
#include "recover.h"
#include "store/base/mem.h"

enum { MOST_NAMED = 20, TRIES = 5 };

void revert_result_fini(struct revert_result *r)
{
	strv_fini(&r->tasks);
	strv_fini(&r->open);
	str_fini(&r->text);
}

int revert_refuse(struct revert *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	str_addv(&r->out->text, fmt, ap);
	va_end(ap);
	return 0;
}

/* ---- may it be? ---- */

static int check_session(const struct session *s, const char *id, struct err *e)
{
	struct intent_row land;
	bool open;

	if (!str_eq(s->queue.session, s->sid))
		return err_set(e, ERR_USAGE, "session %s goes on with the tasks of session %s: take it out there: bosk revert %s/%s",
		               s->queue.session, s->sid, s->queue.session, id);
	if (str_eq(s->manifest.state, "landing"))
		return err_set(e, ERR_USAGE, "session %s is in the middle of landing: bosk resume %s first", s->sid, s->sid);
	if (str_eq(s->manifest.state, "running")) /* and its lock was free */
		return err_set(e, ERR_USAGE, "session %s was interrupted: bosk resume %s first", s->sid, s->sid);
	if (session_intent(s, "land", &land, &open, e) != 0)
		return -1;
	if (!open)
		return 0;
	rec_fini(&intent_row_rec, &land);
	return err_set(e, ERR_USAGE, "a landing of session %s was cut off: bosk land %s --merge first", s->sid, s->sid);
}

/* *go false: it was said why not, or that it is so already. */
static int check_task(struct revert *r, bool *go, struct err *e)
{
	struct session *s = r->s;
	const struct task_row *row = &s->tasks[r->task];
	enum task_state state = session_task_state(s, r->task);
	const char *id = s->plan.tasks[r->task].id;
	bool here = false;

	*go = false;
	if (state == TASK_REVERTED) {
		r->out->done = true;
		return revert_refuse(r, "%s is out already, by commit %.12s; bosk retry %s/%s does it again", id,
		                     row->reverts.n ? row->reverts.v[row->reverts.n - 1] : "?", s->sid, id);
	}
	if (state == TASK_LANDED)
		return revert_refuse(r, "not taken out: %s has landed on %s. To revert it there:\n  git switch %s && git revert -m 1 %.12s",
		                     id, s->row.target, s->row.target, row->merge ? row->merge : row->commit);
	if (state == TASK_ALREADY)
		return err_set(e, ERR_USAGE, "task %s was done before: session %s has brought nothing of it", id, s->sid);
	if (state != TASK_INTEGRATED)
		return err_set(e, ERR_USAGE, "task %s is %s: only what is integrated can be taken out", id,
		               session_task_shown(s, r->task));
	if (session_brings(&here, s, r->task, e) != 0)
		return -1;
	if (!here)
		return err_set(e, ERR_USAGE, "task %s was integrated in session %s, and is not on branch %s", id, row->session,
		               s->manifest.integration_branch);
	*go = true;
	return 0;
}

static void name_all(struct revert *r, const bool *which)
{
	size_t n = 0;

	for (size_t i = 0; i < r->s->plan.n; i++)
		if (which[i] && i != r->task && n++ < MOST_NAMED)
			revert_refuse(r, " %s", r->s->plan.tasks[i].id);
	if (n > MOST_NAMED)
		revert_refuse(r, " and %zu more", n - MOST_NAMED);
}

static bool any_other(const struct revert *r, const bool *which)
{
	for (size_t i = 0; i < r->s->plan.n; i++)
		if (which[i] && i != r->task)
			return true;
	return false;
}

/* *go false: it was said what needs it. */
static int check_dependents(struct revert *r, bool *in, bool with, bool *go, struct err *e)
{
	const struct session *s = r->s;
	const char *id = s->plan.tasks[r->task].id;

	if (revert_dependents(r, in, e) != 0)
		return -1;
	for (size_t i = 0; i < s->plan.n; i++)
		if (in[i] && session_task_state(s, i) == TASK_LANDED) {
			*go = false;
			return revert_refuse(r, "not taken out: %s needs %s, and has landed on %s", s->plan.tasks[i].id, id, s->row.target);
		}
	*go = with || (!any_other(r, in) && !any_other(r, r->back));
	if (*go)
		return 0;
	for (size_t i = 0; i < s->plan.n; i++)
		in[i] |= r->back[i];
	revert_refuse(r, "not taken out: what needs %s is done already:", id);
	name_all(r, in);
	return revert_refuse(r, "\n  to take that out, too: bosk revert %s/%s --with-dependents", s->sid, id);
}

/* ---- doing it ---- */

/* What a crash left open, and what somebody did on the branch, comes first. */
static int settle(struct session *s, struct err *e)
{
	locks_clear(s);
	return recover_intent(s, e) != 0 ? -1 : adopt_now(s, e);
}

static int take_out(struct revert *r, bool with, struct err *e)
{
	struct session *s = r->s;
	AUTO_FREE bool *in = mem_array(s->plan.n, sizeof *in);
	bool go = false;

	if (check_task(r, &go, e) != 0)
		return -1;
	if (go && check_dependents(r, in, with, &go, e) != 0)
		return -1;
	if (!go)
		return 0;
	in[r->task] = true;
	if (revert_steps(r, in, &go, e) != 0 || (go && revert_commits(r, &go, e) != 0))
		return -1;
	if (!go)
		return 0;
	if (revert_record(r, e) != 0)
		return -1;
	r->out->done = true;
	for (size_t i = 0; i < r->n; i++)
		if (!strv_has(&r->out->tasks, s->plan.tasks[r->steps[i].task].id))
			strv_add(&r->out->tasks, s->plan.tasks[r->steps[i].task].id);
	return 0;
}

int revert_task(struct session *s, size_t task, bool dependents, struct revert_result *out, struct err *e)
{
	struct revert r = {.s = s, .out = out, .task = task};

	if (check_session(s, s->plan.tasks[task].id, e) != 0)
		return -1;
	for (int tries = 1;; tries++) {
		if (settle(s, e) != 0)
			return err_wrap(e, "session %s", s->sid);
		if (!oid_parse(&r.from, s->tip))
			return err_set(e, ERR_DAMAGED, "session %s records no integration tip", s->sid);
		r.back = mem_array(s->plan.n, sizeof *r.back);
		int rc = take_out(&r, dependents, e);
		free(r.back);
		free(r.steps);
		if (rc == 0 || !r.moved || tries == TRIES)
			return rc;
		err_clear(e);
		revert_result_fini(out);
		*out = (struct revert_result){0};
		r = (struct revert){.s = s, .out = out, .task = task};
	}
}

/* ---- the session after it ---- */

bool revert_left_nothing(const struct session *s)
{
	struct oid tip, began, trees[2];
	struct err ignored = {0};
	bool any = false;

	for (size_t i = 0; i < s->plan.n; i++) {
		enum task_state state = session_task_state(s, i);
		bool here = false;
		if (state == TASK_INTEGRATED && (session_brings(&here, s, i, &ignored) != 0 || here))
			return false;
		any |= state == TASK_REVERTED;
	}
	return any && oid_parse(&tip, s->tip) && oid_parse(&began, s->row.base) &&
	       gitx_tree_of(s->site->git, &tip, &trees[0], &ignored) == 0 &&
	       gitx_tree_of(s->site->git, &began, &trees[1], &ignored) == 0 && strcmp(trees[0].hex, trees[1].hex) == 0;
}

char *revert_elsewhere(const struct session *s)
{
	struct oid tip, merge, by;
	struct err ignored = {0};

	for (size_t i = 0; i < s->plan.n; i++) {
		const struct task_row *row = &s->tasks[i];
		for (size_t k = 0; k < row->undone.n && k < row->reverts.n; k++) {
			bool has = false, out = false;
			if (oid_parse(&tip, s->tip) && oid_parse(&merge, row->undone.v[k]) && oid_parse(&by, row->reverts.v[k]) &&
			    gitx_reaches(s->site->git, &tip, &merge, &has, &ignored) == 0 && has &&
			    gitx_reaches(s->site->git, &tip, &by, &out, &ignored) == 0 && !out)
				return mem_printf("%s is on branch %s, and was taken out in session %s since: land that one, bosk land %s "
				                  "--merge", s->plan.tasks[i].id, s->manifest.integration_branch, row->session, row->session);
		}
	}
	return NULL;
}
