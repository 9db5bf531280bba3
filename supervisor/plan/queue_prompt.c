/* queue_prompt: JSON of any shape as text for an agent: what is known comes first and in order, and what is not known
 * is told as it is. */
#include "queue_prompt.h"

#include <string.h>

#include "plan_read.h"
#include "store/base/mem.h"

enum { INDENT = 2, MAX_DEPTH = 100 };

/* ---- values ---- */

static bool is_empty(const struct json_t *v)
{
	void *at = NULL;
	const char *key;
	const struct json_t *inner;

	switch (json_kind(v)) {
	case JSON_IS_NULL:
		return true;
	case JSON_IS_TEXT:
		return plan_read_blank(json_text(v));
	case JSON_IS_LIST:
		for (size_t i = 0; i < json_count(v); i++)
			if (!is_empty(json_nth(v, i)))
				return false;
		return true;
	case JSON_IS_MAP:
		while (json_member(v, &at, &key, &inner))
			if (!is_empty(inner))
				return false;
		return true;
	case JSON_IS_FLAG:
	case JSON_IS_NUMBER:
		break;
	}
	return false;
}

static void add_spaces(struct str *out, size_t n)
{
	while (n--)
		str_addc(out, ' ');
}

/* The first line goes on where the text stands, the others below its beginning. */
static void add_lines(struct str *out, const char *text, size_t indent)
{
	text += strspn(text, "\r\n");
	for (bool first = true; *text; first = false) {
		size_t n = strcspn(text, "\n");
		size_t len = n && text[n - 1] == '\r' ? n - 1 : n;
		if (!first && len)
			add_spaces(out, indent);
		str_addn(out, text, len);
		str_addc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

static void add_value(struct str *out, const struct json_t *v, size_t depth);

/* "key: value"; `begun`: the line is there. */
static void add_member(struct str *out, const char *key, const struct json_t *v, size_t depth, bool begun)
{
	add_spaces(out, begun ? 0 : depth * INDENT);
	str_add(out, key);
	str_addc(out, ':');
	add_value(out, v, depth + 1);
}

static void add_members(struct str *out, const struct json_t *map, size_t depth, bool begun)
{
	void *at = NULL;
	const char *key;
	const struct json_t *v;

	while (json_member(map, &at, &key, &v) && out->len <= PLAN_MAX_TEXT) {
		if (is_empty(v))
			continue;
		add_member(out, key, v, depth, begun);
		begun = false;
	}
}

/* Behind its mark or name, in a line that has begun. What is below that is indented. */
static void add_value(struct str *out, const struct json_t *v, size_t depth)
{
	enum json_kind kind = json_kind(v);
	bool nested = (kind == JSON_IS_LIST || kind == JSON_IS_MAP) && depth <= MAX_DEPTH;

	str_addc(out, nested ? '\n' : ' ');
	if (kind == JSON_IS_TEXT) {
		add_lines(out, json_text(v), depth * INDENT);
	} else if (!nested) {
		json_write(v, false, out);
		str_addc(out, '\n');
	} else if (kind == JSON_IS_MAP) {
		add_members(out, v, depth, false);
	}
	for (size_t i = 0; nested && i < json_count(v) && out->len <= PLAN_MAX_TEXT; i++) {
		const struct json_t *inner = json_nth(v, i);
		if (is_empty(inner))
			continue;
		add_spaces(out, depth * INDENT);
		str_addc(out, '-');
		if (json_kind(inner) == JSON_IS_MAP && depth < MAX_DEPTH) {
			str_addc(out, ' ');
			add_members(out, inner, depth + 1, true);
		} else {
			add_value(out, inner, depth + 1);
		}
	}
}

static bool among(const char *const *keys, const char *key)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys;
}

/* Members of a map: these in this order, then the others but those of `not`; NULL = no others. */
static void add_keys(struct str *out, const struct json_t *map, const char *const *keys, const char *const *not)
{
	void *at = NULL;
	const char *key;
	const struct json_t *v;

	for (size_t i = 0; keys[i]; i++)
		if (!is_empty(json_get(map, keys[i])))
			add_member(out, keys[i], json_get(map, keys[i]), 0, false);
	while (not && json_kind(map) == JSON_IS_MAP && json_member(map, &at, &key, &v))
		if (!among(keys, key) && !among(not, key) && !is_empty(v) && out->len <= PLAN_MAX_TEXT)
			add_member(out, key, v, 0, false);
}

/* ---- sections ---- */

char *queue_prompt_step(const struct queue_step *step)
{
	static const char *const keys[] = {"title",         "action",              "scope",          "description",
	                                   "files",         "modification_points", "implementation", "test",
	                                   "acceptance",    "convergence",         "regression",     NULL};
	/* What bosk does itself, or what is there for planners. */
	static const char *const not[] = {"id",     "depends_on", "dependencies",      "commit", "status",
	                                  "effort", "priority",   "estimated_minutes", NULL};
	AUTO_STR struct str text = {0}, out = {0};

	add_keys(&text, step->json, keys, not);
	str_addf(&out, "### %s\n\n", step->id);
	str_add_fenced(&out, str_text(&text), text.len);
	return str_take(&out);
}

static void add_section(struct str *out, const char *heading, const struct str *text)
{
	if (!text->len)
		return;
	str_add(out, out->len ? "\n## " : "## ");
	str_add(out, heading);
	str_add(out, "\n\n");
	str_add_fenced(out, text->p, text->len);
}

static void add_id(struct str *out, const char *id)
{
	if (!id)
		return;
	str_add(out, "id: ");
	str_add(out, id);
	str_addc(out, '\n');
}

void queue_prompt(const struct queue_solution *s, const struct strv *steps, struct str *out)
{
	static const char *const of_issue[] = {"title", "context", "description", "expected_behavior", "actual_behavior",
	                                       "affected_components", "file", "line", "feedback", NULL};
	static const char *const of_solution[] = {"description", "approach", "exploration_context", NULL};
	AUTO_STR struct str issue = {0}, solution = {0};

	add_id(&issue, s->d->issue);
	add_keys(&issue, s->issue, of_issue, NULL);
	add_id(&solution, s->d->solution);
	add_keys(&solution, s->json, of_solution, NULL);
	add_section(out, "The issue", &issue);
	add_section(out, "The solution", &solution);
	if (!steps->n)
		return;
	str_add(out, "\n## Its tasks, in the order they are to be done\n");
	for (size_t i = 0; i < steps->n && out->len <= PLAN_MAX_TEXT; i++) {
		str_addc(out, '\n');
		str_add(out, steps->v[i]);
	}
}
