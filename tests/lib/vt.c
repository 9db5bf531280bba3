/* vt: the terminal of the tests. Needs a UTF-8 locale to be set. */
#include "vt.h"

#include <wchar.h>

#include "test.h"

static struct vt_row *need_row(struct vt *t, size_t y)
{
	while (t->count <= y) {
		if ((t->count & (t->count + 1)) == 0)
			t->row = mem_grow(t->row, 2 * (t->count + 1), sizeof *t->row);
		t->row[t->count++] = (struct vt_row){0};
	}
	return &t->row[y];
}

static struct vt_cell *need_cell(struct vt_row *r, size_t x)
{
	while (r->n <= x) {
		if ((r->n & (r->n + 1)) == 0)
			r->cells = mem_grow(r->cells, 2 * (r->n + 1), sizeof *r->cells);
		r->cells[r->n++] = (struct vt_cell){0};
	}
	return &r->cells[x];
}

static void cut_row(struct vt_row *r, size_t n)
{
	if (r->n > n)
		r->n = n;
}

static void drop_rows(struct vt *t, size_t from)
{
	while (t->count > from)
		free(t->row[--t->count].cells);
}

void vt_init(struct vt *t, size_t columns, size_t rows, bool reflows)
{
	*t = (struct vt){.columns = columns, .rows = rows, .reflows = reflows,
	                 .cursor_shown = true, .wraps = true};
	need_row(t, 0);
}

void vt_fini(struct vt *t)
{
	drop_rows(t, 0);
	free(t->row);
	str_fini(&t->held);
	*t = (struct vt){0};
}

/* ---- what is sent ---- */

static void put(struct vt *t, const char *bytes, size_t n)
{
	wchar_t c;
	mbstate_t state = {0};
	if (mbrtowc(&c, bytes, n, &state) != n)
		fail_msg("the terminal got bytes that are not UTF-8: \\x%02x", (unsigned char)*bytes);
	int w = wcwidth(c);
	if (w < 0 || (c >= 0x202a && c <= 0x202e)) /* unknown width, or turns the direction */
		fail_msg("the terminal got U+%04x", (unsigned)c);
	struct vt_row *r = need_row(t, t->y);
	if (w == 0) {
		size_t x = t->x;
		while (x && !(x <= r->n && r->cells[x - 1].width))
			x--;
		assert_true(x > 0);
		struct vt_cell *cell = &r->cells[x - 1];
		assert_true(strlen(cell->text) + n < sizeof cell->text);
		strncat(cell->text, bytes, n);
		return;
	}
	if (t->x + (size_t)w > t->columns - 1)
		fail_msg("a character reaches column %zu of %zu", t->x + (size_t)w, t->columns);
	for (int i = 1; i < w; i++)
		*need_cell(r, t->x + (size_t)i) = (struct vt_cell){0};
	struct vt_cell *cell = need_cell(r, t->x);
	*cell = (struct vt_cell){.width = (unsigned)w};
	memcpy(cell->text, bytes, n);
	t->x += (size_t)w;
}

static void line_feed(struct vt *t)
{
	need_row(t, ++t->y);
	if (t->y >= t->top + t->rows)
		t->top = t->y - t->rows + 1;
}

/* `p` is a whole sequence "ESC [ ... letter". */
static void sequence(struct vt *t, const char *p)
{
	unsigned long n = strtoul(p + 2, NULL, 10);
	char last = p[strlen(p) - 1];

	t->sequences++;
	if (strcmp(p, "\x1b[?25l") == 0 || strcmp(p, "\x1b[?25h") == 0) {
		t->cursor_shown = last == 'h';
	} else if (strcmp(p, "\x1b[?7l") == 0 || strcmp(p, "\x1b[?7h") == 0) {
		t->wraps = last == 'h';
	} else if (strcmp(p, "\x1b[K") == 0) {
		cut_row(&t->row[t->y], t->x);
	} else if (strcmp(p, "\x1b[J") == 0) {
		cut_row(&t->row[t->y], t->x);
		t->row[t->y].wrapped = false; /* the sterner half of terminals: only here */
		drop_rows(t, t->y + 1);
	} else if (last == 'A') {
		assert_true(n >= 1);
		if (t->y < t->top + n)
			fail_msg("%lu rows up from row %zu of the screen", n, t->y - t->top);
		t->y -= n;
	} else if (last != 'm' || strspn(p + 2, "0123456789;") != strlen(p) - 3) {
		fail_msg("the terminal got the sequence ESC%s", p + 1);
	}
}

