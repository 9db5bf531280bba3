/* plan: what is read, and what it comes to. What is refused: test_plan_faults.c; how much: test_plan_large.c. */
#include "test.h"

#include "store/base/fs.h"
#include "supervisor/plan/plan.h"

static const char *const gates[] = {"lint", "tests"};
static const char *const agents[] = {"claude", "codex"};
static const struct plan_context context = {.gates = gates, .n_gates = 2, .agents = agents, .n_agents = 2};

static void print_all(const struct plan_faults *f)
{
	AUTO_STR struct str out = {0};
	plan_faults_print(f, &out);
	print_error("%s", str_text(&out));
}

static void load(struct plan *p, const char *text)
{
	struct plan_faults faults = {0};
	if (plan_load_text(p, "p.yaml", text, strlen(text), &context, &faults) != 0) {
		print_all(&faults);
		fail();
	}
	assert_int_equal(faults.n, 0);
	plan_faults_fini(&faults);
}

static char *hash_of(const char *text)
{
	struct plan p;
	load(&p, text);
	char *hash = mem_strdup(p.content);
	plan_fini(&p);
	return hash;
}

/* ---- what is right ---- */

static void every_field_is_read(void **state)
{
	(void)state;
	struct plan p;
	load(&p, "tasks:\n"
	         "  - id: greet\n"
	         "    title: Say hello\n"
	         "    prompt: |\n"
	         "      Create hello.txt.\n"
	         "    files: [./src//a.c, docs/, \"*.md\", .]\n"
	         "    agent: codex\n"
	         "    model: gpt-5\n"
	         "    gates: []\n"
	         "    timeout: 90\n"
	         "    priority: 7\n"
	         "    env: {Z: 1, A: \"x=y\", E: \"\"}\n"
	         "    exclusive: true\n"
	         "  - {id: 1.10, needs: [greet], run: true, gates: [tests, lint], allow_empty: true}\n"
	         "  - {id: c, needs: [greet, \"1.10\"], run: \"null\", timeout: 2h}\n");
	assert_int_equal(p.n, 3);
	assert_string_equal(p.kind, "plan");
	assert_string_equal(p.source, "p.yaml");
	const struct task_def *t = p.tasks;
	assert_string_equal(t->id, "greet");
	assert_string_equal(t->title, "Say hello");
	assert_string_equal(t->prompt, "Create hello.txt.\n");
	assert_null(t->run);
	assert_int_equal(t->files.n, 4);
	assert_string_equal(t->files.v[0], "src/a.c");
	assert_string_equal(t->files.v[1], "docs");
	assert_string_equal(t->files.v[3], ".");
	assert_string_equal(t->agent, "codex");
	assert_string_equal(t->model, "gpt-5");
	assert_true(t->gates_given);
	assert_int_equal(t->gates.n, 0);
	assert_int_equal(t->timeout_ms, 90000);
	assert_int_equal(t->priority, 7);
	assert_int_equal(t->env.n, 3);
	assert_string_equal(t->env.v[0], "A=x=y"); /* sorted: their order means nothing */
	assert_string_equal(t->env.v[1], "E=");
	assert_string_equal(t->env.v[2], "Z=1");
	assert_true(t->exclusive);
	assert_false(t->allow_empty);
	t++;
	assert_string_equal(t->id, "1.10"); /* as it was written, not as a number */
	assert_string_equal(t->run, "true");
	assert_string_equal(t->gates.v[0], "tests");
	assert_true(t->allow_empty);
	assert_null(t->prompt);
	t++;
	assert_string_equal(t->run, "null");
	assert_false(t->gates_given);
	assert_int_equal(t->timeout_ms, 7200000);
	assert_int_equal(p.needs_at[3], 3);
	assert_int_equal(p.needs[p.needs_at[2]], 0);
	assert_int_equal(p.needs[p.needs_at[2] + 1], 1);
	assert_int_equal(p.wave[0], 1);
	assert_int_equal(p.wave[1], 2);
	assert_int_equal(p.wave[2], 3);
	assert_true(plan_overlaps(&p, 0, 0));
	assert_false(plan_overlaps(&p, 0, 1)); /* no files declared: no overlap */
	plan_fini(&p);
}

