/* Checkboxes of stories: which are found, which count, and where their marks are. */
#include "test.h"

#include "worker/boxes.h"

/* Every box as "LEVEL x|o TEXT" and, when it counts, "*"; one a line. Each mark is where it is said to be. */
static void list(const char *text, size_t n, struct str *out, struct boxes *b)
{
	struct err e = {0};

	assert_ok(boxes_read(b, text, n, &e), &e);
	for (size_t i = 0; i < b->n; i++) {
		const struct box *box = &b->v[i];
		assert_true(box->mark > 0 && box->mark + 1 < n);
		assert_int_equal(text[box->mark - 1], '[');
		assert_int_equal(text[box->mark + 1], ']');
		str_addf(out, "%u %c %.*s%s\n", box->level, box->ticked ? 'x' : 'o', (int)box->len, box->text,
		         box->counts ? "*" : "");
	}
}

static void expect(const char *text, const char *boxes)
{
	AUTO_STR struct str out = {0};
	struct boxes b;

	list(text, strlen(text), &out, &b);
	assert_string_equal(str_text(&out), boxes);
	boxes_fini(&b);
}

static void top_level_boxes_of_the_tasks_sections_count(void **state)
{
	(void)state;
	expect("# Story 3.2: x\n\n- [ ] before\n\n"
	       "## Tasks / Subtasks\n\n- [x] **Task 1: a** (AC: 1)\n  - [ ] 1.1 b\n    - [x] deep\n- [ ] Task 2\n\n"
	       "### Review Follow-ups\n\n- [X] c\n\n"
	       "## Dev Notes\n\n- [x] after\n\n## tasks ##\n- [ ] again\n",
	       "1 o before\n1 x **Task 1: a** (AC: 1)*\n2 o 1.1 b\n3 x deep\n1 o Task 2*\n1 x c*\n1 x after\n1 o again*\n");
	struct boxes b;
	struct err e = {0};
	static const char text[] = "## Dev\n- [x] a\n# TASKS\n- [ ] b\n* [x] c\n";
	assert_ok(boxes_read(&b, text, strlen(text), &e), &e);
	assert_int_equal(b.total, 2);
	assert_int_equal(b.checked, 1);
	assert_int_equal(b.seed_total, 2); /* a and b */
	assert_int_equal(b.seed_checked, 1);
	assert_int_equal(b.n_tasks, 1);
	assert_int_equal(b.tasks[0].from, strstr(text, "# TASKS") - text);
	assert_int_equal(b.tasks[0].to, strlen(text));
	boxes_fini(&b);
}

static void without_a_tasks_section_all_top_level_boxes_count(void **state)
{
	(void)state;
	expect("- [ ] a\n  - [x] b\n\n## More Tasks\n\n- [x] c\n", "1 o a*\n2 x b\n1 x c*\n");
}

static void a_heading_names_a_tasks_section_in_every_way(void **state)
{
	(void)state;
	static const char *const yes[] = {"# Tasks", "###### tasks", "## Tasks/Subtasks", "##  TASKS  /  subtasks ##",
	                                  "Tasks\n=====", "Tasks / Subtasks\n---", "## **Tasks**", "## [Tasks](x)"};
	static const char *const no[] = {"## Task", "## Tasks and more", "Tasks", "**Tasks**", "> ## Tasks", "- ## Tasks",
	                                 "```\n## Tasks\n```", "<!--\n## Tasks\n-->", "## Sub Tasks", "####### Tasks"};
	for (size_t i = 0; i < MEM_COUNT(yes) + MEM_COUNT(no); i++) {
		bool is = i < MEM_COUNT(yes);
		AUTO_FREE char *text = mem_printf("- [ ] a\n\n%s\n\n", is ? yes[i] : no[i - MEM_COUNT(yes)]);
		struct boxes b;
		struct err e = {0};
		assert_ok(boxes_read(&b, text, strlen(text), &e), &e);
		if (b.n_tasks != is)
			fail_msg("%s", text);
		if (is)
			assert_int_equal(b.tasks[0].from, 9);
		assert_int_equal(b.total, !is);
		boxes_fini(&b);
	}
}

