/* manifest: finds the blocks of a manifest that say where skills lie, and reads them. Other blocks (lists of tools, words)
 * are not looked at: they need not be valid YAML. */
#include "manifest.h"

#include <stdarg.h>
#include <string.h>

#include "store/base/mem.h"
#include "supervisor/yaml.h"

struct reading {
	struct manifest *out;
	const char *file;
	struct plan_faults *faults;
	bool bad;
};

__attribute__((format(printf, 4, 5)))
static void fault(struct reading *r, const struct yaml_node *at, const char *key, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	plan_faults_add(r->faults, r->file, at->line, at->column, NULL, key, "%s", text.p);
	r->bad = true;
}

/* The text of a key, NULL = not given or a fault. */
static const char *text_of(struct reading *r, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *v = yaml_get(map, key);

	if (!v || yaml_is_null(v))
		return NULL;
	if (v->kind == YAML_SCALAR && v->len && v->len <= PLAN_PATH_MAX)
		return v->text;
	fault(r, v, key, "must be a text of at most %d bytes", PLAN_PATH_MAX);
	return NULL;
}

/* ---- sources ---- */

struct source {
	const char *name, *path, *url;
	uint64_t priority;
	size_t at;
	bool local;
};

static int by_priority(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static struct source read_source(struct reading *r, const struct yaml_node *v, size_t at)
{
	struct source s = {.at = at, .priority = UINT64_MAX};
	const struct yaml_node *local = yaml_get(v, "local"), *priority = yaml_get(v, "priority");

	if (v->kind != YAML_MAP) {
		fault(r, v, "sources", "a source must be a mapping, not %s", yaml_what(v));
		return s;
	}
	s.name = text_of(r, v, "name");
	s.path = text_of(r, v, "path");
	s.url = text_of(r, v, "url");
	if (local && !yaml_flag(local, &s.local))
		fault(r, local, "local", "must be true or false, without quotes");
	if (priority && !yaml_u64(priority, &s.priority))
		fault(r, priority, "priority", "must be a whole number");
	if (s.local && !s.path)
		fault(r, v, "sources", "a local source must have a path");
	return s;
}

static void read_sources(struct reading *r, const struct yaml_node *list)
{
	if (list->kind != YAML_LIST || list->n > PLAN_MAX_LIST) {
		fault(r, list, "sources", "must be a list of at most %d sources", PLAN_MAX_LIST);
		return;
	}
	AUTO_FREE struct source *v = mem_array(list->n, sizeof *v);
	size_t n = 0;
	for (const struct yaml_node *i = list->first; i; i = i->next, n++)
		v[n] = read_source(r, i, n);
	if (n)
		qsort(v, n, sizeof *v, by_priority);
	for (size_t i = 0; i < n; i++) {
		if (v[i].local && v[i].path)
			strv_add(str_eq(v[i].name, "baseline") ? &r->out->baseline : &r->out->sources, v[i].path);
		else if (v[i].name || v[i].url)
			strv_addf(&r->out->remote, "%s (%s)", v[i].name ? v[i].name : "a source",
			          v[i].url ? v[i].url : "not local");
	}
}

static void read_map(struct reading *r, const struct yaml_node *root)
{
	const struct yaml_node *local = yaml_get(root, "local"), *sources = yaml_get(root, "sources");

	if (local && local->kind == YAML_MAP) {
		const char *path = text_of(r, local, "path");
		if (path)
			strv_add(&r->out->local, path);
	} else if (local && !yaml_is_null(local)) {
		fault(r, local, "local", "must be a mapping with a path, not %s", yaml_what(local));
	}
	if (sources && !yaml_is_null(sources))
		read_sources(r, sources);
}

static void read_yaml(struct reading *r, const char *text, size_t n)
{
	struct yaml *doc = yaml_parse(r->file, text, n, r->faults);

	if (!doc) {
		r->bad = true;
		return;
	}
	const struct yaml_node *root = yaml_root(doc);
	if (root->kind == YAML_MAP)
		read_map(r, root);
	else if (!yaml_is_null(root))
		fault(r, root, NULL, "must be a mapping with sources or local, not %s", yaml_what(root));
	yaml_free(doc);
}

/* ---- blocks ---- */

/* Is it a line that begins or ends a block? *yaml: its language is YAML. */
static bool is_fence(const char *line, size_t n, bool *yaml)
{
	AUTO_FREE char *word = NULL;
	size_t at = 0;

	if (n < 3 || (memcmp(line, "```", 3) != 0 && memcmp(line, "~~~", 3) != 0))
		return false;
	while (at < n && line[at] == line[0])
		at++;
	while (at < n && line[at] == ' ')
		at++;
	word = mem_strndup(line + at, n - at);
	word[strcspn(word, " \t\r")] = '\0';
	*yaml = strcmp(word, "yaml") == 0 || strcmp(word, "yml") == 0;
	return true;
}

/* Does a line of the block begin with this key? */
static bool has_key(const char *block, size_t n, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = block, *end = block + n; line && line < end;) {
		if ((size_t)(end - line) > len && memcmp(line, key, len) == 0 && line[len] == ':')
			return true;
		line = memchr(line, '\n', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return false;
}

int manifest_parse(struct manifest *out, const char *file, const char *text, size_t n, struct plan_faults *faults)
{
	struct reading r = {.out = out, .file = file, .faults = faults};
	bool fenced = false, inside = false, yaml = false, seen_local = false, seen_sources = false;
	size_t begin = 0;

	*out = (struct manifest){0};
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (text + at)) : n - at;
		bool this_yaml = false;
		if (is_fence(text + at, len, &this_yaml)) {
			bool local = inside && yaml && !seen_local && has_key(text + begin, at - begin, "local");
			bool sources = inside && yaml && !seen_sources && has_key(text + begin, at - begin, "sources");
			if (local || sources) { /* each once: so a manifest is parsed twice at most */
				AUTO_STR struct str block = {0}; /* its lines keep their numbers */
				for (size_t i = 0; i < begin; i++)
					if (text[i] == '\n')
						str_addc(&block, '\n');
				str_addn(&block, text + begin, at - begin);
				read_yaml(&r, block.p, block.len);
				seen_local |= local;
				seen_sources |= sources;
			}
			inside = !inside;
			yaml = this_yaml;
			begin = at + len + 1;
			fenced = true;
		}
		at += len + 1;
	}
	if (!fenced)
		read_yaml(&r, text, n);
	if (!r.bad)
		return 0;
	manifest_fini(out);
	return -1;
}

void manifest_fini(struct manifest *m)
{
	strv_fini(&m->local);
	strv_fini(&m->sources);
	strv_fini(&m->baseline);
	strv_fini(&m->remote);
}
