/* config_agents_get: whole definitions, each made of what it extends and what is written of it. */
#include <assert.h>
#include <string.h>

#include "agents_built.h"
#include "config_agents.h"
#include "config_private.h"
#include "store/base/mem.h"
#include "worker/adapter.h"

static size_t built_find(const char *name)
{
	size_t i = 0;

	while (i < agents_built_count && !str_eq(agents_built_list[i].name, name))
		i++;
	return i;
}

static struct config_agents_def *make(struct config_agents *a, struct config_agents_def *d, bool built);

/* A built-in one, read when it is first asked for; NULL = there is none of this name. */
static struct config_agents_def *built(struct config_agents *a, const char *name)
{
	struct config_agents_def *d = config_agents_find(a->built, a->n_built, name);
	size_t i = built_find(name);

	if (d || i == agents_built_count)
		return d;
	const char *text = agents_built_list[i].text;
	struct plan_faults faults = {0};
	struct yaml *doc = yaml_parse(CONFIG_BUILT_IN, text, strlen(text), &faults);
	assert(doc && yaml_root(doc)->kind == YAML_MAP); /* tests/unit/test_config_agents.c */
	struct config nothing = {.agents = a};
	struct config_loader l = {.c = &nothing, .faults = &faults, .origin = CONFIG_BUILT_IN};
	d = config_agents_add(&a->built, &a->n_built, name);
	config_agents_read(&l, d, yaml_root(doc));
	assert(!faults.n);
	yaml_free(doc);
	plan_faults_fini(&faults);
	return make(a, d, true);
}

/* What `d` begins with; NULL = nothing. *known: there is one of the name that it wants. */
static const struct config_agents_def *base_of(struct config_agents *a, const struct config_agents_def *d, bool is_built,
                                               bool *known)
{
	const char *name = d->extends ? d->extends : d->def.name;
	bool own = !is_built && !str_eq(name, d->def.name);
	struct config_agents_def *base = own ? config_agents_find(a->own, a->n_own, name) : NULL;

	*known = true;
	if (is_built && !d->extends)
		return NULL;
	if (base)
		return base->busy ? NULL : make(a, base, false);
	base = built(a, name);
	*known = base || !d->extends;
	return base;
}

/* NULL = it extends itself, or one that is not there. */
static struct config_agents_def *make(struct config_agents *a, struct config_agents_def *d, bool is_built)
{
	struct msg_agent *m = &d->made;
	bool known;

	if (d->is_made)
		return d;
	d->busy = true;
	const struct config_agents_def *base = base_of(a, d, is_built, &known);
	d->busy = false;
	if (!base && (!known || (d->extends && !is_built)))
		return NULL;
	if (base)
		rec_copy(msg_rec(MSG_AGENT), m, &base->made);
	/* To go on with the words of another command line would start another program. */
	if (config_agents_given(d, "argv") && !config_agents_given(d, "resume"))
		strv_fini(&m->resume);
	if (d->extends && !d->trusted)
		m->full = false;
	config_agents_apply(m, d);
	mem_set(&m->name, d->def.name);
	if (!m->account)
		m->account = mem_strdup(m->name);
	if (!m->prompt)
		m->prompt = mem_strdup("file");
	if (!m->session)
		m->session = mem_strdup("none");
	if (!m->ok.n)
		strv_add(&m->ok, "exit 0");
	d->is_made = true;
	return d;
}

const struct msg_agent *config_agents_get(const struct config *c, const char *name)
{
	struct config_agents *a = c->agents;
	struct config_agents_def *d = a ? config_agents_find(a->own, a->n_own, name) : NULL;

	d = !a ? NULL : d ? make(a, d, false) : built(a, name);
	return d ? &d->made : NULL;
}

bool config_agents_says(const struct config *c, const char *name, const char *key)
{
	const struct config_agents *a = c->agents;
	const struct config_agents_def *d = a ? config_agents_find(a->own, a->n_own, name) : NULL;

	while (d && !config_agents_given(d, key)) { /* none extends itself: config_agents_get_check */
		const char *next = d->extends;
		d = next && !str_eq(next, d->def.name) ? config_agents_find(a->own, a->n_own, next) : NULL;
	}
	return d != NULL;
}

