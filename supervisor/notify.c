/* notify: events to JSON, and the command that gets them. */
#include "notify.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "land_pr.h"
#include "status.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "worker/exec.h"
#include "worker/job.h"

enum { LIMIT_MS = 30000 };

struct notify {
	struct loop *loop;
	const struct session *s;
	const char *command;
	bool *told;       /* of each task */
	struct strv wait; /* events not told yet, the first is next */
	bool busy, finishing;
	uint64_t seq;     /* last event of the session that was looked at */
};

static bool needs_you(const struct session *s, size_t task)
{
	enum task_state state = session_task_state(s, task);
	return state == TASK_FAILED || state == TASK_TIMEOUT || state == TASK_BLOCKED ||
	       state == TASK_CONFLICT;
}

static struct json_t *event(const struct session *s, const char *kind)
{
	struct json_t *j = json_map();
	AUTO_STR struct str now = {0};

	clock_add_iso(&now, clock_wall_ms());
	json_put_u64(j, "schema", 1);
	json_put_text(j, "kind", kind);
	json_put_text(j, "time", now.p);
	json_put_text(j, "repository", gitx_main_top(s->site->git));
	json_put_text(j, "session", s->sid);
	json_put_text(j, "queue", s->row.queue);
	return j;
}

/* One line; the caller owns it. */
static char *line_of(struct json_t *j)
{
	struct str out = {0};
	json_write(j, false, &out);
	str_addc(&out, '\n');
	json_free(j);
	return str_take(&out);
}

/* The text as a file to be read from its start; -1 with the error. */
static int as_file(const char *text, struct err *e)
{
	int fd = memfd_create("bosk-notify", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "notify");
	if (fs_write_all(fd, text, strlen(text), e) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void start_next(struct notify *n);

static void warn_of(int wait_status, const char *said)
{
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return;
	AUTO_STR struct str shown = {0};
	str_add_printable(&shown, said, strcspn(said, "\n"), false);
	log_warn("notify: the command %s%s%s",
	         WIFSIGNALED(wait_status) ? "was killed or took longer than 30 s" : "failed",
	         shown.len ? ": " : "", str_text(&shown));
}

static void ended(void *ctx, const struct child_result *result)
{
	struct notify *n = ctx;
	warn_of(result->wait_status, result->err);
	n->busy = false;
	start_next(n);
}

static void start_next(struct notify *n)
{
	const char *argv[] = {"/bin/sh", "-c", n->command, NULL};
	AUTO_STRV struct strv env = {0};
	struct err e = {0};
	pid_t pid;

	while (!n->busy && n->wait.n) {
		AUTO_FREE char *text = n->wait.v[0];
		memmove(n->wait.v, n->wait.v + 1, n->wait.n * sizeof *n->wait.v); /* with the NULL */
		n->wait.n--;
		strv_fini(&env);
		exec_clean_env(&env);
		AUTO_CLOSE int in = as_file(text, &e);
		struct child_spec spec = {.argv = argv, .cwd = gitx_main_top(n->s->site->git), .env = env.v,
		                          .in = in, .timeout_ms = LIMIT_MS};
		if (in >= 0 && child_start(n->loop, &spec, &pid, ended, n, &e) == 0)
			n->busy = true;
		else
			log_warn("notify: %s", e.text);
	}
}

struct notify *notify_open(struct loop *l, const struct session *s, const char *command)
{
	if (!*command)
		return NULL;
	struct notify *n = mem_alloc(sizeof *n);
	*n = (struct notify){.loop = l, .s = s, .command = command};
	n->told = mem_array(s->plan.n, sizeof *n->told);
	for (size_t i = 0; i < s->plan.n; i++)
		n->told[i] = needs_you(s, i);
	return n;
}

void notify_step(struct notify *n)
{
	if (!n || n->seq == n->s->manifest.last_seq)
		return;
	n->seq = n->s->manifest.last_seq;
	for (size_t i = 0; i < n->s->plan.n; i++) {
		const struct task_row *row = &n->s->tasks[i];
		bool now = needs_you(n->s, i);
		if (now && !n->told[i]) {
			struct json_t *j = event(n->s, "needs-you");
			json_put_text(j, "task", n->s->plan.tasks[i].id);
			json_put_text(j, "title", n->s->plan.tasks[i].title);
			json_put_text(j, "state", session_task_shown(n->s, i));
			json_put_text(j, "reason", row->reason);
			json_put_text(j, "branch", row->kept);
			strv_give(&n->wait, line_of(j));
		}
		n->told[i] = now;
	}
	start_next(n);
}

static void stop_when_idle(void *ctx)
{
	struct notify *n = ctx;
	if (!n->busy && !n->wait.n)
		loop_stop(n->loop);
}

void notify_finish(struct notify *n)
{
	struct err e = {0};

	if (!n)
		return;
	loop_after(n->loop, stop_when_idle, n);
	if (loop_run(n->loop, &e) != 0)
		log_warn("notify: %s", e.text);
}

void notify_close(struct notify *n)
{
	if (!n)
		return;
	strv_fini(&n->wait);
	free(n->told);
	free(n);
}

void notify_end(const struct session *s, const char *command, int exit_code)
{
	struct json_t *j = event(s, "end");
	AUTO_STR struct str counts = {0}, said = {0};
	AUTO_STRV struct strv env = {0};
	AUTO_FREE char *next = NULL, *path = NULL;
	struct err e = {0};
	struct job_result result;
	const char *state = session_state(s->site, s->sid, &s->manifest);
	bool stopped = str_eq(state, "stopped") || str_eq(state, "limited") || str_eq(s->manifest.state, "landing");

	status_counts(s, &counts);
	next = mem_printf("bosk %s %s", stopped ? "resume" : "report", s->sid);
	json_put_text(j, "state", state);
	json_put_text(j, "summary", counts.p);
	json_put_text(j, "landed", s->manifest.landed);
	land_pr_json(s, j);
	json_put_u64(j, "exit_code", (uint64_t)exit_code);
	json_put_text(j, "next", next);
	AUTO_FREE char *text = line_of(j);
	AUTO_CLOSE int in = as_file(text, &e);
	exec_clean_env(&env);
	path = mem_printf("/proc/self/fd/%d", in);
	struct job job = {.argv = (const char *const[]){"/bin/sh", "-c", command, NULL},
	                  .cwd = gitx_main_top(s->site->git),
	                  .env = env.v,
	                  .stdin_path = path,
	                  .err = &said,
	                  .watch_fd = -1,
	                  .timeout_ms = LIMIT_MS};
	if (in < 0 || job_run(&job, &result, &e) != 0)
		log_warn("notify: %s", e.text);
	else
		warn_of(result.end == JOB_EXITED ? result.status << 8 : 9, str_text(&said));
}
