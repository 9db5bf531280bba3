/* image: copying the store out. */
#include "image.h"

#include <string.h>

#include "store/base/mem.h"

static int copy(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct image_table *t = ctx;

	(void)e;
	if (!(t->n & (t->n - 1))) /* a power of two: full */
		t->v = mem_grow(t->v, t->n ? 2 * t->n : 1, sizeof *t->v);
	char *bytes = mem_alloc(n + 1);
	memcpy(bytes, value, n);
	t->v[t->n++] = (struct image_row){mem_strdup(key), bytes, n};
	return 0;
}

static int read_all(struct db_txn *t, void *ctx, struct err *e)
{
	struct image *m = ctx;

	for (int i = 0; i < DB_COUNT; i++)
		if (db_scan(t, (enum db_table)i, "", copy, &m->tables[i], e) != 0)
			return -1;
	return 0;
}

int image_read(struct image *out, struct db *db, struct err *e)
{
	*out = (struct image){0};
	return db ? db_read(db, read_all, out, e) : 0;
}

void image_fini(struct image *m)
{
	for (int i = 0; i < DB_COUNT; i++) {
		for (size_t k = 0; k < m->tables[i].n; k++) {
			free(m->tables[i].v[k].key);
			free(m->tables[i].v[k].bytes);
		}
		free(m->tables[i].v);
	}
	*m = (struct image){0};
}

/* The first row whose key is not before `key`. */
static size_t lower(const struct image_table *t, const char *key)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(t->v[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct image_row *image_find(const struct image *m, enum db_table table, const char *key)
{
	const struct image_table *t = &m->tables[table];
	size_t at = lower(t, key);

	return at < t->n && strcmp(t->v[at].key, key) == 0 ? &t->v[at] : NULL;
}

const struct image_row *image_range(const struct image *m, enum db_table table, const char *prefix,
                                    size_t *n)
{
	const struct image_table *t = &m->tables[table];
	size_t at = lower(t, prefix);

	*n = 0;
	while (at + *n < t->n && str_starts(t->v[at + *n].key, prefix))
		++*n;
	return *n ? &t->v[at] : NULL;
}

#define NAME_(name) #name,
const char *image_table_name(enum db_table table)
{
	static const char *const names[] = {DB_TABLES(NAME_)};
	return names[table];
}
