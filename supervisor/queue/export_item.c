/* export_item: one item as its file has it, with what has become of it. */
#include "export.h"

#include <string.h>

#include "failure.h"
#include "splice.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/json.h"

enum { CHANGES_MAX = 24, FILES_MAX = 1000 };

char *export_time(uint64_t ms)
{
	AUTO_STR struct str out = {0};

	str_addc(&out, '"');
	clock_add_iso(&out, ms);
	str_addc(&out, '"');
	return str_take(&out);
}

bool export_touched(const struct queue_item *item)
{
	return item->item.changed || item->task.session;
}

void export_sum_add(struct export_sum *sum, const struct queue_item *item)
{
	uint64_t at[] = {item->item.started_ms, item->item.completed_ms, item->task.started_ms, item->task.ended_ms};

	if (!export_touched(item))
		return;
	sum->touched = true;
	for (size_t i = 0; i < MEM_COUNT(at); i++)
		sum->latest_ms = at[i] > sum->latest_ms ? at[i] : sum->latest_ms;
}

uint64_t export_updated(const struct queue *q, const struct export_sum *sum)
{
	return q->row.updated_ms > sum->latest_ms ? q->row.updated_ms : sum->latest_ms;
}

/* ---- what a session made of it ---- */

/* "feat(ui): text" in its parts; NULL where there is none. */
static void add_subject(struct json_t *commit, const char *subject)
{
	size_t n = strcspn(subject, "(:");
	const char *colon = strstr(subject, ": ");
	bool typed = colon && n && subject[n] && (size_t)(colon - subject) >= n &&
	             strspn(subject, "abcdefghijklmnopqrstuvwxyz") == n;

	if (typed) {
		AUTO_FREE char *type = mem_strndup(subject, n);
		json_put_text(commit, "type", type);
		if (subject[n] == '(' && colon[-1] == ')') {
			AUTO_FREE char *scope = mem_strndup(subject + n + 1, (size_t)(colon - 1 - (subject + n + 1)));
			json_put_text(commit, "scope", scope);
		}
	}
	json_put_text(commit, "message", subject);
}

static void add_files(struct json_t *j, const struct site *site, const char *commit)
{
	struct oid at, parent, to, from = {{0}};
	AUTO_STRV struct strv files = {0};
	struct err ignored = {0};
	size_t n = 0;

	if (oid_parse(&at, commit) && gitx_tree_of(site->git, &at, &to, &ignored) == 0 &&
	    gitx_parents(site->git, &at, &parent, 1, &n, &ignored) == 0 &&
	    (!n || gitx_tree_of(site->git, &parent, &from, &ignored) == 0))
		gitx_diff_paths(site->git, &from, &to, FILES_MAX, &files, &ignored);
	json_put_list(j, "files_modified", &files);
}

static void add_steps(struct json_t *j, const struct task_def *def, bool seed)
{
	struct json_t *list = json_list();

	for (size_t i = 0; i < def->step_ids.n; i++) {
		struct json_t *one = json_map();
		const char *title = i < def->step_titles.n ? def->step_titles.v[i] : "";
		json_put_text(one, "id", def->step_ids.v[i]);
		json_put_text(one, "title", title);
		json_add(list, one);
	}
	if (seed) {
		json_put_u64(j, "tasks_completed", def->step_ids.n);
		json_free(list);
	} else {
		json_put(j, "tasks_completed", list);
	}
}

/* Were all commands that were run green? False also when there was none: then nobody knows. */
static bool tested(const struct task_row *task)
{
	size_t passed = 0;

	for (size_t i = 0; i < task->gates.n; i++) {
		const char *verdict = strrchr(task->gates.v[i], '=');
		if (str_eq(verdict, "=pass"))
			passed++;
		else if (!str_eq(verdict, "=skipped"))
			return false;
	}
	return passed;
}

/* What git and the gates say; then whatever else its agent has said. The caller owns it. */
static char *session_result(const struct site *site, const struct queue_item *item, bool seed)
{
	static const char *const facts[] = {"solution_id",    "issue_id",        "summary",     "commit",
	                                    "files_modified", "tasks_completed", "tests_passed"};
	struct json_t *j = json_map(), *commit = json_map();
	const char *subject = item->def.subject ? item->def.subject : item->def.title;
	const char *told = item->task.told;
	AUTO_FREE char *summary = told ? splice_get_text(told, "summary") : NULL;
	AUTO_STR struct str text = {0};
	struct splice_parts parts = {0};

	json_put_text(j, "solution_id", item->item_def.solution);
	json_put_text(j, "issue_id", item->item_def.issue);
	json_put_text(j, "summary", summary ? summary : subject);
	json_put_text(commit, "hash", item->task.commit);
	add_subject(commit, subject ? subject : "");
	json_put(j, "commit", commit);
	add_files(j, site, item->task.commit ? item->task.commit : "");
	add_steps(j, &item->def, seed);
	if (tested(&item->task))
		json_put_flag(j, "tests_passed", true);
	json_write(j, false, &text);
	json_free(j);
	bool cut = told && splice_cut(&parts, told, strlen(told)) && !parts.list;
	text.p[--text.len] = '\0'; /* its brace */
	for (size_t i = 0; cut && i < parts.n; i++) {
		const struct splice_part *p = &parts.v[i];
		bool known = false;
		for (size_t k = 0; k < MEM_COUNT(facts); k++)
			known |= splice_find(&parts, told, facts[k]) == p;
		if (!known)
			str_addf(&text, ",%.*s:%.*s", (int)(p->key_end - p->key), told + p->key, (int)(p->value_end - p->value),
			         told + p->value);
	}
	splice_fini(&parts);
	str_addc(&text, '}');
	return str_take(&text);
}

