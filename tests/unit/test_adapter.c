/* adapter: what a definition may say, each fault named by its key and item; command lines and variables with holes. */
#include "test.h"
#include "worker/adapter.h"
#include "worker/exec.h"

static void set_list(struct strv *l, const char *const words[])
{
	strv_fini(l);
	for (size_t i = 0; words[i]; i++)
		strv_add(l, words[i]);
}
#define LIST(l, ...) set_list((l), (const char *const[]){__VA_ARGS__, NULL})

static struct msg_agent def_new(void)
{
	struct msg_agent def = {.name = mem_strdup("mine")};

	LIST(&def.argv, "mine", "{cwd}");
	LIST(&def.ok, "exit 0");
	return def;
}

static void def_fini(struct msg_agent *def)
{
	rec_fini(msg_rec(MSG_AGENT), def);
}

static struct adapter *made(const struct msg_agent *def)
{
	struct adapter *a;
	struct err e = {0};

	assert_ok(adapter_new(&a, def, &e), &e);
	return a;
}

static void expect_words(const struct strv *l, const char *words)
{
	AUTO_STR struct str joined = {0};

	for (size_t i = 0; i < l->n; i++)
		str_addf(&joined, "%s%s", i ? "|" : "", l->v[i]);
	assert_string_equal(str_text(&joined), words);
}

static void expect_argv(const struct msg_agent *def, const struct adapter_call *call, const char *words)
{
	struct adapter *a = made(def);
	AUTO_STRV struct strv argv = {0};

	adapter_argv(a, call, &argv);
	expect_words(&argv, words);
	adapter_free(a);
}

static void words_with_holes(void **state)
{
	struct msg_agent def = def_new();
	char *env[] = {"A=b c", "EMPTY=", NULL};
	struct adapter_call call = {.cwd = "/w t", .env = env};

	(void)state;
	LIST(&def.argv, "x", "-C", "{cwd}", "", "--a={env:A}", "{model? -m {model} {full? --all}}", "{!model? --default}", "{schema}",
	     "{env:NONE}", "{env:EMPTY? --empty}", "{env:NONE? --none}", "{!full? --ask {!resume? --first}}", "{\"a\": {\"b\": \"{cwd}\"}}", "{}", "}{");
	expect_argv(&def, &call, "x|-C|/w t||--a=b c|--default|--empty|--ask|--first|{\"a\": {\"b\": \"/w t\"}}|{}|}{");
	call.model = "big one";
	def.full = true;
	expect_argv(&def, &call, "x|-C|/w t||--a=b c|-m|big one|--all|--empty|{\"a\": {\"b\": \"/w t\"}}|{}|}{");
	/* What fills a hole is never read again: no second filling, no splitting. */
	call.model = "{cwd} {full? x}";
	LIST(&def.argv, "{model? {model}}", "{model}");
	expect_argv(&def, &call, "{cwd} {full? x}|{cwd} {full? x}");
	def_fini(&def);
}

static void resumed_runs(void **state)
{
	struct msg_agent def = def_new();
	struct adapter_call call = {.session = "s-1"};

	(void)state;
	LIST(&def.argv, "x", "{resume? --resume={session}}", "{!resume? --session-id {session}}");
	LIST(&def.wrap, "bwrap", "{full? --share}", "--");
	expect_argv(&def, &call, "bwrap|--|x|--session-id|s-1");
	call.resume = true;
	expect_argv(&def, &call, "bwrap|--|x|--resume=s-1");
	LIST(&def.resume, "x", "resume", "{session}");
	expect_argv(&def, &call, "bwrap|--|x|resume|s-1");
	def_fini(&def);
}

static void variables(void **state)
{
	struct msg_agent def = def_new();
	AUTO_STRV struct strv env = {0};

	(void)state;
	LIST(&def.env, "A=1", "B={cwd}", "{model? M={model}}", "{full? F=1 G=2}", "E=", "J={\"a\": 1}");
	def.full = true;
	struct adapter *a = made(&def);
	strv_add(&env, "A=0");
	strv_add(&env, "Z=9");
	adapter_env(a, &(struct adapter_call){.cwd = "/w"}, &env);
	expect_words(&env, "Z=9|A=1|B=/w|F=1|G=2|E=|J={\"a\": 1}");
	adapter_free(a);
	def_fini(&def);
}

static void who_gives_the_conversation_its_id(void **state)
{
	struct msg_agent def = def_new();
	static const char *const texts[] = {"preset", "none", "json a=b .c"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		mem_set(&def.session, texts[i]);
		struct adapter *a = made(&def);
		assert_int_equal(adapter_presets(a), i == 0);
		adapter_free(a);
	}
	def_fini(&def);
}

/* ---- faults ---- */

static struct strv *list_of(struct msg_agent *def, const char *key)
{
	const struct rec *r = msg_rec(MSG_AGENT);

	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->fields[i].name, key) == 0 && r->fields[i].type == REC_list)
			return (struct strv *)((char *)def + r->fields[i].offset);
	return NULL;
}

