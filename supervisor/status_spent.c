/* status_spent: accounts of agents, and what agents have cost, for status and report. What an agent did not say is unknown,
 * and never shown as 0. */
#include "status.h"

#include <string.h>

#include "account.h"
#include "store/base/clock.h"
#include "store/base/mem.h"
#include "store/json.h"

struct json_t *status_accounts_json(const struct site *site, struct err *e)
{
	struct json_t *list = json_list();
	struct account_row *rows = NULL;
	size_t n = 0;

	if (account_all(&rows, &n, site, e) != 0) {
		json_free(list);
		list = NULL;
	}
	for (size_t i = 0; list && i < n; i++) {
		struct json_t *j = json_map();
		AUTO_STR struct str until = {0};
		clock_add_iso(&until, rows[i].until_ms);
		json_put_text(j, "name", rows[i].name);
		json_put_text(j, "limited_until", str_eq(rows[i].state, "limited") ? until.p : NULL);
		json_put_text(j, "state", rows[i].state);
		json_put_text(j, "reason", rows[i].why);
		json_put_text(j, "agent", rows[i].agent);
		json_add(list, j);
	}
	account_free(rows, n);
	return list;
}

int status_accounts_text(const struct site *site, struct str *out, struct err *e)
{
	struct account_row *rows = NULL;
	size_t n = 0;
	int rc = account_all(&rows, &n, site, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		str_addf(out, "account %s: ", rows[i].name);
		if (str_eq(rows[i].state, "limited")) {
			str_add(out, "limited until ");
			clock_add_local(out, rows[i].until_ms);
			str_add(out, ", ");
			if (!clock_add_left(out, rows[i].until_ms))
				str_add(out, "so now one task may try");
		} else if (!rows[i].state) {
			str_add(out, "what was known of it cannot be read, and counts for nothing: bosk verify");
		} else {
			str_add(out, "stopped, go on with bosk resume when it is mended");
		}
		if (rows[i].why)
			str_addf(out, " (%.*s)", (int)strcspn(rows[i].why, "\n"), rows[i].why);
		str_addc(out, '\n');
	}
	account_free(rows, n);
	return rc;
}

void status_awaits_text(const struct session *s, const char *indent, const char *state, struct str *out)
{
	const struct manifest_row *m = &s->manifest;
	bool runs = str_eq(state, "running");

	str_addf(out, "%s%s%s", indent, runs ? "waiting for " : str_eq(state, "limited") ? "stopped: " : "it waited for ", m->waiting);
	if (m->waiting_until_ms) {
		str_add(out, runs ? ", " : "; that is ");
		if (!clock_add_left(out, m->waiting_until_ms))
			str_add(out, "over");
	}
	str_addc(out, '\n');
}

struct status_spent status_spent_task(const struct task_row *row)
{
	return (struct status_spent){row->input, row->cached, row->output, row->cost_micro, row->runs, row->unpriced};
}

struct status_spent status_spent_session(const struct session *s)
{
	const struct manifest_row *m = &s->manifest;
	return (struct status_spent){m->input, m->cached, m->output, m->cost_micro, m->runs, m->unpriced};
}

void status_spent_text(const struct status_spent *n, struct str *out)
{
	if (n->unpriced < n->runs)
		str_addf(out, "%.2f USD", (double)n->cost_micro / 1e6);
	if (n->unpriced)
		str_addf(out, "%s", n->unpriced < n->runs ? " and more: " : "unknown: ");
	if (n->unpriced)
		str_addf(out, "%llu of %llu runs did not say what they cost", (unsigned long long)n->unpriced,
		         (unsigned long long)n->runs);
	if (n->input || n->output)
		str_addf(out, "; %llu tokens in (%llu of them cached), %llu out", (unsigned long long)n->input,
		         (unsigned long long)n->cached, (unsigned long long)n->output);
}

void status_spent_json(const struct status_spent *n, struct json_t *j)
{
	if (n->unpriced < n->runs)
		json_put_real(j, "cost_usd", (double)n->cost_micro / 1e6);
	else
		json_put_null(j, "cost_usd");
	json_put_u64(j, "runs", n->runs);
	json_put_u64(j, "runs_without_cost", n->unpriced);
	json_put_u64(j, "input_tokens", n->input);
	json_put_u64(j, "cached_tokens", n->cached);
	json_put_u64(j, "output_tokens", n->output);
}

uint64_t status_attempts(const struct task_row *row)
{
	return row->attempts > row->limits ? row->attempts - row->limits : 0;
}
