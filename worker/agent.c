/* agent: running an agent's program. */
#include "agent.h"

#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "said.h"
#include "exec.h"
#include "prompt.h"
#include "secret.h"
#include "solution.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/seal.h"

enum { SAID_MAX = 300, PROMPT_WORD_MAX = 120 << 10 }; /* of an argument: 128 KiB with its name (agents.md 2) */

struct ears { /* who listens to its streams */
	struct attempt *r; /* NULL = nobody asks for its conversation */
	struct adapter_run *run;
	bool told; /* the conversation's id was sent */
};

const struct msg_agent *agent_find(const struct slot *s, const char *name)
{
	for (size_t i = 0; i < s->n_agents; i++)
		if (str_eq(s->agents[i].name, name))
			return &s->agents[i];
	return NULL;
}

/* Its conversation is on disk as soon as a line has told it: a crash after that goes on with it. */
static void tell_conversation(struct ears *ears)
{
	struct attempt *r = ears->r;
	const char *id = adapter_session(ears->run);
	struct msg m = {.kind = MSG_CONVERSATION};
	struct err ignored = {0};

	if (ears->told || !id || !r)
		return;
	ears->told = true;
	mem_set(&r->conversation, id);
	m.u.conversation = (struct msg_conversation){.task = r->t->id, .attempt = r->attempt, .conversation = (char *)id};
	chan_send(r->s->chan, &m, &ignored);
}

static bool heard(void *ctx, int which, const char *bytes, size_t n)
{
	struct ears *ears = ctx;

	adapter_feed(ears->run, which, bytes, n, clock_wall_ms());
	tell_conversation(ears);
	return adapter_hopeless(ears->run);
}

static const char *line(void *ctx)
{
	return adapter_line(((struct ears *)ctx)->run);
}

int agent_call(struct slot *s, struct agent_call *c, struct job_result *end, struct adapter_outcome *o, struct err *e)
{
	const struct msg_agent *def = c->def;
	struct adapter_call *call = &c->call;
	AUTO_STRV struct strv env = {0}, argv = {0};

	strv_copy(&env, c->env);
	call->cwd = s->init.worktree;
	call->tmp = s->tmp_dir;
	call->env = env.v;
	adapter_env(c->adapter, call, &env);
	call->env = env.v;
	adapter_argv(c->adapter, call, &argv);

	struct ears ears = {.r = c->of, .run = adapter_run_new(c->adapter, call), .told = call->session != NULL};
	struct slot_run run = {.argv = argv.v, .env = env.v, .stdin_path = str_eq(def->prompt, "file") ? call->prompt_file : NULL,
	                       .log_path = c->log, .timeout_ms = c->timeout_ms, .silence_ms = c->silence_ms, .grace_ms = def->grace_ms,
	                       .heard = heard, .line = line, .ctx = &ears};
	int rc = slot_shell(s, &run, end, e);
	if (c->of)
		attempt_clean_result(c->of);
	adapter_end(ears.run, end, clock_wall_ms(), o);
	unlink(call->last_file); /* o->final has it */
	c->hopeless = adapter_hopeless(ears.run);
	tell_conversation(&ears);
	adapter_run_free(ears.run);
	if (rc != 0 && end->end == JOB_UNRUN && !err_no_room(e->kind))
		err_wrap(e, "%s cannot be run", argv.v[0]);
	return rc;
}

static void tell_spent(struct attempt *r, const struct msg_agent *def, const struct adapter_outcome *o, uint64_t ms)
{
	struct msg m = {.kind = MSG_SPENT};
	struct err ignored = {0};

	m.u.spent = (struct msg_spent){
		.task = r->t->id, .attempt = r->attempt, .agent = def->name, .model = r->t->model,
		.input = o->input, .cached = o->cached, .output = o->output, .counted = o->counted,
		.cost_micro = o->cost_micro, .priced = o->priced, .ms = ms, .whole = o->whole, .conversation = r->conversation};
	chan_send(r->s->chan, &m, &ignored);
}

