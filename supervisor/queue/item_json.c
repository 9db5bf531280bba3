/* item_json: a solution is handed on as it was read, value for value. */
#include "item_json.h"

#include <string.h>

#include "splice.h"
#include "store/base/mem.h"
#include "store/json.h"

#define DEFAULT_EXECUTOR "codex" /* what the contract names where nobody has said */

static void add_key(struct str *out, const char *key)
{
	str_addf(out, "%s\"%s\":", out->len && out->p[out->len - 1] != '{' ? "," : "", key);
}

static void add_text(struct str *out, const char *key, const char *text)
{
	add_key(out, key);
	json_quote(out, text);
}

static void add_number(struct str *out, const char *key, uint64_t n)
{
	add_key(out, key);
	str_addf(out, "%llu", (unsigned long long)n);
}

/* The keys of the contract first, in its order and always there; then whatever else the solution has. */
static void add_solution(struct str *out, const char *raw)
{
	static const struct {
		const char *key, *none;
	} wanted[] = {{"id", "null"}, {"approach", "\"\""}, {"tasks", "[]"}, {"exploration_context", "{}"}};
	struct splice_parts parts;

	add_key(out, "solution");
	str_addc(out, '{');
	bool object = splice_cut(&parts, raw, strlen(raw)) && !parts.list;
	for (size_t i = 0; i < MEM_COUNT(wanted); i++) {
		const struct splice_part *p = object ? splice_find(&parts, raw, wanted[i].key) : NULL;
		add_key(out, wanted[i].key);
		if (p)
			str_addn(out, raw + p->value, p->value_end - p->value);
		else
			str_add(out, wanted[i].none);
	}
	for (size_t i = 0; object && i < parts.n; i++) {
		const struct splice_part *p = &parts.v[i];
		bool said = false;
		for (size_t k = 0; k < MEM_COUNT(wanted); k++)
			said |= splice_find(&parts, raw, wanted[k].key) == p;
		if (said)
			continue;
		str_addc(out, ',');
		str_addn(out, raw + p->key, p->key_end - p->key);
		str_addc(out, ':');
		str_addn(out, raw + p->value, p->value_end - p->value);
	}
	str_addc(out, '}');
	splice_fini(&parts);
}

static void add_hints(struct str *out, const struct item_def *def)
{
	add_key(out, "execution_hints");
	str_addc(out, '{');
	add_text(out, "executor", def->executor && *def->executor ? def->executor : DEFAULT_EXECUTOR);
	add_number(out, "task_count", def->tasks ? def->tasks : 1);
	add_number(out, "estimated_minutes", def->minutes);
	str_addc(out, '}');
}

static void add_item(struct str *out, const char *queue, const struct queue_item *item)
{
	const struct item_def *def = &item->item_def;

	str_addc(out, '{');
	add_text(out, "queue_id", queue);
	add_text(out, "item_id", def->id);
	add_text(out, "issue_id", def->issue);
	add_text(out, "solution_id", def->solution);
	add_text(out, "status", queue_word(queue_state(&item->task)));
	add_solution(out, def->solution_raw);
}

static void finish(struct str *made, struct str *out)
{
	str_addc(made, '}');
	splice_pretty(made->p, "", out);
	str_addc(out, '\n');
}

void item_json_status(const char *status, const char *queue, const char *message, struct str *out)
{
	struct json_t *j = json_map();

	json_put_text(j, "status", status);
	if (queue)
		json_put_text(j, "queue_id", queue);
	json_put_text(j, "message", message);
	json_write(j, true, out);
	str_addc(out, '\n');
	json_free(j);
}

bool item_json_detail(const char *queue, const struct queue_item *item, struct str *out)
{
	AUTO_STR struct str made = {0};

	if (!item->item_def.solution_raw) {
		AUTO_FREE char *why = mem_printf("item %s has no solution: %s", item->item_def.id,
		                                 item->def.missing ? item->def.missing : "there is none");
		item_json_status("error", queue, why, out);
		return false;
	}
	add_item(&made, queue, item);
	add_hints(&made, &item->item_def);
	finish(&made, out);
	return true;
}

void item_json_next(const struct next *n, struct str *out)
{
	AUTO_STR struct str made = {0};

	add_item(&made, n->queue, &n->item);
	add_key(&made, "resumed");
	str_add(&made, n->resumed ? "true" : "false");
	if (n->resumed)
		add_text(&made, "resume_note", "This item was given to you before: look at what there is of it, and go on from there");
	add_hints(&made, &n->item.item_def);
	add_key(&made, "queue_progress");
	str_addc(&made, '{');
	add_number(&made, "completed", n->completed);
	add_number(&made, "remaining", n->total - n->completed);
	add_number(&made, "total", n->total);
	AUTO_FREE char *progress = mem_printf("%zu/%zu", n->completed, n->total);
	add_text(&made, "progress", progress);
	str_addc(&made, '}');
	add_text(&made, "claim", n->item.item.token);
	add_number(&made, "claims", n->item.item.claims);
	finish(&made, out);
}
