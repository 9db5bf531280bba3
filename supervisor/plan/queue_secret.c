/* queue_secret: secrets in JSON that is stored as it was written (E7). A secret is one too when some of its letters are
 * written as escapes: whoever reads the JSON has it. */
#include "queue_private.h"

#include <string.h>

#include "store/base/mem.h"
#include "worker/secret.h"

/* Of "\uXXXX" or "\/", behind p; NULL = there is none. Other escapes are those that the secret itself would be written
 * with. */
static const char *find_escape(const char *p, const char *end)
{
	for (; (p = memchr(p, '\\', (size_t)(end - p))) && p + 1 < end; p += 2)
		if (p[1] == 'u' || p[1] == '/')
			return p;
	return NULL;
}

/* The value of "\uXXXX" at p; -1 = it is none. */
static int code_at(const char *p, const char *end)
{
	int code = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF", *digit = p[i] ? strchr(digits, p[i]) : NULL;
		if (!digit)
			return -1;
		code = code * 16 + (int)((digit - digits) % 16);
	}
	return code;
}

static char *put_utf8(char *to, unsigned code)
{
	if (code >= 0x10000) {
		*to++ = (char)(0xf0 | code >> 18);
		*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else if (code >= 0x800) {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else if (code >= 0x80) {
		*to++ = (char)(0xc0 | code >> 6);
	}
	*to++ = code < 0x80 ? (char)code : (char)(0x80 | (code & 0x3f));
	return to;
}

/* One escape; it is never longer than it was. Controls, " and \ stay escapes, as elsewhere in the text. */
static const char *unescape(const char *p, const char *end, char **to)
{
	int code = code_at(p, end), low = code >= 0xd800 && code < 0xdc00 ? code_at(p + 6, end) : -1;

	if (low >= 0xdc00 && low < 0xe000) {
		*to = put_utf8(*to, 0x10000u + ((unsigned)(code - 0xd800) << 10) + (unsigned)(low - 0xdc00));
		return p + 12;
	}
	if (code < 0 && p[1] == '/') {
		*(*to)++ = '/';
		return p + 2;
	}
	if (code < 0) {
		*(*to)++ = *p;
		return p + 1;
	}
	if (code == '"' || code == '\\' || code == '\n' || code == '\t' || code == '\r')
		*(*to)++ = '\\';
	*to = put_utf8(*to, code == '\n' ? 'n' : code == '\t' ? 't' : code == '\r' ? 'r' : (unsigned)code);
	return p + 6;
}

static char *plain(const char *text, const char *end, size_t *n)
{
	char *out = mem_alloc((size_t)(end - text) + 1), *to = out;

	for (const char *p = text; p < end;) {
		const char *escape = find_escape(p, end), *stop = escape ? escape : end;
		memcpy(to, p, (size_t)(stop - p));
		to += stop - p;
		p = escape ? unescape(escape, end, &to) : end;
	}
	*n = (size_t)(to - out);
	return out;
}

const char *queue_secret_in(const char *json, size_t n, size_t *lines)
{
	AUTO_FREE char *made = NULL;
	size_t at;
	const char *text = json, *name = secret_in(json, n, &at), *end = json + n;

	if (!name && find_escape(json, end)) {
		text = made = plain(json, end, &n);
		name = secret_in(text, n, &at);
	}
	*lines = 0;
	for (const char *p = text; name && (p = memchr(p, '\n', (size_t)(text + at - p))); p++)
		++*lines;
	return name;
}
