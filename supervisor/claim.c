/* claim: rows of what sessions share, changed by compare-and-set. Waiting is claim_wait.c's. */
#include "claim.h"

#include <stdio.h>
#include <string.h>

#include "store/base/clock.h"
#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/owner.h"

/* ---- rows ---- */

static char *key_of(const char *sid, const char *kind)
{
	return mem_printf("%s/%s", sid, kind);
}

static struct claim_one *add(struct claims *c, const char *sid)
{
	c->v = mem_grow(c->v, c->n + 1, sizeof *c->v);
	struct claim_one *one = &c->v[c->n++];
	*one = (struct claim_one){0};
	snprintf(one->sid, sizeof one->sid, "%s", sid);
	return one;
}

void claim_fini(struct claims *c)
{
	for (size_t i = 0; i < c->n; i++)
		rec_fini(&claim_row_rec, &c->v[i].row);
	free(c->v);
	*c = (struct claims){0};
}

static struct claim_one *find(const struct claims *c, const char *sid)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->v[i].sid, sid))
			return &c->v[i];
	return NULL;
}

const struct claim_row *claim_of(const struct claims *c, const char *sid)
{
	const struct claim_one *one = find(c, sid);
	return one ? &one->row : NULL;
}

struct scan {
	const char *kind;
	struct claims *out;
};

static int take_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct scan *scan = ctx;
	AUTO_FREE char *sid = mem_strndup(key, strcspn(key, "/"));

	if (strlen(key) <= strlen(sid) || !str_eq(key + strlen(sid) + 1, scan->kind))
		return 0;
	if (rec_decode(&claim_row_rec, &add(scan->out, sid)->row, value, n, e) != 0)
		return err_set(e, ERR_DAMAGED, "the row %s of slots cannot be read: bosk verify --repair", key);
	return 0;
}

static int scan_rows(struct db_txn *t, void *ctx, struct err *e)
{
	struct scan *scan = ctx;

	claim_fini(scan->out); /* of a first run */
	return db_scan(t, DB_slots, "", take_row, scan, e);
}

static bool lives(const struct claim_row *row)
{
	struct owner o = {.pid = row->pid, .start_ticks = row->start_ticks};

	snprintf(o.boot_id, sizeof o.boot_id, "%s", row->boot_id ? row->boot_id : "");
	return owner_alive(&o);
}

/* Rows of the dead go to `dead`. */
static void part(struct claims *all, struct claims *dead)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (lives(&all->v[i].row)) {
			all->v[kept++] = all->v[i];
		} else {
			dead->v = mem_grow(dead->v, dead->n + 1, sizeof *dead->v);
			dead->v[dead->n++] = all->v[i];
		}
	}
	all->n = kept;
}

static bool goes_before(const struct claim_one *a, const struct claim_one *b)
{
	if (a->row.held != b->row.held)
		return a->row.held < b->row.held;
	if (a->row.since_ms != b->row.since_ms)
		return a->row.since_ms < b->row.since_ms;
	return strcmp(a->sid, b->sid) < 0;
}

/* Who waits and can have one more; NULL = nobody. */
static struct claim_one *next_to_have(const struct claims *c)
{
	struct claim_one *next = NULL;
	uint64_t used = 0;

	for (size_t i = 0; i < c->n; i++)
		used += c->v[i].row.held;
	for (size_t i = 0; i < c->n; i++) {
		struct claim_one *one = &c->v[i];
		bool may = one->row.wanted && (!one->row.capacity || used < one->row.capacity);
		if (may && (!next || goes_before(one, next)))
			next = one;
	}
	return next;
}

static int read_parted(struct claims *living, struct claims *dead, const struct site *site,
                       const char *kind, struct err *e)
{
	struct scan scan = {kind, living};

	if (!site->db)
		return 0;
	if (db_read(site->db, scan_rows, &scan, e) != 0)
		return -1;
	part(living, dead);
	living->due = dead->n > 0 || next_to_have(living);
	return 0;
}

int claim_read(struct claims *out, const struct site *site, const char *kind, struct err *e)
{
	struct claims dead = {0};

	*out = (struct claims){0};
	int rc = read_parted(out, &dead, site, kind, e);
	claim_fini(&dead);
	return rc;
}

/* ---- changing ---- */

struct changing {
	const char *kind, *sid;
	const struct claim_change *change;
	const struct claims *dead; /* looked up before: that is no work for a transaction */
	struct owner self;
	uint64_t now_ms;
	struct claims *after;
};

static void set_owner(struct claim_row *row, const struct owner *o)
{
	row->pid = o->pid;
	row->start_ticks = o->start_ticks;
	mem_set(&row->boot_id, o->boot_id);
}

static bool is_dead(const struct claims *dead, const struct claim_one *one)
{
	const struct claim_one *was = find(dead, one->sid);
	return was && was->row.pid == one->row.pid && was->row.start_ticks == one->row.start_ticks;
}

