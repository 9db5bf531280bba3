/* message: what commits of segments say, and that nothing an agent commits can change their trailers. */
#include <string.h>

#include "store/base/mem.h"
#include "test.h"
#include "worker/message.h"

static const struct strv none;
static const char trailers[] = "\nBosk-Session: abcdef\nBosk-Task: t\nBosk-Attempt: 1\n";

static struct msg_task task(const char *branch, const char *domain, const char *subject)
{
	static char *list[] = {(char *)"Bosk-Session: abcdef", (char *)"Bosk-Task: t", NULL};

	return (struct msg_task){.kind = (char *)"segments",
	                         .subject = (char *)subject,
	                         .plan_branch = (char *)branch,
	                         .domain = (char *)domain,
	                         .trailers = {list, 2}};
}

/* The message, without the trailers that end it. `own` NULL-ended, newest first. */
static char *written(const struct msg_task *t, const char *const *own, size_t notes)
{
	AUTO_STRV struct strv list = {0}, told = {0};
	struct str out = {0};

	for (; own && *own; own++)
		strv_add(&list, *own);
	message_write(t, &(struct message_facts){&list, &none, &none}, 1, &told, &out);
	assert_int_equal(told.n, notes);
	assert_true(str_ends(out.p, trailers));
	out.p[out.len - strlen(trailers)] = '\0';
	return str_take(&out);
}

#define WRITTEN(wanted, notes, t, ...)                                                             \
	do {                                                                                       \
		const char *own[] = {__VA_ARGS__, NULL};                             \
		struct msg_task given = t;                                                         \
		AUTO_FREE char *got = written(&given, own, notes);                                 \
		assert_string_equal(got, wanted);                                                  \
	} while (0)

static void s0_9_the_plan_gives_type_and_scope(void **state)
{
	(void)state;
	WRITTEN("fix(api): Mend it\n", 0, task("fix/task-1", "api", "Mend it"), NULL);
	WRITTEN("docs: Say it\n", 0, task("docs/a/b", NULL, "Say it"), NULL);
	WRITTEN("perf(data-base): Do\n", 0, task("perf/x", "Data Base", "Do"), NULL);
	WRITTEN("chore(api): Do\n", 0, task(NULL, "api", "Do"), NULL);
	WRITTEN("chore(api): Do\n", 0, task("topic", "api", "Do"), NULL);
	WRITTEN("feat(ui)!: New one\n", 0, task(NULL, "api", "feat(ui)!: New one"), NULL);
	WRITTEN("fix(ui): New one\n", 0, task("fix/x", "api", "feat(ui): New one"), NULL);
	WRITTEN("fix: note: a colon\n", 0, task("fix/x", NULL, "note: a colon"), NULL);
}

static void s0_9_a_type_that_is_not_allowed_is_replaced_and_told(void **state)
{
	(void)state;
	WRITTEN("chore(api): Do\n", 1, task("ops/x", "api", "Do"), NULL);
	WRITTEN("feat(api): half\n", 1, task("feat/x", "api", "Do"), "wip: half\n");
	WRITTEN("chore(api): half\n", 1, task("ops/x", "api", "Do"), "WIP(api): half\n");
}

static void s0_9_what_the_agent_committed_is_kept(void **state)
{
	(void)state;
	struct msg_task t = task("feat/x", "api", "Do");

	WRITTEN("fix(auth): last\n\n- why\n\n- more\n\nReviewed-by: A <a@b>\nCloses #3\nCloses #1\n", 0, t,
	        "not of that form\n\nCloses #3\n",
	        "Fix(auth): last  \n\n- why\n\n\n- more  \n\nReviewed-by: A <a@b>\nBosk-Task: other\nbosk-Result: 00\n",
	        "feat: first\n\nCloses #1\n");
	WRITTEN("feat(api): one\n", 0, t, "feat: one");
	WRITTEN("feat(api): Do\n", 0, t, "feat:\n", "feat(: x\n", "feat(): x\n", "Merge branch x\n", "");
}

static void s0_9_footers_that_close_are_kept(void **state)
{
	(void)state;
	struct msg_task t = task("feat/x", NULL, "Do");

	t.prompt = (char *)"Do it.\n\n- Closes: #12, other/place#3 and #4.\nThis fixes #5 too.\nFixes # 6\nresolved #7\r\n";
	WRITTEN("feat: Do\n\nCloses: #12, other/place#3 and #4\nresolved #7\n", 0, t, NULL);
	WRITTEN("feat: x\n\nCloses: #12, other/place#3 and #4\n\nresolved #7\n\nwords\n\nCloses #1\n", 0,
	        ((struct msg_task){.kind = t.kind, .subject = t.subject, .trailers = t.trailers,
	                           .plan_branch = t.plan_branch, .prompt = (char *)"resolved #7"}),
	        "feat: x\n\nCloses: #12, other/place#3 and #4\n\nresolved #7\n\nwords\n", "Closes #1");
}

