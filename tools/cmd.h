/* cmd: the table of commands, their options, and what they share. One command, one file: cmd_NAME.c
 * declares its entry; adding a command touches that file and the list in main.c. */
#ifndef BOSK_CMD_H
#define BOSK_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/err.h"
#include "store/base/str.h"

struct site;

struct cmd_option {
	const char *name;  /* long form */
	char letter;       /* short form, 0 = none */
	const char *arg;   /* name of its argument in the help, NULL = a flag */
	const char *help;
};

/* A command line, parsed. */
struct cmd_line {
	const struct cmd *cmd;
	const char *dir;      /* -C, "." by default */
	struct strv config;   /* -c key=value, in order */
	struct strv names;    /* options given, in order ... */
	struct strv values;   /* ... and their arguments ("" for flags) */
	struct strv rest;     /* what is not an option */
};

struct cmd {
	const char *name;
	const char *args;     /* after the name in the usage line */
	const char *summary;  /* one line */
	const char *details;  /* further help text, may be NULL */
	const struct cmd_option *options;
	size_t n_options;
	int min_rest, max_rest; /* how many other words; -1 = any number */
	int (*run)(const struct cmd_line *line); /* exit code */
};

#define CMD_OPTIONS(array) .options = (array), .n_options = sizeof(array) / sizeof((array)[0])

extern const struct cmd *const cmd_list[];
extern const size_t cmd_count;

/* Options every command takes: -C -c -q -v -h. */
extern const struct cmd_option cmd_common[];
extern const size_t cmd_common_count;

/* 0 = parsed; else the exit code (the help was printed: 0 in *code; an error was printed: 2). */
int cmd_parse(struct cmd_line *out, int argc, char **argv);
void cmd_line_fini(struct cmd_line *l);

/* Last value of an option: NULL = not given, "" for a flag that was. */
const char *cmd_value(const struct cmd_line *l, const char *name);
bool cmd_flag(const struct cmd_line *l, const char *name);
void cmd_values(const struct cmd_line *l, const char *name, struct strv *out);
const char *cmd_word(const struct cmd_line *l, size_t i); /* rest[i], NULL when there is none */
/* A whole number option; `fallback` when not given. ERR_USAGE. */
int cmd_number(const struct cmd_line *l, const char *name, uint64_t min, uint64_t max,
               uint64_t fallback, uint64_t *out, struct err *e);

/* Is there a git that bosk can work with? Asked by every command that runs it. */
int cmd_git(struct err *e);

/* Print the error and return its exit code. */
int cmd_fail(const struct err *e);
/* The way of every text to the user: foreign parts of it may not drive a terminal (promise E7). */
void cmd_show(const struct str *text, FILE *to);
void cmd_print(const struct str *text); /* to stdout */

/* What the first word of a command can be: `bosk queue list`. */
struct cmd_verb {
	const char *name, *words; /* that follow it, as the help has them; "" = none */
	size_t min, max;          /* how many, with its name */
	bool changes;             /* it opens the store itself, and is refused inside a task; else the store is opened to be read */
	int (*run)(const struct cmd_line *l, struct site *site);
};
/* Run the one that is given; the exit code, 2 with what is possible when it is none of them. */
int cmd_verbs(const struct cmd_line *l, const struct cmd_verb *verbs, size_t n);

const struct cmd *cmd_find(const char *name); /* NULL = there is none */
int cmd_unknown(const char *word);            /* says so, with the nearest name; returns 2 */

/* Config of the checkout where bosk was called; faults are printed. Returns 0 or the exit code. */
struct config;
int cmd_config(const struct cmd_line *l, const struct site *site, struct config *out);
/* The one that the session began with; `out` is to be released in any case. Returns 0 or 4, and it was said why. */
struct session;
int cmd_config_kept(const struct session *s, struct config *out);

extern const struct cmd cmd_init_entry, cmd_run_entry, cmd_plan_entry, cmd_resume_entry, cmd_status_entry,
	cmd_logs_entry, cmd_diff_entry, cmd_path_entry, cmd_stop_entry, cmd_report_entry,
	cmd_retry_entry, cmd_questions_entry, cmd_gc_entry, cmd_rescue_entry, cmd_verify_entry, cmd_land_entry, cmd_revert_entry, cmd_doctor_entry, cmd_queue_entry,
	cmd_next_entry, cmd_detail_entry, cmd_done_entry, cmd_version_entry, cmd_help_entry;

#endif
