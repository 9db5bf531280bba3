/* json_number: finds the numbers in a text of JSON that are too large, and writes them so that they can be read. */
#include "json_number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Behind the string that begins at text[i] with ". */
static size_t past_string(const char *text, size_t i, size_t n)
{
	for (i++; i < n && text[i] != '"'; i++)
		if (text[i] == '\\')
			i++;
	return i < n ? i + 1 : n;
}

static size_t number_len(const char *p, size_t n)
{
	size_t len = 0;

	while (len < n && p[len] && strchr("+-.0123456789Ee", p[len]))
		len++;
	return len;
}

static bool too_large(const char *p, size_t n, bool *whole)
{
	AUTO_FREE char *word = mem_strndup(p, n);
	char *end;

	*whole = !strpbrk(word, ".eE");
	errno = 0;
	if (*whole) {
		strtoll(word, &end, 10);
		return errno == ERANGE && !*end;
	}
	return isinf(strtod(word, &end)) && !*end;
}

void json_number_loosen(struct str *out, const char *text, size_t n, const char *quote)
{
	for (size_t i = 0; i < n;) {
		bool digit = text[i] == '-' || (text[i] >= '0' && text[i] <= '9'), whole;
		size_t len = digit ? number_len(text + i, n - i) : text[i] == '"' ? past_string(text, i, n) - i : 1;
		bool large = digit && too_large(text + i, len, &whole);
		if (large && quote)
			str_addf(out, "\"%s", quote);
		str_addn(out, text + i, len);
		str_add(out, !large ? "" : quote ? "\"" : whole ? ".0" : "");
		i += len;
	}
}

static const char *digits(const char *p)
{
	return p + strspn(p, "0123456789");
}

/* As JSON has them: what was quoted may only begin like one. */
static bool is_number(const char *p)
{
	const char *end;

	p += *p == '-';
	end = digits(p);
	if (end == p || (*p == '0' && end > p + 1))
		return false;
	if (*end == '.') {
		p = end + 1;
		if ((end = digits(p)) == p)
			return false;
	}
	if (*end == 'e' || *end == 'E') {
		p = end + 1 + strspn(end + 1, "+-");
		if (p > end + 2 || (end = digits(p)) == p)
			return false;
	}
	return !*end;
}

void json_number_restore(struct str *text)
{
	static const char begin[] = "\"" JSON_NUMBER_MARK;
	struct str out = {0};
	const char *t = str_text(text);

	if (!strstr(t, begin))
		return;
	for (size_t i = 0, end; i < text->len; i = end) {
		end = t[i] == '"' ? past_string(t, i, text->len) : i + 1 + strcspn(t + i + 1, "\"");
		size_t from = i + strlen(begin);
		bool marked = str_starts(t + i, begin) && t[end] != ':' && from < end; /* no key */
		AUTO_FREE char *inner = marked ? mem_strndup(t + from, end - 1 - from) : NULL;
		if (inner && is_number(inner))
			str_add(&out, inner);
		else
			str_addn(&out, t + i, end - i);
	}
	str_fini(text);
	*text = out;
}
