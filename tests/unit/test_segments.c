/* segments: plans in waves as other tools write them: their forms, and what is made of them. */
#include "segments_scratch.h"

static void load(struct plan *p, const char *text)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};

	if (plan_load_text(p, "s.yaml", text, strlen(text), &context, &faults) != 0) {
		plan_faults_print(&faults, &said);
		fail_msg("%s", said.p);
	}
	assert_string_equal(p->kind, "segments");
}

static const char whole[] =
	"decomposition_result:\n"
	"  total_segments: 3\n"
	"  waves: 2\n"
	"  total_estimated_time: 2h\n"
	"  segments:\n"
	"    - id: task-001\n"
	"      name: Database schema\n"
	"      domain: database\n"
	"      persona: plain\n"
	"      model: sonnet-4.5\n"
	"      dependencies: []\n"
	"      skills: [own]\n"
	"      worktree: \"$ROOT/worktrees/feat/task-001\"\n"
	"      branch: feat/task-001-schema\n"
	"      estimated_time: 30min\n"
	"      steps: [make a table, {then: fill it}]\n"
	"    - {id: task-002, name: api, dependencies: [task-001]}\n"
	"    - {id: task-003, name: ui}\n"
	"  execution_plan:\n"
	"    wave_1: [task-001-database-schema, task-003]\n"
	"    wave_2: [task-002]\n";

static void s0_1_what_a_segment_says_is_kept(void **state)
{
	(void)state;
	struct plan p;
	load(&p, whole);
	const struct task_def *d = &p.tasks[0];
	assert_int_equal(p.n, 3);
	assert_string_equal(d->id, "task-001");
	assert_string_equal(d->title, "Database schema");
	assert_string_equal(d->domain, "database");
	assert_string_equal(d->branch, "feat/task-001-schema");
	assert_string_equal(d->worktree, "/r/worktrees/feat/task-001");
	assert_string_equal(d->model, "sonnet-4.5");
	assert_string_equal(d->model_agent, "claude");
	assert_string_equal(d->model_name, "claude-sonnet");
	assert_string_equal(d->persona, "plain");
	assert_string_equal(d->preamble, "# Persona: plain\n\nBe brief.\n\n# Skill: own\n\nHome own.\n");
	assert_string_equal(d->prompt,
	                    "This is one segment of a larger plan. Do this part only; others work on the rest.\n"
	                    "\n- domain: database\n- estimated_time: 30min\n- steps:\n  - make a table\n  -\n"
	                    "    - then: fill it");
	assert_int_equal(p.wave[0], 1);
	assert_int_equal(p.wave[1], 2);
	assert_int_equal(p.wave[2], 1);
	assert_int_equal(p.warnings.n, 0);
	plan_fini(&p);
}

static void the_normal_form_says_the_same(void **state)
{
	(void)state;
	struct plan p, q;
	AUTO_STR struct str text = {0};

	load(&p, whole);
	plan_write(&p, &text);
	load(&q, text.p);
	assert_string_equal(p.content, q.content);
	assert_string_equal(q.tasks[0].preamble, p.tasks[0].preamble);
	plan_fini(&p);
	plan_fini(&q);
}

static void forms_are_told_apart_by_content(void **state)
{
	(void)state;
	struct plan p;

	load(&p, "segments: [{id: a, name: x}, {id: b, name: y, dependencies: [a]}]\n");
	assert_int_equal(p.wave[1], 2);
	plan_fini(&p);
	load(&p, "segment:\n  id: task-001\n  name: n\n  model: sonnet-4.5\n  skills: [sql]\n");
	assert_int_equal(p.n, 1);
	assert_string_equal(p.tasks[0].preamble, "# Skill: sql\n\nLocal SQL.\n");
	plan_fini(&p);
	load(&p, "parallel_segments:\n"
	         "  - {segment_id: 1, type: independent, agent: flash, worktree: fix-a}\n"
	         "  - {segment_id: 2, type: independent, agent: sonnet-4.5, worktree: fix-b}\n");
	assert_string_equal(p.tasks[0].id, "1");
	assert_string_equal(p.tasks[0].model_name, "haiku");
	assert_null(p.tasks[0].model_agent);
	assert_string_equal(p.tasks[1].worktree, "/w/fix-b");
	assert_non_null(strstr(p.tasks[0].prompt, "\n- type: independent"));
	assert_null(strstr(p.tasks[0].prompt, "agent"));
	assert_int_equal(p.warnings.n, 2); /* neither says what it is about */
	plan_fini(&p);
	load(&p, "{\"segments\": [{\"id\": \"a\", \"description\": \"Do\\n\\n- [ ] this\"}], \"execution_plan\": {\"wave_1\": [\"a\"]}}");
	assert_non_null(strstr(p.tasks[0].prompt, "\nDo\n\n- [ ] this"));
	plan_fini(&p);
}

