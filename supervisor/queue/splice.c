/* splice: cutting JSON texts into parts, changing members. Nothing here recurses: texts may be nested as deep as they
 * like. */
#include "splice.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/json.h"

size_t splice_blank(const char *t, size_t at, size_t n)
{
	while (at < n && (t[at] == ' ' || t[at] == '\t' || t[at] == '\n' || t[at] == '\r'))
		at++;
	return at;
}

size_t splice_string_end(const char *t, size_t at, size_t n)
{
	for (at++; at < n && t[at] != '"'; at++)
		if (t[at] == '\\')
			at++;
	return at < n ? at + 1 : n;
}

/* Behind the value that begins at `at`. */
static size_t value_end(const char *t, size_t at, size_t n)
{
	size_t depth = 0;

	while (at < n) {
		char c = t[at];
		if (c == '"') {
			at = splice_string_end(t, at, n);
		} else if (c == '{' || c == '[') {
			depth++;
			at++;
		} else if (c == '}' || c == ']') {
			if (!depth)
				return at;
			depth--;
			at++;
		} else if (depth) {
			at++;
			continue;
		} else {
			at += strcspn(t + at, ",]}: \t\n\r\"");
			return at;
		}
		if (!depth)
			return at;
	}
	return n;
}

bool splice_cut(struct splice_parts *out, const char *text, size_t n)
{
	size_t cap = 0, at = splice_blank(text, 0, n);

	*out = (struct splice_parts){.open = at};
	if (at >= n || (text[at] != '{' && text[at] != '['))
		return false;
	out->list = text[at] == '[';
	char end = out->list ? ']' : '}';
	for (at = splice_blank(text, at + 1, n); at < n && text[at] != end;) {
		struct splice_part p = {.key = at, .key_end = at};
		if (!out->list) {
			if (text[at] != '"')
				return false;
			p.key_end = splice_string_end(text, at, n);
			at = splice_blank(text, p.key_end, n);
			if (at >= n || text[at] != ':')
				return false;
			at = splice_blank(text, at + 1, n);
		}
		p.value = at;
		p.value_end = value_end(text, at, n);
		if (p.value_end == p.value)
			return false;
		if (out->n == cap)
			out->v = mem_grow(out->v, cap = cap ? 2 * cap : 16, sizeof *out->v);
		out->v[out->n++] = p;
		at = splice_blank(text, p.value_end, n);
		if (at < n && text[at] == ',')
			at = splice_blank(text, at + 1, n);
		else if (at >= n || text[at] != end)
			return false;
	}
	out->close = at;
	return at < n;
}

void splice_fini(struct splice_parts *p)
{
	free(p->v);
	*p = (struct splice_parts){0};
}

/* What a JSON string says; NULL = it is none. The caller owns it. */
static char *decoded(const char *text, size_t n)
{
	AUTO_FREE char *list = mem_printf("[%.*s]", (int)n, text);
	struct json_t *j = json_parse(list, strlen(list), NULL);
	char *out = mem_strdup(json_text(json_nth(j, 0)));

	json_free(j);
	return out;
}

static bool called(const struct splice_part *p, const char *text, const char *key)
{
	size_t n = p->key_end - p->key;

	if (!memchr(text + p->key, '\\', n))
		return n == strlen(key) + 2 && memcmp(text + p->key + 1, key, n - 2) == 0;
	AUTO_FREE char *name = decoded(text + p->key, n);
	return str_eq(name, key);
}

const struct splice_part *splice_find(const struct splice_parts *p, const char *text, const char *key)
{
	for (size_t i = p->list ? 0 : p->n; i-- > 0;)
		if (called(&p->v[i], text, key))
			return &p->v[i];
	return NULL;
}

char *splice_get(const char *text, const char *key)
{
	struct splice_parts parts;
	const struct splice_part *p = splice_cut(&parts, text, strlen(text)) ? splice_find(&parts, text, key) : NULL;
	char *value = p ? mem_strndup(text + p->value, p->value_end - p->value) : NULL;

	splice_fini(&parts);
	return value;
}

char *splice_get_text(const char *text, const char *key)
{
	AUTO_FREE char *value = splice_get(text, key);
	return value && value[0] == '"' ? decoded(value, strlen(value)) : NULL;
}

/* ---- changing ---- */

/* How the members of an object are set apart: what is in front of the first one, and between its colon and value. */
struct layout {
	char *before, *colon;
	const char *margin; /* of lines that continue a value; NULL = it stays on one line */
};

static void layout_of(struct layout *l, const struct splice_parts *p, const char *text)
{
	size_t first = p->n ? p->v[0].key : p->open + 1; /* of an element: its value */

	l->before = mem_strndup(text + p->open + 1, first - p->open - 1);
	l->colon = p->n ? mem_strndup(text + p->v[0].key_end, p->v[0].value - p->v[0].key_end) : mem_strdup(": ");
	const char *line = strrchr(l->before, '\n');
	l->margin = line ? line + 1 : NULL;
}

static void add_value(const struct layout *l, const char *value, struct str *out)
{
	if (l->margin)
		splice_pretty(value, l->margin, out);
	else
		splice_compact(value, out);
}

static void add_new(const struct layout *l, const struct splice_change *c, struct str *out)
{
	json_quote(out, c->name ? c->name : c->key);
	str_add(out, l->colon);
	add_value(l, c->value, out);
}

