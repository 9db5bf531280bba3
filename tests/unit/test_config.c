/* config: defaults, order of sources, every key from every source. What is refused: test_config_faults.c. */
#include "config_scratch.h"

#include "supervisor/config_agents.h"
#include "supervisor/config_private.h"

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

static void defaults(void **state)
{
	(void)state;
	struct config c;
	load_option(&c, NULL);
	assert_int_equal(c.jobs, 3);
	assert_string_equal(c.agent, "");
	assert_int_equal(c.n_gates, 0);
	assert_int_equal(c.agents->n_own, 0);
	assert_int_equal(c.agents->n_built, 0); /* nothing was read that nobody asked for */
	assert_int_equal(c.fix_attempts, 3);
	assert_int_equal(c.retries, 1);
	assert_int_equal(c.conflict_attempts, 2);
	assert_int_equal(c.timeout_ms, 3600000);
	assert_int_equal(c.silence_ms, 900000);
	assert_int_equal(c.push_timeout_ms, 600000);
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
	assert_int_equal(c.sign_timeout_ms, 30000);
	assert_string_equal(c.sign_fallback, "unsigned");
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
	{"agents", "{mine: {argv: [x]}, other: {extends: codex}}"},
	{"models", "{sonnet-4.5: {agent: claude, model: claude-sonnet}}"},
	{"gates", "[{name: lint, run: make lint, timeout: 5m, paths: [./src, '*.c'], exclusive: true, "
	          "retries: 2}, {name: t, run: 'true', exclusive: test-db}]"},
	{"fix_attempts", "0"},
	{"retries", "2"},
	{"conflict_attempts", "0"},
	{"timeout", "2h"},
	{"silence", "90"},
	{"verify", "task"},
	{"land", "merge"},
	{"land_fallback", "keep"},
	{"pr.command", "hub pr"},
	{"pr.find", "hub list"},
	{"pr.draft", "true"},
	{"pr.remote", "upstream"},
	{"pr.timeout", "90"},
	{"steps", "together"},
	{"merge_drivers", "off"},
	{"push", "off"},
	{"push_timeout", "95"},
	{"worktrees.dir", "/tmp/{repo}"},
	{"worktrees.copy", "[.env, config/local/]"},
	{"worktrees.setup", "npm ci --prefer-offline"},
	{"worktrees.setup_inputs", "[package-lock.json]"},
	{"worktrees.total", "12"},
	{"branch", "work/{session}-{task}"},
	{"personas", "[p]"},
	{"skills", "[/abs/skills]"},
	{"stories.folder", "docs/stories/"},
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
	{"sign.timeout", "2m"},
	{"sign.fallback", "refuse"},
	{"notify", "mail me"},
};

static void check_settable(const struct config *c)
{
	assert_int_equal(c->jobs, 8);
	assert_string_equal(c->agent, "codex");
	assert_int_equal(c->agents->n_own, 2);
	assert_non_null(config_agents_get(c, "mine"));
	assert_int_equal(c->n_models, 1);
	assert_string_equal(c->models[0].name, "sonnet-4.5");
	assert_string_equal(c->models[0].agent, "claude");
	assert_string_equal(c->models[0].model, "claude-sonnet");
	assert_string_equal(c->personas.v[0], "p");
	assert_string_equal(c->skills.v[0], "/abs/skills");
	assert_int_equal(c->n_gates, 2);
	const struct config_gate *g = c->gates;
	assert_string_equal(g->name, "lint");
	assert_string_equal(g->run, "make lint");
	assert_int_equal(g->timeout_ms, 300000);
	assert_int_equal(g->paths.n, 2);
	assert_string_equal(g->paths.v[0], "src");
	assert_true(g->exclusive && !g->lock);
	assert_true(!g[1].exclusive);
	assert_string_equal(g[1].lock, "test-db");
	assert_int_equal(g->retries, 2);
	assert_int_equal(g[1].timeout_ms, 0);
	assert_int_equal(c->fix_attempts, 0);
	assert_int_equal(c->retries, 2);
	assert_int_equal(c->conflict_attempts, 0);
	assert_int_equal(c->timeout_ms, 7200000);
	assert_int_equal(c->silence_ms, 90000);
	assert_int_equal(c->push_timeout_ms, 95000);
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
	assert_int_equal(c->sign_timeout_ms, 120000);
	assert_string_equal(c->sign_fallback, "refuse");
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
	put(scratch.user, "config.yaml", "jobs: 4\nretries: 5\nsilence: 1m\nagents: {mine: {argv: [a]}}\n"
	                                 "gates: [{name: u, run: x}]\nland_fallback: pr\n");
	put(scratch.repo, "bosk.yaml", "retries: 6\nworktrees: {dir: /a, total: 1}\nagents: {theirs: {argv: [b]}}\n"
	                               "gates: [{name: r, run: x}]\nlimits:\n");
	setenv("BOSK_CONFIG_SILENCE", "2m", 1);
	setenv("BOSK_CONFIG_WORKTREES_TOTAL", "3", 1);
	setenv("BOSK_CONFIG_WORKTREES", "{total: 2, setup: make}", 1); /* a section, before its keys */
	const char *const options[] = {"silence=3m", "silence=4m", "worktrees.dir=/b",
	                               "land_fallback=keep"};
	load_options(&c, options, MEM_COUNT(options));
	assert_int_equal(c.jobs, 4);
	assert_int_equal(c.retries, 6);
	assert_int_equal(c.silence_ms, 240000);
	assert_string_equal(c.worktrees_dir, "/b");
	assert_string_equal(c.setup, "make");
	assert_int_equal(c.worktrees_total, 3);
	assert_int_equal(c.n_gates, 1);
	assert_string_equal(c.gates[0].name, "r"); /* a list is replaced */
	assert_non_null(config_agents_get(&c, "mine"));  /* names add up */
	assert_non_null(config_agents_get(&c, "theirs"));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key_from_every_source),
		cmocka_unit_test(later_sources_win),
		cmocka_unit_test(where_the_users_file_is),
		cmocka_unit_test(options_take_texts_as_they_are),
	};
	return cmocka_run_group_tests_name("config", tests, set_up, tear_down);
}