/* What it says of its failure, on one line and short. */
static void add_words(struct str *out, const struct adapter_outcome *o)
{
	if (!o->said)
		return;
	str_add(out, ": ");
	str_add_printable(out, o->said, strnlen(o->said, SAID_MAX), false);
}

const char *agent_meaning(struct str *why, const struct job_result *end, const struct adapter_outcome *o)
{
	static const struct {
		const char *outcome, *what;
	} classes[] = {[ADAPTER_OK] = {"ok", ""},
	               [ADAPTER_LIMIT] = {"limited", "usage limit"},
	               [ADAPTER_AUTH] = {"auth", "not logged in, or the key is not accepted"},
	               [ADAPTER_TRANSIENT] = {"transient", "the service did not answer as it should"},
	               [ADAPTER_CONFIG] = {"config", "it cannot work as it is configured"},
	               [ADAPTER_UNKNOWN_SESSION] = {"failed", "it does not know the conversation any more"},
	               [ADAPTER_FAILED] = {"failed", NULL}};

	if (o->class == ADAPTER_CONFIG && end->end == JOB_EXITED && (end->status == 126 || end->status == 127))
		str_addf(why, "its program, or something which that needs, cannot be run (exit %d)", end->status);
	else if (classes[o->class].what)
		str_add(why, classes[o->class].what);
	else
		str_addf(why, end->end == JOB_SIGNALED ? "died of signal %d" : "exit %d", end->status);
	add_words(why, o);
	if (o->class == ADAPTER_FAILED && end->end == JOB_EXITED && !end->status && !o->said)
		str_add(why, ", without saying that it is done");
	return classes[o->class].outcome;
}

/* An end that was not bosk's doing. */
static enum step judge(struct attempt *r, const struct msg_agent *def, const struct job_result *end, const struct adapter_outcome *o,
                       bool *unknown)
{
	AUTO_STR struct str why = {0};
	const char *outcome = agent_meaning(&why, end, o);

	if (o->class == ADAPTER_OK)
		return GO_ON;
	if (o->class == ADAPTER_LIMIT || o->class == ADAPTER_AUTH || o->class == ADAPTER_TRANSIENT) {
		mem_set(&r->account, adapter_account(def));
		r->until_ms = o->until_ms;
	}
	if (o->class == ADAPTER_UNKNOWN_SESSION)
		*unknown = r->goes_on;
	return attempt_over(r, outcome, "%s", why.p);
}

/* One run. *unknown: it had forgotten the conversation and called no model. */
static enum step run_once(struct attempt *r, const struct msg_agent *def, struct adapter *a, const char *ask, bool *unknown)
{
	AUTO_FREE char *prompt_path = NULL, *result_path = NULL, *schema_path = NULL, *last_path = NULL;
	AUTO_STR struct str prompt = {0}, span = {0};
	struct adapter_outcome o = {0};
	struct job_result end;
	struct err e = {0};
	const char *schema = said_schema(r->t);