void config_agents_get_own(const struct config *c, struct strv *out)
{
	for (size_t i = 0; c->agents && i < c->agents->n_own; i++)
		strv_add(out, c->agents->own[i]->def.name);
	strv_sort(out);
}

void config_agents_get_names(const struct config *c, struct strv *out)
{
	config_agents_get_own(c, out);
	for (size_t i = 0; i < agents_built_count; i++)
		if (!strv_has(out, agents_built_list[i].name))
			strv_add(out, agents_built_list[i].name);
	strv_sort(out);
}

/* ---- checks ---- */

static void fault(struct config_loader *l, const struct config_agents_def *d, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void fault(struct config_loader *l, const struct config_agents_def *d, const char *key, const char *fmt, ...)
{
	const struct config_agents_at *at = config_agents_place(d, key);
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	plan_faults_add(l->faults, at->origin, at->line, at->column, NULL, "agents", "%s: %s", d->def.name, text.p);
	l->bad = true;
}

static void unknown(struct config_loader *l, const struct config_agents_def *d, const char *key, const char *name)
{
	AUTO_STRV struct strv names = {0};

	config_agents_get_names(l->c, &names);
	const char *near = str_nearest(name, (const char *const *)names.v, names.n);
	if (near)
		fault(l, d, key, "%s: there is no agent %s; did you mean \"%s\"?", key, name, near);
	else
		fault(l, d, key, "%s: there is no agent %s", key, name);
}

static void check_rules(struct config_loader *l, struct config_agents_def *d)
{
	AUTO_FREE char *prefix = mem_printf("agent \"%s\": ", d->def.name);
	struct adapter *a;
	struct err e = {0};

	if (adapter_new(&a, &d->made, &e) == 0) {
		adapter_free(a);
		return;
	}
	const char *text = e.text + (str_starts(e.text, prefix) ? strlen(prefix) : 0);
	fault(l, d, text, "%s", text);
}

static void check(struct config_loader *l, struct config_agents_def *d)
{
	struct config_agents *a = l->c->agents;

	if (d->broken)
		return;
	if (d->extends && !str_eq(d->extends, d->def.name) && !config_agents_find(a->own, a->n_own, d->extends) &&
	    built_find(d->extends) == agents_built_count) {
		unknown(l, d, "extends", d->extends);
		return;
	}
	if (!make(a, d, false)) {
		fault(l, d, "extends", "extends: it extends itself");
		return;
	}
	const struct msg_agent *m = &d->made;
	if (!m->argv.n)
		fault(l, d, "argv", "an agent must have argv, a list of words, or extend one that has");
	else
		check_rules(l, d);
	if (m->fallback && str_eq(m->fallback, m->name))
		fault(l, d, "fallback", "fallback: it names itself");
	else if (m->fallback && !config_agents_get(l->c, m->fallback))
		unknown(l, d, "fallback", m->fallback);
}

/* A name elsewhere in the configuration. */
static void check_name(struct config_loader *l, const char *key, const char *what, const char *name)
{
	const struct config_where *w = &l->where[config_key_find(key)];
	AUTO_STRV struct strv names = {0};

	if (!name || !*name || str_eq(name, "agent"))
		return;
	config_agents_get_names(l->c, &names);
	if (strv_has(&names, name))
		return;
	const char *near = str_nearest(name, (const char *const *)names.v, names.n);
	plan_faults_add(l->faults, w->origin, w->line, w->column, NULL, key, "%sthere is no agent %.64s%s%s%s", what, name,
	                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	l->bad = true;
}

void config_agents_get_check(struct config_loader *l)
{
	check_name(l, "agent", "", l->c->agent);
	for (size_t i = 0; i < l->c->n_models; i++) {
		AUTO_FREE char *what = mem_printf("%s: ", l->c->models[i].name);
		check_name(l, "models", what, l->c->models[i].agent);
	}
	for (size_t i = 0; i < l->c->agents->n_own; i++)
		check(l, l->c->agents->own[i]);
}
