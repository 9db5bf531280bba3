/* config_agents: what is written of an agent, key by key. What a rule means is the adapter's business (worker/adapter.h). */
#include "config_agents.h"

#include <string.h>

#include "config_private.h"
#include "store/base/mem.h"

enum key_type {
	WORDS,    /* list of texts, also empty ones */
	RULES,    /* the same; one text is a list of one */
	VARIABLES, /* the same; also as a mapping */
	TEXT,
	NAME,
	MODEL,
	SPAN,
	MEGABYTES,
	AUTONOMY,
	FLAG,
	EXTENDS
};

#define AT(member) offsetof(struct msg_agent, member)
static const struct key {
	const char *name;
	enum key_type type;
	size_t offset;
} keys[] = {
	{"extends", EXTENDS, 0},
	{"probe", WORDS, AT(probe)},
	{"argv", WORDS, AT(argv)},
	{"resume", WORDS, AT(resume)},
	{"prompt", TEXT, AT(prompt)},
	{"env", VARIABLES, AT(env)},
	{"env_unset", WORDS, AT(env_unset)},
	{"session", TEXT, AT(session)},
	{"moves", FLAG, AT(moves)},
	{"final", RULES, AT(final)},
	{"ok", RULES, AT(ok)},
	{"usage", RULES, AT(usage)},
	{"fail", RULES, AT(fail)},
	{"reset", RULES, AT(reset)},
	{"kill_if", RULES, AT(kill_if)},
	{"timeout", SPAN, AT(timeout_ms)},
	{"silence", SPAN, AT(silence_ms)},
	{"grace", SPAN, AT(grace_ms)},
	{"weight_mb", MEGABYTES, AT(weight_mb)},
	{"account", NAME, AT(account)},
	{"autonomy", AUTONOMY, AT(full)},
	{"wrap", WORDS, AT(wrap)},
	{"rights", TEXT, AT(rights)},
	{"rights_full", TEXT, AT(rights_full)},
	{"model", MODEL, AT(model)},
	{"fallback", NAME, AT(fallback)},
};
_Static_assert(MEM_COUNT(keys) == CONFIG_AGENTS_KEYS, "a place for each key");

/* ---- memory ---- */

struct config_agents *config_agents_new(void)
{
	return mem_alloc(sizeof(struct config_agents));
}

static void free_all(struct config_agents_def **v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rec_fini(msg_rec(MSG_AGENT), &v[i]->def);
		rec_fini(msg_rec(MSG_AGENT), &v[i]->made);
		free(v[i]->extends);
		free(v[i]->where.origin);
		for (size_t k = 0; k < MEM_COUNT(keys); k++)
			free(v[i]->at[k].origin);
		free(v[i]);
	}
	free(v);
}

void config_agents_free(struct config_agents *a)
{
	if (!a)
		return;
	free_all(a->own, a->n_own);
	free_all(a->built, a->n_built);
	strv_fini(&a->warnings);
	free(a);
}

struct config_agents_def *config_agents_find(struct config_agents_def *const *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i]->def.name, name))
			return v[i];
	return NULL;
}

struct config_agents_def *config_agents_add(struct config_agents_def ***v, size_t *n, const char *name)
{
	struct config_agents_def *d = mem_alloc(sizeof *d);

	d->def.name = mem_strdup(name);
	*v = mem_grow(*v, *n + 1, sizeof **v);
	(*v)[(*n)++] = d;
	return d;
}

/* ---- values ---- */

