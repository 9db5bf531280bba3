/* told: claims of solutions, as claims. */
#include "told.h"

#include <string.h>

#include "store/base/mem.h"

enum { SHOWN_MAX = 50 };

void told_json(const struct session *s, size_t task, struct json_t *out)
{
	const struct task_def *d = &s->plan.tasks[task];
	const struct task_row *row = &s->tasks[task];
	struct err ignored = {0};

	if (!str_eq(s->plan.kind, "queue"))
		return;
	struct json_t *claims = json_list();
	for (size_t i = 0; i + 1 < d->claims.n; i += 2) {
		struct json_t *claim = json_map();
		json_put_text(claim, "step", d->claims.v[i]);
		json_put_text(claim, "text", d->claims.v[i + 1]);
		json_put_flag(claim, "verified", false);
		json_add(claims, claim);
	}
	json_put_flag(out, "claimed", session_task_state(s, task) == TASK_CLAIMED);
	json_put_text(out, "session", row->session); /* that had it last: null = none, others have done what is done */
	json_put_text(out, "issue", d->issue);
	json_put_text(out, "solution", d->solution);
	json_put_list(out, "steps", &d->step_ids);
	json_put_text(out, "step", row->step);
	json_put(out, "claims", claims);
	struct json_t *said = row->told ? json_parse(row->told, strlen(row->told), &ignored) : NULL;
	if (said)
		json_put(out, "result", said);
	else
		json_put_null(out, "result");
}

void told_text(const struct session *s, struct str *out)
{
	size_t n = 0;

	for (size_t t = 0; t < s->plan.n; t++) {
		const struct task_def *d = &s->plan.tasks[t];
		enum task_state state = session_task_state(s, t);
		if (!task_state_good(state) || state == TASK_ALREADY) /* of what others did they say themselves what is so */
			continue;
		for (size_t i = 0; i + 1 < d->claims.n; i += 2) {
			if (n++ >= SHOWN_MAX)
				continue;
			str_addf(out, "%s  %s %s: ", n == 1 ? "\nclaimed, not verified\n" : "", d->id, d->claims.v[i]);
			str_add_printable(out, d->claims.v[i + 1], strlen(d->claims.v[i + 1]), false);
			str_addc(out, '\n');
		}
	}
	if (n > SHOWN_MAX)
		str_addf(out, "  and %zu more: bosk status --json\n", n - SHOWN_MAX);
}