static void content_is_what_the_tasks_say(void **state)
{
	(void)state;
	const char *base = "tasks: [{id: a, run: x}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]";
	AUTO_FREE char *hash = hash_of(base);
	static const char *const same[] = {
		"{\"tasks\": [{\"run\": \"x\", \"id\": \"a\"},\n"
		" {\"env\": {\"B\": \"2\", \"A\": \"1\"}, \"needs\": [\"a\"], \"prompt\": \"p\", \"id\": \"b\"}]}",
		"tasks:\n- &x {id: a, run: x, priority: 0, exclusive: false}\n"
		"- {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}, files: []}\n",
	};
	static const char *const other[] = {
		"tasks: [{id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}, {id: a, run: x}]",
		"tasks: [{id: a, run: x}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 3}}]",
		"tasks: [{id: a, run: y}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, prompt: x}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x}, {id: b, prompt: p, env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, title: t}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, files: [f]}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, gates: []}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, timeout: 1}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, priority: 1}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, exclusive: true}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x, allow_empty: true}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}}]",
		"tasks: [{id: a, run: x}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}, agent: codex}]",
		"tasks: [{id: a, run: x}, {id: b, prompt: p, needs: [a], env: {A: 1, B: 2}, model: m}]",
	};
	for (size_t i = 0; i < MEM_COUNT(same); i++) {
		AUTO_FREE char *h = hash_of(same[i]);
		assert_string_equal(h, hash);
	}
	for (size_t i = 0; i < MEM_COUNT(other); i++) {
		AUTO_FREE char *h = hash_of(other[i]);
		assert_string_not_equal(h, hash);
	}
}

static void the_normal_form_loads_again(void **state)
{
	(void)state;
	struct plan p, q;
	AUTO_STR struct str text = {0}, again = {0};
	load(&p, "tasks:\n"
	         "  - id: a\n"
	         "    prompt: \"quote \\\" tab \\t bell \\a nel \\N \\u2028 \\U0001F600 # : - \\\\\"\n"
	         "    env: {A: \"{[\", B: ' '}\n"
	         "    gates: []\n"
	         "    timeout: 1500ms\n"
	         "  - {id: b, run: \" x\\n\\n\", needs: [a], files: ['*.c'], gates: [lint], priority: 3}\n");
	plan_write(&p, &text);
	load(&q, text.p);
	assert_int_equal(p.n, q.n);
	for (size_t i = 0; i < p.n; i++)
		assert_true(rec_equal(&task_def_rec, &p.tasks[i], &q.tasks[i]));
	assert_string_equal(p.content, q.content);
	plan_write(&q, &again);
	assert_string_equal(text.p, again.p);
	plan_fini(&p);
	plan_fini(&q);
}

static void declared_files_keep_tasks_apart(void **state)
{
	(void)state;
	struct plan p;
	load(&p, "tasks:\n"
	         "- {id: a, run: x, files: [README, src/]}\n"
	         "- {id: b, run: x, files: [doc, ./src//deep/a.c]}\n"
	         "- {id: c, run: x, files: ['*.md', 'src/**/*.h']}\n"
	         "- {id: d, run: x, files: [srcs/a.c]}\n"
	         "- {id: e, run: x}\n");
	/* bc: src/deep/a.c may be a folder with a header in it; text alone cannot tell. */
	static const char *const meet[] = {"aa", "ab", "ac", "bb", "bc", "cc", "dd"};
	for (uint32_t i = 0; i < p.n; i++)
		for (uint32_t k = i; k < p.n; k++) {
			bool want = false;
			for (size_t m = 0; m < MEM_COUNT(meet); m++)
				want = want || (meet[m][0] == p.tasks[i].id[0] &&
				                meet[m][1] == p.tasks[k].id[0]);
			if (plan_overlaps(&p, i, k) != want || plan_overlaps(&p, k, i) != want)
				fail_msg("%s and %s: not %d", p.tasks[i].id, p.tasks[k].id, want);
		}
	plan_fini(&p);
}

