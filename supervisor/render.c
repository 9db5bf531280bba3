/* render: tables with columns aligned by display width. Must not know what a task or a session is:
 * the commands choose the texts. */
#include "render.h"

#include <string.h>

#include "cols.h"
#include "store/base/mem.h"

enum { GAP = 2 };

static void keep(struct strv *row, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str s = {0};
		const char *text = texts[i] ? texts[i] : "-";
		cols_show(&s, text, strlen(text), false);
		strv_give(row, str_take(&s));
	}
}

void table_header(struct table *t, const char *const *texts, size_t n)
{
	strv_fini(&t->header);
	keep(&t->header, texts, n);
}

void table_row(struct table *t, const char *const *texts, size_t n)
{
	/* Doubled at powers of two. */
	if ((t->n & (t->n - 1)) == 0)
		t->rows = mem_grow(t->rows, t->n ? 2 * t->n : 1, sizeof *t->rows);
	t->rows[t->n] = (struct strv){0};
	keep(&t->rows[t->n++], texts, n);
}

void table_right(struct table *t, size_t column)
{
	if (column < 64)
		t->right |= UINT64_C(1) << column;
}

void table_fini(struct table *t)
{
	strv_fini(&t->header);
	for (size_t i = 0; i < t->n; i++)
		strv_fini(&t->rows[i]);
	free(t->rows);
	*t = (struct table){0};
}

/* ---- printing ---- */

static void measure_row(const struct strv *row, size_t *widths)
{
	for (size_t i = 0; i < row->n; i++) {
		size_t w = cols_width(row->v[i]);
		if (w > widths[i])
			widths[i] = w;
	}
}

static void print_row(const struct table *t, const struct strv *row, const size_t *widths,
                      size_t columns, size_t max, struct str *out)
{
	AUTO_STR struct str line = {0};
	size_t used = 0;

	for (size_t i = 0; i < row->n; i++) {
		const char *text = row->v[i];
		size_t w = cols_width(text), gap = i ? GAP : 0;
		bool right = i < 64 && t->right >> i & 1;
		if (right)
			gap += widths[i] - w;
		/* Only the table's last column, and that of the line, may be cut with a mark. */
		if (max && used + gap + w > max) {
			cols_pad(&line, used + gap < max ? gap : max - used);
			if (used + gap < max)
				cols_fit(&line, text, max - used - gap, i + 1 == columns);
			break;
		}
		cols_pad(&line, gap);
		str_add(&line, text);
		if (!right && i + 1 < row->n)
			cols_pad(&line, widths[i] - w);
		used += gap + (right ? w : widths[i]);
		if (max && used > max)
			used = max;
	}
	while (line.len && line.p[line.len - 1] == ' ')
		line.len--;
	str_addn(out, str_text(&line), line.len);
	str_addc(out, '\n');
}

void table_print(const struct table *t, size_t width, struct str *out)
{
	size_t columns = t->header.n;

	if (!t->n)
		return;
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].n > columns)
			columns = t->rows[i].n;
	AUTO_FREE size_t *widths = mem_array(columns, sizeof *widths);
	measure_row(&t->header, widths);
	for (size_t i = 0; i < t->n; i++)
		measure_row(&t->rows[i], widths);
	if (t->header.n)
		print_row(t, &t->header, widths, columns, width, out);
	for (size_t i = 0; i < t->n; i++)
		print_row(t, &t->rows[i], widths, columns, width, out);
}

size_t render_columns(int fd)
{
	unsigned columns, rows;
	return cols_terminal(fd, &columns, &rows) ? columns : 0;
}
