/* explore: all orders of events, breadth first, each state once. A state is told from others by the
 * digest of the schedule and the books kept about it. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/str.h"

struct node {
	struct schedule *s; /* until its events were tried */
	uint64_t digest;
	size_t parent;
	struct sched_event ev; /* that led here from the parent; meaningless after a restart */
	bool restart;
	struct model_book book;
};

struct search {
	const struct model_plan *truth, *told;
	uint8_t above[MODEL_TASKS];
	struct node *nodes;
	size_t n, room;
	uint64_t *seen; /* open addressing; 0 = empty */
	size_t n_seen, seen_room;
	struct model_result *out;
};

static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

static bool seen_put(uint64_t *seen, size_t room, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);

	while (seen[i] != 0 && seen[i] != key)
		i = (i + 1) & (room - 1);
	bool fresh = seen[i] == 0;
	seen[i] = key;
	return fresh;
}

static bool first_time(struct search *x, uint64_t key)
{
	if (2 * x->n_seen >= x->seen_room) {
		size_t room = x->seen_room ? 2 * x->seen_room : 1024;
		uint64_t *seen = mem_array(room, sizeof *seen);
		for (size_t i = 0; i < x->seen_room; i++) {
			if (x->seen[i])
				seen_put(seen, room, x->seen[i]);
		}
		free(x->seen);
		x->seen = seen;
		x->seen_room = room;
	}
	bool fresh = seen_put(x->seen, x->seen_room, key ? key : 1);
	x->n_seen += fresh;
	return fresh;
}

/* ---- the schedule of a plan ---- */

static bool share_a_file(void *ctx, uint32_t a, uint32_t b)
{
	const struct model_plan *p = ctx;
	return (p->files[a] & p->files[b]) != 0;
}

static struct schedule *make(const struct model_plan *p)
{
	uint32_t needs[MODEL_TASKS * MODEL_TASKS], after[MODEL_TASKS * MODEL_TASKS];
	size_t needs_at[MODEL_TASKS + 1] = {0}, after_at[MODEL_TASKS + 1] = {0}, n = 0, n_after = 0;

	for (uint32_t t = 0; t < p->n; t++) {
		for (uint32_t i = 0; i < p->n; i++) {
			if (p->needs[t] >> i & 1)
				needs[n++] = i;
			if (p->after[t] >> i & 1)
				after[n_after++] = i;
		}
		needs_at[t + 1] = n;
		after_at[t + 1] = n_after;
	}
	uint32_t prefer[MODEL_TASKS], agent[MODEL_TASKS], account[MODEL_AGENTS], fallback[MODEL_AGENTS];
	bool any = false, stays[MODEL_AGENTS];
	for (uint32_t t = 0; t < p->n; t++) {
		prefer[t] = p->prefer[t] ? p->prefer[t] - 1u : SCHED_NONE;
		any |= p->prefer[t] > 0;
	}
	for (uint32_t t = 0; t < p->n; t++)
		agent[t] = p->agent[t] ? p->agent[t] - 1u : SCHED_NONE;
	for (uint32_t a = 0; a < MODEL_AGENTS; a++) {
		account[a] = p->account[a];
		fallback[a] = p->fallback[a] ? p->fallback[a] - 1u : SCHED_NONE;
		stays[a] = p->stays >> a & 1;
	}
	struct schedule *s = schedule_new(&(struct sched_plan){
		.tasks = p->n,
		.slots = p->slots,
		.needs = needs,
		.needs_at = needs_at,
		.after = after,
		.after_at = after_at,
		.priority = p->priority,
		.exclusive = p->exclusive,
		.prefer = any ? prefer : NULL,
		.overlaps = share_a_file,
		.ctx = (void *)(uintptr_t)p,
		.retries = p->retries,
		.halt_after_failures = p->halt,
		.sequential = p->sequential,
		.closed = p->closed,
		.agents = p->agents,
		.accounts = p->accounts,
		.agent = p->agents ? agent : NULL,
		.account = account,
		.fallback = fallback,
		.stays = stays,
	});
	for (uint32_t t = 0; t < p->n; t++) {
		if (p->already >> t & 1)
			schedule_restore(s, t, TASK_ALREADY, 0);
		else if (p->routed >> t & 1)
			schedule_restore(s, t, TASK_ROUTED, 0);
		else if (p->claimed >> t & 1)
			schedule_restore(s, t, TASK_CLAIMED, 0);
	}
	return s;
}

/* ---- saying what went wrong ---- */

