/* strays: processes that a dead session left running: its workers, and what those ran. */
#ifndef BOSK_STRAYS_H
#define BOSK_STRAYS_H

#include "supervisor/session.h"

/* End those of a session that this process has locked; returns how many there were. None is older than this
 * boot or the session (promises C2, B3). */
size_t strays_end(const struct session *s);

/* End those of every dead session of the repository. `said` gets a line for each session that had some. */
int strays_end_all(struct site *site, struct strv *said, struct err *e);

#endif
