/* gates_told: gates in reports. */
#include "gates_told.h"

#include <string.h>

#include "store/base/mem.h"

/* What it came to on the base; NULL = it passed, or was not run. */
static const char *on_base(const struct session *s, const char *gate)
{
	const struct strv *reds = &s->manifest.base_reds;
	size_t n = strlen(gate);

	for (size_t i = 0; i < reds->n; i++)
		if (str_starts(reds->v[i], gate) && reds->v[i][n] == ':')
			return reds->v[i];
	return NULL;
}

void gates_told_excused(const struct session *s, struct str *out)
{
	const struct strv *names = &s->row.excused;

	for (size_t i = 0; i < names->n; i++) {
		const char *red = on_base(s, names->v[i]);
		str_addf(out, "%s%s%s", i ? "; " : "", red ? red : names->v[i], red ? " on the base" : "");
	}
}

void gates_told_session(const struct session *s, struct json_t *out)
{
	json_put_list(out, "excused", &s->row.excused);
	json_put_list(out, "base_reds", &s->manifest.base_reds);
	json_put_text(out, "final_output", s->manifest.final_said);
}

void gates_told_task(const struct session *s, size_t task, struct json_t *out)
{
	const struct task_row *row = &s->tasks[task];
	struct json_t *flaky = json_map(), *red = row->red ? json_map() : NULL;

	for (size_t i = 0; i < row->flaky.n; i++) {
		AUTO_FREE char *name = mem_strdup(row->flaky.v[i]);
		char *note = strrchr(name, '=');
		if (note)
			*note++ = '\0';
		json_put_text(flaky, name, note);
	}
	json_put(out, "flaky", flaky);
	if (!red) {
		json_put_null(out, "red_gate");
		return;
	}
	json_put_text(red, "gate", row->red);
	json_put_text(red, "verdict", row->red_verdict);
	json_put_text(red, "why", row->red_why);
	json_put_text(red, "output", row->red_said);
	json_put(out, "red_gate", red);
}

void gates_told_output(const char *text, struct str *out)
{
	for (const char *line = text; line && *line;) {
		size_t n = strcspn(line, "\n");
		str_add(out, n ? "        " : "");
		str_add_printable(out, line, n, true);
		str_addc(out, '\n');
		line += n + (line[n] == '\n');
	}
}
