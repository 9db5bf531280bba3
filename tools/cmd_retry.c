/* bosk retry [TASK...]: tasks of a session. Items of a queue without one: retry_queue.c. */
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "retry_queue.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/answers.h"
#include "supervisor/config.h"
#include "supervisor/retry.h"

enum { ANSWERS_FILE_MAX = 1 << 20 };

static const struct cmd_option options[] = {
	{"run", 0, NULL, "resume the session at once"},
	{"answers", 0, "FILE", "answers to blocker questions (of bosk questions)"},
	{"queue", 0, "ID", "items of this queue that failed in no session"},
};

static bool has_some(const struct site *site, const char *sid, const struct manifest_row *m)
{
	struct session s;
	struct err ignored = {0};
	bool some = false;

	(void)m;
	if (session_load(&s, (struct site *)site, sid, &ignored) == 0) {
		AUTO_FREE char *fault = retry_fault(&s);
		for (size_t i = 0; !fault && i < s.plan.n; i++)
			some |= retry_fits(&s, i);
	}
	session_fini(&s);
	return some;
}

/* The session all the tasks named are in, or the only one with something to do again. */
static int find(const struct cmd_line *l, struct site *site, char sid[SEAL_SID], struct strv *ids,
                struct err *e)
{
	if (!l->rest.n)
		return session_find(site, NULL, "retry", has_some, sid, e);
	for (size_t i = 0; i < l->rest.n; i++) {
		struct session s;
		size_t task;
		int rc = session_find_task(&s, site, l->rest.v[i], &task, e);
		if (rc == 0 && i && !str_eq(s.sid, sid))
			rc = err_set(e, ERR_USAGE, "%s and %s are tasks of different sessions: one after the other",
			             l->rest.v[0], l->rest.v[i]);
		if (rc == 0) {
			snprintf(sid, SEAL_SID, "%s", s.sid);
			strv_add(ids, s.plan.tasks[task].id);
		}
		session_fini(&s);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int choose(struct session *s, const struct strv *ids, bool answered, bool *chosen, struct err *e)
{
	AUTO_FREE char *fault = retry_fault(s);
	size_t n = 0;

	if (fault)
		return err_set(e, ERR_USAGE, "%s", fault);
	for (size_t i = 0; i < s->plan.n; i++) {
		bool named = strv_has(ids, s->plan.tasks[i].id);
		chosen[i] = answered ? (named || !ids->n) && retry_answerable(s, i)
		                     : named ? retry_fits_named(s, i) : !ids->n && retry_fits(s, i);
		n += chosen[i];
		if (named && session_task_state(s, i) == TASK_RUNNING) /* nobody else has the session now */
			return err_set(e, ERR_USAGE, "task %s was interrupted: bosk resume %s does it again", s->plan.tasks[i].id,
			               s->sid);
		if (named && !chosen[i])
			return err_set(e, ERR_USAGE, "task %s is %s: only failed, blocked, conflicting and reverted tasks, "
			               "and stories closed in part, can be done again", s->plan.tasks[i].id, session_task_shown(s, i));
	}
	AUTO_FREE char *kept = retry_kept(s, chosen);
	if (kept)
		return err_set(e, ERR_USAGE, "task %s", kept);
	if (answered)
		return n ? 0 : err_set(e, ERR_USAGE, "session %s has no blocked or partial story", s->sid);
	return n ? 0 : err_set(e, ERR_USAGE, "session %s has no failed, blocked or conflicting task, and no story closed in part",
	                       s->sid);
}

/* The file of --answers. */
struct given {
	const char *file; /* NULL = none */
	struct str text;
};

static int read_answers(char **out, const struct session *s, const struct given *g, struct err *e)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str said = {0};

	if (!g->file || answers_read(out, s, g->file, str_text(&g->text), g->text.len, &faults) == 0)
		return 0;
	plan_faults_print(&faults, &said);
	plan_faults_fini(&faults);
	return err_set(e, ERR_USAGE, "%s", str_text(&said));
}

static int retry(struct site *site, const char *sid, const struct strv *ids, const struct given *g, uint64_t max_age_ms,
                 struct err *e)
{
	struct session s;
	AUTO_STRV struct strv back = {0};
	AUTO_FREE bool *chosen = NULL;
	AUTO_FREE char **answers = NULL;