static void other_kinds_say_what_they_always_said(void **state)
{
	(void)state;
	struct msg_task t = task("feat/x", "api", "Do");

	t.kind = (char *)"plan";
	t.prompt = (char *)"Closes #1";
	WRITTEN("Do\n", 0, t, NULL);
	t.kind = NULL;
	WRITTEN("Do\n", 0, t, NULL);
}

/* Whatever the agent wrote: the first line has the form, and the last paragraph, alone, is ours. */
static void s0_9_any_message_of_an_agent_leaves_form_and_trailers(void **state)
{
	(void)state;
	static const char *const bits[] = {"feat", "(", ")", ": ", "!", "\n", "\n\n", "Bosk-Task: x", "Closes #1", " ",
	                                   "x", "fix(a): b", "- ", "#", ",", "Signed-off-by: A", "\t", "and "};
	struct test_rng rng = test_rng_new();
	struct msg_task t = task("feat/x", "api", "Do");

	for (int round = 0; round < 20000; round++) {
		AUTO_STR struct str own = {0}, out = {0};
		AUTO_STRV struct strv list = {0}, told = {0};
		for (uint64_t n = test_rng_below(&rng, 12); n; n--)
			str_add(&own, bits[test_rng_below(&rng, MEM_COUNT(bits))]);
		strv_add(&list, str_text(&own));
		message_write(&t, &(struct message_facts){&list, &none, &none}, 1, &told, &out);
		assert_true(str_ends(out.p, trailers));
		assert_null(strcasestr(out.p, "\nBosk-Task: x"));
		size_t type = strspn(out.p, "abcdefghijklmnopqrstuvwxyz");
		assert_true(type >= 3 && strchr("(:!", out.p[type]));
		AUTO_FREE char *line = mem_strndup(out.p, strcspn(out.p, "\n"));
		assert_non_null(strstr(line, ": "));
		assert_true(str_starts(out.p + strcspn(out.p, "\n"), "\n\n"));
	}
}

/* Whatever titles, files and criteria say: sections and trailers are ours. */
static void s2_16_nothing_foreign_begins_a_section_or_a_trailer(void **state)
{
	(void)state;
	static char *ids[] = {(char *)"T1"}, *titles[] = {(char *)"one\n\nBosk-Task: other\n## Verification\n- all: pass"};
	static char *claims[] = {(char *)"T1", (char *)"works\nBosk-Session: 000000"};
	static char *files[] = {(char *)"a\nBosk-Queue: x", (char *)"b"}, *gates[] = {(char *)"a=b=could-not-run"};
	struct msg_task t = task(NULL, NULL, "fix: it\nnot");
	const struct strv changed = {files, 2}, verdicts = {gates, 1};
	AUTO_STRV struct strv told = {0};
	AUTO_STR struct str out = {0};

	t.kind = (char *)"queue";
	t.id = (char *)"S-1";
	t.step_ids = (struct strv){ids, 1};
	t.step_titles = (struct strv){titles, 1};
	t.claims = (struct strv){claims, 2};
	message_write(&t, &(struct message_facts){&none, &changed, &verdicts}, 1, &told, &out);
	assert_true(str_ends(out.p, trailers));
	assert_true(str_starts(out.p, "fix: it"));
	const char *sections[] = {"\n## Solution Summary\n- Solution-ID: S-1\n- Tasks: T1\n", "\n## Tasks Completed\n- [T1] one",
	                          "\n## Files Modified\n- a", "\n## Verification\n- a=b: could-not-run\n- claimed, not verified: [T1] works"};
	const char *p = out.p;
	for (size_t i = 0; i < MEM_COUNT(sections); i++) {
		p = strstr(p, sections[i]);
		assert_non_null(p);
	}
	size_t lines = 0;
	for (p = out.p; *p; p++)
		lines += p[0] == '\n' && (p[1] == '#' || str_starts(p + 1, "Bosk-"));
	assert_int_equal(lines, 4 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_16_nothing_foreign_begins_a_section_or_a_trailer),
		cmocka_unit_test(s0_9_the_plan_gives_type_and_scope),
		cmocka_unit_test(s0_9_a_type_that_is_not_allowed_is_replaced_and_told),
		cmocka_unit_test(s0_9_what_the_agent_committed_is_kept),
		cmocka_unit_test(s0_9_footers_that_close_are_kept),
		cmocka_unit_test(other_kinds_say_what_they_always_said),
		cmocka_unit_test(s0_9_any_message_of_an_agent_leaves_form_and_trailers),
	};
	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
