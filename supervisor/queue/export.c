/* export: the text of a queue's file, put together again from the texts of its items. */
#include "export.h"

#include <stdio.h>
#include <string.h>

#include "splice.h"
#include "store/base/mem.h"
#include "store/json.h"

#define ITEMS_KEY "solutions" /* of the newest dialect; "tasks" is one of its own */

enum { CHANGES_MAX = 16 };

struct counts {
	size_t pending, executing, completed, failed;
	struct export_sum sum;
};

/* ---- items ---- */

/* The items in the order of the file. */
static uint32_t *by_place(const struct site *site, const struct queue *q, struct err *e)
{
	uint32_t *order = mem_array(q->n + 1, sizeof *order);
	AUTO_FREE bool *filled = mem_array(q->n + 1, sizeof *filled);

	for (size_t i = 0; i < q->n; i++) {
		struct queue_item item;
		if (queue_item_load(&item, site, q->id, i + 1, e) != 0) {
			queue_item_fini(&item);
			free(order);
			return NULL;
		}
		size_t at = item.item_def.place ? item.item_def.place - 1 : i;
		queue_item_fini(&item);
		if (at >= q->n || filled[at]) {
			err_set(e, ERR_DAMAGED, "items of queue %s have no order in its file", q->id);
			free(order);
			return NULL;
		}
		filled[at] = true;
		order[at] = (uint32_t)i;
	}
	return order;
}

static void count(struct counts *c, const struct queue_item *item)
{
	const char *word = queue_word(queue_state(&item->task));

	export_sum_add(&c->sum, item);
	c->completed += str_eq(word, "completed");
	c->executing += str_eq(word, "executing");
	c->failed += str_eq(word, "failed");
	c->pending += str_eq(word, "pending") || str_eq(word, "skipped");
}

static int add_items(struct str *out, struct counts *c, const struct site *site, const struct queue *q,
                     const struct export_as *as, struct err *e)
{
	AUTO_FREE uint32_t *order = by_place(site, q, e);

	for (size_t k = 0; order && k < q->n; k++) {
		size_t i = order[k];
		struct queue_item item;
		AUTO_STRV struct strv needs = {0};
		for (size_t n = q->needs.at[i]; n < q->needs.at[i + 1]; n++)
			strv_add(&needs, q->links[q->needs.to[n]].id);
		int rc = queue_item_load(&item, site, q->id, i + 1, e);
		if (rc == 0) {
			str_add(out, k ? "," : "");
			count(c, &item);
			if (as->added)
				str_add(out, item.item_def.raw);
			else
				export_item(out, site, &item, &needs, as);
		}
		queue_item_fini(&item);
		if (rc != 0)
			return -1;
	}
	return order ? 0 : -1;
}

/* ---- the queue ---- */

static char *quoted(const char *text)
{
	AUTO_STR struct str out = {0};
	json_quote(&out, text);
	return str_take(&out);
}

/* Its counts, as far as it has them. The caller owns it; NULL: there are none. */
static char *metadata(const char *raw, const char *key, const struct counts *c, uint64_t updated_ms)
{
	AUTO_FREE char *old = splice_get(raw, key);
	const struct {
		const char *key;
		size_t n;
	} all[] = {{"pending_count", c->pending}, {"executing_count", c->executing}, {"completed_count", c->completed},
	           {"failed_count", c->failed}};
	struct splice_change changes[MEM_COUNT(all) + 1];
	char numbers[MEM_COUNT(all)][24];
	AUTO_FREE char *at = export_time(updated_ms);
	AUTO_STR struct str out = {0};
	size_t n = 0;

	if (!old || old[0] != '{')
		return NULL;
	for (size_t i = 0; i < MEM_COUNT(all); i++) {
		snprintf(numbers[i], sizeof numbers[i], "%zu", all[i].n);
		AUTO_FREE char *there = splice_get(old, all[i].key);
		if (there)
			changes[n++] = (struct splice_change){.key = all[i].key, .value = numbers[i]};
	}
	if (updated_ms)
		changes[n++] = (struct splice_change){.key = "updated_at", .value = at};
	splice_edit(old, changes, n, &out);
	return str_take(&out);
}

