/* queue_item: one item of a queue's file, in whatever dialect: what it says, where it stands, and its solution. */
#include "queue_private.h"

#include <string.h>

#include "queue_paths.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

/* ---- keys ---- */

/* The first of these keys, up to NULL, that is there and not null. */
static const struct json_t *first_of(const struct json_t *item, const char *const *keys, const char **key)
{
	for (; *keys; keys++) {
		const struct json_t *v = json_get(item, *keys);
		*key = *keys;
		if (v)
			return v;
	}
	return NULL;
}

/* NULL, or what is wrong with the id of an issue or a solution: any short text on one line is one. */
const char *queue_item_name_fault(const char *text)
{
	unsigned code;

	if (strlen(text) > QUEUE_MAX_NAME)
		return "must not be longer than 200 bytes";
	if (!text[strspn(text, " ")])
		return "must not be empty";
	for (const char *p = text; *p; p++)
		if (str_control_at(p, strlen(p), &code))
			return "must not hold control characters";
	return NULL;
}

static char *read_name(struct queue_reader *r, size_t line, const char *id, const struct json_t *item, const char *key)
{
	const struct json_t *v = json_get(item, key);
	const char *text = json_text(v), *wrong = text ? queue_item_name_fault(text) : "must be a text";

	if (!v || (text && !*text))
		return NULL;
	if (wrong)
		queue_fault(r, line, id, key, "%s", wrong);
	return mem_strdup(text);
}

/* A text or a number as it is written; NULL of anything else. */
static char *as_written(const struct json_t *v)
{
	AUTO_STR struct str text = {0};

	if (!v || json_is_list(v) || json_is_map(v))
		return NULL;
	json_write(v, false, &text);
	return str_take(&text);
}

uint64_t queue_item_time(const struct json_t *item, const char *key)
{
	const char *text = json_get_text(item, key);
	uint64_t ms = 0;

	return text && clock_parse_iso(text, &ms) ? ms : 0;
}

/* ---- what it needs and touches ---- */

/* Names as they are written: what they stand for is looked up once all items are known. */
static void read_needs(struct queue_reader *r, size_t line, struct task_def *d, const struct json_t *item)
{
	static const char *const keys[] = {"depends_on", "dependencies", NULL};
	const char *key;
	const struct json_t *list = first_of(item, keys, &key);

	if (json_text(list) && *json_text(list)) {
		strv_add(&d->needs, json_text(list));
		return;
	}
	if (list && !json_is_list(list) && !json_text(list))
		queue_fault(r, line, d->id, key, "must be a list of ids");
	if (json_count(list) > PLAN_MAX_NEEDS) {
		queue_fault(r, line, d->id, key, "has more than %d entries", PLAN_MAX_NEEDS);
		return;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		const char *text = json_text(json_nth(list, i));
		if (!text)
			queue_fault(r, line, d->id, key, "entry %zu must be a text: the id of an item, a group or a solution", i + 1);
		else
			strv_add(&d->needs, text);
	}
}

static void read_files(struct queue_reader *r, size_t line, struct task_def *d, const struct json_t *item)
{
	static const char *const keys[] = {"files_touched", "files", NULL};
	const char *key;
	const struct json_t *list = first_of(item, keys, &key);
	struct queue_paths paths = {0};

	if (json_text(list))
		queue_paths_read(&paths, r->l->ctx, json_text(list));
	else if (list && !json_is_list(list))
		queue_fault(r, line, d->id, key, "must be a list of paths");
	if (json_count(list) > PLAN_MAX_LIST) {
		queue_fault(r, line, d->id, key, "has more than %d entries: name folders", PLAN_MAX_LIST);
		return;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		const char *text = json_text(json_nth(list, i));
		if (text)
			queue_paths_read(&paths, r->l->ctx, text);
		else
			queue_warn(r, line, d->id, "%s: entry %zu is no text: left out", key, i + 1);
	}
	queue_paths_take(&paths, &d->files);
	for (size_t i = 0; i < paths.wrong.n; i++)
		queue_warn(r, line, d->id, "%s: %s", key, paths.wrong.v[i]);
	queue_paths_fini(&paths);
	if (d->files.n > PLAN_MAX_LIST)
		queue_fault(r, line, d->id, key, "has more than %d paths: name folders", PLAN_MAX_LIST);
}

/* ---- where it stands ---- */

static const struct state {
	const char *word;
	enum task_state state;
} states[] = {
	{"pending", TASK_WAITING}, {"ready", TASK_WAITING}, {"queued", TASK_WAITING}, {"blocked", TASK_WAITING},
	{"executing", TASK_CLAIMED}, {"completed", TASK_ALREADY}, {"failed", TASK_FAILED},
	{"skipped", TASK_SKIPPED}, {"cancelled", TASK_SKIPPED},
};

