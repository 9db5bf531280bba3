/* export_solutions: files of solutions/, one for each issue: those of the queue that they lack are added. */
#include <search.h>
#include <string.h>

#include "export.h"
#include "splice.h"
#include "store/base/mem.h"

struct of_issue {
	const char *issue;
	size_t item;
};

static int by_issue(const void *a, const void *b)
{
	const struct of_issue *x = a, *y = b;
	int way = strcmp(x->issue, y->issue);
	return way ? way : x->item < y->item ? -1 : x->item > y->item;
}

static bool name_ok(const char *id)
{
	return *id && *id != '.' && !strchr(id, '/') && !strstr(id, "..");
}

/* ---- ids that are there ---- */

struct ids {
	void *root;
	struct strv texts;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* False: it was there. */
static bool add_id(struct ids *ids, char *id)
{
	void *slot = id ? tsearch(id, &ids->root, by_text) : NULL;

	if (!id)
		return false;
	if (!slot)
		mem_none();
	bool first = *(char **)slot == id;
	strv_give(&ids->texts, id);
	return first;
}

static void keep(void *id)
{
	(void)id;
}

static void ids_fini(struct ids *ids)
{
	tdestroy(ids->root, keep);
	strv_fini(&ids->texts);
}

/* ---- one file ---- */

/* What items of one issue need to have there: id, text, id, text ... An item may have its solution in itself. */
static int needed(struct strv *out, const struct export_view *v, const struct of_issue *of, size_t n, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct queue_item item;
		rc = export_view_item(&item, v, of[i].item, e);
		const struct item_def *def = &item.item_def;
		AUTO_FREE char *own = rc == 0 ? splice_get(def->raw, "solution") : NULL;
		if (rc == 0 && def->solution_raw && def->solution && !(own && own[0] == '{')) {
			strv_add(out, def->solution);
			strv_add(out, def->solution_raw);
		}
		queue_item_fini(&item);
	}
	return rc;
}

static int add_needed(const struct strv *wanted, const char *folder, const char *name, struct strv *said, struct err *e)
{
	AUTO_STRV struct strv lines = {0};
	AUTO_STR struct str text = {0};
	struct ids ids = {0};
	struct export_file f;

	int rc = export_read(&f, folder, name, e);
	if (rc == 0) {
		export_lines(&f.text, &lines);
		for (size_t i = 0; i < lines.n; i++)
			add_id(&ids, export_line_id(lines.v[i]));
		str_addn(&text, str_text(&f.text), f.text.len);
	}
	for (size_t i = 0; i < wanted->n && rc == 0; i += 2) {
		if (!add_id(&ids, mem_strdup(wanted->v[i])))
			continue;
		if (text.len && text.p[text.len - 1] != '\n')
			str_addc(&text, '\n');
		splice_compact(wanted->v[i + 1], &text);
		str_addc(&text, '\n');
	}
	if (rc == 0 && text.len > f.text.len)
		rc = export_write(&f, &text, said, e);
	ids_fini(&ids);
	export_file_fini(&f);
	return rc;
}

static int put_issue(const struct export_view *v, const struct of_issue *of, size_t n, const char *folder,
                     struct strv *said, struct strv *warnings, struct err *e)
{
	AUTO_FREE char *name = mem_printf("solutions/%s.jsonl", of->issue);
	AUTO_STRV struct strv wanted = {0};

	if (needed(&wanted, v, of, n, e) != 0)
		return -1;
	if (wanted.n && name_ok(of->issue))
		return add_needed(&wanted, folder, name, said, e);
	if (wanted.n)
		strv_addf(warnings, "issue %s cannot be the name of a file: its solution is not written", of->issue);
	return 0;
}

int export_solutions(const struct export_view *v, const char *folder, struct strv *said, struct strv *warnings,
                     struct err *e)
{
	AUTO_FREE struct of_issue *all = mem_array(v->queue.n + 1, sizeof *all);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < v->queue.n; i++)
		if (v->queue.links[i].issue)
			all[n++] = (struct of_issue){v->queue.links[i].issue, i};
	qsort(all, n, sizeof *all, by_issue);
	for (size_t from = 0, to; from < n && rc == 0; from = to) {
		for (to = from + 1; to < n && str_eq(all[to].issue, all[from].issue); to++)
			;
		rc = put_issue(v, all + from, to - from, folder, said, warnings, e);
	}
	return rc;
}
