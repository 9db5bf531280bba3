/* create_tasks: what of a plan's tasks depends on the repository and on how the run was called: agents,
 * and branches that can be made. */
#include "create_in.h"

#include <stdlib.h>
#include <string.h>

#include "agents.h"
#include "own.h"
#include "store/base/mem.h"
#include "worker/secret.h"

/* Where `ref` is in the sorted list, or would be. */
static size_t place(const struct strv *refs, const char *ref)
{
	size_t low = 0, high = refs->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(refs->v[middle], ref) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has(const struct strv *refs, const char *ref)
{
	size_t at = place(refs, ref);
	return at < refs->n && strcmp(refs->v[at], ref) == 0;
}

/* A ref that exists where a folder of refs is needed, or the other way round (pitfalls 4.5). `heads`:
 * all below refs/heads, sorted. */
static char *branch_clash(const struct strv *heads, const char *branch)
{
	AUTO_FREE char *ref = mem_printf("refs/heads/%s", branch), *below = mem_printf("%s/", ref);
	const size_t folder = strlen("refs/heads/");

	if (has(heads, ref))
		return mem_strdup(branch);
	size_t at = place(heads, below);
	if (at < heads->n && str_starts(heads->v[at], below))
		return mem_strdup(heads->v[at] + folder);
	for (char *p = ref + folder; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (has(heads, ref))
			return mem_strdup(ref + folder);
		*p = '/';
	}
	return NULL;
}

/* What is stored with a session must hold no secret (promise E7). */
static void check_secrets(const struct create_options *o, struct plan_faults *faults)
{
	const struct strv *sources = &o->config->sources;
	const char *name;
	size_t at;

	for (size_t i = 0; i + 1 < sources->n; i += 2) {
		const char *text = sources->v[i + 1];
		if (!(name = secret_in(text, strlen(text), &at)))
			continue;
		size_t line = 1, column = 1;
		for (size_t k = 0; k < at; k++) {
			column = text[k] == '\n' ? 1 : column + 1;
			line += text[k] == '\n';
		}
		plan_faults_add(faults, sources->v[i], line, column, NULL, NULL, SECRET_FAULT, name);
	}
	if (o->executor && (name = secret_in(o->executor, strlen(o->executor), &at)))
		plan_faults_add(faults, "--executor", 0, 0, NULL, NULL, SECRET_FAULT, name);
}

/* Is the branch that the plan names one that an earlier session of this plan made for the task? */
static bool may_be_ours(const struct site *site, const struct plan *plan, const struct session *s, size_t task)
{
	struct create_known known = {0};
	struct err ignored = {0};

	if (s)
		return s->before && str_eq(s->before[task].branch, plan->tasks[task].branch);
	return create_find(site, plan->content, NULL, &known, &ignored) == 0 && known.sid[0];
}

static void check_agent(const struct plan *plan, const struct task_def *d, const struct create_options *o,
                        struct plan_faults *faults)
{
	const char *agent = agents_of(d, o->agent);
	AUTO_FREE char *unknown = agent ? agents_fault(o->config, agent) : NULL;

	if (unknown)
		plan_faults_add(faults, plan->source, 0, 0, d->id, "agent", "%s", unknown);
	else if (d->run || o->executor || o->shown_only)
		return;
	else if (!agent)
		plan_faults_add(faults, plan->source, 0, 0, d->id, "prompt",
		                "it needs an agent: give --agent NAME, or --executor CMD (a shell command that reads the "
		                "prompt on its standard input)");
	else if (agents_wants_command(agents_def(o->config, agent, o->agent)))
		plan_faults_add(faults, plan->source, 0, 0, d->id, "agent",
		                "agent %s runs a shell command that reads the prompt on its standard input: give it with "
		                "--executor CMD", agent);
}

int create_check_agents(const struct plan *plan, const struct create_options *o, const struct session *s, struct err *e)
{
	for (size_t i = 0; i < plan->n && !o->executor; i++) {
		const struct task_def *d = &plan->tasks[i];
		const struct msg_agent *def = agents_def(o->config, agents_of(d, o->agent), o->agent);
		if (!def || plan_end(d) != TASK_WAITING || d->missing ||
		    (s ? task_state_ended(session_task_state(s, i)) : plan->queue && plan->queue->states[i] != TASK_WAITING))
			continue;
		AUTO_FREE char *missing = agents_missing(def);
		if (missing)
			return err_set(e, ERR_ENV, "task %s: %s", d->id, missing);
	}
	return 0;
}

void create_check_tasks(const struct site *site, const struct plan *plan,
                        const struct create_options *o, const struct session *s, struct plan_faults *faults)
{
	const char *sid = s ? s->sid : "000000";
	AUTO_STRV struct strv heads = {0};
	struct err e = {0};

	check_secrets(o, faults);
	if (!o->borrow)
		own_check(site, plan, faults);
	/* Read once: a plan may have very many tasks. */
	if (gitx_ref_list(site->git, "refs/heads/", &heads, &e) != 0) {
		plan_faults_add(faults, plan->source, 0, 0, NULL, NULL, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < plan->n; i++) {
		const struct task_def *d = &plan->tasks[i];
		if (plan_end(d) != TASK_WAITING || d->missing)
			continue;
		AUTO_FREE char *branch = session_task_branch(o->config->branch, sid, d);
		if (s ? task_state_ended(session_task_state(s, i)) : plan->queue && plan->queue->states[i] != TASK_WAITING)
			continue; /* of a queue: it has ended, or somebody else works on it */
		check_agent(plan, d, o, faults);
		if (!gitx_branch_name_ok(branch)) {
			plan_faults_add(faults, plan->source, 0, 0, d->id, "branch",
			                "git does not accept the branch name %s", branch);
			continue;
		}
		AUTO_FREE char *clash = branch_clash(&heads, branch);
		if (clash && d->branch) {
			if (!(str_eq(clash, branch) && may_be_ours(site, plan, s, i)))
				plan_faults_add(faults, plan->source, 0, 0, d->id, "branch",
				                "branch %s cannot be made because branch %s exists: rename that one (git branch "
				                "-m %s NAME), delete it, or let the plan name another", branch, clash, clash);
			continue;
		}
		if (clash) {
			plan_faults_add(faults, plan->source, 0, 0, d->id, "branch",
			                "branch %s cannot be made because branch %s exists: rename that one, or set "
			                "`branch` in the configuration", branch, clash);
			return; /* the same for every task: once is enough */
		}
	}
}
