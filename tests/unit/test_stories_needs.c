/* Stories as plans: which needs which. */
#include "stories_scratch.h"

static void what_a_story_says_it_depends_on_counts_first(void **state)
{
	(void)state;
	static const char *const ways[] = {
		"depends_on: [1-1]", "Depends on: 1-1-a", "**Dependencies:** Story 1.1 (the writer)", "requires: 1.1, 1-3-c",
		"depends_on:\n  - 1-1\n", "| depends_on | 1-1 |", "Status: x\ndependencies: [\"1-1\"]",
		"\n## Dependencies\n\n- **1-1**: it needs the writer\n", "\n### Dependencies\ndepends_on: [1-1-a.md]\n",
		"\n## Dependencies\n- Story 1.1\n- react 18\n",
	};
	put_story("s/1-1-a.md", "");
	put_story("s/1-2-b.md", "");
	for (size_t i = 0; i < MEM_COUNT(ways); i++) {
		put_story("s/1-3-c.md", ways[i]);
		if (i != 3)
			expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-1-a)");
	}
	put("s/1-3-c.md", "---\ndepends_on: [1-1]\n---\n# Story 1.3: c\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-1-a)");
	put_story("s/1-3-c.md", "depends_on: []"); /* nothing: the order of numbers is not asked */
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c");
	put_story("s/1-3-c.md", "\n## Dependencies\nNone.\n");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c");
	put_story("s/1-3-c.md", "<!-- depends_on: [1-1] -->\n```\ndepends_on: [1-1]\n```");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-2-b)");
	put_story("s/1-3-c.md", "depends_on: [9-9, 1-3, 1-1]");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-1-a)");
	assert_true(warned("s", "1-3-c depends on 9-9, which is not among these stories: ignored"));
	assert_true(warned("s", "1-3-c: it cannot depend on itself"));
	/* Front matter: with a byte order mark and CRLF, too; one that cannot be read is told; a line across is none. */
	put("s/1-3-c.md", "\xef\xbb\xbf---\r\nrequires: [1-1]\r\n--- \r\n# Story 1.3: c\r\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-1-a)");
	put("s/1-3-c.md", "---\ntitle: c: d\ndepends_on: [1-1]\n---\n# Story 1.3: c\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-2-b)");
	assert_true(warned("s", "1-3-c.md:2:"));
	assert_true(warned("s", "its front matter says nothing, it cannot be read"));
	put("s/1-3-c.md", "---\n# Story 1.3: c\ndepends_on: [1-1]\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c(1-1-a)");
	assert_false(warned("s", "front matter"));
}

