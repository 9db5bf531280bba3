/* lease: who works on an item that `bosk next` gave out, whether that process still lives, and whether it is the one
 * that asks now. */
#ifndef BOSK_LEASE_H
#define BOSK_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/rows.h"

enum lease {
	LEASE_NONE,   /* nobody's: not claimed, or imported as executing */
	LEASE_HELD,   /* by a living process, or by another host until it is old */
	LEASE_YOUNG,  /* its owner is dead, but it may be a shell that was only to ask */
	LEASE_ORPHAN, /* its owner is dead, and it is old: anybody may have it */
};

/* The claim begins, or begins anew, for the process that called this bosk. */
void lease_take(struct item_row *r, const char *token, uint64_t now_ms);
/* Nobody has it any more. */
void lease_drop(struct item_row *r);

enum lease lease_of(const struct item_row *r, uint64_t max_age_ms);

/* Did the process claim it that asks again? A shell and the copies of itself that it makes for $( ) and ( ) are one,
 * as long as the copy that claimed it is gone. */
bool lease_again(const struct item_row *r, const char *token);
/* May the caller end it? Who gives a token (NULL = none) must have the right one, for one that nobody has claimed there
 * is none; who gives none must descend from the owner. */
bool lease_may_end(const struct item_row *r, const char *token);

/* "process 4242, 2 h 10 m ago", "process 4242 of host x, ...", "process 4242, which is gone, ..." */
void lease_text(const struct item_row *r, struct str *out);

#endif
