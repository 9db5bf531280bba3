/* export_change: changes of an object that are collected, then made at once (splice_edit). */
#ifndef BOSK_EXPORT_CHANGE_H
#define BOSK_EXPORT_CHANGE_H

#include "splice.h"

struct export_change { /* zero-initialise */
	struct splice_change v[24];
	size_t n;
	struct strv texts; /* owns the values */
};
/* The values are given away. NULL: the member goes. */
void export_change_set(struct export_change *c, const char *key, char *value);
/* The value is what was there, edited. */
void export_change_edited(struct export_change *c, const char *key, char *value);
/* It is called `name` from now on; NULL = as it was. Value NULL: only that. */
void export_change_name(struct export_change *c, const char *key, const char *name, char *value);
/* `text` with all of them; they are released. */
void export_change_make(struct export_change *c, const char *text, struct str *out);

char *export_change_quote(const char *text); /* as JSON; the caller owns it */
bool export_change_has(const char *raw, const char *key);

#endif
