/* init_look: what `bosk init` finds in a checkout: which checks the project has, how its dependencies
 * are brought in, which agents are installed. Reads file names and a few files at the top; runs
 * nothing. */
#ifndef BOSK_INIT_LOOK_H
#define BOSK_INIT_LOOK_H

#include "store/base/str.h"
#include "supervisor/config.h"

/* In the order gates run. */
enum init_look_kind { INIT_LINT, INIT_TYPES, INIT_BUILD, INIT_TEST, INIT_CHECK, INIT_KINDS };

struct init_look_gate {
	enum init_look_kind kind;
	char *name, *run;
};

struct init_look {
	struct init_look_gate *gates; /* by kind, then as found */
	size_t n;
	struct strv from;   /* files they were found in */
	struct strv agents; /* whose programs are on the PATH */
	char *setup;        /* NULL = none needed */
};

/* `config`: the user's, for agents. */
void init_look(struct init_look *out, const char *top, const struct config *config);
void init_look_fini(struct init_look *look);

#endif
