/* config: what is refused, with its place and words. */
#include "config_scratch.h"

#include <unistd.h>

#include "supervisor/config.h"

/* The only fault is at line:column of `file` (NULL: bosk.yaml) and says `part` of `key`. */
static void expect_fault(const struct plan_faults *f, const char *file, size_t line, size_t column,
                         const char *key, const char *part)
{
	AUTO_FREE char *own = mem_printf("%s/bosk.yaml", scratch.repo);
	AUTO_STR struct str out = {0};
	plan_faults_print(f, &out);
	if (f->n != 1 || f->v[0].line != line || f->v[0].column != column || f->v[0].task ||
	    !str_eq(f->v[0].key, key) || !str_eq(f->v[0].file, file ? file : own) ||
	    !strstr(f->v[0].message, part))
		fail_msg("not %zu:%zu: %s: %s, but\n%s", line, column, key, part, str_text(&out));
}

static void refused_file(const char *text, size_t line, size_t column, const char *key,
                         const char *part)
{
	struct config c;
	struct plan_faults faults = {0};
	put(scratch.repo, "bosk.yaml", text);
	assert_int_equal(config_load(&c, scratch.repo, NULL, &faults), -1);
	assert_null(c.verify);
	expect_fault(&faults, NULL, line, column, key, part);
	plan_faults_fini(&faults);
	put(scratch.repo, "bosk.yaml", "");
}

static void refused_option(const char *option, size_t line, size_t column, const char *key,
                           const char *part)
{
	struct config c;
	struct plan_faults faults = {0};
	AUTO_STRV struct strv overrides = {0};
	strv_add(&overrides, option);
	assert_int_equal(config_load(&c, scratch.repo, &overrides, &faults), -1);
	expect_fault(&faults, "-c", line, column, key, part);
	plan_faults_fini(&faults);
}

static void refused_variable(const char *name, const char *value, size_t line, size_t column,
                             const char *key, const char *part)
{
	struct config c;
	struct plan_faults faults = {0};
	setenv(name, value, 1);
	assert_int_equal(config_load(&c, scratch.repo, NULL, &faults), -1);
	unsetenv(name);
	expect_fault(&faults, name, line, column, key, part);
	plan_faults_fini(&faults);
}

