/* adapter_run: for the tests of what adapters make of a program's streams: a definition of some rules, a run of it. */
#ifndef BOSK_TEST_ADAPTER_RUN_H
#define BOSK_TEST_ADAPTER_RUN_H

#include "store/base/fs.h"
#include "test.h"
#include "worker/adapter.h"

/* Friday 2026-11-20 22:57:09 UTC */
#define NOW UINT64_C(1795215429000)

struct run {
	struct msg_agent def;
	struct adapter *a;
	struct adapter_call call;
	struct adapter_run *r;
	struct adapter_outcome o;
};

static char *no_env[] = {"TZ=UTC", NULL};

/* "key: text" each; keys: session, final, ok, usage, fail, reset, kill_if. */
static inline void begin(struct run *t, const char *const rules[])
{
	struct err e = {0};

	t->def = (struct msg_agent){.name = mem_strdup("mine")};
	strv_add(&t->def.argv, "mine");
	for (size_t i = 0; rules[i]; i++) {
		static const char *const keys[] = {"final", "ok", "usage", "fail", "reset", "kill_if"};
		struct strv *const lists[] = {&t->def.final, &t->def.ok, &t->def.usage, &t->def.fail, &t->def.reset, &t->def.kill_if};
		const char *text = strchr(rules[i], ':') + 2;
		if (str_starts(rules[i], "session: "))
			t->def.session = mem_strdup(text);
		for (size_t k = 0; k < MEM_COUNT(keys); k++)
			if (str_starts(rules[i], keys[k]) && rules[i][strlen(keys[k])] == ':')
				strv_add(lists[k], text);
	}
	if (!t->def.ok.n)
		strv_add(&t->def.ok, "exit 0");
	assert_ok(adapter_new(&t->a, &t->def, &e), &e);
	if (!t->call.env)
		t->call.env = no_env;
	t->r = adapter_run_new(t->a, &t->call);
}
#define BEGIN(t, ...) begin((t), (const char *const[]){__VA_ARGS__, NULL})

static inline void feed(struct run *t, int which, const char *text)
{
	adapter_feed(t->r, which, text, strlen(text), NOW);
}

static inline void end(struct run *t, enum job_end how, int status)
{
	struct job_result result = {.end = how, .status = status};

	adapter_end(t->r, &result, NOW, &t->o);
}

static inline void fini(struct run *t)
{
	adapter_outcome_fini(&t->o);
	adapter_run_free(t->r);
	adapter_free(t->a);
	rec_fini(msg_rec(MSG_AGENT), &t->def);
	*t = (struct run){0};
}

#endif
