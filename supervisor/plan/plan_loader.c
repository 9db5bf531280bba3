/* plan_loader: what all readers of plans have in common: faults, room for tasks, one kind of plan in a run. */
#include "plan_private.h"

#include <stdarg.h>

#include "store/base/mem.h"

void plan_fault(struct plan_loader *l, const char *file, const struct yaml_node *at,
                const char *task, const char *key, const char *fmt, ...)
{
	AUTO_STR struct str text = {0};
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	plan_faults_add(l->faults, file, at ? at->line : 0, at ? at->column : 0, task, key, "%s",
	                text.p);
	l->bad = true;
}

bool plan_room(struct plan_loader *l, const char *file, const struct yaml_node *list, size_t n)
{
	if (n > PLAN_MAX_TASKS || l->n + n > PLAN_MAX_TASKS) {
		plan_fault(l, file, list, NULL, list->key ? list->key->text : NULL, "a plan cannot have more than %d tasks",
		           PLAN_MAX_TASKS);
		return false;
	}
	if (l->n + n > l->room) {
		l->room = l->n + n;
		l->tasks = mem_grow(l->tasks, l->room, sizeof *l->tasks);
		l->origins = mem_grow(l->origins, l->room, sizeof *l->origins);
	}
	return true;
}

bool plan_takes(struct plan_loader *l, const char *file, const struct yaml_node *root, const char *kind)
{
	if (l->queue) {
		plan_fault(l, file, root, NULL, NULL, "one run takes one queue, and nothing beside it");
		return false;
	}
	if (l->kind && !str_eq(l->kind, kind)) {
		plan_fault(l, file, root, NULL, NULL, "one run takes plans of one kind: this one is %s, those before "
		           "are %s", str_eq(kind, "plan") ? "a plan of bosk's own" : kind,
		           str_eq(l->kind, "plan") ? "plans of bosk's own" : l->kind);
		return false;
	}
	l->kind = kind;
	return true;
}
