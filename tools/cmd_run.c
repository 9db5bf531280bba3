/* bosk run [PLAN...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "batch.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "stored_queue.h"
#include "supervisor/queue/queue.h"
#include "supervisor/queue/waiting.h"
#include "supervisor/status.h"

int cmd_plan_show(const struct cmd_line *l); /* cmd_plan.c: `run --dry-run` is `plan` */

static const struct cmd_option options[] = {
	{"jobs", 'j', "N", "worktrees of this session (default: the setting jobs, 3)"},
	{"executor", 0, "CMD", "shell command for tasks with a prompt (on its stdin)"},
	{"sequential", 0, NULL, "one at a time, in plan order"},
	{"base", 0, "REV", "start here (default: the target)"},
	{"target", 0, "BRANCH", "where the work is to land (default: the current branch)"},
	{"land", 0, "keep|merge|pr", "what to do with the result (default: the setting land, keep)"},
	{"verify", 0, "merged|task", "gates on each merge too, or on each task's own tree only"},
	{"on-conflict", 0, "repair|park", "a task that conflicts runs again on the tip, or stays as it is"},
	{"barrier", 0, "wave|none", "wait for whole waves, or what a task needs (segments: wave)"},
	{"excuse", 0, "GATE", "accept that this gate is red on the base"},
	{"no-preflight", 0, NULL, "start at once: no call to the accounts, no gates on the base"},
	{"keep-worktrees", 0, NULL, "do not remove worktrees and branches at the end"},
	{"queue", 0, "ID", "work on a stored queue"},
	{"fresh", 0, NULL, "start a known plan over"},
	{"dry-run", 'n', NULL, "as bosk plan"},
	{"json", 0, NULL, "events as JSON lines on stdout"},
	{"yes", 'y', NULL, "do not ask"},
	{"agent", 0, "NAME", "agent for tasks with a prompt (default: the setting agent)"},
	{"autonomy", 0, "full", "agents may do whatever you may, without being asked"},
	{"max-time", 0, "D", "start nothing new after this time of the run; exit 3, resume goes on"},
	{"budget-usd", 0, "X", "start nothing new once agents have cost this much; exit 3"},
	{"ask", 0, NULL, "ask for agent, mode and worktrees first, on a terminal"},
	{"no-worktree", 0, NULL, "work in the current checkout, one task at a time; it must be clean"},
	{"worktree", 0, "PATH", "work in this existing linked worktree, for one task"},
	{"prompt", 'p', "TEXT", "a plan of one task with this prompt"},
};

enum { TRIES = 5, MOST_NAMED = 20 };

static void name_claimed(const struct session *s, const enum task_state *states, struct strv *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < s->plan.n; i++)
		if (states[i] == TASK_CLAIMED && n++ < MOST_NAMED)
			strv_addf(lines, "%s: somebody else works on it: bosk done %s when that is done; if nobody does: bosk retry %s",
			          s->plan.tasks[i].id, s->plan.tasks[i].id, s->plan.tasks[i].id);
	if (n > MOST_NAMED)
		strv_addf(lines, "and %zu more", n - MOST_NAMED);
}

/* Is there anything to do in a queue, its tasks in these states? 0, or what judge_known says. */
static int judge_items(const struct session *s, const enum task_state *states, uint64_t max_age_ms)
{
	AUTO_STRV struct strv lines = {0};
	struct err e = {0};
	size_t fine = 0, orphans = 0;

	for (size_t i = 0; i < s->plan.n; i++)
		fine += task_state_fine(states[i]);
	if (!waiting_only(&s->plan, states, &lines))
		return 0;
	if (fine == s->plan.n) {
		log_info("all items of queue %s are completed", s->row.queue);
		return -1;
	}
	if (queue_unclaimed(&orphans, s->site, s->row.queue, max_age_ms, &e) != 0) /* in the words of a session that begins */
		return cmd_fail(&e);
	if (orphans) /* batch_sweep takes them back */
		return 0;
	name_claimed(s, states, &lines);
	log_error("nothing of queue %s is ready%s", s->row.queue, lines.n ? ":" : "; bosk queue show says what became of it");
	batch_say_lines(&lines);
	return 1;
}

/* What a session made of its items is done again; what was not its doing stays (create_continued). */
static int judge_again(const struct session *s, uint64_t max_age_ms)
{
	AUTO_FREE enum task_state *states = mem_array(s->plan.n, sizeof *states);

	for (size_t i = 0; i < s->plan.n; i++) {
		states[i] = session_task_state(s, i);
		if (s->tasks[i].session && !task_state_good(states[i]) && states[i] != TASK_REVERTED)
			states[i] = TASK_WAITING;
	}
	return judge_items(s, states, max_age_ms);
}

