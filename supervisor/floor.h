/* floor: is there room to start another task? Disk and memory below their configured floors: wait. */
#ifndef BOSK_FLOOR_H
#define BOSK_FLOOR_H

#include <stdbool.h>

#include "config.h"

/* False when free disk at `path` (or its nearest existing parent) or available memory is below
 * limits.free_disk / limits.free_memory; `why` then says which. What cannot be measured is enough. */
/* Bytes of memory that may be used above its floor; 0 = there is none to keep to, or that is not known. */
uint64_t floor_room(const struct config *cfg);
bool floor_ok(const struct config *cfg, const char *path, struct str *why);

#endif
