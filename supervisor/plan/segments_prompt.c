/* segments_prompt: what a planner wrote of a segment, as text for its agent. What has no place in bosk is told as it is:
 * nothing of a plan is lost. */
#include "segments.h"

#include <string.h>

#include "store/base/mem.h"

enum { INDENT = 2 };

static void add_spaces(struct str *out, size_t n)
{
	while (n--)
		str_addc(out, ' ');
}

static void add_lines(struct str *out, const char *text, size_t indent)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		if (n)
			add_spaces(out, indent);
		str_addn(out, line, n);
		str_addc(out, '\n');
		line += n + (line[n] == '\n');
	}
}

static void add_entries(struct str *out, const struct yaml_node *of, size_t depth);

/* After the mark of its entry. */
static void add_value(struct str *out, const struct yaml_node *v, size_t depth)
{
	size_t indent = (depth + 1) * INDENT;

	if (v->kind == YAML_SCALAR && !strchr(v->text, '\n')) {
		str_addf(out, "%s%s\n", v->len ? " " : "", v->text);
	} else if (v->kind == YAML_SCALAR) {
		str_add(out, "\n\n");
		add_lines(out, v->text, indent);
		str_add(out, "\n");
	} else {
		str_add(out, "\n");
		add_entries(out, v, depth + 1);
	}
}

static void add_entries(struct str *out, const struct yaml_node *of, size_t depth)
{
	for (const struct yaml_node *v = of->first; v && out->len <= PLAN_MAX_TEXT; v = v->next) {
		add_spaces(out, depth * INDENT);
		str_add(out, "-");
		if (v->key)
			str_addf(out, " %s:", v->key->text);
		add_value(out, v, depth);
	}
}

static bool is_description(const struct yaml_node *v)
{
	return v->kind == YAML_SCALAR && (strcmp(v->key->text, "description") == 0 || strcmp(v->key->text, "prompt") == 0);
}

void segments_prompt(const struct yaml_node *node, bool (*known)(const char *key), struct str *out)
{
	bool first = true;

	str_add(out, "This is one segment of a larger plan. Do this part only; others work on the rest.\n");
	for (const struct yaml_node *v = node->first; v; v = v->next) {
		if (!is_description(v) || plan_read_blank(v->text))
			continue;
		str_addf(out, "\n%s", v->text);
		if (out->p[out->len - 1] != '\n')
			str_addc(out, '\n');
	}
	for (const struct yaml_node *v = node->first; v && out->len <= PLAN_MAX_TEXT; v = v->next) {
		if (is_description(v) || known(v->key->text) || (v->kind == YAML_SCALAR && yaml_is_null(v)))
			continue;
		str_addf(out, "%s- %s:", first ? "\n" : "", v->key->text);
		add_value(out, v, 0);
		first = false;
	}
	while (str_ends(out->p, "\n"))
		out->p[--out->len] = '\0';
}
