/* seat: a number that no other running bosk on this machine uses, for BOSK_SLOT and BOSK_PORT: two
 * worktrees, of whatever repository, never get the same ports. Held as a flock on a file in the
 * user's runtime folder; the kernel gives it back when we die. */
#ifndef BOSK_SEAT_H
#define BOSK_SEAT_H

#include <stdint.h>

#include "store/base/err.h"

/* The lowest free number from 1 and the descriptor that holds it (the caller closes). */
int seat_take(uint64_t *number, int *fd, struct err *e);
uint64_t seat_port(uint64_t number); /* first of its 20 ports */

#endif
