/* config_agents: the built-in agents are whole and right; `agents` of all sources, what they take from each other, who may
 * give all rights, and what is refused. */
#include "config_scratch.h"

#include "supervisor/agents.h"
#include "supervisor/agents_built.h"
#include "supervisor/config_agents.h"
#include "supervisor/config_private.h"
#include "worker/adapter.h"

static void load(struct config *c, const char *user, const char *repo, const char *option)
{
	struct plan_faults faults = {0};
	AUTO_STRV struct strv overrides = {0};
	AUTO_STR struct str out = {0};

	put(scratch.user, "config.yaml", user);
	put(scratch.repo, "bosk.yaml", repo);
	if (option)
		strv_add(&overrides, option);
	int rc = config_load(c, scratch.repo, &overrides, &faults);
	plan_faults_print(&faults, &out);
	if (rc != 0)
		fail_msg("refused: %s", out.p);
	plan_faults_fini(&faults);
}

/* One word after the other, by bars. */
static void expect_list(const struct strv *l, const char *words)
{
	AUTO_STR struct str joined = {0};

	for (size_t i = 0; i < l->n; i++)
		str_addf(&joined, "%s%s", i ? "|" : "", l->v[i]);
	assert_string_equal(str_text(&joined), words);
}

static void built_in_ones_are_whole(void **state)
{
	(void)state;
	static const char *const expected[] = {"claude", "codex", "gemini", "shell"}; /* and others */
	struct config c;
	AUTO_STRV struct strv names = {0};

	load(&c, "", "", NULL);
	config_agents_get_names(&c, &names);
	for (size_t i = 0; i < MEM_COUNT(expected); i++)
		assert_true(strv_has(&names, expected[i]));
	assert_int_equal(names.n, agents_built_count);
	for (size_t i = 0; i < agents_built_count; i++) {
		struct plan_faults faults = {0};
		const char *text = agents_built_list[i].text;
		struct yaml *doc = yaml_parse("built-in", text, strlen(text), &faults);
		assert_non_null(doc);
		struct config_loader l = {.c = &c, .faults = &faults, .origin = CONFIG_BUILT_IN};
		struct config_agents *own = config_agents_new();
		config_agents_read(&l, config_agents_add(&own->own, &own->n_own, "x"), yaml_root(doc));
		AUTO_STR struct str out = {0};
		plan_faults_print(&faults, &out);
		assert_string_equal(str_text(&out), "");
		config_agents_free(own);
		yaml_free(doc);

		const struct msg_agent *a = config_agents_get(&c, agents_built_list[i].name);
		assert_non_null(a);
		assert_string_equal(a->name, agents_built_list[i].name);
		assert_true(a->argv.n > 0);
		assert_false(a->full);
		assert_non_null(a->account);
		assert_non_null(a->rights);
		assert_non_null(a->rights_full);
		assert_ptr_equal(config_agents_get(&c, a->name), a); /* made once */
		struct adapter *adapter;
		struct err e = {0};
		assert_ok(adapter_new(&adapter, a, &e), &e);
		adapter_free(adapter);
	}
	assert_null(config_agents_get(&c, "codx"));
	config_fini(&c);
}

