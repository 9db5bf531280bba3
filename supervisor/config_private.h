/* config_private: shared by the config*.c files only. */
#ifndef BOSK_CONFIG_PRIVATE_H
#define BOSK_CONFIG_PRIVATE_H

#include "config.h"
#include "yaml.h"

enum config_type {
	CONFIG_TEXT,     /* char * */
	CONFIG_CHOICE,   /* char *, one of `words` */
	CONFIG_SWITCH,   /* bool, the second of `words` = true */
	CONFIG_FLAG,     /* bool, true | false */
	CONFIG_NUMBER,   /* uint64_t */
	CONFIG_REAL,     /* char *, a decimal number as it was written */
	CONFIG_DURATION, /* uint64_t, ms */
	CONFIG_BYTES,    /* uint64_t */
	CONFIG_LIST,     /* struct strv */
	CONFIG_PATHS,    /* struct strv of paths or globs in the repository */
	CONFIG_GATES,
	CONFIG_AGENTS,
	CONFIG_MODELS
};


struct config_key {
	const char *name; /* a dot stands for nesting */
	enum config_type type;
	size_t offset;      /* in struct config */
	const char *preset; /* as it could stand behind "-c name=" */
	const char *words;  /* CHOICE and SWITCH: separated by | */
	uint64_t min, max;  /* NUMBER, DURATION, BYTES; min 0: also "" */
	const char *(*check)(const char *text); /* TEXT, REAL: what is wrong, NULL = nothing */
};

struct config_loader {
	struct config *c;
	struct plan_faults *faults;
	bool bad;           /* a fault was found */
	const char *origin; /* of what is read now: a file, "-c", or the name of a variable */
	size_t shift;       /* columns before the value in line 1 of it (the "key=" of -c) */
	struct config_where *where; /* per key */
};

#define CONFIG_BUILT_IN "built-in"

struct config_where { /* who set a key last, and to what */
	char *origin;
	size_t line, column;
	char *value, *preset; /* as they could be written in one line */
};

void config_fault(struct config_loader *l, const struct yaml_node *at, const char *key,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* config_keys.c */
extern const struct config_key config_keys[];
extern const size_t config_n_keys;
size_t config_key_find(const char *name); /* config_n_keys = none */
bool config_key_section(const char *name); /* is there a key NAME.something? */
/* "; did you mean "X"?" for the nearest known name, "" when none is near. The caller frees. */
char *config_key_hint(const char *name);

/* config_show.c */
char *config_show_node(const struct yaml_node *v); /* a value in one line; the caller frees */
/* The names of such a mapping, and the keys of each, with those of `v` in place of or after them; the caller frees. */
char *config_show_merged(const char *before, const struct yaml_node *v);
void config_show_free(struct config_where *where);

/* config_values.c */
void config_value_set(struct config_loader *l, size_t key, const struct yaml_node *v);
/* The text of a scalar, "" allowed, without control characters (`lines`: but tab and newline); NULL
 * after a fault. */
const char *config_value_text(struct config_loader *l, const struct yaml_node *v, const char *key,
                            bool lines);
bool config_value_duration(struct config_loader *l, const struct yaml_node *v, const char *key,
                         uint64_t min, uint64_t max, uint64_t *out);
bool config_value_number(struct config_loader *l, const struct yaml_node *v, const char *key,
                       uint64_t min, uint64_t max, uint64_t *out);
bool config_value_list(struct config_loader *l, const struct yaml_node *v, const char *key,
                       bool paths, struct strv *out); /* replaced unless there is a fault */

/* config_maps.c: the keys whose values have keys of their own. */
void config_maps_gates(struct config_loader *l, const struct yaml_node *v);
void config_maps_agents(struct config_loader *l, const struct yaml_node *v);
void config_maps_models(struct config_loader *l, const struct yaml_node *v);
void config_maps_free_gates(struct config *c);
void config_maps_free_models(struct config *c);

#endif
