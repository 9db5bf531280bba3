/* export_lines: files of one JSON value on each line. */
#include <string.h>

#include "export.h"
#include "splice.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "store/json_cut.h"

#define BOM "\xef\xbb\xbf"

static bool has_bom(const struct str *text)
{
	return str_starts(str_text(text), BOM);
}

/* ---- bytes that no text has ---- */

/* A NUL becomes \xc0\x80, and \xc0, which is in no UTF-8, \xc0\x81: such a line stays one that cannot be read. */
static char *as_text(const char *p, size_t n)
{
	AUTO_STR struct str out = {0};

	if (!memchr(p, 0, n) && !memchr(p, 0xc0, n))
		return mem_strndup(p, n);
	for (const char *end = p + n; p < end; p++) {
		bool odd = *p == '\0' || *p == '\xc0';
		str_addc(&out, odd ? '\xc0' : *p);
		if (odd)
			str_addc(&out, *p ? '\x81' : '\x80');
	}
	return str_take(&out);
}

static void add_bytes(struct str *out, const char *text)
{
	for (const char *c; (c = strchr(text, '\xc0')); text = c + 2) {
		str_addn(out, text, (size_t)(c - text));
		str_addc(out, c[1] == '\x80' ? '\0' : '\xc0');
	}
	str_add(out, text);
}

/* ---- lines ---- */

void export_lines(const struct str *text, struct strv *out)
{
	struct splice_parts parts;
	const char *end = str_text(text) + text->len, *p = str_text(text) + (has_bom(text) ? strlen(BOM) : 0);

	bool list = splice_cut(&parts, p, (size_t)(end - p)) && parts.list && !memchr(p, 0, (size_t)(end - p)) &&
	            p[parts.close + 1 + strspn(p + parts.close + 1, " \t\r\n")] == '\0';
	for (size_t i = 0; list && i < parts.n; i++) {
		AUTO_FREE char *one = mem_strndup(p + parts.v[i].value, parts.v[i].value_end - parts.v[i].value);
		AUTO_STR struct str plain = {0};
		splice_compact(one, &plain);
		strv_give(out, str_take(&plain));
	}
	splice_fini(&parts);
	while (!list && p < end) {
		const char *to = memchr(p, '\n', (size_t)(end - p));
		size_t n = to ? (size_t)(to - p) : (size_t)(end - p);
		strv_give(out, as_text(p, n));
		p += n + (to ? 1 : 0);
	}
}

void export_lines_join(const struct strv *lines, const struct str *before, struct str *out)
{
	str_add(out, has_bom(before) ? BOM : "");
	for (size_t i = 0; i < lines->n; i++) {
		add_bytes(out, lines->v[i]);
		str_addc(out, '\n');
	}
}

char *export_line_id(const char *line)
{
	struct json_fault ignored;
	struct json_t *j = json_cut_text(line, strlen(line), &ignored);
	char *id = mem_strdup(json_get_text(j, "id"));

	json_free(j);
	return id;
}
