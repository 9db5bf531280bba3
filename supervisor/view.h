/* view: what `bosk run` shows while it works. On a terminal a line per worktree, a progress bar, and
 * ended tasks scrolling by above them; elsewhere plain lines, one per thing that happened. All on
 * stderr. Foreign text is escaped (promise E7), lines are cut to the terminal's width in columns.
 *
 * Nothing here fails or holds up the run. A terminal that takes no more bytes (Ctrl-S, a sleeping
 * ssh client) is skipped: its lines wait, at most 256 KiB of them, and are shown when it goes on. A
 * terminal that is gone turns the view into VIEW_QUIET. O_NONBLOCK is never set on `fd`.
 *
 * The caller ignores SIGPIPE and SIGTTOU (and gives its children the defaults back). As a
 * background job of the terminal only finished lines are printed, the live ones are not drawn.
 *
 * VIEW_LIVE takes over log_divert while open, for one view at a time. In a forked child log lines
 * go to stderr again; of the functions below it may call view_close only, which writes nothing
 * there.
 *
 * Between two calls the cursor is shown and stands at the start of the first live line: whatever
 * the terminal does with the lines at a resize, what has to be drawn anew begins there, and when we
 * die without a word the shell goes on from there. */
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
	int fd;            /* where to write: 2, or a pty in tests; stays the caller's */
	unsigned columns;  /* 0 = ask the terminal (TIOCGWINSZ) at each redraw, 80 when it won't say */
	size_t worktrees;  /* lines shown below the scrolling part, at most 16 then a "+N more" line;
	                    * fewer when the terminal has no rows for them */
	bool only_busy;    /* an idle worktree has no line: there are many that are used once */
	size_t total;      /* tasks */
};

/* Draws nothing yet. */
struct view *view_open(const struct view_options *o);
/* Erases the live lines; what was printed stays. Waits up to a second for a frozen terminal, and
 * with VIEW_PLAIN for a reader as long as there is one. NULL allowed. */
void view_close(struct view *v);

/* For a handler of a signal that ends or stops the process, and for crashes: erases the live lines
 * of the view that is open, if any, by one write(2); async-signal-safe. */
void view_abandon(void);

/* A line of its own, above the live ones, folded at the terminal's width; VIEW_PLAIN prints it as
 * it is; not with VIEW_QUIET. May hold newlines, and foreign text. */
void view_say(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Worktree n (from 0; one that view_open was not told of is ignored) now does this. task NULL =
 * idle. `phase`: "prepare", "setup", "agent", "gate", "wait", "commit"; `step`: gate name or attempt, may
 * be NULL; since_ms: monotonic start of the task. Forgets the output line when any text changed.
 * VIEW_PLAIN prints a line when task or phase changed ("worktree 1: greet: gate tests"). */
void view_worktree(struct view *v, size_t n, const char *task, const char *phase, const char *step,
                   uint64_t since_ms);
/* The last line the worktree's command wrote; NULL or "" = none. Live only. */
void view_output(struct view *v, size_t n, const char *last_line);

/* Numbers for the bar. What of `total` is in none of the others is shown as waiting. */
void view_counts(struct view *v, size_t integrated, size_t running, size_t failed, size_t total);

/* A task ended or was integrated: "ok   greet          integrated    1.2 s" (state as interface.md
 * shows it; reason may be NULL). First word: "ok" for integrated, landed and routed, "FAIL" for
 * failed, blocked and conflict, else "--". */
void view_task(struct view *v, const char *task, const char *state, uint64_t ms, const char *reason);

/* Redraw the live lines if anything changed or `force`d (the 1 Hz tick, a resize, SIGCONT). One
 * write(2). The elapsed times are those at now_mono_ms; no other clock is read. With VIEW_PLAIN it
 * sends lines a slow reader did not take before. */
void view_draw(struct view *v, uint64_t now_mono_ms, bool force);
/* False once the terminal is gone, too. */
bool view_live(const struct view *v);

#endif
