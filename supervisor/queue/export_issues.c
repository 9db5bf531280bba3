/* export_issues: issues.jsonl, issue-history.jsonl and solutions/, line by line: lines of this queue's issues are
 * brought up to date, all others stay as they are, also those that cannot be read. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "change.h"
#include "export.h"
#include "failure.h"
#include "splice.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "store/json_cut.h"

/* ---- issues of the queue ---- */

struct issues {
	struct issue_row *v;
	bool *done; /* its line was found */
	size_t n, room;
};

static int take_issue(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct issues *all = ctx;

	(void)key;
	if (all->n == all->room)
		all->v = mem_grow(all->v, all->room = all->room ? 2 * all->room : 64, sizeof *all->v);
	return rec_decode(&issue_row_rec, &all->v[all->n], value, n, e) == 0 ? (all->n++, 0) : -1;
}

struct reading {
	const char *queue;
	struct issues *all;
};

static int read_issues(struct db_txn *t, void *ctx, struct err *e)
{
	struct reading *r = ctx;
	AUTO_FREE char *prefix = mem_printf("%s/", r->queue);
	return db_scan(t, DB_issues, prefix, take_issue, r->all, e);
}

static void issues_fini(struct issues *all)
{
	for (size_t i = 0; i < all->n; i++)
		rec_fini(&issue_row_rec, &all->v[i]);
	free(all->v);
	free(all->done);
}

static char *quoted(const char *text)
{
	AUTO_STR struct str out = {0};
	json_quote(&out, text);
	return str_take(&out);
}

