/* story_text, story_lines, story_result: what of an agent's story is taken, and what it may say of it. */
#include <string.h>

#include "store/base/mem.h"
#include "test.h"
#include "worker/boxes.h"
#include "worker/story_lines.h"
#include "worker/story_result.h"
#include "worker/story_text.h"

/* ---- texts ---- */

struct given {
	const char *base, *before, *now, *named; /* named: texts between |; NULL = a number */
	uint64_t number;
	const char *human, *patterns;            /* between | */
};

static void split(struct strv *out, const char *texts)
{
	for (const char *p = texts; p && *p;) {
		size_t n = strcspn(p, "|");
		strv_give(out, mem_strndup(p, n));
		p += n + (p[n] == '|');
	}
}

static void take(struct story_taken *out, const struct given *g)
{
	AUTO_STR struct str base = {0}, before = {0}, now = {0};
	AUTO_STRV struct strv human = {0}, patterns = {0}, named = {0};
	struct err e = {0};

	str_add(&base, g->base);
	str_add(&before, g->before ? g->before : g->base);
	str_add(&now, g->now);
	split(&human, g->human);
	split(&patterns, g->patterns);
	split(&named, g->named);
	const struct story_given given = {&base, &before, &now, &human, &patterns, g->named ? &named : NULL, g->number};
	if (story_take(out, &given, &e) != 0)
		fail_msg("%s", e.text);
}

static void expect(const struct given *g, const char *wanted)
{
	struct story_taken t;

	take(&t, g);
	if (strcmp(str_text(&t.text), wanted) != 0)
		fail_msg("wanted:\n%s\ngot:\n%s", wanted, str_text(&t.text));
	story_taken_fini(&t);
}

#define HEAD "# Story 1\n\nStatus: review  \n\n## Tasks\n"

static void s3_13_boxes_of_a_human_are_never_ticked(void **state)
{
	(void)state;
	const struct given g = {.base = HEAD "- [ ] code\n- [ ] QA sign-off\n  - [ ] QA sign-off\n## QA\n- [ ] QA sign-off\n",
	                        .now = HEAD "- [x] code\n- [x] QA sign-off\n  - [x] QA sign-off\n## QA\n- [X] QA sign-off\n",
	                        .human = "QA sign-off", .number = 1};
	expect(&g, HEAD "- [x] code\n- [ ] QA sign-off\n  - [ ] QA sign-off\n## QA\n- [ ] QA sign-off\n");
	/* Outside, also one that the agent has written; what a human ticked stays, and an open one is open as it was. */
	const struct given other = {.base = HEAD "- [ ] code\n## QA\n- [X] QA sign-off\n- [~] QA sign-off\n",
	                            .now = HEAD "- [x] code\n## QA\n- [X] QA sign-off\n- [x] QA sign-off\n- [x] qa SIGN-OFF again\n",
	                            .human = "QA sign-off", .patterns = "qa sign-off", .number = 1};
	expect(&other, HEAD "- [x] code\n## QA\n- [X] QA sign-off\n- [~] QA sign-off\n- [ ] qa SIGN-OFF again\n");
}

static void s3_14_only_named_boxes_are_ticked(void **state)
{
	(void)state;
	const struct given g = {.base = HEAD "- [ ] a\n  - [ ] a1\n- [ ] b\n  - [ ] b1\n- [x] c\n- [ ] a\n",
	                        .now = HEAD "- [x] a\n  - [x] a1\n- [x] b\n  - [x] b1\n- [ ] c\n- [x] a\n",
	                        .named = "a|zzz"};
	struct story_taken t;

	expect(&g, HEAD "- [x] a\n  - [x] a1\n- [ ] b\n  - [ ] b1\n- [x] c\n- [x] a\n");
	take(&t, &g);
	assert_int_equal(t.total, 4);
	assert_int_equal(t.already, 1);
	assert_int_equal(t.closed, 2);
	assert_int_equal(t.found, 3);
	assert_false(t.refused);
	assert_int_equal(t.blocked.n, 1);
	assert_string_equal(t.blocked.v[0], "b");
	story_taken_fini(&t);
	const struct given none = {.base = HEAD "- [ ] a\n", .now = HEAD "- [x] a\n", .named = ""};
	expect(&none, HEAD "- [ ] a\n");
}

