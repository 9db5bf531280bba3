/* config: bosk's settings. Later wins: built-in, user's config.yaml, repository's bosk.yaml,
 * BOSK_CONFIG_<KEY> variables, `-c key=value` (interface.md, "Configuration"). Read once, at the
 * session's start, and kept with the session as its sources. */
#ifndef BOSK_CONFIG_H
#define BOSK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "store/base/str.h"

struct config_gate {
	char *name;          /* [A-Za-z0-9._-], unique */
	char *run;           /* shell command; NULL with `builtin` */
	char *builtin;       /* "secrets": a gate that bosk brings; NULL */
	uint64_t timeout_ms; /* 0 = 30 minutes */
	struct strv paths;   /* globs: skipped when no changed path matches; empty = always run */
	bool exclusive;      /* never two at once in this repository */
	char *lock;          /* ... nor with others of this name on the machine; NULL = none */
	uint64_t retries;    /* runs again after a failure, for flaky checks */
};

/* Keys as in interface.md; a dot stands for nesting. Durations in ms, sizes in bytes. Keys of later
 * issues are read and checked too, so that a configuration never has to be split. Known values that nothing acts on
 * yet are refused (config_keys.c). Texts are never NULL, "" = off. Lists of paths are normalised
 * (plan_path_fault). */
struct config {
	uint64_t jobs;
	char *agent;
	struct config_gate *gates;
	size_t n_gates;
	struct plan_model *models; /* of all sources together, by name */
	size_t n_models;
	struct strv personas, skills; /* folders, as written */
	struct config_agents *agents; /* config_agents.h: of all sources together, by name */
	uint64_t fix_attempts, retries, conflict_attempts;
	uint64_t timeout_ms, silence_ms, push_timeout_ms, pr_timeout_ms; /* 0 = none */
	char *verify;        /* merged | task */
	char *land;          /* keep | merge | pr */
	char *land_fallback; /* keep | pr */
	char *steps;         /* together | each */
	bool merge_drivers, push;
	char *pr_remote, *pr_command, *pr_find; /* pr.remote, ...; pr_find "" = cannot be asked */
	bool pr_draft;
	char *worktrees_dir, *setup; /* worktrees.dir, worktrees.setup */
	struct strv copy, setup_inputs;
	uint64_t worktrees_total;
	char *branch; /* pattern with {session} and {task} */
	uint64_t orphan_max_age_ms, orphan_resumable_max_age_ms;
	uint64_t limit_log, limit_free_disk, limit_free_memory; /* floors: 0 = none */
	uint64_t limit_max_wait_ms, limit_max_time_ms; /* 0 = none */
	char *limit_budget_usd; /* "" = none */
	uint64_t halt_after_failures;
	struct strv protect;
	struct strv secrets; /* variables that are secret too; "-NAME": that are not */
	char *author, *notify;
	uint64_t sign_timeout_ms;
	char *sign_fallback; /* unsigned | refuse */
	char *stories_folder, *stories_threshold, *stories_instructions; /* see struct plan_stories */
	struct strv stories_human;
	struct strv sources; /* origin, text, origin, text, ...: for struct session_row.config */
	struct config_where *where; /* of each key, for config_show */
};

/* What is not wrong, but not done as it was written: a list of lines. */
const struct strv *config_warnings(const struct config *c);

/* Read all sources. `repo_top`: folder whose bosk.yaml counts (the checkout where bosk was called),
 * NULL = none. `overrides`: "key=value" texts of -c, in order. Everything wrong is in `faults`
 * (an unknown key names the nearest known one) and -1 returned. */
int config_load(struct config *out, const char *repo_top, const struct strv *overrides,
                struct plan_faults *faults);
/* The same from the stored sources of a session. */
int config_load_sources(struct config *out, const struct strv *sources, struct plan_faults *faults);
void config_fini(struct config *c);

/* Does a file, a variable or the call say what this key is? */
bool config_given(const struct config *c, const char *key);
/* No file: the call itself, or a variable? */
bool config_given_here(const struct config *c, const char *key);

/* The keys there are, for completion and the manual. */
struct config_info {
	const char *name;    /* a dot stands for nesting */
	const char *preset;  /* its default, as YAML */
	const char *words;   /* separated by |; NULL = not a choice */
};
bool config_info(struct config_info *out, size_t i); /* false after the last */

/* Every key as "key: value   # where it came from", one a line, in the order of interface.md. */
void config_show(const struct config *c, struct str *out);
#endif
