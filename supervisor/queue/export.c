/* export: the text of a queue's file, put together again from the texts of its items. */
#include "export.h"

#include <stdio.h>
#include <string.h>

#include "export_change.h"
#include "store/base/mem.h"
#include "store/json.h"

#define ITEMS_KEY  "solutions" /* of the newest dialect; "tasks" is one of its own */
#define OTHERS_KEY "conflicts_other"

struct counts {
	size_t pending, executing, completed, failed;
};

/* ---- items ---- */

/* The items in the order of the file. */
static uint32_t *by_place(const struct export_view *v, struct err *e)
{
	const struct queue *q = &v->queue;
	uint32_t *order = mem_array(q->n + 1, sizeof *order);
	AUTO_FREE bool *filled = mem_array(q->n + 1, sizeof *filled);

	for (size_t i = 0; i < q->n; i++) {
		struct queue_item item;
		if (export_view_item(&item, v, i, e) != 0) {
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

static void count(struct counts *c, enum task_state state)
{
	const char *word = queue_word(state);

	c->completed += str_eq(word, "completed");
	c->executing += str_eq(word, "executing");
	c->failed += str_eq(word, "failed");
	c->pending += str_eq(word, "pending") || str_eq(word, "skipped");
}

static int add_items(struct str *out, const struct export_view *v, const struct export_as *as, struct err *e)
{
	const struct queue *q = &v->queue;
	AUTO_FREE uint32_t *order = by_place(v, e);

	for (size_t k = 0; order && k < q->n; k++) {
		size_t i = order[k];
		struct queue_item item;
		AUTO_STRV struct strv needs = {0};
		for (size_t n = q->needs.at[i]; n < q->needs.at[i + 1]; n++)
			strv_add(&needs, q->links[q->needs.to[n]].id);
		int rc = export_view_item(&item, v, i, e);
		if (rc == 0) {
			str_add(out, k ? "," : "");
			if (as->added)
				str_add(out, item.item_def.raw);
			else
				export_item(out, v->site, &item, &needs, as);
		}
		queue_item_fini(&item);
		if (rc != 0)
			return -1;
	}
	return order ? 0 : -1;
}

/* ---- the queue ---- */

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

static char *part_text(const char *text, size_t from, size_t to)
{
	return mem_strndup(text + from, to - from);
}

/* The conflicts of one type: "file_conflicts" and the list of them. */
static void add_typed(struct strv *out, const char *key, const char *value, const struct splice_parts *list)
{
	AUTO_FREE char *type = mem_strdup(key);
	size_t n = strlen(type);

	if (n > 3 && type[n - 2] == 's')
		memcpy(type + n - 2, "\"", 2);
	for (size_t i = 0; i < list->n; i++) {
		AUTO_FREE char *one = part_text(value, list->v[i].value, list->v[i].value_end);
		AUTO_FREE char *known = splice_get(one, "type");
		struct splice_change add = {.key = "type", .value = type, .first = true};
		AUTO_STR struct str typed = {0};
		splice_edit(one, &add, known ? 0 : 1, &typed);
		strv_give(out, str_take(&typed));
	}
}

/* {file_conflicts: [...], ...} becomes one list, each of its type; members that are no lists have no place in it. */
static void set_conflicts(struct export_change *c, const char *raw)
{
	AUTO_FREE char *old = splice_get(raw, "conflicts");
	struct splice_parts parts = {0};
	AUTO_STRV struct strv all = {0};
	AUTO_STR struct str made = {0}, others = {0};

	bool object = old && splice_cut(&parts, old, strlen(old)) && !parts.list;
	for (size_t i = 0; object && i < parts.n; i++) {
		AUTO_FREE char *key = part_text(old, parts.v[i].key, parts.v[i].key_end);
		AUTO_FREE char *value = part_text(old, parts.v[i].value, parts.v[i].value_end);
		struct splice_parts list;
		if (splice_cut(&list, value, strlen(value)) && list.list)
			add_typed(&all, key, value, &list);
		else
			str_addf(&others, "%s%s:%s", others.len ? "," : "{", key, value);
		splice_fini(&list);
	}
	splice_fini(&parts);
	if (!object || (others.len && export_change_has(raw, OTHERS_KEY)))
		return;
	splice_elements("[]", all.v, all.n, &made);
	export_change_set(c, "conflicts", str_take(&made));
	if (others.len) {
		str_addc(&others, '}');
		export_change_set(c, OTHERS_KEY, str_take(&others));
	}
}

/* Members of groups under the key of the newest dialect. The caller owns it; NULL: they are, or there are none. */
static char *groups(const char *raw, const char *key)
{
	AUTO_FREE char *old = splice_get(raw, "execution_groups");
	struct splice_parts parts = {0};
	AUTO_STRV struct strv edited = {0};
	AUTO_STR struct str now = {0};

	bool cut = old && splice_cut(&parts, old, strlen(old)) && parts.list;
	AUTO_FREE char **values = mem_array(parts.n + 1, sizeof *values);
	for (size_t i = 0; cut && i < parts.n; i++) {
		AUTO_FREE char *one = part_text(old, parts.v[i].value, parts.v[i].value_end);
		struct splice_change change = {.key = "items", .name = key};
		AUTO_STR struct str text = {0};
		if (!export_change_has(one, "items") || export_change_has(one, "solutions") || export_change_has(one, "tasks"))
			continue;
		splice_edit(one, &change, 1, &text);
		values[i] = str_take(&text);
		strv_give(&edited, values[i]);
	}
	if (edited.n)
		splice_elements(old, values, parts.n, &now);
	splice_fini(&parts);
	return edited.n ? str_take(&now) : NULL;
}

static void set_status(struct export_change *c, const struct queue *q, bool touched)
{
	AUTO_FREE char *was = splice_get_text(q->row.raw, "status");
	static const char *const words[] = {"active", "completed", "failed", "archived", "paused"};
	bool known = false;

	for (size_t i = 0; i < MEM_COUNT(words); i++)
		known |= str_eq(was, words[i]);
	if (!str_eq(was, q->row.status) && (touched || !known))
		export_change_set(c, "status", export_change_quote(q->row.status ? q->row.status : "active"));
}

/* NULL: there is none. */
static void set_edited(struct export_change *c, const char *key, char *value)
{
	if (value)
		export_change_edited(c, key, value);
}

/* The text around the items, with [] where they belong, as it is to be. */
static char *frame(const struct export_view *v, const struct counts *n, const char **items_key)
{
	const struct queue *q = &v->queue;
	const char *raw = q->row.raw;
	struct export_change c = {0};
	AUTO_FREE char *id = splice_get_text(raw, "id");
	bool renamed = !str_eq(q->row.items_key, ITEMS_KEY) && !str_eq(q->row.items_key, "tasks");
	AUTO_STR struct str out = {0};

	*items_key = renamed ? ITEMS_KEY : q->row.items_key;
	if (!str_eq(id, q->id)) {
		export_change_set(&c, "id", export_change_quote(q->id));
		c.v[0].first = true;
	}
	set_status(&c, q, v->touched);
	set_conflicts(&c, raw);
	set_edited(&c, "execution_groups", groups(raw, *items_key));
	if (renamed) {
		if (export_change_has(raw, ITEMS_KEY)) /* an empty list of that name would be in the way */
			export_change_set(&c, ITEMS_KEY, NULL);
		export_change_name(&c, q->row.items_key, ITEMS_KEY, NULL);
	}
	if (v->touched) {
		set_edited(&c, "_metadata", metadata(raw, "_metadata", n, v->updated_ms));
		set_edited(&c, "metadata", metadata(raw, "metadata", n, v->updated_ms));
		if (export_change_has(raw, "updated_at") && v->updated_ms)
			export_change_set(&c, "updated_at", export_time(v->updated_ms));
	}
	export_change_make(&c, raw, &out);
	return str_take(&out);
}

int export_queue(struct str *out, const struct export_view *v, const struct export_as *as, struct err *e)
{
	const struct queue *q = &v->queue;
	struct counts c = {0};
	struct splice_parts parts;
	const char *key = q->row.items_key;

	if (!q->row.raw || !key)
		return err_set(e, ERR_DAMAGED, "the store has no text of queue %s", q->id);
	for (size_t i = 0; i < q->n; i++)
		count(&c, q->states[i]);
	AUTO_FREE char *text = as->added ? mem_strdup(q->row.raw) : frame(v, &c, &key);
	const struct splice_part *list = splice_cut(&parts, text, strlen(text)) ? splice_find(&parts, text, key) : NULL;
	size_t at = list ? list->value + 1 : 0;
	splice_fini(&parts);
	if (!at)
		return err_set(e, ERR_DAMAGED, "the text of queue %s has no list of items", q->id);
	str_addn(out, text, at);
	if (add_items(out, v, as, e) != 0)
		return -1;
	str_add(out, text + at);
	return 0;
}
