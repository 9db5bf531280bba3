/* view: the state behind the lines and how they get onto the terminal. Must not decide anything
 * about the run, read a clock, or fail: what cannot be shown is not shown.
 *
 * A frame is one write: from the start of the first live line downwards, first the finished lines
 * that wait to be printed (each scrolls the rest down), then the live lines over what is left of
 * the old ones, then back up to the first of them. */
#include "view.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cols.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "view_line.h"
#include "view_out.h"

#define HIDE_CURSOR "\x1b[?25l"
#define SHOW_CURSOR "\x1b[?25h"
/* While live lines are drawn nothing wraps, even where the terminal counts widths differently. */
#define WRAP_OFF "\x1b[?7l"
#define WRAP_ON "\x1b[?7h"
#define ERASE_LINE "\x1b[K" /* from the cursor on */
#define ERASE_BELOW "\x1b[J"

enum {
	MOST_FOREIGN = 4096,         /* bytes of an id, a reason or an output line that are looked at */
	MOST_WAITING = 256 * 1024,   /* bytes of finished lines kept for a frozen terminal */
	CLOSE_MS = 1000
};

struct view {
	struct view_out out;
	enum view_mode mode;
	bool color, only_busy, dirty, drawn; /* drawn: live lines stand below the cursor */
	pid_t pid;
	unsigned fixed_columns;
	unsigned columns, rows;             /* as last asked */
	unsigned drawn_columns, drawn_rows; /* as they were at the last frame */
	size_t worktrees;
	struct view_slot *slots;
	struct view_numbers numbers;
	size_t widest; /* task id so far */
	uint64_t now_ms;
	struct str finished; /* lines to be printed, each ended by '\n' */
	size_t dropped;      /* lines that were not kept */
};

static struct view *diverted; /* the live view, for log lines and view_abandon */
static volatile sig_atomic_t abandon_fd = -1;

/* ---- size and texts ---- */

static void ask_size(struct view *v)
{
	v->columns = 80;
	v->rows = 24;
	cols_terminal(v->out.fd, &v->columns, &v->rows);
	if (v->fixed_columns)
		v->columns = v->fixed_columns;
}

static struct view_look look(const struct view *v)
{
	struct view_look k = view_look_for(v->mode == VIEW_LIVE ? v->columns : 0, v->widest, v->color);

	k.only_busy = v->only_busy;
	return k;
}

/* As shown text; NULL stays NULL. On a plain file the width does not matter, and UTF-8 is kept. */
static char *shown(const struct view *v, const char *text, bool lines)
{
	struct str s = {0};

	if (!text)
		return NULL;
	if (v->mode == VIEW_PLAIN)
		str_add_printable(&s, text, lines ? strlen(text) : strnlen(text, MOST_FOREIGN), lines);
	else
		cols_show(&s, text, lines ? strlen(text) : MOST_FOREIGN, lines);
	return str_take(&s);
}

/* Put `text` into *slot; true when it is another one. */
static bool change(const struct view *v, char **slot, const char *text)
{
	char *now = shown(v, text, false);
	bool differs = !str_eq(*slot, now);

	free(*slot);
	*slot = now;
	return differs;
}

static void widen(struct view *v, const char *task)
{
	size_t w = cols_width(task);
	if (w > v->widest)
		v->widest = w;
}

/* ---- frames ---- */

/* The terminal is gone: log lines go to stderr again, nothing else is shown. */
static void fall_silent(struct view *v)
{
	v->mode = VIEW_QUIET;
	abandon_fd = -1;
	if (diverted == v) {
		diverted = NULL;
		log_divert(NULL);
	}
	str_fini(&v->finished);
}

static void add_finished(struct view *v, struct str *out, const char *end_of_line)
{
	if (v->dropped)
		str_addf(&v->finished, "bosk: %zu lines were not shown\n", v->dropped);
	for (const char *p = str_text(&v->finished); *p;) {
		size_t n = strcspn(p, "\n");
		str_addn(out, p, n);
		str_add(out, end_of_line);
		p += n + 1;
	}
	str_clear(&v->finished);
	v->dropped = 0;
}

static void add_live(const struct view *v, struct str *out)
{
	AUTO_STRV struct strv lines = {0};
	struct view_look k = look(v);

	view_lines_live(&lines, &k, v->rows, v->slots, v->worktrees, &v->numbers, v->now_ms);
	str_add(out, WRAP_OFF);
	for (size_t i = 0; i < lines.n; i++) {
		str_add(out, lines.v[i]);
		str_add(out, i + 1 < lines.n ? ERASE_LINE "\r\n" : ERASE_BELOW WRAP_ON "\r");
	}
	if (lines.n > 1)
		str_addf(out, "\x1b[%zuA", lines.n - 1);
}

static void frame(struct view *v, bool with_live)
{
	AUTO_STR struct str bytes = {0};

	if (v->mode == VIEW_QUIET || !view_out_flush(&v->out))
		return; /* the terminal is busy: `dirty` and `finished` wait */
	bool front = view_out_front(&v->out);
	if (v->mode == VIEW_PLAIN) {
		add_finished(v, &bytes, "\n");
	} else if (!front) {
		/* The cursor is in the shell's lines: no moving, no erasing. */
		add_finished(v, &bytes, "\r\n");
		v->drawn = false;
		v->dirty = true;
	} else {
		ask_size(v);
		str_add(&bytes, HIDE_CURSOR "\r");
		/* After a resize the old lines may be wrapped into more rows than we will write; and
		 * a finished line on an erased row is kept, and wrapped later, without its blanks. */
		if (!with_live || !v->drawn || v->finished.len || v->columns != v->drawn_columns ||
		    v->rows != v->drawn_rows)
			str_add(&bytes, ERASE_BELOW);
		add_finished(v, &bytes, "\r\n");
		if (with_live)
			add_live(v, &bytes);
		str_add(&bytes, SHOW_CURSOR);
		v->drawn = with_live;
		v->drawn_columns = v->columns;
		v->drawn_rows = v->rows;
		v->dirty = false;
	}
	view_out_put(&v->out, str_text(&bytes), bytes.len);
	if (v->out.gone)
		fall_silent(v);
	else
		abandon_fd = v->drawn ? v->out.fd : -1;
}

