/* live: one tiny call of an agent. */
#include "live.h"

#include "agent.h"
#include "exec.h"
#include "secret.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/seal.h"

/* Minutes of a program's own retries say nothing that the first of them does not. */
enum { LIMIT_MS = 3 * 60 * 1000 };

static const char question[] = "This is a check that you can be reached. Answer with the single word: ready\n"
                               "Run no command, change no file.\n";

/* Files of the call; the caller frees. */
static int write_question(const struct slot *s, const char *agent, const char *dir, struct adapter_call *call, struct err *e)
{
	AUTO_FREE char *prompt = mem_printf("%s/live-%s.md", dir, agent), *last = mem_printf("%s/last-%s.txt", s->tmp_dir, agent),
	               *result = mem_printf("%s/live-%s.json", s->tmp_dir, agent);

	if (fs_write(prompt, question, sizeof question - 1, false, e) != 0 || fs_write(last, "", 0, false, e) != 0)
		return -1;
	call->prompt_file = mem_steal(&prompt);
	call->last_file = mem_steal(&last);
	call->result_file = mem_steal(&result);
	return 0;
}

/* What the end came to, in the words of a result. */
static const char *judge(const struct slot *s, const struct agent_call *c, const struct job_result *end,
                         const struct adapter_outcome *o, struct str *why)
{
	AUTO_STR struct str span = {0};

	if (end->end == JOB_TIMEOUT || end->end == JOB_SILENT) {
		clock_add_duration(&span, LIMIT_MS);
		str_addf(why, "no answer within %s", span.p);
		return "timeout";
	}
	if (end->end == JOB_STOPPED && (s->stop || s->shutdown || !c->hopeless)) {
		str_add(why, "stopped on request");
		return "stopped";
	}
	return agent_meaning(why, end, o);
}

static const char *try(struct slot *s, struct agent_call *c, const char *dir, struct msg_tried *out, struct str *why)
{
	const struct msg_agent *def = c->def;
	AUTO_FREE char *log = mem_printf("%s/live-%s.log", dir, def->name);
	struct adapter_outcome o = {0};
	struct job_result end = {0};
	struct err e = {0};
	char id[SEAL_UUID];

	if (adapter_new(&c->adapter, def, &e) != 0 || write_question(s, def->name, dir, &c->call, &e) != 0) {
		str_add(why, e.text);
		return err_no_room(e.kind) ? "no-room" : "config";
	}
	if (adapter_presets(c->adapter)) {
		seal_uuid(id);
		c->call.session = id;
	}
	c->call.prompt = str_eq(def->prompt, "arg") ? question : NULL;
	c->log = log;
	int rc = agent_call(s, c, &end, &o, &e);
	const char *outcome = rc == 0 ? judge(s, c, &end, &o, why) : err_no_room(e.kind) ? "no-room" : s->stop ? "stopped" : "config";
	if (rc != 0)
		str_add(why, e.text);
	out->until_ms = o.until_ms;
	out->input = o.input;
	out->cached = o.cached;
	out->output = o.output;
	out->cost_micro = o.cost_micro;
	out->priced = o.priced;
	out->ms = end.ms;
	adapter_outcome_fini(&o);
	return outcome;
}

void live_call(struct slot *s, const char *agent, const char *model, const char *dir, const struct strv *env)
{
	const struct msg_agent *def = agent_find(s, agent);
	struct msg m = {.kind = MSG_TRIED};
	struct msg_tried *out = &m.u.tried;
	AUTO_STR struct str why = {0};
	AUTO_STRV struct strv vars = {0};
	struct err ignored = {0};

	if (!def)
		return; /* the supervisor names only those that it has sent */
	strv_copy(&vars, env);
	exec_env_set(&vars, "BOSK_TASK", "live"); /* as inside a task, bosk run is refused */
	struct agent_call c = {.def = def, .env = &vars, .timeout_ms = LIMIT_MS, .call = {.model = model ? model : def->model}};
	slot_progress(s, "agent", agent, "");
	const char *outcome = try(s, &c, dir, out, &why);
	secret_hide(&why);
	msg_clip_text(why.p, 2000);
	out->agent = (char *)agent;
	out->outcome = (char *)outcome;
	out->reason = why.p;
	out->account = (char *)adapter_account(def);
	if (!s->shutdown)
		chan_send(s->chan, &m, &ignored);
	adapter_free(c.adapter);
	free((char *)c.call.prompt_file);
	free((char *)c.call.last_file);
	free((char *)c.call.result_file);
}
