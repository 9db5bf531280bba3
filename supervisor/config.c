/* config: gathers the sources of the configuration, applies them in order and checks the outcome.
 * Never writes a configuration, and never looks at the environment again once it is read. */
#include "config_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "config_agents.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

enum { MAX_FILE = 1 << 20 };

static const char variable_prefix[] = "BOSK_CONFIG_";
static const char option[] = "-c";

void config_fault(struct config_loader *l, const struct yaml_node *at, const char *key,
                  const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	size_t column = at ? at->column + (at->line == 1 ? l->shift : 0) : 0;
	plan_faults_add(l->faults, l->origin, at ? at->line : 0, column, NULL, key, "%s", text.p);
	l->bad = true;
}

/* ---- applying one source ---- */

static void apply(struct config_loader *l, const char *name, const struct yaml_node *v);

static void apply_map(struct config_loader *l, const char *section, const struct yaml_node *map)
{
	for (const struct yaml_node *v = map->first; v; v = v->next) {
		AUTO_FREE char *name =
			mem_printf("%s%s%s", section, *section ? "." : "", v->key->text);
		apply(l, name, v);
	}
}

static void apply(struct config_loader *l, const char *name, const struct yaml_node *v)
{
	size_t key = config_key_find(name);

	if (key < config_n_keys) {
		config_value_set(l, key, v);
	} else if (!config_key_section(name)) {
		AUTO_FREE char *hint = config_key_hint(name);
		config_fault(l, v->key ? v->key : v, name, "there is no such key%s", hint);
	} else if (v->kind == YAML_MAP) {
		apply_map(l, name, v);
	} else if (!yaml_is_null(v)) { /* nothing: all of it commented out */
		config_fault(l, v, name, "must be a mapping, not %s", yaml_what(v));
	}
}

/* Faults of the YAML reader, told as from this source. */
static struct yaml *parse(struct config_loader *l, const char *key, const char *text)
{
	struct plan_faults found = {0};
	struct yaml *doc = yaml_parse(l->origin, text, strlen(text), &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct plan_fault *f = &found.v[i];
		plan_faults_add(l->faults, l->origin, f->line,
		                f->column + (f->line == 1 ? l->shift : 0), NULL,
		                f->key ? f->key : key, "%s", f->message);
		l->bad = true;
	}
	plan_faults_fini(&found);
	return doc;
}

/* A value outside a file. For a key that wants a text it is that text, so that "#", ": " and braces
 * in a command mean nothing, unless all of it is one quoted text. */
static void apply_value(struct config_loader *l, const char *name, const char *value)
{
	struct yaml_node plain = {.kind = YAML_SCALAR, .plain = *value != '\0', .text = value,
	                          .len = strlen(value), .line = 1, .column = 1};
	size_t key = config_key_find(name);
	bool wants_text = key < config_n_keys && config_keys[key].type < CONFIG_LIST;

	if (!str_utf8(value, plain.len)) {
		config_fault(l, &plain, name, "is not valid UTF-8");
		return;
	}
	struct yaml *doc = NULL;
	if (wants_text && (*value == '"' || *value == '\'')) {
		struct plan_faults ignored = {0};
		doc = yaml_parse(l->origin, value, plain.len, &ignored);
		plan_faults_fini(&ignored);
	} else if (!wants_text && *value) {
		doc = parse(l, name, value);
		if (!doc)
			return;
	}
	apply(l, name, doc ? yaml_root(doc) : &plain);
	yaml_free(doc);
}

static void apply_option(struct config_loader *l, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text) {
		config_fault(l, NULL, NULL, "\"%.80s\" is not of the form key=value", text);
		return;
	}
	AUTO_FREE char *name = mem_strndup(text, (size_t)(equals - text));
	l->shift = (size_t)(equals + 1 - text);
	apply_value(l, name, equals + 1);
	l->shift = 0;
}

static void add_variable(struct str *out, const char *name)
{
	str_add(out, variable_prefix);
	for (const char *p = name; *p; p++)
		str_addc(out, *p == '.' ? '_' : (char)toupper((unsigned char)*p));
}

/* Variables of keys, and of sections ("BOSK_CONFIG_WORKTREES={dir: x}"). */
static void apply_variable(struct config_loader *l, const char *variable, const char *value)
{
	AUTO_STRV struct strv known = {0};

	for (size_t i = 0; i < config_n_keys; i++) {
		AUTO_STRV struct strv names = {0}; /* the key, its section */
		strv_add(&names, config_keys[i].name);
		const char *dot = strchr(config_keys[i].name, '.');
		if (dot)
			strv_give(&names, mem_strndup(config_keys[i].name,
			                              (size_t)(dot - config_keys[i].name)));
		for (size_t k = 0; k < names.n; k++) {
			AUTO_STR struct str name = {0};
			add_variable(&name, names.v[k]);
			if (strcmp(name.p, variable) == 0) {
				apply_value(l, names.v[k], value);
				return;
			}
			strv_give(&known, str_take(&name));
		}
	}
	const char *near = str_nearest(variable, (const char *const *)known.v, known.n);
	if (near)
		config_fault(l, NULL, NULL, "there is no key for this variable; did you mean %s?",
		             near);
	else
		config_fault(l, NULL, NULL, "there is no key for this variable");
}