static bool read_list(struct config_loader *l, const struct yaml_node *v, const struct key *k, struct strv *out)
{
	struct strv list = {0};
	size_t good = 0;
	bool map = k->type == VARIABLES && v->kind == YAML_MAP, one = k->type != WORDS && v->kind == YAML_SCALAR && v->len;

	if (v->kind == YAML_SCALAR && !one && !v->len && !v->plain) { /* "" is "off" */
		strv_fini(out);
		return true;
	}
	if (v->kind != YAML_LIST && !map && !one) {
		config_fault(l, v, "agents", "%s must be a list, such as [a, b], not %s", k->name, yaml_what(v));
		return false;
	}
	if (v->n > PLAN_MAX_LIST) {
		config_fault(l, v, "agents", "%s has more than %d entries", k->name, PLAN_MAX_LIST);
		return false;
	}
	for (const struct yaml_node *i = one ? v : v->first; i; i = one ? NULL : i->next) {
		const char *text = config_value_text(l, i, "agents", false);
		if (text && map) {
			strv_addf(&list, "%s=%s", i->key->text, text);
			good++;
			continue;
		}
		if (text && k->type != WORDS && !*text) {
			config_fault(l, i, "agents", "an entry of %s must not be empty", k->name);
			text = NULL;
		}
		good += text != NULL;
		strv_add(&list, text ? text : "");
	}
	for (size_t i = 0; k->type == VARIABLES && i < list.n; i++)
		if (!strchr(list.v[i], '=') || list.v[i][0] == '=') {
			config_fault(l, v, "agents", "an entry of env must be NAME=VALUE, not \"%.80s\"", list.v[i]);
			good = SIZE_MAX;
		}
	if (good != list.n) {
		strv_fini(&list);
		return false;
	}
	strv_fini(out);
	*out = list;
	return true;
}

static bool read_text(struct config_loader *l, const struct yaml_node *v, const struct key *k, char **out)
{
	const char *text = config_value_text(l, v, "agents", false);
	const char *wrong = text && *text && (k->type == NAME || k->type == EXTENDS) ? plan_id_fault(text) : NULL;

	if (wrong)
		config_fault(l, v, "agents", "%s is a name: %s", k->name, wrong);
	else if (text && k->type == MODEL && (*text == '-' || strlen(text) > 128)) /* it becomes an argument (promise E1) */
		config_fault(l, v, "agents", "model must be of at most 128 bytes and not begin with \"-\"");
	else if (text)
		mem_set(out, *text ? text : NULL);
	return text && !wrong;
}

bool config_agents_trusted(const char *origin)
{
	return !str_ends(origin, "/bosk.yaml");
}

static bool read_autonomy(struct config_loader *l, const struct yaml_node *v, const char *agent, bool *out)
{
	const char *text = config_value_text(l, v, "agents", false);

	if (!text)
		return false;
	if (!str_eq(text, "full") && !str_eq(text, "limited")) {
		config_fault(l, v, "agents", "autonomy must be full or limited");
		return false;
	}
	if (str_eq(text, "full") && !config_agents_trusted(l->origin)) {
		strv_addf(&l->c->agents->warnings,
		          "%s:%zu: autonomy: full of agent %s is left out, as a repository cannot give all rights. If you want that: "
		          "--autonomy full, or agents: {%s: {autonomy: full}} in your own config.yaml", l->origin,
		          (size_t)v->line, agent, agent);
		return false;
	}
	*out = str_eq(text, "full");
	return true;
}

static bool read_value(struct config_loader *l, struct config_agents_def *d, const struct key *k, const struct yaml_node *v)
{
	void *at = (char *)&d->def + k->offset;

	switch (k->type) {
	case WORDS:
	case RULES:
	case VARIABLES:
		return read_list(l, v, k, at);
	case TEXT:
	case NAME:
	case MODEL:
		return read_text(l, v, k, at);
	case EXTENDS:
		d->trusted = config_agents_trusted(l->origin);
		return read_text(l, v, k, &d->extends);
	case SPAN:
		return config_value_duration(l, v, "agents", 0, UINT64_C(366) * 24 * 3600 * 1000, at);
	case MEGABYTES:
		return config_value_number(l, v, "agents", 0, 1 << 24, at);
	case AUTONOMY:
		return read_autonomy(l, v, d->def.name, at);
	case FLAG:
		if (yaml_flag(v, at))
			return true;
		config_fault(l, v, "agents", "%s must be true or false, without quotes", k->name);
		return false;
	}
	return false;
}

