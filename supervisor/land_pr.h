/* land_pr: a branch pushed and a pull request opened for it, each once whatever crashed: the remote is asked what it has
 * before a push, and whether there is a pull request where a command that opens one may have run already. Never by force.
 * What fails is told, changes nothing else, and may be tried again. */
#ifndef BOSK_LAND_PR_H
#define BOSK_LAND_PR_H

#include "land.h"
#include "store/json.h"

/* What is to be pushed and asked for. All members are borrowed. */
struct land_pr {
	const char *commit, *branch; /* the commit, whole; the branch's name there */
	const char *title, *body;    /* one line; Markdown */
	const char *again;           /* what to type to try it again */
	size_t task;                 /* whose row it is recorded in; SIZE_MAX: the session's */
	bool draft;
	const struct config *config; /* pr.* and push_timeout */
};
/* For a session this process has locked. Returns -1 only when the system fails. */
int land_pr_one(struct session *s, const struct land_pr *pr, struct land_result *out, struct err *e);
/* The integration branch, with title and body from the report. It was looked whether that may be (land.h). */
int land_pr_by(struct session *s, const struct config *config, bool draft, const char *again, struct land_result *out,
               struct err *e);

/* ---- land_pr_text.c ---- */

/* "bosk: 2 tasks of p.yaml", and what is in it: for people who read Markdown, whatever the titles of tasks hold. Without
 * secrets. */
int land_pr_text(struct session *s, struct str *title, struct str *body, struct err *e);
/* For the report and `status`: what has become of it, lines that begin with `indent`; nothing where none was asked for. */
void land_pr_told(const struct session *s, const char *indent, struct str *out);
/* The same: "pull_request": {"url", "branch", "remote", "pushed", "opened", "reason"}, or null. */
void land_pr_json(const struct session *s, struct json_t *out);

/* ---- land_pr_command.c ---- */

/* The holes {title} {title_file} {body} {target} {branch} {remote} {commit} {draft} of a shell command become
 * words that expand variables: no value is ever read by the shell as anything else. `draft` without {draft}: --draft at the
 * end. */
void land_pr_command(struct str *out, const char *command, bool draft);

enum land_pr_end {
	LAND_PR_DONE,    /* exit 0 */
	LAND_PR_FAILED,  /* any other */
	LAND_PR_STOPPED, /* it was ended, because this process was asked to end; ... */
	LAND_PR_UNKNOWN  /* ... or otherwise: nobody knows what it did */
};
/* Runs it. *url: the last address that it printed, NULL = none; *why: one line, NULL when done. The caller frees both. */
enum land_pr_end land_pr_run(struct session *s, const struct land_pr *pr, const char *command, char **url, char **why);

#endif