/* ---- what changes of its text ---- */

struct changes {
	struct splice_change v[CHANGES_MAX];
	size_t n;
	struct strv texts; /* owns the values */
};

/* value NULL: the member goes; it is given away. */
static void set(struct changes *c, const char *key, char *value)
{
	c->v[c->n++] = (struct splice_change){.key = key, .value = value};
	if (value)
		strv_give(&c->texts, value);
}

static char *quoted(const char *text)
{
	AUTO_STR struct str out = {0};
	json_quote(&out, text);
	return str_take(&out);
}

/* What the file has of it stays; what has been added since comes after that. */
static char *history(const struct queue_item *item)
{
	AUTO_FREE char *old = splice_get(item->item_def.raw, "failure_history");
	struct splice_parts parts = {0};
	size_t known = old && splice_cut(&parts, old, strlen(old)) && parts.list ? parts.n : 0;
	char *now = mem_strdup(known ? old : "[]");

	splice_fini(&parts);
	for (size_t i = known; i < item->item.history.n; i++) {
		AUTO_STR struct str more = {0};
		splice_element(now, SIZE_MAX, item->item.history.v[i], &more);
		free(now);
		now = str_take(&more);
	}
	if (item->item.history.n > known)
		return now;
	free(now);
	return NULL;
}

static void set_time(struct changes *c, const char *key, uint64_t ms)
{
	if (ms)
		set(c, key, export_time(ms));
}

static void set_failure(struct changes *c, const struct queue_item *item)
{
	char *details = failure_of(item);
	char *message = splice_get_text(details, "message");

	set(c, "failure_details", details);
	set(c, "failure_reason", quoted(message ? message : ""));
	free(message);
}

static void changed(struct changes *c, const struct site *site, const struct queue_item *item, bool seed)
{
	const char *word = queue_word(queue_state(&item->task));
	const struct item_row *row = &item->item;
	bool session = item->task.session != NULL;
	uint64_t started = row->started_ms ? row->started_ms : item->task.started_ms;
	uint64_t ended = session && item->task.ended_ms ? item->task.ended_ms : row->completed_ms;

	/* The dialect has no word for it: to its readers it is pending, behind one that failed. */
	bool waits = str_eq(word, "pending") || str_eq(word, "skipped");
	set(c, "status", quoted(waits ? "pending" : word));
	if (waits || str_eq(word, "executing")) {
		if (waits)
			set(c, "started_at", NULL);
		else
			set_time(c, "started_at", started);
		set(c, "completed_at", NULL);
		set(c, "result", NULL);
		set(c, "failure_details", NULL);
		set(c, "failure_reason", NULL);
	} else {
		set_time(c, "started_at", started);
		set_time(c, "completed_at", ended);
		set(c, "result", row->result  ? mem_strdup(row->result)
		                 : session && str_eq(word, "completed") ? session_result(site, item, seed)
		                                                        : NULL);
		if (str_eq(word, "failed")) {
			set_failure(c, item);
		} else {
			set(c, "failure_details", NULL);
			set(c, "failure_reason", NULL);
		}
	}
	char *failures = history(item);
	if (failures) {
		AUTO_FREE char *old = splice_get(item->item_def.raw, "failure_history");
		set(c, "failure_history", failures);
		c->v[c->n - 1].laid_out = old && old[strspn(old, "[ \t\r\n")] != ']';
	}
}

/* ---- other dialects ---- */

static bool has(const char *raw, const char *key)
{
	AUTO_FREE char *value = splice_get(raw, key);
	return value != NULL;
}

/* Does its list name anything but items? */
static bool names_others(const char *list, const struct strv *needs)
{
	struct splice_parts parts;
	bool other = false;

	bool cut = splice_cut(&parts, list, strlen(list)) && parts.list;
	for (size_t i = 0; cut && i < parts.n; i++) {
		AUTO_FREE char *one = mem_strndup(list + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_FREE char *map = mem_printf("{\"id\":%s}", one), *name = splice_get_text(map, "id");
		other |= !name || !strv_has(needs, name);
	}
	splice_fini(&parts);
	return !cut || other;
}

/* Keys as the newest dialect calls them. */
static void renamed(struct changes *c, const struct queue_item *item, const struct strv *needs)
{
	const char *raw = item->item_def.raw;
	AUTO_FREE char *list = splice_get(raw, has(raw, "depends_on") ? "depends_on" : "dependencies");
	bool old = !has(raw, "depends_on") && list;
	struct splice_change depends = {.key = old ? "dependencies" : "depends_on", .name = old ? "depends_on" : NULL};

	if (!has(raw, "item_id"))
		c->v[c->n++] = (struct splice_change){.key = has(raw, "id") ? "id" : "queue_id", .name = "item_id"};
	if (list && names_others(list, needs)) {
		struct json_t *ids = json_list();
		AUTO_STR struct str text = {0};
		for (size_t i = 0; i < needs->n; i++)
			json_add_text(ids, needs->v[i]);
		json_write(ids, false, &text);
		json_free(ids);
		char *value = str_take(&text);
		strv_give(&c->texts, value);
		depends.value = value;
	}
	if (depends.name || depends.value)
		c->v[c->n++] = depends;
}

void export_item(struct str *out, const struct site *site, const struct queue_item *item, const struct strv *needs,
                 const struct export_as *as)
{
	struct changes c = {0};

	renamed(&c, item, needs);
	if (export_touched(item))
		changed(&c, site, item, as->seed);
	if (c.n)
		splice_edit(item->item_def.raw, c.v, c.n, out);
	else
		str_add(out, item->item_def.raw);
	strv_fini(&c.texts);
}