static void faults_in_files(void **state)
{
	(void)state;
	refused_file("jobs: 3\nretrys: 1\n", 2, 1, "retrys", "did you mean \"retries\"");
	refused_file("worktrees:\n  dri: x\n", 2, 3, "worktrees.dri", "did you mean \"worktrees.dir\"");
	refused_file("max_time: 1h\n", 1, 1, "max_time", "did you mean \"limits.max_time\"");
	refused_file("worktree: {dir: x}\n", 1, 1, "worktree", "no such key");
	refused_file("qqqqqqqq: x\n", 1, 1, "qqqqqqqq", "no such key");
	refused_file("jobs: 1\njobs: 2\n", 2, 1, "jobs", "already in line 1");
	refused_file("jobs: 1\n\tretries: 2\n", 1, 7, NULL, "not valid YAML");
	refused_file("- jobs\n", 1, 1, NULL, "must be a mapping, not a list");
	refused_file("worktrees: x\n", 1, 12, "worktrees", "must be a mapping, not a text");
	refused_file("jobs: 0\n", 1, 7, "jobs", "from 1 to 1000");
	refused_file("jobs: many\n", 1, 7, "jobs", "whole number");
	refused_file("jobs: \"3\"\n", 1, 7, "jobs", "whole number");
	refused_file("jobs:\n", 1, 1, "jobs", "whole number");
	refused_file("agent:\n", 1, 1, "agent", "write \"\" for \"off\"");
	refused_file("agent: [a]\n", 1, 8, "agent", "must be a text, not a list");
	refused_file("agent: -x\n", 1, 8, "agent", "begin with");
	refused_file("timeout: soon\n", 1, 10, "timeout", "duration");
	refused_file("orphans: {max_age: 0}\n", 1, 20, "orphans.max_age", "more than 0");
	refused_file("orphans: {max_age: \"\"}\n", 1, 20, "orphans.max_age", "duration");
	refused_file("limits: {log: 5}\n", 1, 15, "limits.log", "from 65536");
	refused_file("limits: {free_disk: 2GB}\n", 1, 21, "limits.free_disk", "size");
	refused_file("land: maybe\n", 1, 7, "land", "one of keep|merge|pr");
	refused_file("push: yes\n", 1, 7, "push", "one of off|on");
	refused_file("pr: {draft: 1}\n", 1, 13, "pr.draft", "true or false");
	refused_file("personas: x\n", 1, 11, "personas", "must be a list");
	refused_file("personas: [\"\"]\n", 1, 12, "personas", "empty");
	refused_file("protect: [../x]\n", 1, 11, "protect", "\"..\"");
	refused_file("worktrees: {copy: [/etc/passwd]}\n", 1, 20, "worktrees.copy", "relative");
	refused_file("worktrees: {dir: \"\"}\n", 1, 18, "worktrees.dir", "must not be empty");
	refused_file("worktrees: {dir: \"{home}/x\"}\n", 1, 18, "worktrees.dir", "{repo}");
	refused_file("branch: x/{task}\n", 1, 9, "branch", "{session}");
	refused_file("branch: \"{session}/{task}/{task}\"\n", 1, 9, "branch", "each once");
	refused_file("branch: \"-{session}{task}\"\n", 1, 9, "branch", "valid branch");
	refused_file("branch: \"a..{session}{task}\"\n", 1, 9, "branch", "valid branch");
	refused_file("branch: \"a b {session}{task}\"\n", 1, 9, "branch", "only hold");
	refused_file("author: me\n", 1, 9, "author", "Name <mail>");
	refused_file("author: \"a\\nb <c>\"\n", 1, 9, "author", "control");
	refused_file("author: \"<a@b>\"\n", 1, 9, "author", "Name <mail>");
	refused_file("stories: {closeable_threshold: 2}\n", 1, 32, "stories.closeable_threshold", "0 to 1");
	refused_file("models: {a: {agnt: x}}\n", 1, 14, "models", "only agent and model");
	refused_file("models: {a: {agent: \"a b\"}}\n", 1, 21, "models", "an agent's name is an id");
	refused_file("models: {a: {model: -x}}\n", 1, 21, "models", "not begin with");
	refused_file("models: {a: b}\n", 1, 13, "models", "must be a mapping");
	refused_file("agents: [a]\n", 1, 9, "agents", "mapping of names");
	refused_file("agents: {a/b: {}}\n", 1, 10, "agents", "must not hold a \"/\"");
}

static void faults_in_gates(void **state)
{
	(void)state;
	refused_file("gates: x\n", 1, 8, "gates", "must be a list of gates");
	refused_file("gates: [x]\n", 1, 9, "gates", "must be a mapping");
	refused_file("gates: [{run: x}]\n", 1, 9, "gates", "must have a name");
	refused_file("gates: [{name: x}]\n", 1, 9, "gates", "must have a command");
	refused_file("gates: [{name: x, run: \"\"}]\n", 1, 24, "gates", "run must not be empty");
	refused_file("gates: [{name: ../x, run: x}]\n", 1, 16, "gates", "must not hold a \"/\"");
	refused_file("gates: [{name: x, run: y}, {name: x, run: y}]\n", 1, 28, "gates", "two gates");
	refused_file("gates: [{name: x, run: y, timout: 1}]\n", 1, 27, "gates", "did you mean \"timeout\"");
	refused_file("gates: [{name: x, run: y, timeout: 0}]\n", 1, 36, "gates", "more than 0");
	refused_file("gates: [{name: x, run: y, retries: 1000}]\n", 1, 36, "gates", "from 0 to 100");
	refused_file("gates: [{name: x, run: y, exclusive: 1}]\n", 1, 38, "gates", "true or false");
	refused_file("gates: [{name: x, run: y, exclusive: \"true\"}]\n", 1, 38, "gates", "true or false");
	refused_file("gates: [{name: x, run: y, exclusive: Yes}]\n", 1, 38, "gates", "true or false");
	refused_file("gates: [{name: x, run: y, exclusive: [a]}]\n", 1, 38, "gates", "true or false");
	refused_file("gates: [{name: x, run: y, exclusive: a/b}]\n", 1, 38, "gates", "the name of a lock is an id");
	refused_file("gates: [{name: x, run: y, paths: [/x]}]\n", 1, 35, "gates", "relative");
	refused_file("gates:\n- name: x\n  builtin: secrts\n", 3, 12, "gates", "only secrets");
	refused_file("gates: [{name: x, run: y, builtin: secrets}]\n", 1, 27, "gates", "run or builtin, not both");
}

