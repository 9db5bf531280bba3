/* agents_show: an agent for a person: its exact command line, its rights in words, what its program says of itself. */
#ifndef BOSK_AGENTS_SHOW_H
#define BOSK_AGENTS_SHOW_H

#include "store/base/str.h"
#include "worker/msg.h"

/* The command line of its first run, word by word. What only a run knows is <cwd>, <session>, <prompt_file> ...; `model` NULL:
 * its own. `full`: all rights are given, whatever the definition says. `schema`: its result is asked for in one form, as of all but
 * stories and solutions. */
void agents_show_argv(const struct msg_agent *def, bool full, const char *model, bool schema, struct strv *out);
/* The same as a shell would read it. */
void agents_show_command(const struct msg_agent *def, bool full, const char *model, bool schema, struct str *out);

const char *agents_show_rights(const struct msg_agent *def, bool full);

/* Run its `probe`, for 10 s at most: true, and the first line of what it says; false, and what is wrong. */
bool agents_show_probe(const struct msg_agent *def, struct str *out);

#endif
