/* program: where a program is that would be started by its name. Starts nothing. */
#ifndef BOSK_PROGRAM_H
#define BOSK_PROGRAM_H

/* Its path, as execvp finds it with this process's PATH; NULL = there is none. Relative folders of the PATH do not count:
 * agents are started elsewhere. The caller frees. */
char *program_find(const char *name);

#endif
