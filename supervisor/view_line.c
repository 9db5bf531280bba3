/* view_line: what a worktree, the progress and an ended task look like in a given width. Must not
 * read a clock or know where the lines go. */
#include "view_line.h"

#include <stdio.h>
#include <string.h>

#include "cols.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

#define GREEN "\x1b[32m"
#define RED "\x1b[31m"
#define YELLOW "\x1b[33m"
#define FAINT "\x1b[2m"
#define PLAIN_AGAIN "\x1b[m"

struct view_look view_look_for(unsigned columns, size_t widest, bool color)
{
	size_t most = columns ? columns / 3 : 26;
	struct view_look k = {
		.color = color,
		.max = columns > 1 ? columns - 1 : columns ? 1 : SIZE_MAX,
		.task = widest < 14 ? 14 : widest,
		.phase = columns >= 100 ? 20 : 14,
	};
	if (most < 8)
		most = 8;
	if (k.task > most)
		k.task = most;
	return k;
}

void view_slot_fini(struct view_slot *s)
{
	free(s->task);
	free(s->phase);
	free(s->step);
	free(s->output);
	*s = (struct view_slot){0};
}

/* ---- a line being filled from the left ---- */

struct line {
	struct str *out;
	size_t used, max;
	bool color;
};

static struct line line_on(struct str *out, const struct view_look *k)
{
	return (struct line){.out = out, .max = k->max, .color = k->color};
}

static void put(struct line *l, const char *shown, const char *sgr)
{
	size_t room = l->max - l->used;

	if (!room || !*shown)
		return;
	if (sgr && l->color)
		str_add(l->out, sgr);
	l->used += cols_fit(l->out, shown, room, false);
	if (sgr && l->color)
		str_add(l->out, PLAIN_AGAIN);
	if (cols_width(shown) > room)
		l->used = l->max; /* nothing narrow may follow a wide character that was left out */
}

static void put_spaces(struct line *l, size_t n)
{
	if (n > l->max - l->used)
		n = l->max - l->used;
	cols_pad(l->out, n);
	l->used += n;
}

/* A column of `width`, cut or filled up, and a space. */
static void put_field(struct line *l, const char *shown, size_t width, bool right,
                      const char *sgr)
{
	AUTO_STR struct str cut = {0};
	size_t used = cols_fit(&cut, shown, width, true);

	if (right)
		put_spaces(l, width - used);
	put(l, str_text(&cut), sgr);
	if (!right)
		put_spaces(l, width - used);
	put_spaces(l, 1);
}

/* ---- the lines ---- */

static size_t digits(size_t n)
{
	size_t d = 1;
	while (n /= 10)
		d++;
	return d;
}

