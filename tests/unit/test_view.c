/* View: what stands on a real pseudo-terminal after any sequence of calls and resizes, with hostile
 * texts in them; and the other two modes. */
#include "test.h"

#include <locale.h>
#include <sys/socket.h>
#include <unistd.h>

#include "screen.h"
#include "store/base/log.h"
#include "supervisor/cols.h"
#include "supervisor/view.h"
#include "supervisor/view_line.h"

static struct view *open_view(struct screen *s, enum view_mode mode, size_t worktrees)
{
	struct view_options o = {.mode = mode, .fd = s->slave, .worktrees = worktrees, .total = 12};
	return view_open(&o);
}

/* ---- random calls ---- */

static const char *const hostile[] = {
	"greet", "", "a-very-long-task-id-of-a-story-1-2-user-authentication-and-login", "\x1b]0;x\a",
	"\x1b[2J\x1b[1;1H", "\xc2\x9b" "31m", "\xff\xfe bytes", "two\nlines\rback", "tab\there",
	"\xe4\xb8\xad\xe6\x96\x87\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xb8\xad\xe6\x96\x87\xe4\xbb\xbb\xe5\x8a\xa1",
	"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81 zalgo", "\xcc\x81 alone",
	"\xe2\x9d\xa4\xef\xb8\x8f heart", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb joined",
	"\xe2\x80\xae" "drawkcab", "\xe2\x80\xa8line separator", "\xcd\xb8 unassigned", "\x7f\x08\x08",
};

struct model {
	struct view_slot slots[20];
	struct view_numbers numbers;
	size_t worktrees, widest;
	uint64_t now;
	struct strv printed;
};

static const char *pick(struct test_rng *rng)
{
	return hostile[test_rng_below(rng, MEM_COUNT(hostile))];
}

static char *shown(const char *text)
{
	struct str s = {0};
	cols_show(&s, text, strlen(text), false);
	return str_take(&s);
}

static void trim(char *line)
{
	for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
		line[n - 1] = '\0';
}

static void ends_a_task(struct test_rng *rng, struct view *v, struct model *m, unsigned columns)
{
	static const char *const states[] = {"integrated", "failed", "skipped", "conflict"};
	const char *state = states[test_rng_below(rng, 4)], *reason = pick(rng);
	uint64_t ms = test_rng_below(rng, 20000000);
	AUTO_FREE char *id = mem_printf("t%03zu%s", m->printed.n, pick(rng));
	AUTO_FREE char *safe = shown(id), *why = shown(reason);
	struct str line = {0};

	if (cols_width(safe) > m->widest)
		m->widest = cols_width(safe);
	struct view_look k = view_look_for(columns, m->widest, false);
	view_line_task(&line, &k, safe, state, ms, why);
	trim(line.p);
	strv_give(&m->printed, str_take(&line));
	view_task(v, id, state, ms, reason);
}

static void moves_a_worktree(struct test_rng *rng, struct view *v, struct model *m)
{
	static const char *const phases[] = {"prepare", "agent", "gate", "commit"};
	size_t n = test_rng_below(rng, m->worktrees);
	bool idle = test_rng_below(rng, 5) == 0, step = test_rng_below(rng, 2);
	struct view_slot *s = &m->slots[n];

	view_slot_fini(s);
	s->since_ms = test_rng_below(rng, 9000000);
	const char *task = idle ? NULL : pick(rng), *phase = idle ? NULL : phases[n % 4];
	const char *name = step && !idle ? pick(rng) : NULL;
	view_output(v, n, "of before");
	view_worktree(v, n, "another task", phase, name, 0); /* so that the output is forgotten */
	view_worktree(v, n, task, phase, name, s->since_ms);
	if (12 > m->widest)
		m->widest = 12;
	if (idle)
		return;
	s->task = shown(task);
	s->phase = mem_strdup(phase);
	s->step = name ? shown(name) : NULL;
	if (cols_width(s->task) > m->widest)
		m->widest = cols_width(s->task);
}

