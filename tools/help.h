/* help: what `bosk help` and the manual page say of the commands. Both come from the tables of
 * cmd.h and from one more, here: examples, exit codes and what to read next. */
#ifndef BOSK_HELP_H
#define BOSK_HELP_H

struct cmd;

struct help_text {
	const char *command;
	const char *example; /* command lines, each ended by a newline */
	const char *codes;   /* exit codes it has: a letter each, see help.c */
	const char *ok;      /* what 0 and 1 mean here; NULL = as everywhere */
	const char *not_ok;
	const char *also;    /* names of related commands, separated by blanks */
};

extern const struct help_text help_texts[]; /* the last has no command */

/* To standard output. */
void help_overview(void);
void help_command(const struct cmd *c);
void help_manual(void); /* the commands as a part of bosk(1), in mdoc */

#endif
