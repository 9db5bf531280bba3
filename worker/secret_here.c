/* secret_here: the secrets of this process, from its environment (declared in secret.h). */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"
#include "store/base/hide.h"
#include "store/base/mem.h"

static struct secret_set *here;
static struct strv listed;

static bool in_list(const char *name, bool excepted)
{
	for (size_t i = 0; i < listed.n; i++)
		if (str_starts(listed.v[i], "-") == excepted && str_eq(listed.v[i] + excepted, name))
			return true;
	return false;
}

bool secret_name(const char *name)
{
	AUTO_FREE char *upper = mem_strdup(name);

	if (in_list(name, true))
		return false;
	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return in_list(name, false) || str_ends(upper, "_KEY") || str_ends(upper, "_TOKEN") ||
	       str_ends(upper, "_SECRET") || strstr(upper, "PASSWORD");
}

static void take(const char *pair)
{
	const char *equals = strchr(pair, '=');

	if (!equals)
		return;
	AUTO_FREE char *name = mem_strndup(pair, (size_t)(equals - pair));
	const char *value = equals + 1;
	if (strlen(value) < (in_list(name, false) ? SECRET_LISTED_MIN : SECRET_MIN) || !secret_name(name))
		return;
	if (value[0] == '/' && access(value, F_OK) == 0)
		return; /* where a key lies, not the key */
	secret_set_add(here, name, value);
}

void secret_init(const struct strv *names)
{
	secret_set_free(here);
	here = secret_set_new();
	strv_fini(&listed);
	if (names)
		strv_copy(&listed, names);
	for (char **p = environ; p && *p; p++)
		take(*p);
	hide_by(secret_hide);
}

const struct secret_set *secret_here(void)
{
	if (!here)
		secret_init(NULL);
	return here;
}

void secret_take_env(const struct strv *env)
{
	secret_here();
	for (size_t i = 0; i < env->n; i++)
		take(env->v[i]);
}

static void append(void *ctx, const char *bytes, size_t n)
{
	str_addn(ctx, bytes, n);
}

static void hide(struct str *text, bool urls)
{
	struct str clean = {0};
	struct secret_stream *s = secret_stream_new(secret_here(), urls, append, &clean);

	secret_stream_put(s, str_text(text), text->len);
	secret_stream_end(s);
	str_fini(text);
	*text = clean;
}

void secret_hide(struct str *text)
{
	hide(text, true);
}

void secret_hide_input(struct str *text)
{
	hide(text, false);
}

char *secret_hidden(const char *text)
{
	struct str s = {0};

	if (!text)
		return NULL;
	str_add(&s, text);
	secret_hide(&s);
	return str_take(&s);
}

const char *secret_in(const char *text, size_t n, size_t *at)
{
	return secret_set_find(secret_here(), text, n, at);
}
