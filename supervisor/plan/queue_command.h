/* queue_command: is a criterion of a solution a command that bosk can run, or prose that only a person or an agent can
 * judge? In doubt it is prose: prose that is run fails for no reason. Looks at text only. */
#ifndef BOSK_QUEUE_COMMAND_H
#define BOSK_QUEUE_COMMAND_H

/* The command that a text is, whole; NULL = it is prose. The caller frees. */
char *queue_command(const char *text);

/* A text that stands where commands do, without the marks some put around them (`npm test`, $ npm test); NULL = there
 * is nothing in it. The caller frees. */
char *queue_command_bare(const char *text);

#endif
