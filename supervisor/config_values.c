/* config_values: one value of a setting, checked against its line in the table and stored. */
#include "config_private.h"

#include <string.h>

#include "store/base/mem.h"

const char *config_value_text(struct config_loader *l, const struct yaml_node *v, const char *key,
                            bool lines)
{
	if (v->kind != YAML_SCALAR)
		config_fault(l, v, key, "must be a text, not %s", yaml_what(v));
	else if (yaml_is_null(v))
		config_fault(l, v, key,
		             "has no value: leave the key out, or write \"\" for \"off\"");
	else if (v->len > PLAN_MAX_COMMAND)
		config_fault(l, v, key, "is longer than %d bytes", PLAN_MAX_COMMAND);
	else {
		for (const unsigned char *p = (const unsigned char *)v->text; *p; p++)
			if ((*p < 0x20 && !(lines && (*p == '\n' || *p == '\t'))) || *p == 0x7f) {
				config_fault(l, v, key, "must not hold control characters");
				return NULL;
			}
		return v->text;
	}
	return NULL;
}

bool config_value_number(struct config_loader *l, const struct yaml_node *v, const char *key,
                       uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n;
	if (!yaml_u64(v, &n) || n < min || n > max) {
		config_fault(l, v, key, "must be a whole number from %llu to %llu",
		             (unsigned long long)min, (unsigned long long)max);
		return false;
	}
	*out = n;
	return true;
}

bool config_value_duration(struct config_loader *l, const struct yaml_node *v, const char *key,
                         uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text = config_value_text(l, v, key, false);
	uint64_t ms = 0;
	if (!text)
		return false;
	if ((*text || min) && !str_duration_ms(text, &ms))
		config_fault(l, v, key, "must be a duration such as 90s, 5m, 4h or 2d");
	else if (ms < min)
		config_fault(l, v, key, "must be more than 0");
	else if (ms > max)
		config_fault(l, v, key, "must not be longer than a year");
	else {
		*out = ms;
		return true;
	}
	return false;
}

static void set_bytes(struct config_loader *l, const struct yaml_node *v,
                      const struct config_key *k, uint64_t *out)
{
	const char *text = config_value_text(l, v, k->name, false);
	uint64_t n = 0;
	if (!text)
		return;
	if ((*text || k->min) && !str_bytes(text, &n))
		config_fault(l, v, k->name, "must be a size such as 512KiB, 32MiB or 2GiB");
	else if (n < k->min || n > k->max)
		config_fault(l, v, k->name, "must be from %llu to %llu bytes",
		             (unsigned long long)k->min, (unsigned long long)k->max);
	else
		*out = n;
}

bool config_value_list(struct config_loader *l, const struct yaml_node *v, const char *key,
                       bool paths, struct strv *out)
{
	struct strv list = {0};
	size_t good = 0;

	if (v->kind == YAML_SCALAR && !v->plain && !v->len) { /* "" is "off", as for a text */
		strv_fini(out);
		return true;
	}
	if (v->kind != YAML_LIST) {
		config_fault(l, v, key, "must be a list, such as [a, b], not %s", yaml_what(v));
		return false;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		const char *text = config_value_text(l, i, key, false);
		AUTO_STR struct str normal = {0};
		const char *wrong = !text   ? NULL
		                    : paths ? plan_path_fault(text, &normal)
		                    : *text ? NULL
		                            : "must not be empty";
		if (wrong)
			config_fault(l, i, key, "\"%.80s\" %s", text, wrong);
		good += text && !wrong;
		strv_add(&list, normal.p ? normal.p : text ? text : "");
	}
	if (good < list.n) {
		strv_fini(&list);
		return false;
	}
	strv_fini(out);
	*out = list;
	return true;
}

/* Which of the words a|b|c is `text`? -1 = none. */
static int word_of(const char *words, const char *text)
{
	int i = 0;
	for (const char *p = words;; p++, i++) {
		size_t n = strcspn(p, "|");
		if (strlen(text) == n && strncmp(p, text, n) == 0)
			return i;
		p += n;
		if (!*p)
			return -1;
	}
}

static void set_text(struct config_loader *l, const struct yaml_node *v, const struct config_key *k,
                     void *out)
{
	const char *text = config_value_text(l, v, k->name, k->type == CONFIG_TEXT && !k->check);
	const char *wrong = text && k->check ? k->check(text) : NULL;

	if (wrong)
		config_fault(l, v, k->name, "%s", wrong);
	else if (text && k->words && word_of(k->words, text) < 0)
		config_fault(l, v, k->name, "must be one of %s", k->words);
	else if (text && k->type == CONFIG_SWITCH)
		*(bool *)out = word_of(k->words, text) == 1;
	else if (text && out)
		mem_set(out, text);
}

void config_value_set(struct config_loader *l, size_t key, const struct yaml_node *v)
{
	const struct config_key *k = &config_keys[key];
	struct config_where *w = &l->where[key];
	void *out = (char *)l->c + k->offset;
	AUTO_STRV struct strv unkept_list = {0};
	bool unkept_flag = false;

	mem_set(&w->origin, l->origin);
	w->line = v->line;
	w->column = v->column + (v->line == 1 ? l->shift : 0);
	/* Names of agents and models, and the keys of each, add to those of the sources before. */
	bool adds = (k->type == CONFIG_AGENTS || k->type == CONFIG_MODELS) && v->kind == YAML_MAP;
	char *text = adds && w->value ? config_show_merged(w->value, v) : config_show_node(v);
	free(w->value);
	w->value = text;
	if (!w->preset)
		w->preset = mem_strdup(text);
	switch (k->type) {
	case CONFIG_TEXT:
	case CONFIG_CHOICE:
	case CONFIG_SWITCH:
	case CONFIG_REAL:
		set_text(l, v, k, out);
		return;
	case CONFIG_FLAG:
		if (!yaml_flag(v, out ? out : &unkept_flag))
			config_fault(l, v, k->name, "must be true or false, without quotes");
		return;
	case CONFIG_NUMBER:
		config_value_number(l, v, k->name, k->min, k->max, out);
		return;
	case CONFIG_DURATION:
		config_value_duration(l, v, k->name, k->min, k->max, out);
		return;
	case CONFIG_BYTES:
		set_bytes(l, v, k, out);
		return;
	case CONFIG_LIST:
	case CONFIG_PATHS:
		config_value_list(l, v, k->name, k->type == CONFIG_PATHS, out ? out : &unkept_list);
		return;
	case CONFIG_GATES:
		config_maps_gates(l, v);
		return;
	case CONFIG_AGENTS:
		config_maps_agents(l, v);
		return;
	case CONFIG_MODELS:
		config_maps_models(l, v);
		return;
	}
}
