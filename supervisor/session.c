/* session: loading what the store knows of a session, and finding the one that is meant. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/mem.h"

/* ---- loading ---- */

struct listing {
	struct strv *ids;
	struct strv order; /* started_ms as sortable text, then sid */
};

static int unreadable(struct err *e, const char *key)
{
	return err_set(e, ERR_DAMAGED, "a row of the store, of %s, cannot be read: bosk verify --repair makes it again",
	               key);
}

static int list_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct listing *l = ctx;
	struct manifest_row m;

	if (rec_decode(&manifest_row_rec, &m, value, n, e) != 0)
		return unreadable(e, key);
	strv_addf(&l->order, "%020llu %s", (unsigned long long)m.started_ms, key);
	rec_fini(&manifest_row_rec, &m);
	return 0;
}

static int list_all(struct db_txn *t, void *ctx, struct err *e)
{
	return db_scan(t, DB_manifest, "", list_row, ctx, e);
}

int session_list(const struct site *site, struct strv *out, struct err *e)
{
	struct listing l = {out, {0}};

	*out = (struct strv){0};
	if (!site->db)
		return 0;
	int rc = db_read(site->db, list_all, &l, e);
	strv_sort(&l.order);
	for (size_t i = 0; rc == 0 && i < l.order.n; i++)
		strv_add(out, l.order.v[i] + 21);
	strv_fini(&l.order);
	return rc;
}

static int load_rec(const struct site *site, enum db_table table, const char *key,
                    const struct rec *r, void *out, struct err *e)
{
	AUTO_STR struct str value = {0};

	memset(out, 0, r->size);
	if (!site->db)
		return err_set(e, ERR_MISSING, "no session was ever started in this repository");
	if (db_load(site->db, table, key, &value, e) != 0)
		return -1;
	return rec_decode(r, out, value.p, value.len, e) == 0 ? 0 : unreadable(e, key);
}

int session_manifest(const struct site *site, const char *sid, struct manifest_row *out,
                     struct err *e)
{
	return load_rec(site, DB_manifest, sid, &manifest_row_rec, out, e);
}

struct loading {
	struct task_def *defs;
	struct task_row *rows;
	size_t n_defs, n_rows, cap;
};

static int task_row(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct loading *l = ctx;
	bool def = key[strlen(key) - 1] == 'd';
	size_t *at = def ? &l->n_defs : &l->n_rows;

	if (*at == l->cap)
		return err_set(e, ERR_DAMAGED, "more tasks in the store than the queue says: bosk verify --repair");
	int rc = def ? rec_decode(&task_def_rec, &l->defs[(*at)++], value, n, e)
	             : rec_decode(&task_row_rec, &l->rows[(*at)++], value, n, e);
	return rc == 0 ? 0 : unreadable(e, key);
}

struct task_scan {
	const char *prefix;
	struct loading *loading;
};

static int load_tasks(struct db_txn *t, void *ctx, struct err *e)
{
	struct task_scan *scan = ctx;
	return db_scan(t, DB_tasks, scan->prefix, task_row, scan->loading, e);
}

int session_load_head(struct session *out, struct site *site, const char *sid, struct err *e)
{
	AUTO_FREE char *tip_key = mem_printf("%s/tip", sid);
	AUTO_STR struct str tip = {0};

	*out = (struct session){.site = site, .lock_fd = -1};
	snprintf(out->sid, sizeof out->sid, "%s", sid);
	if (session_manifest(site, sid, &out->manifest, e) != 0) {
		if (e->kind == ERR_MISSING && site->db)
			return err_set(e, ERR_MISSING, "there is no session %s any more: nothing was started in it, or it was "
			               "forgotten", sid);
		return err_wrap(e, "session %s", sid);
	}
	if (load_rec(site, DB_sessions, sid, &session_row_rec, &out->row, e) != 0 ||
	    load_rec(site, DB_queues, out->row.queue, &queue_row_rec, &out->queue, e) != 0)
		return err_wrap(e, "session %s", sid);
	if (db_load(site->db, DB_integration, tip_key, &tip, e) != 0)
		return err_wrap(e, "session %s: integration tip", sid);
	out->tip = mem_strdup(str_text(&tip));
	return 0;
}

/* The tasks of the queue that out->row names, whose row is loaded. */
static int load_plan(struct session *out, struct err *e)
{
	size_t n = out->queue.tasks;
	AUTO_FREE char *prefix = mem_printf("%s/", out->row.queue);
	struct loading l = {mem_array(n, sizeof *l.defs), mem_array(n, sizeof *l.rows), 0, 0, n};
	struct task_scan scan = {prefix, &l};
	out->tasks = l.rows;
	out->plan.n = 0;
	int rc = db_read(out->site->db, load_tasks, &scan, e);
	if (rc == 0 && (l.n_defs != n || l.n_rows != n))
		rc = err_set(e, ERR_DAMAGED, "queue %s has %zu tasks, the store %zu: bosk verify --repair",
		             out->row.queue, n, l.n_defs);
	if (rc == 0) {
		rc = plan_from_defs(&out->plan, out->queue.kind, out->row.barrier, l.defs, n, e);
	} else {
		for (size_t i = 0; i < l.n_defs; i++)
			rec_fini(&task_def_rec, &l.defs[i]);
		free(l.defs);
	}
	if (rc != 0) {
		for (size_t i = 0; i < l.n_rows; i++)
			rec_fini(&task_row_rec, &l.rows[i]);
		free(l.rows);
		out->tasks = NULL;
	}
	return rc;
}

int session_load(struct session *out, struct site *site, const char *sid, struct err *e)
{
	if (session_load_head(out, site, sid, e) != 0)
		return -1;
	return load_plan(out, e) == 0 ? 0 : err_wrap(e, "session %s", sid);
}

