/* fuzz_excerpt: any bytes as the output of a gate, in pieces of any size. What is told of it is text of whole lines, not too
 * long, the same however the bytes came; and nobody counts more lines than there are. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "worker/excerpt.h"
#include "worker/plain.h"
#include "worker/tally.h"

struct listener {
	struct excerpt *x;
	struct tally t;
	size_t lines;
};

static void listen_line(void *ctx, const char *line, size_t n)
{
	struct listener *l = ctx;

	assert(strlen(line) == n && str_utf8(line, n) && !strpbrk(line, "\x1b\n\r\b"));
	l->lines++;
	excerpt_line(l->x, line, n);
	tally_line(&l->t, line, n);
}

static void read_it(const uint8_t *bytes, size_t n, size_t piece, struct str *out)
{
	struct listener l = {.x = excerpt_new()};
	struct plain *p = plain_new(listen_line, &l);

	for (size_t i = 0; i < n; i += piece)
		plain_put(p, (const char *)bytes + i, n - i < piece ? n - i : piece);
	plain_end(p);
	excerpt_end(l.x, out);
	assert(l.t.lines == l.lines && l.t.none_at <= l.lines && l.t.full_at <= l.lines && l.t.missing_at <= l.lines);
	assert(memchr(l.t.missing, '\0', sizeof l.t.missing));
	assert(out->len <= EXCERPT_MAX && (!out->len || out->p[out->len - 1] == '\n'));
	assert(str_utf8(str_text(out), out->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	AUTO_STR struct str whole = {0}, pieces = {0}, many = {0}, said = {0};

	read_it(bytes, n, n ? n : 1, &whole);
	read_it(bytes, n, 1 + (n ? bytes[0] % 7u : 0), &pieces);
	assert(str_eq(str_text(&whole), str_text(&pieces)));
	/* Often enough to be cut. */
	for (int i = 0; n && n < 4096 && i < 25; i++) {
		str_addn(&many, bytes, n);
		str_addf(&many, "\n%d\n", i);
	}
	read_it((const uint8_t *)str_text(&many), many.len, 4096, &said);
	return 0;
}
