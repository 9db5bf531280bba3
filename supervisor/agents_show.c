/* agents_show: what is shown of an agent is made by the same code that starts it. */
#include "agents_show.h"

#include <string.h>

#include "store/base/mem.h"
#include "worker/adapter.h"
#include "worker/exec.h"
#include "worker/job.h"

enum { PROBE_MS = 10000, PROBE_GRACE_MS = 500, SAID_MAX = 200 };

void agents_show_argv(const struct msg_agent *def, bool full, const char *model, bool schema, struct strv *out)
{
	struct msg_agent d = *def; /* its texts are not copied */
	struct adapter *a;
	struct err ignored = {0};

	d.full |= full;
	if (adapter_new(&a, &d, &ignored) != 0)
		return; /* never: it was checked when it was read */
	struct adapter_call call = {.cwd = "<cwd>", .model = model ? model : def->model, .last_file = "<last_file>",
	                            .schema = schema ? "<schema>" : NULL, .schema_file = schema ? "<schema_file>" : NULL,
	                            .prompt = "<prompt>", .prompt_file = "<prompt_file>", .result_file = "<result_file>",
	                            .tmp = "<tmp>", .command = "<command>", .session = adapter_presets(a) ? "<session>" : NULL};
	adapter_argv(a, &call, out);
	adapter_free(a);
}

static void add_word(struct str *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_<>";

	if (*word && !word[strspn(word, plain)]) {
		str_add(out, word);
		return;
	}
	str_addc(out, '\'');
	for (const char *p = word; *p; p++)
		str_add(out, *p == '\'' ? "'\\''" : (char[]){*p, '\0'});
	str_addc(out, '\'');
}

void agents_show_command(const struct msg_agent *def, bool full, const char *model, bool schema, struct str *out)
{
	AUTO_STRV struct strv argv = {0};

	agents_show_argv(def, full, model, schema, &argv);
	for (size_t i = 0; i < argv.n; i++) {
		str_add(out, i ? " " : "");
		add_word(out, argv.v[i]);
	}
}

const char *agents_show_rights(const struct msg_agent *def, bool full)
{
	const char *said = def->full || full ? def->rights_full : def->rights;
	return said ? said : "its definition does not say: at most what its user may do";
}

/* The first line that says something. */
static void first_line(const struct str *text, struct str *out)
{
	const char *from = str_text(text) + strspn(str_text(text), " \t\r\n");
	size_t n = strcspn(from, "\r\n");

	str_add_printable(out, from, n < SAID_MAX ? n : SAID_MAX, false);
}

bool agents_show_probe(const struct msg_agent *def, struct str *out)
{
	AUTO_STR struct str said = {0}, wrong = {0};
	AUTO_STRV struct strv env = {0};
	struct adapter_call call = {.cwd = "/"};
	struct job_result result;
	struct adapter *a;
	struct err e = {0};

	exec_clean_env(&env);
	if (adapter_new(&a, def, &e) == 0)
		adapter_env(a, &call, &env);
	adapter_free(a);
	struct job job = {.argv = (const char *const *)def->probe.v,
	                  .env = env.v,
	                  .timeout_ms = PROBE_MS,
	                  .grace_ms = PROBE_GRACE_MS,
	                  .out = &said,
	                  .err = &wrong,
	                  .watch_fd = -1};
	if (job_run(&job, &result, &e) != 0) {
		str_add(out, e.text);
		return false;
	}
	if (result.end == JOB_EXITED && result.status == 0) {
		first_line(said.len ? &said : &wrong, out);
		return true;
	}
	if (result.end == JOB_TIMEOUT)
		str_add(out, "no answer in 10 s");
	else
		str_addf(out, result.end == JOB_SIGNALED ? "died of signal %d" : "exit %d", result.status);
	if (wrong.len) {
		str_add(out, ": ");
		first_line(&wrong, out);
	}
	return false;
}
