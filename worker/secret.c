/* secret: sets of values, and the scanner that takes them out of a stream.
 *
 * Every byte that any occurrence of a value or shape covers is taken out, also where two overlap. What
 * is decided at a byte depends on the stream alone, never on how it was cut into pieces. */
#include "secret.h"

#include <string.h>

#include "secret_shape.h"
#include "store/base/mem.h"
#include "store/json.h"

enum { LINE_MIN = 16, PEM_MAX = 16 * 1024 };

struct value {
	char *bytes, *mark, *name;
	size_t n;
};

struct secret_set {
	struct value *v; /* by first byte, then the longer first */
	size_t n;
	size_t first[257]; /* v[first[c]] to v[first[c + 1]] begin with c */
	/* Can something begin with this byte, with these two, with three of this hash? */
	bool one[256], two[65536];
	unsigned char three[65536 / 8];
};

static unsigned pair(unsigned char a, unsigned char b)
{
	return (unsigned)a << 8 | b;
}

static unsigned hash(const unsigned char *p)
{
	return pair(p[0], p[1]) ^ p[2] * 0x9e5u % 65536;
}

static bool has_three(const struct secret_set *s, const unsigned char *p)
{
	unsigned at = hash(p);
	return s->three[at / 8] >> at % 8 & 1;
}

/* Of n bytes, at least one: may something begin here? */
static bool may_begin(const struct secret_set *s, const unsigned char *p, size_t n)
{
	if (n == 1)
		return s->one[p[0]];
	return s->two[pair(p[0], p[1])] && (n == 2 || has_three(s, p));
}

/* The next place from i on where something may begin, or n. */
static size_t next(const struct secret_set *s, const unsigned char *p, size_t i, size_t n)
{
	for (;; i++) {
		while (i + 1 < n && !s->two[pair(p[i], p[i + 1])])
			i++; /* nearly all bytes end here */
		if (i >= n || may_begin(s, p + i, n - i))
			return i;
	}
}

static void add_start(struct secret_set *s, const char *start, size_t n)
{
	unsigned char first[3] = {(unsigned char)start[0], (unsigned char)start[1]};

	s->one[first[0]] = s->two[pair(first[0], first[1])] = true;
	for (unsigned c = 0; c < 256; c++) {
		if (n > 2 && c != (unsigned char)start[2])
			continue;
		first[2] = (unsigned char)c;
		unsigned at = hash(first);
		s->three[at / 8] |= (unsigned char)(1u << at % 8);
	}
}

struct secret_set *secret_set_new(void)
{
	struct secret_set *s = mem_alloc(sizeof *s);
	const char *start;
	for (size_t i = 0; (start = secret_shape_start(i)); i++)
		add_start(s, start, strlen(start));
	return s;
}

void secret_set_free(struct secret_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].bytes);
		free(s->v[i].mark);
		free(s->v[i].name);
	}
	free(s->v);
	free(s);
}

static int by_start(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	unsigned char c = (unsigned char)x->bytes[0], d = (unsigned char)y->bytes[0];
	if (c != d)
		return c < d ? -1 : 1;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return memcmp(x->bytes, y->bytes, x->n);
}

static void add(struct secret_set *s, const char *name, const char *bytes, size_t n)
{
	if (n < 2)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n == n && memcmp(s->v[i].bytes, bytes, n) == 0)
			return;
	struct value v = {.bytes = mem_strndup(bytes, n), .n = n, .name = mem_strdup(name)};
	v.mark = mem_printf("[redacted:%s]", name);
	/* PASSWORD=PASSWORD: the mark must not say it. */
	if (memmem(v.mark, strlen(v.mark), bytes, n))
		mem_set(&v.mark, "[redacted]");
	s->v = mem_grow(s->v, s->n + 1, sizeof *s->v);
	s->v[s->n++] = v;
	qsort(s->v, s->n, sizeof *s->v, by_start);
	size_t at = 0;
	for (unsigned c = 0; c < 256; c++) {
		s->first[c] = at;
		while (at < s->n && (unsigned char)s->v[at].bytes[0] == c)
			at++;
	}
	s->first[256] = at;
	add_start(s, bytes, n);
}

/* As it stands in JSON: agents print their streams in it. */
static void add_json(struct secret_set *s, const char *name, const char *value)
{
	AUTO_STR struct str text = {0};
	struct json_t *list = json_list();

	json_add_text(list, value);
	json_write(list, false, &text); /* ["..."] */
	json_free(list);
	if (text.len > 4)
		add(s, name, text.p + 2, text.len - 4);
}

void secret_set_add(struct secret_set *s, const char *name, const char *value)
{
	static const char space[] = " \t\r\n";
	value += strspn(value, space);
	size_t n = strlen(value);
	while (n && strchr(space, value[n - 1]))
		n--;
	AUTO_FREE char *trimmed = mem_strndup(value, n);
	if (n < 2 || strstr("[redacted]", trimmed))
		return;
	add(s, name, trimmed, n);
	add_json(s, name, trimmed);
	if (!strchr(trimmed, '\n'))
		return;
	for (const char *line = trimmed; *line;) {
		size_t len = strcspn(line, "\r\n");
		if (len >= LINE_MIN)
			add(s, name, line, len);
		line += len + (line[len] != '\0');
	}
}

/* ---- the scanner ---- */

struct secret_stream {
	const struct secret_set *set;
	secret_sink *sink;
	void *ctx;
	bool urls; /* passwords in URLs too */
	struct str held;
	size_t hide; /* so many bytes of what comes next are a secret's */
	enum secret_run run;
	size_t run_left; /* of a key in PEM */
	unsigned char prev[2];
};