	int rc = session_load_locked(&s, site, sid, e);
	if (rc == 0) {
		chosen = mem_array(s.plan.n, sizeof *chosen);
		answers = mem_array(s.plan.n, sizeof *answers);
		rc = choose(&s, ids, g->file != NULL, chosen, e);
	}
	if (rc == 0)
		rc = read_answers(answers, &s, g, e);
	if (rc == 0)
		rc = retry_tasks(&s, chosen, answers, max_age_ms, &back, e);
	for (size_t i = 0; answers && i < s.plan.n; i++)
		free(answers[i]);
	if (rc == 0) {
		printf("pending again:");
		for (size_t i = 0; i < back.n; i++)
			printf(" %s", back.v[i]);
		printf("\n");
	}
	session_fini(&s);
	return rc;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct err e = {0};
	AUTO_STRV struct strv ids = {0};
	char sid[SEAL_SID];
	int code = 0;

	if (getenv("BOSK_TASK")) {
		log_error("bosk retry inside a task (BOSK_TASK=%s) is refused", getenv("BOSK_TASK"));
		return 2;
	}
	if (cmd_flag(l, "run") && cmd_resume_kept(l) != 0)
		return 2;
	bool run_too = cmd_flag(l, "run"), answered = cmd_value(l, "answers") != NULL;
	AUTO_FREE char *queue = answered ? mem_strdup(cmd_value(l, "queue")) : NULL;
	if (!answered && retry_queue_meant(&queue, l, has_some, &e) != 0) {
		if (!run_too)
			return cmd_fail(&e);
		err_clear(&e); /* of what is in both a session is meant */
	}
	if (queue && (run_too || answered)) {
		log_error("bosk retry of items of queue %s: --run and --answers are for tasks of sessions: bosk retry --queue %s "
		          "without them, then bosk run --queue %s", queue, queue, queue);
		return 2;
	}
	if (queue)
		return retry_queue(l, queue);
	struct given given = {.file = cmd_value(l, "answers")};
	int rc = given.file ? fs_read(given.file, ANSWERS_FILE_MAX, &given.text, &e) : 0;
	if (rc != 0)
		err_set(&e, ERR_USAGE, "--answers %s cannot be read, or is too large", given.file);
	AUTO_FREE char *named = given.file && rc == 0 ? answers_session(str_text(&given.text), given.text.len) : NULL;
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_CHECK, &e);
	if (rc == 0 && named && !l->rest.n)
		rc = session_find(&site, named, "retry", NULL, sid, &e);
	else if (rc == 0)
		rc = find(l, &site, sid, &ids, &e);
	struct config config = {0};
	if (rc == 0)
		code = cmd_config(l, &site, &config);
	uint64_t max_age_ms = config.orphan_max_age_ms;
	config_fini(&config);
	site_close(&site);
	if (rc == 0 && !code)
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	if (rc == 0 && !code)
		rc = retry(&site, sid, &ids, &given, max_age_ms, &e);
	str_fini(&given.text);
	if (code) {
		/* said already */
	} else if (rc != 0) {
		code = cmd_fail(&e);
	} else if (cmd_flag(l, "run")) {
		fflush(stdout);
		code = cmd_resume_session(l, &site, sid);
	} else {
		printf("bosk resume %s\n", sid);
	}
	site_close(&site);
	return code;
}

const struct cmd cmd_retry_entry = {.name = "retry",
                                    .args = "[TASK...]",
                                    .summary = "failed, blocked, conflicting or partial tasks back to pending",
                                    .details =
	"TASK is a task of a session (SID/TASK). Of a queue it is an item that failed in no session, or an\n"
	"issue: S-1, QUE-x:S-1, ISS-1; with --queue ID, and without names, all of it that failed so. What\n"
	"was skipped because of it comes back too, and so does what was executing when it was added. An item\n"
	"that needs another one that failed is skipped until that one comes back. What was skipped or\n"
	"cancelled for itself, or taken out by bosk revert, comes back by its own name.\n"
	"A session whose queue somebody has claimed an item of (bosk next) waits until that is done.\n",
                                    CMD_OPTIONS(options),
                                    .max_rest = -1,
                                    .run = run};
