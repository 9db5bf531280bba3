/* json: writing and reading JSON. With json_cut the door to jansson; nothing else includes jansson.h. */
#include "json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "json_number.h"

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 32, REAL_DIGITS = 15 };
#define MAX_EXACT 9007199254740992.0 /* 2^53: below, each whole number has its real */

static void *alloc(size_t size)
{
	void *p = malloc(size ? size : 1); /* of the many small pieces none need be zeroed */
	if (!p)
		mem_none();
	return p;
}

/* jansson's answer to "no memory" is NULL, to be checked at every call; ours is to abort. Every
 * value begins with one of the three functions that call this. */
void json_start(void)
{
	static bool started;
	if (!started)
		json_set_alloc_funcs(alloc, free);
	started = true;
}

json_t *json_map(void)
{
	json_start();
	return json_object();
}

json_t *json_list(void)
{
	json_start();
	return json_array();
}

void json_free(json_t *j)
{
	json_decref(j);
}

/* ---- writing ---- */

/* Length of the well-formed character at p (of n bytes); 0 when it is not one. */
static size_t character(const char *p, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (str_utf8(p, len))
			return len;
	return 0;
}

/* `text` itself when it is UTF-8, else a copy in `buffer` with U+FFFD for each byte that is not. */
static const char *clean(const char *text, struct str *buffer)
{
	size_t n = strlen(text);

	if (str_utf8(text, n))
		return text;
	for (size_t i = 0; i < n;) {
		size_t len = character(text + i, n - i);
		if (len)
			str_addn(buffer, text + i, len);
		else
			str_add(buffer, "\xef\xbf\xbd");
		i += len ? len : 1;
	}
	return str_text(buffer);
}

static json_t *text_value(const char *text)
{
	AUTO_STR struct str buffer = {0};
	return text ? json_string(clean(text, &buffer)) : json_null();
}

void json_put(json_t *map, const char *key, json_t *value)
{
	AUTO_STR struct str buffer = {0};
	json_object_set_new(map, clean(key, &buffer), value);
}

void json_put_text(json_t *map, const char *key, const char *text)
{
	json_put(map, key, text_value(text));
}

void json_put_u64(json_t *map, const char *key, uint64_t n)
{
	/* jansson's integers are signed; JSON itself knows no limit. */
	json_put(map, key, n <= INT64_MAX ? json_integer((json_int_t)n) : json_real((double)n));
}

void json_put_real(json_t *map, const char *key, double n)
{
	json_t *value = json_real(n); /* NULL for NaN and infinity, which JSON cannot say */
	json_put(map, key, value ? value : json_null());
}

void json_put_flag(json_t *map, const char *key, bool yes)
{
	json_put(map, key, json_boolean(yes));
}

void json_put_null(json_t *map, const char *key)
{
	json_put(map, key, json_null());
}

void json_put_list(json_t *map, const char *key, const struct strv *texts)
{
	json_t *list = json_list();
	for (size_t i = 0; i < texts->n; i++)
		json_add_text(list, texts->v[i]);
	json_put(map, key, list);
}

void json_add(json_t *list, json_t *value)
{
	json_array_append_new(list, value);
}

void json_add_text(json_t *list, const char *text)
{
	json_add(list, text_value(text));
}

static int append(const char *bytes, size_t n, void *out)
{
	str_addn(out, bytes, n);
	return 0;
}

/* JSON lets DEL, C1 and the like stand in a text; on a terminal they must not (promise E7). */
static void escape_controls(struct str *out, size_t from)
{
	struct str clean = {0};
	size_t i = from, plain = from;

	while (i < out->len) {
		unsigned code;
		size_t len = str_control_at(out->p + i, out->len - i, &code);
		if (!len || code < 0x20) { /* these are jansson's own line ends */
			i++;
			continue;
		}
		str_addn(&clean, out->p + plain, i - plain);
		str_addf(&clean, "\\u%04x", code);
		plain = i += len;
	}
	if (!clean.len)
		return;
	str_addn(&clean, out->p + plain, i - plain);
	out->len = from;
	str_addn(out, clean.p, clean.len);
	str_fini(&clean);
}

void json_write(const json_t *j, bool pretty, struct str *out)
{
	size_t from = out->len;
	/* 15 digits: every number a person writes comes out as it went in (17 print 0.1 as
	 * 0.10000000000000001). */
	size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS);
	json_dump_callback(j, append, out, flags | (pretty ? JSON_INDENT(2) : JSON_COMPACT));
	escape_controls(out, from);
}

/* One character that is not plain, or a byte that is none. */
static size_t write_odd(const char *p, size_t n, struct str *out)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *letter = strchr(letters, *p);
	size_t len = character(p, n);
	unsigned code = 0;

	if (!len)
		str_add(out, "\xef\xbf\xbd");
	else if (letter && (letter - letters) % 2 == 0)
		str_addn(out, (char[]){'\\', letter[1]}, 2);
	else if (str_control_at(p, len, &code))
		str_addf(out, code < 0x20 ? "\\u%04X" : "\\u%04x", code); /* the first are jansson's own */
	else
		str_addn(out, p, len);
	return len ? len : 1;
}