static void files_phrases_and_numbers_count_in_this_order(void **state)
{
	(void)state;
	static const char rest[] = "- [x] a\n- [x] b\n- [x] c\n- [x] d\n- [x] e\n- [x] f\n";
	AUTO_FREE char *maker = mem_printf("# m\n## Tasks\n- [ ] Create `src/x/photo.ts`\n%s", rest);
	AUTO_FREE char *user = mem_printf("# u\n\nIt builds on 2-1.\n\n## Tasks\n- [ ] Show it in ./src/x/photo.ts.\n%s", rest);
	AUTO_FREE char *phrase = mem_printf("# p\n\nAs story 2.1 did; from 2024-01-01 on.\n\n## Tasks\n- [ ] z\n%s", rest);

	put("s/2-1-a.md", phrase);
	put("s/2-2-u.md", user);
	put("s/2-3-p.md", phrase);
	put("s/2-4-q.md", "# q\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	put("s/9-1-m.md", maker);
	expect_plan("s", "2-1-a 9-1-m 2-2-u(9-1-m) 2-3-p(2-1-a) 2-4-q(2-3-p)");
}

static void the_order_of_numbers_is_among_stories_that_run(void **state)
{
	(void)state;
	put_story("s/1-1-a.md", "");
	put("s/1-2-b.md", "# b\n- [ ] routed\n");
	put("s/1-3-c.md", "# c\n- [x] clean\n");
	put_story("s/1-10-d.md", "");
	put_story("s/2-1-e.md", "");
	put_story("s/3-5-1-f.md", "");
	put_story("s/3-5-2-g.md", "");
	put_story("s/3-1-h.md", "");
	expect_plan("s", "1-1-a 1-2-b 1-3-c 1-10-d(1-1-a) 2-1-e 3-1-h 3-5-1-f 3-5-2-g(3-5-1-f)");
}

static void a_title_tells_where_the_number_ends(void **state)
{
	(void)state;
	put("s/1-1-2024-report.md", "# Story 1.1: 2024\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	put("s/1-2-b.md", "# Story 1.2: b\n- [ ] a\n- [x] b\n- [x] c\n- [x] d\n");
	expect_plan("s", "1-1-2024-report 1-2-b(1-1-2024-report)");
}

static void a_done_story_satisfies_and_a_routed_one_does_not(void **state)
{
	(void)state;
	put("s/1-1-a.md", "# a\n- [x] clean\n");
	put("s/1-2-b.md", "# b\n- [ ] routed\n");
	put_story("s/1-3-c.md", "depends_on: [1-1, 1-2]");
	expect_plan("s", "1-1-a 1-2-b 1-3-c(1-2-b)");
}

static void a_circle_is_cut_where_it_is_weakest(void **state)
{
	(void)state;
	put_story("s/1-1-a.md", "depends_on: [1-3]");
	put_story("s/1-2-b.md", "depends_on: [1-1]");
	put_story("s/1-3-c.md", "depends_on: [1-2]");
	expect_plan("s", "1-2-b 1-3-c(1-2-b) 1-1-a(1-3-c)");
	assert_true(warned("s", "1-1-a -> 1-3-c -> 1-2-b -> 1-1-a; that 1-2-b depends on 1-1-a is ignored"));
	/* What is said beats a phrase, whichever closes the circle; an order of numbers gives way without a word. */
	put_story("s/1-1-a.md", "As in story 1-2.");
	put_story("s/1-3-c.md", "depends_on: []");
	expect_plan("s", "1-1-a 1-2-b(1-1-a) 1-3-c");
	put_story("s/1-1-a.md", "depends_on: [1-3]");
	put_story("s/1-2-b.md", "");
	put_story("s/1-3-c.md", "");
	expect_plan("s", "1-2-b 1-3-c(1-2-b) 1-1-a(1-3-c)");
	assert_false(warned("s", "wait for each other"));
}

/* Whatever depends on whatever: the order holds, and a plan made of it loads again as the same. */
static void any_dependencies_give_an_order(void **state)
{
	(void)state;
	struct test_rng rng = test_rng_new();

	for (int round = 0; round < 30; round++) {
		uint64_t n = 2 + test_rng_below(&rng, 9);
		struct plan p, q;
		struct plan_faults faults = {0};
		AUTO_STR struct str text = {0};
		for (uint64_t i = 1; i <= n; i++) {
			AUTO_FREE char *name = mem_printf("s/1-%llu-x.md", (unsigned long long)i);
			AUTO_STR struct str more = {0};
			str_add(&more, test_rng_below(&rng, 3) ? "depends_on: [" : "As in story 1-2, from [");
			for (uint64_t k = test_rng_below(&rng, 4); k; k--)
				str_addf(&more, "1-%llu, ", (unsigned long long)(1 + test_rng_below(&rng, n)));
			str_add(&more, "]");
			put_story(name, more.p);
		}
		load(&p, "s");
		for (size_t i = 0; i < p.n; i++)
			for (size_t k = p.needs_at[i]; k < p.needs_at[i + 1]; k++)
				assert_true(p.needs[k] < i);
		plan_write(&p, &text);
		assert_int_equal(plan_load_text(&q, "again", text.p, text.len, NULL, &faults), 0);
		assert_string_equal(p.content, q.content);
		for (size_t i = 0; i < p.n; i++)
			assert_true(rec_equal(&task_def_rec, &p.tasks[i], &q.tasks[i]));
		plan_fini(&p);
		plan_fini(&q);
		for (uint64_t i = 1; i <= n; i++) {
			AUTO_FREE char *path = mem_printf("%s/s/1-%llu-x.md", top, (unsigned long long)i);
			unlink(path);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(what_a_story_says_it_depends_on_counts_first),
		STORY_TEST(files_phrases_and_numbers_count_in_this_order),
		STORY_TEST(the_order_of_numbers_is_among_stories_that_run),
		STORY_TEST(a_title_tells_where_the_number_ends),
		STORY_TEST(a_done_story_satisfies_and_a_routed_one_does_not),
		STORY_TEST(a_circle_is_cut_where_it_is_weakest),
		STORY_TEST(any_dependencies_give_an_order),
	};
	return cmocka_run_group_tests_name("stories_needs", tests, NULL, NULL);
}
