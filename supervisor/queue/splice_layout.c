/* splice_layout: JSON texts laid out anew, token by token; nothing recurses here either. */
#include "splice.h"

#include <string.h>

enum { MAX_INDENT = 64 };

/* Strings and numbers as they are; but what would drive a terminal as an escape. */
static void add_token(struct str *out, const char *t, size_t n)
{
	size_t plain = 0;

	for (size_t i = 0; i < n;) {
		unsigned code;
		size_t len = str_control_at(t + i, n - i, &code);
		if (len) {
			str_addn(out, t + plain, i - plain);
			str_addf(out, "\\u%04x", code);
			plain = i + len;
		}
		i += len ? len : 1;
	}
	str_addn(out, t + plain, n - plain);
}

static void new_line(struct str *out, const char *margin, size_t depth)
{
	str_addf(out, "\n%s", margin);
	for (size_t i = 0; i < depth && i < MAX_INDENT; i++)
		str_add(out, "  ");
}

static void lay_out(const char *t, const char *margin, struct str *out)
{
	size_t n = strlen(t), depth = 0;

	for (size_t at = splice_blank(t, 0, n); at < n; at = splice_blank(t, at, n)) {
		char c = t[at];
		size_t end = c == '"' ? splice_string_end(t, at, n) : at + 1;
		if (c == '{' || c == '[') {
			size_t next = splice_blank(t, end, n);
			str_addc(out, c);
			if (next < n && (t[next] == '}' || t[next] == ']')) {
				str_addc(out, t[next]);
				end = next + 1;
			} else if (++depth && margin) {
				new_line(out, margin, depth);
			}
		} else if (c == '}' || c == ']') {
			depth -= depth ? 1 : 0;
			if (margin)
				new_line(out, margin, depth);
			str_addc(out, c);
		} else if (c == ',' || c == ':') {
			str_addc(out, c);
			if (margin && c == ',')
				new_line(out, margin, depth);
			else if (margin)
				str_addc(out, ' ');
		} else {
			if (c != '"')
				end = at + 1 + strcspn(t + at + 1, ",]}:[{ \t\n\r\"");
			add_token(out, t + at, end - at);
		}
		at = end;
	}
}

void splice_pretty(const char *text, const char *margin, struct str *out)
{
	lay_out(text, margin, out);
}

void splice_compact(const char *text, struct str *out)
{
	lay_out(text, NULL, out);
}
