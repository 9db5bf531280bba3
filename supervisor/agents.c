/* agents: names, and what follows from them. */
#include "agents.h"

#include <string.h>

#include "config_agents.h"
#include "program.h"
#include "store/base/mem.h"

/* The seed's word for its own sub-agent (formats.md S2.10). */
static const char whichever[] = "agent";

void agents_names(const struct config *cfg, struct strv *out)
{
	config_agents_get_names(cfg, out);
	strv_add(out, whichever);
	strv_sort(out);
}

char *agents_fault(const struct config *cfg, const char *name)
{
	AUTO_STRV struct strv names = {0};
	AUTO_STR struct str list = {0};

	agents_names(cfg, &names);
	if (strv_has(&names, name))
		return NULL;
	const char *near = str_nearest(name, (const char *const *)names.v, names.n);
	if (near)
		return mem_printf("there is no agent %.64s; did you mean \"%s\"?", name, near);
	for (size_t i = 0; i < names.n; i++)
		str_addf(&list, "%s%s", i ? ", " : "", names.v[i]);
	return mem_printf("there is no agent %.64s: there are %s, and what `agents` in the configuration says", name, list.p);
}

const char *agents_of(const struct task_def *d, const char *given)
{
	if (d->run)
		return NULL;
	return d->agent ? d->agent : d->model_agent ? d->model_agent : given && *given ? given : NULL;
}

const struct msg_agent *agents_def(const struct config *cfg, const char *name, const char *given)
{
	if (str_eq(name, whichever))
		name = given && *given && !str_eq(given, whichever) ? given : "claude";
	return name ? config_agents_get(cfg, name) : NULL;
}

bool agents_wants_command(const struct msg_agent *def)
{
	for (size_t i = 0; i < def->argv.n; i++)
		if (strstr(def->argv.v[i], "{command}"))
			return true;
	return false;
}

char *agents_missing(const struct msg_agent *def)
{
	bool wrapped = def->wrap.n > 0; /* then the agent may be where only that knows it */
	const char *program = wrapped ? def->wrap.v[0] : def->argv.v[0];
	bool relative = *program != '/' && strchr(program, '/'), hole = strchr(program, '{') != NULL;

	for (size_t i = 0; i < def->env.n; i++)
		if (str_starts(def->env.v[i], "PATH="))
			return NULL;
	AUTO_FREE char *path = relative || hole ? mem_strdup("") : program_find(program);
	if (path)
		return NULL;
	return mem_printf("agent %s cannot be started: its %s %.200s is %s. Install it, or name another agent with --agent", def->name,
	                  wrapped ? "wrap" : "program", program, *program == '/' ? "not there" : "not on the PATH");
}

void agents_used(const struct config *cfg, const struct plan *plan, const char *given, struct strv *out)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct task_def *d = &plan->tasks[i];
		const struct msg_agent *def = d->routed || d->missing ? NULL : agents_def(cfg, agents_of(d, given), given);
		for (; def && !strv_has(out, def->name); def = def->fallback ? config_agents_get(cfg, def->fallback) : NULL)
			strv_add(out, def->name);
	}
}

const char *agents_model(const struct task_def *d, const struct msg_agent *def)
{
	const char *own = d->model_agent || d->model_name ? d->model_name : d->model;
	return own ? own : def->model;
}

/* What is said more closely counts: of this agent before of all, by the user before built in; but what is said for this one
 * call comes first. */
static uint64_t limit_of(const struct msg_agent *def, const char *key, uint64_t own, uint64_t all, const struct config *cfg)
{
	if (config_given_here(cfg, key))
		return all;
	if (def && config_agents_says(cfg, def->name, key))
		return own;
	return config_given(cfg, key) || !own ? all : own;
}

uint64_t agents_limit(const struct task_def *d, const struct msg_agent *def, const struct config *cfg)
{
	return d->timeout_ms ? d->timeout_ms : limit_of(def, "timeout", def ? def->timeout_ms : 0, cfg->timeout_ms, cfg);
}

uint64_t agents_silence(const struct msg_agent *def, const struct config *cfg)
{
	return limit_of(def, "silence", def ? def->silence_ms : 0, cfg->silence_ms, cfg);
}