static void apply_source(struct config_loader *l, const char *origin, const char *text)
{
	l->origin = origin;
	if (strcmp(origin, option) == 0) {
		apply_option(l, text);
	} else if (str_starts(origin, variable_prefix)) {
		apply_variable(l, origin, text);
	} else {
		struct yaml *doc = parse(l, NULL, text);
		const struct yaml_node *root = doc ? yaml_root(doc) : NULL;
		if (root && root->kind == YAML_MAP)
			apply_map(l, "", root);
		else if (root && !yaml_is_null(root))
			config_fault(l, root, NULL, "a configuration must be a mapping, not %s",
			             yaml_what(root));
		yaml_free(doc);
	}
}

/* ---- gathering the sources ---- */

static void add_source(struct strv *sources, const char *origin, const char *text)
{
	strv_add(sources, origin);
	strv_add(sources, text);
}

/* A file that need not be there. */
static void add_file(struct config_loader *l, struct strv *sources, const char *path)
{
	AUTO_STR struct str text = {0};
	struct err e = {0};

	l->origin = path;
	if (fs_read(path, MAX_FILE, &text, &e) != 0) {
		if (e.code != ENOENT && e.code != ENOTDIR)
			config_fault(l, NULL, NULL, "%s%s", e.code ? "cannot be read: " : "",
			             e.code ? strerror(e.code) : "is larger than 1 MiB");
		return;
	}
	if (memchr(text.p, 0, text.len)) /* kept and passed on as a string: it would end here */
		config_fault(l, NULL, NULL, "holds a NUL byte: this is not text");
	else
		add_source(sources, path, text.p);
}

static char *user_file(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (xdg && *xdg == '/') /* relative ones are to be ignored, says its specification */
		return mem_printf("%s/bosk/config.yaml", xdg);
	return home && *home == '/' ? mem_printf("%s/.config/bosk/config.yaml", home) : NULL;
}

static void add_variables(struct strv *sources)
{
	AUTO_STRV struct strv found = {0};

	for (char **p = environ; p && *p; p++)
		if (str_starts(*p, variable_prefix) && strchr(*p, '='))
			strv_add(&found, *p);
	/* By name: a section comes before its keys, whatever the order in the environment. */
	strv_sort(&found);
	for (size_t i = 0; i < found.n; i++) {
		char *equals = strchr(found.v[i], '=');
		*equals = '\0';
		add_source(sources, found.v[i], equals + 1);
	}
}

/* ---- the whole ---- */

static void preset(struct config_loader *l)
{
	l->origin = CONFIG_BUILT_IN;
	for (size_t i = 0; i < config_n_keys; i++)
		apply_value(l, config_keys[i].name, config_keys[i].preset);
}

int config_load_sources(struct config *out, const struct strv *sources, struct plan_faults *faults)
{
	struct config_loader l = {.c = out, .faults = faults,
	                          .where = mem_array(config_n_keys, sizeof *l.where)};

	*out = (struct config){.agents = config_agents_new()};
	preset(&l);
	for (size_t i = 0; i + 1 < sources->n; i += 2)
		apply_source(&l, sources->v[i], sources->v[i + 1]);
	config_agents_get_check(&l);
	plan_faults_sort(faults);
	strv_copy(&out->sources, sources);
	out->where = l.where;
	if (!l.bad)
		return 0;
	config_fini(out);
	return -1;
}

int config_load(struct config *out, const char *repo_top, const struct strv *overrides,
                struct plan_faults *faults)
{
	AUTO_STRV struct strv sources = {0};
	AUTO_FREE char *user = user_file();
	AUTO_FREE char *repo = repo_top ? mem_printf("%s/bosk.yaml", repo_top) : NULL;
	struct config_loader l = {.c = out, .faults = faults};

	if (user)
		add_file(&l, &sources, user);
	if (repo)
		add_file(&l, &sources, repo);
	add_variables(&sources);
	for (size_t i = 0; overrides && i < overrides->n; i++)
		add_source(&sources, option, overrides->v[i]);

	int rc = config_load_sources(out, &sources, faults);
	if (rc == 0 && l.bad) { /* what could be read was right, but not everything could be */
		config_fini(out);
		rc = -1;
	}
	return rc;
}

const struct strv *config_warnings(const struct config *c)
{
	return &c->agents->warnings;
}

void config_fini(struct config *c)
{
	config_maps_free_gates(c);
	config_maps_free_models(c);
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];
		void *at = (char *)c + k->offset;
		if (k->type == CONFIG_TEXT || k->type == CONFIG_CHOICE || k->type == CONFIG_REAL)
			free(*(char **)at);
		else if (k->type == CONFIG_LIST || k->type == CONFIG_PATHS)
			strv_fini(at);
	}
	config_agents_free(c->agents);
	strv_fini(&c->sources);
	config_show_free(c->where);
	*c = (struct config){0};
}
