/* batch: what run, plan and resume share. */
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "supervisor/agents.h"
#include "supervisor/batch_results.h"
#include "supervisor/land.h"
#include "supervisor/notify.h"
#include "supervisor/orphans/orphans.h"
#include "supervisor/orphans/strays.h"
#include "supervisor/queue/release.h"
#include "supervisor/status.h"
#include "supervisor/supervisor.h"
#include "worker/msg.h"

/* Is `word` one of `words`, which are separated by bars? */
static bool one_of(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = words; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (n && strcspn(p, "|") == n && strncmp(p, word, n) == 0)
			return true;
	return false;
}

int batch_full(const struct cmd_line *l, bool *full, struct err *e)
{
	const char *given = cmd_value(l, "autonomy");

	*full = given != NULL;
	if (given && !str_eq(given, "full"))
		return err_set(e, ERR_USAGE, "--autonomy takes full, not '%s'", given);
	return 0;
}

/* Dollars as they are written: 12.50. */
static bool micro(const char *text, uint64_t *out)
{
	size_t whole = strspn(text, "0123456789"), n = whole;
	if (text[n] == '.')
		n += 1 + strspn(text + n + 1, "0123456789");
	if (!whole || whole > 9 || text[n] || text[n - 1] == '.')
		return false;
	*out = (uint64_t)(strtod(text, NULL) * 1e6 + 0.5);
	return true;
}

int batch_most(const struct cmd_line *l, uint64_t *max_time_ms, uint64_t *budget_micro, struct err *e)
{
	const char *time = cmd_value(l, "max-time"), *usd = cmd_value(l, "budget-usd");

	if (time && !str_duration_ms(time, max_time_ms))
		return err_set(e, ERR_USAGE, "--max-time takes a duration such as 90s, 5m, 4h or 2d, not '%s'", time);
	if (usd && !micro(usd, budget_micro))
		return err_set(e, ERR_USAGE, "--budget-usd takes dollars such as 12.50, not '%s'", usd);
	return 0;
}

int batch_options(struct batch *b, const struct cmd_line *l, struct err *e)
{
	struct create_options *o = &b->create;
	const char *land = cmd_value(l, "land"), *verify = cmd_value(l, "verify");
	const char *conflict = cmd_value(l, "on-conflict"), *barrier = cmd_value(l, "barrier");

	if (cmd_number(l, "jobs", 1, 64, b->config.jobs, &o->jobs, e) != 0)
		return -1;
	const struct {
		const char *option, *given, *known;
	} words[] = {{"land", land, "keep|merge|pr"},
	             {"verify", verify, "merged|task"},
	             {"on-conflict", conflict, "repair|park"},
	             {"barrier", barrier, "wave|none"}};
	for (size_t i = 0; i < MEM_COUNT(words); i++) {
		const char *given = words[i].given;
		if (given && !one_of(words[i].known, given))
			return err_set(e, ERR_USAGE, "--%s takes %s, not '%s'", words[i].option, words[i].known, given);
	}
	cmd_values(l, "excuse", &b->excused);
	for (size_t i = 0; i < b->excused.n; i++) {
		bool known = false;
		for (size_t k = 0; k < b->config.n_gates; k++)
			known |= str_eq(b->config.gates[k].name, b->excused.v[i]);
		if (!known)
			return err_set(e, ERR_USAGE, "--excuse %s: there is no such gate in the configuration",
			               b->excused.v[i]);
	}
	o->sequential = cmd_flag(l, "sequential");
	if (cmd_flag(l, "no-worktree") && cmd_value(l, "worktree"))
		return err_set(e, ERR_USAGE, "--no-worktree or --worktree PATH, not both");
	if (cmd_value(l, "jobs") && (cmd_flag(l, "no-worktree") || cmd_value(l, "worktree")) && o->jobs > 1)
		return err_set(e, ERR_USAGE, "--jobs %llu: in a checkout of yours one task runs at a time",
		               (unsigned long long)o->jobs);
	o->borrow = cmd_flag(l, "no-worktree") ? l->dir : cmd_value(l, "worktree");
	o->borrow_linked = cmd_value(l, "worktree") != NULL;
	o->preflight = !cmd_flag(l, "no-preflight");
	o->keep_worktrees = cmd_flag(l, "keep-worktrees");
	o->base = cmd_value(l, "base");
	o->target = cmd_value(l, "target");
	o->land = land ? land : b->config.land;
	o->verify = verify ? verify : b->config.verify;
	o->on_conflict = conflict ? conflict : "repair";
	o->barrier = barrier;
	o->executor = cmd_value(l, "executor");
	if (o->executor && !*o->executor)
		o->executor = NULL;
	o->agent = cmd_value(l, "agent");
	AUTO_FREE char *unknown = o->agent ? agents_fault(&b->config, o->agent) : NULL;
	if (unknown)
		return err_set(e, ERR_USAGE, "--agent: %s", unknown);
	if (!o->agent && *b->config.agent)
		o->agent = b->config.agent;
	if (batch_full(l, &o->full, e) != 0)
		return -1;
	o->max_time_ms = b->config.limit_max_time_ms;
	if (*b->config.limit_budget_usd)
		micro(b->config.limit_budget_usd, &o->budget_micro);
	if (batch_most(l, &o->max_time_ms, &o->budget_micro, e) != 0)
		return -1;
	o->excused = &b->excused;
	o->config = &b->config;
	b->json = cmd_flag(l, "json");
	return 0;
}

