/* queue_load: a whole queue in memory, and what its states mean for each item. */
#include <string.h>

#include "queue.h"
#include "store/base/mem.h"

/* ---- loading ---- */

struct loading {
	struct queue *q;
	size_t links, states; /* read so far */
};

static int damaged(const struct queue *q, struct err *e)
{
	return err_set(e, ERR_DAMAGED, "rows of queue %s are missing, are too many, or cannot be read: bosk verify "
	               "--repair makes them again", q->id);
}

static int link_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct loading *l = ctx;
	(void)key;
	if (l->links == l->q->n || rec_decode(&item_link_rec, &l->q->links[l->links], value, n, e) != 0)
		return damaged(l->q, e);
	l->links++;
	return 0;
}

static int state_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct loading *l = ctx;
	char name[16];
	size_t len = 0;

	if (key[strlen(key) - 1] != 's')
		return 0;
	const char *text = l->states < l->q->n ? scan_text(value, n, "state", &len) : NULL;
	if (!text || len >= sizeof name)
		return damaged(l->q, e);
	memcpy(name, text, len);
	name[len] = '\0';
	if (!task_state_parse(name, &l->q->states[l->states++]))
		return damaged(l->q, e);
	return 0;
}

/* "1 5 12" into to[*at]...; to NULL only counts. False: that is not what it is. */
static bool take_ordinals(const char *text, uint32_t *to, size_t *at, size_t n)
{
	for (const char *p = text ? text : ""; *p;) {
		char *end;
		unsigned long ordinal = strtoul(p, &end, 10);
		if (end == p || !ordinal || ordinal > n || (*end && *end != ' '))
			return false;
		if (to)
			to[*at] = (uint32_t)ordinal - 1;
		++*at;
		p = *end ? end + 1 : end;
	}
	return true;
}

static bool resolve(struct queue_edges *out, const struct queue *q, size_t member)
{
	size_t total = 0, at = 0;

	out->at = mem_array(q->n + 1, sizeof *out->at);
	for (size_t i = 0; i < q->n; i++) {
		if (!take_ordinals(*(char **)((char *)&q->links[i] + member), NULL, &total, q->n))
			return false;
		out->at[i + 1] = total;
	}
	out->to = mem_array(total, sizeof *out->to);
	for (size_t i = 0; i < q->n; i++) {
		char **text = (char **)((char *)&q->links[i] + member);
		take_ordinals(*text, out->to, &at, q->n);
		free(*text);
		*text = NULL;
	}
	return true;
}

static int load_states(struct queue *q, struct db_txn *t, struct err *e)
{
	AUTO_FREE char *tasks = mem_printf("%s/", q->id);
	struct loading l = {.q = q};

	if (db_scan(t, DB_tasks, tasks, state_row, &l, e) != 0)
		return -1;
	if (l.states != q->n)
		return damaged(q, e);
	q->n_busy = 0;
	for (size_t i = 0; i < q->n; i++)
		if (queue_executing(q->states[i]))
			q->busy[q->n_busy++] = (uint32_t)i;
	return 0;
}

int queue_load_in(struct queue *out, struct db_txn *t, const char *id, struct err *e)
{
	AUTO_FREE char *links = mem_printf("%s+", id);
	struct loading l = {.q = out};

	*out = (struct queue){.id = mem_strdup(id)};
	if (queue_row_load_in(&out->row, t, id, e) != 0)
		return -1;
	if (out->row.tasks > PLAN_MAX_TASKS)
		return damaged(out, e);
	out->n = out->row.tasks;
	out->links = mem_array(out->n, sizeof *out->links);
	out->states = mem_array(out->n, sizeof *out->states);
	out->busy = mem_array(out->n, sizeof *out->busy);
	if (db_scan(t, DB_items, links, link_row, &l, e) != 0 || load_states(out, t, e) != 0)
		return -1;
	if (l.links != out->n)
		return damaged(out, e);
	return resolve(&out->needs, out, offsetof(struct item_link, needs)) &&
	                       resolve(&out->after, out, offsetof(struct item_link, after)) &&
	                       resolve(&out->turn, out, offsetof(struct item_link, turn))
	               ? 0
	               : damaged(out, e);
}

int queue_now_in(struct queue *q, struct db_txn *t, const char *id, struct err *e)
{
	struct queue_row row;

	if (str_eq(q->id, id)) {
		if (queue_row_load_in(&row, t, id, e) != 0)
			return -1;
		bool same = row.created_ms == q->row.created_ms && row.tasks == q->n && str_eq(row.content, q->row.content);
		struct queue_row other = same ? q->row : row;
		if (same)
			q->row = row;
		rec_fini(&queue_row_rec, &other);
		if (same)
			return load_states(q, t, e);
	}
	queue_fini(q);
	return queue_load_in(q, t, id, e);
}

struct wanted {
	struct queue *out;
	const char *id;
};

static int load(struct db_txn *t, void *ctx, struct err *e)
{
	struct wanted *w = ctx;
	return queue_load_in(w->out, t, w->id, e);
}

