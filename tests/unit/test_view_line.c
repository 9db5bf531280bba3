/* View lines: what a worktree, the bar and an ended task look like in wide and narrow terminals. */
#include "test.h"

#include <locale.h>

#include "supervisor/cols.h"
#include "supervisor/view_line.h"

#define WIDE "\xe4\xb8\xad\xe6\x96\x87"

static void bar(unsigned columns, struct view_numbers c, const char *expected)
{
	AUTO_STR struct str s = {0};
	struct view_look k = view_look_for(columns, 0, false);
	view_line_bar(&s, &k, &c);
	assert_string_equal(s.p, expected);
}

static void the_bar_says_the_numbers_in_any_width(void **state)
{
	(void)state;
	struct view_numbers c = {5, 2, 1, 12};
	bar(200, c, "[################........................] "
	            "5/12 integrated, 2 running, 1 failed, 4 waiting");
	bar(80, c, "[############.................] 5/12 integrated, 2 running, 1 failed, 4 waiting");
	bar(56, c, "[##...] 5/12 integrated, 2 running, 1 failed, 4 waiting");
	bar(55, c, "[########.............] 5/12 ok, 2 run, 1 fail, 4 wait");
	bar(40, c, "[##....] 5/12 ok, 2 run, 1 fail, 4 wait");
	bar(20, c, "[#####.......] 5/12");
	bar(10, c, "5/12");
	bar(4, c, "5/1");
	bar(1, c, "5");
	bar(30, (struct view_numbers){0, 0, 0, 0}, "[............] 0/0 integrated");
	bar(30, (struct view_numbers){3, 0, 0, 3}, "[############] 3/3 integrated");
	/* Numbers that contradict each other must not wrap around. */
	bar(40, (struct view_numbers){5, 2, 0, 3}, "[###########] 5/3 integrated, 2 running");
}

static void worktree(unsigned columns, const struct view_slot *s, const char *expected)
{
	AUTO_STR struct str out = {0};
	struct view_look k = view_look_for(columns, s->task ? cols_width(s->task) : 0, false);
	view_line_worktree(&out, &k, 0, 3, s, 13000);
	assert_string_equal(out.p, expected);
	assert_true(cols_width(out.p) < columns);
}

static void a_worktree_has_one_line(void **state)
{
	(void)state;
	static char greet[] = "greet", gate[] = "gate", tests[] = "tests", line[] = "last line",
	            wide[] = WIDE WIDE WIDE, words[] = "a-long-task-id-that-goes-on-and-on-and-on";
	struct view_slot s = {.task = greet, .phase = gate, .step = tests, .output = line, .since_ms = 1000};
	worktree(80, &s, "1 greet          gate tests      0:12  last line");
	worktree(40, &s, "1 greet         gate tests      0:12  l");
	worktree(20, &s, "1 greet    gate tes");
	worktree(10, &s, "1 greet  ");
	s.task = wide;
	worktree(80, &s, "1 " WIDE WIDE WIDE "   gate tests      0:12  last line");
	worktree(10, &s, "1 " WIDE "\xe4\xb8\xad.");
	s.task = words;
	worktree(80, &s, "1 a-long-task-id-that-goes.. gate tests      0:12  last line");
}

static void elapsed_times(void **state)
{
	(void)state;
	static char greet[] = "greet";
	struct view_slot s = {.task = greet, .since_ms = 99000}; /* not yet */
	AUTO_STR struct str out = {0};
	struct view_look k = view_look_for(80, 0, false);
	view_line_worktree(&out, &k, 11, 12, &s, 1000);
	str_addc(&out, '|');
	s.since_ms = 0;
	view_line_worktree(&out, &k, 1, 12, &s, 754000);
	str_addc(&out, '|');
	view_line_worktree(&out, &k, 2, 12, &s, 36185000);
	assert_string_equal(out.p, "12 greet                          0:00|"
	                           " 2 greet                         12:34|"
	                           " 3 greet                         10:03:05");
}

