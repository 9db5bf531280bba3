/* json_cut: finds where values end, and has jansson parse them. What is between them is looked at here, all that is in
 * them by jansson. */
#include "json_cut.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "json.h"
#include "json_number.h"

__attribute__((format(printf, 4, 5)))
static int fault(const struct json_cut *c, const char *at, struct json_fault *f, const char *fmt, ...)
{
	va_list ap;

	f->line = c->line;
	f->column = (size_t)(at - c->line_start) + 1;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	return -1;
}

void json_cut_start(struct json_cut *c, const char *text, size_t n)
{
	bool mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;

	*c = (struct json_cut){.p = text + (mark ? 3 : 0), .end = text + n, .line_start = text, .line = 1};
}

char json_cut_peek(struct json_cut *c)
{
	for (; c->p < c->end; c->p++) {
		if (*c->p == '\n') {
			c->line++;
			c->line_start = c->p + 1;
		} else if (*c->p != ' ' && *c->p != '\t' && *c->p != '\r') {
			return *c->p;
		}
	}
	return 0;
}

static int expected(struct json_cut *c, struct json_fault *f, const char *what)
{
	if (c->p == c->end)
		return fault(c, c->p, f, "the text ends where %s must come: it is cut off", what);
	return fault(c, c->p, f, "%s must come here", what);
}

int json_cut_open(struct json_cut *c, char bracket, struct json_fault *f)
{
	if (json_cut_peek(c) != bracket || c->p == c->end)
		return expected(c, f, bracket == '{' ? "a mapping, { ... }," : "a list, [ ... ],");
	c->p++;
	c->fresh = true;
	return 0;
}

/* To the next thing in a bracket. */
static int next(struct json_cut *c, char closing, struct json_fault *f)
{
	char here = json_cut_peek(c);

	if (here == closing && c->p < c->end) {
		c->p++;
		c->fresh = false;
		return 0;
	}
	if (!c->fresh) {
		if (here != ',')
			return expected(c, f, closing == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
		c->p++;
		json_cut_peek(c);
	}
	c->fresh = false;
	return 1;
}

int json_cut_element(struct json_cut *c, struct json_fault *f)
{
	return next(c, ']', f);
}

int json_cut_member(struct json_cut *c, char **key, struct json_fault *f)
{
	json_t *name = NULL;
	int rc = next(c, '}', f);

	if (rc != 1)
		return rc;
	if (json_cut_peek(c) != '"')
		return expected(c, f, "a key in \"\"");
	if (json_cut_value(c, &name, NULL, f) != 0)
		return -1;
	*key = mem_strdup(json_string_value(name));
	json_decref(name);
	if (json_cut_peek(c) == ':' && c->p < c->end) {
		c->p++;
		json_cut_peek(c);
		return 1;
	}
	mem_set(key, NULL);
	return expected(c, f, "\":\"");
}

/* ---- values ---- */

/* The end of the text that begins at c->p with ". */
static const char *past_text(struct json_cut *c)
{
	for (const char *p = c->p + 1; p < c->end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\n') { /* not allowed, but that is said later */
			c->line++;
			c->line_start = p + 1;
		} else if (*p == '\\' && p + 1 < c->end && p[1] != '\n') {
			p++;
		}
	}
	return NULL;
}

static bool ends_word(char c)
{
	return c == ',' || c == ']' || c == '}' || c == ':' || c == '"' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int json_cut_skip(struct json_cut *c, struct json_span *out, struct json_fault *f)
{
	size_t depth = 0;

	if (!json_cut_peek(c) && c->p == c->end)
		return expected(c, f, "a value");
	struct json_cut from = *c;
	*out = (struct json_span){.p = c->p, .line = c->line, .column = (size_t)(c->p - c->line_start) + 1};
	do {
		char here = json_cut_peek(c);
		if (c->p == c->end)
			return fault(&from, from.p, f, "the value that begins here has no end: the text is cut off");
		if (here == '"') {
			const char *to = past_text(c);
			if (!to)
				return fault(&from, from.p, f, "the value that begins here has no end: a \" is missing");
			c->p = to;
		} else if (here == '{' || here == '[') {
			c->p++;
			out->nodes++;
			if (++depth > JSON_CUT_MAX_DEPTH)
				return fault(c, c->p - 1, f, "nested more than %d deep", JSON_CUT_MAX_DEPTH);
		} else if (here == '}' || here == ']') {
			if (!depth)
				return expected(c, f, "a value");
			c->p++;
			depth--;
		} else if (here == ',' || here == ':') {
			if (!depth)
				return expected(c, f, "a value");
			c->p++;
			out->nodes++;
		} else {
			while (c->p < c->end && !ends_word(*c->p))
				c->p++;
		}
	} while (depth);
	c->fresh = false;
	out->n = (size_t)(c->p - out->p);
	return 0;
}

static json_t *parse(const struct json_span *s, struct json_fault *f)
{
	json_error_t error;
	size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;

	const char *nul = memchr(s->p, '\0', s->n);
	if (nul) { /* jansson loses one behind a number */
		f->line = s->line;
		f->column = s->column + (size_t)(nul - s->p);
		for (const char *p = s->p; p < nul; p++)
			if (*p == '\n') {
				f->line++;
				f->column = (size_t)(nul - p);
			}
		snprintf(f->text, sizeof f->text, "a NUL byte: this is not text");
		return NULL;
	}
	json_start();
	json_t *j = json_loadb(s->p, s->n, flags, &error);
	if (!j && json_error_code(&error) == json_error_numeric_overflow) {
		AUTO_STR struct str loose = {0};
		json_number_loosen(&loose, s->p, s->n, NULL);
		j = json_loadb(loose.p, loose.len, flags, &error);
	}
	if (j)
		return j;
	size_t line = error.line > 0 ? (size_t)error.line : 1, column = error.column > 0 ? (size_t)error.column : 1;
	f->line = s->line + line - 1;
	f->column = line == 1 ? s->column + column - 1 : column;
	if (json_error_code(&error) == json_error_null_character)
		snprintf(f->text, sizeof f->text, "a text with \\u0000 (NUL) is not taken");
	else
		snprintf(f->text, sizeof f->text, "not JSON: %s", error.text);
	return NULL;
}

int json_cut_value(struct json_cut *c, struct json_t **out, struct json_span *span, struct json_fault *f)
{
	struct json_span here, *s = span ? span : &here;
	struct json_cut from = *c;

	if (json_cut_skip(c, s, f) != 0)
		return -1;
	if (s->n > JSON_CUT_MAX_VALUE)
		return fault(&from, from.p, f, "a value of %zu MiB: at most %d MiB are read", s->n >> 20, JSON_CUT_MAX_VALUE >> 20);
	if (s->nodes > JSON_CUT_MAX_NODES)
		return fault(&from, from.p, f, "a value of more than %d values", JSON_CUT_MAX_NODES);
	*out = parse(s, f);
	return *out ? 0 : -1;
}

int json_cut_end(struct json_cut *c, struct json_fault *f)
{
	json_cut_peek(c);
	return c->p == c->end ? 0 : fault(c, c->p, f, "there is more text behind the end");
}

struct json_t *json_cut_text(const char *text, size_t n, struct json_fault *f)
{
	struct json_cut c;
	json_t *j;

	json_cut_start(&c, text, n);
	if (json_cut_value(&c, &j, NULL, f) != 0)
		return NULL;
	if (json_cut_end(&c, f) == 0)
		return j;
	json_decref(j);
	return NULL;
}
