/* plan: for each way to get it wrong the place and the words. */
#include "test.h"

#include <sys/stat.h>

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

#define T "tasks:\n- "

static const struct bad {
	const char *text;
	size_t line, column;
	const char *task, *key, *part;
} bad_plans[] = {
	/* the whole */
	{"", 1, 1, NULL, NULL, "not nothing"},
	{"[a]", 1, 1, NULL, NULL, "not a list"},
	{"just text", 1, 1, NULL, NULL, "not a text"},
	{"{}", 1, 1, NULL, "tasks", "must have a list"},
	{"tasks: []", 1, 8, NULL, "tasks", "no tasks"},
	{"tasks:\n", 1, 1, NULL, "tasks", "not nothing"},
	{"tasks: {a: b}", 1, 8, NULL, "tasks", "not a mapping"},
	{"task: [{id: a, run: x}]", 1, 1, NULL, "task", "did you mean \"tasks\""},
	{"tasks: [{id: a, run: x}]\nversion: 1\n", 2, 1, NULL, "version", "only \"tasks\" and \"land\""},
	{"tasks: [{id: a, run: x}]\ntasks: []\n", 2, 1, NULL, "tasks", "already in line 1"},
	{"tasks:\n\t- id: a\n", 2, 1, NULL, NULL, "tab"},
	{"tasks: [a]", 1, 9, NULL, "tasks", "must be a mapping, not a text"},
	/* queues, which are JSON, and stories, which are no texts without a file */
	{"id: Q\ntasks: []\nsolutions: []\n", 3, 1, NULL, "solutions", "must be a mapping in JSON"},
	{"queue: []\n", 1, 1, NULL, "queue", "must be a mapping in JSON"},
	{"{\"items\": [{\"id\": 1}]}", 1, 0, NULL, "id", "must be a text"},
	{"development_status: {a: done}", 1, 1, NULL, NULL, "name their files"},
	{"# Story 5.2: Export\nStatus: review\n## Tasks\n- [x] one\n", 0, 0, NULL, NULL, "name their files"},
	{"---\nstatus: x\n---\n# Title\n\n- [ ] a: b: c\n", 0, 0, NULL, NULL, "name their files"},
	/* id */
	{T "run: x\n", 2, 3, NULL, "id", "must have an id"},
	{T "{id: , run: x}\n", 2, 4, NULL, "id", "not nothing"},
	{T "{id: [a], run: x}\n", 2, 8, NULL, "id", "not a list"},
	{T "{id: \"\", run: x}\n", 2, 8, NULL, "id", "empty"},
	{T "{id: a/b, run: x}\n", 2, 8, "a/b", "id", "must not hold a \"/\""},
	{T "{id: ../../etc, run: x}\n", 2, 8, "../../etc", "id", "\"/\""},
	{T "{id: -rf, run: x}\n", 2, 8, "-rf", "id", "begin with a letter"},
	{T "{id: .git, run: x}\n", 2, 8, ".git", "id", "begin with a letter"},
	{T "{id: a..b, run: x}\n", 2, 8, "a..b", "id", "\"..\""},
	{T "{id: a., run: x}\n", 2, 8, "a.", "id", "end in \".\""},
	{T "{id: a.lock, run: x}\n", 2, 8, "a.lock", "id", ".lock"},
	{T "{id: a b, run: x}\n", 2, 8, "a b", "id", "only hold"},
	{T "{id: \"a\\nb\", run: x}\n", 2, 8, "a\nb", "id", "only hold"},
	{T "{id: \xc3\xa9, run: x}\n", 2, 8, "\xc3\xa9", "id", "begin with"},
	{T "{id: a234567890123456789012345678901234567890123456789012345678901234x, run: x}\n", 2, 8,
	 "a234567890123456789012345678901234567890123456789012345678901234", "id", "64 bytes"},
	{T "{id: a, run: x}\n- {id: b, run: x}\n- {id: a, run: y}\n", 4, 8, "a", "id",
	 "taken by the task at p.yaml:2"},
	{T "{id: a, run: x}\n- {id: A, run: y}\n", 3, 8, "A", "id", "only in case from \"a\" at p.yaml:2"},
	/* work */
	{T "id: a\n", 2, 3, "a", "prompt", "one of prompt, prompt_file and run"},
	{T "id: a\n  run: x\n  prompt: y\n", 4, 3, "a", "prompt", "only one of"},
	{T "{id: a, run: x, prompt_file: y}\n", 2, 19, "a", "prompt_file", "only one of"},
	{T "{id: a, run: }\n", 2, 11, "a", "run", "has no value"},
	{T "{id: a, run: ~}\n", 2, 16, "a", "run", "has no value"},
	{T "{id: a, run: \" \\n\"}\n", 2, 16, "a", "run", "must not be empty"},
	{T "{id: a, prompt: \"\"}\n", 2, 19, "a", "prompt", "must not be empty"},
	{T "{id: a, prompt: [x]}\n", 2, 19, "a", "prompt", "must be a text, not a list"},
	{T "{id: a, run: {x: y}}\n", 2, 16, "a", "run", "not a mapping"},
	{T "{id: a, prompt_file: x.md}\n", 2, 24, "a", "prompt_file", "not a file in a folder"},
	/* keys */
	{T "{id: a, run: x, nedes: [b]}\n", 2, 19, "a", "nedes", "did you mean \"needs\""},
	{T "{id: a, run: x, depends_on: [b]}\n", 2, 19, "a", "depends_on", "did you mean \"needs\""},
	{T "{id: a, run: x, zzzzzzzzzz: 1}\n", 2, 19, "a", "zzzzzzzzzz", "no such key"},
	{T "{id: a, run: x, id: b}\n", 2, 19, NULL, "id", "already in line 2"},
	/* title */
	{T "{id: a, run: x, title: \"a\\e[2J\"}\n", 2, 26, "a", "title", "control characters"},
	{T "{id: a, run: x, title: \"a\\nb\"}\n", 2, 26, "a", "title", "one line"},
	{T "{id: a, run: x, title: \"a\\x9b\"}\n", 2, 26, "a", "title", "control characters"},
	/* needs */
	{T "{id: a, run: x, needs: a}\n", 2, 26, "a", "needs", "must be a list"},
	{T "{id: a, run: x, needs: [a]}\n", 2, 27, "a", "needs", "cannot need itself"},
	{T "{id: a, run: x}\n- {id: b, run: x, needs: [a, a]}\n", 3, 30, "b", "needs", "listed twice"},
	{T "{id: build, run: x}\n- {id: b, run: x, needs: [biuld]}\n", 3, 27, "b", "needs",
	 "no task \"biuld\"; did you mean \"build\""},
	{T "{id: a, run: x, needs: [zzzzzz]}\n", 2, 27, "a", "needs", "no task \"zzzzzz\""},
	{T "{id: a, run: x, needs: [[b]]}\n", 2, 27, "a", "needs", "must be a text"},
	{T "{id: a, run: x, needs: [~]}\n", 2, 27, "a", "needs", "has no value"},
	{T "{id: a, run: x, needs: [b]}\n- {id: b, run: x, needs: [a]}\n", 2, 3, "a", "needs",
	 "a -> b -> a"},
	{T "{id: a, run: x, needs: [c]}\n- {id: b, run: x, needs: [a]}\n- {id: c, run: x, needs: [b]}\n",
	 2, 3, "a", "needs", "a -> c -> b -> a"},
	/* files */
	{T "{id: a, run: x, files: [/etc/passwd]}\n", 2, 27, "a", "files", "relative"},
	{T "{id: a, run: x, files: [~/x]}\n", 2, 27, "a", "files", "home"},
	{T "{id: a, run: x, files: [a/../b]}\n", 2, 27, "a", "files", "\"..\""},
	{T "{id: a, run: x, files: [.git/config]}\n", 2, 27, "a", "files", ".git"},
	{T "{id: a, run: x, files: [sub/.GIT/x]}\n", 2, 27, "a", "files", ".git"},
	{T "{id: a, run: x, files: ['a\\b']}\n", 2, 27, "a", "files", "separate folders"},
	{T "{id: a, run: x, files: [\"a\\tb\"]}\n", 2, 27, "a", "files", "control"},
	{T "{id: a, run: x, files: [\"\"]}\n", 2, 27, "a", "files", "empty"},
	{T "{id: a, run: x, files: x}\n", 2, 26, "a", "files", "must be a list"},
	/* the rest */
	{T "{id: a, prompt: x, agent: codxe}\n", 2, 29, "a", "agent", "did you mean \"codex\""},
	{T "{id: a, prompt: x, agent: other}\n", 2, 29, "a", "agent", "no agent of this name"},
	{T "{id: a, prompt: x, model: --yolo}\n", 2, 29, "a", "model", "begin with"},
	{T "{id: a, run: x, agent: codex}\n", 2, 19, "a", "agent", "means nothing"},
	{T "{id: a, run: x, gates: [lnt]}\n", 2, 27, "a", "gates", "did you mean \"lint\""},
	{T "{id: a, run: x, gates: [lint, lint]}\n", 2, 33, "a", "gates", "listed twice"},
	{T "{id: a, run: x, gates: lint}\n", 2, 26, "a", "gates", "must be a list"},
	{T "{id: a, run: x, timeout: soon}\n", 2, 28, "a", "timeout", "duration"},
	{T "{id: a, run: x, timeout: 0}\n", 2, 28, "a", "timeout", "more than 0"},
	{T "{id: a, run: x, timeout: -5}\n", 2, 28, "a", "timeout", "duration"},
	{T "{id: a, run: x, timeout: 400d}\n", 2, 28, "a", "timeout", "year"},
	{T "{id: a, run: x, timeout: 99999999999999999d}\n", 2, 28, "a", "timeout", "duration"},
	{T "{id: a, run: x, priority: high}\n", 2, 29, "a", "priority", "whole number"},
	{T "{id: a, run: x, priority: \"1\"}\n", 2, 29, "a", "priority", "whole number"},
	{T "{id: a, run: x, priority: 1000001}\n", 2, 29, "a", "priority", "1000000"},
	{T "{id: a, run: x, priority: 1.5}\n", 2, 29, "a", "priority", "whole number"},
	{T "{id: a, run: x, env: [A]}\n", 2, 24, "a", "env", "must be a mapping"},
	{T "{id: a, run: x, env: {1A: x}}\n", 2, 25, "a", "env", "letters"},
	{T "{id: a, run: x, env: {\"A=B\": x}}\n", 2, 25, "a", "env", "letters"},
	{T "{id: a, run: x, env: {BOSK_TASK: x}}\n", 2, 25, "a", "env", "BOSK_"},
	{T "{id: a, run: x, env: {GIT_DIR: x}}\n", 2, 25, "a", "env", "GIT_"},
	{T "{id: a, run: x, env: {A: }}\n", 2, 25, "a", "env", "not nothing"},
	{T "{id: a, run: x, env: {A: [x]}}\n", 2, 28, "a", "env", "not a list"},
	{T "{id: a, run: x, exclusive: \"true\"}\n", 2, 30, "a", "exclusive", "without quotes"},
	{T "{id: a, run: x, allow_empty: yes}\n", 2, 32, "a", "allow_empty", "true or false"},
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
		assert_int_equal(
			plan_load_text(&p, "p.yaml", b->text, strlen(b->text), &context, &faults), -1);
		assert_null(p.tasks);
		assert_true(faults.n > 0);
		for (size_t k = 0; k < faults.n; k++) {
			const struct plan_fault *f = &faults.v[k];
			found = found || (f->line == b->line && f->column == b->column &&
			                  str_eq(f->task, b->task) && str_eq(f->key, b->key) &&
			                  str_eq(f->file, "p.yaml") && strstr(f->message, b->part));
		}
		/* One mistake, one fault; but a wrong key for `tasks` also means there are none. */
		if (!found || (faults.n != 1 && !str_starts(b->text, "task:"))) {
			print_error("%s\nis not %zu:%zu %s %s: %s, but\n", b->text, b->line, b->column,
			            b->task, b->key, b->part);
			print_all(&faults);
			wrong++;
		}
		plan_faults_fini(&faults);
	}
	assert_int_equal(wrong, 0);
}

