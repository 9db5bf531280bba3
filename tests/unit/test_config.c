/* config: defaults, order of sources, every key from every source, and what is refused. */
#include "test.h"

#include <unistd.h>

#include "store/base/fs.h"
#include "supervisor/config_private.h"

static struct {
	char *dir, *repo, *user;
} scratch;

static int set_up(void **state)
{
	(void)state;
	struct err e = {0};
	scratch.dir = test_scratch();
	scratch.repo = mem_printf("%s/repo", scratch.dir);
	scratch.user = mem_printf("%s/xdg/bosk", scratch.dir);
	AUTO_FREE char *xdg = mem_printf("%s/xdg", scratch.dir);
	assert_ok(fs_mkdirs(scratch.repo, &e), &e);
	assert_ok(fs_mkdirs(scratch.user, &e), &e);
	setenv("XDG_CONFIG_HOME", xdg, 1);
	setenv("HOME", scratch.dir, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_scratch_remove(scratch.dir);
	free(scratch.repo);
	free(scratch.user);
	return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
	struct err e = {0};
	AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
	assert_ok(fs_write(path, text, strlen(text), false, &e), &e);
}

static void load_options(struct config *c, const char *const *options, size_t n)
{
	AUTO_STRV struct strv overrides = {0};
	struct plan_faults faults = {0};
	AUTO_STR struct str out = {0};
	for (size_t i = 0; i < n; i++)
		strv_add(&overrides, options[i]);
	int rc = config_load(c, scratch.repo, &overrides, &faults);
	plan_faults_print(&faults, &out);
	if (rc != 0)
		fail_msg("refused: %s", out.p);
	assert_int_equal(faults.n, 0);
	plan_faults_fini(&faults);
}

static void load_option(struct config *c, const char *option)
{
	load_options(c, &option, option ? 1 : 0);
}

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

static void defaults(void **state)
{
	(void)state;
	struct config c;
	load_option(&c, NULL);
	assert_int_equal(c.jobs, 3);
	assert_string_equal(c.agent, "");
	assert_int_equal(c.n_gates, 0);
	assert_int_equal(c.agents.n, 0);
	assert_int_equal(c.fix_attempts, 3);
	assert_int_equal(c.retries, 1);
	assert_int_equal(c.conflict_attempts, 2);
	assert_int_equal(c.timeout_ms, 3600000);
	assert_int_equal(c.silence_ms, 900000);
	assert_string_equal(c.verify, "merged");
	assert_string_equal(c.land, "keep");
	assert_string_equal(c.land_fallback, "keep");
	assert_string_equal(c.steps, "together");
	assert_false(c.merge_drivers);
	assert_false(c.push);
	assert_string_equal(c.worktrees_dir, "../{repo}.worktrees");
	assert_string_equal(c.setup, "");
	assert_int_equal(c.copy.n, 0);
	assert_int_equal(c.setup_inputs.n, 0);
	assert_int_equal(c.worktrees_total, 0);
	assert_string_equal(c.branch, "bosk/{session}/{task}");
	assert_int_equal(c.orphan_max_age_ms, 4 * 3600000);
	assert_int_equal(c.orphan_resumable_max_age_ms, 24 * 3600000);
	assert_int_equal(c.limit_log, 32 << 20);
	assert_int_equal(c.limit_free_disk, UINT64_C(2) << 30);
	assert_int_equal(c.limit_free_memory, 1 << 30);
	assert_int_equal(c.limit_max_wait_ms, 12 * 3600000);
	assert_int_equal(c.limit_max_time_ms, 0);
	assert_string_equal(c.limit_budget_usd, "");
	assert_int_equal(c.halt_after_failures, 3);
	assert_int_equal(c.secrets.n, 0);
	assert_int_equal(c.protect.n, 1);
	assert_string_equal(c.protect.v[0], "bosk.yaml");
	assert_string_equal(c.author, "");
	assert_string_equal(c.notify, "");
	assert_int_equal(c.sources.n, 0);
	config_fini(&c);
	config_fini(&c); /* harmless */
}

/* What may be set, and where it shows: every key of the table has a line here. */
static const struct {
	const char *key, *value;
} settable[] = {
	{"jobs", "8"},
	{"agent", "codex"},
	{"agents", "{mine: {argv: x}, other: {}}"},
	{"models", "{sonnet-4.5: {agent: claude, model: claude-sonnet}}"},
	{"gates", "[{name: lint, run: make lint, timeout: 5m, paths: [./src, '*.c'], exclusive: true, "
	          "retries: 2}, {name: t, run: 'true'}]"},
	{"fix_attempts", "0"},
	{"retries", "2"},
	{"conflict_attempts", "0"},
	{"timeout", "2h"},
	{"silence", "90"},
	{"verify", "task"},
	{"land", "merge"},
	{"land_fallback", "keep"},
	{"pr.command", "hub pr"},
	{"pr.draft", "true"},
	{"pr.remote", "upstream"},
	{"steps", "together"},
	{"merge_drivers", "off"},
	{"push", "off"},
	{"worktrees.dir", "/tmp/{repo}"},
	{"worktrees.copy", "[.env, config/local/]"},
	{"worktrees.setup", "npm ci --prefer-offline"},
	{"worktrees.setup_inputs", "[package-lock.json]"},
	{"worktrees.total", "12"},
	{"branch", "work/{session}-{task}"},
	{"personas", "[p]"},
	{"skills", "[/abs/skills]"},
	{"stories.closeable_threshold", "0.5"},
	{"stories.instructions", "be brief"},
	{"stories.human_validation_patterns", "[]"},
	{"orphans.max_age", "1h"},
	{"orphans.resumable_max_age", "2d"},
	{"limits.log", "1MiB"},
	{"limits.free_disk", "0"},
	{"limits.free_memory", "512MiB"},
	{"limits.max_wait", "30m"},
	{"limits.max_time", "\"\""},
	{"limits.budget_usd", "\"\""},
	{"halt_after_failures", "0"},
	{"secrets", "[MINE, -SORT_KEY]"},
	{"protect", "[ci/**]"},
	{"author", "A B <a@b>"},
	{"notify", "mail me"},
};

static void check_settable(const struct config *c)
{
	assert_int_equal(c->jobs, 8);
	assert_string_equal(c->agent, "codex");
	assert_int_equal(c->agents.n, 2);
	assert_true(strv_has(&c->agents, "mine"));
	assert_int_equal(c->n_gates, 2);
	const struct config_gate *g = c->gates;
	assert_string_equal(g->name, "lint");
	assert_string_equal(g->run, "make lint");
	assert_int_equal(g->timeout_ms, 300000);
	assert_int_equal(g->paths.n, 2);
	assert_string_equal(g->paths.v[0], "src");
	assert_true(g->exclusive);
	assert_int_equal(g->retries, 2);
	assert_int_equal(g[1].timeout_ms, 0);
	assert_int_equal(c->fix_attempts, 0);
	assert_int_equal(c->retries, 2);
	assert_int_equal(c->conflict_attempts, 0);
	assert_int_equal(c->timeout_ms, 7200000);
	assert_int_equal(c->silence_ms, 90000);
	assert_string_equal(c->land, "merge");
	assert_string_equal(c->worktrees_dir, "/tmp/{repo}");
	assert_int_equal(c->copy.n, 2);
	assert_string_equal(c->copy.v[1], "config/local");
	assert_string_equal(c->setup, "npm ci --prefer-offline");
	assert_string_equal(c->setup_inputs.v[0], "package-lock.json");
	assert_int_equal(c->worktrees_total, 12);
	assert_string_equal(c->branch, "work/{session}-{task}");
	assert_int_equal(c->orphan_max_age_ms, 3600000);
	assert_int_equal(c->orphan_resumable_max_age_ms, 48 * 3600000);
	assert_int_equal(c->limit_log, 1 << 20);
	assert_int_equal(c->limit_free_disk, 0);
	assert_int_equal(c->limit_free_memory, 512 << 20);
	assert_int_equal(c->limit_max_wait_ms, 1800000);
	assert_int_equal(c->halt_after_failures, 0);
	assert_string_equal(c->secrets.v[1], "-SORT_KEY");
	assert_string_equal(c->protect.v[0], "ci/**");
	assert_string_equal(c->author, "A B <a@b>");
	assert_string_equal(c->notify, "mail me");
}

static void every_key_from_every_source(void **state)
{
	(void)state;
	struct config c;
	AUTO_STRV struct strv options = {0};
	AUTO_STR struct str nested = {0};
	AUTO_FREE char *section = mem_strdup("");

	assert_int_equal(MEM_COUNT(settable), config_n_keys);
	for (size_t i = 0; i < config_n_keys; i++) {
		assert_string_equal(settable[i].key, config_keys[i].name); /* the table's order */
		const char *key = settable[i].key, *dot = strchr(key, '.');
		strv_addf(&options, "%s=%s", key, settable[i].value);
		AUTO_FREE char *own = dot ? mem_strndup(key, (size_t)(dot - key)) : mem_strdup("");
		if (*own && strcmp(own, section) != 0)
			str_addf(&nested, "%s:\n", own);
		str_addf(&nested, "%s%s: %s\n", dot ? "  " : "", dot ? dot + 1 : key, settable[i].value);
		mem_set(&section, own);
	}
	load_options(&c, (const char *const *)options.v, options.n);
	check_settable(&c);
	config_fini(&c);

	put(scratch.repo, "bosk.yaml", nested.p);
	load_option(&c, NULL);
	check_settable(&c);
	config_fini(&c);
	put(scratch.repo, "bosk.yaml", "");

	AUTO_STRV struct strv variables = {0};
	for (size_t i = 0; i < config_n_keys; i++) {
		AUTO_STR struct str name = {0};
		str_add(&name, "BOSK_CONFIG_");
		for (const char *p = settable[i].key; *p; p++)
			str_addc(&name, *p == '.' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
		setenv(name.p, settable[i].value, 1);
		strv_add(&variables, name.p);
	}
	load_option(&c, NULL);
	check_settable(&c);
	config_fini(&c);
	for (size_t i = 0; i < variables.n; i++)
		unsetenv(variables.v[i]);
}

static void later_sources_win(void **state)
{
	(void)state;
	struct config c, again;
	struct plan_faults faults = {0};
	put(scratch.user, "config.yaml", "jobs: 4\nretries: 5\nsilence: 1m\nagents: {mine: {}}\n"
	                                 "gates: [{name: u, run: x}]\nland: pr\n");
	put(scratch.repo, "bosk.yaml", "retries: 6\nworktrees: {dir: /a, total: 1}\nagents: {theirs: {}}\n"
	                               "gates: [{name: r, run: x}]\nlimits:\n");
	setenv("BOSK_CONFIG_SILENCE", "2m", 1);
	setenv("BOSK_CONFIG_WORKTREES_TOTAL", "3", 1);
	setenv("BOSK_CONFIG_WORKTREES", "{total: 2, setup: make}", 1); /* a section, before its keys */
	const char *const options[] = {"silence=3m", "silence=4m", "worktrees.dir=/b",
	                               "land=keep"}; /* takes back what is not available */
	load_options(&c, options, MEM_COUNT(options));
	assert_int_equal(c.jobs, 4);
	assert_int_equal(c.retries, 6);
	assert_int_equal(c.silence_ms, 240000);
	assert_string_equal(c.worktrees_dir, "/b");
	assert_string_equal(c.setup, "make");
	assert_int_equal(c.worktrees_total, 3);
	assert_int_equal(c.n_gates, 1);
	assert_string_equal(c.gates[0].name, "r"); /* a list is replaced */
	assert_true(strv_has(&c.agents, "mine"));  /* names add up */
	assert_true(strv_has(&c.agents, "theirs"));
	assert_int_equal(c.sources.n, 2 * (2 + 3 + 4));
	unsetenv("BOSK_CONFIG_SILENCE");
	unsetenv("BOSK_CONFIG_WORKTREES");
	unsetenv("BOSK_CONFIG_WORKTREES_TOTAL");
	put(scratch.repo, "bosk.yaml", "retries: 7\n");

	/* The stored sources say the same, whatever became of files and environment. */
	assert_int_equal(config_load_sources(&again, &c.sources, &faults), 0);
	assert_int_equal(again.retries, 6);
	assert_int_equal(again.silence_ms, 240000);
	assert_string_equal(again.setup, "make");
	assert_int_equal(again.sources.n, c.sources.n);
	config_fini(&again);
	config_fini(&c);
	put(scratch.user, "config.yaml", "");
	put(scratch.repo, "bosk.yaml", "");
}

static void where_the_users_file_is(void **state)
{
	(void)state;
	struct err e = {0};
	struct config c;
	AUTO_FREE char *xdg = mem_strdup(getenv("XDG_CONFIG_HOME"));
	AUTO_FREE char *dot = mem_printf("%s/.config/bosk", scratch.dir);
	assert_ok(fs_mkdirs(dot, &e), &e);
	put(dot, "config.yaml", "jobs: 9\n");
	static const char *const ignored[] = {NULL, "", "relative"};
	for (size_t i = 0; i < MEM_COUNT(ignored); i++) {
		if (ignored[i])
			setenv("XDG_CONFIG_HOME", ignored[i], 1);
		else
			unsetenv("XDG_CONFIG_HOME");
		load_option(&c, NULL);
		assert_int_equal(c.jobs, 9);
		config_fini(&c);
	}
	unsetenv("HOME");
	load_option(&c, NULL);
	assert_int_equal(c.jobs, 3);
	config_fini(&c);
	setenv("HOME", scratch.dir, 1);
	setenv("XDG_CONFIG_HOME", xdg, 1);

	struct plan_faults faults = {0};
	assert_int_equal(config_load(&c, NULL, NULL, &faults), 0); /* no repository */
	config_fini(&c);
}

static void options_take_texts_as_they_are(void **state)
{
	(void)state;
	struct config c;
	const char *const options[] = {
		"worktrees.setup={ npm ci; } # not: a comment",
		"author=\"Quoted Name <q@n>\"",
		"branch={session}/{task}",
		"agent=",
		"gates=",
		"protect=[]",
	};
	load_options(&c, options, MEM_COUNT(options));
	assert_string_equal(c.setup, "{ npm ci; } # not: a comment");
	assert_string_equal(c.author, "Quoted Name <q@n>");
	assert_string_equal(c.branch, "{session}/{task}");
	assert_string_equal(c.agent, "");
	assert_int_equal(c.protect.n, 0);
	config_fini(&c);
	load_option(&c, "worktrees.setup=\"my tool\" --fast");
	assert_string_equal(c.setup, "\"my tool\" --fast");
	config_fini(&c);
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
	refused_file("gates: [{name: x, run: y, paths: [/x]}]\n", 1, 35, "gates", "relative");
	refused_file("gates:\n- name: x\n  builtin: secrets\n", 3, 3, "gates", "not available");
}

static void what_nothing_acts_on_is_refused(void **state)
{
	(void)state;
	refused_file("jobs: 1\nland: pr\n", 2, 7, "land", "\"pr\" is not available in this version");
	refused_file("land_fallback: pr\n", 1, 16, "land_fallback", "not available");
	refused_file("steps: each\n", 1, 8, "steps", "not available");
	refused_file("push: on\n", 1, 7, "push", "not available");
	refused_file("limits: {max_time: 3h}\n", 1, 20, "limits.max_time", "not available");
	refused_file("limits: {budget_usd: 5.50}\n", 1, 22, "limits.budget_usd", "not available");
	refused_option("steps=each", 1, 7, "steps", "not available");
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
	put(scratch.user, "config.yaml", "a: 1\nland: pr\n");
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
	load_option(&c, NULL); /* neither file is there */
	config_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key_from_every_source),
		cmocka_unit_test(later_sources_win),
		cmocka_unit_test(where_the_users_file_is),
		cmocka_unit_test(options_take_texts_as_they_are),
		cmocka_unit_test(faults_in_files),
		cmocka_unit_test(faults_in_gates),
		cmocka_unit_test(what_nothing_acts_on_is_refused),
		cmocka_unit_test(faults_outside_files),
		cmocka_unit_test(all_faults_of_all_sources_at_once),
	};
	return cmocka_run_group_tests_name("config", tests, set_up, tear_down);
}