/* ---- a definition ---- */

static void place(struct config_loader *l, struct config_agents_at *at, const struct yaml_node *v)
{
	mem_set(&at->origin, l->origin);
	at->line = v->line;
	at->column = v->column + (v->line == 1 ? l->shift : 0);
}

static void unknown_key(struct config_loader *l, const struct yaml_node *key)
{
	const char *names[MEM_COUNT(keys)];

	for (size_t i = 0; i < MEM_COUNT(keys); i++)
		names[i] = keys[i].name;
	const char *near = str_nearest(key->text, names, MEM_COUNT(keys));
	if (near)
		config_fault(l, key, "agents", "an agent has no key \"%.64s\"; did you mean \"%s\"?", key->text, near);
	else
		config_fault(l, key, "agents", "an agent has no key \"%.64s\"", key->text);
}

void config_agents_read(struct config_loader *l, struct config_agents_def *d, const struct yaml_node *map)
{
	size_t before = l->faults->n;

	place(l, &d->where, map->key ? map->key : map);
	for (const struct yaml_node *v = map->first; v; v = v->next) {
		size_t k = 0;
		while (k < MEM_COUNT(keys) && !str_eq(keys[k].name, v->key->text))
			k++;
		if (k == MEM_COUNT(keys)) {
			unknown_key(l, v->key);
		} else if (read_value(l, d, &keys[k], v)) {
			d->given |= UINT32_C(1) << k;
			place(l, &d->at[k], v);
		}
	}
	d->broken |= l->faults->n > before;
}

void config_agents_source(struct config_loader *l, const struct yaml_node *v)
{
	struct config_agents *a = l->c->agents;
	enum { MAX_AGENTS = 1000 };

	if (v->n > MAX_AGENTS) {
		config_fault(l, v, "agents", "has more than %d agents", MAX_AGENTS);
		return;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		const char *name = i->key->text, *wrong = plan_id_fault(name);
		if (wrong) {
			config_fault(l, i->key, "agents", "an agent's name is an id: %s", wrong);
			continue;
		}
		if (str_eq(name, "agent")) {
			config_fault(l, i->key, "agents", "plans say \"agent\" for whichever is configured: give this one another name");
			continue;
		}
		struct config_agents_def *d = config_agents_find(a->own, a->n_own, name);
		config_agents_read(l, d ? d : config_agents_add(&a->own, &a->n_own, name), i);
	}
}

bool config_agents_given(const struct config_agents_def *d, const char *key)
{
	for (size_t k = 0; k < MEM_COUNT(keys); k++)
		if (str_eq(keys[k].name, key))
			return d->given >> k & 1;
	return false;
}

void config_agents_apply(struct msg_agent *out, const struct config_agents_def *d)
{
	for (size_t k = 0; k < MEM_COUNT(keys); k++) {
		void *to = (char *)out + keys[k].offset;
		const void *from = (const char *)&d->def + keys[k].offset;
		if (!(d->given >> k & 1))
			continue;
		switch (keys[k].type) {
		case WORDS:
		case RULES:
		case VARIABLES:
			strv_fini(to);
			strv_copy(to, from);
			break;
		case TEXT:
		case NAME:
		case MODEL:
			mem_set(to, *(char *const *)from);
			break;
		case SPAN:
		case MEGABYTES:
			*(uint64_t *)to = *(const uint64_t *)from;
			break;
		case AUTONOMY:
		case FLAG:
			*(bool *)to = *(const bool *)from;
			break;
		case EXTENDS:
			break;
		}
	}
}

const struct config_agents_at *config_agents_place(const struct config_agents_def *d, const char *text)
{
	for (size_t k = 0; k < MEM_COUNT(keys); k++) {
		size_t n = strlen(keys[k].name);
		if ((d->given >> k & 1) && str_starts(text, keys[k].name) &&
		    !strchr("abcdefghijklmnopqrstuvwxyz_", text[n] ? text[n] : ' '))
			return &d->at[k];
	}
	return &d->where;
}