static void refused(const char *key, const char *text, const char *why)
{
	struct msg_agent def = def_new();
	struct strv *list = list_of(&def, key);
	struct adapter *a;
	struct err e = {0};

	if (list) {
		if (list->n == 2)
			strv_fini(list);
		strv_add(list, text);
	} else if (strcmp(key, "session") == 0) {
		def.session = mem_strdup(text);
	} else {
		def.prompt = mem_strdup(text);
	}
	if (adapter_new(&a, &def, &e) == 0)
		fail_msg("%s: %s is accepted", key, text);
	assert_null(a);
	assert_int_equal(e.kind, ERR_USAGE);
	AUTO_FREE char *begin = mem_printf("agent \"mine\": %s", key);
	if (!str_starts(e.text, begin) || !strstr(e.text, why))
		fail_msg("%s: %s: it says: %s", key, text, e.text);
	def_fini(&def);
}

static void faults_are_named(void **state)
{
	(void)state;
	refused("argv", "{cwdd}", "item 1: {cwdd} is not known");
	refused("argv", "{cwd? {nope}}", "{nope} is not known");
	refused("argv", "a{cwd? b}", "a word of its own");
	refused("argv", "{full}", "a condition only");
	refused("argv", "{cwd? b", "\"}\" is missing");
	refused("wrap", "{bad}", "{bad} is not known");
	refused("probe", "{bad}", "{bad} is not known");
	refused("resume", "{bad}", "{bad} is not known");
	refused("env", "NAME", "not NAME=VALUE");
	refused("env", "=x", "not NAME=VALUE");
	refused("env", "{model? x}", "not NAME=VALUE");
	refused("prompt", "pipe", "\"pipe\" is not file, arg or none");
	refused("prompt", "arg", "needs a {prompt}");
	refused("session", "json a=b", ".path of the value is missing");
	refused("session", "uuid", "\"uuid\" is not known here");
	refused("session", "exit 0", "\"exit\" is not known here");
	refused("ok", "exit x", "not a number");
	refused("ok", "exit 256", "not a number from 0 to 255");
	refused("ok", "exit", "a number is missing");
	refused("ok", "exit 0 1", "\"1\" is too much");
	refused("ok", "jsn a=b", "\"jsn\" is not known here");
	refused("ok", "json a", "\"a\" is not KEY=VALUE");
	refused("ok", "json a=b,c", "\"c\" is not KEY=VALUE");
	refused("ok", "json a=b ~ x", "needs the .path");
	refused("ok", "json a=b .c ~ (x", "at byte 2");
	refused("ok", "json a=b .c ~", "is missing after \"~\"");
	refused("ok", "json a=b .c =", "a value is missing");
	refused("ok", "json a=b .", "is not a path");
	refused("ok", "stdout x", "\"~\"");
	refused("ok", "file x", "not known here");
	refused("ok", "count json a=b > 3", "not known here");
	refused("ok", "exit 0 & ", "\"\" is not known here");
	refused("ok", "text ~ x", "not known here");
	refused("final", "stdout", "it must be \"stdout last\" or \"stdout tail\"");
	refused("final", "file", "a path is missing");
	refused("final", "file {nope}", "{nope} is not known");
	refused("final", "json a=b .c biggest", "\"biggest\" is too much");
	refused("final", "json a=b .c concat since", "is not KEY=VALUE");
	refused("usage", "tokens: json a=b .c", "it must begin with one of input:, cached:, output:, cost:");
	refused("usage", "input: json a=b .c first", "\"first\" is too much");
	refused("fail", "limits: exit 1", "it must begin with one of ");
	refused("fail", "exit 1", "it must begin with one of ");
	refused("fail", "limit: text ~ x", "needs a json, stdout or stderr before it");
	refused("fail", "limit: !stderr ~ a & text ~ x", "needs a json, stdout or stderr before it");
	refused("fail", "limit: stderr ~ a & text ~ [", "at byte 1");
	refused("reset", "at: text ~ (x)", "it must begin with one of epoch:, clock:, duration:");
	refused("reset", "clock: text ~ x", "needs one group");
	refused("reset", "clock: text ~ (x)(y)", "needs one group");
	refused("reset", "epoch: json a=b", ".path of the value is missing");
	refused("reset", "epoch: file /x/{nope} .c", "{nope} is not known");
	refused("kill_if", "limit: exit 1", "not known here");
	refused("kill_if", "limit: stderr ~ x > 5", "needs one group");
	refused("kill_if", "limit: stderr ~ (x) > 99999999999999999999", "too large");
	refused("kill_if", "limit: count json a=b", "count json KEY=VALUE > N");
	refused("kill_if", "limit: count json a=b > x", "\"x\" is not a number");
	refused("kill_if", "limit: count json a=b > 1 without", "is not KEY=VALUE");
}

static void what_must_be_there(void **state)
{
	struct msg_agent def = {.name = NULL};
	struct adapter *a;
	struct err e = {0};

	(void)state;
	assert_int_equal(adapter_new(&a, &def, &e), -1);
	assert_non_null(strstr(e.text, "argv: "));
	LIST(&def.argv, "x");
	assert_int_equal(adapter_new(&a, &def, &e), -1);
	assert_non_null(strstr(e.text, "ok: "));
	adapter_free(NULL);
	def_fini(&def);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_with_holes),
		cmocka_unit_test(resumed_runs),
		cmocka_unit_test(variables),
		cmocka_unit_test(who_gives_the_conversation_its_id),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(what_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