static void task(unsigned columns, bool color, const char *id, const char *state, uint64_t ms,
                 const char *reason, const char *expected)
{
	AUTO_STR struct str s = {0};
	struct view_look k = view_look_for(columns, 0, color);
	view_line_task(&s, &k, id, state, ms, reason);
	assert_string_equal(s.p, expected);
}

static void an_ended_task_has_one_line(void **state)
{
	(void)state;
	task(80, false, "greet", "integrated", 1200, NULL, "ok   greet          integrated    1.2 s");
	task(80, false, "greet", "routed", 185000, "", "ok   greet          routed     3 m 05 s");
	task(80, false, "greet", "failed", 185000, "gate tests", "FAIL greet          failed     3 m 05 s  gate tests");
	task(80, false, "greet", "skipped", 0, "needs shout", "--   greet          skipped       0.0 s  needs shout");
	task(80, true, "greet", "conflict", 0, NULL,
	     "\x1b[31mFAIL\x1b[m greet          conflict      0.0 s");
	task(10, true, "greet", "landed", 0, NULL, "\x1b[32mok\x1b[m   gree");
	task(3, true, "greet", "landed", 0, NULL, "\x1b[32mok\x1b[m");
}

static void live(unsigned rows, size_t worktrees, size_t lines, const char *more)
{
	static const struct view_slot slots[40];
	struct view_numbers c = {0, 0, 0, 1};
	struct view_look k = view_look_for(80, 0, false);
	AUTO_STRV struct strv l = {0};

	view_lines_live(&l, &k, rows, slots, worktrees, &c, 0);
	assert_int_equal(l.n, lines);
	assert_non_null(strstr(l.v[l.n - 1], "0/1"));
	if (more)
		assert_string_equal(l.v[l.n - 2], more);
	else if (l.n > 1)
		assert_non_null(strstr(l.v[l.n - 2], "idle"));
}

static void the_rows_decide_how_many_worktrees_are_shown(void **state)
{
	(void)state;
	live(24, 3, 4, NULL);
	live(24, 16, 17, NULL);
	live(24, 17, 18, "+1 more worktree");
	live(50, 40, 18, "+24 more worktrees");
	live(18, 16, 17, NULL);
	live(18, 17, 17, "+2 more worktrees");
	live(5, 3, 4, NULL);
	live(4, 3, 3, "+2 more worktrees");
	live(3, 3, 2, "+3 more worktrees");
	live(3, 1, 2, NULL);
	live(2, 3, 1, NULL);
	live(1, 3, 1, NULL);
	live(24, 0, 1, NULL);
}

static void idle_worktrees_may_have_no_line(void **state)
{
	(void)state;
	struct view_slot slots[40] = {{0}};
	struct view_numbers c = {2, 2, 0, 30};
	struct view_look k = view_look_for(80, 0, false);
	AUTO_STRV struct strv none = {0}, two = {0}, many = {0};

	k.only_busy = true;
	view_lines_live(&none, &k, 24, slots, 40, &c, 0);
	assert_int_equal(none.n, 1); /* the bar */
	slots[3].task = slots[39].task = (char *)"greet";
	view_lines_live(&two, &k, 24, slots, 40, &c, 0);
	assert_int_equal(two.n, 3);
	assert_true(str_starts(two.v[0], " 4 greet"));
	assert_true(str_starts(two.v[1], "40 greet"));
	for (size_t i = 0; i < 20; i++)
		slots[i].task = (char *)"greet";
	view_lines_live(&many, &k, 24, slots, 40, &c, 0);
	assert_int_equal(many.n, 18);
	assert_string_equal(many.v[16], "+5 more worktrees");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bar_says_the_numbers_in_any_width),
		cmocka_unit_test(a_worktree_has_one_line),
		cmocka_unit_test(elapsed_times),
		cmocka_unit_test(an_ended_task_has_one_line),
		cmocka_unit_test(the_rows_decide_how_many_worktrees_are_shown),
		cmocka_unit_test(idle_worktrees_may_have_no_line),
	};
	if (!setlocale(LC_ALL, "C.UTF-8")) {
		fprintf(stderr, "no C.UTF-8 locale here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("view lines", tests, NULL, NULL);
}
