/* overlap: intersection of two path patterns, component by component.
 *
 * Both patterns are walked at once in a table (which remainders of a and of b have a common path);
 * a recursive matcher would take exponential time on patterns full of stars. */
#include "overlap.h"

#include <stdint.h>
#include <string.h>

#include "plan.h"

enum { LEN = PLAN_PATH_MAX + 2 };

/* Characters of a component as the table sees them. */
struct unit {
	uint32_t c; /* the bytes of the character, when not `any` */
	bool any;   /* ? or [...] */
	bool star;
};

struct part { /* a component of a path */
	const char *p;
	size_t n;
};

static bool is_glob(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '*' || p[i] == '?' || p[i] == '[')
			return true;
	return false;
}

/* [...] is taken as one character unless it is not closed: then it is itself. */
static size_t bracket_len(const char *p, size_t n)
{
	size_t i = 1;
	if (i < n && (p[i] == '!' || p[i] == '^'))
		i++;
	if (i < n && p[i] == ']') /* a ] in first place stands for itself */
		i++;
	while (i < n && p[i] != ']')
		i++;
	return i < n ? i + 1 : 0;
}

static size_t units_of(struct unit *out, struct part part)
{
	size_t n = 0;
	for (size_t i = 0; i < part.n;) {
		size_t bracket = part.p[i] == '[' ? bracket_len(part.p + i, part.n - i) : 0;
		struct unit u = {.any = bracket || part.p[i] == '?', .star = part.p[i] == '*'};
		if (bracket) {
			i += bracket;
		} else { /* a character and its UTF-8 continuation bytes */
			do
				u.c = u.c << 8 | (unsigned char)part.p[i++];
			while (i < part.n && ((unsigned char)part.p[i] & 0xc0) == 0x80);
		}
		out[n++] = u;
	}
	return n;
}

/* Is there a text that both component patterns match? */
static bool parts_meet(struct part a, struct part b)
{
	bool same = a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
	if (same || (!is_glob(a.p, a.n) && !is_glob(b.p, b.n)))
		return same;

	struct unit x[LEN], y[LEN];
	size_t nx = units_of(x, a), ny = units_of(y, b);
	bool row[2][LEN]; /* row[i & 1][j]: do x[i..] and y[j..] meet? */
	for (size_t i = nx + 1; i-- > 0;) {
		bool *here = row[i & 1], *below = row[(i + 1) & 1];
		for (size_t j = ny + 1; j-- > 0;) {
			bool end_x = i == nx, end_y = j == ny;
			if (end_x && end_y)
				here[j] = true;
			else if (!end_x && x[i].star)
				here[j] = below[j] || (!end_y && here[j + 1]);
			else if (!end_y && y[j].star)
				here[j] = here[j + 1] || (!end_x && below[j]);
			else
				here[j] = !end_x && !end_y &&
				          (x[i].any || y[j].any || x[i].c == y[j].c) &&
				          below[j + 1];
		}
	}
	return row[0][0];
}

static size_t parts_of(struct part *out, const char *path)
{
	size_t n = 0;
	if (strcmp(path, ".") == 0)
		return 0;
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		out[n++] = (struct part){p, len};
		p += len + (p[len] == '/');
	}
	return n;
}

static bool is_deep(struct part part) /* ** */
{
	return part.n == 2 && part.p[0] == '*' && part.p[1] == '*';
}

static bool globs_meet(const char *a, const char *b)
{
	struct part x[LEN / 2], y[LEN / 2];
	size_t nx = parts_of(x, a), ny = parts_of(y, b);
	bool row[2][LEN / 2];
	for (size_t i = nx + 1; i-- > 0;) {
		bool *here = row[i & 1], *below = row[(i + 1) & 1];
		for (size_t j = ny + 1; j-- > 0;) {
			if (i == nx || j == ny)
				here[j] = true; /* one covers all below what the other is in */
			else if (is_deep(x[i]))
				here[j] = below[j] || here[j + 1];
			else if (is_deep(y[j]))
				here[j] = here[j + 1] || below[j];
			else
				here[j] = below[j + 1] && parts_meet(x[i], y[j]);
		}
	}
	return row[0][0];
}

size_t overlap_literal(const char *path)
{
	return strcspn(path, "*?[");
}

bool overlap_paths(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), n = na < nb ? na : nb;
	if (is_glob(a, na) || is_glob(b, nb))
		return globs_meet(a, b);
	if (strcmp(a, ".") == 0 || strcmp(b, ".") == 0)
		return true;
	return memcmp(a, b, n) == 0 && (na == nb || (na > nb ? a : b)[n] == '/');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void overlap_fold(char *out, const char *path)
{
	for (; *path; path++)
		*out++ = lower(*path);
	*out = '\0';
}

bool overlap_paths_any_case(const char *a, const char *b)
{
	char x[LEN], y[LEN];
	size_t n = 0;

	if (!a[overlap_literal(a)] && !b[overlap_literal(b)]) { /* most are no globs, and differ early */
		while (a[n] && lower(a[n]) == lower(b[n]))
			n++;
		if (strcmp(a, ".") == 0 || strcmp(b, ".") == 0)
			return true;
		return a[n] ? !b[n] && a[n] == '/' : !b[n] || b[n] == '/';
	}
	if (strlen(a) >= LEN || strlen(b) >= LEN)
		return true; /* no such path is let in: nothing is known of them */
	overlap_fold(x, a);
	overlap_fold(y, b);
	return overlap_paths(x, y);
}