void batch_fini(struct batch *b)
{
	config_fini(&b->config);
	strv_fini(&b->excused);
}

void batch_warn_known(const struct queue_added *added)
{
	enum { MOST = 20 };

	for (size_t i = 0; i < added->differs.n && i < MOST; i++)
		log_warn("%s", added->differs.v[i]);
	if (added->differs.n > MOST)
		log_warn("and %zu more", added->differs.n - MOST);
	if (added->differs.n)
		log_warn("queue %s was added before, and what it has in the store counts: nothing of this was taken. To take it: "
		         "bosk queue remove %s first, or bosk queue add --as ID", added->id, added->id);
}

void batch_warn(const struct plan *p)
{
	enum { MOST = 20 };
	size_t n = 0;

	for (size_t i = 0; i < p->warnings.n && i < MOST; i++)
		log_warn("%s", p->warnings.v[i]);
	if (p->warnings.n > MOST)
		log_warn("and %zu more warnings: bosk plan shows them", p->warnings.n - MOST);
	for (size_t i = 0; i < p->n; i++)
		if (p->tasks[i].missing && (!p->queue || p->queue->states[i] == TASK_WAITING) && n++ < MOST)
			log_warn("%s cannot be run: %s", p->tasks[i].id, p->tasks[i].missing);
	if (n > MOST)
		log_warn("and %zu more items cannot be run: bosk plan shows them", n - MOST);
}

void batch_say_lines(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		log_info("%s", lines->v[i]);
}

void batch_say_dead(struct site *site)
{
	AUTO_STR struct str text = {0};
	struct err ignored = {0};

	if (status_dead(site, true, &text, &ignored) != 0 || !text.len)
		return;
	for (char *line = strtok(text.p, "\n"); line; line = strtok(NULL, "\n"))
		log_info("%s", line);
}

void batch_sweep(struct site *site, const struct config *cfg)
{
	struct orphans_rule rule = {.max_age_ms = cfg->orphan_max_age_ms,
	                            .resumable_max_age_ms = cfg->orphan_resumable_max_age_ms};
	struct orphans_said said = {0};
	AUTO_STRV struct strv strays = {0}, claims = {0};
	struct err e = {0};

	if (strays_end_all(site, &strays, &e) != 0 || orphans_clean(site, &rule, &said, &e) != 0 ||
	    release_orphans(site, rule.max_age_ms, false, &claims, &e) != 0)
		log_warn("cleaning up after dead sessions: %s", e.text); /* that must not stop the work */
	batch_say_lines(&strays);
	batch_say_lines(&said.lines);
	batch_say_lines(&claims);
	orphans_said_fini(&said);
	batch_say_dead(site);
}

/* -p TEXT: a plan of one task. */
static void one_task(const char *prompt, struct str *out)
{
	struct json_t *plan = json_map(), *tasks = json_list(), *task = json_map();
	AUTO_FREE char *line = mem_strndup(prompt, strcspn(prompt, "\r\n"));

	msg_clip_text(line, 72);
	json_put_text(task, "id", "task");
	if (*line)
		json_put_text(task, "title", line);
	json_put_text(task, "prompt", prompt);
	json_add(tasks, task);
	json_put(plan, "tasks", tasks);
	json_write(plan, false, out);
	json_free(plan);
}

/* What to read: files, or else the text. */
struct reading {
	const char *const *files;
	size_t n;
	const char *text;
	const char *queue; /* of a folder with several */
};

static int read_plan(const struct reading *r, const struct batch *b, const struct site *site, const char *worktrees_dir,
                     struct plan *out, struct plan_faults *faults)
{
	const struct config *c = &b->config;
	AUTO_FREE const char **gates = mem_array(c->n_gates, sizeof *gates);
	AUTO_STRV struct strv agents = {0};
	agents_names(c, &agents);
	struct plan_stories stories = {c->stories_folder, c->stories_threshold, c->stories_instructions,
	                               &c->stories_human};
	struct plan_context ctx = {.gates = gates,
	                           .n_gates = c->n_gates,
	                           .agents = (const char *const *)agents.v,
	                           .n_agents = agents.n,
	                           .root = gitx_main_top(site->git),
	                           .top = gitx_top(site->git),
	                           .worktrees_dir = worktrees_dir,
	                           .models = c->models,
	                           .n_models = c->n_models,
	                           .personas = &c->personas,
	                           .skills = &c->skills,
	                           .barrier = b->create.barrier,
	                           .stories = &stories,
	                           .queue = r->queue};

