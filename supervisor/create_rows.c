/* create_rows: the rows of a new session, all in one transaction. */
#include "create_in.h"

#include <string.h>

#include "queue/failure.h"
#include "queue/queue.h"
#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"

static int put(struct db_txn *t, enum db_table table, const char *key, const struct rec *r,
               const void *row, struct err *e)
{
	AUTO_STR struct str bytes = {0};
	rec_encode(r, row, &bytes);
	return db_put(t, table, key, bytes.p, bytes.len, e);
}

static int put_tasks(struct db_txn *t, const struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_FREE char *def = session_task_key(s, i, 'd'), *row = session_task_key(s, i, 's');
		if (put(t, DB_tasks, def, &task_def_rec, &s->plan.tasks[i], e) != 0 ||
		    put(t, DB_tasks, row, &task_row_rec, &s->tasks[i], e) != 0)
			return -1;
	}
	return 0;
}

struct making {
	const struct session *s;
	const struct create_options *o;
};

/* Has another run taken the plan since it was looked up? */
static int still_ours(struct db_txn *t, const struct making *m, struct err *e)
{
	const struct create_known *seen = m->o->known;
	struct create_known now;

	if (!seen)
		return 0;
	if (create_find_in(t, m->s->queue.content, NULL, &now, e) != 0)
		return -1;
	if (now.queues == seen->queues && str_eq(now.sid, seen->sid))
		return 0;
	return err_set(e, ERR_HELD, "another run of this plan has begun at the same moment (session %s)",
	               now.sid);
}

/* Does a run that is not over work in the checkout that is borrowed, or is it to work at a path that this plan names? */
static int other_there(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	const struct making *making = ctx;
	const struct manifest_row *ours = &making->s->manifest;
	const char *borrowed = ours->borrowed;
	struct manifest_row m;
	int rc = 0;

	if (rec_decode(&manifest_row_rec, &m, value, n, e) != 0)
		return err_wrap(e, "session %s", key);
	bool over = str_eq(m.state, "done") || str_eq(m.state, "failed") || str_eq(m.state, "stopped");
	if (!over && borrowed && str_eq(m.borrowed, borrowed))
		rc = err_set(e, ERR_HELD, "session %s has begun in %s at the same moment", key, borrowed);
	for (size_t i = ours->own_at; rc == 0 && m.own && !over && i < ours->own_at + ours->own; i++)
		if (strv_has(&m.worktrees, ours->worktrees.v[i]))
			rc = err_set(e, ERR_HELD, "session %s is to work in %s, too", key, ours->worktrees.v[i]);
	rec_fini(&manifest_row_rec, &m);
	return rc;
}

/* A queue has one kind of owner at a time: does nobody have an item of it (bosk next), and are all as they were? */
static int nobodys(struct db_txn *t, const struct making *m, struct err *e)
{
	const struct session *s = m->s;
	struct queue_row row;
	struct queue q;

	if (!s->before || !queue_is(&s->queue))
		return 0;
	int rc = queue_row_load_in(&row, t, s->row.queue, e);
	if (rc == 0 && row.sessions.n + 1 != s->queue.sessions.n)
		rc = err_set(e, ERR_MOVED, "another session of queue %s has begun or was forgotten at the same moment", s->row.queue);
	if (rc == 0)
		rec_fini(&queue_row_rec, &row);
	if (rc != 0)
		return -1;
	for (size_t i = 0; i < s->plan.n; i++) {
		AUTO_FREE char *key = session_task_key(s, i, 's');
		struct task_row now;
		const void *value;
		size_t n;
		if (db_get(t, DB_tasks, key, &value, &n, e) != 0 || rec_decode(&task_row_rec, &now, value, n, e) != 0)
			return err_wrap(e, "queue %s", s->row.queue);
		bool same = rec_equal(&task_row_rec, &now, &s->before[i]);
		rec_fini(&task_row_rec, &now);
		if (!same)
			return err_set(e, ERR_MOVED, "item %s of queue %s has changed at the same moment", s->plan.tasks[i].id,
			               s->row.queue);
	}
	rc = queue_load_in(&q, t, s->row.queue, e);
	if (rc == 0)
		rc = queue_unclaimed_in(t, &q, m->o->config->orphan_max_age_ms, e);
	queue_fini(&q);
	return rc;
}