int queue_load(struct queue *out, const struct site *site, const char *id, struct err *e)
{
	struct wanted w = {out, id};

	*out = (struct queue){0};
	if (!site->db)
		return err_set(e, ERR_MISSING, "there is no queue %s; bosk queue list", id);
	return db_read(site->db, load, &w, e);
}

static void edges_fini(struct queue_edges *edges)
{
	free(edges->to);
	free(edges->at);
}

void queue_fini(struct queue *q)
{
	for (size_t i = 0; q->links && i < q->n; i++)
		rec_fini(&item_link_rec, &q->links[i]);
	free(q->links);
	free(q->states);
	free(q->busy);
	edges_fini(&q->needs);
	edges_fini(&q->after);
	edges_fini(&q->turn);
	rec_fini(&queue_row_rec, &q->row);
	free(q->id);
	*q = (struct queue){0};
}

/* ---- states ---- */

enum task_state queue_state(const struct task_row *t)
{
	enum task_state state;
	return t->state && task_state_parse(t->state, &state) ? state : TASK_WAITING;
}

const char *queue_word(enum task_state s)
{
	switch (s) {
	case TASK_RUNNING:
	case TASK_CHECKED:
	case TASK_CLAIMED:
		return "executing";
	case TASK_INTEGRATED:
	case TASK_LANDED:
	case TASK_ALREADY:
		return "completed";
	case TASK_FAILED:
	case TASK_TIMEOUT:
	case TASK_BLOCKED:
	case TASK_CONFLICT:
		return "failed";
	case TASK_SKIPPED:
	case TASK_CANCELLED:
	case TASK_ROUTED:
	case TASK_REVERTED: /* nobody does it again by itself */
		return "skipped";
	case TASK_WAITING:
	case TASK_READY:
	case TASK_BACKOFF:
	case TASK_LIMITED:
	case TASK_STATE_COUNT:
		break;
	}
	return "pending";
}

bool queue_finished(enum task_state s)
{
	return s != TASK_CLAIMED && task_state_ended(s);
}

bool queue_executing(enum task_state s)
{
	return s == TASK_RUNNING || s == TASK_CHECKED || s == TASK_CLAIMED;
}

static bool pending(enum task_state s)
{
	return s == TASK_WAITING || s == TASK_READY || s == TASK_BACKOFF || s == TASK_LIMITED;
}

/* Of edges that are order only: who cannot begin holds nobody up. */
static bool in_front(const struct queue *q, uint32_t other)
{
	return !queue_finished(q->states[other]) && !(pending(q->states[other]) && q->links[other].missing);
}

bool queue_may_begin(const struct queue *q, size_t i)
{
	if (!pending(q->states[i]) || q->links[i].missing)
		return false;
	for (size_t k = q->needs.at[i]; k < q->needs.at[i + 1]; k++)
		if (!task_state_good(q->states[q->needs.to[k]]))
			return false;
	for (size_t k = q->after.at[i]; k < q->after.at[i + 1]; k++)
		if (in_front(q, q->after.to[k]))
			return false;
	for (size_t k = q->turn.at[i]; k < q->turn.at[i + 1]; k++)
		if (in_front(q, q->turn.to[k]))
			return false;
	return true;
}

bool queue_ready(const struct queue *q, size_t i)
{
	if (!queue_may_begin(q, i))
		return false;
	for (size_t k = 0; k < q->n_busy; k++) /* one of a higher order may have begun before it */
		if (plan_items_overlap(&q->links[i].files, &q->links[q->busy[k]].files))
			return false;
	return true;
}

static void add_once(struct strv *out, const struct queue *q, uint32_t other)
{
	if (!strv_has(out, q->links[other].id))
		strv_add(out, q->links[other].id);
}

void queue_held_by(const struct queue *q, size_t i, struct strv *out)
{
	*out = (struct strv){0};
	if (!pending(q->states[i]))
		return;
	for (size_t k = q->needs.at[i]; k < q->needs.at[i + 1]; k++)
		if (!task_state_good(q->states[q->needs.to[k]]))
			add_once(out, q, q->needs.to[k]);
	for (size_t k = q->after.at[i]; k < q->after.at[i + 1]; k++)
		if (in_front(q, q->after.to[k]))
			add_once(out, q, q->after.to[k]);
	for (size_t k = q->turn.at[i]; k < q->turn.at[i + 1]; k++)
		if (in_front(q, q->turn.to[k]))
			add_once(out, q, q->turn.to[k]);
}

void queue_blocked_by(const struct queue *q, size_t i, struct strv *out)
{
	queue_held_by(q, i, out);
	if (!pending(q->states[i]))
		return;
	for (size_t k = 0; k < q->n_busy; k++)
		if (plan_items_overlap(&q->links[i].files, &q->links[q->busy[k]].files))
			add_once(out, q, q->busy[k]);
}

const char *queue_status(const enum task_state *states, size_t n)
{
	bool failed = false;

	for (size_t i = 0; i < n; i++) {
		if (!queue_finished(states[i]))
			return "active";
		failed |= !task_state_good(states[i]);
	}
	return failed ? "failed" : "completed";
}
