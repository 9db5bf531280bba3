/* create_in: what the parts of create share. Nothing outside create*.c includes it. */
#ifndef BOSK_CREATE_IN_H
#define BOSK_CREATE_IN_H

#include "create.h"

/* In a transaction: what create_find does (landed sessions are not looked at here). */
int create_find_in(struct db_txn *t, const char *content, const char *queue,
                   struct create_known *out, struct err *e);

/* Every row of the new session in one transaction; names its queue when it has no name yet. ERR_HELD
 * when another run took the plan meanwhile. */
int create_rows(struct session *s, const struct create_options *o, struct err *e);

#endif
