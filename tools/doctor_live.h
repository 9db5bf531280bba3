/* doctor_live: is all ready for a night without anybody (`bosk doctor --live`)? What a run looks at before its first task
 * (supervisor/ready.h), in a session that starts nothing and is gone afterwards. */
#ifndef BOSK_DOCTOR_LIVE_H
#define BOSK_DOCTOR_LIVE_H

#include "cmd.h"

/* `say` gets a mark (ok, note, FAIL) and a text for each thing that was looked at. The exit code. */
int doctor_live(const struct cmd_line *l, void (*say)(const char *mark, const char *text));

#endif