static void faults_outside_files(void **state)
{
	(void)state;
	refused_option("jobs", 0, 0, NULL, "key=value");
	refused_option("=3", 0, 0, NULL, "key=value");
	refused_option("job=3", 1, 5, "job", "did you mean \"jobs\"");
	refused_option("jobs=0", 1, 6, "jobs", "from 1");
	refused_option("jobs=[1]", 1, 6, "jobs", "whole number");
	refused_option("protect=[a, ../b]", 1, 13, "protect", "\"..\"");
	refused_option("protect=[a", 2, 1, "protect", "not valid YAML");
	refused_option("protect=a", 1, 9, "protect", "must be a list");
	refused_option("worktrees={dri: x}", 1, 12, "worktrees.dri", "worktrees.dir");
	refused_option("author=\xff", 1, 8, "author", "UTF-8");
	refused_variable("BOSK_CONFIG_JOBS", "x", 1, 1, "jobs", "whole number");
	refused_variable("BOSK_CONFIG_JOB", "1", 0, 0, NULL, "did you mean BOSK_CONFIG_JOBS?");
	refused_option("pr.remote=", 1, 11, "pr.remote", "must name a remote");
	refused_option("pr.remote=--mirror", 1, 11, "pr.remote", "must name a remote");
	refused_option("pr.command=", 1, 12, "pr.command", "must not be empty");
	refused_variable("BOSK_CONFIG_", "1", 0, 0, NULL, "no key");
	refused_variable("BOSK_CONFIG_jobs", "1", 0, 0, NULL, "no key");
}

static void all_faults_of_all_sources_at_once(void **state)
{
	(void)state;
	struct config c;
	struct plan_faults faults = {0};
	AUTO_STRV struct strv overrides = {0};
	strv_add(&overrides, "jobs=0");
	put(scratch.user, "config.yaml", "a: 1\nland_fallback: push\n");
	put(scratch.repo, "bosk.yaml", "retries: x\nsilence: y\n");
	assert_int_equal(config_load(&c, scratch.repo, &overrides, &faults), -1);
	assert_int_equal(faults.n, 5);
	plan_faults_fini(&faults);
	put(scratch.user, "config.yaml", "");

	AUTO_FREE char *path = mem_printf("%s/bosk.yaml", scratch.repo);
	remove(path);
	struct err e = {0};
	assert_ok(fs_mkdirs(path, &e), &e); /* there, but unreadable */
	assert_int_equal(config_load(&c, scratch.repo, NULL, &faults), -1);
	assert_null(c.verify);
	expect_fault(&faults, NULL, 0, 0, NULL, "cannot be read");
	plan_faults_fini(&faults);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(config_load(&c, scratch.repo, NULL, &faults), 0); /* neither file is there */
	config_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_in_files),
		cmocka_unit_test(faults_in_gates),
		cmocka_unit_test(faults_outside_files),
		cmocka_unit_test(all_faults_of_all_sources_at_once),
	};
	return cmocka_run_group_tests_name("config_faults", tests, set_up, tear_down);
}
