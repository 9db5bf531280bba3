/* runtime: the folder for what bosk processes of one user on one machine share beside repositories: lock files. */
#ifndef BOSK_RUNTIME_H
#define BOSK_RUNTIME_H

#include "store/base/err.h"

/* $XDG_RUNTIME_DIR/bosk, else the same in /run/user/UID, else /tmp/bosk-UID; made when absent. The caller owns the path.
 * NULL: ERR_ENV, it is not a folder that only this user can write. */
char *runtime_dir(struct err *e);

#endif