void json_quote_n(struct str *out, const char *text, size_t n)
{
	size_t plain = 0, i = 0;

	str_addc(out, '"');
	while (i < n) {
		char c = text[i];
		if (c >= ' ' && c <= '~') {
			if (c == '"' || c == '\\') { /* one in ten where JSON is in it: it begins the next plain piece */
				str_addn(out, text + plain, i - plain);
				str_addc(out, '\\');
				plain = i;
			}
			i++;
			continue;
		}
		str_addn(out, text + plain, i - plain);
		plain = i += write_odd(text + i, n - i, out);
	}
	str_addn(out, text + plain, i - plain);
	str_addc(out, '"');
}

void json_quote(struct str *out, const char *text)
{
	if (text)
		json_quote_n(out, text, strlen(text));
	else
		str_add(out, "null");
}

void json_write_list(const struct strv *texts, struct str *out)
{
	str_addc(out, '[');
	for (size_t i = 0; i < texts->n; i++) {
		if (i)
			str_addc(out, ',');
		json_quote(out, texts->v[i]);
	}
	str_addc(out, ']');
}

/* ---- reading ---- */

/* Deepest nesting of brackets outside strings: jansson recurses up to 2048 deep, once to read and
 * once to free. Whether it is JSON at all is for jansson to say. */
static size_t depth(const char *text, size_t n)
{
	size_t now = 0, most = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			most = ++now > most ? now : most;
		else if (!quoted && (c == ']' || c == '}') && now)
			now--;
	}
	return most;
}

/* `quote`: what numbers that are too large begin with, as texts. */
static json_t *parse(const char *text, size_t n, const char *quote, struct err *e)
{
	json_error_t error;

	json_start();
	/* Of two equal keys each reader takes another one: refused. */
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!j && json_error_code(&error) == json_error_numeric_overflow) { /* the rest is as good as ever */
		AUTO_STR struct str loose = {0};
		json_number_loosen(&loose, text, n, quote);
		j = json_loadb(loose.p, loose.len, JSON_REJECT_DUPLICATES, &error);
	}
	if (!j)
		err_set(e, ERR_USAGE, "not JSON: line %d, column %d: %s", error.line, error.column,
		        error.text);
	return j;
}

json_t *json_parse_own(const char *text, size_t n, struct err *e)
{
	return parse(text, n, "", e);
}

static json_t *parse_foreign(const char *text, size_t n, const char *quote, struct err *e)
{
	if (n > MAX_BYTES) {
		err_set(e, ERR_USAGE, "JSON of %zu bytes: at most %d are read", n, MAX_BYTES);
		return NULL;
	}
	if (depth(text, n) > MAX_DEPTH) {
		err_set(e, ERR_USAGE, "JSON nested more than %d deep", MAX_DEPTH);
		return NULL;
	}
	return parse(text, n, quote, e);
}

json_t *json_parse(const char *text, size_t n, struct err *e)
{
	return parse_foreign(text, n, "", e);
}

json_t *json_parse_exact(const char *text, size_t n, struct err *e)
{
	return parse_foreign(text, n, JSON_NUMBER_MARK, e);
}

void json_exact(struct str *text)
{
	json_number_restore(text);
}

const char *json_get_text(const json_t *map, const char *key)
{
	return json_string_value(json_object_get(map, key));
}

const json_t *json_get(const json_t *map, const char *key)
{
	const json_t *value = json_object_get(map, key);
	return json_is_null(value) ? NULL : value;
}

void json_keys(const json_t *map, struct strv *out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)map, key, value)
		strv_add(out, key);
}

bool json_u64(const json_t *j, uint64_t *out)
{
	double real = json_real_value(j); /* 0 when it is none */

	if (json_is_real(j) && real >= 0 && real < MAX_EXACT && real == (double)(uint64_t)real) {
		*out = (uint64_t)real; /* 1.0 */
		return true;
	}
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		return false;
	*out = (uint64_t)json_integer_value(j);
	return true;
}

bool json_float(const json_t *j, double *out)
{
	*out = json_number_value(j); /* 0 when it is none */
	return json_is_number(j);
}

const char *json_text(const json_t *j)
{
	return json_string_value(j);
}

bool json_is_list(const json_t *j)
{
	return json_is_array(j);
}

bool json_is_map(const json_t *j)
{
	return json_is_object(j);
}

bool json_yes(const json_t *j)
{
	return json_is_true(j);
}

size_t json_count(const json_t *list)
{
	return json_array_size(list);
}

const json_t *json_nth(const json_t *list, size_t i)
{
	return json_array_get(list, i);
}

enum json_kind json_kind(const json_t *j)
{
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_IS_FLAG;
	case JSON_INTEGER:
	case JSON_REAL:
		return JSON_IS_NUMBER;
	case JSON_STRING:
		return JSON_IS_TEXT;
	case JSON_ARRAY:
		return JSON_IS_LIST;
	case JSON_OBJECT:
		return JSON_IS_MAP;
	case JSON_NULL:
		break;
	}
	return JSON_IS_NULL;
}

bool json_member(const json_t *map, void **at, const char **key, const json_t **value)
{
	json_t *j = (json_t *)(uintptr_t)map; /* only read: jansson has no const here */

	*at = *at ? json_object_iter_next(j, *at) : json_object_iter(j);
	if (!*at)
		return false;
	*key = json_object_iter_key(*at);
	*value = json_object_iter_value(*at);
	return true;
}
