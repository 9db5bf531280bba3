/* db_batch: lists of puts and deletes prepared outside a transaction, and one-value calls, made of
 * db.h alone. */
#include "db.h"

#include <string.h>

#include "base/mem.h"

struct db_batch_op {
	enum db_table table;
	char *key;
	bool del;
	db_batch_fn *fn; /* else one value put or deleted */
	struct str value;
};

static struct db_batch_op *add(struct db_batch *b, enum db_table table, const char *key)
{
	/* Grows at 0, 1, 2, 4, 8 ... */
	if ((b->n & (b->n - 1)) == 0)
		b->ops = mem_grow(b->ops, b->n ? 2 * b->n : 1, sizeof *b->ops);
	struct db_batch_op *op = &b->ops[b->n++];
	*op = (struct db_batch_op){.table = table, .key = mem_strdup(key)};
	return op;
}

void db_batch_put(struct db_batch *b, enum db_table table, const char *key, const void *value,
                  size_t n)
{
	str_addn(&add(b, table, key)->value, value, n);
}

void db_batch_del(struct db_batch *b, enum db_table table, const char *key)
{
	add(b, table, key)->del = true;
}

void db_batch_call(struct db_batch *b, db_batch_fn *fn, const char *key, const void *value, size_t n)
{
	struct db_batch_op *op = add(b, 0, key);

	op->fn = fn;
	str_addn(&op->value, value, n);
}

static int apply(struct db_txn *t, void *ctx, struct err *e)
{
	const struct db_batch *b = ctx;

	for (size_t i = 0; i < b->n; i++) {
		const struct db_batch_op *op = &b->ops[i];
		int rc = op->fn    ? op->fn(t, op->key, op->value.p, op->value.len, e)
		         : op->del ? db_del(t, op->table, op->key, e)
		                   : db_put(t, op->table, op->key, op->value.p, op->value.len, e);
		if (rc != 0)
			return -1;
	}
	return 0;
}

int db_batch_write(struct db *db, const struct db_batch *b, struct err *e)
{
	return b->n == 0 ? 0 : db_write(db, apply, (void *)b, e);
}

void db_batch_clear(struct db_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->ops[i].key);
		str_fini(&b->ops[i].value);
	}
	free(b->ops);
	*b = (struct db_batch){0};
}

/* ---- one value ---- */

struct load {
	enum db_table table;
	const char *key;
	struct str *out;
};

static int load(struct db_txn *t, void *ctx, struct err *e)
{
	const struct load *l = ctx;
	const void *value;
	size_t n;

	if (db_get(t, l->table, l->key, &value, &n, e) != 0)
		return -1;
	str_clear(l->out);
	str_addn(l->out, value, n);
	return 0;
}

int db_load(struct db *db, enum db_table table, const char *key, struct str *out, struct err *e)
{
	struct load l = {table, key, out};
	return db_read(db, load, &l, e);
}

int db_save(struct db *db, enum db_table table, const char *key, const void *value, size_t n,
            struct err *e)
{
	struct db_batch b = {0};

	db_batch_put(&b, table, key, value, n);
	int rc = db_batch_write(db, &b, e);
	db_batch_clear(&b);
	return rc;
}
