/* queue: queues of solutions as the store has them (formats.md S2): adding one, finding its items, what is ready and
 * what blocks the rest. Sessions work on such a queue as on any plan; outside executors by `bosk next` and `bosk done`.
 *
 * The state of an item is its task's row, whoever works on it. What an item depends on never changes: it is kept
 * small (struct item_link), so that a queue of 100,000 items fits into memory and is read in a moment. The texts of
 * its solution are in the rows of the one item (queue_item). */
#ifndef BOSK_QUEUE_H
#define BOSK_QUEUE_H

#include "supervisor/plan/plan.h"
#include "supervisor/site.h"

/* All items of a queue, without the texts of their solutions. Indices are ordinals - 1. */
struct queue {
	char *id;
	struct queue_row row;
	size_t n;
	struct item_link *links;
	enum task_state *states;
	/* What item i depends on is edges.to[at[i]] to edges.to[at[i + 1] - 1]. */
	struct queue_edges {
		uint32_t *to;
		size_t *at; /* n + 1 */
	} needs, /* completed before it begins */
		after,   /* ended before it begins, in whatever way: they share files */
		turn;    /* the same: before it in a sequential group */
	uint32_t *busy; /* those at work */
	size_t n_busy;
};
/* ERR_MISSING: there is no such queue, or it is a plan of another kind. The caller frees with queue_fini, also after
 * an error. */
int queue_load(struct queue *out, const struct site *site, const char *id, struct err *e);
int queue_load_in(struct queue *out, struct db_txn *t, const char *id, struct err *e);
/* The queue as it is in this transaction. `q` is none yet ({0}), or was loaded before, by who is to write
 * now: then only what may have changed since is read. The caller frees with queue_fini, also after an error. */
int queue_now_in(struct queue *q, struct db_txn *t, const char *id, struct err *e);
void queue_fini(struct queue *q);

/* Everything of one item. */
struct queue_item {
	struct task_def def;
	struct task_row task;
	struct item_def item_def;
	struct item_row item;
};
int queue_item_load(struct queue_item *out, const struct site *site, const char *queue, size_t ordinal, struct err *e);
int queue_item_load_in(struct queue_item *out, struct db_txn *t, const char *queue, size_t ordinal, struct err *e);
/* The prompt and step_texts of an item, which its task does not keep; the caller releases *out with rec_fini. */
int queue_texts(struct task_def *out, const struct site *site, const char *queue, size_t ordinal, struct err *e);
/* What may change of it: its task's row and its own. */
int queue_item_put_in(struct db_txn *t, const char *queue, size_t ordinal, const struct queue_item *item,
                      struct err *e);
void queue_item_fini(struct queue_item *item);
/* The row of queues alone; the caller releases it with rec_fini. ERR_MISSING as with queue_load. */
int queue_row_load_in(struct queue_row *out, struct db_txn *t, const char *id, struct err *e);
bool queue_is(const struct queue_row *row); /* one that was added, with items; not the plan of a session */
int queue_row_put_in(struct db_txn *t, const char *id, const struct queue_row *row, struct err *e);

/* Queues by rank, those without one last, then by id: the active ones, or all. */
int queue_active(struct strv *out, const struct site *site, struct err *e);
int queue_active_in(struct strv *out, struct db_txn *t, struct err *e);
int queue_list(struct strv *out, const struct site *site, struct err *e);
int queue_list_in(struct strv *out, struct db_txn *t, struct err *e);

/* The item of this name, S-1 or QUE-x:S-1; *queue is the caller's. Without a queue in the name or in `in` (NULL = none
 * was given): the first active queue that has it, else the only other one. ERR_MISSING: there is none. Rows of the
 * index only: no queue is loaded. */
int queue_find_item(char **queue, size_t *ordinal, const struct site *site, const char *name, const char *in,
                    struct err *e);
int queue_find_item_in(char **queue, size_t *ordinal, struct db_txn *t, const char *name, const char *in,
                       struct err *e);
/* All queues that have an item S-1, the active ones, `active` of them, first. */
int queue_find_all_in(struct strv *out, size_t *active, struct db_txn *t, const char *name, struct err *e);

/* pending executing completed failed skipped */
const char *queue_word(enum task_state s);
enum task_state queue_state(const struct task_row *t); /* WAITING when it has none that is known */
bool queue_finished(enum task_state s);                 /* completed, failed or skipped */
bool queue_executing(enum task_state s);
/* May it begin now? */
bool queue_ready(const struct queue *q, size_t i);
size_t queue_first_ready(const struct queue *q); /* SIZE_MAX = none is */
/* The ids of the items that keep a pending one from it. */
void queue_blocked_by(const struct queue *q, size_t i, struct strv *out);
/* The same, whatever files those have that are at work: for all items of a queue see queue_batches. */
bool queue_may_begin(const struct queue *q, size_t i);
void queue_held_by(const struct queue *q, size_t i, struct strv *out);

