/* export_known: which texts of a queue's file are bosk's own, so that an export may replace them: the hashes of the last
 * ones are a row of their own, which nobody else writes. */
#include <string.h>

#include "export.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { KEPT = 8 }; /* of so many exports: into several folders, or cut off before the file was replaced */

struct known {
	const char *key, *hash;
	bool found;
};

static const char *hash_at(const char *hashes, size_t i)
{
	return hashes + i * SEAL_HEX;
}

/* "HASH HASH HASH": the latest first. */
static int look(struct db_txn *t, void *ctx, struct err *e)
{
	struct known *k = ctx;
	const void *value;
	size_t n;

	if (db_get(t, DB_meta, k->key, &value, &n, e) != 0)
		return e->kind == ERR_MISSING ? (err_clear(e), 0) : -1;
	for (size_t i = 0; (i + 1) * SEAL_HEX <= n; i++)
		k->found |= memcmp(hash_at(value, i), k->hash, SEAL_HEX - 1) == 0;
	return 0;
}

static int add(struct db_txn *t, void *ctx, struct err *e)
{
	const struct known *k = ctx;
	AUTO_STR struct str hashes = {0};
	const void *value = "";
	size_t n = 0;
	struct err absent = {0};

	if (db_get(t, DB_meta, k->key, &value, &n, &absent) != 0 && absent.kind != ERR_MISSING)
		return err_set(e, absent.kind, "%s", absent.text);
	str_addf(&hashes, "%s ", k->hash);
	for (size_t i = 0; (i + 1) * SEAL_HEX <= n && hashes.len < (size_t)KEPT * SEAL_HEX; i++)
		if (memcmp(hash_at(value, i), k->hash, SEAL_HEX - 1) != 0)
			str_addn(&hashes, hash_at(value, i), SEAL_HEX);
	return db_put(t, DB_meta, k->key, hashes.p, hashes.len, e);
}

int export_known(bool *known, const struct export_view *v, const struct str *text, struct err *e)
{
	struct export_as as = {.added = true};
	AUTO_FREE char *key = queue_exported_key(v->queue.id);
	AUTO_STR struct str added = {0};
	char hash[SEAL_HEX];
	struct known k = {.key = key, .hash = hash};

	seal_hash(hash, str_text(text), text->len);
	int rc = db_read(v->site->db, look, &k, e);
	if (rc == 0 && !k.found)
		rc = export_queue(&added, v, &as, e);
	*known = k.found || (rc == 0 && added.len == text->len && memcmp(added.p, str_text(text), added.len) == 0);
	return rc;
}

int export_known_add(const struct export_view *v, const struct str *text, struct err *e)
{
	AUTO_FREE char *key = queue_exported_key(v->queue.id);
	char hash[SEAL_HEX];
	struct known k = {.key = key, .hash = hash};

	seal_hash(hash, str_text(text), text->len);
	int rc = db_read(v->site->db, look, &k, e);
	return rc != 0 || k.found ? rc : db_write(v->site->db, add, &k, e);
}
