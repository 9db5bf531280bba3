/* land_turn: one landing at a time in a repository (declared in land_private.h). Who lands and who waits is
 * in the store, so that `status` can say it; a process that dies has had its turn. */
#include "land_private.h"

#include "claim.h"
#include "store/base/log.h"
#include "store/base/mem.h"

static int count_one(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)key;
	(void)value;
	(void)n;
	(void)e;
	++*(size_t *)ctx;
	return 0;
}

static int drop_one(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	(void)value;
	(void)n;
	(void)e;
	db_batch_del(ctx, DB_requests, key);
	return 0;
}

struct requests {
	const char *prefix;
	db_row_fn *each;
	void *ctx;
};

static int scan_requests(struct db_txn *t, void *ctx, struct err *e)
{
	struct requests *r = ctx;
	return db_scan(t, DB_requests, r->prefix, r->each, r->ctx, e);
}

/* What was asked of the session before it began to wait, or has been done. */
static void drop_requests(const struct session *s)
{
	AUTO_FREE char *prefix = mem_printf("%s/", s->sid);
	struct db_batch batch = {0};
	struct requests all = {prefix, drop_one, &batch};
	struct err ignored = {0};

	if (db_read(s->site->db, scan_requests, &all, &ignored) == 0)
		db_batch_write(s->site->db, &batch, &ignored);
	db_batch_clear(&batch);
}

bool land_turn_stop(const struct session *s)
{
	AUTO_FREE char *prefix = mem_printf("%s/", s->sid);
	size_t n = 0;
	struct requests all = {prefix, count_one, &n};
	struct err ignored = {0};

	return db_read(s->site->db, scan_requests, &all, &ignored) == 0 && n > 0;
}

static bool waits(void *ctx, const char *text)
{
	if (text)
		log_info("waiting for %s", text);
	return land_turn_stop(ctx);
}

int land_turn_wait(struct session *s, bool *stopped, struct err *e)
{
	drop_requests(s);
	if (claim_take(s->site, CLAIM_LANDING, s->sid, 1, waits, s, e) == 0)
		return 0;
	if (e->kind != ERR_GONE)
		return err_wrap(e, "cannot wait for the turn to land");
	drop_requests(s);
	*stopped = true;
	return 0;
}

void land_turn_over(struct session *s)
{
	claim_drop(s->site, CLAIM_LANDING, s->sid);
}
