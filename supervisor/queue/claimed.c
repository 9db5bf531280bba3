/* claimed: rows of claimed items are looked for without reading the others. */
#include "claimed.h"

#include <string.h>

#include "lease.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/json.h"

struct looking {
	struct strv *lines;
	struct json_t *list;
};

static void tell(struct looking *l, const char *queue, const struct queue_item *item)
{
	const struct item_row *r = &item->item;
	AUTO_STR struct str who = {0}, at = {0};

	lease_text(r, &who);
	if (l->lines)
		strv_addf(l->lines, "%s:%s is claimed by %s", queue, item->item_def.id, who.p);
	if (!l->list)
		return;
	struct json_t *j = json_map();
	clock_add_iso(&at, r->claimed_ms);
	json_put_text(j, "queue", queue);
	json_put_text(j, "item", item->item_def.id);
	json_put_u64(j, "pid", r->pid);
	json_put_text(j, "host", r->host);
	json_put_text(j, "claimed_at", at.p);
	json_put_flag(j, "alive", lease_of(r, UINT64_MAX) == LEASE_HELD);
	json_add(l->list, j);
}

static int find(struct db_txn *t, void *ctx, struct err *e)
{
	struct looking *l = ctx;
	AUTO_STRV struct strv ids = {0};

	int rc = queue_list_in(&ids, t, e); /* one that was put aside, too */
	for (size_t i = 0; rc == 0 && i < ids.n; i++) {
		struct queue_claimed c;
		rc = queue_claimed_in(&c, t, ids.v[i], e);
		for (size_t k = 0; rc == 0 && k < c.n; k++) {
			struct queue_item item;
			rc = queue_item_load_in(&item, t, ids.v[i], c.ordinals[k], e);
			if (rc == 0 && item.item.token)
				tell(l, ids.v[i], &item);
			queue_item_fini(&item);
		}
		free(c.ordinals);
	}
	return rc;
}

int claimed_lines(const struct site *site, struct strv *out, struct err *e)
{
	struct looking l = {.lines = out};
	return site->db ? db_read(site->db, find, &l, e) : 0;
}

struct json_t *claimed_json(const struct site *site, struct err *e)
{
	struct looking l = {.list = json_list()};

	if (!site->db || db_read(site->db, find, &l, e) == 0)
		return l.list;
	json_free(l.list);
	return NULL;
}
