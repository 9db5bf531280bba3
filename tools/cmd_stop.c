/* bosk stop [SID]: a request in the store, then one byte to the session's FIFO. Signals by pid are
 * never sent to another session (architecture 3). */
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/session.h"

static const struct cmd_option options[] = {
	{"now", 0, NULL, "stop agents too, and save their work"},
};

static bool is_live(const struct site *site, const char *sid, const struct manifest_row *m)
{
	return session_owned(site, sid, m);
}

struct asking {
	const char *sid, *key;
	const struct str *request;
};

/* Only of a session that there is: it may be forgotten at this moment, because nothing was started in it. */
static int put_request(struct db_txn *t, void *ctx, struct err *e)
{
	const struct asking *a = ctx;
	const void *value;
	size_t n;

	if (db_get(t, DB_manifest, a->sid, &value, &n, e) != 0)
		return e->kind == ERR_MISSING ? err_set(e, ERR_USAGE, "session %s ended meanwhile", a->sid) : -1;
	return db_put(t, DB_requests, a->key, a->request->p, a->request->len, e);
}

static int ask(struct site *site, const char *sid, bool now, struct err *e)
{
	AUTO_FREE char *key = NULL;
	AUTO_STR struct str bytes = {0};
	uint64_t random;
	struct request_row row = {.kind = (char *)(now ? "stop-now" : "stop"),
	                          .time_ms = clock_wall_ms(),
	                          .pid = (uint64_t)getpid()};

	struct manifest_row m;
	if (session_manifest(site, sid, &m, e) != 0)
		return -1;
	bool owned = session_owned(site, sid, &m);
	rec_fini(&manifest_row_rec, &m);
	if (!owned)
		return err_set(e, ERR_USAGE, "session %s is not running", sid);
	seal_random(&random, sizeof random);
	key = mem_printf("%s/%016llx", sid, (unsigned long long)random);
	rec_encode(&request_row_rec, &row, &bytes);
	struct asking asking = {sid, key, &bytes};
	if (db_write(site->db, put_request, &asking, e) != 0)
		return -1;
	if (session_wake(site, sid))
		return 0;
	/* Nobody reads: it died meanwhile. What was refused must not be obeyed later on. */
	struct err ignored = {0};
	struct db_batch batch = {0};
	db_batch_del(&batch, DB_requests, key);
	db_batch_write(site->db, &batch, &ignored);
	db_batch_clear(&batch);
	return err_set(e, ERR_USAGE, "session %s ended meanwhile, or %s/sessions/%s.wake was removed: Ctrl-C in "
	               "its own terminal stops it too", sid, site->state_dir, sid);
}

static int run(const struct cmd_line *l)
{
	struct site site;
	struct err e = {0};
	char sid[SEAL_SID];

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = session_find(&site, cmd_word(l, 0), "stop", is_live, sid, &e);
	site_close(&site);
	/* Only now for writing: asking about sessions makes no store where there is none. */
	if (rc == 0)
		rc = site_open(&site, l->dir, SITE_WRITE, &e);
	if (rc == 0)
		rc = ask(&site, sid, cmd_flag(l, "now"), &e);
	site_close(&site);
	if (rc != 0)
		return cmd_fail(&e);
	printf("session %s was asked to stop\n", sid);
	return 0;
}

const struct cmd cmd_stop_entry = {.name = "stop",
                                   .args = "[SID]",
                                   .summary = "let a session finish what runs, and stop",
                                   CMD_OPTIONS(options),
                                   .max_rest = 1,
                                   .run = run};
