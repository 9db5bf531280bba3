/* queue_names: what names in a queue stand for, while it is read: items by their numbers. For queue_names.c and
 * queue_groups.c. */
#ifndef BOSK_QUEUE_NAMES_H
#define BOSK_QUEUE_NAMES_H

#include "queue_private.h"

/* Items by number, none twice. */
struct queue_members {
	uint32_t *v;
	size_t n, room;
};

struct queue_group {
	char *id;
	bool listed; /* its members were given */
	bool turns;  /* sequential */
	uint32_t opened; /* == lists, as of solutions */
	struct queue_members members;
};

struct queue_names {
	struct queue_reader *r;
	const struct task_def *tasks;
	size_t n;
	uint32_t *by_id;       /* plan_index_new */
	uint32_t *by_solution; /* items sorted by it, those without one left out */
	size_t n_solutions;
	struct queue_group *groups;
	size_t n_groups, room;
	uint32_t *group_index; /* sorted by id */
	size_t read[2];        /* groups and conflicts in the file */
	struct str conflicts;
	size_t members; /* of all groups and conflicts; beyond PLAN_MAX_EDGES no more are taken */
	size_t edges;
	uint32_t *listed; /* listed[i] == lists: item i is in the list that is being read */
	uint32_t *opened; /* the same of solutions, by their first place in by_solution */
	uint32_t lists;
};

/* Begin a list: nothing is in it yet. */
static inline void queue_names_start(struct queue_names *w)
{
	w->lists++;
}

/* Enter it into that list; true: it is there already. */
static inline bool queue_names_stamp(const struct queue_names *w, uint32_t *at)
{
	bool there = *at == w->lists;

	*at = w->lists;
	return there;
}

/* The first place of a solution in by_solution, if it is there; is the item of a place, of any, one of that solution? */
size_t queue_names_solution(const struct queue_names *w, const char *id);
bool queue_names_is_of(const struct queue_names *w, size_t at, const char *solution);

/* queue_groups.c: those of the file; then those that only items name. */
void queue_groups_read(struct queue_names *w, const struct json_cut *at);
struct queue_group *queue_groups_find(struct queue_names *w, const char *id); /* NULL = none */
void queue_groups_conflicts(struct queue_names *w, const struct json_cut *at);
void queue_groups_write(struct queue_names *w); /* both, into the queue's row */
void queue_groups_fini(struct queue_names *w);

#endif
