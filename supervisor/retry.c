/* retry: puts ended tasks back to pending as one turn. Starts nothing. */
#include "retry.h"

#include "queue/failure.h"
#include "queue/queue.h"
#include "recover.h"
#include "revive.h"
#include "store/base/mem.h"
#include "turn.h"

bool retry_fits(const struct session *s, size_t task)
{
	enum task_state state = session_task_state(s, task);
	return state == TASK_FAILED || state == TASK_TIMEOUT || state == TASK_BLOCKED ||
	       state == TASK_CONFLICT || (state == TASK_INTEGRATED && s->tasks[task].partial);
}

bool retry_fits_named(const struct session *s, size_t task)
{
	enum task_state state = session_task_state(s, task);
	return retry_fits(s, task) || state == TASK_SKIPPED || state == TASK_REVERTED;
}

bool retry_answerable(const struct session *s, size_t task)
{
	enum task_state state = session_task_state(s, task);
	return s->plan.tasks[task].story &&
	       (state == TASK_BLOCKED || (state == TASK_INTEGRATED && s->tasks[task].partial));
}

char *retry_fault(const struct session *s)
{
	if (!str_eq(s->queue.session, s->sid))
		return mem_printf("session %s goes on with the tasks of session %s: retry them there",
		                  s->queue.session, s->sid);
	if (s->manifest.landed)
		return mem_printf("session %s has landed; what it left is done by a new one: bosk run --queue %s",
		                  s->sid, s->row.queue);
	if (str_eq(s->manifest.state, "landing"))
		return mem_printf("session %s is in the middle of landing: bosk resume %s first", s->sid, s->sid);
	return NULL;
}

static bool may_return(void *session, size_t task)
{
	const struct session *s = session;
	return !revive_cancelled(&s->tasks[task]);
}

static enum task_state *states_of(const struct session *s)
{
	enum task_state *states = mem_array(s->plan.n, sizeof *states);

	for (size_t i = 0; i < s->plan.n; i++)
		states[i] = session_task_state(s, i);
	return states;
}

void retry_add_skipped(struct session *s, bool *back)
{
	AUTO_FREE enum task_state *states = states_of(s);
	revive_skipped(back, states, s->plan.needs, s->plan.needs_at, s->plan.n, may_return, s);
}

char *retry_kept(struct session *s, const bool *chosen)
{
	const struct plan *p = &s->plan;
	AUTO_FREE enum task_state *states = states_of(s);
	AUTO_FREE bool *back = mem_array(p->n, sizeof *back);

	for (size_t i = 0; i < p->n; i++)
		back[i] = chosen[i];
	retry_add_skipped(s, back);
	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = p->needs_at[i]; chosen[i] && states[i] == TASK_REVERTED && k < p->needs_at[i + 1]; k++) {
			uint32_t need = p->needs[k];
			if (task_state_ended(states[need]) && !task_state_good(states[need]) && !back[need])
				return mem_printf("%s needs %s, which is %s: name that one, too: bosk retry %s %s", p->tasks[i].id,
				                  p->tasks[need].id, task_state_shown(states[need]), p->tasks[need].id, p->tasks[i].id);
		}
		uint32_t by = chosen[i] ? revive_kept_by(back, states, p->needs, p->needs_at, i) : UINT32_MAX;
		if (by != UINT32_MAX)
			return revive_fault(p->tasks[i].id, p->tasks[by].id, states[by]);
	}
	return NULL;
}

/* An item of a queue: what it failed with stays known, as with items that no session works on. */
static int keep_failure(struct turn *t, const struct session *s, size_t task, struct err *e)
{
	AUTO_FREE char *key = queue_task_key(s->row.queue, task + 1, 's');
	struct queue_item item;

	if (!queue_is(&s->queue))
		return 0;
	int rc = queue_item_load(&item, s->site, s->row.queue, task + 1, e);
	if (rc == 0) {
		failure_to_history(&item);
		rows_put(&t->batch, DB_items, key, &item_row_rec, &item.item);
	}
	queue_item_fini(&item);
	return rc;
}

struct claims_of {
	const struct session *s;
	uint64_t max_age_ms;
};

/* A queue has one kind of owner at a time: does nobody have an item of it? */
static int nobodys(struct db_txn *t, void *ctx, struct err *e)
{
	const struct claims_of *c = ctx;
	AUTO_STRV struct strv claims = {0};
	struct queue q;

	if (!queue_is(&c->s->queue))
		return 0;
	int rc = queue_load_in(&q, t, c->s->row.queue, e);
	if (rc == 0)
		rc = queue_claims_in(&claims, t, &q, c->max_age_ms, e);
	queue_fini(&q);
	if (rc == 0 && claims.n)
		rc = err_set(e, ERR_HELD, "queue %s: somebody works on item %s%s; its session %s can go on when that is done (bosk "
		             "done)", c->s->row.queue, claims.v[0], claims.n > 1 ? " and more" : "", c->s->sid);
	return rc;
}

int retry_tasks(struct session *s, const bool *chosen, char *const *answers, uint64_t max_age_ms, struct strv *names,
                struct err *e)
{
	AUTO_FREE bool *back = mem_array(s->plan.n, sizeof *back);
	struct claims_of claims = {s, max_age_ms};
	struct turn t;

	/* As a writer, after who was giving one out; who comes later finds the session locked. */
	int rc = db_write(s->site->db, nobodys, &claims, e);
	for (size_t i = 0; i < s->plan.n; i++)
		back[i] = chosen[i];
	retry_add_skipped(s, back);
	turn_init(&t, s);
	for (size_t i = 0; rc == 0 && i < s->plan.n; i++) {
		struct task_row *row = &s->tasks[i];
		if (!back[i])
			continue;
		/* The branch begins anew with the next attempt. */
		rc = recover_keep(s, i, e);
		if (rc == 0)
			rc = keep_failure(&t, s, i, e);
		mem_set(&row->state, task_state_name(TASK_WAITING));
		mem_set(&row->reason, NULL);
		mem_set(&row->red, NULL);
		mem_set(&row->red_said, NULL);
		mem_set(&row->step, NULL);
		mem_set(&row->told, NULL);
		mem_set(&row->commit, NULL);
		mem_set(&row->conversation, NULL); /* from the start */
		mem_set(&row->push_failed, NULL);
		if (row->merge)
			strv_add(&row->earlier, row->merge);
		mem_set(&row->merge, NULL);
		row->partial = false;
		if (answers && answers[i])
			mem_set(&row->answers, answers[i]);
		row->retries = row->repairs = row->reds = 0;
		row->ended_ms = 0;
		mem_set(&row->redo, NULL); /* from the start, on the tip as it is then */
		mem_set(&row->redo_base, NULL);
		mem_set(&row->feedback, NULL);
		strv_fini(&row->conflicts);
		turn_task(&t, i);
		turn_note(&t, "retry", i, "bosk retry");
		strv_add(names, s->plan.tasks[i].id);
	}
	/* A session that was over is one that was stopped before these. */
	if (str_eq(s->manifest.state, "done") || str_eq(s->manifest.state, "failed"))
		mem_set(&s->manifest.state, "stopped");
	mem_set(&s->manifest.final_gates, NULL);
	mem_set(&s->manifest.final_reason, NULL);
	mem_set(&s->manifest.final_said, NULL);
	turn_manifest(&t);
	if (rc == 0)
		rc = turn_commit(&t, e);
	turn_fini(&t);
	return rc;
}