int session_load_queue(struct session *out, struct site *site, const char *queue, struct err *e)
{
	*out = (struct session){.site = site, .lock_fd = -1};
	if (load_rec(site, DB_queues, queue, &queue_row_rec, &out->queue, e) != 0)
		return err_wrap(e, "queue %s", queue);
	out->row.queue = mem_strdup(queue);
	return load_plan(out, e) == 0 ? 0 : err_wrap(e, "queue %s", queue);
}

void session_fini(struct session *s)
{
	for (size_t i = 0; s->tasks && i < s->plan.n; i++)
		rec_fini(&task_row_rec, &s->tasks[i]);
	free(s->tasks);
	for (size_t i = 0; s->before && i < s->plan.n; i++)
		rec_fini(&task_row_rec, &s->before[i]);
	free(s->before);
	plan_fini(&s->plan);
	rec_fini(&manifest_row_rec, &s->manifest);
	rec_fini(&session_row_rec, &s->row);
	rec_fini(&queue_row_rec, &s->queue);
	planted_fini(&s->planted);
	free(s->tip);
	free(s->sign_late);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	*s = (struct session){.lock_fd = -1};
}

bool session_wake(const struct site *site, const char *sid)
{
	AUTO_FREE char *path = site_path(site, "sessions/%s.wake", sid);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	/* ENXIO: nobody reads. EAGAIN: so many bytes wait that it will wake up anyway. */
	return fd >= 0 && (write(fd, "!", 1) == 1 || errno == EAGAIN);
}

/* Opened for both ways: never at end of file, no writer waits. */
int session_wake_open(const struct site *site, const char *sid, struct err *e)
{
	AUTO_FREE char *path = site_path(site, "sessions/%s.wake", sid);

	if (mkfifo(path, 0600) != 0 && errno != EEXIST)
		return err_sys(e, "cannot make %s", path);
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "cannot open %s", path);
}

struct planted *session_guard(struct session *s)
{
	if (!s->planted.common_dir)
		planted_init(&s->planted, gitx_common_dir(s->site->git), &s->row.git_config);
	return &s->planted;
}

/* ---- names ---- */

char *session_task_key(const struct session *s, size_t task, char part)
{
	return mem_printf("%s/%06zu/%c", s->row.queue, task + 1, part);
}

char *session_journal_key(const struct session *s, uint64_t seq)
{
	return mem_printf("%s/%016llx", s->sid, (unsigned long long)seq);
}

char *session_result_key(const struct session *s, size_t task, uint64_t attempt, const char *hash)
{
	return mem_printf("%s/%06zu/%04llu/%.16s", s->row.queue, task + 1, (unsigned long long)attempt, hash);
}

size_t session_merge_slot(const struct session *s)
{
	const struct strv *paths = &s->manifest.worktrees;
	size_t last = paths->n - 1;
	bool own = last - s->manifest.own_at < s->manifest.own; /* the plan names it so */

	return paths->n && !own && str_ends(paths->v[last], "-merge") ? last : SIZE_MAX;
}

bool session_borrows(const struct session *s, size_t slot)
{
	return s->manifest.borrowed && str_eq(s->manifest.borrowed, s->manifest.worktrees.v[slot]);
}

char *session_int_ref(const struct session *s)
{
	return mem_printf("refs/bosk/int/%s", s->sid);
}

size_t session_task(const struct session *s, const char *id)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (str_eq(s->plan.tasks[i].id, id))
			return i;
	return SIZE_MAX;
}

enum task_state session_task_state(const struct session *s, size_t task)
{
	enum task_state state;
	return task_state_parse(s->tasks[task].state ? s->tasks[task].state : "", &state) ? state
	                                                                                  : TASK_WAITING;
}

const char *session_task_shown(const struct session *s, size_t task)
{
	enum task_state state = session_task_state(s, task);
	/* Looking who lives costs system calls: only for the few it matters to. */
	bool runs = state == TASK_RUNNING && (s->lock_fd >= 0 || session_live(s->site, s->sid));
	return runs || state != TASK_RUNNING ? task_state_shown(state) : "pending";
}

int session_intent(const struct session *s, const char *which, struct intent_row *out, bool *open,
                   struct err *e)
{
	AUTO_FREE char *key = mem_printf("%s/%s", s->sid, which);

	*open = false;
	if (load_rec(s->site, DB_integration, key, &intent_row_rec, out, e) != 0) {
		if (e->kind != ERR_MISSING)
			return err_wrap(e, "open %s of session %s", which, s->sid);
		err_clear(e);
		return 0;
	}
	*open = true;
	return 0;
}

int session_brings(bool *out, const struct session *s, size_t task, struct err *e)
{
	struct oid tip, merge;
	struct err gone = {0};

	*out = false;
	if (!s->tasks[task].merge || !oid_parse(&tip, s->tip) || !oid_parse(&merge, s->tasks[task].merge) ||
	    gitx_reaches(s->site->git, &tip, &merge, out, &gone) == 0 || !err_no_room(gone.kind))
		return 0;
	return err_set(e, gone.kind, "%s", gone.text);
}

char *session_task_branch(const char *pattern, const char *sid, const struct task_def *def)
{
	struct str out = {0};

	if (def->branch)
		return mem_strdup(def->branch);
	for (const char *p = pattern; *p;) {
		if (str_starts(p, "{session}")) {
			str_add(&out, sid);
			p += strlen("{session}");
		} else if (str_starts(p, "{task}")) {
			str_add(&out, def->id);
			p += strlen("{task}");
		} else {
			str_addc(&out, *p++);
		}
	}
	return str_take(&out);
}
