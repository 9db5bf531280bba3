/* story_lines: the longest common lines of two texts. */
#include "story_lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

enum { CELLS_MAX = 4 << 20 }; /* of the table that is made to compare: 16 MiB */

struct line {
	const char *p;
	size_t n;     /* with its end */
	size_t words; /* without its end and the blanks before it */
};

struct lines {
	struct line *v;
	size_t n;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct lines split(const char *text, size_t n)
{
	struct lines l = {0};
	size_t at = 0, count = n > 0;

	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	l.v = mem_array(count, sizeof *l.v);
	while (at < n) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - text) + 1 - at : n - at, words = len;
		while (words && blank(text[at + words - 1]))
			words--;
		l.v[l.n++] = (struct line){text + at, len, words};
		at += len;
	}
	return l;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->words == b->words && memcmp(a->p, b->p, a->words) == 0;
}

/* One line of the outcome. Where the base's has no end but more follows, the agent's is taken. */
static void put(struct str *out, const struct line *base, const struct line *now, bool last)
{
	const struct line *l = base && (last || base->p[base->n - 1] == '\n') ? base : now;
	str_addn(out, l->p, l->n);
}

/* What is between the common beginning and the common end. `last`: of the whole text. */
static void middle(struct str *out, const struct line *a, size_t n, const struct line *b, size_t m, bool last)
{
	bool large = n && m && (n + 1) > CELLS_MAX / (m + 1);
	AUTO_FREE uint32_t *len = large ? NULL : mem_array((n + 1) * (m + 1), sizeof *len);
	size_t width = m + 1, i = 0;

	for (size_t x = large ? 0 : n; x-- > 0;)
		for (size_t y = m; y-- > 0;) {
			uint32_t below = len[(x + 1) * width + y], right = len[x * width + y + 1];
			len[x * width + y] = same(&a[x], &b[y]) ? len[(x + 1) * width + y + 1] + 1
			                                        : below > right ? below : right;
		}
	for (size_t y = 0; y < m; y++) {
		while (!large && i < n && !same(&a[i], &b[y]) && len[(i + 1) * width + y] >= len[i * width + y + 1] &&
		       len[(i + 1) * width + y])
			i++;
		bool pair = !large && i < n && same(&a[i], &b[y]);
		put(out, pair ? &a[i] : NULL, &b[y], last && y + 1 == m);
		i += pair;
	}
}

void story_lines(struct str *out, const char *base, size_t n_base, const char *now, size_t n_now)
{
	struct lines a = split(base, n_base), b = split(now, n_now);
	size_t head = 0, tail = 0;

	while (head < a.n && head < b.n && same(&a.v[head], &b.v[head]))
		head++;
	while (tail < a.n - head && tail < b.n - head && same(&a.v[a.n - 1 - tail], &b.v[b.n - 1 - tail]))
		tail++;
	for (size_t i = 0; i < head; i++)
		put(out, &a.v[i], &b.v[i], i + 1 == b.n);
	middle(out, a.v + head, a.n - head - tail, b.v + head, b.n - head - tail, !tail);
	for (size_t i = tail; i > 0; i--)
		put(out, &a.v[a.n - i], &b.v[b.n - i], i == 1);
	free(a.v);
	free(b.v);
}
