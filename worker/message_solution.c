/* message_solution: summary, steps, files and what is known of it, each a section. */
#include "message_solution.h"

#include <string.h>

#include "secret.h"
#include "store/base/mem.h"

enum { FILES_MAX = 200, CLAIMS_MAX = 200, LINE_MAX_BYTES = 1000 };

/* One line of foreign text: nothing in it can begin a section or a trailer. */
static void add_line(struct str *out, const char *text)
{
	AUTO_FREE char *copy = mem_strdup(text);

	msg_clip_text(copy, LINE_MAX_BYTES);
	str_add_printable(out, copy, strlen(copy), false);
}

static void add_steps(const struct msg_task *t, struct str *out)
{
	str_add(out, "\n## Solution Summary\n");
	str_addf(out, "- Solution-ID: %s\n", t->id);
	for (size_t i = 0; i < t->step_ids.n; i++) {
		str_add(out, i ? ", " : "- Tasks: ");
		add_line(out, t->step_ids.v[i]);
	}
	if (!t->step_ids.n)
		return;
	str_add(out, "\n\n## Tasks Completed\n");
	for (size_t i = 0; i < t->step_ids.n; i++) {
		str_add(out, "- [");
		add_line(out, t->step_ids.v[i]);
		str_add(out, "] ");
		add_line(out, i < t->step_titles.n ? t->step_titles.v[i] : "");
		str_addc(out, '\n');
	}
}

static void add_files(const struct strv *changed, struct str *out)
{
	str_add(out, "\n## Files Modified\n");
	for (size_t i = 0; i < changed->n && i < FILES_MAX; i++) {
		str_add(out, "- ");
		add_line(out, changed->v[i]);
		str_addc(out, '\n');
	}
	if (changed->n > FILES_MAX)
		str_addf(out, "- and %zu more\n", changed->n - FILES_MAX);
	if (!changed->n)
		str_add(out, "- none\n");
}

static void add_verified(const struct msg_task *t, const struct strv *gates, struct str *out)
{
	str_add(out, "\n## Verification\n");
	for (size_t i = 0; i < gates->n; i++) {
		const char *equals = strrchr(gates->v[i], '=');
		AUTO_FREE char *name = mem_strndup(gates->v[i], equals ? (size_t)(equals - gates->v[i]) : strlen(gates->v[i]));
		str_add(out, "- ");
		add_line(out, name);
		str_addf(out, ": %s\n", equals ? equals + 1 : "");
	}
	if (!gates->n)
		str_add(out, "- no command was run\n");
	for (size_t i = 0; i + 1 < t->claims.n && i / 2 < CLAIMS_MAX; i += 2) {
		str_add(out, "- claimed, not verified: [");
		add_line(out, t->claims.v[i]);
		str_add(out, "] ");
		add_line(out, t->claims.v[i + 1]);
		str_addc(out, '\n');
	}
	if (t->claims.n / 2 > CLAIMS_MAX)
		str_addf(out, "- claimed, not verified: %zu more\n", t->claims.n / 2 - CLAIMS_MAX);
}

void message_solution(const struct msg_task *t, const struct strv *changed, const struct strv *gates, struct str *out)
{
	add_line(out, t->subject);
	str_addc(out, '\n');
	add_steps(t, out);
	add_files(changed, out);
	add_verified(t, gates, out);
	secret_hide(out);
}
