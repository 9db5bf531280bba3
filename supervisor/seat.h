/* seat: a number that no other running bosk on this machine uses, for BOSK_SLOT and BOSK_PORT: two
 * worktrees, of whatever repository, never get the same ports. Held as a flock on a file in the
 * user's runtime folder, which an agent may remove, and by a name that only the kernel has (an abstract socket), which
 * nobody can; the kernel gives both back when we die. */
#ifndef BOSK_SEAT_H
#define BOSK_SEAT_H

#include <stdint.h>

#include "store/base/err.h"

struct seat {
	uint64_t number; /* from 1; 0 = none */
	int file, name;  /* descriptors that hold it; name may be -1 */
};

int seat_take(struct seat *s, struct err *e); /* the lowest free number */
void seat_give(struct seat *s);               /* of none: nothing */
uint64_t seat_port(uint64_t number);          /* first of its 20 ports */

#endif