static void everything_is_listed_at_once_in_order(void **state)
{
	(void)state;
	const char *text = "extra: 1\n"
	                   "tasks:\n"
	                   "  - id: a/b\n"
	                   "    needs: [x]\n"
	                   "    timeout: 0\n"
	                   "    colour: red\n"
	                   "  - id: one\n"
	                   "    run: x\n"
	                   "    needs: [two]\n"
	                   "  - id: two\n"
	                   "    run: x\n"
	                   "    needs: [one, a/b]\n"
	                   "  - id: ONE\n"
	                   "    run: x\n"
	                   "    env: {GIT_DIR: x, 2: y}\n";
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_STR struct str out = {0};
	assert_int_equal(plan_load_text(&p, "x.yaml", text, strlen(text), NULL, &faults), -1);
	plan_faults_print(&faults, &out);
	assert_string_equal(
		out.p,
		"x.yaml:1:1: extra: a plan has no such key, only \"tasks\" and \"land\"\n"
		"x.yaml:3:5: task a/b: prompt: a task must have one of prompt, prompt_file and run\n"
		"x.yaml:3:9: task a/b: id: an id must not hold a \"/\": it becomes part of a branch name\n"
		"x.yaml:4:13: task a/b: needs: there is no task \"x\"\n"
		"x.yaml:5:14: task a/b: timeout: must be more than 0\n"
		"x.yaml:6:5: task a/b: colour: a task has no such key\n"
		"x.yaml:7:5: task one: needs: these tasks wait for each other: one -> two -> one\n"
		"x.yaml:13:9: task ONE: id: differs only in case from \"one\" at x.yaml:7\n"
		"x.yaml:15:11: task ONE: env: \"GIT_DIR\": names beginning with BOSK_ or GIT_ are set by "
		"bosk alone\n"
		"x.yaml:15:23: task ONE: env: \"2\": must be a name of letters, digits and _\n");
	plan_faults_fini(&faults);
}

