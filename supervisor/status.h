/* status: what the store says of sessions and tasks, as JSON (interface.md) and as text. Reads only. */
#ifndef BOSK_STATUS_H
#define BOSK_STATUS_H

#include "session.h"

/* `bosk status --json`: all sessions, or the one named. `pretty`: else in one line. */
int status_json(struct site *site, const char *sid, bool pretty, struct str *out, struct err *e);
/* For people: a block per session, a line per task. */
int status_text(struct site *site, const char *sid, struct str *out, struct err *e);

/* ---- shared by status*.c ---- */
enum { STATUS_LARGE = 1000 }; /* more tasks than that are counted, not listed */
struct status_count {
	size_t total, of[16]; /* in the order of status.c's list of shown states */
};
void status_count(struct status_count *c, const char *shown, size_t n);
void status_head(const struct session *s, const struct status_count *c, struct str *out);
int status_large(struct session *head, struct str *out, struct err *e); /* session_load_head is enough */

/* Number of tasks shown in each state, "total" included, zeros left out; for texts. */
void status_counts(const struct session *s, struct str *out); /* "12 tasks: 10 integrated, 2 failed" */

/* What the session waits for that others have, for people: see claim_text. */
bool status_waits(const struct session *s, struct str *out, struct strv *holders);

/* ---- status_spent.c ---- */
struct json_t;
/* Accounts that something is known against; NULL = the store cannot be read. */
struct json_t *status_accounts_json(const struct site *site, struct err *e);
int status_accounts_text(const struct site *site, struct str *out, struct err *e);
/* What the session waits for, or waited for when it stopped, and for how long yet; a whole line. */
void status_awaits_text(const struct session *s, const char *indent, const char *state, struct str *out);
struct status_spent {
	uint64_t input, cached, output, cost_micro, runs, unpriced;
};
struct status_spent status_spent_task(const struct task_row *row);
struct status_spent status_spent_session(const struct session *s);
void status_spent_text(const struct status_spent *n, struct str *out);
void status_spent_json(const struct status_spent *n, struct json_t *j);
uint64_t status_attempts(const struct task_row *row); /* that count: not those that an account's limit ended */

/* How long a task took, and in how many attempts when more than one: "12 s, 2 attempts". */
void status_took(const struct task_row *row, struct str *out);

/* The morning report. */
int report_text(struct session *s, struct str *out, struct err *e);
int report_json(struct session *s, struct str *out, struct err *e);
int report_yaml(struct session *s, struct str *out, struct err *e); /* execution_result of segments */

/* Dead sessions of the repository: pid, age, leftovers, and what to type. "" when there is none. `cleaned`: also
 * those of which nothing is left. */
int status_dead(struct site *site, bool cleaned, struct str *out, struct err *e);

#endif
