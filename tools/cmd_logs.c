/* bosk logs [TASK] */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "follow.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/session.h"

enum { LOG_BYTES_MAX = 1 << 30 };

static const struct cmd_option options[] = {
	{"attempt", 0, "N", "of this run of the agent (default: the last)"},
	{"gate", 0, "NAME", "of this gate"},
	{"raw", 0, NULL, "the bytes as they are"},
	{"follow", 'f', NULL, "go on as it grows"},
};

/* Folder of an attempt's logs; 0 = the last one there is. The caller owns it, NULL = none. */
static char *attempt_dir(const struct session *s, size_t task, uint64_t attempt)
{
	AUTO_FREE char *dir = site_path(s->site, "logs/%s/%s", s->sid, s->plan.tasks[task].id);

	if (!attempt) {
		DIR *d = opendir(dir);
		for (struct dirent *de; d && (de = readdir(d));) {
			uint64_t n;
			if (str_u64(de->d_name, &n) && n > attempt)
				attempt = n;
		}
		if (d)
			closedir(d);
	}
	if (!attempt)
		return NULL;
	char *path = mem_printf("%s/%llu", dir, (unsigned long long)attempt);
	if (fs_is_dir(path))
		return path;
	free(path);
	return NULL;
}

static void print_log(const char *text, size_t n, const char *prefix, bool raw)
{
	AUTO_STR struct str out = {0};

	if (raw) {
		fwrite(text, 1, n, stdout);
		return;
	}
	for (size_t i = 0; i < n;) {
		const char *end = memchr(text + i, '\n', n - i);
		size_t len = end ? (size_t)(end - text) - i : n - i;
		str_clear(&out);
		if (prefix)
			str_addf(&out, "%s | ", prefix);
		str_addn(&out, text + i, len);
		str_addc(&out, '\n');
		cmd_print(&out);
		i += len + (end != NULL);
	}
}

/* A gate that was red and run again has a log for each run. */
static int read_log(const char *dir, const char *gate, struct str *out, struct err *e)
{
	AUTO_FREE char *path = gate ? mem_printf("%s/gate-%s.log", dir, gate) : mem_printf("%s/agent.log", dir);
	unsigned run = 1;

	for (; gate; run++) {
		AUTO_FREE char *earlier = mem_printf("%s/gate-%s@%u.log", dir, gate, run);
		AUTO_STR struct str text = {0};
		if (fs_read(earlier, LOG_BYTES_MAX, &text, e) != 0)
			break;
		str_addf(out, "[run %u]\n%s%s", run, str_text(&text), !text.len || str_ends(text.p, "\n") ? "" : "\n");
	}
	err_clear(e);
	if (run > 1)
		str_addf(out, "[run %u]\n", run);
	AUTO_STR struct str last = {0};
	if (fs_read(path, LOG_BYTES_MAX, &last, e) != 0)
		return err_set(e, ERR_MISSING, "no log %s", path);
	str_addn(out, str_text(&last), last.len);
	return 0;
}

static int show(const struct cmd_line *l, const struct session *s, size_t task, bool prefixed)
{
	struct err e = {0};
	uint64_t attempt;
	const char *gate = cmd_value(l, "gate"), *id = s->plan.tasks[task].id;
	AUTO_STR struct str text = {0};

	if (cmd_number(l, "attempt", 1, 1000000, 0, &attempt, &e) != 0)
		return cmd_fail(&e);
	AUTO_FREE char *dir = attempt_dir(s, task, attempt);
	if (!dir) {
		if (prefixed)
			return 0;
		log_error("task %s has no log%s", id, attempt ? " of that attempt" : " yet");
		return 1;
	}
	if (read_log(dir, gate, &text, &e) != 0) {
		if (prefixed)
			return 0;
		log_error("%s", e.text);
		return 1;
	}
	print_log(str_text(&text), text.len, prefixed ? id : NULL, cmd_flag(l, "raw"));
	return 0;
}

/* Growth may end anywhere in a line, so escaping works on bytes as they come. */
static void print_bytes(void *ctx, const char *id, const char *bytes, size_t n)
{
	const struct cmd_line *l = ctx;
	AUTO_STR struct str out = {0};

	(void)id;
	str_addn(&out, bytes, n);
	if (cmd_flag(l, "raw"))
		fwrite(bytes, 1, n, stdout);
	else
		cmd_print(&out);
	fflush(stdout);
}

static void print_lines(void *ctx, const char *id, const char *bytes, size_t n)
{
	print_log(bytes, n, id, cmd_flag(ctx, "raw"));
	fflush(stdout);
}

/* No name, or the name of a session and of no task: every task of that session. *rc as for the rest. */
static bool names_session(struct site *site, const char *name, char sid[SEAL_SID], struct err *e, int *rc)
{
	struct session s;
	struct err no_task = {0}, no_session = {0};
	size_t task;

	if (!name) {
		*rc = session_find(site, NULL, "logs", NULL, sid, e);
		return true;
	}
	bool found = session_find_task(&s, site, name, &task, &no_task) == 0;
	session_fini(&s);
	return !found && !strchr(name, '/') && session_find(site, name, "logs", NULL, sid, &no_session) == 0;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	char sid[SEAL_SID];
	size_t task = 0;
	int code = 0;

	const char *name = cmd_word(l, 0);
	if (cmd_flag(l, "follow") && cmd_flag(l, "attempt")) {
		log_error("-f follows the attempt that runs: leave --attempt out");
		return 2;
	}
	int rc = site_open(&site, l->dir, SITE_READ, &e);
	bool whole = rc == 0 && names_session(&site, name, sid, &e, &rc);
	if (rc == 0 && whole && cmd_flag(l, "follow")) {
		rc = follow_logs(&site, sid, NULL, cmd_value(l, "gate"), print_lines, (void *)l, &e);
	} else if (rc == 0 && whole) {
		rc = session_load(&s, &site, sid, &e);
		for (size_t i = 0; rc == 0 && !code && i < s.plan.n; i++)
			code = show(l, &s, i, true);
	} else if (rc == 0) {
		rc = session_find_task(&s, &site, name, &task, &e);
		if (rc == 0 && cmd_flag(l, "follow"))
			rc = follow_logs(&site, s.sid, s.plan.tasks[task].id, cmd_value(l, "gate"), print_bytes,
			                 (void *)l, &e);
		else if (rc == 0)
			code = show(l, &s, task, false);
	}
	if (rc != 0)
		code = cmd_fail(&e);
	session_fini(&s);
	site_close(&site);
	return code;
}

const struct cmd cmd_logs_entry = {.name = "logs",
                                   .args = "[TASK]",
                                   .summary = "what agents and gates printed",
                                   CMD_OPTIONS(options),
                                   .max_rest = 1,
                                   .run = run};
