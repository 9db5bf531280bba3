/* queue_copy: the rows of a queue as they were added, in git: a commit at refs/bosk/plan/<queue> whose files
 * items-0001.jsonl, items-0002.jsonl, ... hold one row per line, {"table": "tasks", "key": "000001/d", "row": {...}}. A lost
 * or damaged store is made again from it. */
#include "queue_copy.h"

#include <stdio.h>
#include <string.h>

#include "store/base/fail.h"
#include "store/base/mem.h"
#include "store/json.h"

enum {
	PIECE = 8 << 20,  /* bytes of a file, about */
	PER_SCAN = 100,   /* ordinals that have their first four digits in common */
	FILES_MAX = 9999
};
static const char author[] = "bosk <bosk@localhost>";

static const char *const tables[] = {[DB_queues] = "queues", [DB_tasks] = "tasks", [DB_items] = "items",
                                     [DB_issues] = "issues"};

static const struct rec *rec_of(enum db_table table, const char *key)
{
	bool def = str_ends(key, "d");

	switch (table) {
	case DB_queues: return &queue_row_rec;
	case DB_issues: return &issue_row_rec;
	case DB_tasks: return def ? &task_def_rec : &task_row_rec;
	default: return def ? &item_def_rec : &item_row_rec;
	}
}

/* ---- writing ---- */

struct copying {
	struct site *site;
	const char *queue;
	struct str text;
	struct strv names;
	struct oid *blobs;
	/* of the scan that goes on */
	enum db_table table;
	const char *prefix;
	bool any;
};

static int add_line(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct copying *c = ctx;

	str_add(&c->text, "{\"table\": \"");
	str_add(&c->text, tables[c->table]);
	str_add(&c->text, "\", \"key\": \"");
	str_add(&c->text, c->table == DB_queues ? "" : key + strlen(c->queue) + 1);
	str_add(&c->text, "\", \"row\": ");
	if (!scan_json(value, n, json_quote_n, &c->text))
		return err_set(e, ERR_DAMAGED, "a row of the store, of %s, cannot be read: bosk verify --repair", key);
	str_add(&c->text, "}\n");
	c->any = true;
	return 0;
}

static int scan(struct db_txn *t, void *ctx, struct err *e)
{
	struct copying *c = ctx;
	return db_scan(t, c->table, c->prefix, add_line, c, e);
}

static int queue_line(struct db_txn *t, void *ctx, struct err *e)
{
	struct copying *c = ctx;
	const void *value;
	size_t n;

	c->table = DB_queues;
	return db_get(t, DB_queues, c->queue, &value, &n, e) != 0 ? -1 : add_line(c, c->queue, value, n, e);
}

static int put_file(struct copying *c, size_t least, struct err *e)
{
	if (c->text.len < least || !c->text.len)
		return 0;
	if (c->names.n == FILES_MAX)
		return err_set(e, ERR_USAGE, "queue %s is too large", c->queue);
	strv_addf(&c->names, "items-%04zu.jsonl", c->names.n + 1);
	c->blobs = mem_grow(c->blobs, c->names.n, sizeof *c->blobs);
	int rc = gitx_blob_write(c->site->git, &c->blobs[c->names.n - 1], c->text.p, c->text.len, e);
	str_clear(&c->text);
	return rc;
}

/* Rows of a hundred ordinals at a time: no reader keeps the store from reusing its pages for long. */
static int put_table(struct copying *c, enum db_table table, struct err *e)
{
	c->table = table;
	for (size_t i = 0; i <= PLAN_MAX_TASKS / PER_SCAN; i++) {
		AUTO_FREE char *prefix = mem_printf("%s/%04zu", c->queue, i);
		c->prefix = prefix;
		c->any = false;
		if (db_read(c->site->db, scan, c, e) != 0 || put_file(c, PIECE, e) != 0)
			return -1;
		if (!c->any && i)
			break;
	}
	return 0;
}

int queue_copy_write(struct site *site, const char *queue, struct err *e)
{
	struct copying c = {.site = site, .queue = queue};
	AUTO_FREE char *ref = mem_printf("refs/bosk/plan/%s", queue);
	AUTO_FREE char *message = mem_printf("Queue %s\n\nBosk-Queue: %s\n", queue, queue);
	struct oid commit, at;
	struct err absent = {0};

	int rc = db_read(site->db, queue_line, &c, e);
	if (rc == 0 && (put_table(&c, DB_tasks, e) != 0 || put_table(&c, DB_items, e) != 0 ||
	                put_table(&c, DB_issues, e) != 0 || put_file(&c, 1, e) != 0))
		rc = -1;
	if (rc == 0)
		rc = gitx_commit_blobs(site->git, &commit, (const char *const *)c.names.v, c.blobs, c.names.n, author, message,
		                       e);
	FAILPOINT("queue.copy.ref");
	if (rc == 0)
		rc = gitx_ref_move(site->git, ref, gitx_ref_read(site->git, ref, &at, &absent) == 0 ? &at : NULL, &commit,
		                   "bosk: queue", e);
	FAILPOINT("queue.copy.after");
	str_fini(&c.text);
	strv_fini(&c.names);
	free(c.blobs);
	return rc == 0 ? 0 : err_wrap(e, "cannot write %s", ref);
}

/* ---- reading ---- */

static bool get_field(const struct rec_field *f, void *value, const struct json_t *j)
{
	switch (f->type) {
	case REC_u64:
		return json_u64(j, value);
	case REC_flag:
		*(bool *)value = json_yes(j);
		return true;
	case REC_str:
		mem_set(value, json_text(j));
		return json_text(j) != NULL;
	case REC_list:
		for (size_t i = 0; i < json_count(j); i++) {
			if (!json_text(json_nth(j, i)))
				return false;
			strv_add(value, json_text(json_nth(j, i)));
		}
		return json_is_list(j);
	}
	return false;
}