static void stored_definitions_make_the_same_plan(void **state)
{
	(void)state;
	struct plan p, q;
	struct err e = {0};
	load(&p, "tasks: [{id: a, run: x}, {id: b, run: x, needs: [a]}]");
	struct task_def *defs = mem_array(2, sizeof *defs);
	rec_copy(&task_def_rec, &defs[0], &p.tasks[0]);
	rec_copy(&task_def_rec, &defs[1], &p.tasks[1]);
	assert_ok(plan_from_defs(&q, "plan", NULL, defs, 2, &e), &e);
	assert_string_equal(q.content, p.content);
	assert_int_equal(q.wave[1], 2);
	assert_string_equal(q.source, "");
	plan_fini(&q);

	static const struct {
		const char *ids[2], *needs[2], *message;
	} damaged[] = {
		{{"a", "b"}, {"b", "a"}, "circle"},
		{{"a", "b"}, {"c", NULL}, "does not exist"},
		{{"a", "a"}, {NULL, NULL}, "two tasks"},
		{{"a", NULL}, {NULL, NULL}, "no id"},
	};
	for (size_t i = 0; i < MEM_COUNT(damaged); i++) {
		defs = mem_array(2, sizeof *defs);
		for (size_t k = 0; k < 2; k++) {
			defs[k].id = mem_strdup(damaged[i].ids[k]);
			if (damaged[i].needs[k])
				strv_add(&defs[k].needs, damaged[i].needs[k]);
		}
		assert_int_equal(plan_from_defs(&q, "plan", NULL, defs, 2, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_non_null(strstr(e.text, damaged[i].message));
	}
	plan_fini(&p);
}

/* ---- files ---- */

static void put_text(const char *folder, const char *name, const char *text)
{
	struct err e = {0};
	AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
}

static void files_are_joined(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *a = mem_printf("%s/a.yaml", dir), *b = mem_printf("%s/b.json", dir);
	const char *const both[] = {a, b};
	struct plan_faults faults = {0};
	struct plan p;
	put_text(dir, "a.yaml", "tasks: [{id: one, prompt_file: ./p.md}]");
	put_text(dir, "p.md", "do it\n");
	put_text(dir, "b.json", "{\"tasks\": [{\"id\": \"two\", \"run\": \"x\", \"needs\": [\"one\"]}]}");
	assert_int_equal(plan_load(&p, both, 2, &context, &faults), 0);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.tasks[0].prompt, "do it\n");
	assert_int_equal(p.wave[1], 2);
	AUTO_FREE char *source = mem_printf("%s %s", a, b);
	assert_string_equal(p.source, source);
	AUTO_FREE char *hash = hash_of("tasks: [{id: one, prompt: \"do it\\n\"}, {id: two, run: x, needs: [one]}]");
	assert_string_equal(p.content, hash); /* wherever it lay */
	plan_fini(&p);

	/* Ids are unique across files, and each fault names its own file. */
	put_text(dir, "b.json", "{\"tasks\": [{\"id\": \"one\", \"run\": \"\"}]}");
	assert_int_equal(plan_load(&p, both, 2, &context, &faults), -1);
	assert_int_equal(faults.n, 2);
	assert_string_equal(faults.v[0].file, b);
	AUTO_FREE char *first = mem_printf("%s:1", a);
	assert_non_null(strstr(faults.v[0].message, first));
	plan_faults_fini(&faults);
	test_scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(content_is_what_the_tasks_say),
		cmocka_unit_test(the_normal_form_loads_again),
		cmocka_unit_test(declared_files_keep_tasks_apart),
		cmocka_unit_test(stored_definitions_make_the_same_plan),
		cmocka_unit_test(files_are_joined),
	};
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
