/* prune: sessions that are over and whose work has landed are forgotten: rows, logs, refs of superseded attempts. */
#ifndef BOSK_PRUNE_H
#define BOSK_PRUNE_H

#include "orphans.h"

/* Queue by queue, when every session that worked on it is over, older than rule->max_age_ms, and has all it
 * integrated on its target branch. What is not integrated stays on its branches and below refs/bosk/rescue/ and
 * refs/bosk/keep/, as does the history of repositories that were found in worktrees. out->cleaned counts sessions;
 * the lines say what was done, or stays and why. */
int prune_sessions(struct site *site, const struct orphans_rule *rule, struct orphans_said *out, struct err *e);

#endif