static const struct splice_change *change_of(const struct splice_part *p, const char *text,
                                             const struct splice_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (called(p, text, changes[i].key))
			return &changes[i];
	return NULL;
}

void splice_edit(const char *text, const struct splice_change *changes, size_t n, struct str *out)
{
	struct splice_parts parts;
	struct layout l;
	AUTO_STR struct str made = {0};
	size_t kept = 0;

	if (!splice_cut(&parts, text, strlen(text)) || parts.list) {
		str_add(out, text);
		splice_fini(&parts);
		return;
	}
	layout_of(&l, &parts, text);
	size_t at = parts.open + 1;
	for (size_t i = 0; i < n; i++)
		if (changes[i].first && changes[i].value && !splice_find(&parts, text, changes[i].key)) {
			str_addf(&made, "%s%s", kept++ ? "," : "", l.before);
			add_new(&l, &changes[i], &made);
		}
	for (size_t i = 0; i < parts.n; i++) {
		const struct splice_part *p = &parts.v[i];
		const struct splice_change *c = change_of(p, text, changes, n);
		if (c && !c->value && !c->name) { /* with the comma in front of it */
			at = p->value_end;
			continue;
		}
		/* What is between it and what was before; the first one that stays begins without a comma. */
		size_t comma = i ? at + strcspn(text + at, ",") : at;
		if (kept && i == 0)
			str_addc(&made, ',');
		if (i && kept)
			str_addn(&made, text + at, p->key - at);
		else
			str_addn(&made, text + (i ? comma + 1 : at), p->key - (i ? comma + 1 : at));
		kept++;
		if (c && c->name)
			json_quote(&made, c->name);
		else
			str_addn(&made, text + p->key, p->key_end - p->key);
		str_addn(&made, text + p->key_end, p->value - p->key_end);
		size_t len = p->value_end - p->value;
		if (c && c->value && c->laid_out)
			str_add(&made, c->value);
		else if (c && c->value && (strlen(c->value) != len || memcmp(c->value, text + p->value, len) != 0))
			add_value(&l, c->value, &made);
		else
			str_addn(&made, text + p->value, len);
		at = p->value_end;
	}
	for (size_t i = 0; i < n; i++)
		if (!changes[i].first && changes[i].value && !splice_find(&parts, text, changes[i].key)) {
			str_addf(&made, "%s%s", kept++ ? "," : "", l.before);
			add_new(&l, &changes[i], &made);
		}
	str_addn(out, text, parts.open + 1);
	str_addn(out, made.p ? made.p : "", made.len);
	str_add(out, text + (parts.n ? at : parts.close));
	free(l.before);
	free(l.colon);
	splice_fini(&parts);
}

char *splice_list(const char *value)
{
	if (value && value[0] == '[')
		return mem_strdup(value);
	return mem_printf("[%s]", value && strcmp(value, "null") != 0 ? value : "");
}

void splice_element(const char *text, size_t at, const char *value, struct str *out)
{
	struct splice_parts parts;
	struct layout l;

	if (!splice_cut(&parts, text, strlen(text)) || !parts.list || (at >= parts.n && at != SIZE_MAX)) {
		str_add(out, text);
		splice_fini(&parts);
		return;
	}
	layout_of(&l, &parts, text);
	size_t last = parts.n ? parts.v[parts.n - 1].value_end : parts.open + 1;
	if (at == SIZE_MAX) {
		str_addn(out, text, last);
		str_addf(out, "%s%s", parts.n ? "," : "", parts.n ? l.before : "");
		add_value(&l, value, out);
		str_add(out, text + last);
	} else if (value) {
		str_addn(out, text, parts.v[at].value);
		add_value(&l, value, out);
		str_add(out, text + parts.v[at].value_end);
	} else { /* with the comma in front of it, or behind the first one */
		size_t from = at ? parts.v[at - 1].value_end : parts.v[0].value;
		size_t to = at || parts.n == 1 ? parts.v[at].value_end : parts.v[1].value;
		str_addn(out, text, from);
		str_add(out, text + to);
	}
	free(l.before);
	free(l.colon);
	splice_fini(&parts);
}

void splice_elements(const char *text, char *const *values, size_t n, struct str *out)
{
	struct splice_parts parts;
	struct layout l;

	if (!splice_cut(&parts, text, strlen(text)) || !parts.list) {
		str_add(out, text);
		splice_fini(&parts);
		return;
	}
	layout_of(&l, &parts, text);
	size_t at = 0, last = parts.n ? parts.v[parts.n - 1].value_end : parts.open + 1;
	for (size_t i = 0; i < parts.n && i < n; i++) {
		if (!values[i])
			continue;
		str_addn(out, text + at, parts.v[i].value - at);
		add_value(&l, values[i], out);
		at = parts.v[i].value_end;
	}
	str_addn(out, text + at, last - at);
	bool any = parts.n;
	for (size_t i = parts.n; i < n; i++) {
		if (!values[i])
			continue;
		str_addf(out, "%s%s", any ? "," : "", parts.n ? l.before : "");
		add_value(&l, values[i], out);
		any = true;
	}
	str_add(out, text + last);
	free(l.before);
	free(l.colon);
	splice_fini(&parts);
}