static void a_section_ends_at_a_heading_of_its_level_or_above(void **state)
{
	(void)state;
	expect("## Tasks\n- [ ] a\n### Sub\n- [ ] b\n##\n- [ ] c\n# Top\n- [ ] d\n### Tasks\n- [ ] e\n## Notes\n- [ ] f\n",
	       "1 o a*\n1 o b*\n1 o c*\n1 o d\n1 o e*\n1 o f\n");
	expect("## Tasks\n- [ ] a\n#### Tasks\n- [ ] b\n#### Other\n- [ ] c\n", "1 o a*\n1 o b*\n1 o c*\n");
	expect("## Tasks\n- [ ] a\n> ## Notes\n\n- [ ] b\n\nNotes\n-----\n- [ ] c\n", "1 o a*\n1 o b*\n1 o c\n");
}

static void every_bullet_and_line_end_is_read(void **state)
{
	(void)state;
	expect("- [x] a\r\n* [X] b\r\n+ [ ] c\r\n1. [~] d\r\n2) [ ] e  \r\n   - [~] f\r\n",
	       "1 x a*\n1 x b*\n1 o c*\n1 o d*\n1 o e*\n2 o f\n");
	expect("- [x] a\r- [ ] b\r", "1 x a*\n1 o b*\n");
	expect("- [ ]", "1 o *\n");
	expect("- [x]\n- [ ]\t tab \t\n-\t[~]  x\n", "1 x *\n1 o tab*\n1 o x*\n");
	expect(" - [ ] a\n   more\n\n   and more\n - [x] b", "1 o a more*\n1 x b*\n");
	expect("10. [ ] a\n    1. [x] b\n", "1 o a*\n2 x b\n");
	expect("- 1. [x] a\n- - [ ] b\n", "1 x a*\n1 o b*\n"); /* in an item, but in no box */
	expect("- plain\n  - [ ] a\n    - [ ] b\n", "1 o a*\n2 o b\n");
	expect("\xef\xbb\xbf- [ ] \xc3\xa4\n", "1 o \xc3\xa4*\n");
	expect("", "");
}

static void what_is_no_box_is_not_taken_for_one(void **state)
{
	(void)state;
	expect("- [x]a\n- [y] b\n- [  ] c\n- []\n- \\[ ] d\n- `[ ] e`\n- **[ ] f**\n- [x](g)\n- # [ ] h\n[ ] i\n- a [ ] j\n", "");
	expect("```\n- [ ] a\n```\n~~~~ md\n- [ ] b\n~~~\n- [ ] c\n~~~~\n- [ ] d\n", "1 o d*\n");
	expect("    - [ ] a\n\n- [ ] b\n\n      - [ ] c\n", "1 o b*\n");
	expect("<!-- - [ ] a -->\n\n<!--\n- [ ] b\n\n- [ ] c\n-->\n- [ ] d <!-- e -->\n", "1 o d <!-- e -->*\n");
	expect("<details>\n- [ ] a\n\n- [ ] b\n</details>\n", "1 o b*\n");
	expect("> - [ ] a\n\n- [ ] b\n  > - [x] c\n- [ ] d\n  - [ ] e\n    > f\n  - [~] g\n", "1 o b*\n1 o d*\n2 o e\n2 o g\n");
	expect("```\n- [ ] a\n", ""); /* never closed */
	expect("-\n\n [ ] a\n", "");   /* behind an empty item */
}

static void front_matter_is_left_out(void **state)
{
	(void)state;
	expect("---\ntasks:\n- [x] a\n---\n- [ ] b\n", "1 o b*\n");
	expect("---\r\n- [x] a\r\n---\r\n- [ ] b\r\n", "1 o b*\n");
	expect("\xef\xbb\xbf---\n- [x] a\n---\n- [ ] b\n", "1 o b*\n");
	expect("---\n- [x] a\n", "1 x a*\n"); /* a line across, not closed */
	expect("a\n---\n- [x] a\n---\n", "1 x a*\n");
	assert_int_equal(boxes_front("---\na: 1\n---\nb", 14), 13);
	assert_int_equal(boxes_front("---\n---", 7), 7);
	assert_int_equal(boxes_front("---", 3), 0);
	assert_int_equal(boxes_front("----\n---\n", 9), 0);
}

