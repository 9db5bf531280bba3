/* queue_private: reading queues of solutions (formats.md S2) into plans; for the plan_*.c and queue_*.c files of this
 * folder. All of it is foreign text: ids of issues and solutions become names of files only when they can be ones.
 *
 * In this order: each item of the file (queue_item), with its solution and issue (queue_beside), is made a task
 * (queue_task_fill); then names are looked up (queue_names): what a task needs becomes ids of items, groups and
 * conflicts are written in one form, whatever dialect the file is in; items are put in the order they are executed
 * in; and they are held against each other (queue_check). */
#ifndef BOSK_QUEUE_PRIVATE_H
#define BOSK_QUEUE_PRIVATE_H

#include "plan_private.h"
#include "store/json_cut.h"

enum {
	QUEUE_MAX_FILE = 256 << 20, /* bytes */
	QUEUE_MAX_INDEX = 16 << 20,
	QUEUE_MAX_FILES = 10000,    /* queues of a folder */
	QUEUE_MAX_NAME = 200,       /* of the id of an issue or a solution */
	QUEUE_MAX_WARNINGS = 100,   /* about the lines of one file */
	QUEUE_MAX_SAID = 1000       /* warnings in all */
};

struct queue_beside;

struct queue_reader {
	struct plan_loader *l;
	const char *file; /* as faults name it; lives as long as the loader */
	struct plan_queue *q;
	struct queue_beside *beside;
	bool tasks;       /* its items are tasks of solutions (T-1), not solutions */
};

/* queue_say.c. */
void queue_fault(struct queue_reader *r, size_t line, const char *item, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void queue_say_fault(struct plan_loader *l, const char *file, size_t line, const char *item, const char *key,
                     const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* "file:line: item: text"; item NULL = none. */
void queue_warn(struct queue_reader *r, size_t line, const char *item, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "file:line: text", or "file: text" for line 0, as a warning on one line; of more than QUEUE_MAX_SAID only the number. */
void queue_say(struct plan_loader *l, const char *file, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void queue_say_rest(struct plan_loader *l, const char *file); /* that number, once all is said */

/* queue_kind.c: does the text look like a queue, or like what lies beside one? It is JSON as far as it was looked at. */
bool queue_looks(const char *text, size_t n);
/* queue_read.c: a queue into the loader; `folder`: where the file lies, NULL = nowhere. */
void queue_read(struct plan_loader *l, const char *file, const char *folder, const char *text, size_t n);
void queue_free(struct plan_queue *q, size_t n); /* n items; NULL allowed */
/* plan_queues.c: is it of the store of issues: issues.jsonl, solutions/, queues/? */
bool plan_queues_folder(const char *path);
/* The file of the queue in such a folder that ctx->queue names, else of the first active one; the caller frees. NULL after
 * a fault. */
char *plan_queues_choose(struct plan_loader *l, const char *path);

/* queue_item.c: one more task from an item of the file, and what belongs to it. `at` is its number in the file, from 0. */
void queue_item_read(struct queue_reader *r, const struct json_t *item, const struct json_span *span, size_t at);
/* A time in a map, in ms; 0 = there is none. */
uint64_t queue_item_time(const struct json_t *map, const char *key);
/* What is wrong with the id of an issue or a solution; NULL = nothing. */
const char *queue_item_name_fault(const char *text);
/* A text that is stored (NULL allowed) holds no secret; else a fault. */
void queue_item_keepable(struct queue_reader *r, const char *file, size_t line, const char *item, const char *text);

/* queue_secret.c: as secret_in, of JSON of n bytes; so many lines behind its first. */
const char *queue_secret_in(const char *json, size_t n, size_t *lines);

/* queue_beside.c: issues and solutions, in the files beside a queue. `folder`: where it lies; NULL = there are none. What
 * cannot be read of them is a warning. */
struct queue_beside *queue_beside_new(struct queue_reader *r, const char *folder);
void queue_beside_free(struct queue_beside *b); /* NULL allowed */
/* The issue of this name, lent until the next call; NULL = no file has it. *row = number of its issue_row, from 1. */
const struct json_t *queue_beside_issue(struct queue_reader *r, const char *id, uint64_t *row);
/* The solution `id` (NULL = the one that the issue is bound to) of an issue, to be freed, with its text and where it
 * stands (`file` lent until the next call). NULL: there is none, and *why (the caller's) says so. */
struct json_t *queue_beside_solution(struct queue_reader *r, const char *issue, const char *id, char **raw,
                                     struct plan_origin *at, char **why);

/* queue_lines.c: a file with a JSON object per line, or with a list of them. */
struct queue_line {
	char *id;
	struct json_span span;
	struct json_t *json; /* while it is kept: nothing is parsed twice as a rule */
	bool bound; /* is_bound */
};
struct queue_lines {
	char *path;
	struct str text;
	struct queue_line *v;
	size_t n;
	void *index; /* of v by id */
};
/* All that can be read; a warning for what cannot. False: there is no such file. */
bool queue_lines_read(struct queue_lines *out, struct queue_reader *r, const char *path);
void queue_lines_fini(struct queue_lines *l);
/* The first of that id; NULL = none. */
struct queue_line *queue_lines_find(const struct queue_lines *l, const char *id);
/* What the line says, given away. */
struct json_t *queue_lines_take(struct queue_line *line);
/* The parsed form of its lines takes much more memory than the file: gone. */
void queue_lines_trim(struct queue_lines *l);

/* queue_index.c: queues/index.json. */
struct queue_index {
	struct queue_entry {
		char *id, *raw;
		uint64_t rank; /* as in queue_row */
		size_t line;
	} *v;
	size_t n;
	struct strv active;
};
void queue_index_read(struct queue_index *out, struct strv *warnings, const char *path); /* absent = empty */
void queue_index_fini(struct queue_index *x);
const struct queue_entry *queue_index_find(const struct queue_index *x, const char *id); /* NULL = none */

/* queue_names.c: once all items are read. `groups` and `conflicts`: in front of these values in the file's text; p NULL =
 * there are none. */
void queue_names_resolve(struct queue_reader *r, const struct json_cut *groups, const struct json_cut *conflicts);

/* queue_task.c: what the solution says of a task: prompt, steps, gates, subject, claims, title, files where the item
 * names none, and i->minutes. Set already: d->id, issue, solution, files, missing; i->id, issue, solution and what its
 * item says. `solution` and `issue` may be NULL (d->missing says why there is no solution). An item of the dialect
 * "tasks" (T-1) has a "task_id": only that task of the solution is meant. Faults: plan_faults_add at file:line with
 * l->bad = true, or queue_fault's way. */
void queue_task_fill(struct plan_loader *l, const char *file, size_t line, struct task_def *d, struct item_def *i,
                     const struct json_t *item, const struct json_t *solution, const struct json_t *issue);

/* plan_texts.c: its long texts go, as they can be made again: see task_def. */
void plan_texts_drop(struct task_def *d);

/* queue_check.c: everything is read, without faults so far: l->tasks[i], l->origins[i].file and .line, q->defs[i] and
 * q->states[i] in the order of execution. Ids are unique; `needs` are ids of items, no item needs itself, all are known;
 * q->row.groups and q->row.conflicts are as store/rows.h says (members and orders are ids of items that there are, the
 * conflict's "id" and "resolution" are in it too). Left to do: cycles of needs are faults; items in no group, members
 * of a parallel group that share files: warnings; conflicts of high severity without an order: d->missing; `after` and
 * `in_turn`. */
void queue_check(struct plan_loader *l, struct plan_queue *q);

#endif
