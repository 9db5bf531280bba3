/* help_private: shared by the help*.c files only. */
#ifndef BOSK_HELP_PRIVATE_H
#define BOSK_HELP_PRIVATE_H

#include <stddef.h>

#include "help.h"

struct help_code {
	char letter;
	const char *number, *meaning;
};

const struct help_text *help_text(const struct cmd *c); /* never NULL */
/* Exit code number i as it is for a command: its number, "" when the command never has it, NULL after
 * the last. */
const char *help_code(struct help_code *out, const struct help_text *t, size_t i);

#endif
