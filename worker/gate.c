/* gate: running gates in the worktree. */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alone.h"
#include "excerpt.h"
#include "pathglob.h"
#include "job.h"
#include "leak_gate.h"
#include "plain.h"
#include "runtime.h"
#include "secret.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "verdict.h"

enum { NOTICE_MS = 1000 };

void gate_report_fini(struct gate_report *r)
{
	strv_fini(&r->verdicts);
	strv_fini(&r->flaky);
	strv_fini(&r->reds);
	free(r->red);
	free(r->red_run);
	free(r->verdict);
	free(r->why);
	free(r->said);
	*r = (struct gate_report){0};
}

/* A gate with `paths` runs when a changed path matches one of its globs; a folder covers what is below. */
static bool touches(const struct msg_gate *g, const struct strv *changed)
{
	if (!g->paths.n || !changed)
		return true;
	for (size_t i = 0; i < g->paths.n; i++)
		for (size_t k = 0; k < changed->n; k++)
			if (pathglob_match(g->paths.v[i], changed->v[k], FNM_LEADING_DIR))
				return true;
	return false;
}

/* ---- one at a time ---- */

/* Waiting does not count as the gate's time. Who waits noticeably long says so. */
static int lock_one(struct slot *s, const struct msg_gate *g, const char *path, const char *what, int *fd, struct err *e)
{
	AUTO_FREE char *waits = mem_printf("for %s (gate %s)", what, g->name);
	struct git soon = s->git;

	soon.timeout_ms = NOTICE_MS;
	int rc = git_lock(&soon, path, fd, e);
	if (rc == 0 || e->kind != ERR_HELD)
		return rc;
	err_clear(e);
	slot_progress(s, "wait", waits, "");
	rc = git_lock(&s->git, path, fd, e);
	slot_progress(s, "gate", g->name, "");
	return rc;
}

/* An agent may remove a lock file while it is held, and who comes next makes a new one: a name in the kernel stays. */
static int name_one(struct slot *s, const struct msg_gate *g, const char *folder, const char *lock, const char *what, int *fd,
                    struct err *e)
{
	AUTO_FREE char *waits = mem_printf("for %s (gate %s)", what, g->name), *name = alone_name(folder, lock, e);
	int other;

	if (!name)
		return -1;
	while ((*fd = alone_take(name, &other)) < 0 && other >= 0) {
		AUTO_CLOSE int holder = other;
		slot_progress(s, "wait", waits, "");
		bool free_now = slot_wait_fd(s, holder);
		slot_progress(s, "gate", g->name, "");
		if (!free_now)
			return err_set(e, ERR_GONE, "the wait for %s was ended", what);
	}
	return 0;
}

struct held { /* descriptors that hold it */
	int file[2], name[2];
};

static void let_go(struct held *t)
{
	for (int i = 0; i < 2; i++) {
		mem_closep(&t->file[i]);
		mem_closep(&t->name[i]);
	}
}

/* Its turn in this repository, then on the machine. */
static int lock_all(struct slot *s, const struct msg_gate *g, struct held *t, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/gate-%s.lock", s->init.state_dir, g->name), *dir = NULL, *wide = NULL, *parent = NULL;
	static const char here[] = "its turn in this repository";

	if (g->exclusive && (lock_one(s, g, path, here, &t->file[0], e) != 0 ||
	                     name_one(s, g, s->init.common_dir, g->name, here, &t->name[0], e) != 0))
		return -1;
	if (!g->lock)
		return 0;
	if (!(dir = runtime_dir(e)))
		return -1;
	wide = mem_printf("%s/gate-%s.lock", dir, g->lock);
	parent = mem_printf("%s/..", dir); /* the folder itself may be another one by then */
	return lock_one(s, g, wide, g->lock, &t->file[1], e) != 0 ||
	                       name_one(s, g, parent, g->lock, g->lock, &t->name[1], e) != 0 ? -1 : 0;
}

/* ---- one run ---- */

