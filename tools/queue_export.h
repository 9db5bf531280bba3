/* queue_export: bosk queue export. */
#ifndef BOSK_QUEUE_EXPORT_H
#define BOSK_QUEUE_EXPORT_H

#include "cmd.h"
#include "supervisor/site.h"

/* The queue `id` as the options --format, --to and --out say. Returns the exit code. */
int queue_export(const struct cmd_line *l, struct site *site, const char *id);

#endif
