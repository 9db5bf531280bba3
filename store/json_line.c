/* json_line: makes of a program's line what json.c reads, and measures it before. Not a reader of JSON: what is not
 * well-formed stays so. */
#include <string.h>

#include "json_line.h"

#define UNKNOWN "\\ufffd"

struct pass {
	const char *p;
	size_t n, i, plain; /* from `plain` on nothing is in `out` yet */
	struct str out;
	bool quoted;
	size_t depth, deepest, values;
};

/* `len` bytes from i on are `instead`. */
static void replace(struct pass *s, size_t len, const char *instead)
{
	str_addn(&s->out, s->p + s->plain, s->i - s->plain);
	str_add(&s->out, instead);
	s->plain = s->i += len;
}

/* The four digits of \uXXXX at `at`; -1 = there is none. */
static int escape_at(const struct pass *s, size_t at)
{
	static const char digits[] = "0123456789abcdef";
	int code = 0;

	if (at + 6 > s->n || s->p[at] != '\\' || s->p[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		const char *digit = s->p[i] ? strchr(digits, s->p[i] | 0x20) : NULL;
		if (!digit)
			return -1;
		code = code * 16 + (int)(digit - digits);
	}
	return code;
}

static void escape(struct pass *s)
{
	int code = escape_at(s, s->i);
	int next = code >= 0xd800 && code < 0xdc00 ? escape_at(s, s->i + 6) : -1;

	if (next >= 0xdc00 && next < 0xe000)
		s->i += 12;
	else if (code == 0 || (code >= 0xd800 && code < 0xe000))
		replace(s, 6, UNKNOWN);
	else
		s->i += s->i + 1 < s->n && s->p[s->i + 1] >= ' ' ? 2 : 1;
}

static size_t character(const char *p, size_t n)
{
	for (size_t len = 2; len <= 4 && len <= n; len++)
		if (str_utf8(p, len))
			return len;
	return 0;
}

static void in_text(struct pass *s)
{
	unsigned char c = (unsigned char)s->p[s->i];
	size_t len;

	if (c == '"') {
		s->quoted = false;
		s->i++;
	} else if (c == '\\') {
		escape(s);
	} else if (c < ' ') {
		replace(s, 1, UNKNOWN);
	} else if (c < 0x80) {
		s->i++;
	} else if ((len = character(s->p + s->i, s->n - s->i))) {
		s->i += len;
	} else {
		replace(s, 1, UNKNOWN);
	}
}

static void outside(struct pass *s)
{
	switch (s->p[s->i++]) {
	case '"':
		s->quoted = true;
		break;
	case '[':
	case '{':
		s->values++;
		s->deepest = ++s->depth > s->deepest ? s->depth : s->deepest;
		break;
	case ']':
	case '}':
		s->depth -= s->depth > 0;
		break;
	case ',':
		s->values++;
		break;
	default:
		break;
	}
}

/* Where the object begins, behind blanks, NULs and terminal sequences ("ESC [ ... letter"); n when it does not. */
static size_t begin(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != '{') {
		if (p[i] == '\033' && i + 1 < n && p[i + 1] == '[') {
			i += 2;
			while (i < n && (unsigned char)p[i] >= 0x20 && (unsigned char)p[i] < 0x40)
				i++;
			i += i < n;
		} else if (p[i] == ' ' || p[i] == '\t' || p[i] == '\0' || p[i] == '\r') {
			i++;
		} else {
			return n;
		}
	}
	return i;
}

struct json_t *json_line(const char *text, size_t n)
{
	size_t from = begin(text, n);
	struct pass s = {.p = text, .n = n, .i = from, .plain = from};
	struct json_t *j = NULL;

	if (from == n || n - from > JSON_LINE_MAX)
		return NULL;
	while (s.i < s.n && s.deepest <= JSON_LINE_DEPTH && s.values <= JSON_LINE_VALUES)
		if (s.quoted)
			in_text(&s);
		else
			outside(&s);
	if (s.i == s.n && !s.quoted && !s.depth) {
		if (s.plain == from) { /* nothing was wrong */
			j = json_parse_own(text + from, n - from, NULL);
		} else {
			str_addn(&s.out, s.p + s.plain, s.n - s.plain);
			j = json_parse_own(s.out.p, s.out.len, NULL);
		}
	}
	str_fini(&s.out);
	return j;
}
