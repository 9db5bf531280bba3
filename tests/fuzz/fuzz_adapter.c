/* fuzz_adapter: rules, one a line ("fail limit: exit 1"), up to the first form feed, then a program's output: stdout, and after
 * each vertical tab the other stream. However it is cut, it comes to the same, and times lie where times may lie. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "store/base/mem.h"
#include "store/json_line.h"
#include "worker/adapter.h"

#define NOW UINT64_C(1795215429000)

static void add_rule(struct msg_agent *def, const char *line, size_t n)
{
	static const char *const keys[] = {"argv ", "env ", "final ", "ok ", "usage ", "fail ", "reset ", "kill_if "};
	struct strv *const lists[] = {&def->argv, &def->env, &def->final, &def->ok, &def->usage, &def->fail, &def->reset, &def->kill_if};
	AUTO_FREE char *text = mem_strndup(line, n);

	if (str_starts(text, "session ") && !def->session)
		def->session = mem_strdup(text + 8);
	for (size_t i = 0; i < MEM_COUNT(keys); i++)
		if (str_starts(text, keys[i]) && lists[i]->n < 8)
			strv_add(lists[i], text + strlen(keys[i]));
}

static void feed_all(struct adapter_run *r, const char *p, size_t n, size_t step)
{
	int which = 1;

	for (size_t at = 0; at < n;) {
		const char *tab = memchr(p + at, '\v', n - at);
		size_t end = tab ? (size_t)(tab - p) : n;
		for (; at < end; at += step < end - at ? step : end - at) {
			adapter_feed(r, which, p + at, step < end - at ? step : end - at, NOW);
			const char *line = adapter_line(r);
			assert(!line || (str_utf8(line, strlen(line)) && !strchr(line, '\n')));
		}
		at = end + (tab != NULL);
		which = 3 - which;
	}
}

static void run(const struct adapter *a, const char *p, size_t n, size_t step, struct adapter_outcome *o)
{
	static char *env[] = {"TZ=EST5EDT,M3.2.0,M11.1.0", "HOME=/nowhere", NULL};
	const struct adapter_call call = {.cwd = "/w", .session = "c-1", .resume = n % 2, .last_file = "/nowhere/x", .env = env};
	struct job_result result = {.end = n % 3 ? JOB_EXITED : JOB_SIGNALED, .status = (int)(n % 4)};
	struct adapter_run *r = adapter_run_new(a, &call);

	feed_all(r, p, n, step);
	adapter_end(r, &result, NOW, o);
	assert(o->until_ms == 0 || (o->until_ms >= NOW + 30 * 1000 && o->until_ms <= NOW + UINT64_C(8) * 24 * 3600 * 1000));
	assert(!o->said || str_utf8(o->said, strlen(o->said)));
	adapter_run_free(r);
}

static void check_streams(const struct adapter *a, const char *p, size_t n)
{
	struct adapter_outcome whole, cut;
	AUTO_STRV struct strv argv = {0};

	adapter_argv(a, &(struct adapter_call){.cwd = "/w", .model = "m"}, &argv);
	run(a, p, n, n + 1, &whole);
	run(a, p, n, 1 + n % 5, &cut);
	assert(whole.class == cut.class && whole.until_ms == cut.until_ms && str_eq(whole.said, cut.said) && str_eq(whole.final, cut.final) &&
	       str_eq(whole.session, cut.session) && whole.input == cut.input && whole.cost_micro == cut.cost_micro);
	adapter_outcome_fini(&whole);
	adapter_outcome_fini(&cut);
}

static void check_time(const char *p, size_t n)
{
	AUTO_FREE char *text = mem_strndup(p, n < 100 ? n : 100);

	for (int kind = ADAPTER_EPOCH; kind <= ADAPTER_DURATION; kind++) {
		uint64_t t = adapter_time((enum adapter_time)kind, text, "CET-1CEST,M3.5.0,M10.5.0/3", NOW);
		assert(t == 0 || (t >= NOW + 30 * 1000 && t <= NOW + UINT64_C(8) * 24 * 3600 * 1000));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *p = (const char *)bytes, *feed = n ? memchr(p, '\f', n) : NULL;
	size_t rules = feed ? (size_t)(feed - p) : 0;
	struct msg_agent def = {.name = mem_strdup("x")};
	struct adapter *a;
	struct err e = {0};

	for (size_t at = 0; at < rules;) {
		const char *end = memchr(p + at, '\n', rules - at);
		size_t len = end ? (size_t)(end - p) - at : rules - at;
		add_rule(&def, p + at, len);
		at += len + 1;
	}
	if (!def.argv.n)
		strv_add(&def.argv, "x");
	if (!def.ok.n)
		strv_add(&def.ok, "exit 0");
	if (adapter_new(&a, &def, &e) == 0) {
		if (feed)
			check_streams(a, feed + 1, n - rules - 1);
	} else {
		assert(!a && e.kind == ERR_USAGE && str_starts(e.text, "agent \"x\": "));
	}
	check_time(p, n);
	adapter_free(a);
	rec_fini(msg_rec(MSG_AGENT), &def);
	return 0;
}
