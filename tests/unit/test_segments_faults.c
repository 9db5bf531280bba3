/* segments: for each way to get a plan in waves wrong the place and the words. */
#include "segments_scratch.h"

#define S "segments:\n- "
#define TWO "segments: [{id: a, name: x}, {id: b, name: x}]\n"

static const struct bad {
	const char *text;
	size_t line, column;
	const char *task, *key, *part;
} bad_plans[] = {
	{"segments: []", 1, 11, NULL, "segments", "no segments"},
	{"segments: {a: b}", 1, 11, NULL, "segments", "must be a list of segments, not a mapping"},
	{"segment: [a]", 1, 10, NULL, "segment", "must be one segment, a mapping, not a list"},
	{"parallel_segments: x", 1, 20, NULL, "parallel_segments", "must be a list"},
	{"decomposition_result: [a]", 1, 23, NULL, "decomposition_result", "must be a mapping"},
	{"execution_plan: {}", 1, 1, NULL, "segments", "must have a list"},
	{"segments: [a]", 1, 12, NULL, "segments", "must be a mapping, not a text"},
	{"segments: [{id: a, name: x}]\nsegment: {id: b}", 2, 1, NULL, "segment", "is in line 1"},
	{"segments: [{id: a, name: x}]\nexecution_plans: {}", 2, 1, NULL, "execution_plans", "did you mean \"execution_plan\""},
	/* counts */
	{"total_segments: 2\n" S "{id: a, name: x}\n", 1, 17, NULL, "total_segments", "says 2, but there are 1 segments"},
	{"total_segments: two\n" S "{id: a, name: x}\n", 1, 17, NULL, "total_segments", "whole number"},
	{"waves: 2\n" TWO "execution_plan: {wave_1: [a, b]}\n", 1, 8, NULL, "waves", "says 2, but there are 1 waves"},
	{"waves: 2\n" TWO, 1, 8, NULL, "waves", "says 2, but by the dependencies there are 1"},
	{"waves: x\n" TWO, 1, 8, NULL, "waves", "whole number"},
	/* one segment */
	{S "{name: x}\n", 2, 3, NULL, "id", "must have an id"},
	{S "{id: a/b, name: x}\n", 2, 8, "a/b", "id", "must not hold a \"/\""},
	{S "{id: a, name: x}\n- {id: a, name: y}\n", 3, 8, "a", "id", "taken by the task at s.yaml:2"},
	{S "{id: a, name: [x]}\n", 2, 17, "a", "name", "must be a text"},
	{S "{id: a, name: x, dependencies: b}\n", 2, 34, "a", "dependencies", "must be a list"},
	{S "{id: a, name: x, dependencies: [b]}\n", 2, 35, "a", "dependencies", "there is no task \"b\""},
	{S "{id: a, name: x, dependencies: [a]}\n", 2, 35, "a", "dependencies", "cannot need itself"},
	{S "{id: a, name: x, dependencies: [b]}\n- {id: b, name: x, dependencies: [a]}\n", 2, 3, "a", "needs", "wait for each other"},
	/* models */
	{S "{id: a, name: x, model: opus}\n", 2, 27, "a", "model", "models: {\"opus\": {agent: AGENT, model: MODEL}}"},
	{S "{id: a, name: x, persona: strange}\n", 2, 29, "a", "persona", "strange.md is: add to bosk.yaml"},
	/* personas and skills */
	{S "{id: a, name: x, persona: nobody}\n", 2, 29, "a", "persona", "no file nobody.md in"},
	{S "{id: a, name: x, persona: ../plain}\n", 2, 29, "a", "persona", "a persona's name is that of its file"},
	{S "{id: a, name: x, skills: [nowhere]}\n", 2, 29, "a", "skills", "other sources of the manifest are not fetched: far (https://example.invalid/far)"},
	{S "{id: a, name: x, skills: [\"api-*\"]}\n", 2, 29, "a", "skills", "no pattern here"},
	{S "{id: a, name: x, skills: sql}\n", 2, 28, "a", "skills", "must be a list"},
	/* worktrees */
	{S "{id: a, name: x, worktree: /elsewhere/a}\n", 2, 30, "a", "worktree", "lies neither in the repository (/r) nor in the folder of worktrees (/w)"},
	{S "{id: a, name: x, worktree: $ROOT}\n", 2, 30, "a", "worktree", "lies neither"},
	{S "{id: a, name: x, worktree: $ROOT/../x}\n", 2, 30, "a", "worktree", "\"..\""},
	{S "{id: a, name: x, worktree: $ROOT/.git/x}\n", 2, 30, "a", "worktree", ".git"},
	{S "{id: a, name: x, worktree: $HOME/x}\n", 2, 30, "a", "worktree", "only $ROOT"},
	{S "{id: a, name: x, worktree: ~/x}\n", 2, 30, "a", "worktree", "only $ROOT"},
	{S "{id: a, name: x, worktree: w}\n- {id: b, name: x, worktree: $ROOT/w}\n", 3, 30, "b", "worktree", "\"/r/w\" is also that of segment a at s.yaml:2"},
	{S "{id: a, name: x, worktree: w/a/b}\n- {id: b, name: x, worktree: w}\n", 2, 30, "a", "worktree", "lies below that of segment b at s.yaml:3"},
	/* branches */
	{S "{id: a, name: x, branch: feat/x}\n- {id: b, name: x, branch: feat/x}\n", 3, 28, "b", "branch", "is also that of segment a"},
	{S "{id: a, name: x, branch: feat/x}\n- {id: b, name: x, branch: feat/x/y}\n", 3, 28, "b", "branch", "lies below that of segment a"},
	{S "{id: a, name: x, branch: a..b}\n", 2, 28, "a", "branch", "git does not accept"},
	{S "{id: a, name: x, branch: bosk/1/a}\n", 2, 28, "a", "branch", "bosk/..."},
	{S "{id: a, name: x, branch: integration-1}\n", 2, 28, "a", "branch", "integration-..."},
	/* waves */
	{TWO "execution_plan: [a]\n", 2, 17, NULL, "execution_plan", "must be a mapping"},
	{TWO "execution_plan: {wave_1: [a]}\n", 1, 35, "b", "execution_plan", "in no wave of the plan in line 2"},
	{TWO "execution_plan: {wave_1: [a, b], wave_2: [a]}\n", 2, 43, "a", "execution_plan", "in wave 1 already, by line 2"},
	{TWO "execution_plan: {wave_1: [a, b, c]}\n", 2, 33, NULL, "execution_plan", "there is no segment \"c\""},
	{TWO "execution_plan: {wave_1: [a, b], wave_x: []}\n", 2, 34, NULL, "execution_plan", "must be wave_1, wave_2"},
	{TWO "execution_plan: {wave_1: [a], wave_01: [b]}\n", 2, 31, NULL, "execution_plan", "wave 1 is in line 2 already"},
	{"segments: [{id: a, name: x, dependencies: [b]}, {id: b, name: x}]\nexecution_plan: {wave_1: [a], wave_2: [b]}\n", 1, 44,
	 "a", "dependencies", "b is in wave 2, and this one in wave 1"},
	{"segments: [{id: a, name: x, dependencies: [b]}, {id: b, name: x}]\nexecution_plan: {wave_1: [a, b]}\n", 1, 44,
	 "a", "dependencies", "b is in wave 1, and this one in wave 1"},
	{"segments: [{id: a, name: x}, {id: a-b, name: x}]\nexecution_plan: {wave_1: [a, a-b, a-b-c]}\n", 2, 35, NULL,
	 "execution_plan", "could be segment a or a-b"},
};

