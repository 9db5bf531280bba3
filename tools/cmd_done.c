/* bosk done ITEM: what became of an item of a queue, said by who worked on it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "supervisor/queue/done.h"
#include "worker/secret.h"

enum { RESULT_MAX = 1 << 20 };

static const struct cmd_option options[] = {
	{"result", 0, "JSON", "what was done"},
	{"result-file", 0, "FILE", "the same from a file, - = standard input"},
	{"fail", 0, NULL, "it failed"},
	{"reason", 0, "TEXT", "why: a text, or failure details as JSON"},
	{"claim", 0, "TOKEN", "the claim of bosk next (default: BOSK_CLAIM)"},
	{"queue", 0, "ID", "of this queue"},
};

static int read_input(struct str *out, struct err *e)
{
	char buffer[1 << 16];

	for (ssize_t n; (n = read(STDIN_FILENO, buffer, sizeof buffer)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the result from standard input");
		str_addn(out, buffer, (size_t)n);
		if (out->len > RESULT_MAX)
			break;
	}
	return 0;
}

static int read_given(const struct cmd_line *l, struct str *out, struct err *e)
{
	const char *text = cmd_value(l, "result"), *file = cmd_value(l, "result-file");
	int rc = 0;

	if (text && file)
		return err_set(e, ERR_USAGE, "--result and --result-file: not both");
	if (text)
		str_add(out, text);
	else if (str_eq(file, "-"))
		rc = read_input(out, e);
	else if (file)
		rc = fs_read(file, RESULT_MAX + 1, out, e);
	if (rc == 0 && out->len > RESULT_MAX)
		rc = err_set(e, ERR_USAGE, "the result has more than 1 MiB: nothing was recorded");
	if (rc == 0 && out->len && memchr(out->p, 0, out->len))
		rc = err_set(e, ERR_USAGE, "the result has a NUL byte: nothing was recorded");
	return rc;
}

/* Owned by the caller; NULL = none was given. */
static char *result_of(struct str *given)
{
	AUTO_FREE char *bad = NULL;

	if (!given->len)
		return NULL;
	secret_hide(given);
	char *result = done_result(given->p, &bad);
	if (bad)
		log_warn("the result is kept as text: %s", bad);
	return result;
}

static char *failure_of(const struct cmd_line *l)
{
	AUTO_FREE char *reason = secret_hidden(cmd_value(l, "reason"));
	return cmd_flag(l, "fail") ? done_failure(reason ? reason : "no reason was given") : NULL;
}

static void say(const struct done *d, bool failed)
{
	AUTO_STR struct str text = {0};

	str_addf(&text, "%s:%s is %s; %zu of %zu are completed\n", d->queue, d->item, failed ? "failed" : "completed",
	         d->completed, d->total);
	for (size_t i = 0; i < d->skipped.n; i++)
		str_addf(&text, "%s%s%s", i ? " " : "skipped because of it: ", d->skipped.v[i],
		         i + 1 == d->skipped.n ? "\n" : "");
	if (d->issue_is)
		str_addf(&text, "issue %s is %s\n", d->issue, d->issue_is);
	if (!str_eq(d->queue_is, "active"))
		str_addf(&text, "queue %s is %s\n", d->queue, d->queue_is);
	if (failed)
		str_addf(&text, "again: bosk retry %s:%s\n", d->queue, d->item);
	cmd_print(&text);
	for (size_t i = 0; i < d->early.n; i++)
		log_warn("%s depends on %s, which is not completed", d->item, d->early.v[i]);
}

/* Of a task of a session: what it says is read when it ends. The store is not touched. */
static int tell_session(const char *result, const char *failure)
{
	const char *file = getenv("BOSK_RESULT_FILE");
	struct err e = {0};
	AUTO_STR struct str text = {0};

	if (failure)
		str_addf(&text, "{\"status\":\"failed\",\"failure_details\":%s%s%s}\n", failure, result ? ",\"result\":" : "",
		         result ? result : "");
	else
		str_addf(&text, "%s\n", result ? result : "{\"status\":\"completed\"}");
	if (!file || fs_write(file, text.p, text.len, false, &e) != 0) {
		log_error("%s", file ? e.text : "there is no BOSK_RESULT_FILE, though BOSK_TASK is set");
		return 4;
	}
	log_info("task %s: noted in its result file", getenv("BOSK_TASK"));
	return 0;
}

static int record(const struct cmd_line *l, const char *result, const char *failure)
{
	const char *given = cmd_value(l, "claim"), *env = getenv("BOSK_CLAIM");
	const char *token = given ? given : env && *env ? env : NULL;
	struct done_asked asked = {cmd_word(l, 0), cmd_value(l, "queue"), token, result, failure};
	struct site site = {0};
	struct done d = {0};
	struct err e = {0};
	AUTO_STR struct str commit = {0};
	int code = 0;

	int rc = site_open(&site, l->dir, SITE_CHECK, &e);
	if (rc == 0 && site.db) {
		site_close(&site);
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	}
	if (rc == 0)
		rc = done_record(&d, &site, &asked, &e);
	if (rc == 0) {
		say(&d, failure != NULL);
		if (result)
			done_check_commit(&site, d.item, result, &commit);
		if (commit.len)
			log_warn("%s", commit.p);
	} else {
		code = cmd_fail(&e);
	}
	done_fini(&d);
	site_close(&site);
	return code;
}

static int run(const struct cmd_line *l)
{
	struct err e = {0};
	AUTO_STR struct str given = {0};

	if (cmd_value(l, "reason") && !cmd_flag(l, "fail")) {
		log_error("bosk done: --reason goes with --fail");
		return 2;
	}
	if (read_given(l, &given, &e) != 0)
		return cmd_fail(&e);
	const char *task = getenv("BOSK_TASK"), *colon = strrchr(cmd_word(l, 0), ':');
	if (task && !str_eq(colon ? colon + 1 : cmd_word(l, 0), task)) {
		log_error("bosk done %s inside task %s: a task says only what became of itself; nothing was recorded",
		          cmd_word(l, 0), task);
		return 2;
	}
	AUTO_FREE char *result = result_of(&given), *failure = failure_of(l);
	return task ? tell_session(result, failure) : record(l, result, failure);
}

const struct cmd cmd_done_entry = {.name = "done",
                                   .args = "ITEM",
                                   .summary = "say what became of an item of a queue",
                                   .details =
	"ITEM is S-1 or QUE-x:S-1. Who has claimed it (bosk next) says so by the token, or by being the\n"
	"process that did, or one that it started; an item that nobody has claimed may be ended by\n"
	"anybody, also one that was executing when its queue was added: who had it has no token. A token\n"
	"that is given must be the item's. S-1 alone is the one you have claimed; if you have none, and\n"
	"several active queues have an S-1, its queue must be said. What depends on an item\n"
	"that failed is skipped; bosk retry brings both back. A result that is no JSON is kept as text, with\n"
	"a warning. Inside a task of bosk's, ITEM is that task: it is written into $BOSK_RESULT_FILE only.\n",
                                   CMD_OPTIONS(options),
                                   .min_rest = 1,
                                   .max_rest = 1,
                                   .run = run};
