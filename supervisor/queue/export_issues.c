/* export_issues: issues.jsonl and issue-history.jsonl, line by line: lines of this queue's issues are brought up to
 * date, all others stay as they are, also those that cannot be read. */
#include <search.h>
#include <string.h>

#include "change.h"
#include "export.h"
#include "export_change.h"
#include "failure.h"
#include "store/base/mem.h"

struct issues {
	struct issue_row *v;
	size_t n;
	bool *done;  /* its line was found */
	void *by_id; /* of all that have one */
};

/* ---- lines of issues ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *node)
{
	(void)node;
}

/* Feedback that is not there yet, after what is; NULL = all is. The caller owns it. */
static char *feedback(const char *line, const struct issue_row *row)
{
	AUTO_FREE char *old = splice_get(line, "feedback"), *list = splice_list(old);
	struct splice_parts parts;
	AUTO_STRV struct strv known = {0};
	AUTO_STR struct str out = {0};
	void *there = NULL;
	size_t n = 0;

	splice_cut(&parts, list, strlen(list));
	AUTO_FREE char **values = mem_array(parts.n + row->feedback.n + 1, sizeof *values);
	for (size_t i = 0; i < parts.n + row->feedback.n; i++) {
		bool mine = i >= parts.n;
		AUTO_FREE char *one = mine ? mem_strdup(row->feedback.v[i - parts.n])
		                           : mem_strndup(list + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_STR struct str plain = {0};
		splice_compact(one, &plain);
		char *text = str_take(&plain);
		strv_give(&known, text);
		char **slot = tsearch(text, &there, by_text);
		if (!slot)
			mem_none();
		if (mine && *slot == text)
			values[parts.n + n++] = text;
	}
	tdestroy(there, keep);
	if (n)
		splice_elements(list, values, parts.n + n, &out);
	splice_fini(&parts);
	return n ? str_take(&out) : NULL;
}

/* The line as it is to be; the caller owns it. */
static char *brought_up(const char *line, const struct issue_row *row)
{
	AUTO_FREE char *was = splice_get_text(line, "status"), *words = feedback(line, row);
	AUTO_FREE char *status = export_change_quote(row->status), *updated = export_time(row->updated_ms);
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

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct issue_row *)a)->id, ((const struct issue_row *)b)->id);
}

/* Which issue a line is of, SIZE_MAX = none of these, or it cannot be read. */
static size_t issue_of(const char *line, const struct issues *all)
{
	struct issue_row wanted = {.id = export_line_id(line)};
	struct issue_row **found = wanted.id ? tfind(&wanted, &all->by_id, by_id) : NULL;

	free(wanted.id);
	return found ? (size_t)(*found - all->v) : SIZE_MAX;
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

/* Of an issue that was completed before there is an older line, which stays; the same line is there when an export was
 * cut off. */
static void add_to_history(const struct strv *old, const struct strv *go, struct strv *out)
{
	void *there = NULL;

	for (size_t i = 0; i < old->n; i++)
		if (!tsearch(old->v[i], &there, by_text))
			mem_none();
	strv_copy(out, old);
	for (size_t i = 0; i < go->n; i++)
		if (!tfind(go->v[i], &there, by_text))
			strv_add(out, go->v[i]);
	tdestroy(there, keep);
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
		export_lines(&now.text, &lines);
		export_lines(&old.text, &past);
		bool changed = sort_lines(&lines, all, &stay, &go);
		for (size_t i = 0; i < past.n; i++) { /* what is over stays there */
			size_t at = issue_of(past.v[i], all);
			if (at != SIZE_MAX)
				all->done[at] = true;
		}
		changed |= add_missing(all, &stay, &go);
		add_to_history(&past, &go, &history);
		export_lines_join(&stay, &now.text, &text);
		export_lines_join(&history, &old.text, &old_text);
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

/* What a session made of the items of an issue. */
struct standing {
	bool any;                   /* a session had one of them */
	bool unfinished, failed, bad; /* of all of them */
	bool again;                 /* one that had failed is done again */
};

static const char *status_of(const struct standing *s)
{
	if (s->unfinished)
		return s->again ? "queued" : NULL; /* its line may say that it has failed */
	return s->failed ? "failed" : s->bad ? NULL : "completed";
}

static void add_item(struct standing *s, struct issue_row *row, const struct queue *q, enum task_state state,
                     const struct queue_item *item)
{
	bool failed = str_eq(queue_word(state), "failed");

	s->unfinished |= !queue_finished(state);
	s->bad |= !task_state_good(state);
	s->failed |= failed;
	if (!item->task.session)
		return;
	s->any = true;
	s->again |= add_history(row, q, item) && !failed;
	if (failed) {
		AUTO_FREE char *failure = failure_of(item);
		add_failure(row, q, &item->item_def, failure);
	}
	row->updated_ms = item->task.ended_ms > row->updated_ms ? item->task.ended_ms : row->updated_ms;
}

/* That is in their rows only. */
int export_sessions(struct export_view *v, struct err *e)
{
	AUTO_FREE struct standing *standing = mem_array(v->n_issues + 1, sizeof *standing);
	int rc = 0;

	for (size_t i = 0; v->queue.row.session && i < v->queue.n && rc == 0; i++) {
		struct queue_item item;
		rc = export_view_item(&item, v, i, e);
		uint64_t at = item.item_def.issue_at;
		if (rc == 0 && at && at <= v->n_issues)
			add_item(&standing[at - 1], &v->issues[at - 1], &v->queue, v->queue.states[i], &item);
		queue_item_fini(&item);
	}
	for (size_t i = 0; i < v->n_issues && rc == 0; i++) {
		const char *status = standing[i].any ? status_of(&standing[i]) : NULL;
		if (status)
			mem_set(&v->issues[i].status, status);
		if (str_eq(status, "completed"))
			v->issues[i].completed_ms = v->issues[i].updated_ms;
	}
	return rc;
}

int export_issues(const struct export_view *v, const char *folder, struct strv *said, struct strv *warnings,
                  struct err *e)
{
	struct issues all = {v->issues, v->n_issues, mem_array(v->n_issues + 1, sizeof *all.done), NULL};

	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].id && !tsearch(&all.v[i], &all.by_id, by_id))
			mem_none();
	int rc = write_issues(folder, &all, said, e);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		if (!all.done[i] && !all.v[i].raw)
			strv_addf(warnings, "issue %s is in no file: what became of it is in the store only", all.v[i].id);
	tdestroy(all.by_id, keep);
	free(all.done);
	return rc;
}