static bool needs(const struct plan *p, size_t task, size_t other)
{
	size_t n = 0;
	for (size_t k = p->needs_at[task]; k < p->needs_at[task + 1]; k++)
		n += p->needs[k] == other;
	assert_true(n <= 1);
	return n;
}

/* Ten waves: as text wave_10 would come before wave_2. */
static void s0_7_waves_are_numbers_and_wait_for_each_other(void **state)
{
	(void)state;
	struct plan p;
	AUTO_STR struct str text = {0};

	str_add(&text, "segments:\n");
	for (int i = 1; i <= 12; i++)
		str_addf(&text, "- {id: s%d, name: x%s}\n", i, i == 12 ? ", dependencies: [s1, s11]" : "");
	str_add(&text, "execution_plan:\n  wave_10: [s10, s11]\n");
	for (int i = 1; i <= 9; i++)
		str_addf(&text, "  wave_%d: [s%d]\n", i, i);
	str_add(&text, "  wave_11: [s12]\n");
	load(&p, text.p);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(p.wave[i], i + 1);
	for (size_t i = 1; i < 10; i++) {
		assert_true(needs(&p, i, i - 1));
		assert_int_equal(p.needs_at[i + 1] - p.needs_at[i], 1);
	}
	assert_true(needs(&p, 11, 9) && needs(&p, 11, 10) && needs(&p, 11, 0));
	assert_false(needs(&p, 11, 8));
	plan_fini(&p);
}

static void without_a_barrier_dependencies_count(void **state)
{
	(void)state;
	static const char text[] = "segments: [{id: a, name: x}, {id: b, name: x}, {id: c, name: x, dependencies: [a]},"
	                           " {id: d, name: x}]\n"
	                           "execution_plan: {wave_1: [a, b], wave_2: [c], wave_3: [d]}\n";
	struct plan p;
	struct err e = {0};

	context.barrier = PLAN_BARRIER_NONE;
	load(&p, text);
	context.barrier = NULL;
	assert_true(needs(&p, 2, 0));
	assert_false(needs(&p, 2, 1)); /* it says what it needs */
	assert_true(needs(&p, 3, 0) && needs(&p, 3, 1) && needs(&p, 3, 2)); /* it does not */
	AUTO_FREE char *content = mem_strdup(p.content);
	assert_ok(plan_set_barrier(&p, PLAN_BARRIER_WAVE, &e), &e);
	assert_true(needs(&p, 2, 0) && needs(&p, 2, 1) && needs(&p, 3, 2));
	assert_false(needs(&p, 3, 0));
	assert_string_equal(p.content, content); /* a way to run it, no part of it */
	plan_fini(&p);
	load(&p, text);
	assert_true(needs(&p, 2, 1));
	plan_fini(&p);
}

static void a_barrier_is_for_other_plans_too(void **state)
{
	(void)state;
	static const char text[] = "tasks: [{id: a, run: x}, {id: b, run: x}, {id: c, run: x, needs: [a]}]";
	struct plan_faults faults = {0};
	struct plan p;

	context.barrier = PLAN_BARRIER_WAVE;
	assert_int_equal(plan_load_text(&p, "p", text, strlen(text), &context, &faults), 0);
	context.barrier = NULL;
	assert_true(needs(&p, 2, 0) && needs(&p, 2, 1));
	plan_fini(&p);
	assert_int_equal(plan_load_text(&p, "p", text, strlen(text), &context, &faults), 0);
	assert_false(needs(&p, 2, 1));
	plan_fini(&p);
}

static void too_large_a_barrier_is_refused(void **state)
{
	(void)state;
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_STR struct str text = {0};

	str_add(&text, "segments:\n");
	for (int i = 0; i < 4200; i++)
		str_addf(&text, "- {id: s%d, name: x, dependencies: [%s]}\n", i, i < 2100 ? "" : "s0");
	assert_int_equal(plan_load_text(&p, "big", text.p, text.len, &context, &faults), -1);
	assert_non_null(strstr(faults.v[0].message, " dependencies, and 4000000 are the most"));
	assert_non_null(strstr(faults.v[0].message, "--barrier none"));
	plan_faults_fini(&faults);
	context.barrier = PLAN_BARRIER_NONE;
	assert_int_equal(plan_load_text(&p, "big", text.p, text.len, &context, &faults), 0);
	context.barrier = NULL;
	plan_fini(&p);
}

