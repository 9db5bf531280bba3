/* plan_index: finds tasks by id. A sorted list of numbers: no plan, however made, turns a lookup
 * into a walk. */
#include "plan_private.h"

#include <string.h>

#include "store/base/mem.h"

/* Not strcasecmp: that depends on the locale. */
static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int case_compare(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return lower(*a) - lower(*b);
}

bool plan_index_same_but_case(const char *a, const char *b)
{
	return case_compare(a, b) == 0;
}

static int by_id(const char *a, const char *b)
{
	if (!a || !b)
		return (a ? 0 : 1) - (b ? 0 : 1);
	int order = case_compare(a, b);
	return order ? order : strcmp(a, b);
}

static int by_id_then_number(const void *a, const void *b, void *tasks)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct task_def *t = tasks;
	int order = by_id(t[x].id, t[y].id);
	return order ? order : (x > y) - (x < y);
}

uint32_t *plan_index_new(const struct task_def *tasks, size_t n)
{
	uint32_t *index = mem_array(n, sizeof *index);
	for (size_t i = 0; i < n; i++)
		index[i] = (uint32_t)i;
	qsort_r(index, n, sizeof *index, by_id_then_number, (void *)(uintptr_t)tasks);
	return index;
}

uint32_t plan_index_find(const uint32_t *index, const struct task_def *tasks, size_t n,
                         const char *id)
{
	size_t from = 0, to = n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (by_id(tasks[index[middle]].id, id) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == n || by_id(tasks[index[from]].id, id) != 0)
		return UINT32_MAX;
	return index[from];
}
