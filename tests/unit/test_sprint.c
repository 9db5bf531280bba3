/* The sprint status: the rule, and edits of sprint-status.yaml that change values and not a byte more. */
#include "test.h"

#include "supervisor/sprint.h"

static void s3_17_the_state_follows_from_counts_alone(void **state)
{
	(void)state;
	static const struct {
		uint64_t total, checked, blocked, human;
		const char *state;
	} rows[] = {
		{1, 1, 0, 0, "done"},        {20, 19, 0, 0, "done"},     {100, 95, 0, 0, "done"},  {100, 94, 0, 0, "review"},
		{20, 19, 0, 1, "review"},    {20, 19, 1, 0, "review"},   {20, 20, 1, 0, "review"}, {1000, 999, 0, 1, "review"},
		{5, 4, 1, 0, "review"},      {5, 4, 0, 0, "review"},     {100, 80, 20, 0, "review"},
		{100, 79, 0, 0, "in-progress"}, {5, 3, 2, 0, "in-progress"}, {1, 0, 0, 1, "in-progress"},
		{3, 0, 0, 0, "in-progress"},
	};
	for (size_t i = 0; i < MEM_COUNT(rows); i++)
		assert_string_equal(sprint_state(rows[i].total, rows[i].checked, rows[i].blocked, rows[i].human), rows[i].state);
}

enum { LINES = 4 };

