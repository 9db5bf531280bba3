/* integrate: the steps of integration, shared by integrate*.c and repair.c. */
#ifndef BOSK_INTEGRATE_H
#define BOSK_INTEGRATE_H

#include "core.h"

/* ---- integrate.c ---- */
void integrate_put_back(struct core *c); /* the batch into the queue again, in order */

/* ---- integrate_check.c: gates on merged trees ---- */
bool integrate_check_start(struct core *c); /* false: nothing has to be checked */

/* ---- integrate_refs.c: from merges that may be published to refs that name them ---- */
void integrate_record(struct core *c); /* objects flushed, intent into this turn */
void integrate_refs(struct core *c);   /* the intent is recorded: move the refs */

#endif