static const char *const event_names[] = {
	[SCHED_START] = "START",           [SCHED_DONE] = "DONE",
	[SCHED_FAILED] = "FAILED",         [SCHED_TIMEOUT] = "TIMEOUT",
	[SCHED_BLOCKED] = "BLOCKED",       [SCHED_INTEGRATED] = "INTEGRATED",
	[SCHED_CONFLICT] = "CONFLICT",     [SCHED_RED] = "RED",
	[SCHED_REPAIR] = "REPAIR",         [SCHED_STOPPED] = "STOPPED",
	[SCHED_RETRY_DUE] = "RETRY_DUE",   [SCHED_STOP] = "STOP",
	[SCHED_STOP_NOW] = "STOP_NOW",     [SCHED_HOLD] = "HOLD",
	[SCHED_RELEASE] = "RELEASE",       [SCHED_OPEN] = "OPEN",
	[SCHED_CLOSE] = "CLOSE",           [SCHED_FINAL] = "FINAL",
	[SCHED_TRANSIENT] = "TRANSIENT",   [SCHED_LIMITED] = "LIMITED",
	[SCHED_ACCOUNT_SHUT] = "ACCOUNT_SHUT", [SCHED_ACCOUNT_PROBE] = "ACCOUNT_PROBE",
	[SCHED_ACCOUNT_OPEN] = "ACCOUNT_OPEN",
};

static void say_event(struct str *out, struct sched_event ev, bool restart)
{
	if (restart)
		str_add(out, "  (restarted: schedule_restore from the states)\n");
	else if (ev.task == SCHED_NONE)
		str_addf(out, "  %s\n", event_names[ev.kind]);
	else
		str_addf(out, "  %s %u\n", event_names[ev.kind], ev.task);
}

static void say_way(const struct search *x, struct str *out, size_t node)
{
	if (node == 0)
		return;
	say_way(x, out, x->nodes[node].parent);
	say_event(out, x->nodes[node].ev, x->nodes[node].restart);
}

static void say_plan(struct str *out, const struct model_plan *p)
{
	str_addf(out, "plan %s: slots %u, retries %u, halt after %u%s\n", p->name, p->slots,
	         p->retries, p->halt, p->sequential ? ", sequential" : "");
	for (uint32_t t = 0; t < p->n; t++)
		str_addf(out, "  task %u: needs 0x%02x, after 0x%02x, files 0x%02x, priority %lld, slot %u, agent %u%s%s\n", t,
		         p->needs[t], p->after[t], p->files[t], (long long)p->priority[t], p->prefer[t], p->agent[t],
		         p->exclusive[t] ? ", exclusive" : "", p->claimed >> t & 1 ? ", claimed" : "");
}

static void report(struct search *x, const char *broken, size_t node, struct sched_event ev,
                   bool restart, const struct model_shot *after)
{
	struct str text = {0};

	say_plan(&text, x->truth);
	say_way(x, &text, node);
	say_event(&text, ev, restart);
	for (uint32_t t = 0; t < x->truth->n; t++)
		str_addf(&text, "  now task %u: %s, retries %u\n", t,
		         task_state_name(after->state[t]), after->retries[t]);
	str_addf(&text, "broken: %s\n", broken);
	x->out->broken = broken;
	x->out->trail = str_take(&text);
}

/* ---- steps ---- */

/* Takes `s` over; false: known already, and `s` stays the caller's. */
static bool add(struct search *x, struct schedule *s, struct node node)
{
	uint64_t digest = schedule_digest(s);
	uint64_t key = hash(hash(0xcbf29ce484222325u, &digest, sizeof digest), &node.book,
	                    sizeof node.book);

	if (!first_time(x, key))
		return false;
	if (x->n == x->room) {
		x->room = x->room ? 2 * x->room : 256;
		x->nodes = mem_grow(x->nodes, x->room, sizeof *x->nodes);
	}
	node.s = s;
	node.digest = digest;
	x->nodes[x->n++] = node;
	return true;
}

static void step(struct search *x, size_t from, const struct model_shot *shot,
                 struct sched_event ev)
{
	struct schedule *s = schedule_copy(x->nodes[from].s);
	struct model_step st = {
		.plan = x->truth,
		.above = x->above,
		.ev = ev,
		.before = *shot,
		.was = x->nodes[from].book,
	};