/* "1-1=done 1-2=review" as lines. */
static size_t lines_of(char *wanted, struct sprint_line *lines)
{
	size_t n = 0;

	for (char *save = NULL, *word = strtok_r(wanted, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *is = strrchr(word, '=');
		*is = '\0';
		assert_true(n < LINES);
		lines[n++] = (struct sprint_line){.story = word, .state = is + 1};
	}
	return n;
}

static void free_lines(struct sprint_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(lines[i].was);
}

static void expect(const char *text, const char *wanted, const char *after)
{
	AUTO_FREE char *words = mem_strdup(wanted);
	AUTO_STR struct str out = {0};
	struct sprint_line lines[LINES];
	struct err e = {0};
	size_t n = lines_of(words, lines);

	assert_ok(sprint_edit(&out, text, strlen(text), lines, n, &e), &e);
	assert_string_equal(str_text(&out), after);
	for (size_t i = 0; i < n; i++)
		assert_null(lines[i].why);
	free_lines(lines, n);
}

#define HEAD "# states\ngenerated: 2026-03-24   # by hand\n\ndevelopment_status:\n"

static void s3_17_only_the_bytes_of_values_change(void **state)
{
	(void)state;
	/* Comments, order, blanks, epics, other stories. */
	expect(HEAD "  # Epic 1\n  epic-1: in-progress\n  1-2-b:   ready-for-dev   # soon  \n  1-1-a: review\t# x\n\n\n"
	            "  1-3-c: backlog\n  epic-1-retrospective: optional\nlast: 1",
	       "1-1-a=done 1-2-b=review",
	       HEAD "  # Epic 1\n  epic-1: in-progress\n  1-2-b:   review   # soon  \n  1-1-a: done\t# x\n\n\n"
	            "  1-3-c: backlog\n  epic-1-retrospective: optional\nlast: 1");
	/* Quotes, of keys too. */
	expect("development_status:\n  1-1: 'in-progress' # a\n  '1-2': \"review\"  \n  \"1-3\": 'done'\n",
	       "1-1=done 1-2=in-progress 1-3=review",
	       "development_status:\n  1-1: 'done' # a\n  '1-2': \"in-progress\"  \n  \"1-3\": 'review'\n");
	/* CRLF, a byte order mark, letters of several bytes, no line end at the end. */
	expect("\xef\xbb\xbf# \xc3\xa4\xe2\x82\xac\r\ndevelopment_status:\r\n  1-1-\xc3\xbc: review \r\n  1-2: backlog",
	       "1-1-\xc3\xbc=done 1-2=done",
	       "\xef\xbb\xbf# \xc3\xa4\xe2\x82\xac\r\ndevelopment_status:\r\n  1-1-\xc3\xbc: done \r\n  1-2: done");
	/* Mappings, block and flow. */
	expect(HEAD "  1-1:\n    # why\n    depends_on: [1-0]\n    status:  review # r\n  1-2: {status: 'backlog' , depends_on: [1-1]}\n"
	            "  1-3: { depends_on: [], status: review}\n",
	       "1-1=done 1-2=in-progress 1-3=done",
	       HEAD "  1-1:\n    # why\n    depends_on: [1-0]\n    status:  done # r\n  1-2: {status: 'in-progress' , depends_on: [1-1]}\n"
	            "  1-3: { depends_on: [], status: done}\n");
	/* All of it in flow form, and JSON. */
	expect("development_status: {1-1: review, 1-2: {status: review}}", "1-1=done 1-2=in-progress",
	       "development_status: {1-1: done, 1-2: {status: in-progress}}");
	expect("{\"development_status\": {\"1-1\": \"review\"}}", "1-1=in-progress", "{\"development_status\": {\"1-1\": \"in-progress\"}}");
	/* In a long line of JSON, which the parser is given in two. */
	AUTO_FREE char *json = mem_printf("{\"x\": \"%5000s\", \"development_status\": {\"1-1\": \"review\"}}\r\n", "");
	AUTO_FREE char *after = mem_printf("{\"x\": \"%5000s\", \"development_status\": {\"1-1\": \"done\"}}\r\n", "");
	expect(json, "1-1=done", after);
	/* What it says already. */
	expect(HEAD "  1-1: done\n  1-2: \"review\"\n", "1-1=done 1-2=review", HEAD "  1-1: done\n  1-2: \"review\"\n");
	/* An anchor that nothing refers to, or whose alias is not what is changed. */
	expect(HEAD "  1-1: &a review\n  1-2: &b backlog\n  1-3: *b\n", "1-1=done", HEAD "  1-1: &a done\n  1-2: &b backlog\n  1-3: *b\n");
}

static void a_line_is_found_by_name_or_by_a_number_alone(void **state)
{
	(void)state;
	expect(HEAD "  3-2-export: review\n  3-20: review\n", "story-3-2-export=done", HEAD "  3-2-export: done\n  3-20: review\n");
	expect(HEAD "  3-2-export: review\n  3-20: review\n", "story-3.2=done", HEAD "  3-2-export: done\n  3-20: review\n");
	expect(HEAD "  story-3-2: review\n  3-5-2-x: review\n", "3-2=done 3-5.2=done", HEAD "  story-3-2: done\n  3-5-2-x: done\n");
}

/* The text stays, and each line says `why`. */
static void left(const char *text, const char *wanted, const char *why)
{
	AUTO_FREE char *words = mem_strdup(wanted);
	AUTO_STR struct str out = {0};
	struct sprint_line lines[LINES];
	struct err e = {0};
	size_t n = lines_of(words, lines);

	assert_ok(sprint_edit(&out, text, strlen(text), lines, n, &e), &e);
	assert_string_equal(str_text(&out), text);
	for (size_t i = 0; i < n; i++) {
		assert_null(lines[i].was);
		assert_non_null(lines[i].why);
		assert_non_null(strstr(lines[i].why, why));
	}
}

static void what_is_no_plain_value_is_left_alone(void **state)
{
	(void)state;
	left(HEAD "  1-1: review\n", "1-2=done", "no line");
	left(HEAD "  1-1-a: review\n  1-1-b: review\n", "1-1=done", "no line"); /* which? */
	left(HEAD "  1-1-a: review\n", "1-1-b=done", "no line");
	left(HEAD "  1-1: {depends_on: []}\n", "1-1=done", "no line");
	left(HEAD "  1-1:\n  1-2: |\n    review\n  1-3: [review]\n  1-4: in\n    progress\n", "1-1=done 1-2=done 1-3=done 1-4=done",
	     "plain text");
	left(HEAD "  1-1: \"re\\x76iew\"\n  1-2: ''\n  1-3: 'it''s'\n", "1-1=done 1-2=done 1-3=done", "plain text");
	left(HEAD "  1-0: &a review\n  1-1: *a\n", "1-1=done", "plain text");
	left(HEAD "  1-0: &a {status: review}\n  1-1: *a\n", "1-1=done", "plain text");
	/* Two files of one name in two folders. */
	AUTO_STR struct str out = {0};
	struct sprint_line two[] = {{.story = "1-1", .state = "done"}, {.story = "1-1", .state = "review"}};
	struct err e = {0};
	assert_ok(sprint_edit(&out, HEAD "  1-1: backlog\n", strlen(HEAD "  1-1: backlog\n"), two, 2, &e), &e);
	assert_true(!two[0].why != !two[1].why);
	free_lines(two, 2);
}

static void refused(const char *text, size_t n, const char *what)
{
	AUTO_STR struct str out = {0};
	struct sprint_line lines[] = {{.story = "1-1", .state = "done"}, {.story = "1-9", .state = "done"}};
	struct err e = {0};

	assert_int_equal(sprint_edit(&out, text, n, lines, 2, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	if (!strstr(e.text, what))
		fail_msg("%s, not %s", e.text, what);
	assert_int_equal(out.len, 0);
	for (size_t i = 0; i < 2; i++)
		assert_true(!lines[i].was && !lines[i].why);
}

static void what_cannot_be_changed_safely_is_refused(void **state)
{
	(void)state;
	static const char *const texts[][2] = {
		{HEAD "  1-1: review\n  1-1: done\n", "already in line"},
		{HEAD "  1-1: [\n", "cannot be read"},
		{HEAD "  1-1: !!str review\n", "tags"},
		{HEAD "  1-1: review\n---\na: b\n", "second document"},
		{"development_status: [1-1]\n", "no mapping development_status"},
		{"stories: {1-1: review}\n", "no mapping development_status"},
		{"just text\n", "no mapping development_status"},
		{"", "no mapping development_status"},
		{"development_status: {1-1: review, 1-1: done}", "already in line"},
		/* Its alias would change with it. */
		{HEAD "  1-1: &a review\n  1-2: *a\n", "changed alone"},
		{"all: &m {1-1: review}\ndevelopment_status: &n\n  1-1: review\nagain: *n\n", "changed alone"},
	};
	for (size_t i = 0; i < MEM_COUNT(texts); i++)
		refused(texts[i][0], strlen(texts[i][0]), texts[i][1]);
	refused(HEAD "  1-1: a\0b\n", sizeof HEAD "  1-1: a\0b\n" - 1, "NUL");
	AUTO_STR struct str large = {0};
	str_add(&large, HEAD "  1-1: review\n#");
	while (large.len <= SPRINT_MAX_BYTES)
		str_addf(&large, "%1000s", "");
	refused(large.p, large.len, "larger than");
}

/* after NULL: it cannot be merged. */
static void merges(const char *base, const char *ours, const char *theirs, const char *after)
{
	const char *given[] = {base, ours, theirs};
	struct str texts[3] = {0};
	AUTO_STR struct str out = {0};

	for (int i = 0; i < 3; i++)
		str_add(&texts[i], given[i]);
	assert_int_equal(sprint_merge(&out, &texts[0], &texts[1], &texts[2]), after != NULL);
	assert_string_equal(str_text(&out), after ? after : "");
	for (int i = 0; i < 3; i++)
		str_fini(&texts[i]);
}

static void states_of_two_sessions_are_merged_by_key(void **state)
{
	(void)state;
	static const char base[] = HEAD "  1-1: review # a\n  1-2: {status: 'backlog'}\n  1-3: backlog\n";
	merges(base, HEAD "  1-1: done # a\n  1-2: {status: 'backlog'}\n  1-3: review\n",
	       HEAD "  1-1: review # a\n  1-2: {status: 'review'}\n  1-3: backlog\n",
	       HEAD "  1-1: done # a\n  1-2: {status: 'review'}\n  1-3: review\n");
	/* They have added, moved and quoted lines; and one is the same on both sides. */
	merges(base, HEAD "  1-1: done # a\n  1-2: {status: 'review'}\n  1-3: backlog\n",
	       "development_status: {new: x, 1-2: {status: review}, 1-1: \"review\"}\n",
	       "development_status: {new: x, 1-2: {status: review}, 1-1: \"done\"}\n");
	merges(base, base, HEAD "  1-1: x\n", HEAD "  1-1: x\n");
	/* Both have changed one; they have removed one; we have changed more than states. */
	merges(base, HEAD "  1-1: done # a\n  1-2: {status: 'backlog'}\n  1-3: backlog\n",
	       HEAD "  1-1: backlog # a\n  1-2: {status: 'backlog'}\n  1-3: backlog\n", NULL);
	merges(base, HEAD "  1-1: done # a\n  1-2: {status: 'backlog'}\n  1-3: backlog\n", HEAD "  1-3: backlog\n", NULL);
	merges(base, HEAD "  1-1: done # b\n  1-2: {status: 'backlog'}\n  1-3: backlog\n", base, NULL);
	merges(base, HEAD "  1-1: done # a\n  1-2: {status: 'backlog'}\n", base, NULL);
	merges(base, HEAD "  1-1: done # a\n  1-2: {status: 'backlog'}\n  1-3: backlog\n", HEAD "  1-1: &a review\n  1-4: *a\n", NULL);
	merges(base, base, "[", NULL);
	merges("", base, base, NULL);
	merges(base, "x", base, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_17_the_state_follows_from_counts_alone),
		cmocka_unit_test(s3_17_only_the_bytes_of_values_change),
		cmocka_unit_test(a_line_is_found_by_name_or_by_a_number_alone),
		cmocka_unit_test(what_is_no_plain_value_is_left_alone),
		cmocka_unit_test(what_cannot_be_changed_safely_is_refused),
		cmocka_unit_test(states_of_two_sessions_are_merged_by_key),
	};
	return cmocka_run_group_tests_name("sprint", tests, NULL, NULL);
}
