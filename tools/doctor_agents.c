/* doctor_agents: a line for each agent that is here, and for each that should be. */
#include "doctor_agents.h"

#include "store/base/mem.h"
#include "supervisor/agents.h"
#include "supervisor/agents_show.h"
#include "supervisor/config_agents.h"

typedef void say_fn(const char *mark, const char *text);

static void say_rest(const struct msg_agent *def, say_fn *say)
{
	AUTO_STR struct str command = {0};

	agents_show_command(def, false, NULL, true, &command);
	AUTO_FREE char *first = mem_printf("  command %s", command.p);
	AUTO_FREE char *second = mem_printf("  rights  %s%s", agents_show_rights(def, false), def->full ? " (autonomy: full)" : "");
	say("", first);
	say("", second);
}

static void look(const struct config *cfg, const struct msg_agent *def, bool own, say_fn *say)
{
	AUTO_FREE char *missing = agents_missing(def);
	AUTO_STR struct str said = {0};
	bool wanted = str_eq(cfg->agent, def->name);

	if (missing) {
		if (own || wanted) /* of the others most are nowhere */
			say(wanted ? "FAIL" : "note", missing);
		return;
	}
	if (agents_wants_command(def)) {
		AUTO_FREE char *line = mem_printf("agent %s: the command that --executor gives", def->name);
		say("ok", line);
	} else if (!def->probe.n || def->wrap.n) {
		AUTO_FREE char *line = mem_printf("agent %s: not probed, as it has %s", def->name, def->wrap.n ? "a wrap" : "no probe");
		say("ok", line);
	} else {
		bool good = agents_show_probe(def, &said);
		AUTO_FREE char *line = mem_printf("agent %s: %s%s", def->name, good ? "" : "it does not answer: ", str_text(&said));
		say(good ? "ok" : wanted ? "FAIL" : "note", line);
	}
	say_rest(def, say);
}

void doctor_agents(const struct config *cfg, say_fn *say)
{
	AUTO_STRV struct strv names = {0}, own = {0};

	config_agents_get_own(cfg, &own);
	config_agents_get_names(cfg, &names);
	for (size_t i = 0; i < names.n; i++)
		look(cfg, config_agents_get(cfg, names.v[i]), strv_has(&own, names.v[i]), say);
}