/* A plan that was run before, in k->sid: 0 = a session begins, continuing it when it has not landed; a
 * value above 0 is the exit code; -1 = there is nothing to do, and nothing wrong. */
static int judge_known(const struct cmd_line *l, struct site *site, const struct create_known *k, uint64_t max_age_ms)
{
	struct session s = {.lock_fd = -1};
	AUTO_STRV struct strv out = {0};
	struct err e = {0};
	int code = 0;

	int rc = session_load(&s, site, k->sid, &e);
	for (size_t i = 0; rc == 0 && i < s.plan.n; i++)
		if (session_task_state(&s, i) == TASK_REVERTED)
			strv_add(&out, s.plan.tasks[i].id);
	if (rc != 0) {
		code = cmd_fail(&e);
	} else if (session_owned(site, k->sid, &s.manifest)) {
		log_error("session %s works on this plan now (process %llu): bosk status %s", k->sid,
		          (unsigned long long)s.manifest.pid, k->sid);
		code = 2;
	} else if (session_resumable(site, k->sid, &s.manifest)) {
		log_error("session %s of this plan is not finished. Go on with it:\n  bosk resume %s\n"
		          "or start over with --fresh", k->sid, k->sid);
		code = 2;
	} else if (str_eq(s.manifest.state, "done")) {
		const char *gates = s.manifest.final_gates;
		bool red = gates && !str_eq(gates, "pass");
		log_info("session %s has integrated everything in this plan%s%s; land it with bosk land %s, or "
		         "start over with --fresh", k->sid, out.n ? " that was not taken out again" : "",
		         red ? ", but its tip is red" : "", k->sid);
		code = red || (cmd_value(l, "land") && !str_eq(cmd_value(l, "land"), "keep")) ? 1 : -1;
	} else if (queue_is(&s.queue) && (code = judge_again(&s, max_age_ms)) != 0) {
		; /* said */
	} else {
		log_info("this plan ended in session %s: what that did not integrate is done now, on %s", k->sid,
		         k->landed ? "what has landed" : "its integration tip");
	}
	for (size_t i = 0; i < out.n && code <= 0; i++)
		log_info("%s was taken out by bosk revert and is not done again by itself: bosk retry %s", out.v[i], out.v[i]);
	session_fini(&s);
	return code;
}

/* A queue that is in the store and has no session: is there anything to do in it? 0, or the exit code. */
static int judge_stored(struct site *site, const char *queue, uint64_t max_age_ms)
{
	struct session s;
	struct err e = {0};
	int code = 0;

	if (session_load_queue(&s, site, queue, &e) != 0) {
		code = cmd_fail(&e);
	} else {
		AUTO_FREE enum task_state *states = mem_array(s.plan.n, sizeof *states);
		for (size_t i = 0; i < s.plan.n; i++)
			states[i] = session_task_state(&s, i);
		code = judge_items(&s, states, max_age_ms);
	}
	session_fini(&s);
	return code;
}

static int start_once(const struct cmd_line *l, struct batch *b, struct plan *plan, const char *queue, struct err *moved)
{
	struct site site = {0};
	struct session s = {.lock_fd = -1};
	struct create_known known = {0};
	struct err e = {0};
	AUTO_STRV struct strv queues = {0};
	int code = 0;

	int rc = site_open(&site, l->dir, SITE_READ, &e); /* every page was read by run() already */
	if (rc == 0)
		rc = create_find(&site, plan->content, queue, &known, &e);
	if (rc == 0 && known.other)
		rc = err_set(&e, ERR_USAGE, "queue %s holds another plan; give only one of them", queue);
	bool stored = rc == 0 && !plan->n && queue && !known.sid[0];
	if (stored)
		rc = queue_list(&queues, &site, &e);
	stored = rc == 0 && stored && strv_has(&queues, queue);
	if (rc == 0 && !plan->n && !known.sid[0] && !stored)
		rc = err_set(&e, ERR_USAGE, "there is no queue %s", queue);
	/* A plan that has landed as a whole is done again, as a new one; what landed in part is finished. */
	bool go_on = known.sid[0] && !(known.landed && known.whole) && !cmd_flag(l, "fresh");
	if (rc == 0 && go_on)
		code = judge_known(l, &site, &known, b->config.orphan_max_age_ms);
	else if (stored)
		code = judge_stored(&site, queue, b->config.orphan_max_age_ms);
	site_close(&site);
	if (rc != 0)
		return cmd_fail(&e);
	if (code)
		return code < 0 ? 0 : code;
	if (!plan->n && !go_on && !stored && l->rest.n) {
		log_info("queue %s is over: all of it has landed; bosk run --fresh FILE starts it over, under a new id", queue);
		return 0;
	}
	if (!plan->n && !go_on && !stored) {
		log_error("queue %s %s", queue, cmd_flag(l, "fresh") ? "is started over from its file: bosk run --fresh FILE"
		                                                    : "has landed: bosk run --fresh FILE starts it over");
		return 2;
	}
	b->create.queue = queue;
	/* With --queue only one queue was looked at; the others do not matter then. */
	b->create.known = queue || cmd_flag(l, "fresh") ? NULL : &known;
	rc = site_open(&site, l->dir, SITE_WRITE, &e);
	if (rc == 0)
		batch_sweep(&site, &b->config);
	if (rc == 0)
		rc = go_on    ? create_continued(&s, &site, known.sid, &b->create, &e)
		     : stored ? create_stored(&s, &site, queue, &b->create, &e)
		              : create_session(&s, &site, plan, &b->create, &e);
	if (rc != 0 && (go_on || stored) && e.kind == ERR_MOVED)
		*moved = e;
	else
		code = rc == 0 ? batch_work(&s, &b->config, NULL, b->json) : cmd_fail(&e);
	session_fini(&s);
	site_close(&site);
	return code;
}

