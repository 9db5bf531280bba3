/* agents: the built-in names and their limits. */
#include "agents.h"

#include "store/base/mem.h"

enum { HOUR_MS = 3600 * 1000 };

/* The original gives Codex two hours and Gemini one for a whole solution; its own sub-agent has no limit there. */
const char *const agents_names[] = {"codex", "gemini", "agent"};
static const uint64_t limits[] = {2 * HOUR_MS, HOUR_MS, HOUR_MS};
const size_t agents_count = MEM_COUNT(agents_names);
_Static_assert(MEM_COUNT(limits) == MEM_COUNT(agents_names), "each has a limit");

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < agents_count && !str_eq(agents_names[i], name))
		i++;
	return i;
}

bool agents_known(const char *name)
{
	return find(name) < agents_count;
}

const char *agents_of(const struct task_def *d, const char *given)
{
	if (d->run)
		return NULL;
	return d->agent ? d->agent : given && *given ? given : NULL;
}

uint64_t agents_limit(const struct task_def *d, const char *given, const struct config *cfg)
{
	size_t agent = find(agents_of(d, given));

	if (d->timeout_ms)
		return d->timeout_ms;
	return agent < agents_count && !config_given(cfg, "timeout") ? limits[agent] : cfg->timeout_ms;
}
