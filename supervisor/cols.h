/* cols: how many columns of a terminal a text takes, and text cut, padded and folded to columns.
 *
 * All but cols_show and cols_terminal take "shown" text: what cols_show made, or our own ASCII.
 * Only of shown text is the width known. Widths are wcwidth's when main has set a UTF-8 locale;
 * in any other locale cols_show lets nothing but ASCII through, so a byte is a column. */
#ifndef BOSK_COLS_H
#define BOSK_COLS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

/* Add foreign text, at most n bytes of it, in a form that neither drives the terminal (promise E7)
 * nor takes another width than we count: control characters and bytes that are not UTF-8 as \xNN,
 * marks that turn the writing direction as \uNNNN, what has no known width as '?'. Zero-width
 * characters stay, at most 3 in a row. A newline stays only with `lines`; a tab is one space. */
void cols_show(struct str *out, const char *text, size_t n, bool lines);

size_t cols_width(const char *shown);

/* Add what fits in `max` columns; a wide character is never split. With `mark` a text that is cut
 * ends in "..". Returns the columns used. */
size_t cols_fit(struct str *out, const char *shown, size_t max, bool mark);

/* Add n spaces. */
void cols_pad(struct str *out, size_t n);

/* Add `shown` as lines of at most `max` columns, each ended by '\n'; nothing is lost but the space
 * where a line is broken. Follow-on lines are indented by two. Newlines in `shown` are kept. */
void cols_fold(struct str *out, const char *shown, size_t max);

/* The terminal's size; false, and nothing stored, when fd is none or doesn't know it. */
bool cols_terminal(int fd, unsigned *columns, unsigned *rows);

#endif
