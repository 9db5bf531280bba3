/* slot: progress, environment and shell commands of one worktree. */
#include "slot.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "adapter.h"
#include "exec.h"
#include "job.h"
#include "output.h"
#include "plain.h"
#include "proc.h"
#include "secret.h"
#include "store/base/clock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

enum { GRACE_MS = 5000, LINE_MAX_BYTES = 200 };

void slot_progress(struct slot *s, const char *phase, const char *step, const char *line)
{
	if (s->phase != phase || !str_eq(s->step, step)) {
		s->phase = phase;
		mem_set(&s->step, step);
	}
	AUTO_STR struct str shown = {0};
	str_add_printable(&shown, line, strnlen(line, LINE_MAX_BYTES), false);
	struct msg m = {.kind = MSG_PROGRESS};
	m.u.progress = (struct msg_progress){
		.task = (char *)(s->task ? s->task : ""),
		.phase = (char *)phase,
		.step = (char *)(step ? step : ""),
		.line = (char *)str_text(&shown),
	};
	struct err ignored = {0};
	chan_send(s->chan, &m, &ignored); /* progress may be lost; a dead supervisor is seen elsewhere */
}

void slot_env(const struct slot *s, struct strv *env)
{
	AUTO_FREE char *n = mem_printf("%llu", (unsigned long long)s->init.slot_unique);
	AUTO_FREE char *port = mem_printf("%llu", (unsigned long long)s->init.slot_port);

	exec_clean_env(env);
	proc_put_mark(env, s->init.sid, s->init.worktree);
	exec_env_set(env, "BOSK_SLOT", n);
	exec_env_set(env, "BOSK_PORT", port);
	exec_env_set(env, "TMPDIR", s->tmp_dir);
}

struct running {
	struct slot *slot;
	struct output *log;
	const struct slot_run *run;
};

static bool watch(void *ctx)
{
	struct running *r = ctx;
	return r->slot->git.watch(r->slot->git.ctx);
}

static void progress(void *ctx)
{
	struct running *r = ctx;
	const char *line = r->run->line ? r->run->line(r->run->ctx) : NULL;

	slot_progress(r->slot, r->slot->phase, r->slot->step, line ? line : output_last_line(r->log));
}

static bool heard(void *ctx, int which, const char *bytes, size_t n)
{
	const struct running *r = ctx;
	return r->run->heard(r->run->ctx, which, bytes, n);
}

static void to_log(void *ctx, const char *bytes, size_t n)
{
	struct running *r = ctx;

	output_write(r->log, bytes, n);
	if (r->run->plain)
		plain_put(r->run->plain, bytes, n);
}

/* Its words, those of the wrap first. */
static int shell_words(const struct slot *s, const struct slot_run *run, struct strv *argv, struct err *e)
{
	char *words[] = {(char *)"/bin/sh", (char *)(run->strict ? "-ec" : "-c"), (char *)"{command}"}, *ok[] = {(char *)"exit 0"};
	struct msg_agent def = {.wrap = s->init.wrap, .argv = {words, MEM_COUNT(words)}, .ok = {ok, MEM_COUNT(ok)}};
	struct adapter_call call = {.cwd = s->init.worktree, .tmp = s->tmp_dir, .command = run->command, .env = run->env};
	struct adapter *a;

	if (run->argv) {
		for (char *const *word = run->argv; *word; word++)
			strv_add(argv, *word);
		return 0;
	}
	if (!run->wrapped || !s->init.wrap.n) {
		strv_add(argv, words[0]);
		strv_add(argv, words[1]);
		strv_add(argv, run->command);
		return 0;
	}
	if (adapter_new(&a, &def, e) != 0)
		return -1;
	adapter_argv(a, &call, argv);
	adapter_free(a);
	return 0;
}

static int make_folder(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return (st.st_mode & 0700) == 0700 || chmod(path, 0700) == 0 ? 0 : err_sys(e, "cannot open up %s", path);
	return fs_remove_tree(path, e) != 0 ? -1 : fs_mkdirs(path, e);
}

