/* mend_chain: result records that were changed or removed. What is left keeps its hashes, which merges in git
 * name too; each hole gets a record "gone" that joins what is before it to what is after. */
#include <string.h>

#include "mend_private.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

struct links {
	struct result_row *v;
	char **keys;
	bool *used;
	size_t n;
};

static void read_links(struct verify *v, struct verify_session *vs, struct turn *t, struct links *out,
                       struct strv *said)
{
	AUTO_FREE char *prefix = mem_printf("%s/", vs->queue->id);
	size_t n;
	const struct image_row *rows = image_range(&v->model->image, DB_results, prefix, &n);

	*out = (struct links){.v = mem_array(n, sizeof *out->v), .keys = mem_array(n, sizeof *out->keys),
	                      .used = mem_array(n, sizeof *out->used)};
	for (size_t i = 0; i < n; i++) {
		struct result_row *r = &out->v[out->n];
		struct err e = {0};
		if (rec_decode(&result_row_rec, r, rows[i].bytes, rows[i].n, &e) == 0) {
			if (!str_eq(r->session, vs->sid)) {
				rec_fini(&result_row_rec, r);
				continue;
			}
			if (verify_sealed(r)) {
				out->keys[out->n++] = rows[i].key;
				continue;
			}
			strv_addf(said, "%s: the changed result of task %s, attempt %llu was taken out", vs->sid,
			          r->task ? r->task : "?", (unsigned long long)r->attempt);
			rec_fini(&result_row_rec, r);
		} else {
			strv_addf(said, "%s: result record %s, which cannot be read, was taken out", vs->sid, rows[i].key);
		}
		db_batch_del(&t->batch, DB_results, rows[i].key);
	}
}

static struct result_row *follow(struct links *all, const char *prev)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->used[i] && str_eq(all->v[i].prev, prev)) {
			all->used[i] = true;
			return &all->v[i];
		}
	return NULL;
}

/* The first of the records behind a hole: unused, and no unused one before it. */
static const struct result_row *after_hole(const struct links *all)
{
	for (size_t i = 0; i < all->n; i++) {
		bool first = !all->used[i];
		for (size_t k = 0; k < all->n && first; k++)
			first = all->used[k] || !str_eq(all->v[k].hash, all->v[i].prev);
		if (first)
			return &all->v[i];
	}
	return NULL;
}

static void bridge(struct session *s, struct turn *t, const char *prev, const char *hash, struct strv *said)
{
	AUTO_STR struct str date = {0};
	AUTO_FREE char *key = mem_printf("%s/000000/0000/%.16s", s->row.queue, hash);

	clock_add_iso(&date, clock_wall_ms());
	AUTO_FREE char *reason = mem_printf("found changed or missing on %s", date.p);
	struct result_row gone = {.session = s->sid,
	                          .queue = s->row.queue,
	                          .outcome = (char *)"gone",
	                          .reason = reason,
	                          .time_ms = clock_wall_ms(),
	                          .prev = (char *)prev,
	                          .hash = (char *)hash};
	rows_put(&t->batch, DB_results, key, &result_row_rec, &gone);
	strv_addf(said, "%s: result records before %.12s are gone; the chain says so now", s->sid, hash);
}

/* Does a task or a merge name it? Then there was such a record. */
static bool named(const struct session *s, const char *hash)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (str_eq(s->tasks[i].result_hash, hash))
			return true;
	return false;
}

int mend_chain(struct verify *v, struct verify_session *vs, struct session *s, struct turn *t,
               struct strv *said, struct err *e)
{
	struct links all;
	AUTO_FREE char *at = mem_alloc(SEAL_HEX);
	AUTO_STRV struct strv gone = {0};
	const struct result_row *next;

	(void)e;
	read_links(v, vs, t, &all, said);
	seal_genesis(at, s->sid, s->row.base);
	for (;;) {
		while ((next = follow(&all, at)))
			mem_set(&at, next->hash);
		next = after_hole(&all);
		if (!next)
			break;
		bridge(s, t, at, next->prev, said);
		strv_add(&gone, next->prev);
		mem_set(&at, next->prev);
	}
	if (s->manifest.chain && !str_eq(s->manifest.chain, at)) {
		if (named(s, s->manifest.chain)) { /* the last ones are missing */
			bridge(s, t, at, s->manifest.chain, said);
			strv_add(&gone, s->manifest.chain);
			mem_set(&at, s->manifest.chain);
		} else {
			strv_addf(said, "%s: its last result record is %.12s", s->sid, at);
		}
	}
	bool any = all.n > 0 || s->manifest.chain;
	mem_set(&s->manifest.chain, any ? at : NULL);
	turn_manifest(t);
	/* Each task names the newest of its own, or one that is gone. */
	for (size_t i = 0; i < s->plan.n; i++) {
		const struct result_row *newest = NULL;
		struct task_row *row = &s->tasks[i];
		bool known = row->result_hash && strv_has(&gone, row->result_hash);
		if (!str_eq(row->session, s->sid))
			continue;
		for (size_t k = 0; k < all.n; k++) {
			const struct result_row *r = &all.v[k];
			known |= str_eq(r->hash, row->result_hash) && (r->ordinal == i + 1 || !r->ordinal);
			if (r->ordinal == i + 1 && !str_eq(r->outcome, "gone") &&
			    (!newest || r->time_ms >= newest->time_ms))
				newest = r;
		}
		known |= !newest && verify_before(v, vs, i, row->result_hash);
		if (!known && (newest || row->result_hash)) {
			mem_set(&row->result_hash, newest ? newest->hash : NULL);
			turn_task(t, i);
		}
	}
	for (size_t i = 0; i < all.n; i++)
		rec_fini(&result_row_rec, &all.v[i]);
	free(all.v);
	free(all.keys);
	free(all.used);
	return 0;
}
