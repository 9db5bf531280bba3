/* retry_queue: which queue is meant, and its items back to pending. */
#include "retry_queue.h"

#include <string.h>

#include "store/base/mem.h"
#include "supervisor/queue/again.h"

/* The sessions that have something to do again; with `name` those that have a task of that id. */
static int sessions_with(struct strv *out, struct site *site, const char *name, session_fits *some, struct err *e)
{
	AUTO_STRV struct strv ids = {0};

	if (session_list(site, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct manifest_row m;
		struct session s = {.lock_fd = -1};
		struct err gone = {0};
		if (!name && session_manifest(site, ids.v[i], &m, &gone) == 0) {
			if (some(site, ids.v[i], &m))
				strv_add(out, ids.v[i]);
			rec_fini(&manifest_row_rec, &m);
		} else if (name && session_load(&s, site, ids.v[i], &gone) == 0 && session_task(&s, name) != SIZE_MAX) {
			strv_add(out, ids.v[i]);
		}
		session_fini(&s);
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
	if (rc == 0 && name && !queues.n)
		rc = again_find(&queues, site, name, false, e);
	bool sure = name && strchr(name, ':');
	if (rc == 0 && queues.n && !sure)
		rc = sessions_with(&sessions, site, name, some, e);
	if (rc != 0 || !queues.n)
		return rc;
	/* A queue that a session has worked on is the session's. */
	bool only = queues.n == 1 && !sessions.n;
	if (only)
		*queue = mem_strdup(queues.v[0]);
	if (only || sure)
		return 0;
	AUTO_STRV struct strv free_ones = {0};
	rc = again_find(&free_ones, site, name, true, e);
	if (rc != 0 || !free_ones.n)
		return rc; /* the session's way says what is wrong */
	return several(&free_ones, &sessions, name, e);
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

int retry_queue(const struct cmd_line *l, const char *queue)
{
	struct site site = {0};
	struct err e = {0};
	AUTO_STRV struct strv back = {0};
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
		rc = again_items(&site, queue, &l->rest, &back, &e);
	site_close(&site);
	if (rc != 0)
		return cmd_fail(&e);
	str_addf(&text, "pending again in queue %s:", queue);
	for (size_t i = 0; i < back.n; i++)
		str_addf(&text, " %s", back.v[i]);
	str_addf(&text, "\nbosk next --queue %s\n", queue);
	cmd_print(&text);
	return 0;
}
