/* queue_command: is a criterion of a solution a command that bosk can run, or prose that only a person or an agent can
 * judge? In doubt it is prose: prose that is run fails for no reason. Looks at text only. */
#ifndef BOSK_QUEUE_COMMAND_H
#define BOSK_QUEUE_COMMAND_H

#include <stdbool.h>

/* The command that a text is, whole, without the marks some put around it (`npm test`, $ npm test); NULL = it is prose.
 * `certain`: it stands where commands do, so that it is one whatever it looks like; NULL = there is nothing in it. The
 * caller frees. */
char *queue_command(const char *text, bool certain);

#endif
