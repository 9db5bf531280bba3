/* export_item: one item as its file has it, with what has become of it. */
#include "export.h"

#include <string.h>

#include "export_change.h"
#include "failure.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/json.h"

enum { FILES_MAX = 1000 };

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

/* ---- what a session made of it ---- */

/* "feat(ui): text" in its parts, as far as it has them. */
static void add_subject(struct json_t *commit, const char *subject)
{
	size_t n = strcspn(subject, "(:");
	const char *colon = strstr(subject, ": ");
	bool typed = colon && n && subject[n] && (size_t)(colon - subject) >= n &&
	             strspn(subject, "abcdefghijklmnopqrstuvwxyz") == n;

	if (typed) {
		const char *close = colon - (colon[-1] == '!') - 1;
		bool scoped = subject[n] == '(' && close > subject + n && *close == ')';
		AUTO_FREE char *type = mem_strndup(subject, n);
		AUTO_FREE char *scope = scoped ? mem_strndup(subject + n + 1, (size_t)(close - (subject + n + 1))) : NULL;
		json_put_text(commit, "type", type);
		json_put_text(commit, "scope", scope ? scope : "");
	}
	json_put_text(commit, "message", subject);
}

/* What git says; else what it was to be. The caller owns it. */
static char *subject_of(const struct site *site, const struct queue_item *item)
{
	const struct task_def *d = &item->def;
	AUTO_STR struct str text = {0};
	struct err ignored = {0};
	struct oid at;

	if (item->task.commit && oid_parse(&at, item->task.commit))
		gitx_message(site->git, &at, &text, &ignored);
	size_t n = strcspn(str_text(&text), "\r\n");
	return n ? mem_strndup(text.p, n) : mem_strdup(d->subject ? d->subject : d->title ? d->title : d->id);
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

/* The step of this id as its solution has it, the caller's; one whose own id was not taken is T and its number. *at: where
 * the next one is likely to be. */
static char *step_text(const char *tasks, const struct splice_parts *parts, const char *id, size_t *at)
{
	for (size_t i = 0; i < parts->n; i++) {
		const struct splice_part *p = &parts->v[(*at + i) % parts->n];
		AUTO_FREE char *text = mem_strndup(tasks + p->value, p->value_end - p->value);
		AUTO_FREE char *own = splice_get_text(text, "id");
		if (!str_eq(own, id))
			continue;
		*at = (*at + i + 1) % parts->n;
		return mem_steal(&text);
	}
	size_t number = id[0] == 'T' ? strtoul(id + 1, NULL, 10) : 0;
	if (!number || number > parts->n)
		return NULL;
	const struct splice_part *p = &parts->v[number - 1];
	return mem_strndup(tasks + p->value, p->value_end - p->value);
}

static void add_step(struct json_t *list, const char *id, const char *title, const char *text)
{
	AUTO_FREE char *own = text ? splice_get_text(text, "title") : NULL;
	AUTO_FREE char *action = text ? splice_get_text(text, "action") : NULL;
	AUTO_FREE char *scope = text ? splice_get_text(text, "scope") : NULL;
	struct json_t *one = json_map();

	json_put_text(one, "id", id);
	json_put_text(one, "title", own ? own : title);
	json_put_text(one, "action", action ? action : "");
	json_put_text(one, "scope", scope ? scope : "");
	json_add(list, one);
}

static void add_steps(struct json_t *j, const struct queue_item *item, bool seed)
{
	const struct task_def *def = &item->def;
	const char *solution = item->item_def.solution_raw;
	AUTO_FREE char *tasks = solution ? splice_get(solution, "tasks") : NULL;
	struct splice_parts parts = {0};
	struct json_t *list = json_list();
	size_t at = 0;

	if (tasks && !seed)
		splice_cut(&parts, tasks, strlen(tasks));
	for (size_t i = 0; i < def->step_ids.n && !seed; i++) {
		AUTO_FREE char *text = parts.list ? step_text(tasks, &parts, def->step_ids.v[i], &at) : NULL;
		add_step(list, def->step_ids.v[i], i < def->step_titles.n ? def->step_titles.v[i] : "", text);
	}
	splice_fini(&parts);
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
	AUTO_FREE char *subject = subject_of(site, item);
	const char *told = item->task.told;
	AUTO_FREE char *summary = told ? splice_get_text(told, "summary") : NULL;
	AUTO_STR struct str text = {0};
	struct splice_parts parts = {0};

	json_put_text(j, "solution_id", item->item_def.solution);
	json_put_text(j, "issue_id", item->item_def.issue);
	json_put_text(j, "summary", summary ? summary : subject);
	json_put_text(commit, "hash", item->task.commit);
	add_subject(commit, subject);
	json_put(j, "commit", commit);
	add_files(j, site, item->task.commit ? item->task.commit : "");
	add_steps(j, item, seed);
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

/* What the file has of it stays; what has been added since comes after that. */
static char *history(const struct queue_item *item)
{
	AUTO_FREE char *old = splice_get(item->item_def.raw, "failure_history"), *list = splice_list(old);
	const struct strv *now = &item->item.history;
	struct splice_parts parts;
	AUTO_STR struct str out = {0};

	splice_cut(&parts, list, strlen(list));
	size_t known = old && old[0] == '[' ? parts.n : 0, n = now->n > known ? now->n - known : 0;
	AUTO_FREE char **more = mem_array(parts.n + n + 1, sizeof *more); /* borrowed; NULL = as it is */
	for (size_t i = 0; i < n; i++)
		more[parts.n + i] = now->v[known + i];
	if (n)
		splice_elements(list, more, parts.n + n, &out);
	splice_fini(&parts);
	return n ? str_take(&out) : NULL;
}

static void set_time(struct export_change *c, const char *key, uint64_t ms)
{
	if (ms)
		export_change_set(c, key, export_time(ms));
}

/* In one sentence, as a text: whatever its message is. */
static void set_failure(struct export_change *c, const struct queue_item *item)
{
	static const char *const keys[] = {"message", "reason", "error_type"};
	char *details = failure_of(item);
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < MEM_COUNT(keys) && !(text && *text); i++) {
		free(text);
		AUTO_FREE char *value = splice_get(details, keys[i]);
		text = !value || str_eq(value, "null") ? NULL
		       : value[0] == '"'               ? splice_get_text(details, keys[i])
		                                       : mem_steal(&value);
	}
	export_change_set(c, "failure_details", details);
	export_change_set(c, "failure_reason", export_change_quote(text ? text : ""));
}

static void changed(struct export_change *c, const struct site *site, const struct queue_item *item, bool seed)
{
	const char *word = queue_word(queue_state(&item->task));
	const struct item_row *row = &item->item;
	bool session = item->task.session != NULL;
	uint64_t started = row->started_ms ? row->started_ms : item->task.started_ms;
	uint64_t ended = session && item->task.ended_ms ? item->task.ended_ms : row->completed_ms;

	/* The dialect has no word for it: to its readers it is pending, behind one that failed. */
	bool waits = str_eq(word, "pending") || str_eq(word, "skipped");
	export_change_set(c, "status", export_change_quote(waits ? "pending" : word));
	if (waits || str_eq(word, "executing")) {
		if (waits)
			export_change_set(c, "started_at", NULL);
		else
			set_time(c, "started_at", started);
		export_change_set(c, "completed_at", NULL);
		export_change_set(c, "result", NULL);
		export_change_set(c, "failure_details", NULL);
		export_change_set(c, "failure_reason", NULL);
	} else {
		set_time(c, "started_at", started);
		set_time(c, "completed_at", ended);
		export_change_set(c, "result", row->result  ? mem_strdup(row->result)
		                 : session && str_eq(word, "completed") ? session_result(site, item, seed)
		                                                        : NULL);
		if (str_eq(word, "failed")) {
			set_failure(c, item);
		} else {
			export_change_set(c, "failure_details", NULL);
			export_change_set(c, "failure_reason", NULL);
		}
	}
	char *failures = history(item);
	if (failures) {
		AUTO_FREE char *old = splice_get(item->item_def.raw, "failure_history");
		if (old && old[strspn(old, "[ \t\r\n")] != ']')
			export_change_edited(c, "failure_history", failures);
		else
			export_change_set(c, "failure_history", failures);
	}
}

/* ---- other dialects ---- */

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
static void renamed(struct export_change *c, const struct queue_item *item, const struct strv *needs)
{
	const char *raw = item->item_def.raw;
	AUTO_FREE char *list = splice_get(raw, export_change_has(raw, "depends_on") ? "depends_on" : "dependencies");
	bool old = !export_change_has(raw, "depends_on") && list;
	char *value = NULL;

	if (!export_change_has(raw, "item_id"))
		export_change_name(c, export_change_has(raw, "id") ? "id" : "queue_id", "item_id", NULL);
	if (list && names_others(list, needs)) {
		struct json_t *ids = json_list();
		AUTO_STR struct str text = {0};
		for (size_t i = 0; i < needs->n; i++)
			json_add_text(ids, needs->v[i]);
		json_write(ids, false, &text);
		json_free(ids);
		value = str_take(&text);
	}
	if (old || value)
		export_change_name(c, old ? "dependencies" : "depends_on", old ? "depends_on" : NULL, value);
}

void export_item(struct str *out, const struct site *site, const struct queue_item *item, const struct strv *needs,
                 const struct export_as *as)
{
	struct export_change c = {0};

	renamed(&c, item, needs);
	if (export_touched(item))
		changed(&c, site, item, as->seed);
	export_change_make(&c, item->item_def.raw, out);
}
