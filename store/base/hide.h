/* hide: a place below everything else where what must not be told is taken out of messages. The layer
 * that knows secrets (worker/secret) puts its function here; errors and diagnostics go through it. */
#ifndef BOSK_HIDE_H
#define BOSK_HIDE_H

#include "str.h"

void hide_by(void (*hide)(struct str *text)); /* NULL = texts stay as they are, as at the start */
void hide_in(struct str *text);

#endif
