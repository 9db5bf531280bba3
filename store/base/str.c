/* str: growing byte strings, lists of strings, and the checks on foreign text. */
#include "str.h"

#include "mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { COPIED = 1024 };

void str_fini(struct str *s)
{
	free(s->p);
	*s = (struct str){0};
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->p)
		s->p[0] = '\0';
}

static void room(struct str *s, size_t more)
{
	size_t need = s->len + more + 1;
	if (need <= s->cap)
		return;
	size_t cap = s->cap ? s->cap : 64;
	while (cap < need)
		cap *= 2;
	s->p = mem_grow(s->p, cap, 1);
	s->cap = cap;
}

void str_addn(struct str *s, const void *bytes, size_t n)
{
	room(s, n);
	if (n)
		memcpy(s->p + s->len, bytes, n);
	s->len += n;
	s->p[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	room(s, 1);
	s->p[s->len++] = c;
	s->p[s->len] = '\0';
}

void str_addv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	room(s, 0);
	int n = vsnprintf(s->p + s->len, s->cap - s->len, fmt, ap); /* as a rule it fits */
	if (n > 0 && (size_t)n >= s->cap - s->len) {
		room(s, (size_t)n);
		vsnprintf(s->p + s->len, (size_t)n + 1, fmt, again);
	}
	s->len += n > 0 ? (size_t)n : 0;
	s->p[s->len] = '\0';
	va_end(again);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

void str_keep_tail(struct str *s, size_t n)
{
	if (s->len <= n)
		return;
	memmove(s->p, s->p + s->len - n, n);
	s->len = n;
	s->p[n] = '\0';
}

char *str_take(struct str *s)
{
	/* What is kept may be one of a hundred thousand: no more than it takes. Short ones are copied: that is faster, and leaves
	 * no crumbs. */
	bool copied = s->p && s->cap <= COPIED;
	char *p = copied ? memcpy(mem_grow(NULL, s->len + 1, 1), s->p, s->len + 1)
	          : s->p ? mem_grow(s->p, s->len + 1, 1)
	                 : mem_strdup("");

	if (copied)
		free(s->p);
	*s = (struct str){0};
	return p;
}

const char *str_text(const struct str *s)
{
	return s->p ? s->p : "";
}

/* Length of the well-formed UTF-8 sequence at p (of n bytes), 0 when it is not one. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0; /* overlong, surrogate, beyond U+10FFFF */
	return len;
}

bool str_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	for (size_t i = 0; i < n;) {
		size_t len = p[i] ? utf8_len(p + i, n - i) : 0;
		if (!len)
			return false;
		i += len;
	}
	return true;
}

size_t str_control_at(const char *text, size_t n, unsigned *code)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = utf8_len(p, n);

	if (len == 1)
		*code = p[0];
	else if (len == 2)
		*code = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	else if (len == 3)
		*code = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	else
		return 0;
	bool control = *code < 0x20 || (*code >= 0x7f && *code < 0xa0);
	bool turns = *code == 0x61c || *code == 0x200e || *code == 0x200f ||
	             (*code >= 0x2028 && *code <= 0x202e) || (*code >= 0x2066 && *code <= 0x2069);
	bool unseen = *code == 0x200b || (*code >= 0x2060 && *code <= 0x2064) || *code == 0xfeff;
	return control || turns || unseen ? len : 0;
}

/* Joiners are seen as little, but some scripts and emoji are written with them: there they stand between characters that
 * are not ASCII. */
static bool joins_nothing(const char *text, size_t i, size_t n)
{
	if (n - i < 3 || memcmp(text + i, "\xe2\x80", 2) != 0 || (text[i + 2] != '\x8c' && text[i + 2] != '\x8d'))
		return false;
	return i == 0 || i + 3 == n || (unsigned char)text[i - 1] < 0x80 || (unsigned char)text[i + 3] < 0x80;
}

/* How many bytes of printable ASCII there are: nearly all of most texts. */
static size_t plain_run(const char *text, size_t n)
{
	size_t i = 0;
	while (i < n && text[i] >= ' ' && text[i] <= '~')
		i++;
	return i;
}

