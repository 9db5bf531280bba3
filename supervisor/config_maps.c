/* config_maps: the settings whose values have keys of their own: gates, agents, models. */
#include "config_private.h"

#include <string.h>
#include <strings.h>

#include "config_agents.h"
#include "store/base/mem.h"

/* ---- gates ---- */

static const char *const gate_keys[] = {"name", "run", "builtin", "timeout", "paths", "exclusive",
                                        "retries"};

static void unknown_gate_key(struct config_loader *l, const struct yaml_node *key)
{
	const char *near = str_nearest(key->text, gate_keys, MEM_COUNT(gate_keys));
	if (near)
		config_fault(l, key, "gates", "a gate has no key \"%.64s\"; did you mean \"%s\"?",
		             key->text, near);
	else
		config_fault(l, key, "gates", "a gate has no key \"%.64s\"", key->text);
}

/* true and false are of this repository, a name is a lock of the machine. What looks like one of the two and is none (yes,
 * "true", True in quotes) is more likely a slip than a name. */
static void read_exclusive(struct config_loader *l, const struct yaml_node *v, struct config_gate *g)
{
	static const char *const flags[] = {"true", "false", "yes", "no", "on", "off"};
	const char *text, *wrong;

	mem_set(&g->lock, NULL);
	if (yaml_flag(v, &g->exclusive))
		return;
	g->exclusive = false;
	uint64_t number;
	bool flag = v->kind != YAML_SCALAR || yaml_is_null(v) || !v->len || yaml_u64(v, &number);
	for (size_t i = 0; i < MEM_COUNT(flags) && !flag; i++)
		flag = strcasecmp(v->text, flags[i]) == 0;
	if (flag) {
		config_fault(l, v, "gates", "exclusive must be true or false, without quotes, or the name of a lock");
		return;
	}
	text = config_value_text(l, v, "gates", false);
	wrong = text ? plan_id_fault(text) : NULL; /* it names a file */
	if (wrong)
		config_fault(l, v, "gates", "the name of a lock is an id: %s", wrong);
	else
		mem_set(&g->lock, text);
}

static void read_gate_key(struct config_loader *l, const struct yaml_node *v, struct config_gate *g)
{
	const char *key = v->key->text, *text, *wrong;

	if (strcmp(key, "name") == 0) {
		text = config_value_text(l, v, "gates", false);
		wrong = text ? plan_id_fault(text) : NULL; /* it names a log file */
		if (wrong) /* "an id must ..." is said of names too */
			config_fault(l, v, "gates", "a gate's name is an id: %s", wrong);
		else
			mem_set(&g->name, text);
	} else if (strcmp(key, "run") == 0) {
		text = config_value_text(l, v, "gates", true);
		if (text && !text[strspn(text, " \t\n")])
			config_fault(l, v, "gates", "run must not be empty");
		mem_set(&g->run, text);
	} else if (strcmp(key, "builtin") == 0) {
		text = config_value_text(l, v, "gates", false);
		if (text && strcmp(text, "secrets") != 0)
			config_fault(l, v, "gates", "there is no builtin gate \"%.64s\", only secrets", text);
		mem_set(&g->builtin, text);
	} else if (strcmp(key, "timeout") == 0) {
		config_value_duration(l, v, "gates", 1, UINT64_C(366) * 24 * 3600 * 1000,
		                      &g->timeout_ms);
	} else if (strcmp(key, "paths") == 0) {
		config_value_list(l, v, "gates", true, &g->paths);
	} else if (strcmp(key, "exclusive") == 0) {
		read_exclusive(l, v, g);
	} else if (strcmp(key, "retries") == 0) {
		config_value_number(l, v, "gates", 0, 100, &g->retries);
	} else {
		unknown_gate_key(l, v->key);
	}
}

static void read_gate(struct config_loader *l, const struct yaml_node *v)
{
	struct config *c = l->c;
	struct config_gate *g = &c->gates[c->n_gates++];

	if (v->kind != YAML_MAP) {
		config_fault(l, v, "gates", "a gate must be a mapping with name and run, not %s",
		             yaml_what(v));
		return;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next)
		read_gate_key(l, i, g);
	if (!yaml_get(v, "name"))
		config_fault(l, v, "gates", "a gate must have a name");
	if (!yaml_get(v, "run") && !yaml_get(v, "builtin"))
		config_fault(l, v, "gates", "a gate must have a command (run), or be one that bosk brings (builtin: secrets)");
	if (yaml_get(v, "run") && yaml_get(v, "builtin"))
		config_fault(l, yaml_get(v, "builtin")->key, "gates", "a gate has run or builtin, not both");
	for (size_t i = 0; g->name && i + 1 < c->n_gates; i++)
		if (str_eq(c->gates[i].name, g->name))
			config_fault(l, v, "gates", "there are two gates named \"%s\"", g->name);
}