struct listener {
	struct excerpt *excerpt;
	struct tally tally;
};

static void listen_line(void *ctx, const char *line, size_t n)
{
	struct listener *l = ctx;

	excerpt_line(l->excerpt, line, n);
	tally_line(&l->tally, line, n);
}

struct outcome {
	const char *verdict; /* static; NULL = stopped */
	bool no_room;
	uint64_t ms, run;    /* which run it was, from 1 */
	struct str why, said;
};

/* What is one word now may have been two with a change of colour between them. */
static void hide_again(struct str *said)
{
	secret_hide(said);
	while (said->len > EXCERPT_MAX) { /* a mark may be longer than what it is in place of */
		said->p[--said->len] = '\0';
		while (said->len && said->p[said->len - 1] != '\n')
			said->p[--said->len] = '\0';
	}
}

static int run_once(struct slot *s, const struct msg_gate *g, const struct gate_runs *how, const char *log_path,
                    bool *again, struct outcome *out, struct err *e)
{
	struct listener l = {.excerpt = excerpt_new()};
	struct plain *plain = plain_new(listen_line, &l);
	struct job_result result;
	uint64_t timeout = g->timeout_ms ? g->timeout_ms : GATE_TIMEOUT_MS;
	AUTO_STRV struct strv env = {0};
	const char *const places[] = {s->init.worktree, s->tmp_dir, how->log_dir, "/tmp", NULL};
	struct slot_run shell = {.command = g->run,
	                         .log_path = log_path,
	                         .timeout_ms = timeout,
	                         .plain = plain,
	                         .strict = true,
	                         .wrapped = true};

	for (char *const *pair = how->env; *pair; pair++)
		strv_add(&env, *pair);
	planted_env(&s->planted, &env); /* the gate's own git runs nothing either that an agent planted */
	shell.env = env.v;
	str_clear(&out->why);
	str_clear(&out->said);
	int rc = slot_shell(s, &shell, &result, e);
	plain_end(plain);
	excerpt_end(l.excerpt, &out->said);
	hide_again(&out->said);
	if (rc != 0 && (result.end != JOB_UNRUN || err_no_room(e->kind)))
		return -1; /* says nothing of the gate: the task is tried again when there is room */
	out->ms += result.ms;
	struct verdict v = verdict_of(&result, timeout, &l.tally, places, &out->why);
	out->verdict = result.end == JOB_STOPPED ? NULL : v.word;
	*again = v.again && out->verdict;
	out->no_room = v.no_room && out->verdict;
	if (rc != 0)
		str_addf(&out->why, ": %s", e->text);
	return 0;
}

/* ---- its logs ---- */

/* A gate of a plan may have any name. `run` 0: the log of the last run. */
static char *log_of(const char *dir, const char *name, uint64_t run)
{
	char *path = run ? mem_printf("%s/gate-%s@%llu.log", dir, name, (unsigned long long)run)
	                 : mem_printf("%s/gate-%s.log", dir, name);

	for (char *p = path + strlen(dir) + 1; *p; p++)
		if (*p == '/')
			*p = '_';
	return path;
}

static bool forget_run(const char *dir, const char *name, uint64_t run)
{
	AUTO_FREE char *path = log_of(dir, name, run);
	return unlink(path) == 0;
}

/* What was printed says nothing of other runs: a line of ours at its end does. */
static void add_to_log(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FREE char *line = mem_printf("[bosk: %s]\n", text);
	struct err ignored = {0};

	if (fd >= 0)
		fs_write_all(fd, line, strlen(line), &ignored);
}

/* ---- one gate ---- */

static int run_one(struct slot *s, const struct msg_gate *g, const struct gate_runs *how, struct outcome *out,
                   struct err *e)
{
	__attribute__((cleanup(let_go))) struct held held = {{-1, -1}, {-1, -1}};
	AUTO_FREE char *log_path = log_of(how->log_dir, g->name, 0);

