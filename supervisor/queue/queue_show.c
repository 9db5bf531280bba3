/* queue_show: the list of queues, and one of them, as JSON with the keys of formats.md 2-3 and for people. */
#include <string.h>

#include "queue.h"
#include "queue_json.h"
#include "splice.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

/* ---- counting ---- */

static const char *const words[] = {"pending", "executing", "completed", "failed", "skipped"};

struct counting {
	struct queue_counts *c;
	const char *prefix;
};

static void count(struct queue_counts *c, enum task_state state)
{
	size_t i = 0;

	while (strcmp(words[i], queue_word(state)) != 0)
		i++;
	c->of[i]++;
	c->total++;
}

static int count_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct counting *c = ctx;
	char name[16] = "";
	enum task_state state = TASK_WAITING;
	size_t len = 0;
	(void)e;

	if (key[strlen(key) - 1] != 's')
		return 0;
	const char *text = scan_text(value, n, "state", &len);
	if (text && len < sizeof name)
		memcpy(name, text, len);
	task_state_parse(name, &state);
	count(c->c, state);
	return 0;
}

static int count_all(struct db_txn *t, void *ctx, struct err *e)
{
	struct counting *c = ctx;
	return db_scan(t, DB_tasks, c->prefix, count_row, c, e);
}

int queue_count(struct queue_counts *out, const struct site *site, const char *id, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", id);
	struct counting c = {out, prefix};

	*out = (struct queue_counts){0};
	return db_read(site->db, count_all, &c, e);
}

void queue_counts_text(const struct queue_counts *c, struct str *out)
{
	str_addf(out, "%zu item%s", c->total, c->total == 1 ? "" : "s");
	bool begun = false;
	for (size_t i = 0; i < MEM_COUNT(words); i++)
		if (c->of[i]) {
			str_addf(out, "%s%zu %s", begun ? ", " : ": ", c->of[i], words[i]);
			begun = true;
		}
}

static void put_counts(struct queue_out *o, const struct queue_counts *c)
{
	for (size_t i = 0; i < MEM_COUNT(words); i++)
		queue_json_number(o, words[i], c->of[i]);
}

/* ---- the list ---- */

struct one {
	const char *id;
	struct queue_row row;
};

static int load_row(struct db_txn *t, void *ctx, struct err *e)
{
	struct one *one = ctx;
	return queue_row_load_in(&one->row, t, one->id, e);
}

/* What index.json says of it beside what is known here. */
static void put_known(struct queue_out *o, const struct queue_row *row)
{
	static const char *const ours[] = {"id", "name", "status", "priority", "issue_ids", "total_solutions",
	                                   "total_tasks", "completed_solutions", "completed_tasks", "created_at"};
	struct err ignored = {0};
	struct json_t *index = row->index_raw ? json_parse_own(row->index_raw, strlen(row->index_raw), &ignored) : NULL;
	AUTO_STRV struct strv keys = {0};

	json_keys(index, &keys);
	for (size_t i = 0; i < keys.n; i++) {
		AUTO_STR struct str text = {0};
		bool known = false;
		for (size_t k = 0; k < MEM_COUNT(ours); k++)
			known |= str_eq(keys.v[i], ours[k]);
		if (known)
			continue;
		json_write(json_get(index, keys.v[i]), false, &text);
		queue_json_raw(o, keys.v[i], text.len ? text.p : "null");
	}
	json_free(index);
}

static int put_queue(struct queue_out *o, const struct site *site, const char *id, bool brief, struct err *e)
{
	struct one one = {.id = id};
	struct queue_counts c;

	if (db_read(site->db, load_row, &one, e) != 0 || queue_count(&c, site, id, e) != 0) {
		rec_fini(&queue_row_rec, &one.row);
		return -1;
	}
	queue_json_open(o, NULL, '{');
	queue_json_text(o, "id", id);
	if (one.row.name)
		queue_json_text(o, "name", one.row.name);
	queue_json_text(o, "status", one.row.status);
	if (one.row.rank)
		queue_json_number(o, "priority", one.row.rank - 1);
	queue_json_list(o, "issue_ids", &one.row.issue_ids);
	queue_json_number(o, "total_solutions", c.total);
	queue_json_number(o, "completed_solutions", c.of[QUEUE_COMPLETED]);
	if (!brief) {
		AUTO_FREE char *said = one.row.index_raw ? splice_get_text(one.row.index_raw, "created_at") : NULL;
		if (said) /* by index.json: before it was added here */
			queue_json_text(o, "created_at", said);
		else
			queue_json_time(o, "created_at", one.row.created_ms);
		put_known(o, &one.row);
		put_counts(o, &c);
		queue_json_text(o, "session", one.row.session);
		queue_json_text(o, "source", one.row.source);
	}
	queue_json_close(o, '}');
	rec_fini(&queue_row_rec, &one.row);
	return 0;
}

int queue_list_json(const struct site *site, bool brief, queue_print *print, struct err *e)
{
	struct queue_out o = {.print = print};
	AUTO_STRV struct strv all = {0}, active = {0};
	int rc = queue_list(&all, site, e) != 0 ? -1 : queue_active(&active, site, e);

	queue_json_open(&o, NULL, '{');
	if (!brief)
		queue_json_number(&o, "schema", 1);
	queue_json_text(&o, "active_queue_id", active.n ? active.v[0] : NULL);
	if (!brief)
		queue_json_list(&o, "active_queue_ids", &active);
	queue_json_open(&o, "queues", '[');
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		rc = put_queue(&o, site, all.v[i], brief, e);
	queue_json_close(&o, ']');
	queue_json_close(&o, '}');
	if (rc == 0)
		queue_json_end(&o);
	str_fini(&o.text);
	return rc;
}

/* On one line, whatever it is. */
static void add_shown(struct str *out, const char *before, const char *text)
{
	if (!text)
		return;
	str_add(out, before);
	str_add_printable(out, text, strlen(text), false);
}

int queue_list_text(const struct site *site, struct str *out, struct err *e)
{
	AUTO_STRV struct strv all = {0};
	int rc = queue_list(&all, site, e);
	int wide = 0;

	for (size_t i = 0; i < all.n; i++)
		wide = (int)strlen(all.v[i]) > wide ? (int)strlen(all.v[i]) : wide;
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		struct one one = {.id = all.v[i]};
		struct queue_counts c;
		rc = db_read(site->db, load_row, &one, e) != 0 ? -1 : queue_count(&c, site, one.id, e);
		if (rc == 0) {
			str_addf(out, "%-*s  %-9s  ", wide, one.id, one.row.status);
			queue_counts_text(&c, out);
			add_shown(out, "  session ", one.row.session);
			add_shown(out, "  ", one.row.name);
			str_addc(out, '\n');
		}
		rec_fini(&queue_row_rec, &one.row);
	}
	return rc;
}
