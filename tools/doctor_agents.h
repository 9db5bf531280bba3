/* doctor_agents: which agents can be started here, by which command line, and what they may do. */
#ifndef BOSK_DOCTOR_AGENTS_H
#define BOSK_DOCTOR_AGENTS_H

#include "supervisor/config.h"

/* Runs the `probe` of each whose program is there. `say` gets a mark (ok, note, FAIL) and a line. */
void doctor_agents(const struct config *cfg, void (*say)(const char *mark, const char *text));

#endif
