/* bosk revert TASK */
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/revert.h"

static const struct cmd_option options[] = {
	{"with-dependents", 0, NULL, "and what needs it, before it"},
};

/* Exits with 0 when it is out, also when it was before. */
static int show(const struct session *s, struct revert_result *r)
{
	if (r->text.len) {
		str_addc(&r->text, '\n');
		cmd_show(&r->text, r->done ? stdout : stderr);
	}
	if (r->tasks.n)
		printf("reverted:");
	for (size_t i = 0; i < r->tasks.n; i++)
		printf(" %s", r->tasks.v[i]);
	if (r->tasks.n)
		printf("\n");
	for (size_t i = 0; i < r->open.n && r->tasks.n; i++)
		log_info("%s needs what was taken out, and is skipped by a resume", r->open.v[i]);
	if (r->done && str_eq(s->manifest.state, "stopped"))
		printf("bosk resume %s\n", s->sid);
	return r->done ? 0 : 1;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct session s = {.lock_fd = -1};
	struct revert_result result = {0};
	struct err e = {0};
	AUTO_FREE char *id = NULL;
	char sid[SEAL_SID];
	size_t task;

	if (getenv("BOSK_TASK")) {
		log_error("bosk revert inside a task (BOSK_TASK=%s) is refused", getenv("BOSK_TASK"));
		return 2;
	}
	int rc = cmd_git(&e);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_CHECK, &e);
	if (rc == 0)
		rc = session_find_task(&s, &site, cmd_word(l, 0), &task, &e);
	if (rc == 0) {
		snprintf(sid, sizeof sid, "%s", s.sid);
		id = mem_strdup(s.plan.tasks[task].id);
	}
	session_fini(&s);
	site_close(&site);
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	if (rc == 0)
		rc = session_load_locked(&s, &site, sid, &e);
	if (rc == 0 && (task = session_task(&s, id)) == SIZE_MAX)
		rc = err_set(&e, ERR_USAGE, "session %s has no task %s any more", sid, id);
	if (rc == 0)
		rc = revert_task(&s, task, cmd_flag(l, "with-dependents"), &result, &e);
	int code = rc == 0 ? show(&s, &result) : cmd_fail(&e);
	revert_result_fini(&result);
	session_fini(&s);
	site_close(&site);
	return code;
}

const struct cmd cmd_revert_entry = {.name = "revert",
                                     .args = "TASK",
                                     .summary = "take an integrated task out again",
                                     .details =
	"What the task changed is undone by a commit on its session's integration branch; its merge and\n"
	"what it was stay in the history. Refused, and named: tasks that need it and are integrated\n"
	"(--with-dependents takes them out, too), a conflict with what came later, and what has landed.\n"
	"No gate has run on what is left: bosk resume runs them, and ends the session again; then it can\n"
	"land. Nobody does the task again by itself: bosk retry TASK does, on what the branch is then.\n"
	"Other formats have no word for it: a segment is failed, an item of a queue pending when it is\n"
	"exported, a story an error.\n",
                                     CMD_OPTIONS(options),
                                     .min_rest = 1,
                                     .max_rest = 1,
                                     .run = run};
