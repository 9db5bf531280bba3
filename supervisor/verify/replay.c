/* replay: one event after another. */
#include "replay.h"

#include "store/base/mem.h"

void replay_init(struct replay *r, size_t tasks)
{
	*r = (struct replay){.tasks = mem_array(tasks, sizeof *r->tasks), .n = tasks};
}

void replay_told_fini(struct replay_told *t)
{
	free(t->tip);
	free(t->state);
	free(t->landed);
	free(t->final_gates);
	free(t->pushed);
	free(t->pushed_to);
	free(t->pr_of);
	free(t->pr_url);
	*t = (struct replay_told){0};
}

void replay_fini(struct replay *r)
{
	replay_told_fini(&r->told);
	for (size_t i = 0; i < r->n; i++) {
		free(r->tasks[i].commit);
		free(r->tasks[i].merge);
	}
	free(r->tasks);
	*r = (struct replay){0};
}

void replay_session(struct replay *r, const char *tip)
{
	replay_told_fini(&r->told);
	mem_set(&r->told.tip, tip);
	mem_set(&r->told.state, "running");
	for (size_t i = 0; i < r->n; i++) {
		struct replay_task *t = &r->tasks[i];
		t->seq = 0;
		if (task_state_good(t->state) || t->state == TASK_REVERTED)
			continue;
		t->state = TASK_WAITING;
		mem_set(&t->commit, NULL);
	}
}

/* What a result leads to; a "backoff" may follow. "unsaved": its worktree holds the only copy. */
static enum task_state after_result(const char *outcome)
{
	static const struct {
		const char *outcome;
		enum task_state state;
	} states[] = {{"ok", TASK_CHECKED},       {"unmerged", TASK_CHECKED}, {"timeout", TASK_TIMEOUT},
	              {"blocked", TASK_BLOCKED},  {"unsaved", TASK_BLOCKED},  {"stopped", TASK_READY},
	              {"no-room", TASK_READY},    {"transient", TASK_BACKOFF}, {"limited", TASK_LIMITED},
	              {"auth", TASK_LIMITED}};
	for (size_t i = 0; i < MEM_COUNT(states); i++)
		if (str_eq(outcome, states[i].outcome))
			return states[i].state;
	return TASK_FAILED;
}

static void of_task(struct replay *r, struct replay_task *t, const struct event_row *ev)
{
	static const struct {
		const char *kind;
		enum task_state state;
	} moves[] = {{"assign", TASK_RUNNING},   {"backoff", TASK_BACKOFF},   {"dropped", TASK_READY},
	             {"skipped", TASK_SKIPPED},  {"conflict", TASK_CONFLICT}, {"blocked", TASK_BLOCKED},
	             {"repair", TASK_READY},     {"again", TASK_WAITING},     {"retry", TASK_WAITING},
	             {"lost", TASK_FAILED},      {"checked", TASK_CHECKED},   {"integrated", TASK_INTEGRATED},
	             {"already", TASK_ALREADY},  {"routed", TASK_ROUTED},     {"stands", TASK_INTEGRATED},
	             {"reverted", TASK_REVERTED}};

	for (size_t i = 0; i < MEM_COUNT(moves); i++)
		if (str_eq(ev->kind, moves[i].kind))
			t->state = moves[i].state;
	if (str_eq(ev->kind, "assign") || str_eq(ev->kind, "retry")) {
		mem_set(&t->commit, NULL);
		if (str_eq(ev->kind, "retry"))
			mem_set(&t->merge, NULL); /* of a story that was closed in part */
	} else if (str_eq(ev->kind, "attempt")) {
		t->attempts = ev->attempt;
	} else if (str_eq(ev->kind, "result")) {
		t->state = after_result(ev->outcome);
		t->attempts = ev->attempt;
		mem_set(&t->commit, ev->commit);
	} else if (str_eq(ev->kind, "checked")) {
		mem_set(&t->commit, ev->commit);
	} else if (str_eq(ev->kind, "integrated")) {
		mem_set(&t->merge, ev->merge);
	} else if (str_eq(ev->kind, "reverted")) {
		mem_set(&t->merge, NULL);
	} else if (str_eq(ev->kind, "stands")) {
		mem_set(&t->commit, ev->commit);
		mem_set(&t->merge, ev->merge);
	} else if (str_eq(ev->kind, "snapshot")) {
		if (!ev->outcome || !task_state_parse(ev->outcome, &t->state))
			t->state = TASK_WAITING;
		t->attempts = ev->attempt;
		mem_set(&t->commit, ev->commit);
		mem_set(&t->merge, ev->merge);
		r->lands |= t->state == TASK_LANDED;
	}
	if (str_eq(ev->kind, "retry")) {
		mem_set(&r->told.final_gates, NULL);
		if (str_eq(r->told.state, "done") || str_eq(r->told.state, "failed"))
			mem_set(&r->told.state, "stopped");
	}
}