static void every_key(void **state)
{
	(void)state;
	struct config c;
	load(&c, "", "agents:\n"
	             "  mine:\n"
	             "    probe: [mine, -V]\n"
	             "    argv: [mine, \"\", \"{model? -m {model}}\", \"{prompt}\"]\n"
	             "    resume: [mine, again, \"{prompt}\"]\n"
	             "    prompt: arg\n"
	             "    env: {A: b, C: \"\"}\n"
	             "    env_unset: [D]\n"
	             "    session: json a=b .c\n"
	             "    final: stdout last\n"
	             "    ok: [exit 0, json a=b]\n"
	             "    usage: \"input: json a=b .n\"\n"
	             "    fail: [\"limit: exit 75\"]\n"
	             "    reset: [\"epoch: json a=b .t\"]\n"
	             "    kill_if: [\"limit: stderr ~ x\"]\n"
	             "    timeout: 3h\n"
	             "    silence: 90s\n"
	             "    grace: 10s\n"
	             "    weight_mb: 700\n"
	             "    moves: true\n"
	             "    account: team\n"
	             "    autonomy: limited\n"
	             "    wrap: [srun, -n1]\n"
	             "    rights: some\n"
	             "    rights_full: all\n"
	             "    model: big\n"
	             "    fallback: codex\n", NULL);
	const struct msg_agent *a = config_agents_get(&c, "mine");
	expect_list(&a->probe, "mine|-V");
	expect_list(&a->argv, "mine||{model? -m {model}}|{prompt}");
	expect_list(&a->resume, "mine|again|{prompt}");
	assert_string_equal(a->prompt, "arg");
	expect_list(&a->env, "A=b|C=");
	expect_list(&a->env_unset, "D");
	assert_string_equal(a->session, "json a=b .c");
	expect_list(&a->final, "stdout last");
	expect_list(&a->ok, "exit 0|json a=b");
	expect_list(&a->usage, "input: json a=b .n");
	expect_list(&a->fail, "limit: exit 75");
	expect_list(&a->reset, "epoch: json a=b .t");
	expect_list(&a->kill_if, "limit: stderr ~ x");
	assert_int_equal(a->timeout_ms, 3 * 3600000);
	assert_int_equal(a->silence_ms, 90000);
	assert_int_equal(a->grace_ms, 10000);
	assert_int_equal(a->weight_mb, 700);
	assert_true(a->moves);
	assert_string_equal(a->account, "team");
	assert_false(a->full);
	expect_list(&a->wrap, "srun|-n1");
	assert_string_equal(a->rights, "some");
	assert_string_equal(a->rights_full, "all");
	assert_string_equal(a->model, "big");
	assert_string_equal(a->fallback, "codex");
	config_fini(&c);
}

static void later_keys_replace_earlier_ones(void **state)
{
	(void)state;
	struct config c, again;
	struct plan_faults faults = {0};

	load(&c, "agents: {mine: {argv: [a], model: m, ok: [exit 0]}, codex: {model: big}}\n",
	     "agents: {mine: {argv: [b, c], account: x}, other: {extends: mine, model: n}}\n", "agents={other: {env: [A=b]}}");
	const struct msg_agent *a = config_agents_get(&c, "mine");
	expect_list(&a->argv, "b|c");
	expect_list(&a->ok, "exit 0");
	AUTO_STR struct str shown = {0};
	config_show(&c, &shown);
	assert_non_null(strstr(shown.p, "agents: {mine: {argv: [b, c], model: m, ok: [exit 0], account: x}, codex: {model: big}, "
	                                "other: {extends: mine, model: n, env: [A=b]}}"));
	assert_string_equal(a->model, "m");
	a = config_agents_get(&c, "other");
	expect_list(&a->argv, "b|c");
	expect_list(&a->env, "A=b");
	assert_string_equal(a->model, "n");
	assert_string_equal(a->account, "x"); /* of what it extends */
	/* A built-in name begins with the built-in one. */
	a = config_agents_get(&c, "codex");
	assert_string_equal(a->model, "big");
	assert_string_equal(a->argv.v[0], "codex");
	AUTO_STRV struct strv names = {0};
	config_agents_get_own(&c, &names);
	expect_list(&names, "codex|mine|other");

	/* As it is kept with a session. */
	assert_int_equal(config_load_sources(&again, &c.sources, &faults), 0);
	assert_true(rec_equal(msg_rec(MSG_AGENT), config_agents_get(&c, "other"), config_agents_get(&again, "other")));
	assert_true(rec_equal(msg_rec(MSG_AGENT), a, config_agents_get(&again, "codex")));
	config_fini(&again);
	config_fini(&c);
}

