/* plan_foreign: what other tools' plans have survives the normal form. */
#include <string.h>

#include "store/base/mem.h"
#include "supervisor/plan/plan.h"
#include "test.h"

static const char normal[] =
	"{\"kind\": \"stories\", \"tasks\": [\n"
	"{\"id\": \"a\", \"prompt\": \"p\", \"branch\": \"feat/a\", \"wave\": 3, \"persona\": \"dev\","
	" \"skills\": [\"b\", \"a\"], \"domain\": \"api\", \"preamble\": \"You are\\nDev.\", \"model_agent\": \"claude\","
	" \"model_name\": \"sonnet\", \"worktree\": \"/w/a\", \"story\": \"docs/a.md\", \"story_hash\": \"00ff\","
	" \"category\": \"CLOSEABLE\", \"total\": 9, \"checked\": 7, \"seed_total\": 12, \"seed_checked\": 8, \"steps\": 4, \"steps_checked\": 3,"
	" \"human\": [\"QA sign-off\", \"QA sign-off\"], \"routed\": \"too much\", \"sprint\": \"x/y.yaml\"},\n"
	"{\"id\": \"b\", \"prompt\": \"p\", \"issue\": \"ISS-1\", \"solution\": \"SOL-ISS-1-1\", \"after\": [\"a\"],"
	" \"in_turn\": [\"a\"], \"subject\": \"fix(core): it\", \"step_ids\": [\"T1\", \"T2\"],"
	" \"step_titles\": [\"One: Create\", \"One: Create\"], \"step_texts\": [\"Do\\nit.\", \"Do\\nit.\"],"
	" \"step_gates\": [\"T1\", \"T1.test\", \"make\", \"T2\", \"T2.test\", \"make\"], \"claims\": [\"T1\", \"It works\"],"
	" \"missing\": \"its solution is not there\"},\n"
	"{\"id\": \"c\", \"prompt\": \"p\"}\n"
	"]}\n";

static void load(struct plan *p, const char *text)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};

	if (plan_load_text(p, "p.json", text, strlen(text), NULL, &faults) != 0) {
		plan_faults_print(&faults, &said);
		fail_msg("%s", said.p);
	}
}

static void every_field_comes_back(void **state)
{
	(void)state;
	struct plan p;
	AUTO_STR struct str text = {0}, spaced = {0};

	load(&p, normal);
	const struct task_def *d = &p.tasks[0];
	assert_string_equal(p.kind, "stories");
	assert_string_equal(d->branch, "feat/a");
	assert_int_equal(d->wave, 3);
	assert_string_equal(d->skills.v[0], "b");
	assert_string_equal(d->preamble, "You are\nDev.");
	assert_int_equal(d->seed_checked, 8);
	assert_int_equal(d->human.n, 2);
	assert_null(p.tasks[1].story);
	d = &p.tasks[1];
	assert_string_equal(d->issue, "ISS-1");
	assert_string_equal(d->subject, "fix(core): it");
	assert_string_equal(d->in_turn.v[0], "a");
	assert_int_equal(d->step_ids.n, 2);
	assert_string_equal(d->step_texts.v[1], "Do\nit.");
	assert_int_equal(d->step_gates.n, 6);
	assert_string_equal(d->missing, "its solution is not there");
	assert_null(p.tasks[2].solution);
	plan_write(&p, &text);
	plan_fini(&p);
	for (const char *c = text.p; *c; c++) { /* as it was given, but for the spaces between */
		str_addc(&spaced, *c);
		if ((*c == ':' || *c == ',') && (c[1] == '"' || c[1] == '[' || (c[1] >= '0' && c[1] <= '9')))
			str_addc(&spaced, ' ');
	}
	assert_string_equal(spaced.p, normal);
}

static void the_kind_is_part_of_the_content(void **state)
{
	(void)state;
	struct plan p, q;
	load(&p, "{tasks: [{id: a, run: x}]}");
	load(&q, "{kind: segments, tasks: [{id: a, run: x}]}");
	assert_string_not_equal(p.content, q.content);
	plan_fini(&p);
	plan_fini(&q);
}

static void bosks_own_plans_have_no_such_keys(void **state)
{
	(void)state;
	static const char *const texts[] = {"{tasks: [{id: a, run: x, wave: 1}]}", "{tasks: [{id: a, run: x, branch: b}]}",
	                                    "{kind: other, tasks: [{id: a, run: x}]}"};
	for (size_t i = 0; i < MEM_COUNT(texts); i++) {
		struct plan_faults faults = {0};
		struct plan p;
		assert_int_equal(plan_load_text(&p, "p", texts[i], strlen(texts[i]), NULL, &faults), -1);
		assert_non_null(strstr(faults.v[0].message, "no such key"));
		plan_faults_fini(&faults);
	}
}

/* What the configuration says of a model is kept with the plan: a store that is made again has no other word of it. */
static void models_come_back(void **state)
{
	(void)state;
	static const char text[] = "{tasks: [{id: a, prompt: x, model: wise}, {id: b, prompt: x, model: g-2}]}";
	struct plan_model wise = {(char *)"wise", (char *)"gemini", (char *)"g-3"};
	struct plan_context ctx = {.models = &wise, .n_models = 1};
	struct plan_faults faults = {0};
	struct plan p, again;
	AUTO_STR struct str normal_form = {0};

	assert_int_equal(plan_load_text(&p, "p", text, strlen(text), &ctx, &faults), 0);
	assert_string_equal(p.tasks[0].model_agent, "gemini");
	assert_string_equal(p.tasks[0].model_name, "g-3");
	assert_null(p.tasks[1].model_agent);
	plan_write(&p, &normal_form);
	load(&again, normal_form.p);
	assert_string_equal(again.tasks[0].model_agent, "gemini");
	assert_string_equal(again.tasks[0].model_name, "g-3");
	assert_string_equal(again.tasks[1].model, "g-2");
	assert_string_equal(again.content, p.content);
	plan_fini(&again);
	plan_fini(&p);
}

/* A message that is too long could not be sent to the worker. */
static void the_texts_of_all_steps_count(void **state)
{
	(void)state;
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_STR struct str text = {0};

	str_add(&text, "{\"kind\": \"queue\", \"tasks\": [{\"id\": \"S-1\", \"prompt\": \"p\", \"step_texts\": [\"");
	for (size_t i = 0; i < 2 * 450 << 10; i++)
		str_add(&text, i == 450 << 10 ? "\", \"" : "x");
	str_add(&text, "\"]}]}");
	assert_int_equal(plan_load_text(&p, "p", text.p, text.len, NULL, &faults), -1);
	assert_int_equal(faults.n, 1);
	assert_non_null(strstr(faults.v[0].message, "this task has 901 KiB in all (its texts and lists), at most 832 are taken"));
	plan_faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(the_texts_of_all_steps_count),
		cmocka_unit_test(the_kind_is_part_of_the_content),
		cmocka_unit_test(bosks_own_plans_have_no_such_keys),
		cmocka_unit_test(models_come_back),
	};
	return cmocka_run_group_tests_name("plan_foreign", tests, NULL, NULL);
}