static void s3_14_a_box_of_several_lines_is_named_by_its_first_or_all(void **state)
{
	(void)state;
	static const char *const names[] = {"open it and", "open it and see"};
	struct given g = {.base = HEAD "- [ ] open it and  \n    see\n- [ ] a\n  b\n", .now = HEAD "- [x] open it\n  and see\n- [x] a b\n"};

	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		g.named = names[i];
		expect(&g, HEAD "- [x] open it and  \n    see\n- [ ] a\n  b\n");
	}
	/* A note below a box makes no other of it. */
	g.now = HEAD "- [x] open it and  \n    see\n- [x] a\n  b\n  done in a.c\n";
	g.named = "a";
	expect(&g, HEAD "- [ ] open it and  \n    see\n- [x] a\n  b\n");
	g.human = "a b";
	expect(&g, HEAD "- [ ] open it and  \n    see\n- [ ] a\n  b\n");
	static const char result[] = "{\"status\": \"completed\", \"tasks_done\": [\"open it and\\n  see\"]}";
	struct story_result r;
	struct err e = {0};
	assert_int_equal(story_result_parse(&r, result, strlen(result), "1-2", &e), 0);
	assert_string_equal(r.done.v[0], "open it and see");
	story_result_fini(&r);
}

static void s3_14_without_names_the_number_must_fit(void **state)
{
	(void)state;
	struct given g = {.base = HEAD "- [ ] a\n- [ ] b\n- [ ] c\n", .now = HEAD "- [x] a\n- [x] b\n- [ ] c\n", .number = 2};
	struct story_taken t;

	expect(&g, HEAD "- [x] a\n- [x] b\n- [ ] c\n");
	g.number = 3;
	expect(&g, HEAD "- [ ] a\n- [ ] b\n- [ ] c\n");
	take(&t, &g);
	assert_true(t.refused);
	assert_int_equal(t.found, 2);
	assert_int_equal(t.blocked.n, 3);
	story_taken_fini(&t);
	/* ticks that were taken before stay, whether it counts them or not */
	g.before = HEAD "- [x] a\n- [ ] b\n- [ ] c\n";
	for (g.number = 1; g.number <= 2; g.number++)
		expect(&g, HEAD "- [x] a\n- [x] b\n- [ ] c\n");
	expect(&g, HEAD "- [x] a\n- [ ] b\n- [ ] c\n");
}

static void s3_14_everything_else_is_byte_identical(void **state)
{
	(void)state;
	const struct given ends = {
		.base = "# S\r\n\r\nnote  \r\nmixed\nlast\t\n## Tasks\r\n- [ ] a  \r\n* [~] b\r\n1. [ ] c\n## Log\r\nold\r\nend",
		.now = "# S\n\nnote\nmixed\nlast\n## Tasks\n- [X] a\n* [x] b\n1. [ ] c\n## Log\nold\nnew\nend\n", .number = 2};
	expect(&ends, "# S\r\n\r\nnote  \r\nmixed\nlast\t\n## Tasks\r\n- [x] a  \r\n* [x] b\r\n1. [ ] c\n## Log\r\nold\r\nnew\nend");
	/* In the Tasks sections nothing but ticks is taken, whatever else was done there. */
	const struct given within = {.base = HEAD "- [ ] a\n- [ ] b\n\n## Notes\nx\n",
	                             .now = HEAD "- [x] b\n- [x] a\n- [x] new\nprose\n\n## Notes\ny\n", .number = 2};
	expect(&within, HEAD "- [x] a\n- [x] b\n\n## Notes\ny\n");
	/* A box that was renamed is another one. */
	const struct given renamed = {.base = HEAD "- [ ] a\n", .now = HEAD "- [x] a, done\n", .named = "a"};
	expect(&renamed, HEAD "- [ ] a\n");
}