	for (size_t i = 0; i < c->n_gates; i++)
		gates[i] = c->gates[i].name;
	return r->text ? plan_load_text(out, "-p", r->text, strlen(r->text), &ctx, faults)
	               : plan_load(out, r->files, r->n, &ctx, faults);
}

int batch_queue_file(const char *file, const char *queue, const struct batch *b, const struct site *site,
                     struct plan *out, struct plan_faults *faults)
{
	struct reading r = {.files = &file, .n = 1, .queue = queue};
	return read_plan(&r, b, site, NULL, out, faults) == 0 ? 0 : 2;
}

int batch_plan(const struct cmd_line *l, const struct batch *b, const struct site *site,
               const struct create_base *look, struct plan *out, struct plan_faults *faults)
{
	const char *prompt = cmd_value(l, "prompt");
	AUTO_STR struct str text = {0};
	if (prompt && l->rest.n) {
		log_error("a plan or -p TEXT, not both");
		return 2;
	}
	if (prompt)
		one_task(prompt, &text);
	struct reading r = {.files = (const char *const *)l->rest.v, .n = l->rest.n, .text = text.p};
	return read_plan(&r, b, site, look->worktrees_dir, out, faults) == 0 ? 0 : 2;
}

/* Landing as the session was asked to, once its work is over. */
static int land(struct session *s, const struct config *cfg, int code, bool *said)
{
	struct land_result result = {0};
	struct err e = {0};
	const char *state = s->manifest.state, *gates = s->manifest.final_gates;
	bool ended = str_eq(state, "done") || str_eq(state, "failed");

	if (ended && land_asked(s) && gates && !str_eq(gates, "pass")) {
		log_warn("not landed: the gates are red on the final tip");
		return 1;
	}
	if (!str_eq(state, "landing"))
		return code;
	if (land_again(s, cfg, &result, &e) != 0)
		code = cmd_fail(&e);
	else if (!result.done)
		code = 1;
	if (result.text.len) {
		if (result.done)
			log_info("%s", result.text.p);
		else
			log_warn("%s", result.text.p);
	}
	*said = result.done;
	str_fini(&result.text);
	return code;
}

int batch_ended(const struct session *s)
{
	const char *gates = s->manifest.final_gates;
	bool red = gates && !str_eq(gates, "pass");

	if (red)
		log_warn("the final tip is red: %s", s->manifest.final_reason ? s->manifest.final_reason : gates);
	return str_eq(s->manifest.state, "done") && !red && !batch_partial(s) ? 0 : 1;
}

bool batch_only_lands(const struct session *s)
{
	return s->manifest.borrowed && str_eq(s->manifest.state, "landing");
}

/* As the supervisor said it when the work was over. */
static int work_code(const struct session *s)
{
	for (size_t i = 0; i < s->plan.n; i++)
		if (!task_state_fine(session_task_state(s, i)))
			return 1;
	return batch_partial(s) ? 1 : 0;
}

int batch_work(struct session *s, const struct config *cfg, const struct recovery *recovery, bool json)
{
	struct supervisor_options options = {.json = json, .quiet = log_get() == LOG_QUIET};
	AUTO_STR struct str counts = {0};
	AUTO_STRV struct strv box = {0};
	bool landed = false, over = true;

	log_info("session %s: %zu task%s in %llu worktree%s, from %.12s, for %s", s->sid, s->plan.n,
	         s->plan.n == 1 ? "" : "s", (unsigned long long)s->row.jobs,
	         s->row.jobs == 1 ? "" : "s", s->tip, s->row.target);
	int code = batch_only_lands(s) ? work_code(s) : supervisor_run(&over, s, cfg, recovery, &options);
	if (!over || str_eq(s->manifest.state, "running"))
		return code; /* nothing was started, or it ended in the middle: said already */
	code = land(s, cfg, code, &landed);
	status_counts(s, &counts);
	batch_box(s, &box);
	batch_say_lines(&box);
	log_info("session %s %s: %s", s->sid, s->manifest.state, counts.p);
	if (str_eq(s->manifest.state, "stopped") || str_eq(s->manifest.state, "landing"))
		log_info("go on with: bosk resume %s", s->sid);
	else if (!landed)
		log_info("more: bosk report %s; the work is on branch %s", s->sid,
		         s->manifest.integration_branch);
	if (*cfg->notify)
		notify_end(s, cfg->notify, code);
	return code;
}
