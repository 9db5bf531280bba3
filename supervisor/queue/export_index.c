/* export_index: a queue's entry in index.json, and which queues are active. What else is there stays. */
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "export_change.h"
#include "store/base/mem.h"
#include "store/json.h"

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
	if (export_change_has(entry, solutions))
		return solutions;
	return export_change_has(entry, tasks) || str_eq(q->row.items_key, "tasks") ? tasks : solutions;
}

/* The entry as it is to be; the caller owns it. */
static char *entry_of(const struct export_view *v, const char *old)
{
	const struct queue *q = &v->queue;
	struct export_change c = {0};
	AUTO_STR struct str out = {0};
	size_t completed = 0;
	bool fresh = !old;

	if (!fresh && !v->touched)
		return mem_strdup(old);
	if (fresh)
		old = q->row.index_raw ? q->row.index_raw : "{}";
	for (size_t i = 0; i < q->n; i++)
		completed += task_state_good(q->states[i]);
	AUTO_FREE char *was = splice_get_text(old, "status");
	if (!export_change_has(old, "id"))
		export_change_set(&c, "id", export_change_quote(q->id));
	if (!str_eq(was, q->row.status))
		export_change_set(&c, "status", export_change_quote(q->row.status ? q->row.status : "active"));
	if (fresh && !export_change_has(old, "issue_ids"))
		export_change_set(&c, "issue_ids", list_text(&q->row.issue_ids));
	const char *total = counted(old, q, "total_solutions", "total_tasks");
	if (fresh && !export_change_has(old, total))
		export_change_set(&c, total, mem_printf("%zu", q->n));
	const char *done = counted(old, q, "completed_solutions", "completed_tasks");
	if (fresh || completed || export_change_has(old, done))
		export_change_set(&c, done, mem_printf("%zu", completed));
	if (fresh && !export_change_has(old, "created_at"))
		export_change_set(&c, "created_at", export_time(q->row.created_ms));
	if (str_eq(q->row.status, "completed") && !export_change_has(old, "completed_at") && v->updated_ms)
		export_change_set(&c, "completed_at", export_time(v->updated_ms));
	else if (str_eq(q->row.status, "active") && str_eq(was, "failed") && export_change_has(old, "completed_at"))
		export_change_set(&c, "completed_at", NULL);
	export_change_make(&c, old, &out);
	return str_take(&out);
}

/* The list of queues with this one's entry in it; *was: its status until now, the caller's, NULL = it had none. */
static char *queues_of(const struct export_view *v, const char *old, char **was)
{
	struct splice_parts parts;
	AUTO_STR struct str out = {0};
	bool found = false;

	bool cut = splice_cut(&parts, old, strlen(old)) && parts.list;
	for (size_t i = 0; cut && i < parts.n && !found; i++) {
		AUTO_FREE char *one = mem_strndup(old + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_FREE char *id = splice_get_text(one, "id");
		found = str_eq(id, v->queue.id);
		if (!found)
			continue;
		AUTO_FREE char *now = entry_of(v, one);
		*was = splice_get_text(one, "status");
		if (str_eq(now, one))
			str_add(&out, old);
		else
			splice_element(old, i, now, &out);
	}
	if (!found) {
		AUTO_FREE char *now = entry_of(v, NULL);
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
static void set_active(struct export_change *c, const struct export_view *v, const char *raw,
                       const char *was)
{
	const struct queue *q = &v->queue;
	bool active = str_eq(q->row.status, "active");
	if (str_eq(was, q->row.status) || ((was || !active) && !v->touched))
		return;
	AUTO_FREE char *one = splice_get_text(raw, "active_queue_id"), *list = splice_get(raw, "active_queue_ids");
	AUTO_STRV struct strv ids = {0}, left = {0};

	read_ids(raw, "active_queue_ids", &ids);
	for (size_t i = 0; i < ids.n; i++)
		if (active || !str_eq(ids.v[i], q->id))
			strv_add(&left, ids.v[i]);
	if (active && !strv_has(&left, q->id))
		strv_add(&left, q->id);
	if (list && list[0] == '[' && left.n != ids.n)
		export_change_set(c, "active_queue_ids", list_text(&left));
	if (!one && active)
		export_change_set(c, "active_queue_id", export_change_quote(q->id));
	else if (!active && str_eq(one, q->id))
		export_change_set(c, "active_queue_id", left.n ? export_change_quote(left.v[0]) : mem_strdup("null"));
}

/* ERR_USAGE: it is no index that could be added to. */
static int check(const char *raw, size_t n, const char *path, struct err *e)
{
	if (strlen(raw) != n)
		return err_set(e, ERR_USAGE, "%s has NUL bytes: nothing was written to it", path);
	AUTO_FREE char *queues = splice_get(raw, "queues");
	struct splice_parts parts;

	bool object = splice_cut(&parts, raw, strlen(raw)) && !parts.list;
	splice_fini(&parts);
	if (!object)
		return err_set(e, ERR_USAGE, "%s is no JSON object: it stays as it is", path);
	if (queues && queues[0] != '[' && !str_eq(queues, "null"))
		return err_set(e, ERR_USAGE, "\"queues\" of %s is no list: it stays as it is", path);
	return 0;
}

int export_index(const struct export_view *v, const char *folder, struct strv *said, struct err *e)
{
	struct export_file f;
	struct export_change c = {0};
	AUTO_STR struct str text = {0};

	int rc = export_read(&f, folder, "queues/index.json", e);
	const char *raw = f.text.len ? f.text.p : "{\n  \"active_queue_id\": null,\n  \"queues\": []\n}";
	if (rc == 0)
		rc = check(raw, f.text.len ? f.text.len : strlen(raw), f.path, e);
	if (rc == 0) {
		AUTO_FREE char *old = splice_get(raw, "queues"), *was = NULL;
		bool list = old && old[0] == '[';
		char *now = queues_of(v, list ? old : "[]", &was);
		set_active(&c, v, raw, was);
		if (list)
			export_change_edited(&c, "queues", now);
		else
			export_change_set(&c, "queues", now);
		export_change_make(&c, raw, &text);
		rc = export_write(&f, &text, said, e);
	}
	export_file_fini(&f);
	return rc;
}
