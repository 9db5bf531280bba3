/* doctor_left: what dead processes left in the git folder, for bosk doctor. Changes nothing. */
#ifndef BOSK_DOCTOR_LEFT_H
#define BOSK_DOCTOR_LEFT_H

#include "supervisor/session.h"

/* A line for each lock file that is older than a moment, and one for all temporary objects. `ids`: of all sessions. */
void doctor_left(const struct site *site, const struct strv *ids, struct strv *out);

#endif