struct secret_stream *secret_stream_new(const struct secret_set *s, bool urls, secret_sink *sink,
                                        void *ctx)
{
	struct secret_stream *st = mem_alloc(sizeof *st);
	*st = (struct secret_stream){.set = s, .urls = urls, .sink = sink, .ctx = ctx};
	return st;
}

static enum secret_found value_at(const struct secret_set *s, const unsigned char *p, size_t n,
                                  bool all, const struct value **out)
{
	for (size_t i = s->first[p[0]]; i < s->first[p[0] + 1]; i++) {
		const struct value *v = &s->v[i];
		if (memcmp(v->bytes, p, v->n < n ? v->n : n) != 0)
			continue;
		if (v->n <= n) {
			*out = v;
			return SECRET_YES;
		}
		if (!all)
			return SECRET_WAIT;
	}
	return SECRET_NO;
}

static enum secret_found match_at(const struct secret_set *s, bool urls, const unsigned char *p,
                                  size_t n, bool all, const unsigned char prev[2],
                                  struct secret_match *m)
{
	const struct value *v = NULL;

	if (!may_begin(s, p, n))
		return SECRET_NO;
	enum secret_found value = value_at(s, p, n, all, &v);
	if (value == SECRET_WAIT)
		return value;
	enum secret_found shape = secret_shape_at(p, n, all, prev, m);
	if (shape == SECRET_WAIT)
		return shape;
	if (shape == SECRET_YES && m->url && !urls)
		shape = SECRET_NO;
	if (value == SECRET_NO)
		return shape;
	if (shape == SECRET_NO)
		*m = (struct secret_match){0};
	m->mark = v->mark;
	m->name = v->name;
	m->n = v->n > m->n ? v->n : m->n;
	return SECRET_YES;
}

/* The run of a token that was found: does it hide the byte at p too? */
static enum secret_found run_at(struct secret_stream *st, const unsigned char *p, size_t n, bool all)
{
	static const char end[] = "-----END";
	const size_t len = sizeof end - 1;

	if (st->run == SECRET_RUN_PEM && *p == '-' && memcmp(p, end, n < len ? n : len) == 0) {
		if (n < len && !all)
			return SECRET_WAIT;
		if (n >= len) {
			st->hide = len;
			st->run = SECRET_RUN_PEM_END;
			return SECRET_YES;
		}
	}
	if (secret_shape_runs(st->run, *p) && (st->run != SECRET_RUN_PEM || st->run_left-- > 0)) {
		st->hide = 1;
		return SECRET_YES;
	}
	st->run = SECRET_RUN_NONE;
	return SECRET_NO;
}

static void show(struct secret_stream *st, const unsigned char *p, size_t n)
{
	if (n)
		st->sink(st->ctx, (const char *)p, n);
}

/* How many of the n bytes are dealt with; the others wait for more. */
static size_t scan(struct secret_stream *st, const unsigned char *p, size_t n, bool all)
{
	const struct secret_set *s = st->set;
	size_t i = 0, plain = 0; /* p[plain..i) is to be shown */

	while (i < n) {
		if (!st->hide && !st->run && (i = next(s, p, i, n)) == n)
			break;
		unsigned char prev[2] = {i > 1 ? p[i - 2] : st->prev[i], i ? p[i - 1] : st->prev[1]};
		struct secret_match m = {0};
		enum secret_found found = match_at(s, st->urls, p + i, n - i, all, prev, &m);
		if (found == SECRET_WAIT)
			break;
		if (found == SECRET_YES) {
			if (!st->hide && !st->run) {
				show(st, p + plain, i - plain);
				show(st, (const unsigned char *)m.mark, strlen(m.mark));
			}
			st->hide = m.n > st->hide ? m.n : st->hide;
			if (m.run)
				st->run = m.run;
			st->run_left = m.run == SECRET_RUN_PEM ? PEM_MAX : st->run_left;
		} else if (!st->hide && st->run) {
			found = run_at(st, p + i, n - i, all);
			if (found == SECRET_WAIT)
				break;
		}
		i++;
		if (st->hide) {
			st->hide--;
			plain = i;
		}
	}
	show(st, p + plain, i - plain);
	if (i == 1) {
		st->prev[0] = st->prev[1];
	} else if (i > 1) {
		st->prev[0] = p[i - 2];
	}
	if (i)
		st->prev[1] = p[i - 1];
	return i;
}

void secret_stream_put(struct secret_stream *st, const char *bytes, size_t n)
{
	const unsigned char *p = (const unsigned char *)bytes;

	if (!st->held.len) {
		size_t done = scan(st, p, n, false);
		str_addn(&st->held, p + done, n - done);
		return;
	}
	str_addn(&st->held, bytes, n);
	size_t done = scan(st, (unsigned char *)st->held.p, st->held.len, false);
	str_keep_tail(&st->held, st->held.len - done);
}

void secret_stream_end(struct secret_stream *st)
{
	if (!st)
		return;
	scan(st, (const unsigned char *)str_text(&st->held), st->held.len, true);
	str_fini(&st->held);
	free(st);
}

const char *secret_set_find(const struct secret_set *s, const char *text, size_t n, size_t *at)
{
	const unsigned char *p = (const unsigned char *)text;
	struct secret_match m = {0};

	for (size_t i = next(s, p, 0, n); i < n; i = next(s, p, i + 1, n)) {
		unsigned char prev[2] = {i > 1 ? p[i - 2] : 0, i ? p[i - 1] : 0};
		if (match_at(s, false, p + i, n - i, true, prev, &m) == SECRET_YES) {
			*at = i;
			return m.name;
		}
	}
	return NULL;
}