/* Feedback that is not there yet, after what is; NULL = all is. The caller owns it. */
static char *feedback(const char *line, const struct issue_row *row)
{
	AUTO_FREE char *old = splice_get(line, "feedback");
	struct splice_parts parts = {0};
	AUTO_STRV struct strv known = {0};
	bool any = false;

	bool cut = old && splice_cut(&parts, old, strlen(old)) && parts.list;
	for (size_t i = 0; cut && i < parts.n; i++) {
		AUTO_FREE char *one = mem_strndup(old + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_STR struct str plain = {0};
		splice_compact(one, &plain);
		strv_add(&known, str_text(&plain));
	}
	splice_fini(&parts);
	char *now = mem_strdup(cut ? old : "[]");
	for (size_t i = 0; i < row->feedback.n; i++) {
		AUTO_STR struct str plain = {0}, more = {0};
		splice_compact(row->feedback.v[i], &plain);
		if (strv_has(&known, str_text(&plain)))
			continue;
		splice_element(now, SIZE_MAX, str_text(&plain), &more);
		strv_add(&known, str_text(&plain));
		free(now);
		now = str_take(&more);
		any = true;
	}
	if (any)
		return now;
	free(now);
	return NULL;
}

/* The line as it is to be; the caller owns it. */
static char *brought_up(const char *line, const struct issue_row *row)
{
	AUTO_FREE char *was = splice_get_text(line, "status"), *words = feedback(line, row);
	AUTO_FREE char *status = quoted(row->status), *updated = export_time(row->updated_ms);
	AUTO_FREE char *completed = export_time(row->completed_ms);
	struct splice_change c[4];
	AUTO_STR struct str out = {0};
	size_t n = 0;
	bool moved = row->status && !str_eq(was, row->status);

	if (moved)
		c[n++] = (struct splice_change){.key = "status", .value = status};
	if (words)
		c[n++] = (struct splice_change){.key = "feedback", .value = words};
	if (n && row->updated_ms)
		c[n++] = (struct splice_change){.key = "updated_at", .value = updated};
	if (moved && row->completed_ms)
		c[n++] = (struct splice_change){.key = "completed_at", .value = completed};
	splice_edit(line, c, n, &out);
	return str_take(&out);
}

/* ---- lines ---- */

/* A file of one pretty-printed list has each of its elements on a line from now on. */
static void lines_of(const struct str *text, struct strv *out)
{
	struct splice_parts parts;
	const char *p = str_text(text), *end = p + text->len;

	bool list = splice_cut(&parts, p, text->len) && parts.list &&
	            p[parts.close + 1 + strspn(p + parts.close + 1, " \t\r\n")] == '\0';
	for (size_t i = 0; list && i < parts.n; i++) {
		AUTO_FREE char *one = mem_strndup(p + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_STR struct str plain = {0};
		splice_compact(one, &plain);
		strv_give(out, str_take(&plain));
	}
	splice_fini(&parts);
	while (!list && p < end) {
		size_t n = strcspn(p, "\n");
		strv_give(out, mem_strndup(p, n));
		p += n + (p[n] == '\n');
	}
}

/* Which issue a line is of, SIZE_MAX = none of these, or it cannot be read. */
static size_t issue_of(const char *line, const struct issues *all)
{
	struct json_fault ignored;
	struct json_t *j = json_cut_text(line, strlen(line), &ignored);
	const char *id = j ? json_get_text(j, "id") : NULL;
	size_t found = SIZE_MAX;

	for (size_t i = 0; id && i < all->n && found == SIZE_MAX; i++)
		if (str_eq(all->v[i].id, id))
			found = i;
	json_free(j);
	return found;
}

static void join(const struct strv *lines, struct str *out)
{
	for (size_t i = 0; i < lines->n; i++)
		str_addf(out, "%s\n", lines->v[i]);
}

/* Has anything become of it since its queue was added? */
static bool has_changed(const struct issue_row *row)
{
	return row->status || row->feedback.n;
}

/* The lines of issues.jsonl as they are to be, and those for the history. */
static bool sort_lines(const struct strv *lines, struct issues *all, struct strv *stay, struct strv *go)
{
	bool changed = false;

	for (size_t i = 0; i < lines->n; i++) {
		size_t at = issue_of(lines->v[i], all);
		bool known = at != SIZE_MAX;
		if (!known || !has_changed(&all->v[at])) {
			strv_add(stay, lines->v[i]);
			if (known)
				all->done[at] = true;
			continue;
		}
		all->done[at] = true;
		AUTO_FREE char *now = brought_up(lines->v[i], &all->v[at]);
		bool completed = str_eq(all->v[at].status, "completed");
		changed |= completed || !str_eq(now, lines->v[i]);
		strv_add(completed ? go : stay, now);
	}
	return changed;
}

/* Those that the folder does not have. */
static bool add_missing(const struct issues *all, struct strv *stay, struct strv *go)
{
	bool added = false;

	for (size_t i = 0; i < all->n; i++) {
		const struct issue_row *row = &all->v[i];
		if (all->done[i] || !row->raw)
			continue;
		AUTO_STR struct str plain = {0};
		splice_compact(row->raw, &plain);
		AUTO_FREE char *now = brought_up(str_text(&plain), row), *status = splice_get_text(now, "status");
		strv_add(str_eq(status, "completed") ? go : stay, now);
		added = true;
	}
	return added;
}

static void add_to_history(const struct strv *old, const struct issues *all, const struct strv *go, struct strv *out)
{
	AUTO_FREE bool *there = mem_array(all->n + 1, sizeof *there);

	for (size_t i = 0; i < old->n; i++) {
		size_t at = issue_of(old->v[i], all);
		if (at != SIZE_MAX)
			there[at] = true;
		strv_add(out, old->v[i]);
	}
	for (size_t i = 0; i < go->n; i++) {
		size_t at = issue_of(go->v[i], all);
		if (at == SIZE_MAX || !there[at])
			strv_add(out, go->v[i]);
	}
}

static int write_issues(const char *folder, struct issues *all, struct strv *said, struct err *e)
{
	struct export_file now = {0}, old = {0};
	AUTO_STRV struct strv lines = {0}, past = {0}, stay = {0}, go = {0}, history = {0};
	AUTO_STR struct str text = {0}, old_text = {0};

	int rc = export_read(&now, folder, "issues.jsonl", e);
	if (rc == 0)
		rc = export_read(&old, folder, "issue-history.jsonl", e);
	if (rc == 0) {
		lines_of(&now.text, &lines);
		lines_of(&old.text, &past);
		bool changed = sort_lines(&lines, all, &stay, &go);
		for (size_t i = 0; i < past.n; i++) { /* what is over stays there */
			size_t at = issue_of(past.v[i], all);
			if (at != SIZE_MAX)
				all->done[at] = true;
		}
		changed |= add_missing(all, &stay, &go);
		add_to_history(&past, all, &go, &history);
		join(&stay, &text);
		join(&history, &old_text);
		/* First where they go to: cut off in between they are in both. */
		if (history.n != past.n)
			rc = export_write(&old, &old_text, said, e);
		if (rc == 0 && changed)
			rc = export_write(&now, &text, said, e);
	}
	export_file_fini(&now);
	export_file_fini(&old);
	return rc;
}

/* The same text whenever it is made: while the item has failed, and when it has been done again since. */
static void add_failure(struct issue_row *row, const struct queue *q, const struct item_def *def, const char *failure)
{
	AUTO_FREE char *made = change_feedback(q, def, failure, 0), *at = splice_get(failure, "timestamp");
	struct splice_change when = {.key = "created_at", .value = at};
	AUTO_STR struct str text = {0};

	splice_edit(made, &when, at ? 1 : 0, &text);
	strv_give(&row->feedback, str_take(&text));
}

/* Failures before, but for those that the file had already; true: there are some. */
static bool add_history(struct issue_row *row, const struct queue *q, const struct queue_item *item)
{
	AUTO_FREE char *old = splice_get(item->item_def.raw, "failure_history");
	struct splice_parts parts = {0};
	size_t first = old && splice_cut(&parts, old, strlen(old)) && parts.list ? parts.n : 0;

	splice_fini(&parts);
	for (size_t i = first; i < item->item.history.n; i++)
		add_failure(row, q, &item->item_def, item->item.history.v[i]);
	return item->item.history.n > first;
}

/* What a session made of its items is in their rows only. */
static int add_sessions(const struct site *site, const struct queue *q, struct issues *all, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; q->row.session && i < q->n && rc == 0; i++) {
		struct queue_item item;
		rc = queue_item_load(&item, site, q->id, i + 1, e);
		uint64_t at = item.item_def.issue_at;
		if (rc == 0 && item.task.session && at && at <= all->n) {
			struct issue_row *row = &all->v[at - 1];
			const char *status = change_issue_status(q, item.item_def.issue);
			bool again = add_history(row, q, &item);
			if (str_eq(queue_word(q->states[i]), "failed")) {
				AUTO_FREE char *failure = failure_of(&item);
				add_failure(row, q, &item.item_def, failure);
			} else if (again && !status) {
				status = "queued"; /* its line may say that it has failed */
			}
			if (status)
				mem_set(&row->status, status);
			row->updated_ms = item.task.ended_ms > row->updated_ms ? item.task.ended_ms : row->updated_ms;
			row->completed_ms = str_eq(status, "completed") ? row->updated_ms : row->completed_ms;
		}
		queue_item_fini(&item);
	}
	return rc;
}

int export_issues(const struct site *site, const struct queue *q, const char *folder, struct strv *said,
                  struct strv *warnings, struct err *e)
{
	struct issues all = {0};
	struct reading r = {q->id, &all};

	int rc = db_read(site->db, read_issues, &r, e);
	all.done = mem_array(all.n + 1, sizeof *all.done);
	if (rc == 0)
		rc = add_sessions(site, q, &all, e);
	if (rc == 0)
		rc = write_issues(folder, &all, said, e);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		if (!all.done[i] && !all.v[i].raw)
			strv_addf(warnings, "issue %s is in no file: what became of it is in the store only", all.v[i].id);
	issues_fini(&all);
	return rc;
}

/* ---- solutions ---- */

static bool has_solution(const struct strv *lines, const char *id)
{
	for (size_t i = 0; i < lines->n; i++) {
		AUTO_FREE char *found = splice_get_text(lines->v[i], "id");
		if (str_eq(found, id))
			return true;
	}
	return false;
}

static bool name_ok(const char *id)
{
	return id && *id && *id != '.' && !strchr(id, '/') && !strstr(id, "..");
}

static int put_solution(const struct queue_item *item, const char *folder, struct strv *said, struct strv *warnings,
                        struct err *e)
{
	const struct item_def *def = &item->item_def;
	AUTO_FREE char *own = splice_get(def->raw, "solution"), *name = mem_printf("solutions/%s.jsonl", def->issue);
	AUTO_STRV struct strv lines = {0};
	AUTO_STR struct str text = {0};
	struct export_file f;

	if (!def->solution_raw || !def->issue || !def->solution || (own && own[0] == '{'))
		return 0;
	if (!name_ok(def->issue)) {
		strv_addf(warnings, "issue %s cannot be the name of a file: its solution is not written", def->issue);
		return 0;
	}
	int rc = export_read(&f, folder, name, e);
	if (rc == 0) {
		lines_of(&f.text, &lines);
		if (!has_solution(&lines, def->solution)) {
			str_addn(&text, str_text(&f.text), f.text.len);
			if (text.len && text.p[text.len - 1] != '\n')
				str_addc(&text, '\n');
			splice_compact(def->solution_raw, &text);
			str_addc(&text, '\n');
			rc = export_write(&f, &text, said, e);
		}
	}
	export_file_fini(&f);
	return rc;
}

int export_solutions(struct export_sum *sum, const struct site *site, const struct queue *q, const char *folder,
                     struct strv *said, struct strv *warnings, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/solutions", folder);
	int rc = mkdir(path, 0777) != 0 && errno != EEXIST ? err_sys(e, "cannot make the folder %s", path) : 0;

	for (size_t i = 0; rc == 0 && i < q->n; i++) {
		struct queue_item item;
		rc = queue_item_load(&item, site, q->id, i + 1, e);
		if (rc == 0) {
			export_sum_add(sum, &item);
			rc = put_solution(&item, folder, said, warnings, e);
		}
		queue_item_fini(&item);
	}
	return rc;
}