/* `lines` are finished text: print them now, or as soon as the terminal takes them. */
static void print(struct view *v, const char *lines)
{
	if (v->finished.len > MOST_WAITING)
		v->dropped++;
	else
		str_add(&v->finished, lines);
	frame(v, true);
}

static void say(struct view *v, const char *text)
{
	AUTO_STR struct str lines = {0};

	if (v->mode == VIEW_QUIET)
		return;
	AUTO_FREE char *safe = shown(v, text, true);
	if (v->mode == VIEW_LIVE) {
		ask_size(v);
		cols_fold(&lines, safe, look(v).max);
	} else {
		str_addf(&lines, "%s\n", safe);
	}
	print(v, lines.p);
}

static void on_log(const char *line)
{
	if (diverted && diverted->pid == getpid())
		say(diverted, line);
	else
		fprintf(stderr, "%s\n", line); /* a forked child: the terminal's state is its parent's */
}

/* ---- life ---- */

struct view *view_open(const struct view_options *o)
{
	struct view *v = mem_alloc(sizeof *v);
	*v = (struct view){
		.mode = o->mode,
		.color = o->color,
		.only_busy = o->only_busy,
		.dirty = true,
		.pid = getpid(),
		.fixed_columns = o->columns,
		.worktrees = o->worktrees,
		.slots = mem_array(o->worktrees, sizeof *v->slots),
		.numbers = {.total = o->total},
	};
	view_out_open(&v->out, o->fd);
	ask_size(v);
	if (v->mode == VIEW_LIVE) {
		diverted = v;
		log_divert(on_log);
	}
	return v;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	if (v->pid == getpid()) {
		int patience = v->mode == VIEW_PLAIN ? -1 : CLOSE_MS;
		view_out_wait(&v->out, patience);
		if (v->drawn || v->finished.len)
			frame(v, false);
		view_out_wait(&v->out, patience);
	}
	fall_silent(v);
	view_out_close(&v->out);
	for (size_t i = 0; i < v->worktrees; i++)
		view_slot_fini(&v->slots[i]);
	free(v->slots);
	free(v);
}

void view_abandon(void)
{
	static const char bytes[] = "\r" ERASE_BELOW WRAP_ON SHOW_CURSOR;
	if (abandon_fd < 0)
		return;
	ssize_t ignored = write(abandon_fd, bytes, sizeof bytes - 1);
	(void)ignored;
}

bool view_live(const struct view *v)
{
	return v->mode == VIEW_LIVE;
}

/* ---- what happened ---- */

void view_say(struct view *v, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	say(v, str_text(&text));
}

void view_worktree(struct view *v, size_t n, const char *task, const char *phase, const char *step,
                   uint64_t since_ms)
{
	if (n >= v->worktrees || v->mode == VIEW_QUIET)
		return;
	struct view_slot *s = &v->slots[n];
	bool other = change(v, &s->task, task);
	other |= change(v, &s->phase, phase);
	if (change(v, &s->step, step) || other)
		mem_set(&s->output, NULL);
	s->since_ms = since_ms;
	v->dirty = true;
	if (!s->task)
		return;
	widen(v, s->task);
	if (other && v->mode == VIEW_PLAIN) {
		AUTO_STR struct str line = {0};
		view_line_plain(&line, n, s);
		str_addc(&line, '\n');
		print(v, line.p);
	}
}

void view_output(struct view *v, size_t n, const char *last_line)
{
	if (n >= v->worktrees || v->mode != VIEW_LIVE)
		return;
	if (change(v, &v->slots[n].output, last_line && *last_line ? last_line : NULL))
		v->dirty = true;
}

void view_counts(struct view *v, size_t integrated, size_t running, size_t failed, size_t total)
{
	struct view_numbers now = {integrated, running, failed, total};

	if (memcmp(&v->numbers, &now, sizeof now) != 0)
		v->dirty = true;
	v->numbers = now;
}

void view_task(struct view *v, const char *task, const char *state, uint64_t ms, const char *reason)
{
	AUTO_STR struct str line = {0};

	if (v->mode == VIEW_QUIET)
		return;
	AUTO_FREE char *id = shown(v, task, false), *why = shown(v, reason, false);
	ask_size(v);
	widen(v, id);
	struct view_look k = look(v);
	if (v->mode == VIEW_PLAIN && cols_width(id) > k.task)
		k.task = cols_width(id);
	view_line_task(&line, &k, id, state, ms, why);
	str_addc(&line, '\n');
	print(v, line.p);
}

void view_draw(struct view *v, uint64_t now_mono_ms, bool force)
{
	v->now_ms = now_mono_ms;
	if (v->finished.len || v->out.queue.len || (v->mode == VIEW_LIVE && (force || v->dirty)))
		frame(v, true);
}
