/* view_line: the lines of the view as text. Private to view. No descriptor, no clock; each line
 * takes at most `max` columns, has no newline, and no escape sequence but colours, if asked for. */
#ifndef BOSK_VIEW_LINE_H
#define BOSK_VIEW_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/str.h"

struct view_look {
	bool color;
	bool only_busy; /* an idle worktree has no line */
	size_t max;   /* columns a line may take; the last column of a terminal is never written */
	size_t task;  /* width of the column of task ids */
	size_t phase; /* width of the column of phases */
};

/* The look for a terminal of that many columns (0 = a file, nothing is cut to a width), where the widest task id takes `widest`. */
struct view_look view_look_for(unsigned columns, size_t widest, bool color);

/* All texts are shown text (cols.h) or NULL. */
struct view_slot {
	char *task; /* NULL = idle */
	char *phase, *step, *output;
	uint64_t since_ms;
};

void view_slot_fini(struct view_slot *s);

struct view_numbers {
	size_t integrated, running, failed, total;
};

/* "1 greet          gate tests      0:12  last output line": worktree n (from 0) of `of`. */
void view_line_worktree(struct str *out, const struct view_look *k, size_t n, size_t of,
                        const struct view_slot *s, uint64_t now_ms);
/* "worktree 1: greet: gate tests", for a file: not cut. The worktree is not idle. */
void view_line_plain(struct str *out, size_t n, const struct view_slot *s);
/* "+3 more worktrees" */
void view_line_more(struct str *out, const struct view_look *k, size_t n);
/* "[####......] 5/12 integrated, 2 running, 1 failed, 4 waiting"; zeros are left out, and with few
 * columns first words, then the bar, then all but "5/12". */
void view_line_bar(struct str *out, const struct view_look *k, const struct view_numbers *c);
/* "ok   greet          integrated    1.2 s  reason" */
void view_line_task(struct str *out, const struct view_look *k, const char *task,
                    const char *state, uint64_t ms, const char *reason);

/* All the lines that stay at the bottom of a terminal of `rows` rows, the bar last: it leaves a row
 * for what scrolls, and shows no more than 16 worktrees. */
void view_lines_live(struct strv *out, const struct view_look *k, unsigned rows,
                     const struct view_slot *slots, size_t worktrees, const struct view_numbers *c,
                     uint64_t now_ms);

#endif
