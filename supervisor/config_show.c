/* config_show: the configuration as text, with where each value came from. */
#include "config_private.h"

#include <string.h>

#include "store/base/mem.h"

/* Plain where that means the same text again, else quoted. */
static void add_scalar(struct str *out, const struct yaml_node *v)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+-@=() ";
	bool simple = v->len && strspn(v->text, plain) == v->len && !strchr("-=@ ", v->text[0]) &&
	              v->text[v->len - 1] != ' ';

	if (simple) {
		str_add(out, v->text);
		return;
	}
	str_addc(out, '"');
	for (const char *p = v->text; *p; p++) {
		if (*p == '\n' || *p == '\t')
			str_add(out, *p == '\n' ? "\\n" : "\\t");
		else
			str_addf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
	}
	str_addc(out, '"');
}

static void add_node(struct str *out, const struct yaml_node *v)
{
	bool map = v->kind == YAML_MAP;

	if (v->kind == YAML_SCALAR) {
		add_scalar(out, v);
		return;
	}
	str_addc(out, map ? '{' : '[');
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		if (i != v->first)
			str_add(out, ", ");
		if (map) {
			add_scalar(out, i->key);
			str_add(out, ": ");
		}
		add_node(out, i);
	}
	str_addc(out, map ? '}' : ']');
}

char *config_show_node(const struct yaml_node *v)
{
	struct str out = {0};
	add_node(&out, v);
	return str_take(&out);
}

static void add_merged(struct str *out, const struct yaml_node *a, const struct yaml_node *b, int deep)
{
	if (!a || deep == 0 || a->kind != YAML_MAP || b->kind != YAML_MAP) {
		add_node(out, b);
		return;
	}
	str_addc(out, '{');
	for (const struct yaml_node *i = a->first; i; i = i->next) {
		const struct yaml_node *fresh = yaml_get(b, i->key->text);
		str_add(out, i == a->first ? "" : ", ");
		add_scalar(out, i->key);
		str_add(out, ": ");
		add_merged(out, i, fresh ? fresh : i, fresh ? deep - 1 : 0);
	}
	for (const struct yaml_node *i = b->first; i; i = i->next) {
		if (yaml_get(a, i->key->text))
			continue;
		str_add(out, a->first || i != b->first ? ", " : "");
		add_scalar(out, i->key);
		str_add(out, ": ");
		add_node(out, i);
	}
	str_addc(out, '}');
}

char *config_show_merged(const char *before, const struct yaml_node *v)
{
	struct plan_faults faults = {0};
	struct yaml *doc = yaml_parse("", before, strlen(before), &faults); /* of our own making */
	struct str out = {0};

	add_merged(&out, doc ? yaml_root(doc) : NULL, v, 2);
	yaml_free(doc);
	plan_faults_fini(&faults);
	return str_take(&out);
}

void config_show_free(struct config_where *where)
{
	for (size_t i = 0; where && i < config_n_keys; i++) {
		free(where[i].origin);
		free(where[i].value);
		free(where[i].preset);
	}
	free(where);
}

void config_show(const struct config *c, struct str *out)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_where *w = &c->where[i];
		AUTO_FREE char *left = mem_printf("%s: %s", config_keys[i].name, w->value);
		str_addf(out, "%-40s # %s", left, w->origin);
		if (w->origin[0] == '/') /* a file */
			str_addf(out, ":%zu", w->line);
		str_addc(out, '\n');
	}
}

bool config_given(const struct config *c, const char *key)
{
	size_t i = config_key_find(key);

	return i < config_n_keys && c->where && !str_eq(c->where[i].origin, CONFIG_BUILT_IN);
}

bool config_given_here(const struct config *c, const char *key)
{
	return config_given(c, key) && c->where[config_key_find(key)].origin[0] != '/';
}