static int start(const struct cmd_line *l, struct batch *b, struct plan *plan, const char *queue)
{
	struct err moved = {0};

	/* Retried, done or landed by somebody else since it was looked at: that is another matter then. */
	for (int i = 0; i < TRIES; i++) {
		err_clear(&moved);
		int code = start_once(l, b, plan, queue, &moved);
		if (moved.kind == ERR_NONE)
			return code;
	}
	return cmd_fail(&moved);
}

/* Started over: under the first id of these that is free, as what became of the known one stays. */
static int add_again(struct queue_added *added, struct site *site, const struct plan *plan, struct err *e)
{
	AUTO_FREE char *known = mem_strdup(added->id);
	int rc = 0;

	for (int i = 2; rc == 0 && added->known; i++) {
		AUTO_FREE char *id = mem_printf("%s-%d", known, i);
		queue_added_fini(added);
		if (plan_id_fault(id))
			return err_set(e, ERR_USAGE, "queue %s is known: name a new one with --queue ID", known);
		rc = queue_add(added, site, plan, id, e);
		if (rc != 0 && e->kind == ERR_EXISTS) {
			err_clear(e);
			added->known = true;
			rc = 0;
		}
	}
	return rc;
}

/* A queue file becomes a queue of the store first, and then it is worked on as such: *queue is its id. */
static int add_queue(const struct cmd_line *l, struct plan *plan, char **queue)
{
	struct site site = {0};
	struct queue_added added = {0};
	struct err e = {0};
	int rc = site_open(&site, l->dir, SITE_WRITE, &e);

	if (rc == 0)
		rc = queue_add(&added, &site, plan, cmd_value(l, "queue"), &e);
	if (rc == 0 && added.known && cmd_flag(l, "fresh"))
		rc = add_again(&added, &site, plan, &e);
	site_close(&site);
	if (rc == 0) {
		batch_warn_known(&added);
		log_info(added.known ? "queue %s, which was added before" : "queue %s is added", added.id);
		mem_set(queue, added.id);
	}
	queue_added_fini(&added);
	plan_fini(plan);
	return rc == 0 ? 0 : cmd_fail(&e);
}

static int nothing_given(const struct cmd_line *l)
{
	AUTO_STRV struct strv queues = {0};
	struct site site = {0};
	struct err e = {0};

	log_error("bosk run needs a plan: bosk run PLAN.yaml; the smallest one:\n"
	          "  tasks:\n    - {id: hello, run: \"echo hello > hello.txt\"}");
	if (site_open(&site, l->dir, SITE_READ, &e) == 0) {
		stored_queue_unready(&site, &queues);
		batch_say_lines(&queues);
		batch_say_dead(&site);
	}
	site_close(&site);
	return 2;
}

/* A queue with nothing in it that could ever be run is not even added; its items were named by batch_warn. */
static int judge_read(const struct plan *p)
{
	size_t pending = 0, barred = 0;

	for (size_t i = 0; p->queue && i < p->n; i++) {
		pending += !task_state_ended(p->queue->states[i]);
		barred += waiting_barred(p, i, p->queue->states[i]);
	}
	if (!pending || barred < pending)
		return 0;
	log_error("no item of %s can be run; nothing was started", p->source);
	return 1;
}

