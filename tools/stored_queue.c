/* stored_queue: queues of the store, where no plan is given. */
#include "stored_queue.h"

#include "store/base/mem.h"
#include "supervisor/queue/queue.h"
#include "supervisor/session.h"

static bool any_ready(const struct queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (queue_ready(q, i))
			return true;
	return false;
}

int stored_queue_first(char **out, const struct cmd_line *l, struct err *e)
{
	AUTO_STRV struct strv active = {0};
	struct site site = {0};
	int rc = site_open(&site, l->dir, SITE_READ, e);

	*out = NULL;
	if (rc == 0)
		rc = queue_active(&active, &site, e);
	for (size_t i = 0; rc == 0 && i < active.n && !*out; i++) {
		struct queue q;
		rc = queue_load(&q, &site, active.v[i], e);
		if (rc == 0 && any_ready(&q))
			*out = mem_strdup(active.v[i]);
		queue_fini(&q);
	}
	site_close(&site);
	return rc;
}

void stored_queue_unready(const struct site *site, struct strv *lines)
{
	AUTO_STRV struct strv active = {0};
	struct err ignored = {0};

	if (queue_active(&active, site, &ignored) != 0)
		return;
	for (size_t i = 0; i < active.n; i++) {
		struct queue q;
		size_t open = 0;
		if (queue_load(&q, site, active.v[i], &ignored) == 0)
			for (size_t k = 0; k < q.n; k++)
				open += !queue_finished(q.states[k]);
		if (open && !any_ready(&q))
			strv_addf(lines, "queue %s has %zu item%s left, of which none is ready: bosk queue show %s", q.id, open,
			          open == 1 ? "" : "s", q.id);
		queue_fini(&q);
	}
}

/* What a session that is over did not bring in is done again (create_continued). */
static enum task_state begins_as(const struct session *s, size_t i, bool live)
{
	enum task_state state = session_task_state(s, i);

	if (live && (state == TASK_RUNNING || state == TASK_CHECKED))
		return state;
	if (s->tasks[i].session && !live && !task_state_fine(state))
		return TASK_WAITING;
	return task_state_ended(state) ? state : TASK_WAITING;
}

int stored_queue_plan(struct plan *out, struct site *site, const char *id, struct err *e)
{
	struct session s = {.lock_fd = -1};
	struct err absent = {0};

	*out = (struct plan){0};
	if (!site->db || session_load_queue(&s, site, id, &absent) != 0) {
		session_fini(&s);
		if (site->db && absent.kind != ERR_MISSING)
			return err_set(e, absent.kind, "%s", absent.text);
		return err_set(e, ERR_USAGE, "there is no queue %s; bosk queue list", id);
	}
	bool live = s.queue.session && session_live(site, s.queue.session);
	*out = s.plan;
	s.plan = (struct plan){.n = out->n}; /* of its rows */
	mem_set(&out->source, id);
	struct plan_queue *q = out->queue = mem_alloc(sizeof *q);
	q->defs = mem_array(out->n, sizeof *q->defs);
	q->items = mem_array(out->n, sizeof *q->items);
	q->reasons = mem_array(out->n, sizeof *q->reasons);
	q->states = mem_array(out->n, sizeof *q->states);
	for (size_t i = 0; i < out->n; i++)
		q->states[i] = begins_as(&s, i, live);
	for (size_t i = 0; i < out->n; i++)
		rec_fini(&task_row_rec, &s.tasks[i]);
	s.plan.n = 0;
	session_fini(&s);
	return 0;
}