void config_maps_free_gates(struct config *c)
{
	for (size_t i = 0; i < c->n_gates; i++) {
		free(c->gates[i].name);
		free(c->gates[i].run);
		free(c->gates[i].builtin);
		free(c->gates[i].lock);
		strv_fini(&c->gates[i].paths);
	}
	free(c->gates);
	c->gates = NULL;
	c->n_gates = 0;
}

void config_maps_gates(struct config_loader *l, const struct yaml_node *v)
{
	enum { MAX_GATES = 1000 };
	bool off = v->kind == YAML_SCALAR && !v->plain && !v->len;

	if (v->kind != YAML_LIST && !off) {
		config_fault(l, v, "gates", "must be a list of gates, not %s", yaml_what(v));
		return;
	}
	if (v->n > MAX_GATES) {
		config_fault(l, v, "gates", "has more than %d gates", MAX_GATES);
		return;
	}
	config_maps_free_gates(l->c); /* a later source replaces the list as a whole */
	l->c->gates = mem_array(v->n, sizeof *l->c->gates);
	for (const struct yaml_node *i = v->first; i; i = i->next)
		read_gate(l, i);
}

/* ---- agents and models are named, so sources add to each other ---- */

/* A mapping of names to mappings? */
static bool is_name_map(struct config_loader *l, const struct yaml_node *v, const char *key)
{
	bool good = v->kind == YAML_MAP;
	if (!good)
		config_fault(l, v, key, "must be a mapping of names, not %s", yaml_what(v));
	for (const struct yaml_node *i = v->first; i; i = i->next)
		if (v->kind == YAML_MAP && i->kind != YAML_MAP) {
			config_fault(l, i, key, "%.64s must be a mapping, not %s", i->key->text,
			             yaml_what(i));
			good = false;
		}
	return good;
}

void config_maps_agents(struct config_loader *l, const struct yaml_node *v)
{
	if (is_name_map(l, v, "agents"))
		config_agents_source(l, v);
}

/* ---- models ---- */

static struct plan_model *model_of(struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_models; i++)
		if (strcmp(c->models[i].name, name) == 0)
			return &c->models[i];
	c->models = mem_grow(c->models, c->n_models + 1, sizeof *c->models);
	c->models[c->n_models] = (struct plan_model){.name = mem_strdup(name)};
	return &c->models[c->n_models++];
}

static void read_model_key(struct config_loader *l, const struct yaml_node *v, struct plan_model *m)
{
	bool agent = strcmp(v->key->text, "agent") == 0;
	const char *text, *wrong;

	if (!agent && strcmp(v->key->text, "model") != 0) {
		config_fault(l, v->key, "models", "a model has no key \"%.64s\", only agent and model", v->key->text);
		return;
	}
	text = config_value_text(l, v, "models", false);
	wrong = text && agent ? plan_id_fault(text) : NULL;
	if (wrong)
		config_fault(l, v, "models", "an agent's name is an id: %s", wrong);
	else if (text && (!*text || *text == '-' || strlen(text) > 128)) /* it becomes an argument (promise E1) */
		config_fault(l, v, "models", "must be of 1 to 128 bytes and not begin with \"-\"");
	else if (text)
		mem_set(agent ? &m->agent : &m->model, text);
}

void config_maps_models(struct config_loader *l, const struct yaml_node *v)
{
	enum { MAX_MODELS = 1000 };

	if (!is_name_map(l, v, "models"))
		return;
	if (v->n > MAX_MODELS) {
		config_fault(l, v, "models", "has more than %d models", MAX_MODELS);
		return;
	}
	for (const struct yaml_node *i = v->first; i; i = i->next) {
		struct plan_model *m = model_of(l->c, i->key->text);
		for (const struct yaml_node *k = i->first; k; k = k->next)
			read_model_key(l, k, m);
	}
}

void config_maps_free_models(struct config *c)
{
	for (size_t i = 0; i < c->n_models; i++) {
		free(c->models[i].name);
		free(c->models[i].agent);
		free(c->models[i].model);
	}
	free(c->models);
	c->models = NULL;
	c->n_models = 0;
}