int slot_folders(const struct slot *s, const char *log_path, struct err *e)
{
	AUTO_FREE char *dir = mem_strdup(log_path);
	struct stat st;

	dir[strrchr(dir, '/') - dir] = '\0';
	if ((s->tmp_dir && make_folder(s->tmp_dir, e) != 0) || make_folder(dir, e) != 0)
		return -1;
	return lstat(log_path, &st) != 0 || S_ISREG(st.st_mode) ? 0 : fs_remove_tree(log_path, e);
}

int slot_shell(struct slot *s, const struct slot_run *run, struct job_result *result,
               struct err *e)
{
	AUTO_STRV struct strv argv = {0};
	struct running r = {.slot = s, .run = run};
	struct err log_error = {0};

	*result = (struct job_result){.end = JOB_UNRUN};
	if (shell_words(s, run, &argv, e) != 0 || slot_folders(s, run->log_path, e) != 0)
		return -1;
	if (output_open(&r.log, run->log_path, s->init.log_limit, e) != 0)
		return -1;
	struct job job = {
		.argv = (const char *const *)argv.v,
		.cwd = s->init.worktree,
		.env = run->env,
		.stdin_path = run->stdin_path,
		.timeout_ms = run->timeout_ms,
		.silence_ms = run->silence_ms,
		.grace_ms = run->grace_ms ? run->grace_ms : GRACE_MS,
		.contained = true,
		.log = r.log,
		.to_log = secret_stream_new(secret_here(), true, to_log, &r),
		.err_to_log = run->heard ? secret_stream_new(secret_here(), true, to_log, &r) : NULL,
		.heard = run->heard ? heard : NULL,
		.watch_fd = s->git.watch_fd,
		.watch = watch,
		.progress = progress,
		.ctx = &r,
	};
	int rc = job_run(&job, result, e);
	secret_stream_end(job.to_log);
	if (job.err_to_log)
		secret_stream_end(job.err_to_log);
	if (run->tail)
		output_tail(r.log, run->tail_max, run->tail);
	/* A log that could not be written is said, but does not decide what the job came to. */
	if (output_close(r.log, &log_error) != 0 && rc == 0)
		strv_addf(&s->notes, "%s", log_error.text);
	return rc;
}

bool slot_wait_go(struct slot *s, uint64_t attempt)
{
	while (!s->stop && !s->shutdown && s->go != attempt) {
		struct pollfd fds[2] = {{.fd = s->git.watch_fd, .events = POLLIN},
		                        {.fd = chan_write_fd(s->chan), .events = POLLOUT}};
		if (poll(fds, chan_want_write(s->chan) ? 2 : 1, -1) > 0)
			s->git.watch(s->git.ctx);
	}
	return s->go == attempt && !s->stop && !s->shutdown;
}

void slot_wait(struct slot *s, uint64_t ms)
{
	uint64_t until = clock_mono_ms() + ms, now;

	while (!s->stop && !s->shutdown && (now = clock_mono_ms()) < until) {
		struct pollfd p = {.fd = s->git.watch_fd, .events = POLLIN};
		if (poll(&p, 1, (int)(until - now)) > 0)
			s->git.watch(s->git.ctx);
	}
}

bool slot_wait_fd(struct slot *s, int fd)
{
	while (!s->stop && !s->shutdown) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->git.watch_fd, .events = POLLIN}};
		if (poll(p, 2, -1) <= 0)
			continue;
		if (p[0].revents)
			return true;
		s->git.watch(s->git.ctx);
	}
	return false;
}

void slot_fini(struct slot *s)
{
	rec_fini(msg_rec(MSG_INIT), &s->init);
	for (size_t i = 0; i < s->n_gates; i++)
		rec_fini(msg_rec(MSG_GATE), &s->gates[i]);
	free(s->gates);
	for (size_t i = 0; i < s->n_agents; i++)
		rec_fini(msg_rec(MSG_AGENT), &s->agents[i]);
	free(s->agents);
	gitx_close(s->gitx);
	planted_fini(&s->planted);
	free(s->admin_dir);
	free(s->dot_git);
	strv_fini(&s->notes);
	strv_fini(&s->copied);
	strv_fini(&s->theirs);
	free(s->work_task);
	strv_fini(&s->nested);
	free(s->tmp_dir);
	free(s->sign_skips);
	free(s->not_signed);
	free(s->step);
	*s = (struct slot){0};
}