static void every_fault_has_its_place(void **state)
{
	(void)state;
	size_t wrong = 0;
	for (size_t i = 0; i < MEM_COUNT(bad_plans); i++) {
		const struct bad *b = &bad_plans[i];
		struct plan_faults faults = {0};
		struct plan p;
		bool found = false;
		AUTO_STR struct str said = {0};

		assert_int_equal(plan_load_text(&p, "s.yaml", b->text, strlen(b->text), &context, &faults), -1);
		for (size_t k = 0; k < faults.n; k++) {
			const struct plan_fault *f = &faults.v[k];
			found = found || (f->line == b->line && f->column == b->column && str_eq(f->task, b->task) &&
			                  str_eq(f->key, b->key) && strstr(f->message, b->part));
		}
		if (!found) {
			plan_faults_print(&faults, &said);
			print_error("%s\nis not %zu:%zu %s %s: %s, but\n%s\n", b->text, b->line, b->column, b->task, b->key,
			            b->part, said.p);
			wrong++;
		}
		plan_faults_fini(&faults);
	}
	assert_int_equal(wrong, 0);
}

/* A persona's own faults are told where they are, in its file. */
static void faults_of_a_persona_are_in_its_file(void **state)
{
	(void)state;
	static const struct {
		const char *persona;
		size_t line, column;
		const char *part;
	} cases[] = {
		{"open", 1, 1, "has no end"},
		{"yaml", 3, 9, "must be a list"},
		{"empty", 0, 0, "says nothing"},
		{"lost", 4, 5, "there is no skill \"nowhere\""},
	};
	for (size_t i = 0; i < MEM_COUNT(cases); i++) {
		AUTO_FREE char *text = mem_printf("segments: [{id: a, name: x, persona: %s}, {id: b, name: x, persona: %s}]",
		                                  cases[i].persona, cases[i].persona);
		AUTO_FREE char *file = mem_printf("%s/global_workflows/personas/%s.md", top, cases[i].persona);
		struct plan_faults faults = {0};
		struct plan p;
		assert_int_equal(plan_load_text(&p, "s.yaml", text, strlen(text), &context, &faults), -1);
		assert_int_equal(faults.n, 1); /* once, however many segments have it */
		assert_string_equal(faults.v[0].file, file);
		assert_int_equal(faults.v[0].line, cases[i].line);
		assert_int_equal(faults.v[0].column, cases[i].column);
		assert_non_null(strstr(faults.v[0].message, cases[i].part));
		plan_faults_fini(&faults);
	}
}

static void no_link_leads_out_of_the_repository(void **state)
{
	(void)state;
	AUTO_FREE char *secret = mem_printf("%s-outside", top), *link_path = mem_printf("%s/global_workflows/personas/out.md", top);
	static const char text[] = "segments: [{id: a, name: x, persona: out}]";
	struct plan_faults faults = {0};
	struct plan p;
	struct err e = {0};

	assert_ok(fs_write(secret, "hidden", 6, false, &e), &e);
	assert_int_equal(symlink(secret, link_path), 0);
	assert_int_equal(plan_load_text(&p, "s.yaml", text, strlen(text), &context, &faults), -1);
	assert_non_null(strstr(faults.v[0].message, "leads out of the repository"));
	plan_faults_fini(&faults);
	unlink(link_path);
	unlink(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_has_its_place),
		cmocka_unit_test(faults_of_a_persona_are_in_its_file),
		cmocka_unit_test(no_link_leads_out_of_the_repository),
	};
	return cmocka_run_group_tests_name("segments_faults", tests, make_top, remove_top);
}
