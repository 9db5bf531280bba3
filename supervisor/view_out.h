/* view_out: the descriptor the view writes to, so that neither a slow, a frozen nor a closed
 * terminal ever stops the run. Knows bytes, not lines or tasks. */
#ifndef BOSK_VIEW_OUT_H
#define BOSK_VIEW_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/str.h"

struct view_out {
	int fd;           /* ours when `own`, else the caller's */
	bool own;         /* opened again by us, non-blocking: the caller's description is not touched */
	bool tty;
	bool gone;        /* the other end is closed; nothing is written any more */
	struct str queue; /* what the descriptor did not take yet, from `sent` on */
	size_t sent;
};

/* A terminal that understands more than lines (not TERM=dumb); and one that may show colour too. */
bool view_out_terminal(int fd);
bool view_out_color(int fd);

void view_out_open(struct view_out *o, int fd);
void view_out_close(struct view_out *o); /* drops what is still queued */

/* Send these bytes, or queue them. With nothing queued and a willing terminal: one write(2). */
void view_out_put(struct view_out *o, const char *bytes, size_t n);
/* Give what is queued `timeout_ms` to leave, -1 = as long as somebody may read it. */
void view_out_wait(struct view_out *o, int timeout_ms);
/* True when nothing is queued any more, or nobody is there to send it to. */
bool view_out_flush(struct view_out *o);

/* False while we are a background job of the terminal: the lines on it are the shell's. */
bool view_out_front(const struct view_out *o);

#endif
