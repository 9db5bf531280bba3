/* green: a set of "tree definition", in a search tree of libc. */
#include "green.h"

#include <search.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/seal.h"

struct green {
	const struct config *cfg;
	void *root; /* of struct known, by key */
};

struct known {
	char *key;
	bool passed;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->key, ((const struct known *)b)->key);
}

static void known_free(void *p)
{
	struct known *entry = p;
	free(entry->key);
	free(entry);
}

struct green *green_new(const struct config *cfg)
{
	struct green *g = mem_alloc(sizeof *g);
	g->cfg = cfg;
	return g;
}

void green_free(struct green *g)
{
	if (g)
		tdestroy(g->root, known_free);
	free(g);
}

static void add_list(struct strv *pieces, const struct strv *list)
{
	strv_addf(pieces, "%zu", list->n);
	for (size_t i = 0; i < list->n; i++)
		strv_add(pieces, list->v[i]);
}

/* The key of a gate on a tree; NULL = the session has no such gate. The caller owns it. */
static char *key_of(const struct green *g, const char *tree, const char *gate, const struct task_def *task)
{
	static const struct strv none;
	char hash[SEAL_HEX];
	AUTO_STRV struct strv pieces = {0};
	size_t i = 0;

	while (i < g->cfg->n_gates && !str_eq(g->cfg->gates[i].name, gate))
		i++;
	if (i == g->cfg->n_gates)
		return NULL;
	const struct config_gate *def = &g->cfg->gates[i];
	strv_add(&pieces, def->name);
	strv_add(&pieces, def->run ? def->run : "");
	strv_add(&pieces, def->builtin ? def->builtin : "");
	strv_addf(&pieces, "%llu %llu %d", (unsigned long long)def->timeout_ms, (unsigned long long)def->retries,
	          def->exclusive);
	strv_add(&pieces, def->lock ? def->lock : "");
	add_list(&pieces, &def->paths);
	add_list(&pieces, task ? &task->env : &none);
	seal_hash_pieces(hash, (const char *const *)pieces.v, pieces.n);
	return mem_printf("%s %s", tree, hash);
}

/* The gate of a step may be called as one of the session's. */
static bool is_steps(const struct task_def *task, const char *gate)
{
	for (size_t i = 1; task && i < task->step_gates.n; i += 3)
		if (str_eq(task->step_gates.v[i], gate))
			return true;
	return false;
}

void green_add(struct green *g, const char *tree, const struct strv *verdicts, const struct task_def *task)
{
	for (size_t i = 0; i < verdicts->n; i++) {
		const char *equals = strrchr(verdicts->v[i], '=');
		AUTO_FREE char *gate = equals ? mem_strndup(verdicts->v[i], (size_t)(equals - verdicts->v[i])) : NULL;
		char *key = gate && !is_steps(task, gate) ? key_of(g, tree, gate, task) : NULL;
		if (!key)
			continue;
		struct known *entry = mem_alloc(sizeof *entry);
		*entry = (struct known){.key = key, .passed = strcmp(equals, "=pass") == 0};
		struct known *there = *(struct known **)tsearch(entry, &g->root, by_key);
		if (!there)
			abort(); /* out of memory */
		if (there != entry) {
			there->passed |= entry->passed;
			known_free(entry);
		}
	}
}

static const struct known *find(const struct green *g, const char *tree, const char *gate)
{
	AUTO_FREE char *key = key_of(g, tree, gate, NULL);
	const struct known wanted = {.key = key};
	struct known **found = key ? tfind(&wanted, &g->root, by_key) : NULL;
	return found ? *found : NULL;
}

bool green_accepted(const struct green *g, const char *tree, const char *gate)
{
	return find(g, tree, gate) != NULL;
}

bool green_passed(const struct green *g, const char *tree, const char *gate)
{
	const struct known *entry = find(g, tree, gate);
	return entry && entry->passed;
}

/* ---- after a resume ---- */

struct told { /* that gates accepted a commit */
	char *commit;
	struct strv gates;
	uint64_t ordinal; /* of the task, 0 = none */
};

struct tellings {
	struct told *v;
	size_t n;
};

static void forget(struct tellings *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].commit);
		strv_fini(&t->v[i].gates);
	}
	free(t->v);
	*t = (struct tellings){0};
}

/* Events are many, those of gates few. */
static int take_event(void *ctx, const char *key, const void *value, size_t n, struct err *e)
{
	struct tellings *t = ctx;
	struct event_row ev;
	struct err ignored = {0};
	(void)key;
	(void)e;

	if (rec_decode(&event_row_rec, &ev, value, n, &ignored) != 0)
		return 0; /* verify tells of it */
	bool task = str_eq(ev.kind, "result") && str_eq(ev.outcome, "ok");
	bool check = (str_eq(ev.kind, "merged-gates") || str_eq(ev.kind, "preflight") || str_eq(ev.kind, "final")) &&
	             str_eq(ev.outcome, "pass");
	if ((task || check) && ev.commit && ev.gates.n) {
		t->v = mem_grow(t->v, t->n + 1, sizeof *t->v);
		t->v[t->n] = (struct told){.commit = mem_strdup(ev.commit), .ordinal = task ? ev.ordinal : 0};
		strv_copy(&t->v[t->n++].gates, &ev.gates);
	}
	rec_fini(&event_row_rec, &ev);
	return 0;
}

struct reading {
	const char *prefix;
	struct tellings told;
};

static int read_journal(struct db_txn *txn, void *ctx, struct err *e)
{
	struct reading *r = ctx;

	forget(&r->told);
	return db_scan(txn, DB_journal, r->prefix, take_event, &r->told, e);
}

int green_again(struct green *g, const struct session *s, struct err *e)
{
	AUTO_FREE char *prefix = mem_printf("%s/", s->sid);
	struct reading r = {.prefix = prefix};
	int rc = db_read(s->site->db, read_journal, &r, e);

	for (size_t i = 0; rc == 0 && i < r.told.n; i++) {
		const struct told *t = &r.told.v[i];
		struct oid commit, tree;
		struct err gone = {0}; /* a commit that was superseded and collected */
		if (t->ordinal <= s->plan.n && oid_parse(&commit, t->commit) &&
		    gitx_tree_of(s->site->git, &commit, &tree, &gone) == 0)
			green_add(g, tree.hex, &t->gates, t->ordinal ? &s->plan.tasks[t->ordinal - 1] : NULL);
	}
	forget(&r.told);
	return rc;
}
