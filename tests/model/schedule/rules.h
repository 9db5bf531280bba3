/* rules: the rules a schedule must keep, said as simply as they can be, however slow. They must not use anything but
 * schedule.h, nor reason as the schedule does. */
#ifndef BOSK_TEST_MODEL_RULES_H
#define BOSK_TEST_MODEL_RULES_H

#include "model.h"

/* ---- words that the rules are said in (rules_turn.c) ---- */

bool rules_good(enum task_state s);
bool rules_ended_badly(enum task_state s); /* itself: not for what it needs */
bool rules_over(enum task_state s);
bool rules_holds_files(enum task_state s);
bool rules_has(uint8_t mask, uint32_t i);
uint32_t rules_open_slots(const struct model_plan *p, const struct model_book *b);
bool rules_taken(const struct model_plan *p, const enum task_state *state, uint32_t task);
bool rules_lane_taken(const struct model_plan *p, const enum task_state *state, uint32_t task);
/* Does it wait for its accounts alone? */
bool rules_shut(const struct model_plan *p, const uint8_t *gate, uint32_t task);
bool rules_held_up(const struct model_step *st, uint32_t t);

/* Slots, as bits, and accounts. */
struct rules_room {
	uint8_t free, closed;
	const uint8_t *gate;
	bool more; /* a closed one may be opened for it */
	const struct model_book *book; /* where tasks were */
};

struct rules_room rules_room_in(const struct model_step *st, bool more);
uint32_t rules_next_to_start(const struct model_plan *p, const enum task_state *state, struct rules_room room);

/* ---- parts of model_check_step: NULL, or the rule that is broken ---- */

const char *rules_actions(const struct model_step *st);
const char *rules_assignments(const struct model_step *st);

#endif