/* A name once given is not given again, also when its queue was forgotten since: commits of that one may have landed,
 * and say it in their trailers. */
static int name_queue(struct db_txn *t, const struct making *m, struct err *e)
{
	const char *id = m->s->row.queue;
	struct err absent = {0};
	const void *value;
	size_t n;

	if (m->s->before)
		return 0; /* it is there */
	if (db_get(t, DB_queues, id, &value, &n, &absent) == 0)
		return err_set(e, ERR_EXISTS, "queue %s exists", id);
	if (m->o->queue)
		return 0;
	if (db_get(t, DB_meta, "last-queue", &value, &n, &absent) == 0) {
		AUTO_FREE char *last = mem_strndup(value, n);
		bool same_second = strncmp(last, id, strlen("QUE-YYYYMMDDHHMMSS")) == 0;
		if (same_second && strverscmp(id, last) <= 0)
			return err_set(e, ERR_EXISTS, "queue %s existed", id);
	}
	return db_put(t, DB_meta, "last-queue", id, strlen(id), e);
}

/* Items of a queue that a session before this one has failed with: what with stays known. */
static int keep_failures(struct db_txn *t, const struct session *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; s->before && queue_is(&s->queue) && i < s->plan.n && rc == 0; i++) {
		AUTO_FREE char *key = queue_task_key(s->row.queue, i + 1, 's');
		struct queue_item item;
		if (!s->before[i].session || session_task_state(s, i) != TASK_WAITING ||
		    !str_eq(queue_word(queue_state(&s->before[i])), "failed"))
			continue;
		rc = queue_item_load_in(&item, t, s->row.queue, i + 1, e);
		if (rc == 0) {
			failure_to_history(&item);
			rc = put(t, DB_items, key, &item_row_rec, &item.item, e);
		}
		queue_item_fini(&item);
	}
	return rc;
}

/* Everything of the session in one transaction, which fails (ERR_EXISTS) when the id of a new queue was
 * taken meanwhile. */
static int put_session(struct db_txn *t, void *ctx, struct err *e)
{
	const struct making *m = ctx;
	const struct session *s = m->s;
	AUTO_FREE char *tip_key = mem_printf("%s/tip", s->sid);

	if (still_ours(t, m, e) != 0 ||
	    ((s->manifest.borrowed || s->manifest.own) && db_scan(t, DB_manifest, "", other_there, ctx, e) != 0) ||
	    name_queue(t, m, e) != 0 || nobodys(t, m, e) != 0 || keep_failures(t, s, e) != 0)
		return -1;
	return put(t, DB_manifest, s->sid, &manifest_row_rec, &s->manifest, e) != 0 ||
	                       put(t, DB_sessions, s->sid, &session_row_rec, &s->row, e) != 0 ||
	                       put(t, DB_queues, s->row.queue, &queue_row_rec, &s->queue, e) != 0 ||
	                       db_put(t, DB_integration, tip_key, s->tip, strlen(s->tip), e) != 0
	               ? -1
	               : put_tasks(t, s, e);
}

static int write_rows(struct session *s, const struct create_options *o, struct err *e)
{
	struct making m = {s, o};

	FAILPOINT("create.rows.before");
	int rc = db_write(s->site->db, put_session, &m, e);
	FAILPOINT("create.rows.after");
	return rc;
}

/* Queue ids are times: sessions that start in the same second take a suffix, one after the other. */
int create_rows(struct session *s, const struct create_options *o, struct err *e)
{
	AUTO_STR struct str id = {0};
	int rc;

	if (s->row.queue)
		return write_rows(s, o, e); /* a continued one */
	if (o->queue)
		str_add(&id, o->queue);
	else
		str_add(&id, "QUE-");
	if (!o->queue)
		clock_add_stamp(&id, clock_wall_ms());
	for (int i = 1;; i++) {
		AUTO_FREE char *name = i == 1 ? mem_strdup(id.p) : mem_printf("%s-%d", id.p, i);
		mem_set(&s->row.queue, name);
		mem_set(&s->manifest.queue, name);
		err_clear(e);
		rc = write_rows(s, o, e);
		if (rc == 0 || e->kind != ERR_EXISTS || o->queue)
			return rc;
	}
}