static void sections_that_were_lost_or_hidden_are_those_of_the_base(void **state)
{
	(void)state;
	static const char *const nows[] = {
		"", "\n", "# Another\n- [x] a\n", HEAD "- [x] a\n## Tasks\n- [x] a\n", "```\n" HEAD "- [x] a\n",
		"<!--\n" HEAD "- [x] a\n", HEAD "```\n- [x] a\n```\n",
	};
	for (size_t i = 0; i < MEM_COUNT(nows); i++) {
		const struct given g = {.base = HEAD "- [ ] a\n- [x] b\n", .now = nows[i], .number = 0};
		struct story_taken t;
		take(&t, &g);
		assert_string_equal(t.text.p, HEAD "- [ ] a\n- [x] b\n");
		assert_int_equal(t.closed, 0);
		story_taken_fini(&t);
	}
	const struct given fence = {.base = HEAD "- [ ] a\n", .now = "```\nnew\n" HEAD "- [x] a\n", .named = "a"};
	expect(&fence, HEAD "- [ ] a\n");
	const struct given plain = {.base = "# S\n- [ ] a\ntext\n", .now = "# S\n- [x] a\nother\n", .number = 1};
	struct story_taken t;
	take(&t, &plain);
	assert_string_equal(t.text.p, "# S\n- [x] a\ntext\n");
	assert_true(t.narrowed);
	story_taken_fini(&t);
	const struct given only = {.base = "# S\n- [ ] a\ntext\n", .now = "# S\n- [x] a\ntext\n", .number = 1};
	take(&t, &only);
	assert_false(t.narrowed);
	story_taken_fini(&t);
}

/* Whatever an agent makes of a story: what is taken reads as it was counted, no box of the base is lost, none that
 * was ticked is open, none that may not be ticked is. */
static void any_edit_gives_a_whole_story(void **state)
{
	(void)state;
	static const char *const pieces[] = {"## Tasks\n", "## tasks / subtasks\r\n", "## Other\n", "- [ ] a\n", "- [x] b  \n",
	                                     "  - [ ] a\r\n", "* [~] human\n", "```\n", "<!-- ", "-->\n", "text\n", "\n", "> ",
	                                     "1. [X] c\n", "- [ ] human\n", "---\n", "\xff[\n", "- "};
	struct test_rng rng = test_rng_new();

	for (int round = 0; round < 4000; round++) {
		AUTO_STR struct str base = {0}, now = {0};
		AUTO_STRV struct strv human = {0}, named = {0};
		for (uint32_t n = test_rng_below(&rng, 14); n > 0; n--)
			str_add(&base, pieces[test_rng_below(&rng, MEM_COUNT(pieces))]);
		for (const char *p = str_text(&base); *p; p++) {
			if (test_rng_below(&rng, 12) == 0)
				str_add(&now, pieces[test_rng_below(&rng, MEM_COUNT(pieces))]);
			if (test_rng_below(&rng, 20))
				str_addc(&now, *p == ' ' && p[1] == ']' && test_rng_below(&rng, 2) ? 'x' : *p);
		}
		strv_add(&human, "human");
		strv_add(&named, "a");
		bool names = test_rng_below(&rng, 2);
		const struct story_given g = {&base, &base, &now, &human, NULL, names ? &named : NULL, test_rng_below(&rng, 3)};
		struct story_taken t;
		struct boxes was, is;
		struct err e = {0};
		assert_int_equal(story_take(&t, &g, &e), 0);
		assert_int_equal(boxes_read(&was, str_text(&base), base.len, &e), 0);
		assert_int_equal(boxes_read(&is, str_text(&t.text), t.text.len, &e), 0);
		assert_int_equal(t.total, was.total);
		assert_int_equal(is.total, was.total);
		assert_int_equal(is.checked, was.checked + t.closed);
		for (size_t i = 0; names && i < is.n; i++)
			if (is.v[i].counts && is.v[i].ticked && is.v[i].len == 5)
				assert_memory_not_equal(is.v[i].text, "human", 5);
		if (t.refused)
			assert_int_equal(t.closed, 0);
		boxes_fini(&was);
		boxes_fini(&is);
		story_taken_fini(&t);
	}
}