/* What the states of its items make of an active or failed queue: active | completed | failed. Static text. */
const char *queue_status(const enum task_state *states, size_t n);

/* When each item's turn comes, as far as that can be known: in which batch it is, from 1, those at work in the first; 0:
 * it has ended, or cannot begin, or waits for one of these. No two of a batch share files, but of those at work. The others
 * of the first batch that may begin (queue_may_begin) are ready, all at once. */
void queue_batches(uint32_t *batch, const struct queue *q);

/* ---- showing ---- */

typedef void queue_print(const struct str *text); /* gets a text in pieces */

/* The graph with the keys of formats.md 2-3. */
void queue_dag_json(const struct queue *q, queue_print *print);
/* The same when there is no queue: one line. */
void queue_dag_none(const char *why, queue_print *print);

enum queue_count_of { QUEUE_PENDING, QUEUE_EXECUTING, QUEUE_COMPLETED, QUEUE_FAILED, QUEUE_SKIPPED, QUEUE_WORDS };
struct queue_counts {
	size_t total, of[QUEUE_WORDS];
};
int queue_count(struct queue_counts *out, const struct site *site, const char *id, struct err *e);
void queue_counts_text(const struct queue_counts *c, struct str *out); /* "12 items: 10 pending, 2 completed" */

/* All queues, in the shape of index.json; `brief`: five keys of each. */
int queue_list_json(const struct site *site, bool brief, queue_print *print, struct err *e);
int queue_list_text(const struct site *site, struct str *out, struct err *e);
/* One queue with its items; `brief`: five keys of each. */
int queue_show_json(const struct site *site, const char *id, bool brief, queue_print *print, struct err *e);
void queue_show_none(const char *why, queue_print *print);
int queue_show_text(const struct site *site, const char *id, struct str *out, struct err *e);

/* ---- who has it ---- */

/* "S-1 (process 4242, 12 s ago)" for each item that somebody outside has claimed who lives, or whose claim is not old
 * enough to be taken back. */
int queue_claims_in(struct strv *out, struct db_txn *t, const struct queue *q, uint64_t max_age_ms, struct err *e);

/* May a session begin? ERR_HELD: not while somebody has one of these, who is named. *orphans: how many claims are of the
 * dead, and old enough to be taken back. */
int queue_unclaimed_in(struct db_txn *t, const struct queue *q, uint64_t max_age_ms, struct err *e);
int queue_unclaimed(size_t *orphans, const struct site *site, const char *id, uint64_t max_age_ms, struct err *e);

/* The items of a queue that are claimed, or were executing when it was added: nothing else of it is read. The caller frees
 * `ordinals`. */
struct queue_claimed {
	size_t *ordinals, n;
};
int queue_claimed_in(struct queue_claimed *out, struct db_txn *t, const char *queue, struct err *e);

/* ---- adding and removing ---- */

struct queue_added {
	char *id;
	size_t items, ready;
	bool known; /* it was there already, with the same content: nothing was changed */
	struct strv differs; /* then: queue_differs */
};
/* A plan of the kind "queue", as it was just read, into the store: under `as`, or the id that its file gives, or one made
 * of the time, when both are NULL and none of the same content is there. All or nothing. ERR_EXISTS: there is a queue of this id with other content. */
int queue_add(struct queue_added *out, struct site *site, const struct plan *plan, const char *as, struct err *e);
void queue_added_fini(struct queue_added *a);
/* What the file of a known queue says otherwise than the store, whose states and results count: "S-1 is completed in the
 * file, but pending in the store". */
int queue_differs(struct strv *out, const struct site *site, const char *id, const struct plan *plan, struct err *e);

struct queue_removed {
	size_t items, changed; /* of these the state changed since the queue was added */
};
/* All of it, but what sessions made. ERR_HELD: a session has or had it, or somebody claimed an item. */
int queue_remove(struct queue_removed *out, struct site *site, const char *id, uint64_t max_age_ms, struct err *e);

/* Which item has which name, of n definitions; they are borrowed. */
struct queue_names {
	const struct task_def *defs;
	uint32_t *slots; /* ordinals by hash; 0 = free */
	size_t mask;
};
void queue_names_init(struct queue_names *out, const struct task_def *defs, size_t n);
void queue_names_fini(struct queue_names *names);
/* What the store keeps of item `ordinal` for queue_load, most of it borrowed from the definitions. ERR_DAMAGED: it depends
 * on an item that there is not. */
int queue_link_make(struct item_link *out, const struct queue_names *names, size_t ordinal, const struct item_def *item,
                    struct err *e);
void queue_link_fini(struct item_link *l);

/* ---- keys of rows; the caller owns them ---- */
char *queue_task_key(const char *queue, size_t ordinal, char part); /* tasks and items; part d or s */
char *queue_link_key(const char *queue, size_t ordinal);
char *queue_index_key(const char *queue, const char *item);
char *queue_issue_key(const char *queue, size_t ordinal);
char *queue_exported_key(const char *queue); /* in meta: what its file may be (export_known) */

#endif
