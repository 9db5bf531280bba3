/* export_index: a queue's entry in index.json, and which queues are active. What else is there stays. */
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "splice.h"
#include "store/base/mem.h"
#include "store/json.h"

enum { CHANGES_MAX = 12 };

struct changes {
	struct splice_change v[CHANGES_MAX];
	struct strv texts;
	size_t n;
};

static void set(struct changes *c, const char *key, char *value)
{
	c->v[c->n++] = (struct splice_change){.key = key, .value = value};
	strv_give(&c->texts, value);
}

static char *quoted(const char *text)
{
	AUTO_STR struct str out = {0};
	json_quote(&out, text);
	return str_take(&out);
}

static bool has(const char *raw, const char *key)
{
	AUTO_FREE char *value = splice_get(raw, key);
	return value != NULL;
}

static char *list_text(const struct strv *texts)
{
	struct json_t *map = json_map();
	AUTO_STR struct str out = {0};

	json_put_list(map, "l", texts);
	json_write(map, false, &out);
	json_free(map);
	return splice_get(out.p, "l");
}

/* "completed_solutions" or "completed_tasks", as the entry has it, else by the queue's own list. */
static const char *counted(const char *entry, const struct queue *q, const char *solutions, const char *tasks)
{
	if (has(entry, solutions))
		return solutions;
	return has(entry, tasks) || str_eq(q->row.items_key, "tasks") ? tasks : solutions;
}

/* The entry as it is to be; the caller owns it. */
static char *entry_of(const struct queue *q, const struct export_sum *sum, const char *old)
{
	struct changes c = {0};
	AUTO_STR struct str out = {0};
	size_t completed = 0;
	bool fresh = !old;

	if (!fresh && !sum->touched)
		return mem_strdup(old);
	if (fresh)
		old = q->row.index_raw ? q->row.index_raw : "{}";
	for (size_t i = 0; i < q->n; i++)
		completed += task_state_good(q->states[i]);
	AUTO_FREE char *was = splice_get_text(old, "status");
	if (!has(old, "id"))
		set(&c, "id", quoted(q->id));
	if (!str_eq(was, q->row.status))
		set(&c, "status", quoted(q->row.status ? q->row.status : "active"));
	if (fresh && !has(old, "issue_ids"))
		set(&c, "issue_ids", list_text(&q->row.issue_ids));
	const char *total = counted(old, q, "total_solutions", "total_tasks");
	if (fresh && !has(old, total))
		set(&c, total, mem_printf("%zu", q->n));
	const char *done = counted(old, q, "completed_solutions", "completed_tasks");
	if (fresh || completed || has(old, done))
		set(&c, done, mem_printf("%zu", completed));
	if (fresh && !has(old, "created_at"))
		set(&c, "created_at", export_time(q->row.created_ms));
	if (str_eq(q->row.status, "completed") && !has(old, "completed_at") && export_updated(q, sum))
		set(&c, "completed_at", export_time(export_updated(q, sum)));
	else if (str_eq(q->row.status, "active") && str_eq(was, "failed") && has(old, "completed_at"))
		c.v[c.n++] = (struct splice_change){.key = "completed_at"};
	splice_edit(old, c.v, c.n, &out);
	strv_fini(&c.texts);
	return str_take(&out);
}

/* The list of queues with this one's entry in it; *was: its status until now, the caller's, NULL = it had none. */
static char *queues_of(const struct queue *q, const struct export_sum *sum, const char *old, char **was)
{
	struct splice_parts parts;
	AUTO_STR struct str out = {0};
	bool found = false;

	bool cut = splice_cut(&parts, old, strlen(old)) && parts.list;
	for (size_t i = 0; cut && i < parts.n && !found; i++) {
		AUTO_FREE char *one = mem_strndup(old + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_FREE char *id = splice_get_text(one, "id");
		found = str_eq(id, q->id);
		if (!found)
			continue;
		AUTO_FREE char *now = entry_of(q, sum, one);
		*was = splice_get_text(one, "status");
		if (str_eq(now, one))
			str_add(&out, old);
		else
			splice_element(old, i, now, &out);
	}
	if (!found) {
		AUTO_FREE char *now = entry_of(q, sum, NULL);
		splice_element(cut ? old : "[]", SIZE_MAX, now, &out);
	}
	splice_fini(&parts);
	return str_take(&out);
}

/* The names of a list of texts. */
static void read_ids(const char *raw, const char *key, struct strv *out)
{
	AUTO_FREE char *old = splice_get(raw, key);
	struct splice_parts parts = {0};

	bool cut = old && splice_cut(&parts, old, strlen(old)) && parts.list;
	for (size_t i = 0; cut && i < parts.n; i++) {
		AUTO_FREE char *one = mem_printf("{\"id\":%.*s}", (int)(parts.v[i].value_end - parts.v[i].value),
		                                 old + parts.v[i].value);
		char *id = splice_get_text(one, "id");
		if (id)
			strv_give(out, id);
	}
	splice_fini(&parts);
}

/* An active queue is in the list of those that are, if there is one; one that is no more is neither there nor the active
 * one. The others stay. */
static void set_active(struct changes *c, const struct queue *q, const struct export_sum *sum, const char *raw,
                       const char *was)
{
	if (str_eq(was, q->row.status) || (was && !sum->touched))
		return;
	bool active = str_eq(q->row.status, "active"), listed = has(raw, "active_queue_ids");
	AUTO_FREE char *one = splice_get_text(raw, "active_queue_id");
	AUTO_STRV struct strv ids = {0}, left = {0};

	read_ids(raw, "active_queue_ids", &ids);
	for (size_t i = 0; i < ids.n; i++)
		if (active || !str_eq(ids.v[i], q->id))
			strv_add(&left, ids.v[i]);
	if (active && !strv_has(&left, q->id))
		strv_add(&left, q->id);
	if (listed && left.n != ids.n)
		set(c, "active_queue_ids", list_text(&left));
	if (!one && active)
		set(c, "active_queue_id", quoted(q->id));
	else if (!active && str_eq(one, q->id))
		set(c, "active_queue_id", left.n ? quoted(left.v[0]) : mem_strdup("null"));
}

int export_index(const struct queue *q, const struct export_sum *sum, const char *folder, struct strv *said,
                 struct err *e)
{
	struct export_file f;
	struct changes c = {0};
	AUTO_STR struct str text = {0};
	struct splice_parts parts;

	int rc = export_read(&f, folder, "queues/index.json", e);
	const char *raw = f.text.len ? f.text.p : "{\n  \"active_queue_id\": null,\n  \"queues\": []\n}";
	if (rc == 0) {
		if (!splice_cut(&parts, raw, strlen(raw)) || parts.list)
			rc = err_set(e, ERR_USAGE, "%s is no JSON object: it stays as it is", f.path);
		splice_fini(&parts);
	}
	if (rc == 0) {
		AUTO_FREE char *old = splice_get(raw, "queues"), *was = NULL;
		AUTO_FREE char *now = queues_of(q, sum, old ? old : "[]", &was);
		set_active(&c, q, sum, raw, was);
		if (!str_eq(old, now)) {
			set(&c, "queues", mem_strdup(now));
			c.v[c.n - 1].laid_out = old != NULL;
		}
		splice_edit(raw, c.v, c.n, &text);
		rc = export_write(&f, &text, said, e);
	}
	strv_fini(&c.texts);
	export_file_fini(&f);
	return rc;
}
