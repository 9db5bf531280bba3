/* plan_private: shared by the plan_*.c files only. */
#ifndef BOSK_PLAN_PRIVATE_H
#define BOSK_PLAN_PRIVATE_H

#include "plan.h"
#include "store/json.h"
#include "store/seal.h"
#include "supervisor/yaml.h"

#define PLAN_MAX_MS (UINT64_C(366) * 24 * 3600 * 1000) /* no duration is longer */

/* Where a task was written; nodes live until loading ends. */
struct plan_origin {
	const char *file;
	size_t line;                   /* of an item of a queue: the others have nodes */
	const struct yaml_node *task;
	const struct yaml_node *id;    /* NULL: missing or not a text */
	const struct yaml_node *needs; /* NULL: none, or not a list */
	const struct yaml_node *wave, *branch, *worktree; /* of a segment; NULL = not given */
};

struct plan_loader {
	const struct plan_context *ctx; /* NULL: nothing to compare with */
	struct plan_faults *faults;
	bool bad;                    /* a fault was found */
	struct task_def *tasks;
	struct plan_origin *origins; /* beside each task */
	size_t n, room;
	struct strv names;           /* of the files, in order; origins point here */
	struct yaml **docs;
	size_t n_docs;
	struct strv warnings;
	size_t unsaid, unsaid_at;    /* so many more of a queue: that stands there instead; queue_say.c */
	const char *kind;            /* of the plan; "plan" is bosk's own */
	const char *land;            /* how it is landed; NULL = it says nothing of that */
	size_t text;                 /* bytes of prompts and commands so far */
	size_t guesses;              /* comparisons spent on "did you mean" */
	struct personas *personas;   /* that segments asked for; NULL = none yet */
	struct skills *skills;
	const struct yaml_node *waves; /* a number of waves that must come out; NULL = none was given */
	const char *waves_file;
	struct stories *stories;     /* read so far; NULL = none was given */
	struct plan_queue *queue;    /* the one that was read; NULL = none */
};

/* ---- plan_loader.c ---- */

/* A fault at a node (NULL: no position). */
void plan_fault(struct plan_loader *l, const char *file, const struct yaml_node *at,
                const char *task, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* Room for so many more tasks; false after a fault at the list. */
bool plan_room(struct plan_loader *l, const char *file, const struct yaml_node *list, size_t n);
/* The kind that a file holds; false after a fault, when those before were of another. */
bool plan_takes(struct plan_loader *l, const char *file, const struct yaml_node *root, const char *kind);

/* ---- the others ---- */

/* plan_kind.c: is this bosk's own format? If not, one fault says what it seems to be. */
bool plan_kind_own(struct plan_loader *l, const char *file, const struct yaml_node *root);
/* The text could not be read as YAML: does it look like a Markdown story? */
bool plan_kind_markdown(const char *text);
bool plan_kind_markdown_name(const char *file); /* FILE.md */

/* plan_task.c: fill tasks[n] and origins[n] from one entry of `tasks`, n + 1 when it could be read
 * at all. `folder` is where prompt_file starts, NULL = nowhere. */
void plan_task_read(struct plan_loader *l, const char *file, const char *folder,
                    const struct yaml_node *node);

/* plan_foreign.c: the kind that a plan in normal form was made of; NULL = it is bosk's own, or none. */
const char *plan_foreign_kind(const struct yaml_node *root);
void plan_foreign_write(const struct task_def *d, struct str *out);

/* plan_write.c: ",key:value" of what is given. */
void plan_write_text(struct str *out, const char *key, const char *text);
void plan_write_list(struct str *out, const char *key, const struct strv *list, bool empty_too);
void plan_write_number(struct str *out, const char *key, uint64_t n);
/* seal_hash of what plan_write writes, without having all of it at once. */
void plan_write_hash(char out[SEAL_HEX], const struct plan *p);

/* plan_index.c: task numbers, and what finds them. The caller frees. */
uint32_t *plan_index_new(const struct task_def *tasks, size_t n);
/* Its numbers by id without regard to case, then by id, then by number; those without an id last. */
void plan_index_sort(uint32_t *index, const struct task_def *tasks, size_t n);
/* The first task of that id; UINT32_MAX = none. */
uint32_t plan_index_find(const uint32_t *index, const struct task_def *tasks, size_t n,
                         const char *id);
bool plan_index_same_but_case(const char *a, const char *b); /* ASCII; also when equal */

/* plan_check.c: ids against each other, needs against ids, cycles. */
void plan_check(struct plan_loader *l);
void plan_check_cycles(struct plan_loader *l, const uint32_t *index); /* of needs that are known; plan_index_new */
/* Once everything is read: each task must fit into a message. */
void plan_check_sizes(struct plan_loader *l);

/* plan_needs.c: needs by index with what the barrier adds, and waves. Needs that are unknown or circular, waves that do
 * not fit: -1. */
int plan_needs(struct plan *p, const char *barrier, struct err *e);

/* segments.c: plans in waves. Is the text one? */
bool segments_is(const struct yaml_node *root);
void segments_read(struct plan_loader *l, const char *file, const struct yaml_node *root);
/* segments_check.c: once everything is read: waves, branches and worktrees against each other. */
void segments_check(struct plan_loader *l);

#endif
