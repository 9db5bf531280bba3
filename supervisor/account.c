/* account: rows, changed by read and write in one transaction. */
#include "account.h"

#include <string.h>

#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, LATER_LEAST_MS = 5000 };

uint64_t account_jitter(uint64_t most)
{
	uint64_t n = 0;

	seal_random(&n, sizeof n);
	return most ? n % most : 0;
}

/* Sessions that live have a FIFO; of the others nobody reads it. */
static void wake_others(const struct site *site, const char *sid)
{
	AUTO_STRV struct strv ids = {0};
	struct err ignored = {0};

	if (session_list(site, &ids, &ignored) != 0)
		return;
	for (size_t i = 0; i < ids.n; i++)
		if (!str_eq(ids.v[i], sid))
			session_wake(site, ids.v[i]);
}

struct change {
	const char *name;
	const struct account_said *said;
	uint64_t now_ms, jitter;         /* 0 to 9999 */
};

static int get(struct db_txn *t, const char *name, struct account_row *out, struct err *e)
{
	const void *value;
	size_t n;

	*out = (struct account_row){0};
	if (db_get(t, DB_accounts, name, &value, &n, e) != 0) {
		if (e->kind != ERR_MISSING)
			return -1;
		err_clear(e);
		return 0;
	}
	if (rec_decode(&account_row_rec, out, value, n, e) == 0)
		return 0;
	/* It says nothing then: whoever needs the account finds out. bosk verify names such rows. */
	rec_fini(&account_row_rec, out);
	*out = (struct account_row){0};
	err_clear(e);
	return 0;
}

struct look {
	const char *name;
	struct account_row *out;
};

static int get_one(struct db_txn *t, void *ctx, struct err *e)
{
	struct look *l = ctx;
	rec_fini(&account_row_rec, l->out);
	return get(t, l->name, l->out, e);
}

int account_read(struct account_row *out, const struct site *site, const char *name, struct err *e)
{
	struct look l = {name, out};

	*out = (struct account_row){0};
	return db_read(site->db, get_one, &l, e);
}

/* At most 5 % of the wait, at least 5 s. */
static uint64_t later(const struct change *c, uint64_t until)
{
	uint64_t wait = until > c->now_ms ? until - c->now_ms : 0, extra = wait / 20 * c->jitter / 10000;
	return until + (extra > LATER_LEAST_MS ? extra : LATER_LEAST_MS);
}

static void apply(struct account_row *row, const struct change *c)
{
	const struct account_said *said = c->said;
	bool still = str_eq(row->state, "limited") && row->until_ms > c->now_ms;

	if (said->auth) {
		row->until_ms = c->now_ms + UINT64_C(24) * ACCOUNT_AUTH_DAYS * HOUR_MS;
		row->misses = 0;
	} else if (said->until_ms) {
		uint64_t until = later(c, said->until_ms);
		row->until_ms = still && row->until_ms > until ? row->until_ms : until;
		row->misses = 0;
	} else if (!still) { /* several that are told so at once are told it once */
		uint64_t wait = MINUTE_MS;
		for (uint64_t i = 0; i < row->misses && wait < HOUR_MS; i++)
			wait *= 2;
		row->misses++;
		row->until_ms = later(c, c->now_ms + (wait < HOUR_MS ? wait : HOUR_MS));
	}
	if (!row->state)
		row->since_ms = c->now_ms;
	mem_set(&row->name, c->name);
	mem_set(&row->state, said->auth ? "auth" : "limited");
	mem_set(&row->why, said->why);
	mem_set(&row->agent, said->agent);
}

/* What was said stands in the batch as a row: its times are as said, `since_ms` is now, `misses` the jitter. */
static int limit_one(struct db_txn *t, const char *key, const void *value, size_t n, struct err *e)
{
	struct account_row said = {0}, row = {0};
	AUTO_STR struct str bytes = {0};
	int rc = rec_decode(&account_row_rec, &said, value, n, e);

	if (rc == 0)
		rc = get(t, key, &row, e);
	if (rc == 0) {
		apply(&row, &(struct change){key, &(struct account_said){str_eq(said.state, "auth"), said.until_ms, said.why, said.agent},
		                             said.since_ms, said.misses});
		rec_encode(&account_row_rec, &row, &bytes);
		rc = db_put(t, DB_accounts, key, bytes.p, bytes.len, e);
	}
	rec_fini(&account_row_rec, &said);
	rec_fini(&account_row_rec, &row);
	return rc;
}

void account_limit(struct account_row *after, struct db_batch *batch, const struct site *site, const char *name,
                   const struct account_said *said)
{
	struct change c = {name, said, clock_wall_ms(), account_jitter(10000)};
	const struct account_row wish = {.name = (char *)name, .state = (char *)(said->auth ? "auth" : "limited"),
	                                 .until_ms = said->until_ms, .why = (char *)said->why, .agent = (char *)said->agent,
	                                 .since_ms = c.now_ms, .misses = c.jitter};
	AUTO_STR struct str bytes = {0};
	struct err ignored = {0};

	if (account_read(after, site, name, &ignored) != 0)
		rec_fini(&account_row_rec, after);
	apply(after, &c);
	rec_encode(&account_row_rec, &wish, &bytes);
	db_batch_call(batch, limit_one, name, bytes.p, bytes.len);
}

void account_tell(const struct site *site, const char *sid)
{
	FAILPOINT("account.tell");
	wake_others(site, sid);
}

static int clear_one(struct db_txn *t, void *ctx, struct err *e)
{
	return db_del(t, DB_accounts, ctx, e);
}

int account_clear(const struct site *site, const char *name, const char *sid, struct err *e)
{
	FAILPOINT("account.clear.before");
	if (db_write(site->db, clear_one, (void *)name, e) != 0)
		return -1;
	FAILPOINT("account.clear.after");
	wake_others(site, sid);
	return 0;
}

struct all {
	struct account_row *v;
	size_t n;
};

static int add_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct all *all = ctx;
	all->v = mem_grow(all->v, all->n + 1, sizeof *all->v);
	struct account_row *row = &all->v[all->n++];
	*row = (struct account_row){0};
	if (rec_decode(&account_row_rec, row, value, n, e) == 0)
		return 0;
	rec_fini(&account_row_rec, row);
	*row = (struct account_row){.name = mem_strdup(key)};
	err_clear(e);
	return 0;
}

static int scan_all(struct db_txn *t, void *ctx, struct err *e)
{
	struct all *all = ctx;
	account_free(all->v, all->n);
	*all = (struct all){0};
	return db_scan(t, DB_accounts, "", add_row, all, e);
}

int account_all(struct account_row **out, size_t *n, const struct site *site, struct err *e)
{
	struct all all = {0};
	int rc = site->db ? db_read(site->db, scan_all, &all, e) : 0; /* without a store there is none */

	*out = all.v;
	*n = all.n;
	return rc;
}

void account_free(struct account_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rec_fini(&account_row_rec, &rows[i]);
	free(rows);
}