static void definitions_of_links_change_nothing(void **state)
{
	(void)state;
	expect("[x]: /url\n[Tasks]: /url\n\n# [Tasks]\n\n- [x] a\n- [~] b\n\n[~]: /url\n", "1 x a*\n1 o b*\n");
}

static void a_text_is_the_whole_paragraph_in_one_line(void **state)
{
	(void)state;
	expect("- [ ] Export it, open it and\n  manually verify\n    that \n\tit is right\n  - [x] step\n    of it\n- [~] b\nlazy\n",
	       "1 o Export it, open it and manually verify that it is right*\n2 x step of it\n1 o b lazy*\n");
	expect("- [ ] a  \r\n  `b\r\n  c`\r\n\r\n  more\r\n\r\n1. [x]\r\n   **d**\r\n   > e\r\n", "1 o a `b c`*\n1 x **d***\n");
	expect("- [ ] a\\\n  b\n  ```\n  c\n  ```\n- [ ] # d\n  e\n- [ ] f\n  g\n  ===\n- [ ] h\n\n- [ ] i\n  j\n  <!-- k\n  l -->\n",
	       "1 o a\\ b*\n1 o # d e*\n1 o f g*\n1 o h*\n1 o i j*\n");
	expect("- [ ] a\r  b\r- [ ] see [c\n  d](e)\n", "1 o a b*\n1 o see [c d](e)*\n");
	struct boxes b;
	struct err e = {0};
	AUTO_STRV struct strv patterns = {0};
	static const char text[] = "- [ ] open it and manually\n  verify it\n";
	strv_add(&patterns, "manually verify");
	assert_ok(boxes_read(&b, text, strlen(text), &e), &e);
	assert_true(boxes_human(&b.v[0], &patterns));
	static const char *const names[] = {"open it and manually", "open it and manually verify it", " open it and manually \r\n\tverify it\n"};
	for (size_t i = 0; i < MEM_COUNT(names); i++) {
		AUTO_FREE char *flat = boxes_flat(names[i]);
		assert_true(boxes_called(&b.v[0], flat, strlen(flat)));
		assert_false(boxes_called(&b.v[0], flat, strlen(flat) - 1));
	}
	boxes_fini(&b);
}

static void texts_may_hold_anything(void **state)
{
	(void)state;
	static const char text[] = "- [ ] a\0b\n- [x] \xff\xfe\n";
	struct boxes b;
	AUTO_STR struct str out = {0};
	list(text, sizeof text - 1, &out, &b);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.v[0].len, 3);
	assert_memory_equal(b.v[0].text, "a\0b", 3);
	boxes_fini(&b);
}

static void s3_13_only_the_patterns_make_a_box_a_humans(void **state)
{
	(void)state;
	AUTO_STRV struct strv patterns = {0};
	struct boxes b;
	struct err e = {0};
	static const char text[] = "- [ ] please MANUALLY  verify\n- [ ] Manually Verify it\n- [ ] ask for a QA SIGN-OFF\n- [ ] a\n";
	static const bool want[] = {false, true, true, false};

	assert_ok(boxes_read(&b, text, strlen(text), &e), &e);
	for (size_t i = 0; i < b.n; i++)
		assert_false(boxes_human(&b.v[i], &patterns));
	strv_add(&patterns, "manually verify");
	strv_add(&patterns, "QA sign-off");
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(boxes_human(&b.v[i], &patterns), want[i]);
	boxes_fini(&b);
}

