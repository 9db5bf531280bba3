/* task_state: names of states, both ways. */
#include "task_state.h"

#include <stddef.h>
#include <string.h>

static const char *const stored_names[] = {
#define STORED(name, stored, shown) [TASK_##name] = stored,
	TASK_STATES(STORED)
#undef STORED
};

static const char *const shown_names[] = {
#define SHOWN(name, stored, shown) [TASK_##name] = shown,
	TASK_STATES(SHOWN)
#undef SHOWN
};

const char *task_state_name(enum task_state s)
{
	return (size_t)s < TASK_STATE_COUNT ? stored_names[s] : "?";
}

const char *task_state_shown(enum task_state s)
{
	return (size_t)s < TASK_STATE_COUNT ? shown_names[s] : "?";
}

bool task_state_parse(const char *stored, enum task_state *out)
{
	for (size_t i = 0; i < TASK_STATE_COUNT; i++) {
		if (strcmp(stored, stored_names[i]) == 0) {
			*out = (enum task_state)i;
			return true;
		}
	}
	return false;
}

bool task_state_good(enum task_state s)
{
	return s == TASK_INTEGRATED || s == TASK_LANDED || s == TASK_ALREADY;
}

bool task_state_fine(enum task_state s)
{
	return task_state_good(s) || s == TASK_ROUTED || s == TASK_REVERTED;
}

bool task_state_ended(enum task_state s)
{
	return s >= TASK_INTEGRATED && s < TASK_STATE_COUNT;
}