static void check_screen(const struct screen *s, const struct model *m)
{
	AUTO_STRV struct strv live = {0}, expected = {0}, above = {0};
	struct view_look k = view_look_for((unsigned)s->vt.columns, m->widest, false);

	assert_true(s->vt.cursor_shown && s->vt.wraps && s->vt.x == 0);
	view_lines_live(&expected, &k, (unsigned)s->vt.rows, m->slots, m->worktrees, &m->numbers, m->now);
	assert_true(expected.n <= s->vt.rows);
	vt_lines(&s->vt, s->vt.y, s->vt.count, &live);
	assert_int_equal(live.n, expected.n);
	for (size_t i = 0; i < live.n; i++) {
		trim(expected.v[i]);
		assert_string_equal(live.v[i], expected.v[i]);
	}
	vt_lines(&s->vt, 0, s->vt.y, &above);
	assert_int_equal(above.n, m->printed.n);
	for (size_t i = 0; i < above.n; i++) {
		if (s->vt.reflows)
			assert_string_equal(above.v[i], m->printed.v[i]);
		else /* the terminal may have cut it, but to no less than the ids */
			assert_true(strlen(above.v[i]) >= 4 && str_starts(m->printed.v[i], above.v[i]));
	}
}

static void one_random_session(struct test_rng *rng)
{
	static const unsigned widths[] = {10, 40, 80, 200}, heights[] = {1, 2, 3, 6, 24, 50};
	unsigned columns = widths[test_rng_below(rng, 4)], rows = heights[test_rng_below(rng, 6)];
	struct screen s = screen_new(columns, rows, test_rng_below(rng, 2));
	struct model m = {.worktrees = 1 + test_rng_below(rng, 20), .numbers = {.total = 12}};
	struct view *v = open_view(&s, VIEW_LIVE, m.worktrees);

	for (int step = 0; step < 150; step++) {
		bool force = false;
		size_t n = test_rng_below(rng, m.worktrees);
		const char *text = pick(rng);
		switch (test_rng_below(rng, 8)) {
		case 0:
		case 1:
			moves_a_worktree(rng, v, &m);
			break;
		case 2:
			view_output(v, n, text);
			free(m.slots[n].output);
			m.slots[n].output = *text ? shown(text) : NULL;
			break;
		case 3:
			m.numbers = (struct view_numbers){test_rng_below(rng, 13), test_rng_below(rng, 4),
			                                  test_rng_below(rng, 3), test_rng_below(rng, 300)};
			view_counts(v, m.numbers.integrated, m.numbers.running, m.numbers.failed,
			            m.numbers.total);
			break;
		case 4:
			ends_a_task(rng, v, &m, columns);
			break;
		case 5:
			strv_addf(&m.printed, "s%03zu", m.printed.n);
			view_say(v, "%s", m.printed.v[m.printed.n - 1]);
			break;
		case 6:
			m.now += test_rng_below(rng, 5000);
			force = true;
			break;
		case 7:
			columns = widths[test_rng_below(rng, 4)];
			rows = heights[test_rng_below(rng, 6)];
			screen_resize(&s, columns, rows);
			force = true;
			break;
		}
		if (force || test_rng_below(rng, 2)) {
			view_draw(v, m.now, force);
			view_draw(v, m.now, force);
			screen_catch_up(&s);
			check_screen(&s, &m);
		}
	}
	view_close(v);
	screen_catch_up(&s);
	AUTO_STRV struct strv rest = {0};
	vt_lines(&s.vt, s.vt.y, s.vt.count, &rest);
	assert_int_equal(rest.n, 1);
	assert_string_equal(rest.v[0], "");
	for (size_t i = 0; i < m.worktrees; i++)
		view_slot_fini(&m.slots[i]);
	strv_fini(&m.printed);
	screen_fini(&s);
}

static void random_calls_and_resizes_leave_the_right_screen(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	for (int i = 0; i < 120; i++)
		one_random_session(&rng);
}

/* ---- one thing each ---- */

static void one_draw_is_one_write(void **state)
{
	(void)state;
	int ends[2]; /* a socket that keeps the borders of writes */
	char bytes[8192];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	struct view_options o = {.mode = VIEW_LIVE, .fd = ends[0], .columns = 80, .worktrees = 3,
	                         .total = 12, .color = true};
	struct view *v = view_open(&o);
	view_worktree(v, 0, "greet", "gate", "tests", 1000);
	view_counts(v, 5, 2, 1, 12);
	view_draw(v, 13000, false);
	view_draw(v, 13000, false); /* nothing changed: nothing is written */
	ssize_t n = recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT);
	assert_true(n > 0);
	bytes[n] = '\0';
	assert_non_null(strstr(bytes, "1 greet"));
	assert_non_null(strstr(bytes, "0:12"));
	assert_non_null(strstr(bytes, "\x1b[32m###"));
	assert_true(str_ends(bytes, "\x1b[?25h"));
	assert_int_equal(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT), -1);
	view_abandon();
	n = recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT);
	assert_true(n > 0);
	bytes[n] = '\0';
	assert_string_equal(bytes, "\r\x1b[J\x1b[?7h\x1b[?25h");
	view_close(v);
	close(ends[0]);
	close(ends[1]);
	view_abandon(); /* nothing is open: must not write anywhere */
}

