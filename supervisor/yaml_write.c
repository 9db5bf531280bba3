/* yaml_write: quoting for YAML. */
#include "yaml_write.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

/* A word, a path or a name, that begins with a letter: no number, date or mark of YAML is like that. Words that stand
 * for something else in one of its versions are quoted. */
static bool is_plain(const char *text)
{
	static const char *const taken[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};

	if (!isalpha((unsigned char)text[0]))
		return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-./+", *p))
			return false;
	for (size_t i = 0; i < MEM_COUNT(taken); i++)
		if (strcasecmp(taken[i], text) == 0)
			return false;
	return true;
}

/* Not allowed in a YAML text, taken for the end of a line by one reader, or not to be shown. */
static bool is_hidden(unsigned code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xfeff || code == 0x2028 || code == 0x2029 ||
	       code == 0xfffe || code == 0xffff;
}

/* The character at p: its length, 0 when it is not UTF-8; *code. */
static size_t character(const char *p, size_t n, unsigned *code)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};

	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (str_utf8(p, len)) {
			*code = (unsigned char)p[0] & first[len];
			for (size_t i = 1; i < len; i++)
				*code = *code << 6 | ((unsigned char)p[i] & 0x3f);
			return len;
		}
	return 0;
}

void yaml_write_text(struct str *out, const char *text)
{
	if (!text) {
		str_add(out, "null");
		return;
	}
	if (is_plain(text)) {
		str_add(out, text);
		return;
	}
	str_addc(out, '"');
	for (size_t n = strlen(text), len; n; n -= len, text += len) {
		unsigned code = 0xfffd;
		len = character(text, n, &code);
		if (!len) {
			str_add(out, "\xef\xbf\xbd");
			len = 1;
		} else if (code == '"' || code == '\\') {
			str_addf(out, "\\%c", (char)code);
		} else if (code == '\n' || code == '\t') {
			str_add(out, code == '\n' ? "\\n" : "\\t");
		} else if (is_hidden(code)) {
			str_addf(out, "\\u%04x", code);
		} else {
			str_addn(out, text, len);
		}
	}
	str_addc(out, '"');
}