static void another_command_line_is_not_resumed_by_the_old_one(void **state)
{
	(void)state;
	struct config c;
	load(&c, "", "agents: {a: {argv: [a], resume: [a, r]}, b: {extends: a, argv: [b]}, c: {extends: a, resume: [c]}}", NULL);
	expect_list(&config_agents_get(&c, "a")->resume, "a|r");
	expect_list(&config_agents_get(&c, "b")->resume, "");
	expect_list(&config_agents_get(&c, "c")->resume, "c");
	config_fini(&c);
}

static bool is_full(const char *user, const char *repo, const char *option, const char *name, size_t warnings)
{
	struct config c;
	load(&c, user, repo, option);
	assert_int_equal(config_warnings(&c)->n, warnings);
	if (warnings)
		assert_non_null(strstr(config_warnings(&c)->v[0], "--autonomy full"));
	bool full = config_agents_get(&c, name)->full;
	config_fini(&c);
	return full;
}

/* Never from a repository's file alone. */
static void all_rights_are_the_users_to_give(void **state)
{
	(void)state;
	const char *full = "agents: {codex: {autonomy: full}}", *limited = "agents: {codex: {autonomy: limited}}";

	assert_false(is_full("", "", NULL, "codex", 0));
	assert_true(is_full(full, "", NULL, "codex", 0));
	assert_false(is_full("", full, NULL, "codex", 1));
	assert_true(is_full(full, full, NULL, "codex", 1));
	assert_false(is_full(full, limited, NULL, "codex", 0)); /* less is always possible */
	assert_false(is_full(limited, full, NULL, "codex", 1));
	assert_true(is_full("", limited, "agents={codex: {autonomy: full}}", "codex", 0));
	setenv("BOSK_CONFIG_AGENTS", "{codex: {autonomy: full}}", 1);
	assert_true(is_full("", "", NULL, "codex", 0));
	unsetenv("BOSK_CONFIG_AGENTS");
	/* Nor by way of one that has them. */
	assert_false(is_full(full, "agents: {x: {extends: codex}}", NULL, "x", 0));
	assert_true(is_full("agents: {codex: {autonomy: full}, x: {extends: codex}}", "", NULL, "x", 0));
	assert_false(is_full("agents: {codex: {autonomy: full}, x: {argv: [x]}}", "agents: {x: {extends: codex}}", NULL, "x", 0));
}

static void refused(const char *text, size_t line, size_t column, const char *part)
{
	struct config c;
	struct plan_faults f = {0};
	AUTO_STR struct str out = {0};

	put(scratch.user, "config.yaml", "");
	put(scratch.repo, "bosk.yaml", text);
	assert_int_equal(config_load(&c, scratch.repo, NULL, &f), -1);
	plan_faults_print(&f, &out);
	if (f.n != 1 || f.v[0].line != line || f.v[0].column != column || !strstr(f.v[0].message, part))
		fail_msg("not %zu:%zu: %s, but\n%s", line, column, part, str_text(&out));
	plan_faults_fini(&f);
}