static enum task_state read_state(struct queue_reader *r, size_t line, const char *id, const struct json_t *item)
{
	const struct json_t *v = json_get(item, "status");
	const char *word = json_text(v);
	AUTO_STR struct str known = {0};

	if (!v)
		return TASK_WAITING;
	for (size_t i = 0; i < MEM_COUNT(states); i++) {
		if (str_eq(word, states[i].word))
			return states[i].state;
		str_addf(&known, "%s%s", i ? ", " : "", states[i].word);
	}
	queue_fault(r, line, id, "status", "\"%.40s\" is no status of an item; these are: %s", word ? word : "", known.p);
	return TASK_WAITING;
}

/* JSON of how it failed, in the words of formats.md; NULL = nothing is said. */
static char *read_failure(const struct json_t *item)
{
	const struct json_t *details = json_get(item, "failure_details"), *reason = json_get(item, "failure_reason");
	AUTO_STR struct str text = {0};

	if (json_is_map(details)) {
		json_write(details, false, &text);
	} else if (json_text(details) || json_text(reason)) {
		struct json_t *map = json_map();
		json_put_text(map, "error_type", "unknown");
		json_put_text(map, "message", json_text(details) ? json_text(details) : json_text(reason));
		json_write(map, false, &text);
		json_free(map);
	} else if (reason) {
		json_write(reason, false, &text);
	}
	return text.len ? str_take(&text) : NULL;
}

static char *read_reason(const struct json_t *item, enum task_state state)
{
	const struct json_t *details = json_get(item, "failure_details");
	const char *message = json_get_text(details, "message"), *type = json_get_text(details, "error_type");
	const char *task = json_get_text(details, "task_id"), *plain = json_get_text(item, "failure_reason");

	if (state == TASK_SKIPPED)
		return mem_printf("%s in its file", json_get_text(item, "status"));
	if (state != TASK_FAILED)
		return NULL;
	if (!json_is_map(details))
		return mem_strdup(plain ? plain : json_text(details) ? json_text(details) : "failed before it was added");
	return mem_printf("%s%s%s%s%s", task ? task : "", task ? ": " : "", type ? type : "", type && message ? ": " : "",
	                  message ? message : plain ? plain : "");
}

static void read_row(struct item_row *row, const struct json_t *item)
{
	const struct json_t *history = json_get(item, "failure_history"), *result = json_get(item, "result");
	AUTO_STR struct str text = {0};

	row->queued_ms = queue_item_time(item, "queued_at");
	row->started_ms = queue_item_time(item, "started_at");
	row->completed_ms = queue_item_time(item, "completed_at");
	row->failure = read_failure(item);
	if (result) {
		json_write(result, false, &text);
		row->result = str_take(&text);
	}
	for (size_t i = 0; i < json_count(history); i++) {
		json_write(json_nth(history, i), false, &text);
		strv_give(&row->history, str_take(&text));
	}
}

/* ---- the item ---- */

static char *read_id(struct queue_reader *r, size_t line, const struct json_t *item)
{
	static const char *const keys[] = {"item_id", "id", "queue_id", NULL};
	const char *key = keys[0];
	const struct json_t *v = first_of(item, keys, &key);
	const char *id = json_text(v), *wrong = id ? plan_id_fault(id) : NULL;

	if (!v)
		queue_fault(r, line, NULL, keys[0], "an item must have an id, such as S-1");
	else if (!id)
		queue_fault(r, line, NULL, key, "must be a text");
	else if (wrong)
		queue_fault(r, line, *id ? id : NULL, key, "%s", wrong);
	return mem_strdup(id ? id : "");
}

static void read_def(struct queue_reader *r, size_t line, struct item_def *i, const struct json_t *item, size_t at)
{
	static const char *const priorities[] = {"semantic_priority", "priority", NULL};
	static const char *const executors[] = {"executor", "assigned_executor", NULL};
	const struct json_t *order = json_get(item, "execution_order"), *hints = json_get(item, "execution_hints");
	const char *key;

	i->order = at + 1;
	if (order && !json_u64(order, &i->order))
		queue_fault(r, line, i->id, "execution_order", "must be a whole number from 0 on");
	i->group = read_name(r, line, i->id, item, "execution_group");
	i->priority = as_written(first_of(item, priorities, &key));
	if (!json_u64(json_get(item, "task_count"), &i->tasks) || !i->tasks)
		i->tasks = 1;
	i->executor = mem_strdup(json_get_text(hints, "executor"));
	if (!i->executor)
		i->executor = mem_strdup(json_text(first_of(item, executors, &key)));
}