	st.n = schedule_apply(s, ev, &st.actions);
	model_look(x->truth, s, &st.after);
	model_write(&st);
	x->out->transitions++;
	bool fresh = add(x, s, (struct node){.parent = from, .ev = ev, .book = st.is});
	const char *broken = fresh ? model_check_state(&st) : NULL;
	if (!broken)
		broken = model_check_step(&st);
	if (broken)
		report(x, broken, from, ev, false, &st.after);
	if (!fresh)
		schedule_free(s); /* only now: it holds the actions */
}

/* A new process that knows the states only: what was running or waiting to retry is pending. */
static void restart(struct search *x, size_t from, const struct model_shot *shot)
{
	struct { uint8_t state, retries; } kept[MODEL_TASKS] = {0};
	struct model_step st = {.plan = x->truth, .above = x->above};
	uint32_t n = x->truth->n;

	for (uint32_t t = 0; t < n; t++) {
		bool lasts = shot->state[t] == TASK_CHECKED || task_state_ended(shot->state[t]);
		kept[t].state = (uint8_t)(lasts ? shot->state[t] : TASK_READY);
		kept[t].retries = (uint8_t)shot->retries[t];
		st.is.attempts[t] = (uint8_t)(shot->retries[t] + lasts);
	}
	uint64_t key = hash(~0u, kept, sizeof kept);
	if (!first_time(x, key))
		return; /* restarted from here already */

	struct schedule *s = make(x->told);
	uint8_t attempts[MODEL_TASKS];
	memcpy(attempts, st.is.attempts, sizeof attempts);
	model_begin(x->truth, &st.is);
	memcpy(st.is.attempts, attempts, sizeof attempts);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t t = key & 1 ? i : n - 1 - i; /* the order must not matter */
		schedule_restore(s, t, shot->state[t], shot->retries[t]);
		st.is.home[t] = key & 2 && !task_state_ended(shot->state[t]) ? x->nodes[from].book.home[t] : 0;
		st.is.last[t] = st.is.home[t] ? x->nodes[from].book.last[t] : 0;
		if (st.is.home[t])
			schedule_home(s, t, st.is.last[t] - 1u, st.is.home[t] - 1u);
	}
	model_look(x->truth, s, &st.after);
	x->out->restarts++;
	const char *broken = model_check_state(&st);
	for (uint32_t t = 0; t < n && !broken; t++) {
		enum task_state is = st.after.state[t];
		bool is_pending = is == TASK_READY || is == TASK_WAITING;
		if (kept[t].state == TASK_READY ? !is_pending : is != shot->state[t])
			broken = "a task is not restored to its state";
		else if (st.after.retries[t] != shot->retries[t])
			broken = "the retries used are forgotten";
	}
	if (!add(x, s, (struct node){.parent = from, .restart = true, .book = st.is}))
		schedule_free(s);
	if (broken)
		report(x, broken, from, (struct sched_event){0}, true, &st.after);
}

static bool fits(const struct search *x, const struct model_book *b, const struct model_shot *shot,
                 struct sched_event ev)
{
	if (b->ended)
		return false;
	if (ev.kind == SCHED_START)
		return !b->started;
	if (ev.kind == SCHED_STOP)
		return b->stop < 1;
	if (ev.kind == SCHED_STOP_NOW)
		return b->stop < 2;
	if (ev.kind == SCHED_HOLD || ev.kind == SCHED_RELEASE)
		return b->held == (ev.kind == SCHED_RELEASE);
	if (ev.kind == SCHED_OPEN)
		return b->closed != 0;
	if (ev.kind == SCHED_CLOSE)
		return x->truth->slots - (uint32_t)__builtin_popcount(b->closed) > b->giving;
	if (ev.kind >= SCHED_ACCOUNT_SHUT) {
		if (ev.task >= x->truth->accounts)
			return false;
		uint8_t is = b->gate[ev.task];
		return ev.kind == SCHED_ACCOUNT_OPEN ? is != MODEL_OPEN : ev.kind == SCHED_ACCOUNT_SHUT ? is != MODEL_SHUT : is == MODEL_SHUT;
	}
	if (ev.task >= x->truth->n || !b->started)
		return false;

	enum task_state is = shot->state[ev.task];
	if (ev.kind == SCHED_RETRY_DUE)
		return is == TASK_BACKOFF;
	if (ev.kind == SCHED_INTEGRATED || ev.kind == SCHED_CONFLICT || ev.kind == SCHED_RED ||
	    ev.kind == SCHED_REPAIR)
		return is == TASK_CHECKED;
	return is == TASK_RUNNING && (ev.kind != SCHED_STOPPED || b->stop == 2);
}

