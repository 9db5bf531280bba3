/* export_change: changes of an object that are collected, then made at once (splice_edit). */
#include "export_change.h"

#include <assert.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/json.h"

void export_change_name(struct export_change *c, const char *key, const char *name, char *value)
{
	assert(c->n < MEM_COUNT(c->v));
	c->v[c->n++] = (struct splice_change){.key = key, .name = name, .value = value};
	if (value)
		strv_give(&c->texts, value);
}

void export_change_set(struct export_change *c, const char *key, char *value)
{
	export_change_name(c, key, NULL, value);
}

void export_change_edited(struct export_change *c, const char *key, char *value)
{
	export_change_name(c, key, NULL, value);
	c->v[c->n - 1].laid_out = true;
}

void export_change_make(struct export_change *c, const char *text, struct str *out)
{
	if (c->n)
		splice_edit(text, c->v, c->n, out);
	else
		str_add(out, text);
	strv_fini(&c->texts);
	*c = (struct export_change){0};
}

char *export_change_quote(const char *text)
{
	AUTO_STR struct str out = {0};
	json_quote(&out, text);
	return str_take(&out);
}

bool export_change_has(const char *raw, const char *key)
{
	AUTO_FREE char *value = splice_get(raw, key);
	return value != NULL;
}