static void faults_are_safe_to_print(void **state)
{
	(void)state;
	const char *text = "tasks: [{id: \"a\\e]0;x\\a\", run: x, \"k\\n\\e\": 1}]";
	struct plan_faults faults = {0};
	struct plan p;
	AUTO_STR struct str out = {0};
	assert_int_equal(plan_load_text(&p, "x\x1b.yaml", text, strlen(text), NULL, &faults), -1);
	plan_faults_print(&faults, &out);
	assert_null(strchr(out.p, '\x1b'));
	assert_non_null(strstr(out.p, "a\\x1b]0;x\\x07"));
	plan_faults_fini(&faults);
}

/* ---- files ---- */

static void put(const char *folder, const char *name, const char *text, size_t n)
{
	struct err e = {0};
	AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
	assert_ok(fs_write(path, text, n, false, &e), &e);
}

static void put_text(const char *folder, const char *name, const char *text)
{
	put(folder, name, text, strlen(text));
}

static void fault_of(const char *path, size_t line, const char *key, const char *part)
{
	struct plan_faults faults = {0};
	struct plan p;
	assert_int_equal(plan_load(&p, &path, 1, &context, &faults), -1);
	if (faults.n != 1 || faults.v[0].line != line || !str_eq(faults.v[0].key, key) ||
	    !strstr(faults.v[0].message, part)) {
		print_all(&faults);
		fail_msg("%s: not %s", path, part);
	}
	plan_faults_fini(&faults);
}

