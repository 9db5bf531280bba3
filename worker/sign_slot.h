/* sign_slot: the commit of a task, signed where the session's commits are (sign.h). */
#ifndef BOSK_SIGN_SLOT_H
#define BOSK_SIGN_SLOT_H

#include "sign.h"
#include "slot.h"

/* In s->not_signed: why it is not signed, NULL = it is, or was not to be. ERR_USAGE with it: there is to be none
 * without a signature. */
int sign_slot_commit(struct slot *s, const struct sign_text *text, struct oid *out, struct err *e);

#endif