/* {file_conflicts: [...], ...} as one list, each of its type. The caller owns it; NULL: it is a list already. */
static char *conflicts(const char *raw)
{
	AUTO_FREE char *old = splice_get(raw, "conflicts");
	struct splice_parts parts = {0}, list;
	char *made = mem_strdup("[]");

	if (!old || !splice_cut(&parts, old, strlen(old)) || parts.list) {
		free(made);
		made = NULL;
	}
	for (size_t i = 0; made && i < parts.n; i++) {
		AUTO_FREE char *value = mem_strndup(old + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		size_t key = parts.v[i].key_end - parts.v[i].key;
		AUTO_FREE char *type = mem_strndup(old + parts.v[i].key, key);
		if (key > 3 && type[key - 2] == 's') /* "file_conflicts" */
			memcpy(type + key - 2, "\"", 2);
		bool cut = splice_cut(&list, value, strlen(value)) && list.list;
		for (size_t k = 0; cut && k < list.n; k++) {
			AUTO_FREE char *one = mem_strndup(value + list.v[k].value, list.v[k].value_end - list.v[k].value);
			AUTO_FREE char *known = splice_get(one, "type");
			struct splice_change add = {.key = "type", .value = type, .first = true};
			AUTO_STR struct str typed = {0}, more = {0};
			splice_edit(one, &add, known ? 0 : 1, &typed);
			splice_element(made, SIZE_MAX, str_text(&typed), &more);
			free(made);
			made = str_take(&more);
		}
		splice_fini(&list);
	}
	splice_fini(&parts);
	return made;
}

/* Members of groups under the key of the newest dialect. The caller owns it; NULL: they are, or there are none. */
static char *groups(const char *raw, const char *key)
{
	AUTO_FREE char *old = splice_get(raw, "execution_groups");
	struct splice_parts parts = {0};
	char *now = mem_strdup(old);
	bool any = false;

	bool cut = old && splice_cut(&parts, old, strlen(old)) && parts.list;
	for (size_t i = 0; cut && i < parts.n; i++) {
		AUTO_FREE char *one = mem_strndup(old + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_FREE char *items = splice_get(one, "items"), *solutions = splice_get(one, "solutions");
		AUTO_FREE char *tasks = splice_get(one, "tasks");
		struct splice_change change = {.key = "items", .name = key};
		AUTO_STR struct str edited = {0}, more = {0};
		if (!items || solutions || tasks)
			continue;
		splice_edit(one, &change, 1, &edited);
		splice_element(now, i, str_text(&edited), &more);
		free(now);
		now = str_take(&more);
		any = true;
	}
	splice_fini(&parts);
	if (any)
		return now;
	free(now);
	return NULL;
}

struct changes {
	struct splice_change v[CHANGES_MAX];
	struct strv texts;
	size_t n;
};

static void set(struct changes *c, const char *key, char *value)
{
	if (!value)
		return;
	c->v[c->n++] = (struct splice_change){.key = key, .value = value};
	strv_give(&c->texts, value);
}

/* A value that was made of what is there. */
static void set_edited(struct changes *c, const char *key, char *value)
{
	set(c, key, value);
	if (value)
		c->v[c->n - 1].laid_out = true;
}

static void set_status(struct changes *c, const struct queue *q, bool touched)
{
	AUTO_FREE char *was = splice_get_text(q->row.raw, "status");
	static const char *const words[] = {"active", "completed", "failed", "archived", "paused"};
	bool known = false;

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		known |= str_eq(was, words[i]);
	if (!str_eq(was, q->row.status) && (touched || !known))
		set(c, "status", quoted(q->row.status ? q->row.status : "active"));
}

/* The text around the items, with [] where they belong, as it is to be. */
static char *frame(const struct queue *q, const struct counts *c, const char **items_key)
{
	const char *raw = q->row.raw;
	struct changes all = {0};
	AUTO_FREE char *id = splice_get_text(raw, "id");
	bool renamed = !str_eq(q->row.items_key, ITEMS_KEY) && !str_eq(q->row.items_key, "tasks");
	AUTO_STR struct str out = {0};

	*items_key = renamed ? ITEMS_KEY : q->row.items_key;
	if (!str_eq(id, q->id)) {
		set(&all, "id", quoted(q->id));
		all.v[0].first = true;
	}
	set_status(&all, q, c->sum.touched);
	set(&all, "conflicts", conflicts(raw));
	set_edited(&all, "execution_groups", groups(raw, *items_key));
	if (renamed) { /* an empty list of that name would be in the way */
		AUTO_FREE char *other = splice_get(raw, ITEMS_KEY);
		if (other)
			all.v[all.n++] = (struct splice_change){.key = ITEMS_KEY};
		all.v[all.n++] = (struct splice_change){.key = q->row.items_key, .name = ITEMS_KEY};
	}
	if (c->sum.touched) {
		AUTO_FREE char *at = splice_get(raw, "updated_at");
		uint64_t now = export_updated(q, &c->sum);
		set_edited(&all, "_metadata", metadata(raw, "_metadata", c, now));
		set_edited(&all, "metadata", metadata(raw, "metadata", c, now));
		set(&all, "updated_at", at && now ? export_time(now) : NULL);
	}
	if (all.n)
		splice_edit(raw, all.v, all.n, &out);
	else
		str_add(&out, raw);
	strv_fini(&all.texts);
	return str_take(&out);
}

int export_queue(struct str *out, const struct site *site, const char *queue, const struct export_as *as,
                 struct err *e)
{
	struct queue q;
	struct counts c = {0};
	struct splice_parts parts = {0};
	AUTO_STR struct str items = {0};

	int rc = queue_load(&q, site, queue, e);
	if (rc == 0 && (!q.row.raw || !q.row.items_key))
		rc = err_set(e, ERR_DAMAGED, "the store has no text of queue %s", queue);
	if (rc == 0)
		rc = add_items(&items, &c, site, &q, as, e);
	if (rc == 0) {
		const char *key = NULL;
		AUTO_FREE char *text = as->added ? mem_strdup(q.row.raw) : frame(&q, &c, &key);
		key = as->added ? q.row.items_key : key;
		const struct splice_part *list =
			splice_cut(&parts, text, strlen(text)) ? splice_find(&parts, text, key) : NULL;
		if (!list) {
			rc = err_set(e, ERR_DAMAGED, "the text of queue %s has no list of items", queue);
		} else {
			str_addn(out, text, list->value + 1);
			str_addn(out, str_text(&items), items.len);
			str_add(out, text + list->value + 1);
		}
		splice_fini(&parts);
	}
	queue_fini(&q);
	return rc;
}