void str_add_printable(struct str *s, const char *text, size_t n, bool lines)
{
	for (size_t i = 0; i < n;) {
		unsigned code = 0;
		size_t plain = plain_run(text + i, n - i);
		if (plain) {
			str_addn(s, text + i, plain);
			i += plain;
			continue;
		}
		size_t len = utf8_len((const unsigned char *)text + i, n - i);
		size_t control = len ? str_control_at(text + i, n - i, &code) : 1;
		if (joins_nothing(text, i, n))
			control = len;
		if (len && control && lines && (code == '\n' || code == '\t'))
			str_addc(s, (char)code);
		else if (len && control && code == '\t')
			str_addc(s, ' ');
		else if (len && control && code > 0xff)
			str_addf(s, "\\u%04x", code);
		else if (control)
			for (size_t k = 0; k < control; k++)
				str_addf(s, "\\x%02x", (unsigned char)text[i + k]);
		else
			str_addn(s, text + i, len);
		i += len ? len : 1;
	}
}

void str_add_fenced(struct str *s, const char *text, size_t n)
{
	size_t marks = 3, row = 0;

	for (size_t i = 0; i < n; i++) {
		row = text[i] == '`' ? row + 1 : 0;
		if (row >= marks)
			marks = row + 1;
	}
	for (size_t i = 0; i < marks; i++)
		str_addc(s, '`');
	str_addc(s, '\n');
	str_addn(s, text, n);
	if (n && text[n - 1] != '\n')
		str_addc(s, '\n');
	for (size_t i = 0; i < marks; i++)
		str_addc(s, '`');
	str_addc(s, '\n');
}

void strv_fini(struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strv){0};
}

void strv_give(struct strv *l, char *owned)
{
	/* Room for the new string and the final NULL, doubled at powers of two. */
	if ((l->n & (l->n + 1)) == 0)
		l->v = mem_grow(l->v, 2 * (l->n + 1), sizeof *l->v);
	l->v[l->n++] = owned;
	l->v[l->n] = NULL;
}

void strv_add(struct strv *l, const char *text)
{
	strv_give(l, mem_strdup(text));
}

void strv_addf(struct strv *l, const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	strv_give(l, str_take(&s));
}

char *strv_pop(struct strv *l)
{
	return l->v[--l->n];
}

bool strv_has(const struct strv *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], text) == 0)
			return true;
	return false;
}

bool strv_within(const struct strv *l, const struct strv *all)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strv_has(all, l->v[i]))
			return false;
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_text);
}

void strv_copy(struct strv *out, const struct strv *in)
{
	*out = (struct strv){0};
	for (size_t i = 0; i < in->n; i++)
		strv_add(out, in->v[i]);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t a = strlen(s), b = strlen(suffix);
	return a >= b && strcmp(s + a - b, suffix) == 0;
}

bool str_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_u64(const char *s, uint64_t *out)
{
	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	char *end;
	unsigned long long v = strtoull(s, &end, 10);
	if (errno || *end)
		return false;
	*out = v;
	return true;
}

/* A number followed by one of the named units; `units` ends with a NULL name. */
struct unit {
	const char *name;
	uint64_t factor;
};

static bool with_unit(const char *s, const struct unit *units, uint64_t *out)
{
	size_t digits = strspn(s, "0123456789");
	if (!digits || digits > 18)
		return false;
	uint64_t v = strtoull(s, NULL, 10);
	for (; units->name; units++)
		if (strcmp(s + digits, units->name) == 0)
			return !__builtin_mul_overflow(v, units->factor, out);
	return false;
}

bool str_duration_ms(const char *s, uint64_t *out)
{
	static const struct unit units[] = {{"", 1000},      {"s", 1000},     {"m", 60000},
	                                    {"h", 3600000},  {"d", 86400000}, {"ms", 1},
	                                    {NULL, 0}};
	return with_unit(s, units, out);
}

bool str_bytes(const char *s, uint64_t *out)
{
	static const struct unit units[] = {{"", 1},         {"B", 1},          {"KiB", 1u << 10},
	                                    {"MiB", 1u << 20}, {"GiB", 1u << 30}, {NULL, 0}};
	return with_unit(s, units, out);
}

size_t str_distance(const char *a, const char *b)
{
	size_t na = strnlen(a, 64), nb = strnlen(b, 64), row[65];

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *str_nearest(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t n_word = strlen(word);
	size_t best_distance = n_word >= 6 ? 3 : n_word >= 3 ? 2 : 1;

	for (size_t i = 0; i < n; i++) {
		size_t d = str_distance(word, candidates[i]);
		if (d < best_distance || (d == best_distance && !best)) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}