static void lines_expect(const char *base, const char *now, const char *wanted)
{
	AUTO_STR struct str out = {0};

	story_lines(&out, base, strlen(base), now, strlen(now));
	if (strcmp(str_text(&out), wanted) != 0)
		fail_msg("wanted:\n%s\ngot:\n%s", wanted, str_text(&out));
}

static void lines_that_differ_in_their_end_are_the_base_s(void **state)
{
	(void)state;
	lines_expect("a \r\nb\t\nc", "a\nb\nc\n", "a \r\nb\t\nc");
	lines_expect("a \nb \nc \n", "new\na\nx\nc\ny\n", "new\na \nx\nc \ny\n");
	lines_expect("a \nb \n", "b\na\nb\n", "b\na \nb \n");
	lines_expect("a", "a\nb", "a\nb");
	lines_expect("", "x\n", "x\n");
	lines_expect("x\n", "", "");
	lines_expect("\n\na \n", "\na\n", "\na \n");
}

/* ---- results ---- */

static void expect_fault(const char *text, const char *wanted)
{
	struct story_result r;
	struct err e = {0};

	if (story_result_parse(&r, text, strlen(text), "1-2", &e) == 0)
		fail_msg("taken: %s", text);
	if (!strstr(e.text, wanted))
		fail_msg("wanted \"%s\", got \"%s\"", wanted, e.text);
}

static void results_are_read_as_the_original_has_them(void **state)
{
	(void)state;
	static const char text[] =
		"{\"story_key\": \"1-2\", \"status\": \"partial\", \"tasks_total\": 9, \"tasks_completed_by_closer\": 2,"
		" \"tasks_already_done\": 5, \"tasks_blocked\": 1, \"tasks_human_validation\": 1, \"blocker_questions\":"
		" [{\"task\": \"t\", \"question\": \"q?\"}], \"human_validation_tasks\": [\"h\"], \"review_summary\": {},"
		" \"sprint_status\": \"review\", \"commit_hash\": null, \"errors\": [\"slow\"]}";
	struct story_result r;
	struct err e = {0};

	assert_int_equal(story_result_parse(&r, text, strlen(text), "1-2", &e), 0);
	assert_int_equal(r.status, STORY_PARTIAL);
	assert_int_equal(r.closed, 2);
	assert_false(r.named);
	assert_int_equal(r.questions.n, 2);
	assert_string_equal(r.questions.v[1], "q?");
	assert_string_equal(r.errors.v[0], "slow");
	assert_int_equal(r.human.n, 1);
	assert_string_equal(r.human.v[0], "h");
	story_result_fini(&r);
	static const char nulls[] = "{\"status\": \"completed\", \"story_key\": null, \"tasks_done\": null,"
		" \"tasks_completed_by_closer\": null, \"blocker_questions\": null, \"errors\": null}";
	assert_int_equal(story_result_parse(&r, nulls, strlen(nulls), "1-2", &e), 0);
	assert_false(r.named);
	story_result_fini(&r);
	expect_fault("", "not JSON");
	expect_fault("{\"status\": \"completed\"", "not JSON");
	expect_fault("[]", "status");
	expect_fault("{}", "status");
	expect_fault("{\"status\": \"done\"}", "not done");
	expect_fault("{\"status\": \"completed\", \"story_key\": \"3-4\"}", "it is of the story 3-4");
	expect_fault("{\"status\": \"completed\", \"tasks_completed_by_closer\": \"2\"}", "no number");
	expect_fault("{\"status\": \"completed\", \"tasks_completed_by_closer\": -1}", "no number");
	expect_fault("{\"status\": \"completed\", \"tasks_done\": \"a\"}", "tasks_done is no list");
	expect_fault("{\"status\": \"completed\", \"tasks_done\": [1]}", "something else than texts");
	expect_fault("{\"status\": \"completed\", \"human_validation_tasks\": [1]}", "something else than texts");
	expect_fault("{\"status\": \"completed\", \"blocker_questions\": [\"why\"]}", "question 1");
}