/* The record that the line has; false when it is none. */
static bool get_row(const struct rec *r, void *out, const struct json_t *row)
{
	memset(out, 0, r->size);
	bool ok = json_is_map(row);
	for (size_t i = 0; ok && i < r->n; i++) {
		const struct json_t *value = json_get(row, r->fields[i].name);
		if (value)
			ok = get_field(&r->fields[i], (char *)out + r->fields[i].offset, value);
	}
	if (!ok)
		rec_fini(r, out);
	return ok;
}

struct restoring {
	const struct site *site;
	const char *queue;
	struct db_batch batch;
	size_t lines, put;
};

/* Is there a row that can be read? */
static bool there(const struct restoring *r, enum db_table table, const char *key, const struct rec *rec)
{
	AUTO_STR struct str value = {0};
	AUTO_FREE void *row = mem_alloc(rec->size);
	struct err ignored = {0};

	if (db_load(r->site->db, table, key, &value, &ignored) != 0 ||
	    rec_decode(rec, row, value.p, value.len, &ignored) != 0)
		return false;
	rec_fini(rec, row);
	return true;
}

/* Of a queue whose row can be read only what follows from its definitions is taken from the copy. */
static void take_known(const struct restoring *r, struct queue_row *copy)
{
	AUTO_STR struct str value = {0};
	struct queue_row now;
	struct err ignored = {0};

	if (db_load(r->site->db, DB_queues, r->queue, &value, &ignored) != 0 ||
	    rec_decode(&queue_row_rec, &now, value.p, value.len, &ignored) != 0)
		return;
	mem_set(&now.kind, copy->kind);
	mem_set(&now.content, copy->content);
	now.tasks = copy->tasks;
	rec_fini(&queue_row_rec, copy);
	*copy = now;
}

static int take_line(struct restoring *r, const char *text, size_t n, struct err *e)
{
	struct err bad = {0};
	struct json_t *line = json_parse_own(text, n, &bad);
	const char *name = json_get_text(line, "table"), *part = json_get_text(line, "key");
	size_t table = 0;

	while (table < MEM_COUNT(tables) && !(name && tables[table] && strcmp(tables[table], name) == 0))
		table++;
	bool ok = part && table < MEM_COUNT(tables);
	AUTO_FREE char *key = !ok                  ? NULL
	                      : table == DB_queues ? mem_strdup(r->queue)
	                                           : mem_printf("%s/%s", r->queue, part);
	if (ok) {
		const struct rec *rec = rec_of((enum db_table)table, key);
		AUTO_FREE void *row = mem_alloc(rec->size);
		ok = get_row(rec, row, json_get(line, "row"));
		/* Definitions never change. */
		if (ok && table == DB_queues)
			take_known(r, row);
		if (ok && (table == DB_queues || str_ends(key, "/d") || !there(r, (enum db_table)table, key, rec))) {
			rows_put(&r->batch, (enum db_table)table, key, rec, row);
			r->put++;
		}
		if (ok)
			rec_fini(rec, row);
	}
	r->lines++;
	json_free(line);
	return ok ? 0 : err_set(e, ERR_DAMAGED, "line %zu of refs/bosk/plan/%s is no row", r->lines, r->queue);
}

static int take_file(struct restoring *r, const struct str *text, struct err *e)
{
	int rc = 0;

	for (const char *p = text->p, *end = p + text->len; rc == 0 && p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline ? newline : end) - p);
		rc = take_line(r, p, n, e);
		p += n + 1;
	}
	if (rc == 0)
		rc = db_batch_write(r->site->db, &r->batch, e);
	db_batch_clear(&r->batch);
	return rc;
}

int queue_copy_content(char **out, struct gitx *g, const char *queue, struct err *e)
{
	AUTO_FREE char *ref = mem_printf("refs/bosk/plan/%s", queue);
	AUTO_STR struct str text = {0};
	struct oid at;

	*out = NULL;
	if (gitx_ref_read(g, ref, &at, e) != 0 || gitx_read_file(g, &at, "items-0001.jsonl", &text, e) != 0)
		return -1;
	struct json_t *line = json_parse_own(str_text(&text), strcspn(str_text(&text), "\n"), e);
	*out = mem_strdup(json_get_text(json_get(line, "row"), "content"));
	json_free(line);
	return *out ? 0 : err_set(e, ERR_DAMAGED, "%s does not begin with the row of a queue", ref);
}

bool queue_copy_is(struct gitx *g, const char *queue)
{
	AUTO_FREE char *content = NULL;
	struct err ignored = {0};

	return queue_copy_content(&content, g, queue, &ignored) == 0;
}

int queue_copy_restore(size_t *put, const struct site *site, const char *queue, struct err *e)
{
	struct restoring r = {.site = site, .queue = queue};
	AUTO_FREE char *ref = mem_printf("refs/bosk/plan/%s", queue);
	struct oid at;

	*put = 0;
	if (gitx_ref_read(site->git, ref, &at, e) != 0)
		return -1;
	for (size_t i = 1; i <= FILES_MAX; i++) {
		AUTO_FREE char *name = mem_printf("items-%04zu.jsonl", i);
		AUTO_STR struct str text = {0};
		struct err absent = {0};
		if (gitx_read_file(site->git, &at, name, &text, &absent) != 0) {
			if (i > 1 && absent.kind == ERR_MISSING)
				break;
			return err_set(e, absent.kind, "%s: %s", ref, absent.text);
		}
		if (take_file(&r, &text, e) != 0)
			return -1;
	}
	*put = r.put;
	return queue_index_write(site, queue, e);
}
