/* vt: a small terminal for the tests of what we draw: keeps every row it ever showed, follows the
 * few sequences the view may send, and fails the test at anything else. Two kinds of terminal: one
 * that wraps its lines anew at a resize (vte, tmux, kitty), one that cuts them (xterm, Linux). */
#ifndef BOSK_VT_H
#define BOSK_VT_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

struct vt_cell {
	char text[24];  /* a character and its combining ones; "" = blank */
	unsigned width; /* 0 = blank or the right half of a wide one */
};

struct vt_row {
	struct vt_cell *cells;
	size_t n;     /* cells made */
	bool wrapped; /* goes on in the next row */
};

struct vt {
	size_t columns, rows;
	bool reflows;
	bool cursor_shown, wraps;
	struct vt_row *row;  /* all since the start, oldest first */
	size_t count, top;   /* row[top] is the first on the screen */
	size_t x, y;         /* the cursor; y counts in row[] */
	struct str held;     /* bytes of a sequence or character not complete yet */
	size_t sequences;    /* escape sequences seen */
};

void vt_init(struct vt *t, size_t columns, size_t rows, bool reflows);
void vt_fini(struct vt *t);
void vt_feed(struct vt *t, const char *bytes, size_t n);
void vt_resize(struct vt *t, size_t columns, size_t rows);

/* Lines as they were sent: wrapped rows joined, blanks at the end left out, from row[from] up to
 * row[to] (without it). */
void vt_lines(const struct vt *t, size_t from, size_t to, struct strv *out);

#endif