	if (!r->goes_on && adapter_presets(a)) {
		char id[SEAL_UUID];
		seal_uuid(id);
		mem_set(&r->conversation, id);
	} else if (!r->goes_on) {
		mem_set(&r->conversation, NULL);
	}
	enum step step = attempt_begin(r, ask);
	if (step != GO_ON)
		return step;
	prompt_path = mem_printf("%s/prompt.md", r->dir);
	result_path = mem_printf("%s/result.json", r->dir);
	schema_path = mem_printf("%s/schema.json", r->dir);
	/* Its last words as it writes them may hold secrets: not among the logs, where a kill would leave them. */
	last_path = mem_printf("%s/last-%llu.txt", r->s->tmp_dir, (unsigned long long)r->attempt);
	if (fs_write(last_path, "", 0, false, &e) != 0 || (schema && fs_write(schema_path, schema, strlen(schema), false, &e) != 0))
		return attempt_broken(r, &e);
	bool word = str_eq(def->prompt, "arg");
	if (word && fs_read(prompt_path, PROMPT_WORD_MAX, &prompt, &e) != 0)
		return attempt_over(r, "config", "its prompt is too long for an argument of %s: %s", def->name, e.text);
	uint64_t timeout = r->t->timeout_ms, silence = r->t->silence_ms;
	struct agent_call c = {
		.def = def, .adapter = a, .of = r, .env = &r->env, .log = r->log, .timeout_ms = timeout, .silence_ms = silence,
		.call = {.model = r->t->model ? r->t->model : def->model, .session = r->conversation, .schema = schema,
		         .schema_file = schema ? schema_path : NULL, .last_file = last_path, .prompt = word ? str_text(&prompt) : NULL,
		         .prompt_file = prompt_path, .result_file = result_path, .command = r->t->run, .resume = r->goes_on}};
	int rc = agent_call(r->s, &c, &end, &o, &e);
	bool hopeless = c.hopeless;
	tell_spent(r, def, &o, end.ms);
	str_clear(&r->text);
	str_add(&r->text, o.final ? o.final : "");
	secret_hide(&r->text);
	if (rc != 0) {
		step = end.end == JOB_UNRUN && !err_no_room(e.kind) ? attempt_over(r, "config", "%s", e.text) : attempt_broken(r, &e);
	} else if (end.end == JOB_TIMEOUT || end.end == JOB_SILENT) {
		/* Killed is killed, whatever it printed (agents.md 5). */
		bool silent = end.end == JOB_SILENT;
		clock_add_duration(&span, silent ? silence : timeout);
		step = attempt_over(r, "timeout", "timeout: no %s %s", silent ? "output for" : "end after", span.p);
	} else if (end.end == JOB_STOPPED && (r->s->stop || r->s->shutdown || !hopeless)) {
		step = attempt_over(r, "stopped", "stopped on request");
	} else {
		step = judge(r, def, &end, &o, unknown);
	}
	adapter_outcome_fini(&o);
	return step;
}

/* Its result, once more asked for in the same conversation when it is not usable (agents.md 3). */
static enum step take_result(struct attempt *r, const struct msg_agent *def, struct adapter *a)
{
	static const char again[] =
		"Your result cannot be used: %s.\n\nThe work itself stays as it is. Write the JSON object now, as the last thing you say "
		"and nothing behind it, in the form that the task asks for.\n";
	struct err e = {0};
	bool unknown = false;

	if (said_check(r, &r->text, &e) == 0)
		return GO_ON;
	/* One that has no conversation cannot be asked: then its words count for nothing, and what it did for itself. */
	if (str_eq(def->session, "none"))
		return GO_ON;
	if (r->conversation) {
		AUTO_FREE char *ask = mem_printf(again, e.text);
		r->goes_on = true;
		err_clear(&e);
		enum step step = run_once(r, def, a, ask, &unknown);
		if (step != GO_ON || said_check(r, &r->text, &e) == 0)
			return step;
	}
	AUTO_FREE char *path = mem_printf("%s/result.txt", r->dir);
	struct err ignored = {0};
	fs_write(path, str_text(&r->text), r->text.len, false, &ignored);
	return attempt_over(r, "invalid", "invalid result: %s (what it said is in %s)", e.text, path);
}

enum step agent_run(struct attempt *r)
{
	const struct msg_agent *def = agent_find(r->s, r->t->agent);
	struct adapter *a = NULL;
	struct err e = {0};
	bool unknown = false;

	if (!def)
		return attempt_over(r, "config", "there is no agent %s", r->t->agent);
	if (adapter_new(&a, def, &e) != 0)
		return attempt_over(r, "config", "agent %s: %s", def->name, e.text);
	enum step step = run_once(r, def, a, NULL, &unknown);
	if (unknown) {
		strv_addf(&r->s->notes, "%s did not know its conversation any more: it began a new one", def->name);
		r->goes_on = false;
		step = run_once(r, def, a, NULL, &unknown);
	}
	if (step == GO_ON)
		step = take_result(r, def, a);
	adapter_free(a);
	/* What a gate or a merge says next goes to the same conversation. */
	r->goes_on = r->conversation != NULL;
	return step;
}
