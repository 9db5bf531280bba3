/* create_known: what the store knows of a plan: its queues, and the session that works on it. */
#include "create_in.h"

#include <stdio.h>

#include "store/base/mem.h"

struct finding {
	const char *content, *queue;
	struct create_known *out;
	uint64_t created_ms;
};

static int queue_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct finding *f = ctx;
	struct queue_row q;

	if (rec_decode(&queue_row_rec, &q, value, n, e) != 0)
		return err_set(e, ERR_DAMAGED, "a row of the store, of queue %s, cannot be read: bosk verify --repair makes it "
		               "again", key);
	bool content = !f->content || str_eq(q.content, f->content);
	bool named = !f->queue || str_eq(key, f->queue);
	f->out->queues += content;
	f->out->other |= f->queue && named && !content;
	if (content && named && q.session && q.created_ms >= f->created_ms) {
		f->created_ms = q.created_ms;
		snprintf(f->out->sid, sizeof f->out->sid, "%s", q.session);
	}
	rec_fini(&queue_row_rec, &q);
	return 0;
}

int create_find_in(struct db_txn *t, const char *content, const char *queue,
                   struct create_known *out, struct err *e)
{
	struct finding f = {.content = content, .queue = queue, .out = out};

	*out = (struct create_known){0};
	return db_scan(t, DB_queues, "", queue_row, &f, e);
}

static int find(struct db_txn *t, void *ctx, struct err *e)
{
	struct finding *f = ctx;
	return create_find_in(t, f->content, f->queue, f->out, e);
}

int create_find(const struct site *site, const char *content, const char *queue,
                struct create_known *out, struct err *e)
{
	struct finding f = {.content = content, .queue = queue, .out = out};
	struct manifest_row m;

	*out = (struct create_known){0};
	if (!site->db)
		return 0;
	if (db_read(site->db, find, &f, e) != 0)
		return -1;
	if (!out->sid[0])
		return 0;
	if (session_manifest(site, out->sid, &m, e) != 0)
		return e->kind != ERR_MISSING ? -1
		                              : err_set(e, ERR_DAMAGED, "the store names session %s, but does not have it: "
		                                        "bosk verify --repair", out->sid);
	out->landed = m.landed != NULL;
	out->whole = str_eq(m.state, "done");
	rec_fini(&manifest_row_rec, &m);
	return 0;
}