static int drop_dead(struct db_txn *t, const struct changing *c, struct err *e)
{
	struct claims *all = c->after;
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		AUTO_FREE char *key = key_of(all->v[i].sid, c->kind);
		if (is_dead(c->dead, &all->v[i]) && db_del(t, DB_slots, key, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < all->n; i++) {
		if (is_dead(c->dead, &all->v[i]))
			rec_fini(&claim_row_rec, &all->v[i].row);
		else
			all->v[kept++] = all->v[i];
	}
	all->n = kept;
	return 0;
}

static void change_own(const struct changing *c)
{
	struct claim_one *own = find(c->after, c->sid);

	if (!own && !c->change->want)
		return;
	if (!own)
		own = add(c->after, c->sid);
	struct claim_row *row = &own->row;
	set_owner(row, &c->self);
	row->capacity = c->change->capacity;
	row->held -= c->change->give < row->held ? c->change->give : row->held;
	if (c->change->give == UINT64_MAX)
		row->wanted = 0;
	if (c->change->want && !row->wanted)
		row->since_ms = c->now_ms;
	row->wanted += c->change->want;
}

static bool grant_one(const struct claims *c)
{
	struct claim_one *next = next_to_have(c);

	if (!next)
		return false;
	next->row.held++;
	next->row.wanted--;
	return true;
}

static int put_rows(struct db_txn *t, const struct changing *c, struct err *e)
{
	for (size_t i = 0; i < c->after->n; i++) {
		const struct claim_one *one = &c->after->v[i];
		AUTO_FREE char *key = key_of(one->sid, c->kind);
		AUTO_STR struct str bytes = {0};
		rec_encode(&claim_row_rec, &one->row, &bytes);
		int rc = one->row.held || one->row.wanted ? db_put(t, DB_slots, key, bytes.p, bytes.len, e)
		                                          : db_del(t, DB_slots, key, e);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int change_rows(struct db_txn *t, void *ctx, struct err *e)
{
	const struct changing *c = ctx;
	struct scan scan = {c->kind, c->after};

	if (scan_rows(t, &scan, e) != 0 || drop_dead(t, c, e) != 0)
		return -1;
	change_own(c);
	while (grant_one(c->after))
		;
	return put_rows(t, c, e);
}

int claim_change(struct claims *after, const struct site *site, const char *kind, const char *sid,
                 const struct claim_change *change, struct err *e)
{
	struct claims before = {0}, dead = {0};
	struct changing c = {kind, sid, change, &dead, .now_ms = clock_wall_ms(), .after = after};

	*after = (struct claims){0};
	owner_self(&c.self);
	int rc = read_parted(&before, &dead, site, kind, e);
	FAILPOINT("claim.change.before");
	if (rc == 0)
		rc = db_write(site->db, change_rows, &c, e);
	FAILPOINT("claim.change.after");
	if (rc == 0) {
		claim_tell(site, &before, sid); /* those who had one of what they waited for among them */
		claim_tell(site, after, sid);
	}
	claim_fini(&before);
	claim_fini(&dead);
	return rc;
}

void claim_put(struct db_batch *batch, const char *kind, const char *sid, uint64_t held,
               const char *holder)
{
	AUTO_FREE char *key = key_of(sid, kind);
	struct claim_row row = {.held = held, .wanted = holder != NULL};
	struct owner self;

	if (!held && !holder) {
		db_batch_del(batch, DB_slots, key);
		return;
	}
	owner_self(&self);
	set_owner(&row, &self);
	mem_set(&row.holder, holder);
	rows_put(batch, DB_slots, key, &claim_row_rec, &row);
	rec_fini(&claim_row_rec, &row);
}

/* ---- telling ---- */

void claim_tell(const struct site *site, const struct claims *c, const char *sid)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++)
		any |= c->v[i].row.wanted > 0;
	for (size_t i = 0; any && i < c->n; i++)
		if (!str_eq(c->v[i].sid, sid))
			session_wake(site, c->v[i].sid);
}

bool claim_text(const struct claims *c, const char *kind, const char *sid, struct str *out,
                struct strv *holders)
{
	const struct claim_row *own = claim_of(c, sid);
	bool landing = str_eq(kind, CLAIM_LANDING);
	AUTO_STR struct str who = {0};
	uint64_t used = 0;

	if (!own || !own->wanted)
		return false;
	if (own->holder) {
		str_addf(out, "%s, which %s has", kind, own->holder);
		if (holders)
			strv_add(holders, own->holder);
		return true;
	}
	for (size_t i = 0; i < c->n; i++) {
		const struct claim_one *one = &c->v[i];
		char state = one->row.held ? owner_state((pid_t)one->row.pid) : 0;
		if (!one->row.held)
			continue;
		used += one->row.held;
		str_addf(&who, "%s%s", who.len ? ", " : "", one->sid);
		if (!landing)
			str_addf(&who, " (%llu)", (unsigned long long)one->row.held);
		if (state == 'T' || state == 't')
			str_addf(&who, " (process %llu is stopped)", (unsigned long long)one->row.pid);
		if (holders)
			strv_add(holders, one->sid);
	}
	if (landing)
		str_addf(out, "the landing of %s", str_text(&who));
	else
		str_addf(out, "a %s: %llu of %llu are used by %s", kind, (unsigned long long)used,
		         (unsigned long long)own->capacity, str_text(&who));
	return true;
}
