/* alone: being the only one on the machine that has a name. The name is in the kernel (an abstract socket): there is no
 * file that somebody could remove, and it is free when its holder ends. Of this user: who has another one's name is not
 * waited for. */
#ifndef BOSK_ALONE_H
#define BOSK_ALONE_H

#include "store/base/err.h"

/* A descriptor that holds the name. -1: *other is one that becomes readable when who has it lets it go, or -1: there are
 * no such names here. Both are the caller's to close, neither is inherited. */
int alone_take(const char *name, int *other);

/* A name for what is called `text` in this folder, however the folder is reached: up to 80 characters. The caller owns
 * it; NULL: the folder cannot be looked at. */
char *alone_name(const char *folder, const char *text, struct err *e);

#endif