	for (uint64_t run = 1; forget_run(how->log_dir, g->name, run); run++)
		;
	if (lock_all(s, g, &held, e) != 0)
		return -1;
	for (out->run = 1;; out->run++) {
		AUTO_FREE char *aside = log_of(how->log_dir, g->name, out->run);
		bool again = false;
		if (run_once(s, g, how, log_path, &again, out, e) != 0)
			return -1;
		if (!again || out->run > g->retries)
			return 0;
		rename(log_path, aside);
	}
}

static int run_builtin(struct slot *s, const struct msg_gate *g, const struct gate_runs *how, struct outcome *out,
                       struct err *e)
{
	AUTO_FREE char *log_path = log_of(how->log_dir, g->name, 0);

	int rc = leak_gate_run(s, g, how->attempt, log_path, &out->verdict, &out->ms, &out->why, &out->said, e);
	hide_again(&out->said);
	return rc;
}

static void send_verdict(struct slot *s, const struct msg_gate *g, uint64_t attempt, const struct outcome *o,
                         const char *note)
{
	struct msg m = {.kind = MSG_GATE_RESULT};
	struct err ignored = {0};
	m.u.gate_result = (struct msg_gate_result){
		.task = (char *)(s->task ? s->task : ""),
		.attempt = attempt,
		.gate = g->name,
		.verdict = (char *)o->verdict,
		.ms = o->ms,
		.tail = (char *)str_text(&o->said),
		.note = (char *)note,
	};
	chan_send(s->chan, &m, &ignored);
}

static void take(struct slot *s, const struct msg_gate *g, const struct gate_runs *how, struct outcome *o,
                 struct gate_report *out)
{
	AUTO_FREE char *log_path = log_of(how->log_dir, g->name, 0), *note = NULL;
	bool good = str_eq(o->verdict, "pass");

	if (good && o->run > 1) {
		note = mem_printf("passed on run %llu of %llu", (unsigned long long)o->run, (unsigned long long)g->retries + 1);
		AUTO_FREE char *flaky = mem_printf("flaky: %s", note);
		add_to_log(log_path, flaky);
		strv_addf(&out->flaky, "%s=%s", g->name, note);
	}
	strv_addf(&out->verdicts, "%s=%s", g->name, o->verdict);
	send_verdict(s, g, how->attempt, o, note);
	if (good || str_eq(o->verdict, "skipped"))
		return;
	strv_addf(&out->reds, "%s: %s (%s)", g->name, o->verdict, str_text(&o->why));
	if (g->excused || out->red)
		return;
	out->red = mem_strdup(g->name);
	out->red_run = g->builtin ? mem_printf("bosk itself (builtin: %s)", g->builtin) : mem_strdup(g->run);
	out->verdict = mem_strdup(o->verdict);
	out->why = str_take(&o->why);
	out->said = str_take(&o->said);
}

int gate_run(struct slot *s, const struct msg_gate *gates, size_t n, const struct gate_runs *how,
             struct gate_report *out, struct err *e)
{
	for (size_t i = 0; i < n && (!out->red || how->past_red) && !out->stopped; i++) {
		const struct msg_gate *g = &gates[i];
		struct outcome o = {.verdict = "skipped"};
		int rc = 0;

		if (how->only && !strv_has(how->only, g->name))
			continue;
		if (touches(g, how->changed)) {
			slot_progress(s, "gate", g->name, "");
			rc = g->builtin ? run_builtin(s, g, how, &o, e) : run_one(s, g, how, &o, e);
		}
		if (rc == 0 && o.no_room && !g->excused) /* as of a task that finds no room: it is done again when there is some */
			rc = err_set(e, ERR_NOSPACE, "could not run (%s)", str_text(&o.why));
		if (o.verdict && (rc == 0 || o.no_room))
			take(s, g, how, &o, out);
		out->stopped = rc == 0 && !o.verdict;
		str_fini(&o.why);
		str_fini(&o.said);
		if (rc != 0)
			return err_wrap(e, "gate %s", g->name);
	}
	return 0;
}
