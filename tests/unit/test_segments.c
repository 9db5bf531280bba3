/* segments: plans in waves as other tools write them: their forms, what is made of them, and for each way to get one
 * wrong the place and the words. */
#include "test.h"

#include <unistd.h>

#include "store/base/fs.h"
#include "supervisor/plan/plan.h"
#include "worker/gitx.h"

static struct plan_model models[] = {
	{(char *)"sonnet-4.5", (char *)"claude", (char *)"claude-sonnet"},
	{(char *)"flash", NULL, (char *)"haiku"},
};
static char *top; /* of the checkout, with personas and skills */
static struct plan_context context = {.root = "/r", .worktrees_dir = "/w", .models = models, .n_models = 2};

static void write_text(const char *name, const char *text)
{
	AUTO_FREE char *path = mem_printf("%s/%s", top, name), *folder = mem_strdup(path);
	struct err e = {0};

	*strrchr(folder, '/') = '\0';
	assert_ok(fs_mkdirs(folder, &e), &e);
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
}

static int make_top(void **state)
{
	(void)state;
	struct err e = {0};
	assert_ok(gitx_init(false, &e), &e);
	top = test_scratch();
	AUTO_FREE char *home = mem_printf("%s/home", top);
	setenv("HOME", home, 1);
	context.top = top;
	write_text("global_workflows/personas/dev.md", "---\nname: Dev\nmodel: flash\nskills: [\"api-*\", sql]\n---\n\nYou are Dev.\n");
	write_text("global_workflows/personas/plain.md", "Be brief.\n");
	write_text("global_workflows/personas/open.md", "---\nname: x\nBody\n");
	write_text("global_workflows/personas/yaml.md", "---\nname: x\nskills: api\n---\nBody\n");
	write_text("global_workflows/personas/empty.md", "---\nname: x\n---\n\n");
	write_text("global_workflows/personas/lost.md", "---\nskills:\n  - sql\n  - nowhere\n---\nBody\n");
	write_text("global_workflows/personas/none.md", "---\nskills: [no-*]\n---\nBody\n");
	write_text("global_workflows/personas/strange.md", "---\nmodel: opus\n---\nBody\n");
	write_text("skills/api-rest/SKILL.md", "---\nname: api-rest\ndescription: Use when: REST\n---\n# REST\nUse nouns.\n");
	write_text("skills/api-grpc/SKILL.md", "Use protos.\n");
	write_text("skills/sql/SKILL.md", "Local SQL.\n");
	write_text("home/skills/sql/SKILL.md", "Home SQL.\n");
	write_text("home/skills/own/SKILL.md", "Home own.\n");
	write_text("home/local/deep/SKILL.md", "Of the manifest.\n");
	write_text("home/local/both/SKILL.md", "Of local.\n");
	write_text("home/base/both/SKILL.md", "Of the baseline.\n");
	write_text("home/base/last/SKILL.md", "Baseline.\n");
	write_text("skills/manifest.yaml",
	           "# Skills\n\n```yaml\nsources:\n  - {name: far, url: \"https://example.invalid/far\"}\n"
	           "  - {name: baseline, path: ~/base, local: true, priority: 0}\n```\n\n"
	           "```yaml\nlocal:\n  path: ~/local/\n```\n\n```yaml\nrules:\n  - a: b: c\n```\n");
	return 0;
}

static int remove_top(void **state)
{
	(void)state;
	test_scratch_remove(top);
	return 0;
}

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
		cmocka_unit_test(every_fault_has_its_place),
		cmocka_unit_test(faults_of_a_persona_are_in_its_file),
		cmocka_unit_test(no_link_leads_out_of_the_repository),
	};
	return cmocka_run_group_tests_name("segments", tests, make_top, remove_top);
}
