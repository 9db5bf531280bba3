/* ask: `bosk run --ask`: the questions of the original (formats.md [2-1]), in its order, on a terminal. */
#ifndef BOSK_ASK_H
#define BOSK_ASK_H

#include "cmd.h"

/* Ask what the command line does not say yet: which agent, run or only look, worktrees or this checkout. The answers are
 * added to `l` as options. -1 (ERR_USAGE): there is no terminal, or its input ended: nothing is to be started. */
int ask_run(struct cmd_line *l, struct err *e);

/* --autonomy full: are all rights meant to be given? Asked on a terminal; without one they are. ERR_USAGE: they are not, or
 * the input ended: nothing is to be started. */
int ask_full(const struct cmd_line *l, struct err *e);

#endif
