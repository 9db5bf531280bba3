/* gate: running gates in the worktree and judging them. */
#include "gate.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

enum { TAIL_BYTES = 16 * 1024 };

void gate_report_fini(struct gate_report *r)
{
	strv_fini(&r->verdicts);
	free(r->red);
	free(r->red_run);
	free(r->verdict);
	free(r->why);
	str_fini(&r->tail);
	*r = (struct gate_report){0};
}

/* A gate with `paths` runs when a changed path matches one of its globs; "dir/" covers what is
 * below. Without FNM_PATHNAME a star crosses folders, as in git's own pathspecs. */
static bool touches(const struct msg_gate *g, const struct strv *changed)
{
	if (!g->paths.n || !changed)
		return true;
	for (size_t i = 0; i < g->paths.n; i++)
		for (size_t k = 0; k < changed->n; k++) {
			const char *glob = g->paths.v[i], *path = changed->v[k];
			if (fnmatch(glob, path, 0) == 0 || (str_ends(glob, "/") && str_starts(path, glob)))
				return true;
		}
	return false;
}

/* What the end of a command means. 126 and 127 are the shell's "cannot execute" and "not found". */
static const char *judge(const struct job_result *r, uint64_t timeout_ms, struct str *why)
{
	switch (r->end) {
	case JOB_EXITED:
		str_addf(why, "exit %d", r->status);
		if (r->status == 126 || r->status == 127) {
			str_add(why, r->status == 127 ? ": command not found" : ": cannot be executed");
			return "could-not-run";
		}
		return r->status == 0 ? "pass" : "fail";
	case JOB_SIGNALED:
		str_addf(why, "died of signal %d", r->status);
		return "fail";
	case JOB_TIMEOUT:
	case JOB_SILENT:
		str_add(why, "no end after ");
		clock_add_duration(why, timeout_ms);
		return "timeout";
	case JOB_STOPPED:
	case JOB_UNRUN:
		break;
	}
	str_add(why, "could not be started");
	return "could-not-run";
}

static void send_verdict(struct slot *s, const struct msg_gate *g, uint64_t attempt,
                         const char *verdict, uint64_t ms, const struct str *tail)
{
	struct msg m = {.kind = MSG_GATE_RESULT};
	struct err ignored = {0};
	m.u.gate_result = (struct msg_gate_result){
		.task = (char *)(s->task ? s->task : ""),
		.attempt = attempt,
		.gate = g->name,
		.verdict = (char *)verdict,
		.ms = ms,
		.tail = (char *)str_text(tail),
	};
	chan_send(s->chan, &m, &ignored);
}

/* Run one gate, again up to `retries` times while it is red. Sets *verdict (static text). */
static int run_one(struct slot *s, const struct msg_gate *g, char *const *env, const char *log_path,
                   const char **verdict, uint64_t *ms, struct str *why, struct str *tail,
                   struct err *e)
{
	uint64_t timeout = g->timeout_ms ? g->timeout_ms : GATE_TIMEOUT_MS;
	AUTO_CLOSE int lock = -1;

	if (g->exclusive) { /* one at a time in this repository; waiting does not count as its time */
		AUTO_FREE char *path = mem_printf("%s/gate-%s.lock", s->init.state_dir, g->name);
		if (git_lock(&s->git, path, &lock, e) != 0)
			return -1;
	}
	for (uint64_t run = 0; run <= g->retries; run++) {
		struct job_result result;
		struct slot_run shell = {.command = g->run,
		                         .env = env,
		                         .log_path = log_path,
		                         .timeout_ms = timeout,
		                         .tail = tail,
		                         .tail_max = TAIL_BYTES,
		                         .strict = true};
		str_clear(why);
		str_clear(tail);
		int rc = slot_shell(s, &shell, &result, e);
		if (rc != 0 && (result.end != JOB_UNRUN || err_no_room(e->kind)))
			return -1; /* says nothing of the gate: the task is tried again when there is room */
		*ms += result.ms;
		if (result.end == JOB_STOPPED) {
			*verdict = NULL;
			return 0;
		}
		*verdict = judge(&result, timeout, why);
		if (rc != 0)
			str_addf(why, ": %s", e->text);
		if (strcmp(*verdict, "fail") != 0)
			break;
	}
	return 0;
}

/* A gate of a plan may have any name. */
static char *log_of(const char *dir, const char *name)
{
	char *path = mem_printf("%s/gate-%s.log", dir, name);

	for (char *p = path + strlen(dir) + 1; *p; p++)
		if (*p == '/')
			*p = '_';
	return path;
}

int gate_run_these(struct slot *s, const struct msg_gate *gates, size_t n, const struct strv *only,
                   const struct strv *changed, char *const *env, const char *log_dir, uint64_t attempt,
                   struct gate_report *out, struct err *e)
{
	for (size_t i = 0; i < n && !out->red && !out->stopped; i++) {
		const struct msg_gate *g = &gates[i];
		AUTO_STR struct str why = {0}, tail = {0};
		AUTO_FREE char *log_path = log_of(log_dir, g->name);
		const char *verdict = "skipped";
		uint64_t ms = 0;

		if (only && !strv_has(only, g->name))
			continue;
		if (touches(g, changed)) {
			slot_progress(s, "gate", g->name, "");
			if (run_one(s, g, env, log_path, &verdict, &ms, &why, &tail, e) != 0)
				return err_wrap(e, "gate %s", g->name);
		}
		if (!verdict) {
			out->stopped = true;
			return 0;
		}
		strv_addf(&out->verdicts, "%s=%s", g->name, verdict);
		send_verdict(s, g, attempt, verdict, ms, &tail);
		if (strcmp(verdict, "pass") != 0 && strcmp(verdict, "skipped") != 0 && !g->excused) {
			out->red = mem_strdup(g->name);
			out->red_run = mem_strdup(g->run);
			out->verdict = mem_strdup(verdict);
			out->why = str_take(&why);
			out->tail = tail;
			tail = (struct str){0};
		}
	}
	return 0;
}

int gate_run_all(struct slot *s, const struct strv *only, const struct strv *changed,
                 char *const *env, const char *log_dir, uint64_t attempt, struct gate_report *out,
                 struct err *e)
{
	*out = (struct gate_report){0};
	return gate_run_these(s, s->gates, s->n_gates, only, changed, env, log_dir, attempt, out, e);
}
