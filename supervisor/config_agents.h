/* config_agents: agents as data (worker/msg.def, MSG_AGENT): the built-in ones and those of `agents`, with what they take
 * from each other. Nothing is read before somebody asks for a name, but what the configuration itself says. */
#ifndef BOSK_CONFIG_AGENTS_H
#define BOSK_CONFIG_AGENTS_H

#include "config.h"
#include "worker/msg.h"

struct yaml_node;
struct config_loader;

/* The whole definition, as its worker gets it; NULL = there is no agent of this name. Lives as long as `c`. */
const struct msg_agent *config_agents_get(const struct config *c, const char *name);
/* Does the configuration itself say `key` of this agent, or of one of its own that it extends? */
bool config_agents_says(const struct config *c, const char *name, const char *key);
/* All names there are, sorted. */
void config_agents_get_names(const struct config *c, struct strv *out);
/* Of the configuration alone, sorted. */
void config_agents_get_own(const struct config *c, struct strv *out);

/* ---- for config*.c ---- */

enum { CONFIG_AGENTS_KEYS = 26 };

struct config_agents_at { /* where a key was written last */
	char *origin;
	size_t line, column;
};

/* What was written of one name, by all sources together. */
struct config_agents_def {
	struct msg_agent def; /* its name is set; of the others those that are given count */
	char *extends;
	uint32_t given;      /* keys, by their place in the table */
	bool trusted;        /* `extends` may bring all rights along: the user wrote it */
	bool broken;         /* a fault of it was said */
	struct config_agents_at where, at[CONFIG_AGENTS_KEYS];
	/* With what it extends; made when it is first asked for. */
	struct msg_agent made;
	bool is_made, busy;
};

struct config_agents {
	struct config_agents_def **own, **built; /* of the configuration; built-in ones that were asked for */
	size_t n_own, n_built;
	struct strv warnings;
};

struct config_agents *config_agents_new(void);
void config_agents_free(struct config_agents *a); /* NULL allowed */
struct config_agents_def *config_agents_find(struct config_agents_def *const *v, size_t n, const char *name);
/* Add a name to a list, NULL at first. */
struct config_agents_def *config_agents_add(struct config_agents_def ***v, size_t *n, const char *name);
/* The keys of a mapping into `d`: they replace those of before. */
void config_agents_read(struct config_loader *l, struct config_agents_def *d, const struct yaml_node *map);
/* `agents` of one source. */
void config_agents_source(struct config_loader *l, const struct yaml_node *v);
/* What is given of `d` into a whole definition. */
void config_agents_apply(struct msg_agent *out, const struct config_agents_def *d);
bool config_agents_given(const struct config_agents_def *d, const char *key);
/* Where a key is, or what a message begins with that names one; else the name itself. */
const struct config_agents_at *config_agents_place(const struct config_agents_def *d, const char *text);
/* May the source that is read now give all rights? Not the repository's own file. */
bool config_agents_trusted(const char *origin);

/* Once all sources are read: is every definition of the configuration whole and right? Faults are added. */
void config_agents_get_check(struct config_loader *l);

#endif
