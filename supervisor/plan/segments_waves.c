/* segments_waves: execution_plan of a file of segments: wave_N, each with the ids in it. */
#include "segments.h"

#include <string.h>

#include "store/base/mem.h"

static const char plan_key[] = "execution_plan";

struct reading {
	struct plan_loader *l;
	const char *file;
	uint32_t *index; /* of the file's own tasks */
	size_t from, n;
	size_t waves;
};

/* wave_1, wave-1 or wave1: by number, as wave_10 comes after wave_2. 0 = none of these. */
static uint64_t number_of(const char *key)
{
	uint64_t n;

	if (!str_starts(key, "wave"))
		return 0;
	key += strlen("wave");
	key += *key == '_' || *key == '-';
	return str_u64(key, &n) && n <= PLAN_MAX_TASKS ? n : 0;
}

static uint32_t find(const struct reading *w, const char *id)
{
	return plan_index_find(w->index, w->l->tasks + w->from, w->n, id);
}

/* The segment that a name in a wave means: its id, or what begins with its id and "-". UINT32_MAX after a fault. */
static uint32_t segment_of(struct reading *w, const struct yaml_node *at)
{
	const struct task_def *tasks = w->l->tasks + w->from;
	uint32_t exact = find(w, at->text), found = UINT32_MAX;
	AUTO_FREE char *id = mem_strndup(at->text, PLAN_ID_MAX + 1); /* no id is longer */

	if (exact != UINT32_MAX)
		return exact;
	for (char *dash = strchr(id, '-'); dash; dash = strchr(dash + 1, '-')) {
		*dash = '\0';
		uint32_t longer = find(w, id);
		*dash = '-';
		if (longer == UINT32_MAX)
			continue;
		if (found != UINT32_MAX) {
			plan_fault(w->l, w->file, at, NULL, plan_key, "\"%.80s\" could be segment %s or %s: use its id",
			           at->text, tasks[found].id, tasks[longer].id);
			return UINT32_MAX;
		}
		found = longer;
	}
	if (found == UINT32_MAX)
		plan_fault(w->l, w->file, at, NULL, plan_key, "there is no segment \"%.80s\"", at->text);
	return found;
}

static void read_member(struct reading *w, const struct yaml_node *at, uint64_t number)
{
	if (at->kind != YAML_SCALAR || !at->len) {
		plan_fault(w->l, w->file, at, NULL, plan_key, "must be the id of a segment, not %s", yaml_what(at));
		return;
	}
	uint32_t i = segment_of(w, at);
	if (i == UINT32_MAX)
		return;
	struct task_def *d = &w->l->tasks[w->from + i];
	struct plan_origin *o = &w->l->origins[w->from + i];
	if (o->wave)
		plan_fault(w->l, w->file, at, d->id, plan_key, "this segment is in wave %llu already, by line %u",
		           (unsigned long long)d->wave, o->wave->line);
	else {
		d->wave = number;
		o->wave = at;
	}
}

static void read_wave(struct reading *w, const struct yaml_node *plan, const struct yaml_node *v)
{
	uint64_t number = number_of(v->key->text);

	if (!number && str_starts(v->key->text, "wave")) {
		plan_fault(w->l, w->file, v->key, NULL, plan_key, "\"%.80s\" must be wave_1, wave_2, ...", v->key->text);
		return;
	}
	if (!number) {
		strv_addf(&w->l->warnings, "%s:%u:%u: %s: %.80s: not used", w->file, v->key->line, v->key->column,
		          plan_key, v->key->text);
		return;
	}
	for (const struct yaml_node *i = plan->first; i != v; i = i->next)
		if (number_of(i->key->text) == number) {
			plan_fault(w->l, w->file, v->key, NULL, plan_key, "wave %llu is in line %u already",
			           (unsigned long long)number, i->key->line);
			return;
		}
	w->waves++;
	if (v->kind != YAML_LIST) {
		plan_fault(w->l, w->file, v, NULL, plan_key, "%s must be a list of ids, not %s", v->key->text,
		           yaml_what(v));
		return;
	}
	if (!v->n)
		strv_addf(&w->l->warnings, "%s:%u:%u: %s: %s is empty", w->file, v->line, v->column, plan_key,
		          v->key->text);
	for (const struct yaml_node *i = v->first; i; i = i->next)
		read_member(w, i, number);
}

size_t segments_waves(struct plan_loader *l, const char *file, const struct yaml_node *plan, size_t from)
{
	struct reading w = {.l = l, .file = file, .from = from, .n = l->n - from};

	if (plan->kind != YAML_MAP) {
		plan_fault(l, file, plan, NULL, plan_key, "must be a mapping, wave_1: [ids], not %s", yaml_what(plan));
		return 0;
	}
	w.index = plan_index_new(l->tasks + from, w.n);
	for (const struct yaml_node *v = plan->first; v; v = v->next)
		read_wave(&w, plan, v);
	free(w.index);
	for (size_t i = from; i < l->n; i++)
		if (l->tasks[i].id && !l->origins[i].wave)
			plan_fault(l, file, l->origins[i].id, l->tasks[i].id, plan_key,
			           "this segment is in no wave of the plan in line %u", plan->key->line);
	return w.waves;
}
