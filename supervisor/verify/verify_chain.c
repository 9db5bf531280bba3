/* verify_chain: the result records of a session. Each names the hash of the one before it, the first a
 * genesis of session and base, the manifest the last (architecture 4, promise D4). */
#include <string.h>

#include "store/base/mem.h"
#include "store/seal.h"
#include "verify_private.h"

struct records {
	struct result_row *v; /* sorted by prev */
	bool *used;
	size_t n;
};

static int by_prev(const void *a, const void *b)
{
	const struct result_row *x = a, *y = b;
	return strcmp(x->prev ? x->prev : "", y->prev ? y->prev : "");
}

bool verify_sealed(const struct result_row *r)
{
	AUTO_STR struct str bytes = {0};
	struct result_row plain = *r; /* borrows what `r` owns */
	char hash[SEAL_HEX];

	if (!r->prev || !r->hash)
		return false;
	if (str_eq(r->outcome, "gone"))
		return true;
	plain.hash = NULL;
	rec_encode(&result_row_rec, &plain, &bytes);
	seal_link(hash, r->prev, bytes.p, bytes.len);
	return strcmp(hash, r->hash) == 0;
}

/* All of the session's, whichever queue their keys say. */
static void read_records(struct verify *v, struct verify_session *s, struct records *out)
{
	AUTO_FREE char *prefix = mem_printf("%s/", s->queue->id);
	size_t n;
	const struct image_row *rows = image_range(&v->model->image, DB_results, prefix, &n);

	*out = (struct records){.v = mem_array(n, sizeof *out->v), .used = mem_array(n, sizeof *out->used)};
	for (size_t i = 0; i < n; i++) {
		struct result_row *r = &out->v[out->n];
		struct err e = {0};
		if (rec_decode(&result_row_rec, r, rows[i].bytes, rows[i].n, &e) != 0) {
			/* Whose it is cannot be told: said once, by the last session. */
			if (str_eq(s->queue->sessions.v[s->queue->sessions.n - 1], s->sid))
				s->chain = verify_say(v, s->sid, "result record %s cannot be read", rows[i].key);
		} else if (!str_eq(r->session, s->sid)) {
			rec_fini(&result_row_rec, r);
		} else {
			out->n++;
		}
	}
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_prev);
	v->results += out->n;
}

static size_t next(const struct records *all, const char *prev)
{
	for (size_t low = 0, high = all->n; low < high;) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(all->v[mid].prev ? all->v[mid].prev : "", prev);
		if (order == 0 && !all->used[mid])
			return mid;
		if (order < 0 || (order == 0 && all->used[mid]))
			low = mid + 1;
		else
			high = mid;
	}
	return SIZE_MAX;
}

bool verify_before(const struct verify *v, const struct verify_session *s, size_t task, const char *hash)
{
	AUTO_FREE char *prefix = mem_printf("%s/%06zu/", s->queue->id, task + 1);
	size_t n;
	const struct image_row *rows = image_range(&v->model->image, DB_results, prefix, &n);
	bool found = false;

	for (size_t i = 0; hash && i < n && !found; i++) {
		struct result_row r;
		struct err e = {0};
		if (rec_decode(&result_row_rec, &r, rows[i].bytes, rows[i].n, &e) != 0)
			continue;
		found = !str_eq(r.session, s->sid) && str_eq(r.hash, hash);
		rec_fini(&result_row_rec, &r);
	}
	return found;
}

/* The row of a task must name one of its own records, or one that is known to be gone; or that of the
 * session before, while this one has come to nothing yet. */
static void check_rows(struct verify *v, struct verify_session *s, const struct records *all)
{
	struct verify_queue *q = s->queue;
	AUTO_FREE bool *known = mem_array(q->n, sizeof *known), *any = mem_array(q->n, sizeof *any);

	for (size_t i = 0; i < all->n; i++) {
		const struct result_row *r = &all->v[i];
		bool gone = str_eq(r->outcome, "gone");
		for (size_t k = 0; gone && k < q->n; k++)
			known[k] |= str_eq(q->rows[k].result_hash, r->hash);
		if (gone || !r->ordinal || r->ordinal > q->n)
			continue;
		any[r->ordinal - 1] = true;
		known[r->ordinal - 1] |= str_eq(q->rows[r->ordinal - 1].result_hash, r->hash);
	}
	for (size_t i = 0; i < q->n; i++) {
		const char *hash = q->rows[i].result_hash;
		/* What was made again from git has hashes in its merges, but no records. */
		if (known[i] || !q->have_row[i] || !str_eq(q->rows[i].session, s->sid) ||
		    (hash ? s->told.rebuilt : !any[i]) || (!any[i] && verify_before(v, s, i, hash)))
			continue;
		s->chain = verify_say(v, s->sid, "task %s names result record %.12s, which it does not have",
		                      q->have_def[i] ? q->defs[i].id : "?", hash ? hash : "(none)");
	}
}

void verify_chain(struct verify *v, struct verify_session *s)
{
	struct records all;
	char at[SEAL_HEX];
	size_t done = 0;

	if (!s->have_row || !s->row.base)
		return;
	read_records(v, s, &all);
	seal_genesis(at, s->sid, s->row.base);
	for (size_t i; (i = next(&all, at)) != SIZE_MAX; done++) {
		const struct result_row *r = &all.v[i];
		all.used[i] = true;
		if (!verify_sealed(r))
			s->chain = verify_say(v, s->sid, "the result of task %s, attempt %llu was changed",
			                      r->task ? r->task : "?", (unsigned long long)r->attempt);
		if (str_eq(r->outcome, "gone"))
			verify_note(v, s->sid, "result records before %.12s are gone: %s", r->hash,
			            r->reason ? r->reason : "");
		if (!r->hash)
			break;
		memcpy(at, r->hash, strlen(r->hash) < sizeof at ? strlen(r->hash) + 1 : sizeof at);
		at[sizeof at - 1] = '\0';
	}
	if (done < all.n)
		s->chain = verify_say(v, s->sid, "a result record between %.12s and the next is missing", at);
	else if (s->have_manifest && (s->manifest.chain ? !str_eq(s->manifest.chain, at) : all.n > 0))
		s->chain = verify_say(v, s->sid, "its last result record is %.12s, its manifest says %.12s",
		                      all.n ? at : "(none)", s->manifest.chain ? s->manifest.chain : "(none)");
	check_rows(v, s, &all);
	for (size_t i = 0; i < all.n; i++)
		rec_fini(&result_row_rec, &all.v[i]);
	free(all.v);
	free(all.used);
}
