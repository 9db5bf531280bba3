/* account: what is known against the accounts of agents - used up until a time, or not logged in - as rows of the store,
 * shared by all sessions of the repository. Each change reads the row first, in its transaction; whoever
 * changes something wakes all other sessions by their FIFO. Who tries first after the time is a claim (claim.h). */
#ifndef BOSK_ACCOUNT_H
#define BOSK_ACCOUNT_H

#include "session.h"

enum { ACCOUNT_AUTH_DAYS = 8 };

/* What a run of an agent said. */
struct account_said {
	bool auth;         /* it is not logged in: nothing but a human helps */
	uint64_t until_ms; /* wall clock; 0 = it named no time */
	const char *why, *agent;
};

/* Nothing is known against it: state NULL. The caller frees with rec_fini(&account_row_rec). */
int account_read(struct account_row *out, const struct site *site, const char *name, struct err *e);
/* With the batch it gives no more: until the time said and a little more, so that not all come at once; where none was said,
 * for a minute, twice as long after each further one, an hour at most. *after is what the row will be, as far as can
 * be seen now. Once the batch is written: account_tell. */
void account_limit(struct account_row *after, struct db_batch *batch, const struct site *site, const char *name,
                   const struct account_said *said);
void account_tell(const struct site *site, const char *sid);
/* It works. */
int account_clear(const struct site *site, const char *name, const char *sid, struct err *e);

/* All that something is known against; state NULL: its row cannot be read, and counts for nothing. Frees with account_free. */
int account_all(struct account_row **out, size_t *n, const struct site *site, struct err *e);
void account_free(struct account_row *rows, size_t n);

/* A number of ms below `most`, another each time; 0 for 0. */
uint64_t account_jitter(uint64_t most);

#endif
