/* cols: text measured, cut, padded and folded in columns of a terminal. Pure but for asking the
 * locale and, in cols_terminal, the terminal; writes to no descriptor. */
#include "cols.h"

#include <langinfo.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <wchar.h>

enum { MARKS_IN_A_ROW = 3 }; /* zero-width characters on one cell: more only paint over other lines */

static bool utf8_locale(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* One character at p, of at least one byte: its length, and in *c its code, 0 when it isn't one. */
static size_t decode(const char *p, size_t n, wchar_t *c)
{
	mbstate_t state = {0};
	size_t len = mbrtowc(c, p, n, &state);
	if (len == 0 || len > n) {
		*c = 0;
		return 1;
	}
	return len;
}

/* Length and columns of the character at p, which is not the end. */
static size_t measure(const char *p, size_t n, size_t *columns)
{
	wchar_t c;
	*columns = 1;
	if (*p >= ' ' && *p <= '~')
		return 1;
	size_t len = decode(p, n, &c);
	int w = c ? wcwidth(c) : 1;
	*columns = w > 0 ? (size_t)w : w == 0 ? 0 : 1;
	return len;
}

/* ---- foreign text made harmless ---- */

/* Asks for another width of the character before; terminals disagree, so it goes. */
static bool changes_width(wchar_t c)
{
	return c == 0xfe0e || c == 0xfe0f;
}

static void show_wide(struct str *out, const char *p, size_t len, wchar_t c, size_t *marks)
{
	int w = c ? wcwidth(c) : -1;

	if (w < 0) {
		str_addc(out, '?');
	} else if (w == 0) {
		if (*marks < MARKS_IN_A_ROW && !changes_width(c))
			str_addn(out, p, len);
		++*marks;
		return;
	} else {
		str_addn(out, p, len);
	}
	*marks = 0;
}

void cols_show(struct str *out, const char *text, size_t n, bool lines)
{
	AUTO_STR struct str safe = {0};
	bool utf8 = utf8_locale();
	size_t marks = 0;

	str_add_printable(&safe, text, strnlen(text, n), lines);
	str_add(out, "");
	for (size_t i = 0, len; i < safe.len; i += len) {
		const char *p = safe.p + i;
		wchar_t c;
		len = 1;
		if ((unsigned char)*p < 0x80) {
			str_addc(out, *p == '\t' ? ' ' : *p);
			marks = 0;
		} else if (utf8) {
			len = decode(p, safe.len - i, &c);
			show_wide(out, p, len, c, &marks);
		} else if ((*p & 0xc0) != 0x80) {
			str_addc(out, '?'); /* once per character: at its first byte */
		}
	}
}

/* ---- measured text ---- */

size_t cols_width(const char *shown)
{
	size_t total = 0, n = strlen(shown), w;
	for (size_t i = 0; i < n; total += w)
		i += measure(shown + i, n - i, &w);
	return total;
}

/* Bytes of the longest start of `p` that fits in `max`; its columns in *used. */
static size_t fitting(const char *p, size_t n, size_t max, size_t *used)
{
	size_t i = 0, w;
	*used = 0;
	while (i < n && p[i] != '\n') {
		size_t len = measure(p + i, n - i, &w);
		if (*used + w > max)
			break;
		*used += w;
		i += len;
	}
	return i;
}

size_t cols_fit(struct str *out, const char *shown, size_t max, bool mark)
{
	size_t n = strlen(shown), used, take = fitting(shown, n, max, &used);

	if (take < n && mark && max > 4) {
		take = fitting(shown, n, max - 2, &used);
		str_addn(out, shown, take);
		str_add(out, "..");
		return used + 2;
	}
	str_addn(out, shown, take);
	return used;
}

void cols_pad(struct str *out, size_t n)
{
	while (n--)
		str_addc(out, ' ');
}

/* One line of `shown` without its newline. */
static void fold_line(struct str *out, const char *p, size_t n, size_t max)
{
	size_t indent = 0;

	for (;;) {
		size_t used, take = fitting(p, n, max - indent, &used);
		cols_pad(out, indent);
		if (take >= n) {
			str_addn(out, p, n);
			str_addc(out, '\n');
			return;
		}
		if (!take) { /* a wide character where only one column is left */
			wchar_t c;
			take = decode(p, n, &c);
			str_add(out, "?\n");
		} else {
			/* At a space, unless that would leave most of the line empty. */
			size_t space = take;
			while (space > take / 2 && p[space] != ' ')
				space--;
			if (space > take / 2)
				take = space;
			str_addn(out, p, take);
			str_addc(out, '\n');
			if (p[take] == ' ')
				take++;
		}
		p += take;
		n -= take;
		if (!n)
			return;
		indent = max >= 20 ? 2 : 0;
	}
}

void cols_fold(struct str *out, const char *shown, size_t max)
{
	for (;;) {
		size_t n = strcspn(shown, "\n");
		fold_line(out, shown, n, max ? max : 1);
		if (!shown[n])
			return;
		shown += n + 1;
	}
}

bool cols_terminal(int fd, unsigned *columns, unsigned *rows)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || !size.ws_col || !size.ws_row)
		return false;
	*columns = size.ws_col;
	*rows = size.ws_row;
	return true;
}