/* A member as it is written: a number in it may be more than one can count. The caller owns it. */
static char *member_text(const char *raw, const char *wanted)
{
	struct json_cut c;
	struct json_fault f;
	char *out = NULL;

	json_cut_start(&c, raw, strlen(raw));
	for (int more = json_cut_open(&c, '{', &f) == 0; more == 1;) {
		struct json_span span;
		AUTO_FREE char *key = NULL;
		more = json_cut_member(&c, &key, &f);
		if (more == 1 && json_cut_skip(&c, &span, &f) != 0)
			more = 0;
		else if (more == 1 && str_eq(key, wanted) && !out)
			out = mem_strndup(span.p, span.n);
	}
	return out;
}

static void read_solution(struct queue_reader *r, size_t line, struct task_def *d, struct item_def *i,
                          const struct json_t *item)
{
	const struct json_t *own = json_get(item, "solution");
	const struct json_t *issue = i->issue ? queue_beside_issue(r, i->issue, &i->issue_at) : NULL;
	struct json_t *solution = NULL;
	struct plan_origin at = {.file = r->file, .line = line}; /* what is wrong with it is said of where it stands */

	if (json_is_map(own)) {
		i->solution_raw = member_text(i->raw, "solution");
	} else {
		own = solution = queue_beside_solution(r, i->issue, i->solution, &i->solution_raw, &at, &d->missing);
	}
	if (!i->solution && own) {
		i->solution = read_name(r, line, i->id, own, "id");
		d->solution = mem_strdup(i->solution);
	}
	queue_item_keepable(r, at.file, at.line, d->id, i->solution_raw);
	queue_task_fill(r->l, at.file, at.line, d, i, item, own, issue);
	plan_texts_drop(d);
	json_free(solution);
}

void queue_item_keepable(struct queue_reader *r, const char *file, size_t line, const char *item, const char *text)
{
	size_t lines;
	const char *name = text ? queue_secret_in(text, strlen(text), &lines) : NULL;

	if (!name)
		return;
	plan_faults_add(r->l->faults, file, line, 0, item, NULL, SECRET_FAULT, name);
	r->l->bad = true;
}

static void make_room(struct queue_reader *r)
{
	struct plan_loader *l = r->l;
	struct plan_queue *q = r->q;

	if (l->n < l->room)
		return;
	l->room = l->room ? l->room * 2 : 64;
	l->tasks = mem_grow(l->tasks, l->room, sizeof *l->tasks);
	l->origins = mem_grow(l->origins, l->room, sizeof *l->origins);
	q->defs = mem_grow(q->defs, l->room, sizeof *q->defs);
	q->items = mem_grow(q->items, l->room, sizeof *q->items);
	q->states = mem_grow(q->states, l->room, sizeof *q->states);
	q->reasons = mem_grow(q->reasons, l->room, sizeof *q->reasons);
}

/* With the blanks around it, between commas or brackets: the list is put together again from these. */
static char *own_text(const struct json_span *span)
{
	static const char blanks[] = " \t\r\n";
	const char *from = span->p;

	while (strchr(blanks, from[-1]))
		from--;
	return mem_strndup(from, (size_t)(span->p - from) + span->n + strspn(span->p + span->n, blanks));
}

void queue_item_read(struct queue_reader *r, const struct json_t *item, const struct json_span *span, size_t at)
{
	size_t line = span->line;

	if (!json_is_map(item)) {
		queue_fault(r, line, NULL, r->q->row.items_key, "an item must be a mapping, { ... }");
		return;
	}
	make_room(r);
	size_t n = r->l->n++;
	struct task_def *d = &r->l->tasks[n];
	struct item_def *i = &r->q->defs[n];
	*d = (struct task_def){.id = read_id(r, line, item)};
	*i = (struct item_def){.id = mem_strdup(d->id), .raw = own_text(span), .place = at + 1};
	r->q->items[n] = (struct item_row){0};
	r->l->origins[n] = (struct plan_origin){.file = r->file, .line = line};

	queue_item_keepable(r, r->file, line, d->id, i->raw);
	i->issue = read_name(r, line, d->id, item, "issue_id");
	i->solution = read_name(r, line, d->id, item, "solution_id");
	d->issue = mem_strdup(i->issue);
	d->solution = mem_strdup(i->solution);
	read_def(r, line, i, item, at);
	read_needs(r, line, d, item);
	read_files(r, line, d, item);
	r->q->states[n] = read_state(r, line, d->id, item);
	r->q->reasons[n] = read_reason(item, r->q->states[n]);
	read_row(&r->q->items[n], item);
	read_solution(r, line, d, i, item);
}
