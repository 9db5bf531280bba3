/* view: what `bosk run` shows while it works. On a terminal a line per worktree, a progress bar, and
 * ended tasks scrolling by above them; elsewhere plain lines, one per thing that happened. All on
 * stderr. Foreign text is escaped (promise E7), lines are cut to the terminal's width in columns. */
#ifndef BOSK_VIEW_H
#define BOSK_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view;

enum view_mode { VIEW_QUIET, VIEW_PLAIN, VIEW_LIVE };

struct view_options {
	enum view_mode mode;
	bool color;        /* false for NO_COLOR and non-terminals */
	int fd;            /* where to write: 2, or a pty in tests */
	unsigned columns;  /* 0 = ask the terminal (TIOCGWINSZ) at each redraw, 80 when it won't say */
	size_t worktrees;  /* lines shown below the scrolling part, at most 16 then a "+N more" line */
	size_t total;      /* tasks */
};

struct view *view_open(const struct view_options *o);
/* Erases the live lines; what was printed stays. NULL allowed. */
void view_close(struct view *v);

/* A line of its own, above the live ones; VIEW_PLAIN prints it as it is; not with VIEW_QUIET. */
void view_say(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Worktree n (from 0) now does this. task NULL = idle. `phase`: "prepare", "setup", "agent", "gate",
 * "commit"; `step`: gate name or attempt, may be NULL; since_ms: monotonic start of the task.
 * VIEW_PLAIN prints a line when task or phase changed ("worktree 1: greet: agent"). */
void view_worktree(struct view *v, size_t n, const char *task, const char *phase, const char *step,
                   uint64_t since_ms);
void view_output(struct view *v, size_t n, const char *last_line); /* live only */

/* Numbers for the bar. */
void view_counts(struct view *v, size_t integrated, size_t running, size_t failed, size_t total);

/* A task ended or was integrated: "ok   greet          integrated   1.2 s" (state as interface.md
 * shows it; reason may be NULL). */
void view_task(struct view *v, const char *task, const char *state, uint64_t ms, const char *reason);

/* Redraw the live lines if anything changed or `force`d (the 1 Hz tick, a resize). One write(2). */
void view_draw(struct view *v, uint64_t now_mono_ms, bool force);
bool view_live(const struct view *v);

#endif