void vt_feed(struct vt *t, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char first = t->held.len ? t->held.p[0] : '\0';
		if (first == '\x1b') {
			str_addc(&t->held, (char)c);
			if (t->held.len == 2 && c != '[')
				fail_msg("the terminal got ESC and \\x%02x", c);
			if (t->held.len > 2 && c >= '@' && c <= '~') {
				sequence(t, t->held.p);
				str_clear(&t->held);
			}
		} else if (first || c >= 0x80) {
			str_addc(&t->held, (char)c);
			unsigned char lead = (unsigned char)t->held.p[0];
			if (t->held.len == (lead >= 0xf0 ? 4u : lead >= 0xe0 ? 3u : 2u)) {
				put(t, t->held.p, t->held.len);
				str_clear(&t->held);
			}
		} else if (c == '\x1b') {
			str_addc(&t->held, '\x1b');
		} else if (c == '\r') {
			t->x = 0;
		} else if (c == '\n') {
			line_feed(t);
		} else if (c < 0x20 || c == 0x7f) {
			fail_msg("the terminal got the control character \\x%02x", c);
		} else {
			put(t, (const char *)&c, 1);
		}
	}
}

/* ---- resize ---- */

static void add_row(struct vt *to, const struct vt_cell *cells, size_t n, bool wrapped)
{
	struct vt_row *r = need_row(to, to->count);
	for (size_t i = 0; i < n; i++)
		*need_cell(r, i) = cells[i];
	r->wrapped = wrapped;
}

/* Every line that was sent is laid out anew; the cursor stays on its character. */
static void reflow(struct vt *t, size_t columns)
{
	struct vt to = {0};
	size_t x = t->x, y = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct vt_row line = {0};
		bool here = false;
		for (;; i++) {
			if (i == t->y) {
				here = true;
				x = line.n + t->x;
			}
			for (size_t k = 0; k < t->row[i].n; k++)
				*need_cell(&line, line.n) = t->row[i].cells[k];
			if (!t->row[i].wrapped || i + 1 == t->count)
				break;
		}
		if (here)
			y = to.count;
		for (size_t from = 0;;) {
			size_t n = line.n - from < columns ? line.n - from : columns;
			/* A wide character goes to the next row whole. */
			if (from + n < line.n && !line.cells[from + n].width &&
			    line.cells[from + n - 1].width == 2)
				n--;
			add_row(&to, n ? line.cells + from : NULL, n, from + n < line.n);
			from += n;
			if (from >= line.n)
				break;
		}
		free(line.cells);
	}
	drop_rows(t, 0);
	free(t->row);
	t->row = to.row;
	t->count = to.count;
	t->y = y;
	t->x = x < columns ? x : columns - 1; /* our cursor rests in the first column */
}

void vt_resize(struct vt *t, size_t columns, size_t rows)
{
	if (t->reflows)
		reflow(t, columns);
	else
		for (size_t i = t->top; i < t->count; i++)
			cut_row(&t->row[i], columns);
	t->columns = columns;
	t->rows = rows;
	/* The screen ends with the last row, unless the cursor would be above it. */
	t->top = t->count > rows ? t->count - rows : 0;
	if (t->top > t->y) {
		t->top = t->y;
		drop_rows(t, t->top + rows);
	}
}

void vt_lines(const struct vt *t, size_t from, size_t to, struct strv *out)
{
	AUTO_STR struct str line = {0};

	for (size_t y = from; y < to && y < t->count; y++) {
		const struct vt_row *r = &t->row[y];
		for (size_t x = 0; x < r->n; x++) {
			const struct vt_cell *c = &r->cells[x];
			bool half = x && r->cells[x - 1].width == 2;
			if (!half)
				str_add(&line, *c->text ? c->text : " ");
		}
		if (r->wrapped)
			continue;
		while (line.len && line.p[line.len - 1] == ' ')
			line.len--;
		str_addn(&line, "", 0);
		strv_add(out, str_text(&line));
		str_clear(&line);
	}
}
