/* excerpt: what failed, what is around it, and the end. Of more failures than there is room for the first ones are kept,
 * as those after them often follow from them, and the last ones, as the first may only look like failures. */
#include "excerpt.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/seal.h"

enum {
	BEFORE = 4,           /* lines shown before one that says what failed ... */
	AFTER = 9,            /* ... and after it */
	FIRST_MAX = 6 * 1024, /* bytes of the first failures, */
	LAST_MAX = 4 * 1024,  /* of the last ones, */
	FOUND_MAX = 11 * 1024, /* and of both with the lines that number them: the rest is the end's */
	MARK_MAX = 80,
	SEEN = 256 /* places that were named: a fault in a header is told by all that include it */
};

struct line {
	uint64_t number; /* from 1 */
	char *text;
	size_t n;
};

struct lines {
	struct line *v;
	size_t from, to, room; /* v[from..to-1] */
	size_t bytes;          /* with newlines */
};

struct excerpt {
	struct lines end, first, last, places;
	uint64_t number;
	uint64_t taken; /* number of the last line in `first` or `last` */
	size_t after;   /* so many lines more belong to what was found */
	bool full;      /* `first` is */
	bool cut;       /* `end` has not all of the output */
	uint64_t seen[SEEN];
	size_t n_seen;
};

static void drop(struct lines *l)
{
	struct line *first = &l->v[l->from++];

	l->bytes -= first->n + 1;
	free(first->text);
}

static void push(struct lines *l, uint64_t number, const char *text, size_t n)
{
	if (l->to == l->room && l->from > l->room / 2) {
		memmove(l->v, l->v + l->from, (l->to - l->from) * sizeof *l->v);
		l->to -= l->from;
		l->from = 0;
	}
	if (l->to == l->room)
		l->v = mem_grow(l->v, l->room = l->room ? 2 * l->room : 64, sizeof *l->v);
	l->v[l->to++] = (struct line){number, mem_strndup(text, n), n};
	l->bytes += n + 1;
}

static void fini(struct lines *l)
{
	while (l->from < l->to)
		drop(l);
	free(l->v);
}

struct excerpt *excerpt_new(void)
{
	return mem_alloc(sizeof(struct excerpt));
}

static void take(struct excerpt *x, uint64_t number, const char *text, size_t n)
{
	if (number <= x->taken)
		return;
	x->taken = number;
	x->full = x->full || x->first.bytes + n + 1 > FIRST_MAX;
	push(x->full ? &x->last : &x->first, number, text, n);
	while (x->last.bytes > LAST_MAX)
		drop(&x->last);
}

/* The very same words of the very same place: once is enough. */
static bool again(struct excerpt *x, const char *line, size_t n)
{
	uint64_t hash = seal_slot(line, n);

	if (!strpbrk(line, "0123456789") || !strchr(line, ':'))
		return false;
	for (size_t i = 0; i < x->n_seen && i < SEEN; i++)
		if (x->seen[i] == hash)
			return true;
	x->seen[x->n_seen++ % SEEN] = hash;
	return false;
}

void excerpt_line(struct excerpt *x, const char *line, size_t n)
{
	enum excerpt_says says = excerpt_says(line, n);

	x->number++;
	if (says != EXCERPT_NOTHING && again(x, line, n))
		says = EXCERPT_NOTHING;
	if (says == EXCERPT_FAILURE) {
		size_t there = x->end.to - x->end.from, from = there > BEFORE ? x->end.to - BEFORE : x->end.from;
		for (size_t i = from; i < x->end.to; i++)
			take(x, x->end.v[i].number, x->end.v[i].text, x->end.v[i].n);
		x->after = AFTER + 1;
	} else if (says == EXCERPT_PLACE && x->places.bytes + n + 1 <= FIRST_MAX) {
		push(&x->places, x->number, line, n);
	}
	if (x->after) {
		x->after--;
		take(x, x->number, line, n);
	}
	push(&x->end, x->number, line, n);
	for (; x->end.bytes > EXCERPT_MAX; x->cut = true)
		drop(&x->end);
}

/* ---- the text ---- */

static void add_line(struct str *out, const struct line *line)
{
	str_addn(out, line->text, line->n);
	str_addc(out, '\n');
}

/* Runs of lines, each with its numbers before it, as long as there is room. */
static void add_found(struct excerpt *x, const struct lines *l, size_t max, struct str *out)
{
	for (size_t i = l->from; i < l->to;) {
		size_t end = i + 1, bytes = l->v[i].n + 1;
		while (end < l->to && l->v[end].number == l->v[end - 1].number + 1 &&
		       out->len + bytes + l->v[end].n + 1 + MARK_MAX <= max)
			bytes += l->v[end++].n + 1;
		if (out->len + bytes + MARK_MAX > max)
			return;
		str_addf(out, "[line %llu of %llu]\n", (unsigned long long)l->v[i].number, (unsigned long long)x->number);
		for (; i < end; i++) {
			add_line(out, &l->v[i]);
			x->taken = l->v[i].number;
		}
	}
}

static bool has(const struct lines *l, uint64_t number)
{
	for (size_t i = l->from; i < l->to; i++)
		if (l->v[i].number == number)
			return true;
	return false;
}

static void add_end(struct excerpt *x, bool found, struct str *out)
{
	size_t i = x->end.to, bytes = 0;

	while (i > x->end.from && out->len + bytes + x->end.v[i - 1].n + 1 + MARK_MAX <= EXCERPT_MAX)
		bytes += x->end.v[--i].n + 1;
	/* What was just shown and goes on here is not shown again. */
	while (found && i < x->end.to && x->end.v[i].number <= x->taken &&
	       (has(&x->first, x->end.v[i].number) || has(&x->last, x->end.v[i].number)))
		i++;
	if (i == x->end.to)
		return;
	str_addf(out, "[line %llu of %llu, to the end]\n", (unsigned long long)x->end.v[i].number,
	         (unsigned long long)x->number);
	for (; i < x->end.to; i++)
		add_line(out, &x->end.v[i]);
}

void excerpt_end(struct excerpt *x, struct str *out)
{
	struct str text = {0};
	bool found = x->first.to > 0;

	if (!x->cut) {
		for (size_t i = x->end.from; i < x->end.to; i++)
			add_line(&text, &x->end.v[i]);
	} else {
		x->taken = 0; /* from here on: shown */
		if (found) {
			add_found(x, &x->first, FOUND_MAX - LAST_MAX, &text);
			add_found(x, &x->last, FOUND_MAX, &text);
		} else {
			add_found(x, &x->places, FOUND_MAX - LAST_MAX, &text);
		}
		add_end(x, found, &text);
	}
	str_addn(out, str_text(&text), text.len);
	str_fini(&text);
	fini(&x->end);
	fini(&x->first);
	fini(&x->last);
	fini(&x->places);
	free(x);
}
