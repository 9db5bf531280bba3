/* ask: `--ask` of run and land: the questions of the original (formats.md [2-1]), in its order, on a terminal. */
#ifndef BOSK_ASK_H
#define BOSK_ASK_H

#include "cmd.h"

/* Ask what the command line does not say yet, then run it with the answers as options; the exit code. Without a terminal, or
 * when its input ends, nothing is started (2). Which agent, run or only look, worktrees or this checkout, how it is landed; */
int ask_run(const struct cmd_line *l, int (*run)(const struct cmd_line *l));
/* ... and only the last, of a session that is over. */
int ask_land(const struct cmd_line *l, int (*run)(const struct cmd_line *l));

/* --autonomy full: are all rights meant to be given? Asked on a terminal; without one they are. ERR_USAGE: they are not, or
 * the input ended: nothing is to be started. */
int ask_full(const struct cmd_line *l, struct err *e);

#endif
