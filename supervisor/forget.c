/* forget: removing a session that started nothing - its refs, its rows, its files. */
#include "forget.h"

#include "queue/queue.h"
#include "store/base/fail.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

struct keys {
	struct db_batch *batch;
	enum db_table table;
};

static int forget_key(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct keys *k = ctx;
	(void)value;
	(void)n;
	(void)e;
	db_batch_del(k->batch, k->table, key);
	return 0;
}

/* The queue stays when an earlier session worked on it, and when it was there before any. */
static bool queue_stays(const struct session *s)
{
	return s->queue.sessions.n > 1 || queue_is(&s->queue);
}

struct forget_scan {
	const struct session *s;
	struct db_batch *batch;
};

static int forget_rows(struct db_txn *t, void *ctx, struct err *e)
{
	struct forget_scan *f = ctx;
	AUTO_FREE char *prefix = mem_printf("%s/", f->s->sid), *queue = mem_printf("%s/", f->s->row.queue);
	struct keys journal = {f->batch, DB_journal}, integration = {f->batch, DB_integration};
	struct keys requests = {f->batch, DB_requests}, tasks = {f->batch, DB_tasks};
	struct keys slots = {f->batch, DB_slots};

	if (db_scan(t, DB_journal, prefix, forget_key, &journal, e) != 0 ||
	    db_scan(t, DB_integration, prefix, forget_key, &integration, e) != 0 ||
	    db_scan(t, DB_requests, prefix, forget_key, &requests, e) != 0 ||
	    db_scan(t, DB_slots, prefix, forget_key, &slots, e) != 0)
		return -1;
	if (queue_stays(f->s))
		return 0;
	db_batch_del(f->batch, DB_queues, f->s->row.queue);
	return db_scan(t, DB_tasks, queue, forget_key, &tasks, e);
}

/* A continued queue's tasks as the session before left them. */
static void put_before(const struct session *s, struct db_batch *batch)
{
	for (size_t i = 0; s->before && i < s->plan.n; i++) {
		AUTO_FREE char *key = session_task_key(s, i, 's');
		rows_put(batch, DB_tasks, key, &task_row_rec, &s->before[i]);
	}
}

/* The lock file last: until then nobody else can take the session for a dead one. */
static void forget_files(const struct session *s)
{
	AUTO_FREE char *wake = site_path(s->site, "sessions/%s.wake", s->sid);
	AUTO_FREE char *logs = site_path(s->site, "logs/%s", s->sid);
	AUTO_FREE char *lock = site_path(s->site, "sessions/%s.lock", s->sid);
	struct err ignored = {0};

	fs_remove_tree(wake, &ignored);
	fs_remove_tree(logs, &ignored);
	fs_remove_tree(lock, &ignored);
}

/* What was asked of it while its rows went. Nobody asks one that has no rows (bosk stop). */
static int forget_requests(struct db_txn *t, void *ctx, struct err *e)
{
	struct forget_scan *f = ctx;
	AUTO_FREE char *prefix = mem_printf("%s/", f->s->sid);
	struct keys requests = {f->batch, DB_requests};

	return db_scan(t, DB_requests, prefix, forget_key, &requests, e);
}

int forget_session(struct session *s, struct err *e)
{
	struct db_batch batch = {0};
	AUTO_FREE char *ref = session_int_ref(s);
	AUTO_FREE char *branch = mem_printf("refs/heads/%s", s->manifest.integration_branch);
	struct forget_scan scan = {s, &batch};
	struct oid tip;
	struct err ignored = {0};

	int rc = db_read(s->site->db, forget_rows, &scan, e);
	db_batch_del(&batch, DB_sessions, s->sid);
	db_batch_del(&batch, DB_manifest, s->sid);
	FAILPOINT("forget.refs.before");
	if (rc == 0 && oid_parse(&tip, s->tip)) {
		gitx_ref_move(s->site->git, branch, &tip, NULL, "bosk: nothing was started", &ignored);
		gitx_ref_move(s->site->git, ref, &tip, NULL, "bosk: nothing was started", &ignored);
	}
	if (rc == 0 && !queue_stays(s)) {
		AUTO_FREE char *plan = mem_printf("refs/bosk/plan/%s", s->row.queue);
		struct oid at;
		if (gitx_ref_read(s->site->git, plan, &at, &ignored) == 0)
			gitx_ref_move(s->site->git, plan, &at, NULL, "bosk: nothing was started", &ignored);
	} else if (rc == 0) {
		struct queue_row row;
		put_before(s, &batch);
		rec_copy(&queue_row_rec, &row, &s->queue);
		free(row.sessions.v[--row.sessions.n]);
		row.sessions.v[row.sessions.n] = NULL;
		mem_set(&row.session, row.sessions.n ? row.sessions.v[row.sessions.n - 1] : NULL);
		rows_put(&batch, DB_queues, s->row.queue, &queue_row_rec, &row);
		rec_fini(&queue_row_rec, &row);
	}
	FAILPOINT("forget.refs.after");
	if (rc == 0)
		rc = db_batch_write(s->site->db, &batch, e);
	FAILPOINT("forget.rows.after");
	db_batch_clear(&batch);
	if (rc == 0)
		rc = db_read(s->site->db, forget_requests, &scan, e);
	if (rc == 0)
		rc = db_batch_write(s->site->db, &batch, e);
	db_batch_clear(&batch);
	if (rc == 0)
		forget_files(s);
	FAILPOINT("forget.files.after");
	return rc;
}