static void faults(void **state)
{
	(void)state;
	refused("agents: {a: {argv: [x], arg: x}}\n", 1, 25, "did you mean \"argv\"");
	refused("agents: {a: {argv: [x], qqqqq: x}}\n", 1, 25, "no key \"qqqqq\"");
	refused("agents: {a: {}}\n", 1, 10, "must have argv");
	refused("agents:\n  a:\n    argv: []\n", 3, 11, "must have argv");
	refused("agents: {a: {argv: x y}}\n", 1, 20, "argv must be a list");
	refused("agents: {a: {argv: [x], ok: [\"\"]}}\n", 1, 30, "must not be empty");
	refused("agents: {a: {argv: [[x]]}}\n", 1, 21, "must be a text");
	refused("agents: {a: {argv: [x], env: [A]}}\n", 1, 30, "NAME=VALUE");
	refused("agents: {a: {argv: [x], timeout: soon}}\n", 1, 34, "duration");
	refused("agents: {a: {argv: [x], weight_mb: x}}\n", 1, 36, "whole number");
	refused("agents: {a: {argv: [x], autonomy: all}}\n", 1, 35, "full or limited");
	refused("agents: {a: {argv: [x], moves: \"yes\"}}\n", 1, 32, "true or false");
	refused("agents: {a: {argv: [x], prompt: pipe}}\n", 1, 33, "file, arg or none");
	refused("agents: {a: {argv: [x], model: -x}}\n", 1, 32, "not begin with");
	refused("agents: {a: {argv: [x], account: \"a b\"}}\n", 1, 34, "account is a name");
	refused("agents: {a: {extends: codx}}\n", 1, 23, "did you mean \"codex\"");
	refused("agents: {a: {extends: a}}\n", 1, 23, "extends itself");
	refused("agents: {a: {argv: [x], fallback: a}}\n", 1, 35, "names itself");
	refused("agents: {a: {argv: [x], fallback: gemni}}\n", 1, 35, "did you mean \"gemini\"");
	/* The words of a rule are the adapter's. */
	refused("agents: {a: {argv: [x], ok: exit zero}}\n", 1, 29, "a: ok, item 1");
	refused("agents: {a: {argv: [x], fail: [\"limit: exit 1\", \"limt: exit 2\"]}}\n", 1, 31, "fail, item 2");
	refused("agents: {a: {argv: [x], session: stderr}}\n", 1, 34, "session");
	refused("agents:\n  a:\n    argv: [\"{modl}\"]\n", 3, 11, "{modl} is not known");
	refused("agents: {agent: {argv: [x]}}\n", 1, 10, "another name");
	refused("agent: codx\n", 1, 8, "did you mean \"codex\"");
	refused("models: {m: {agent: codx}}\n", 1, 9, "m: there is no agent codx; did you mean \"codex\"");
}

static void who_does_a_task(void **state)
{
	(void)state;
	struct config c;
	struct task_def bare = {0}, own = {.agent = (char *)"codex", .model = (char *)"m"},
	                run = {.run = (char *)"x", .agent = NULL},
	                mapped = {.model = (char *)"big", .model_agent = (char *)"gemini", .model_name = (char *)"g-1"},
	                timed = {.agent = (char *)"codex", .timeout_ms = 5};

	load(&c, "", "agents: {mine: {argv: [x], silence: 2m, model: own}}", NULL);
	assert_null(agents_of(&bare, NULL));
	assert_null(agents_of(&bare, ""));
	assert_string_equal(agents_of(&bare, "mine"), "mine");
	assert_string_equal(agents_of(&own, "mine"), "codex");
	assert_string_equal(agents_of(&mapped, "mine"), "gemini");
	assert_null(agents_of(&run, "mine"));
	assert_string_equal(agents_def(&c, "agent", NULL)->name, "claude");
	assert_string_equal(agents_def(&c, "agent", "agent")->name, "claude");
	assert_string_equal(agents_def(&c, "agent", "mine")->name, "mine");
	assert_null(agents_def(&c, NULL, NULL));
	assert_string_equal(agents_model(&own, config_agents_get(&c, "mine")), "m");
	assert_string_equal(agents_model(&bare, config_agents_get(&c, "mine")), "own");
	assert_string_equal(agents_model(&mapped, config_agents_get(&c, "mine")), "g-1");
	assert_int_equal(agents_limit(&bare, NULL, &c), 3600000);
	assert_int_equal(agents_limit(&own, config_agents_get(&c, "codex"), &c), 7200000);
	assert_int_equal(agents_limit(&timed, config_agents_get(&c, "codex"), &c), 5);
	assert_int_equal(agents_silence(config_agents_get(&c, "mine"), &c), 120000);
	assert_int_equal(agents_silence(NULL, &c), 900000);
	config_fini(&c);

	load(&c, "", "agents: {mine: {argv: [x]}}", NULL);
	AUTO_FREE char *near = agents_fault(&c, "codx"), *far = agents_fault(&c, "zzzzzzzz");
	assert_non_null(strstr(near, "did you mean \"codex\""));
	assert_non_null(strstr(far, "agent, claude, codex"));
	assert_null(agents_fault(&c, "agent"));
	assert_null(agents_fault(&c, "mine"));
	config_fini(&c);
}