static void of_session(struct replay *r, const struct event_row *ev)
{
	if (str_eq(ev->kind, "session") || str_eq(ev->kind, "resume") || str_eq(ev->kind, "recover"))
		mem_set(&r->told.state, "running");
	if (str_eq(ev->kind, "session") || str_eq(ev->kind, "resume") || str_eq(ev->kind, "integrated") ||
	    str_eq(ev->kind, "sprint") || str_eq(ev->kind, "reverted"))
		mem_set(&r->told.tip, ev->new_tip);
	if (str_eq(ev->kind, "reverting")) {
		mem_set(&r->told.final_gates, NULL);
		if (str_eq(r->told.state, "done") || str_eq(r->told.state, "failed"))
			mem_set(&r->told.state, "stopped");
	}
	if (str_eq(ev->kind, "end"))
		mem_set(&r->told.state, ev->reason);
	if (str_eq(ev->kind, "preflight") && str_eq(ev->outcome, "pass"))
		r->told.preflight = true;
	if (str_eq(ev->kind, "final"))
		mem_set(&r->told.final_gates, ev->outcome);
	if (str_eq(ev->kind, "landed")) {
		mem_set(&r->told.landed, ev->new_tip);
		r->lands = true;
	}
	r->lands |= str_eq(ev->kind, "task-landed");
	if (str_eq(ev->kind, "pr-pushed") && !ev->ordinal) {
		mem_set(&r->told.pushed, ev->new_tip);
		mem_set(&r->told.pushed_to, ev->reason);
	}
	if (str_eq(ev->kind, "pr") && !ev->ordinal) {
		mem_set(&r->told.pr_of, ev->new_tip);
		mem_set(&r->told.pr_url, ev->note);
	}
	if (str_eq(ev->kind, "adopt")) {
		mem_set(&r->told.tip, ev->reason);
		mem_set(&r->told.final_gates, NULL);
		r->told.adopted = true;
	}
	if (!str_eq(ev->kind, "rebuilt"))
		return;
	/* All that is known follows it, as snapshots. */
	replay_told_fini(&r->told);
	r->told.rebuilt = r->told.adopted = true;
	mem_set(&r->told.tip, ev->new_tip);
	mem_set(&r->told.state, ev->outcome);
	mem_set(&r->told.landed, ev->merge);
	mem_set(&r->told.final_gates, ev->reason);
	r->told.preflight = str_eq(ev->note, "preflight");
}

bool replay_event(struct replay *r, const struct event_row *ev, uint64_t seq)
{
	static const char *const kinds[] = {
		"session", "resume",   "recover", "end",     "preflight", "final",   "landing", "landed",
		"not-landed", "adopt", "rebuilt", "stop",    "stop-now",  "merged-gates", "assign", "attempt",
		"gate",    "result",   "backoff", "dropped", "skipped",   "conflict", "blocked", "repair",
		"again",   "retry",    "lost",    "checked", "intent",    "withdrawn", "integrated", "snapshot",
		"rescued", "cleaned", "already",  "routed",  "pushed",    "push-failed", "sprint",  "stands",
		"land",    "task-landed", "limit", "limited",  "spent",   "conversation", "tried",
		"reverting", "reverted", "pr-pushed", "pr"};
	bool known = false;

	for (size_t i = 0; i < MEM_COUNT(kinds); i++)
		known |= str_eq(ev->kind, kinds[i]);
	if (!known || ev->ordinal > r->n)
		return false;
	of_session(r, ev);
	if (ev->ordinal) {
		of_task(r, &r->tasks[ev->ordinal - 1], ev);
		/* These tell of a task, and leave its row as it is. */
		if (!str_eq(ev->kind, "gate") && !str_eq(ev->kind, "intent") && !str_eq(ev->kind, "withdrawn"))
			r->tasks[ev->ordinal - 1].seq = seq;
	}
	return true;
}

static enum task_state class_of(enum task_state s)
{
	return s == TASK_READY || s == TASK_BACKOFF || s == TASK_LIMITED ? TASK_WAITING : s;
}

bool replay_agrees(const struct replay *r, size_t task, enum task_state state)
{
	enum task_state told = class_of(r->tasks[task].state);

	state = class_of(state);
	if (state == TASK_LANDED || told == TASK_LANDED)
		return r->lands && (told == TASK_INTEGRATED || told == TASK_LANDED) &&
		       (state == TASK_INTEGRATED || state == TASK_LANDED);
	return state == told;
}
