/* retry_queue: which queue is meant, and its items back to pending. */
#include "retry_queue.h"

#include <string.h>

#include "store/base/mem.h"
#include "supervisor/queue/again.h"
#include "supervisor/retry.h"

static bool can(struct session *s, const char *name)
{
	size_t task = session_task(s, name);
	AUTO_FREE char *fault = retry_fault(s);

	return task != SIZE_MAX && !fault && retry_fits_named(s, task);
}

/* The sessions that have something to do again; with `name` those that have a task of that id, with `fit` one that they
 * can do again. Their queues are taken out of `queues`, then: they are theirs. */
static int sessions_with(struct strv *out, struct strv *queues, struct site *site, const char *name, bool fit,
                         session_fits *some, struct err *e)
{
	AUTO_STRV struct strv ids = {0}, theirs = {0}, left = {0};

	if (session_list(site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct manifest_row m;
		struct session s = {.lock_fd = -1};
		struct err gone = {0};
		if (session_manifest(site, ids.v[i], &m, &gone) != 0)
			continue;
		bool with = name ? session_load(&s, site, ids.v[i], &gone) == 0 &&
		                           (fit ? can(&s, name) : session_task(&s, name) != SIZE_MAX)
		                 : some(site, ids.v[i], &m);
		if (with) {
			strv_add(out, ids.v[i]);
			strv_add(&theirs, m.queue);
		}
		session_fini(&s);
		rec_fini(&manifest_row_rec, &m);
	}
	for (size_t i = 0; fit && i < queues->n; i++)
		if (!strv_has(&theirs, queues->v[i]))
			strv_add(&left, queues->v[i]);
	if (fit) {
		strv_fini(queues);
		strv_copy(queues, &left);
	}
	return 0;
}

static int several(const struct strv *queues, const struct strv *sessions, const char *name, struct err *e)
{
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < queues->n; i++)
		if (name)
			str_addf(&text, "\n  bosk retry %s:%s", queues->v[i], name);
		else
			str_addf(&text, "\n  bosk retry --queue %s", queues->v[i]);
	for (size_t i = 0; i < sessions->n; i++)
		str_addf(&text, "\n  bosk retry %s/%s", sessions->v[i], name ? name : "TASK");
	return err_set(e, ERR_USAGE, "bosk retry: say which is meant:%s", text.p);
}

/* By one name, or without any. */
static int meant(char **queue, struct site *site, const char *name, session_fits *some, struct err *e)
{
	AUTO_STRV struct strv queues = {0}, sessions = {0};

	if (name && strchr(name, '/'))
		return 0;
	int rc = again_find(&queues, site, name, true, e);
	bool fit = queues.n, sure = name && strchr(name, ':');
	if (rc == 0 && !name && !fit) /* where there is no session, the queue's way says what is wrong */
		rc = session_list(site, &sessions, e);
	if (rc == 0 && !fit && !sessions.n)
		rc = again_find(&queues, site, name, false, e);
	strv_fini(&sessions);
	if (rc == 0 && queues.n && !sure)
		rc = sessions_with(&sessions, &queues, site, name, fit, some, e);
	if (rc != 0 || !queues.n)
		return rc;
	bool only = queues.n == 1 && !sessions.n;
	if (only)
		*queue = mem_strdup(queues.v[0]);
	/* Where nothing fits, the session's way says what is wrong. */
	return only || sure || (name && !fit) ? 0 : several(&queues, &sessions, name, e);
}

int retry_queue_meant(char **queue, const struct cmd_line *l, session_fits *some, struct err *e)
{
	struct site site = {0};
	const char *given = cmd_value(l, "queue");
	int rc = 0;

	*queue = mem_strdup(given);
	if (given)
		return 0;
	rc = site_open(&site, l->dir, SITE_CHECK, e);
	if (rc == 0)
		rc = meant(queue, &site, cmd_word(l, 0), some, e);
	site_close(&site);
	return rc;
}

static void add_names(struct str *out, const char *what, const char *queue, const struct strv *names)
{
	str_addf(out, "%s in queue %s:", what, queue);
	for (size_t i = 0; i < names->n; i++)
		str_addf(out, " %s", names->v[i]);
	str_addc(out, '\n');
}

int retry_queue(const struct cmd_line *l, const char *queue)
{
	struct site site = {0};
	struct err e = {0};
	struct again again = {0};
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < l->rest.n; i++) {
		const char *colon = strrchr(l->rest.v[i], ':');
		size_t n = colon ? (size_t)(colon - l->rest.v[i]) : 0;
		if (colon && (n != strlen(queue) || memcmp(queue, l->rest.v[i], n) != 0)) {
			err_set(&e, ERR_USAGE, "%s is not of queue %s: one queue after the other", l->rest.v[i], queue);
			return cmd_fail(&e);
		}
	}
	int rc = site_open(&site, l->dir, SITE_CHECK, &e);
	if (rc == 0 && site.db) {
		site_close(&site);
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	}
	if (rc == 0)
		rc = again_items(&again, &site, queue, &l->rest, &e);
	site_close(&site);
	if (rc == 0 && again.back.n)
		add_names(&text, "pending again", queue, &again.back);
	if (rc == 0 && again.skipped.n)
		add_names(&text, "skipped, as something else that they need failed", queue, &again.skipped);
	if (rc == 0 && again.back.n)
		str_addf(&text, "bosk next --queue %s\n", queue);
	again_fini(&again);
	if (rc != 0)
		return cmd_fail(&e);
	cmd_print(&text);
	return 0;
}
