/* trace_line: one line of strace, taken apart. With -xx all text is hexadecimal, so that commas and brackets are
 * strace's own; -y gives the path behind each descriptor, at the moment of the call. */
#include "trace_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

void line_die(const struct line *l, const char *what)
{
	fprintf(stderr, "trace, line %zu (%s): %s\n", l->number, l->name, what);
	exit(2);
}

/* \x61\x62 -> ab; anything else stays. */
void line_unhex(struct str *out, const char *p, const char *end)
{
	str_addn(out, "", 0);
	while (p < end) {
		if (end - p >= 4 && p[0] == '\\' && p[1] == 'x') {
			char two[3] = {p[2], p[3], 0};
			str_addc(out, (char)strtol(two, NULL, 16));
			p += 4;
		} else {
			str_addc(out, *p++);
		}
	}
}

static char *text_of(const char *p, const char *end)
{
	AUTO_STR struct str s = {0};
	line_unhex(&s, p, end);
	return str_take(&s);
}

/* "..." -> its bytes. */
bool line_text(const char *arg, struct str *out)
{
	const char *end = arg + strlen(arg);
	if (*arg != '"' || end[-1] != '"')
		return false;
	line_unhex(out, arg + 1, end - 1);
	return true;
}

/* 7</path> -> /path; NULL when there is none, or the file has no name any more. */
char *line_fd_path(const char *arg)
{
	const char *open = strchr(arg, '<'), *close = strrchr(arg, '>');
	if (!open || !close || close < open || strstr(close, "deleted"))
		return NULL;
	char *path = text_of(open + 1, close);
	if (path[0] == '/')
		return path;
	free(path);
	return NULL;
}

/* ---- one line ---- */

/* The arguments between the brackets, each by itself. Returns what follows the last bracket. */
static const char *split(struct strv *args, const char *p)
{
	const char *from = p;
	int depth = 0;
	bool quote = false;

	for (;; p++) {
		if (!*p)
			return NULL;
		if (*p == '"')
			quote = !quote;
		else if (!quote && (*p == '[' || *p == '{' || *p == '('))
			depth++;
		else if (!quote && depth && (*p == ']' || *p == '}' || *p == ')'))
			depth--;
		else if (!quote && !depth && (*p == ',' || *p == ')')) {
			while (*from == ' ')
				from++;
			if (p > from)
				strv_give(args, mem_strndup(from, (size_t)(p - from)));
			from = p + 1;
			if (*p == ')')
				return p + 1;
		}
	}
}

bool line_parse(struct line *l, char *text)
{
	char *open = strchr(text, '(');
	if (!open)
		return false;
	*open = '\0';
	l->name = text;
	const char *rest = split(&l->args, open + 1);
	const char *equals = rest ? strchr(rest, '=') : NULL;
	if (!equals)
		line_die(l, "not understood");
	if (equals[1] == ' ' && equals[2] == '?')
		return false; /* the process was ended in it */
	l->result = strtoll(equals + 1, NULL, 0);
	l->opened = l->result >= 0 ? line_fd_path(equals) : NULL;
	return l->result >= 0;
}

const char *line_arg(const struct line *l, size_t i)
{
	if (i >= l->args.n)
		line_die(l, "too few arguments");
	return l->args.v[i];
}

