/* clock: the three clocks, and time as text.
 * Durations are measured with mono, ages that must survive suspend and reboot are compared on
 * wall time written to the store, and wall time is otherwise for display only (pitfalls 8.12). */
#ifndef BOSK_CLOCK_H
#define BOSK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

uint64_t clock_mono_ms(void); /* CLOCK_MONOTONIC: stops while suspended */
uint64_t clock_wall_ms(void); /* since 1970, UTC */
uint64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: goes on while suspended, is not set by anybody */

void clock_add_iso(struct str *out, uint64_t wall_ms);      /* 2026-11-20T22:00:00Z */
/* Such a text, with or without fractions of seconds and an offset (without: UTC); false: it is none. */
bool clock_parse_iso(const char *text, uint64_t *wall_ms);
void clock_add_local(struct str *out, uint64_t wall_ms);    /* 2026-11-20 23:00 CET, in the zone of this process */
/* "in 2 h 10 m", "in 3 d 04 h", of a time that is awaited; false, and nothing, when it has come. */
bool clock_add_left(struct str *out, uint64_t wall_ms);
void clock_add_stamp(struct str *out, uint64_t wall_ms);    /* 20261120220000, for queue ids */
void clock_add_duration(struct str *out, uint64_t ms);      /* "0.4 s", "12 s", "3 m 05 s", "2 h 10 m" */

#endif
