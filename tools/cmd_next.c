/* bosk next [ITEM]: an item of a queue for an outside executor. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "store/base/log.h"
#include "supervisor/config.h"
#include "supervisor/queue/item_json.h"
#include "supervisor/queue/next.h"

static const struct cmd_option options[] = {
	{"queue", 0, "ID", "an item of this queue"},
	{"claim", 0, "TOKEN", "the item of this claim again (default: BOSK_CLAIM)"},
};

static void say(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		log_info("%s", lines->v[i]);
}

/* Nothing was claimed: what is printed, and the exit code. */
static int say_none(const struct next *n, struct str *out)
{
	switch (n->found) {
	case NEXT_COMPLETED:
		item_json_status("completed", n->queue, "all items are completed", out);
		return 0;
	case NEXT_FAILED:
		item_json_status("failed", n->queue, "all items have ended, and some failed or were skipped: bosk retry makes what failed "
		                 "pending again, bosk retry ITEM what was skipped", out);
		return 1;
	case NEXT_NOTHING:
		item_json_status("empty", NULL, "there is no queue: bosk queue add FILE", out);
		return 2;
	case NEXT_EMPTY:
	case NEXT_ITEM:
		break;
	}
	item_json_status("empty", n->queue, "no item is ready", out);
	return 1;
}

/* What was refused is said in the JSON too, for those who read nothing else. */
static int refused(const struct err *e, const struct cmd_line *l, const struct next *n, struct str *out)
{
	if (e->kind != ERR_MISSING && e->kind != ERR_MOVED && e->kind != ERR_HELD)
		return cmd_fail(e);
	item_json_status(e->kind == ERR_MISSING && !cmd_word(l, 0) ? "empty" : "error", n->queue, e->text, out);
	return cmd_fail(e);
}

static int run(const struct cmd_line *l)
{
	const char *given = cmd_value(l, "claim"), *env = getenv("BOSK_CLAIM");
	const char *token = given ? given : env && *env ? env : NULL;
	/* A shell keeps in its environment the claim of the item that it has just done. */
	struct next_asked asked = {.item = cmd_word(l, 0), .queue = cmd_value(l, "queue"), .token = token, .that_only = given};
	struct config config = {0};
	struct site site = {0};
	struct next n = {0};
	struct err e = {0};
	AUTO_STR struct str out = {0};

	if (getenv("BOSK_TASK")) {
		log_error("bosk next inside a task (BOSK_TASK=%s) is refused", getenv("BOSK_TASK"));
		return 2;
	}
	int rc = site_open(&site, l->dir, SITE_CHECK, &e);
	int code = rc == 0 ? cmd_config(l, &site, &config) : cmd_fail(&e);
	asked.max_age_ms = config.orphan_max_age_ms;
	config_fini(&config);
	bool store = site.db != NULL;
	if (!code && store) {
		site_close(&site);
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	}
	if (!code) {
		if (rc == 0)
			rc = next_claim(&n, &site, &asked, &e);
		say(&n.released);
		if (rc != 0 || n.found != NEXT_ITEM)
			say(&n.young);
		if (rc != 0) {
			code = refused(&e, l, &n, &out);
		} else if (n.found == NEXT_ITEM) {
			item_json_next(&n, &out);
		} else {
			code = say_none(&n, &out);
		}
		say(&n.waiting);
		cmd_print(&out);
	}
	next_fini(&n);
	site_close(&site);
	return code;
}

const struct cmd cmd_next_entry = {.name = "next",
                                   .args = "[ITEM]",
                                   .summary = "claim the next item of a queue",
                                   .details =
	"For an executor that is not bosk: the first item that is ready, in the order of execution, of the\n"
	"first active queue that has one; with ITEM (S-1, or QUE-x:S-1) that one. It is printed as JSON with\n"
	"its whole solution, and is the caller's until bosk done: `claim` is the token that says so elsewhere\n"
	"(--claim, or BOSK_CLAIM in the environment). An item that is claimed is given again (`resumed`) only\n"
	"to who gives that token, or names it and is the same process. An item whose owner died is given to\n"
	"others after orphans.max_age (4h).\n",
                                   CMD_OPTIONS(options),
                                   .max_rest = 1,
                                   .run = run};