/* --worktree: of the plan, or of the queue of the store when there is none, one task is to be run. */
static int judge_one(struct site *site, const struct plan *given, const char *queue)
{
	struct plan stored = {0};
	struct err e = {0};
	size_t runs = 0;

	if (!given->n && stored_queue_plan(&stored, site, queue, &e) != 0)
		return cmd_fail(&e);
	const struct plan *p = given->n ? given : &stored;
	for (size_t i = 0; i < p->n; i++)
		runs += !p->queue || (p->queue->states[i] == TASK_WAITING && !p->tasks[i].missing);
	plan_fini(&stored);
	if (runs == 1)
		return 0;
	err_set(&e, ERR_USAGE, "--worktree is for one task, and this plan has %zu", runs);
	return cmd_fail(&e);
}

static int run_with(const struct cmd_line *l)
{
	struct batch b = {0};
	struct plan plan = {0};
	struct plan_faults faults = {0};
	struct site site = {0};
	struct create_base look = {0};
	struct err e = {0};
	AUTO_STR struct str text = {0};
	int looked = 0;

	if (cmd_flag(l, "dry-run"))
		return cmd_plan_show(l);
	if (getenv("BOSK_TASK")) {
		log_error("bosk run inside a task (BOSK_TASK=%s) is refused: a task must not start tasks",
		          getenv("BOSK_TASK"));
		return 2;
	}
	bool given = l->rest.n || cmd_value(l, "prompt");
	AUTO_FREE char *queue = mem_strdup(cmd_value(l, "queue"));
	if (queue && plan_id_fault(queue)) {
		log_error("--queue %s: %s", queue, plan_id_fault(queue));
		return 2;
	}
	if (cmd_git(&e) != 0)
		return cmd_fail(&e);
	if (!given && !queue && stored_queue_first(&queue, l, &e) != 0)
		return cmd_fail(&e);
	if (!given && !queue)
		return nothing_given(l);
	/* Everything that can be wrong is found before anything is made. */
	int rc = site_open(&site, l->dir, SITE_CHECK, &e);
	int code = rc == 0 ? cmd_config(l, &site, &b.config) : cmd_fail(&e);
	if (!code && batch_options(&b, l, &e) != 0)
		code = cmd_fail(&e);
	if (!code)
		looked = create_look(&look, &site, &b.create, &e);
	if (!code && given)
		code = batch_plan(l, &b, &site, &look, &plan, &faults);
	if (plan.land && !cmd_value(l, "land"))
		b.create.land = plan.land;
	if (!code && looked != 0)
		code = cmd_fail(&e);
	if (!code && b.create.borrow_linked)
		code = judge_one(&site, &plan, queue);
	if (!code) {
		create_check_tasks(&site, &plan, &b.create, NULL, &faults);
		create_check_stories(&site, &plan, &look, &faults);
	}
	if (faults.n) {
		plan_faults_print(&faults, &text);
		fwrite(text.p, 1, text.len, stderr);
		log_error("the plan has %zu fault%s; nothing was started", faults.n, faults.n == 1 ? "" : "s");
		code = 2;
	}
	site_close(&site);
	if (!code && create_check_agents(&plan, &b.create, NULL, &e) != 0)
		code = cmd_fail(&e);
	if (!code)
		batch_warn(&plan);
	if (!code)
		code = judge_read(&plan);
	if (!code && ask_full(l, &e) != 0)
		code = cmd_fail(&e);
	if (!code && plan.queue)
		code = add_queue(l, &plan, &queue);
	if (!code)
		code = start(l, &b, &plan, queue);
	create_base_fini(&look);
	plan_faults_fini(&faults);
	plan_fini(&plan);
	batch_fini(&b);
	return code;
}

static int run(const struct cmd_line *l)
{
	return cmd_flag(l, "ask") ? ask_run(l, run_with) : run_with(l);
}

const struct cmd cmd_run_entry = {
	.name = "run",
	.args = "[PLAN...]",
	.summary = "work on a plan until nothing more can be done",
	.details =
		"A PLAN is a file, - for standard input, a folder of stories, or a story's key (3-2).\n"
		"Before the first task it sees that all is ready to leave, as bosk doctor --live does: where an\n"
		"account, the setup or a gate on the base fails, nothing is started (4). --no-preflight leaves\n"
		"that out.\n"
		"Ctrl-C once: no new tasks, running ones finish. Twice: agents are stopped, their work is\n"
		"saved. Three times: exit at once; bosk resume goes on in every case.\n",
	CMD_OPTIONS(options),
	.max_rest = -1,
	.run = run};