static void log_lines_go_above_and_are_folded_whole(void **state)
{
	(void)state;
	struct screen s = screen_new(40, 24, true);
	struct view *v = open_view(&s, VIEW_LIVE, 2);
	AUTO_STRV struct strv lines = {0};

	view_draw(v, 0, false);
	log_error("cannot read the file /a/very/long/path/of/somebody: Permission denied\nsecond");
	screen_catch_up(&s);
	vt_lines(&s.vt, 0, s.vt.count, &lines);
	assert_int_equal(lines.n, 7);
	assert_string_equal(lines.v[0], "bosk: error: cannot read the file");
	assert_string_equal(lines.v[1], "  /a/very/long/path/of/somebody:");
	assert_string_equal(lines.v[2], "  Permission denied");
	assert_string_equal(lines.v[3], "second");
	assert_string_equal(lines.v[4], "1 idle");
	view_close(v);
	screen_catch_up(&s);
	screen_fini(&s);
}

static void plain_mode_has_lines_and_no_escapes(void **state)
{
	(void)state;
	struct screen s = screen_new(20, 24, true);
	struct view *v = open_view(&s, VIEW_PLAIN, 2);

	assert_false(view_live(v));
	view_worktree(v, 0, "greet", "agent", NULL, 0);
	view_worktree(v, 0, "greet", "agent", "2", 0);
	view_worktree(v, 0, "greet", "gate", "tests", 0);
	view_worktree(v, 0, NULL, NULL, NULL, 0);
	view_worktree(v, 7, "nowhere", "agent", NULL, 0);
	view_output(v, 0, "not shown");
	view_counts(v, 1, 2, 3, 9);
	view_draw(v, 5, true);
	view_say(v, "a line %s", "\x1b[2J that is longer than the terminal is wide");
	view_task(v, "greet", "integrated", 1234, NULL);
	view_task(v, "an-id-that-is-longer-than-its-column-would-be", "failed", 61000, "no\x1b change");
	assert_int_equal(write(s.slave, "\x06", 1), 1);
	AUTO_STR struct str all = {0};
	while (!all.len || all.p[all.len - 1] != '\x06') {
		char c;
		assert_int_equal(read(s.master, &c, 1), 1);
		if (c != '\r')
			str_addc(&all, c);
	}
	all.p[--all.len] = '\0';
	assert_string_equal(all.p,
		"worktree 1: greet: agent\n"
		"worktree 1: greet: gate tests\n"
		"a line \\x1b[2J that is longer than the terminal is wide\n"
		"ok   greet          integrated    1.2 s\n"
		"FAIL an-id-that-is-longer-than-its-column-would-be failed         61 s  no\\x1b change\n");
	view_close(v);
	screen_fini(&s);
}

static void quiet_mode_writes_nothing(void **state)
{
	(void)state;
	struct screen s = screen_new(80, 24, true);
	struct view *v = open_view(&s, VIEW_QUIET, 2);

	view_worktree(v, 0, "greet", "agent", NULL, 0);
	view_say(v, "x");
	view_task(v, "greet", "failed", 5, NULL);
	view_draw(v, 5, true);
	view_close(v);
	screen_catch_up(&s);
	assert_int_equal(s.raw.len, 0);
	screen_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calls_and_resizes_leave_the_right_screen),
		cmocka_unit_test(one_draw_is_one_write),
		cmocka_unit_test(log_lines_go_above_and_are_folded_whole),
		cmocka_unit_test(plain_mode_has_lines_and_no_escapes),
		cmocka_unit_test(quiet_mode_writes_nothing),
	};
	if (!setlocale(LC_ALL, "C.UTF-8")) {
		fprintf(stderr, "no C.UTF-8 locale here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
