/* plan_index: tasks by id, in order and for lookups. No plan, however made, turns a lookup into a walk. */
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

/* ---- finding: a table of the sorted list's length and more, behind it ---- */

static size_t slots_for(size_t n)
{
	size_t room = 16;

	while (room < 2 * n)
		room *= 2;
	return room;
}

/* Not the same in two processes: nobody can make ids that all meet in one slot. */
static uint64_t hash(const char *id)
{
	static uint64_t seed;
	uint64_t h;

	while (!seed)
		seal_random(&seed, sizeof seed);
	for (h = seed; *id; id++)
		h = (h ^ (unsigned char)*id ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

/* Where the first task of an id is, or would be. */
static uint32_t *slot_of(uint32_t *slots, const struct task_def *tasks, size_t n, const char *id)
{
	size_t mask = slots_for(n) - 1;

	for (size_t at = hash(id) & mask;; at = (at + 1) & mask)
		if (slots[at] == 0 || strcmp(tasks[slots[at] - 1].id, id) == 0)
			return &slots[at];
}

uint32_t *plan_index_new(const struct task_def *tasks, size_t n)
{
	uint32_t *index = mem_array(n + slots_for(n), sizeof *index), *slots = index + n;

	for (size_t i = 0; i < n; i++) {
		index[i] = (uint32_t)i;
		uint32_t *slot = tasks[i].id ? slot_of(slots, tasks, n, tasks[i].id) : NULL;
		if (slot && !*slot)
			*slot = (uint32_t)i + 1;
	}
	return index;
}

void plan_index_sort(uint32_t *index, const struct task_def *tasks, size_t n)
{
	qsort_r(index, n, sizeof *index, by_id_then_number, (void *)(uintptr_t)tasks);
}

uint32_t plan_index_find(const uint32_t *index, const struct task_def *tasks, size_t n, const char *id)
{
	uint32_t *slot = slot_of((uint32_t *)(uintptr_t)index + n, tasks, n, id);

	return *slot ? *slot - 1 : UINT32_MAX;
}