static bool may_happen(const struct model_plan *p, const struct model_book *b, struct sched_event ev)
{
	if (ev.kind == SCHED_REPAIR)
		return b->repairs[ev.task] < p->repairs;
	if (ev.kind == SCHED_HOLD || ev.kind == SCHED_RELEASE)
		return !p->never_held;
	if (ev.kind == SCHED_LIMITED || ev.kind == SCHED_TRANSIENT)
		return b->limits[ev.task] < p->limits;
	if (ev.kind == SCHED_ACCOUNT_SHUT)
		return !p->only_limits;
	if (ev.kind == SCHED_OPEN)
		return b->claimed;
	if (ev.kind == SCHED_CLOSE)
		return p->closed;
	if (ev.kind == SCHED_FINAL && !p->agents)
		return false; /* to the others it is a failure without a retry */
	uint8_t way = ev.kind == SCHED_FAILED    ? MODEL_FAILED
	              : ev.kind == SCHED_FINAL   ? MODEL_FAILED
	              : ev.kind == SCHED_TIMEOUT ? MODEL_TIMEOUT
	              : ev.kind == SCHED_BLOCKED ? MODEL_BLOCKED
	              : ev.kind == SCHED_RED     ? MODEL_BLOCKED
	                                         : 0;
	return way == 0 || p->fails[ev.task] == 0 || (p->fails[ev.task] & way);
}

static bool of_task(enum sched_event_kind kind)
{
	_Static_assert(SCHED_RETRY_DUE - SCHED_DONE == 12, "13 kinds are about a task");
	return kind >= SCHED_DONE && kind <= SCHED_RETRY_DUE;
}

/* Late messages, repetitions, tasks that do not exist: nothing may change. */
static void misfits(struct search *x, size_t from, const struct model_shot *shot,
                    const struct sched_event *evs, size_t n)
{
	struct schedule *s = x->nodes[from].s;

	for (size_t i = 0; i < n && !x->out->broken; i++) {
		const struct sched_action *actions;
		x->out->misfits++;
		if (schedule_apply(s, evs[i], &actions) != 0)
			report(x, "an event that does not fit gives actions", from, evs[i], false,
			       shot);
	}
	if (!x->out->broken && schedule_digest(s) != x->nodes[from].digest)
		report(x, "events that do not fit change something", from, evs[0], false, shot);
}

static void try_everything(struct search *x, size_t from)
{
	struct sched_event wrong[(SCHED_ACCOUNT_OPEN + 1) * (MODEL_TASKS + 2)];
	struct model_shot shot;
	struct model_book book = x->nodes[from].book;
	uint32_t n = x->truth->n;
	size_t n_wrong = 0;

	model_look(x->truth, x->nodes[from].s, &shot);
	for (int k = SCHED_START; k <= SCHED_ACCOUNT_OPEN; k++) {
		enum sched_event_kind kind = (enum sched_event_kind)k;
		/* Tasks n and SCHED_NONE do not exist: tried with one kind in each state. */
		bool account = kind >= SCHED_ACCOUNT_SHUT;
		uint32_t tasks = account ? x->truth->accounts + 1u : !of_task(kind) ? 1 : from % 8 == kind - SCHED_DONE ? n + 2 : n;
		for (uint32_t t = 0; t < tasks; t++) {
			struct sched_event ev = {kind, account || (of_task(kind) && t <= n) ? t : SCHED_NONE};
			if (fits(x, &book, &shot, ev)) {
				if (may_happen(x->truth, &book, ev))
					step(x, from, &shot, ev);
			} else if (book.ended || (from + (size_t)k) % 3 == 0) {
				/* A third of the kinds in each state: its neighbours try others. */
				wrong[n_wrong++] = ev;
			}
			if (x->out->broken)
				return;
		}
	}
	misfits(x, from, &shot, wrong, n_wrong);
	if (!x->out->broken)
		restart(x, from, &shot);
}

void model_explore(const struct model_plan *truth, const struct model_plan *told,
                   struct model_result *out)
{
	struct search x = {.truth = truth, .told = told, .out = out};

	memset(out, 0, sizeof *out);
	model_above(truth, x.above);
	struct node first = {0};
	model_begin(truth, &first.book);
	add(&x, make(told), first);
	for (size_t i = 0; i < x.n && !out->broken; i++) {
		try_everything(&x, i);
		schedule_free(x.nodes[i].s);
		x.nodes[i].s = NULL;
	}
	out->states = x.n;
	for (size_t i = 0; i < x.n; i++)
		schedule_free(x.nodes[i].s);
	free(x.nodes);
	free(x.seen);
}