static void what_is_for_a_human_is_bounded_and_each_is_there_once(void **state)
{
	(void)state;
	AUTO_STR struct str text = {0};
	struct story_result r;
	struct err e = {0};

	str_add(&text, "{\"status\": \"completed\", \"human_validation_tasks\": [\"\", \"look at\\n  it\", \"look at it\"");
	for (int i = 0; i < 200; i++)
		str_addf(&text, ", \"%d %03000d\"", i, 7);
	str_add(&text, "]}");
	assert_int_equal(story_result_parse(&r, text.p, text.len, "1-2", &e), 0);
	assert_string_equal(r.human.v[0], "look at it");
	assert_string_not_equal(r.human.v[1], "look at it");
	assert_int_equal(strlen(r.human.v[1]), 2000);
	assert_in_range(r.human.n, 50, 70); /* 128 KiB */
	story_result_fini(&r);
}

static void expect_end(const char *text, const char *wanted)
{
	size_t n = 0;
	const char *at = story_result_at_end(text, strlen(text), &n);

	if (!wanted)
		assert_null(at);
	else if (!at || n != strlen(wanted) || memcmp(at, wanted, n) != 0)
		fail_msg("wanted %s in %s, got %.*s", wanted, text, (int)n, at ? at : "");
}

static void the_object_at_the_end_is_found(void **state)
{
	(void)state;
	expect_end("{\"a\": 1}", "{\"a\": 1}");
	expect_end("prose { with } braces \"\n{\"a\": {\"b\": [{}]}}\n\n", "{\"a\": {\"b\": [{}]}}");
	expect_end("done:\n```json\n{\"a\": \"}{\"}\n```\n", "{\"a\": \"}{\"}");
	expect_end("{\"a\": 1} and more", NULL);
	expect_end("{\"a\": ", NULL);
	expect_end("}", NULL);
	expect_end("", NULL);
	expect_end("```", NULL);
	/* A flood of braces is given up, not followed for ever. */
	AUTO_STR struct str flood = {0};
	for (int i = 0; i < 12000; i++)
		str_add(&flood, "{\"a\":");
	str_add(&flood, "}");
	size_t n;
	assert_null(story_result_at_end(flood.p, flood.len, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_13_boxes_of_a_human_are_never_ticked),
		cmocka_unit_test(s3_14_only_named_boxes_are_ticked),
		cmocka_unit_test(s3_14_a_box_of_several_lines_is_named_by_its_first_or_all),
		cmocka_unit_test(s3_14_without_names_the_number_must_fit),
		cmocka_unit_test(s3_14_everything_else_is_byte_identical),
		cmocka_unit_test(sections_that_were_lost_or_hidden_are_those_of_the_base),
		cmocka_unit_test(any_edit_gives_a_whole_story),
		cmocka_unit_test(lines_that_differ_in_their_end_are_the_base_s),
		cmocka_unit_test(results_are_read_as_the_original_has_them),
		cmocka_unit_test(what_is_for_a_human_is_bounded_and_each_is_there_once),
		cmocka_unit_test(the_object_at_the_end_is_found),
	};
	return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