static void unreadable_files_are_faults(void **state)
{
	(void)state;
	char *dir = test_scratch();
	AUTO_FREE char *plan = mem_printf("%s/p.yaml", dir), *none = mem_printf("%s/none.yaml", dir);
	AUTO_FREE char *pipe = mem_printf("%s/pipe", dir);
	AUTO_STR struct str large = {0};
	fault_of(none, 0, NULL, "cannot be read: No such file");
	fault_of(dir, 0, NULL, "folder");

	const struct {
		const char *name, *part;
	} prompts[] = {
		{"none.md", "cannot open"}, {"large.md", "larger than 524288"}, {"latin.md", "UTF-8"},
		{"empty.md", "is empty"},   {"..", "not a file"},               {"/etc/hostname", "relative"},
		{"pipe", "not a file"},     {"nul.md", "UTF-8"},
	};
	for (size_t i = 0; i < 60000; i++)
		str_add(&large, "0123456789");
	put(dir, "large.md", large.p, large.len);
	put_text(dir, "latin.md", "caf\xe9");
	put_text(dir, "empty.md", " \n");
	put(dir, "nul.md", "a\0b", 3);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	for (size_t i = 0; i < MEM_COUNT(prompts); i++) {
		AUTO_FREE char *text =
			mem_printf("tasks:\n- id: a\n  prompt_file: %s\n", prompts[i].name);
		put_text(dir, "p.yaml", text);
		fault_of(plan, 3, "prompt_file", prompts[i].part);
	}
	str_clear(&large);
	str_add(&large, "tasks: [{id: a, prompt: \"");
	for (size_t i = 0; i < 60000; i++)
		str_add(&large, "0123456789");
	str_add(&large, "\"}]");
	put(dir, "p.yaml", large.p, large.len);
	fault_of(plan, 1, "prompt", "longer than 524288");
	test_scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_has_its_place),
		cmocka_unit_test(everything_is_listed_at_once_in_order),
		cmocka_unit_test(faults_are_safe_to_print),
		cmocka_unit_test(unreadable_files_are_faults),
	};
	return cmocka_run_group_tests_name("plan_faults", tests, NULL, NULL);
}