static void s0_2_persona_and_skills_are_found(void **state)
{
	(void)state;
	struct plan p;

	load(&p, "segments: [{id: a, name: x, persona: dev, skills: [deep, both, last]}]\n");
	const struct task_def *d = &p.tasks[0];
	assert_string_equal(d->model, "flash"); /* the persona's */
	assert_string_equal(d->preamble,
	                    "# Persona: dev\n\nYou are Dev.\n"
	                    "\n# Skill: deep\n\nOf the manifest.\n"
	                    "\n# Skill: both\n\nOf local.\n"
	                    "\n# Skill: last\n\nBaseline.\n"
	                    "\n# Skill: api-grpc\n\nUse protos.\n"
	                    "\n# Skill: api-rest\n\n# REST\nUse nouns.\n"
	                    "\n# Skill: sql\n\nLocal SQL.\n");
	assert_int_equal(d->skills.n, 6);
	plan_fini(&p);
	load(&p, "segments: [{id: a, name: x, persona: dev, model: sonnet-4.5}]\n"); /* the segment's wins */
	assert_string_equal(p.tasks[0].model, "sonnet-4.5");
	plan_fini(&p);
	load(&p, "segments: [{id: a, name: x, persona: none}]\n");
	assert_int_equal(p.warnings.n, 1);
	assert_non_null(strstr(p.warnings.v[0], "none.md:2:10: skills: no skill fits \"no-*\""));
	plan_fini(&p);
	assert_string_equal(plan_barrier("segments"), "wave");
}

static void folders_of_the_configuration_win(void **state)
{
	(void)state;
	struct plan p;
	AUTO_STRV struct strv folders = {0}, nowhere = {0};

	strv_add(&folders, "~/base");
	strv_add(&nowhere, "elsewhere");
	context.skills = &folders;
	load(&p, "segments: [{id: a, name: x, skills: [both]}]\n");
	assert_string_equal(p.tasks[0].preamble, "# Skill: both\n\nOf the baseline.\n");
	plan_fini(&p);
	context.skills = NULL;
	context.personas = &nowhere;
	struct plan_faults faults = {0};
	static const char text[] = "segments: [{id: a, name: x, persona: plain}]\n";
	assert_int_equal(plan_load_text(&p, "p", text, strlen(text), &context, &faults), -1);
	AUTO_FREE char *where = mem_printf("no file plain.md in %s/elsewhere", top);
	assert_non_null(strstr(faults.v[0].message, where));
	plan_faults_fini(&faults);
	context.personas = NULL;
}

static void several_files_are_one_plan(void **state)
{
	(void)state;
	struct plan p;
	struct plan_faults faults = {0};
	AUTO_FREE char *a = mem_printf("%s/a.yaml", top), *b = mem_printf("%s/b.yaml", top);
	const char *const files[] = {a, b};

	write_text("a.yaml", "segments: [{id: a, name: x}, {id: b, name: x}]\nexecution_plan: {wave_1: [a], wave_4: [b]}\n");
	write_text("b.yaml", "segment: {id: c, name: x, dependencies: [b]}\n");
	assert_int_equal(plan_load(&p, files, 2, &context, &faults), 0);
	assert_int_equal(p.wave[1], 2);
	assert_int_equal(p.wave[2], 3);
	assert_int_equal(p.warnings.n, 1);
	assert_non_null(strstr(p.warnings.v[0], "no segment is in wave 3"));
	plan_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s0_1_what_a_segment_says_is_kept),
		cmocka_unit_test(the_normal_form_says_the_same),
		cmocka_unit_test(forms_are_told_apart_by_content),
		cmocka_unit_test(s0_7_waves_are_numbers_and_wait_for_each_other),
		cmocka_unit_test(without_a_barrier_dependencies_count),
		cmocka_unit_test(a_barrier_is_for_other_plans_too),
		cmocka_unit_test(too_large_a_barrier_is_refused),
		cmocka_unit_test(s0_2_persona_and_skills_are_found),
		cmocka_unit_test(folders_of_the_configuration_win),
		cmocka_unit_test(several_files_are_one_plan),
	};
	return cmocka_run_group_tests_name("segments", tests, make_top, remove_top);
}