static void a_hash_does_not_hang_on_line_ends(void **state)
{
	(void)state;
	char lf[SEAL_HEX], other[SEAL_HEX];
	static const char *const same[] = {"a\n\nb", "a\r\n\r\nb", "a\r\n\nb"}, *const differ[] = {"a\n\nb\n", "a\r\r\nb", "a\n\nb\r", ""};

	boxes_hash(lf, "a\n\nb", 4);
	for (size_t i = 0; i < MEM_COUNT(same); i++) {
		boxes_hash(other, same[i], strlen(same[i]));
		assert_string_equal(other, lf);
	}
	for (size_t i = 0; i < MEM_COUNT(differ); i++) {
		boxes_hash(other, differ[i], strlen(differ[i]));
		assert_string_not_equal(other, lf);
	}
}

static void what_is_no_story_by_its_size_is_refused(void **state)
{
	(void)state;
	AUTO_FREE char *text = mem_alloc(BOXES_MAX_BYTES + 1);
	struct boxes b;
	struct err e = {0};

	memset(text, '\n', BOXES_MAX_BYTES + 1);
	assert_ok(boxes_read(&b, text, BOXES_MAX_BYTES, &e), &e);
	boxes_fini(&b);
	assert_int_equal(boxes_read(&b, text, BOXES_MAX_BYTES + 1, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "1024 KiB"));
	boxes_fini(&b);
}

/* A mark for a mark: whatever is around it, its place is told, and ticking it changes that box alone. */
static void ticking_at_the_mark_ticks_that_box(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();
	static const char *const pieces[] = {"## Tasks\n", "- [ ] a\n", "* [x] b\r\n", "  - [ ] c\n", "1. [~] d\n", "\n", "text\n",
	                                     "```\n", "> - [ ] q\n", "<!--\n", "-->\n", "# Notes\n", "- [ ]\n", "    ", "- "};
	struct err e = {0};

	for (int round = 0; round < 2000; round++) {
		AUTO_STR struct str text = {0};
		struct boxes before, after;
		for (uint64_t k = 1 + test_rng_below(&rng, 20); k; k--)
			str_add(&text, pieces[test_rng_below(&rng, MEM_COUNT(pieces))]);
		AUTO_FREE char *ticked = mem_strdup(text.p);
		assert_ok(boxes_read(&before, text.p, text.len, &e), &e);
		if (before.n) {
			size_t i = test_rng_below(&rng, before.n);
			ticked[before.v[i].mark] = 'x';
			assert_ok(boxes_read(&after, ticked, text.len, &e), &e);
			assert_int_equal(after.n, before.n);
			for (size_t k = 0; k < after.n; k++) {
				assert_int_equal(after.v[k].mark, before.v[k].mark);
				assert_int_equal(after.v[k].counts, before.v[k].counts);
				assert_int_equal(after.v[k].ticked, before.v[k].ticked || k == i);
			}
			boxes_fini(&after);
		}
		boxes_fini(&before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(top_level_boxes_of_the_tasks_sections_count),
		cmocka_unit_test(without_a_tasks_section_all_top_level_boxes_count),
		cmocka_unit_test(a_heading_names_a_tasks_section_in_every_way),
		cmocka_unit_test(a_section_ends_at_a_heading_of_its_level_or_above),
		cmocka_unit_test(every_bullet_and_line_end_is_read),
		cmocka_unit_test(what_is_no_box_is_not_taken_for_one),
		cmocka_unit_test(front_matter_is_left_out),
		cmocka_unit_test(definitions_of_links_change_nothing),
		cmocka_unit_test(a_text_is_the_whole_paragraph_in_one_line),
		cmocka_unit_test(texts_may_hold_anything),
		cmocka_unit_test(s3_13_only_the_patterns_make_a_box_a_humans),
		cmocka_unit_test(a_hash_does_not_hang_on_line_ends),
		cmocka_unit_test(what_is_no_story_by_its_size_is_refused),
		cmocka_unit_test(ticking_at_the_mark_ticks_that_box),
	};
	return cmocka_run_group_tests_name("boxes", tests, NULL, NULL);
}