static void add_elapsed(struct str *out, uint64_t ms)
{
	unsigned long long s = ms / 1000;
	if (s < 3600)
		str_addf(out, "%2llu:%02llu", s / 60, s % 60);
	else
		str_addf(out, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
}

void view_line_worktree(struct str *out, const struct view_look *k, size_t n, size_t of,
                        const struct view_slot *s, uint64_t now_ms)
{
	AUTO_STR struct str number = {0}, phase = {0}, elapsed = {0};
	struct line l = line_on(out, k);

	str_addf(&number, "%zu", n + 1);
	put_field(&l, number.p, digits(of), true, NULL);
	if (!s->task) {
		put(&l, "idle", FAINT);
		return;
	}
	put_field(&l, s->task, k->task, false, NULL);
	str_addf(&phase, "%s%s%s", s->phase ? s->phase : "", s->phase && s->step ? " " : "",
	         s->step ? s->step : "");
	put_field(&l, str_text(&phase), k->phase, false, NULL);
	add_elapsed(&elapsed, now_ms > s->since_ms ? now_ms - s->since_ms : 0);
	put(&l, elapsed.p, NULL);
	if (s->output) {
		put_spaces(&l, 2);
		put(&l, s->output, FAINT);
	}
}

void view_line_plain(struct str *out, size_t n, const struct view_slot *s)
{
	str_addf(out, "worktree %zu: %s", n + 1, s->task);
	if (s->phase)
		str_addf(out, ": %s", s->phase);
	if (s->phase && s->step)
		str_addf(out, " %s", s->step);
}

void view_line_more(struct str *out, const struct view_look *k, size_t n)
{
	AUTO_STR struct str text = {0};
	struct line l = line_on(out, k);

	str_addf(&text, "+%zu more worktree%s", n, n == 1 ? "" : "s");
	put(&l, text.p, FAINT);
}

enum { BAR_LEAST = 5, BAR_MOST = 40, BAR_FRAME = 3 }; /* the frame is "[" and "] " */

static void add_numbers(struct str *out, const struct view_numbers *c, int brevity)
{
	static const char *const words[3][4] = {
		{" integrated", " running", " failed", " waiting"},
		{" ok", " run", " fail", " wait"},
		{"", NULL, NULL, NULL},
	};
	size_t busy = c->integrated + c->running + c->failed;
	size_t values[4] = {0, c->running, c->failed, c->total > busy ? c->total - busy : 0};

	str_addf(out, "%zu/%zu%s", c->integrated, c->total, words[brevity][0]);
	for (int i = 1; i < 4; i++)
		if (values[i] && words[brevity][i])
			str_addf(out, ", %zu%s", values[i], words[brevity][i]);
}

static void add_bar(struct line *l, const struct view_numbers *c, size_t width)
{
	AUTO_STR struct str done = {0}, rest = {0};
	size_t full = 0;

	if (c->total)
		full = c->integrated >= c->total ? width : c->integrated * width / c->total;
	for (size_t i = 0; i < width; i++)
		str_addc(i < full ? &done : &rest, i < full ? '#' : '.');
	put(l, "[", NULL);
	put(l, str_text(&done), GREEN);
	put(l, str_text(&rest), FAINT);
	put(l, "] ", NULL);
}

void view_line_bar(struct str *out, const struct view_look *k, const struct view_numbers *c)
{
	struct line l = line_on(out, k);

	for (size_t least = BAR_LEAST;; least = 0) { /* first with a bar, then without */
		for (int brevity = 0; brevity < 3; brevity++) {
			AUTO_STR struct str text = {0};
			add_numbers(&text, c, brevity);
			size_t need = text.len + (least ? BAR_FRAME + least : 0);
			bool last_resort = !least && brevity == 2;
			if (need > k->max && !last_resort)
				continue;
			size_t width = least ? k->max - text.len - BAR_FRAME : 0;
			if (least)
				add_bar(&l, c, width < BAR_MOST ? width : BAR_MOST);
			put(&l, text.p, NULL);
			return;
		}
	}
}

struct mark {
	const char *word, *sgr;
};

static struct mark mark_of(const char *state)
{
	static const char *const good[] = {"integrated", "landed", "routed"};
	static const char *const neither[] = {"pending",   "running",  "limited", "skipped",
	                                      "cancelled", "reverted", "partial"};

	for (size_t i = 0; i < MEM_COUNT(good); i++)
		if (strcmp(state, good[i]) == 0)
			return (struct mark){"ok", GREEN};
	for (size_t i = 0; i < MEM_COUNT(neither); i++)
		if (strcmp(state, neither[i]) == 0)
			return (struct mark){"--", YELLOW};
	return (struct mark){"FAIL", RED};
}

void view_line_task(struct str *out, const struct view_look *k, const char *task,
                    const char *state, uint64_t ms, const char *reason)
{
	AUTO_STR struct str took = {0};
	struct line l = line_on(out, k);
	struct mark mark = mark_of(state);

	put_field(&l, mark.word, 4, false, mark.sgr);
	put_field(&l, task, k->task, false, NULL);
	put_field(&l, state, 10, false, NULL);
	clock_add_duration(&took, ms);
	put_spaces(&l, took.len < 8 ? 8 - took.len : 0);
	put(&l, took.p, NULL);
	if (reason && *reason) {
		put_spaces(&l, 2);
		put(&l, reason, NULL);
	}
}

void view_lines_live(struct strv *out, const struct view_look *k, unsigned rows,
                     const struct view_slot *slots, size_t worktrees, const struct view_numbers *c,
                     uint64_t now_ms)
{
	enum { MOST = 16 };
	size_t room = rows > 2 ? rows - 2 : 0; /* for worktrees and "+N more" */
	size_t all = 0, n = 0;

	for (size_t i = 0; i < worktrees; i++)
		all += !k->only_busy || slots[i].task;
	bool more = all > MOST || all > room;
	size_t most = !more ? all : room > MOST ? MOST : room ? room - 1 : 0;
	for (size_t i = 0; i < worktrees && n < most; i++) {
		struct str line = {0};
		if (k->only_busy && !slots[i].task)
			continue;
		n++;
		view_line_worktree(&line, k, i, worktrees, &slots[i], now_ms);
		strv_give(out, str_take(&line));
	}
	struct str line = {0};
	if (more && room) {
		view_line_more(&line, k, all - n);
		strv_give(out, str_take(&line));
	}
	view_line_bar(&line, k, c);
	strv_give(out, str_take(&line));
}
