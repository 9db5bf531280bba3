/* mend: puts right what verify found. The journal wins over rows, git over both; what is in neither is said
 * to be lost (promise D3). Nobody's work is removed: commits that a ref would let go are kept below
 * refs/bosk/keep, and a worktree goes only when nothing in it is its own. */
#ifndef BOSK_MEND_H
#define BOSK_MEND_H

#include "verify.h"

/* Verifies, takes the locks of the sessions concerned, verifies again and mends by that: nobody changes what it
 * goes by. `site` is open for writing. `said`: what was done, one line each. ERR_HELD: a session concerned is
 * running. Verify again afterwards: some things only a user can decide. */
int mend_all(struct site *site, struct strv *said, struct err *e);

#endif