/* Limits of time: a call before an agent's own, that before what is configured for all, that before what is built in. */
static void what_is_said_more_closely_limits_it(void **state)
{
	(void)state;
	static const struct {
		const char *user, *repo, *call, *agent;
		uint64_t timeout_s, silence_s;
	} rows[] = {
		{"", "", NULL, "codex", 7200, 900},
		{"timeout: 5m\nsilence: 7m", "", NULL, "codex", 300, 420},
		{"", "timeout: 5m", NULL, "codex", 300, 900},
		{"timeout: 5m\nagents: {codex: {timeout: 3h}}", "", NULL, "codex", 10800, 900},
		{"agents: {codex: {timeout: 3h, silence: 20m}}", "timeout: 5m\nsilence: 1m", NULL, "codex", 10800, 1200},
		{"agents: {codex: {timeout: 3h}}", "", "timeout=1m", "codex", 60, 900},
		{"agents: {codex: {timeout: 3h}}", "", "timeout=0", "codex", 0, 900},
		{"timeout: 5m\nagents: {codex: {timeout: 0}}", "", NULL, "codex", 0, 900}, /* none, and that is meant */
		{"timeout: 5m\nagents: {codex: {model: m}}", "", NULL, "codex", 300, 900},
		{"timeout: 5m\nagents: {a: {extends: b}, b: {extends: codex, timeout: 4h}}", "", NULL, "a", 14400, 900},
		{"timeout: 5m\nagents: {a: {extends: b, timeout: 1h}, b: {extends: codex, timeout: 4h}}", "", NULL, "a", 3600, 900},
		{"timeout: 5m\nagents: {a: {extends: codex}}", "", NULL, "a", 300, 900},
		{"agents: {a: {extends: codex}}", "", NULL, "a", 7200, 900},
	};
	struct task_def bare = {0}, timed = {.timeout_ms = 5};
	struct config c;

	for (size_t i = 0; i < MEM_COUNT(rows); i++) {
		load(&c, rows[i].user, rows[i].repo, rows[i].call);
		const struct msg_agent *def = config_agents_get(&c, rows[i].agent);
		assert_int_equal(agents_limit(&bare, def, &c), rows[i].timeout_s * 1000);
		assert_int_equal(agents_silence(def, &c), rows[i].silence_s * 1000);
		assert_int_equal(agents_limit(&timed, def, &c), 5);
		config_fini(&c);
	}
}

static void who_stands_in_is_known_too(void **state)
{
	(void)state;
	struct config c;
	struct task_def tasks[] = {{.run = (char *)"x"}, {.agent = (char *)"a"}, {.agent = (char *)"b"}, {.id = NULL}};
	struct plan plan = {.tasks = tasks, .n = MEM_COUNT(tasks)};
	AUTO_STRV struct strv used = {0};

	load(&c, "", "agents: {a: {argv: [x], fallback: b}, b: {argv: [x], fallback: a}, c: {argv: [x], fallback: d}, "
	             "d: {argv: [x]}}", NULL);
	agents_used(&c, &plan, "c", &used);
	expect_list(&used, "a|b|c|d");
	config_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_ones_are_whole),
		cmocka_unit_test(every_key),
		cmocka_unit_test(later_keys_replace_earlier_ones),
		cmocka_unit_test(another_command_line_is_not_resumed_by_the_old_one),
		cmocka_unit_test(all_rights_are_the_users_to_give),
		cmocka_unit_test(faults),
		cmocka_unit_test(who_does_a_task),
		cmocka_unit_test(what_is_said_more_closely_limits_it),
		cmocka_unit_test(who_stands_in_is_known_too),
	};
	unsetenv("BOSK_CONFIG_AGENTS");
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
