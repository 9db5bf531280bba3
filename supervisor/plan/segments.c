/* segments: plans in waves, as a planner of another tool writes them. Four forms, told apart by their keys:
 *
 *   decomposition_result: {total_segments: 2, waves: 2, segments: [...], execution_plan: {wave_1: [...], wave_2: [...]}}
 *   segments: [...] and execution_plan: {...}
 *   segment: {...}                     one of them
 *   parallel_segments: [{segment_id: 1, agent: MODEL, worktree: NAME}]
 */
#include "segments.h"

#include <string.h>

#include "store/base/mem.h"

enum form { LIST, SINGLE, PARALLEL };

static const struct {
	const char *key;
	enum form form;
} forms[] = {{"segments", LIST}, {"segment", SINGLE}, {"parallel_segments", PARALLEL}};

static const char result_key[] = "decomposition_result", plan_key[] = "execution_plan";
/* What is said of the whole, and changes nothing. */
static const char *const remarks[] = {"total_estimated_time", "name", "title", "description", "summary", "notes"};

bool segments_is(const struct yaml_node *root)
{
	if (yaml_get(root, result_key) || yaml_get(root, plan_key))
		return true;
	for (size_t i = 0; i < MEM_COUNT(forms); i++)
		if (yaml_get(root, forms[i].key))
			return true;
	return false;
}

/* ---- counts ---- */

static void check_count(struct plan_loader *l, const char *file, const struct yaml_node *said, size_t n,
                        const char *what)
{
	uint64_t number;

	if (!yaml_u64(said, &number))
		plan_fault(l, file, said, NULL, said->key->text, "must be a whole number");
	else if (number != n)
		plan_fault(l, file, said, NULL, said->key->text, "says %llu, but there are %zu %s",
		           (unsigned long long)number, n, what);
}

static void check_waves(struct plan_loader *l, const char *file, const struct yaml_node *said, bool planned, size_t n)
{
	uint64_t number;

	if (planned) {
		check_count(l, file, said, n, "waves in execution_plan");
	} else if (!yaml_u64(said, &number)) {
		plan_fault(l, file, said, NULL, "waves", "must be a whole number");
	} else if (l->names.n == 1) { /* they follow from the dependencies, once those are known */
		l->waves = said;
		l->waves_file = file;
	}
}

/* ---- keys ---- */

static void other_key(struct plan_loader *l, const char *file, const struct yaml_node *key)
{
	static const char *const names[] = {"decomposition_result", "segments",       "segment",
	                                    "parallel_segments",    "execution_plan", "total_segments",
	                                    "waves"};
	for (size_t i = 0; i < MEM_COUNT(remarks); i++)
		if (strcmp(remarks[i], key->text) == 0)
			return;
	const char *near = str_nearest(key->text, names, MEM_COUNT(names));
	if (near)
		plan_fault(l, file, key, NULL, key->text, "a plan of segments has no such key; did you mean \"%s\"?",
		           near);
	else
		strv_addf(&l->warnings, "%s:%u:%u: %.80s: not used", file, key->line, key->column, key->text);
}

struct parts {
	const struct yaml_node *segments, *plan, *total, *waves;
	enum form form;
};

static void find_parts(struct plan_loader *l, const char *file, const struct yaml_node *map, struct parts *p)
{
	for (const struct yaml_node *v = map->first; v; v = v->next) {
		const char *key = v->key->text;
		size_t i = 0;
		while (i < MEM_COUNT(forms) && strcmp(forms[i].key, key) != 0)
			i++;
		if (i < MEM_COUNT(forms) && p->segments) {
			plan_fault(l, file, v->key, NULL, key, "a plan has its segments once; \"%s\" is in line %u",
			           p->segments->key->text, p->segments->key->line);
		} else if (i < MEM_COUNT(forms)) {
			p->segments = v;
			p->form = forms[i].form;
		} else if (strcmp(key, plan_key) == 0 && !yaml_is_null(v)) {
			p->plan = v;
		} else if (strcmp(key, "total_segments") == 0) {
			p->total = v;
		} else if (strcmp(key, "waves") == 0) {
			p->waves = v;
		} else if (strcmp(key, result_key) != 0 && strcmp(key, plan_key) != 0) {
			other_key(l, file, v->key);
		}
	}
}

static void read_list(struct plan_loader *l, const char *file, const struct parts *p)
{
	const struct yaml_node *list = p->segments;
	enum yaml_kind kind = p->form == SINGLE ? YAML_MAP : YAML_LIST;

	if (list->kind != kind) {
		plan_fault(l, file, list, NULL, list->key->text, "must be %s, not %s",
		           p->form == SINGLE ? "one segment, a mapping" : "a list of segments", yaml_what(list));
		return;
	}
	size_t n = p->form == SINGLE ? 1 : list->n;
	if (!n)
		plan_fault(l, file, list, NULL, list->key->text, "has no segments");
	if (!plan_room(l, file, list, n))
		return;
	if (p->form == SINGLE)
		segments_task_read(l, file, list, false);
	for (const struct yaml_node *v = p->form == SINGLE ? NULL : list->first; v; v = v->next)
		segments_task_read(l, file, v, p->form == PARALLEL);
}

void segments_read(struct plan_loader *l, const char *file, const struct yaml_node *root)
{
	const struct yaml_node *result = yaml_get(root, result_key);
	struct parts p = {0};
	size_t from = l->n, waves = 0;

	if (result && result->kind != YAML_MAP) {
		plan_fault(l, file, result, NULL, result_key, "must be a mapping with segments and execution_plan, not %s",
		           yaml_what(result));
		return;
	}
	if (result)
		find_parts(l, file, result, &p);
	find_parts(l, file, root, &p);
	if (!p.segments) {
		plan_fault(l, file, result ? result : root, NULL, "segments", "a plan of segments must have a list \"segments\"");
		return;
	}
	read_list(l, file, &p);
	size_t faults = l->faults->n;
	if (p.plan)
		waves = segments_waves(l, file, p.plan, from);
	if (p.total)
		check_count(l, file, p.total, l->n - from, "segments");
	/* A wave that could not be read is not one too few. */
	if (p.waves && (!p.plan || l->faults->n == faults || waves))
		check_waves(l, file, p.waves, p.plan != NULL, waves);
}
