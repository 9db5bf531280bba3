/* bosk questions [SID] */
#include "cmd.h"
#include "supervisor/answers.h"
#include "supervisor/retry.h"
#include "supervisor/site.h"

/* Has it a story that waits for answers, or for a human? */
static bool has_some(const struct site *site, const char *sid, const struct manifest_row *m)
{
	struct session s;
	struct err ignored = {0};
	bool some = false;

	(void)m;
	if (session_load(&s, (struct site *)site, sid, &ignored) == 0)
		for (size_t i = 0; i < s.plan.n; i++)
			some |= retry_answerable(&s, i) || s.plan.tasks[i].human.n || s.tasks[i].human.n ||
			        s.tasks[i].questions.n;
	session_fini(&s);
	return some;
}

static int run(const struct cmd_line *l)
{
	struct site site;
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	AUTO_STR struct str out = {0};
	char sid[SEAL_SID];
	const char *name = cmd_word(l, 0);

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = session_find(&site, name, "questions", name ? NULL : has_some, sid, &e);
	if (rc == 0)
		rc = session_load(&s, &site, sid, &e);
	if (rc == 0)
		answers_write(&s, &out);
	session_fini(&s);
	site_close(&site);
	if (rc != 0)
		return cmd_fail(&e);
	cmd_print(&out);
	return 0;
}

const struct cmd cmd_questions_entry = {.name = "questions",
                                        .args = "[SID]",
                                        .summary = "blocker questions, ready to answer",
                                        .max_rest = 1,
                                        .run = run};
