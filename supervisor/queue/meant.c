/* meant: claims are looked through before names. Changes nothing. */
#include "meant.h"

#include <string.h>

#include "lease.h"
#include "store/base/mem.h"

static int item_row_in(struct item_row *out, struct db_txn *t, const char *queue, size_t ordinal, struct err *e)
{
	AUTO_FREE char *key = queue_task_key(queue, ordinal, 's');
	const void *value;
	size_t n;

	if (db_get(t, DB_items, key, &value, &n, e) != 0 || rec_decode(&item_row_rec, out, value, n, e) != 0)
		return err_wrap(e, "queue %s", queue);
	return 0;
}

/* Of the queues that have such an item: whose token it is, or else which the caller has claimed. NULL = none of them.
 * ERR_USAGE: it has claimed several. */
static int claimed(const char **queue, struct db_txn *t, const struct strv *with, const char *name, const char *token,
                   struct err *e)
{
	*queue = NULL;
	for (size_t i = 0; i < with->n; i++) {
		AUTO_FREE char *found = NULL;
		struct item_row row;
		size_t ordinal;
		if (queue_find_item_in(&found, &ordinal, t, name, with->v[i], e) != 0 ||
		    item_row_in(&row, t, with->v[i], ordinal, e) != 0)
			return -1;
		bool own = row.token && lease_may_end(&row, token);
		rec_fini(&item_row_rec, &row);
		if (own && *queue)
			return err_set(e, ERR_USAGE, "you have claimed item %s of several queues: say which: %s:%s, %s:%s", name,
			               *queue, name, with->v[i], name);
		if (own)
			*queue = with->v[i];
	}
	return 0;
}

int meant_item_in(char **queue, size_t *ordinal, struct db_txn *t, const char *name, const char *in, const char *token,
                  bool only, struct err *e)
{
	AUTO_STRV struct strv with = {0};
	AUTO_STR struct str names = {0};
	const char *own = NULL;
	size_t active = 0;

	*queue = NULL;
	if (in || strchr(name, ':'))
		return queue_find_item_in(queue, ordinal, t, name, in, e);
	if (queue_find_all_in(&with, &active, t, name, e) != 0 || claimed(&own, t, &with, name, token, e) != 0)
		return -1;
	for (size_t i = 0; i < active; i++)
		str_addf(&names, "%s%s:%s", i ? ", " : "", with.v[i], name);
	if (!own && only && active > 1)
		return err_set(e, ERR_USAGE, "item %s is in several active queues: say which, or give the token of its claim: %s",
		               name, names.p);
	return queue_find_item_in(queue, ordinal, t, name, own, e);
}

int meant_claim_in(char **queue, size_t *ordinal, struct db_txn *t, const char *token, const char *in, struct err *e)
{
	AUTO_STRV struct strv ids = {0};
	int rc = 0;

	*queue = NULL;
	if (!in)
		rc = queue_list_in(&ids, t, e);
	else if (!plan_id_fault(in)) /* not every text can be a key */
		strv_add(&ids, in);
	for (size_t i = 0; rc == 0 && !*queue && i < ids.n; i++) {
		struct queue_claimed c;
		rc = queue_claimed_in(&c, t, ids.v[i], e);
		for (size_t k = 0; rc == 0 && !*queue && k < c.n; k++) {
			struct item_row row;
			rc = item_row_in(&row, t, ids.v[i], c.ordinals[k], e);
			if (rc != 0)
				continue;
			if (str_eq(row.token, token)) {
				*queue = mem_strdup(ids.v[i]);
				*ordinal = c.ordinals[k];
			}
			rec_fini(&item_row_rec, &row);
		}
		free(c.ordinals);
	}
	return rc;
}
