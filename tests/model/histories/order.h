/* order: the types of the search for an order that explains a history (order.c, steps.c, ops.c). Everything in
 * a struct conf is bytes without padding: it is compared and hashed as such. */
#ifndef BOSK_TEST_MODEL_ORDER_H
#define BOSK_TEST_MODEL_ORDER_H

#include <stdint.h>

#include "history.h"

enum { SESSIONS = 8, OPEN = 28, SIDS = 64 };
enum { DONE_PC = 200, MOST = 200000 };
enum stored { RUNNING, STOPPED, LANDING, DONE, FAILED };

/* What a call did with one session of the plan, by its answer. ANY as its session: whichever. */
enum kind {
	NEW,     /* began a session */
	RESUME,  /* went on with one */
	KNOWN,   /* run: refused, there is an unfinished one */
	NOTHING, /* run: everything is integrated */
	OVER,    /* resume: it had ended */
	HELD,    /* somebody else had it */
	STOP,    /* asked its owner to stop */
	UNOWNED, /* nobody to stop */
	RETRY,   /* put tasks back */
	LAND,    /* landed it */
	LOOK,    /* held it for a moment, and changed nothing: it was not running */
	CUT,     /* the same: it was interrupted */
	TOUCH,   /* looked for what dead sessions left: may have held some for a moment */
	SEE,     /* status showed it */
};

enum { ANY = 255 };

struct op {
	enum kind kind;
	const struct history_call *call;
	uint8_t sid;
	int outcome;          /* of NEW and RESUME: enum stored, -1 = not told */
	bool landed;          /* it landed as well; SEE: as it was shown */
	bool sure;            /* false: the call was killed, or does not say: it may not have been so */
	const char *state;    /* SEE */
	size_t start, end, killed;
	struct history_call own; /* of SEE at the end of everything */
};

struct session {
	uint8_t sid, stored, lock, landed; /* lock: slot + 1 of who holds it, 0 = nobody */
	uint8_t was; /* LANDING: what it had ended with; 0 = not known, it lands at its end */
};

struct conf {
	uint8_t n;
	struct session s[SESSIONS];
	uint8_t pc[OPEN];
};

struct set {
	struct conf *v;
	size_t n, cap;
	uint32_t *table; /* index + 1 */
	size_t size;
};

struct search {
	const struct history *h;
	const char *plan;
	const char *sids[SIDS];
	size_t n_sids;
	bool begun[SIDS]; /* some call says that it began it */
	struct op *ops;
	size_t n_ops;
	const struct op *open[OPEN];
	struct set set;
	size_t line;
	bool overflow;
};

extern const char *const order_names[]; /* of enum stored */

/* steps.c: all that the open call in `slot` may do next, as situations added to x->set. */
void order_step(struct search *x, const struct conf *c, size_t slot);
struct session *order_find(struct conf *c, uint8_t sid);
bool order_shown_as(const struct session *s, const char *state);

/* order.c */
void order_emit(struct search *x, struct conf c, size_t slot, int pc);

/* ops.c: what the calls did on this plan, by what they said. */
void order_ops(struct search *x);
uint8_t order_sid(struct search *x, const char *sid);

#endif
