/* verify_private: what the parts of verify and mend share. */
#ifndef BOSK_VERIFY_PRIVATE_H
#define BOSK_VERIFY_PRIVATE_H

#include "image.h"
#include "replay.h"
#include "supervisor/session.h"
#include "verify.h"

/* A plan and its tasks, as far as the store has them. */
struct verify_queue {
	char *id;
	bool have;       /* its row can be read */
	bool broken;     /* rows are missing, or cannot be read, or are not those of its plan */
	bool wrong;      /* anything in the store disagrees: write it again */
	bool no_plan;    /* the plan ref is missing */
	bool items;      /* rows that only a queue of solutions has are missing, or wrong */
	struct queue_row row;
	size_t n;        /* ordinals looked at */
	struct task_def *defs;
	struct task_row *rows;
	bool *have_def, *have_row;
	struct replay replay;
	struct strv sessions; /* in order */
};

struct verify_session {
	char *sid;
	struct verify_queue *queue; /* NULL = not known */
	bool have_manifest, have_row;
	bool live;
	bool adopting; /* its refs hold commits of others that are not recorded yet */
	bool broken; /* its own rows are missing or cannot be read */
	bool wrong;  /* anything of it in the store disagrees */
	bool gap;    /* its journal does not tell all */
	bool chain;  /* its result records do */
	bool refs;   /* its refs do */
	struct manifest_row manifest;
	struct session_row row;
	char *tip;
	struct replay_told told; /* by its journal */
	struct strv worktrees; /* left, of a session that is over */
};

struct verify_model {
	struct site *site;
	struct image image;
	struct verify_queue *queues;
	size_t n_queues;
	struct verify_session *sessions;
	size_t n_sessions;
	struct strv junk; /* keys that belong to nothing: table name, key, ... */
};

/* A problem; returns true, for `x->wrong |= verify_say(...)`. */
bool verify_say(struct verify *v, const char *sid, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void verify_note(struct verify *v, const char *sid, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void verify_junk(struct verify *v, enum db_table table, const char *key);

struct verify_session *verify_find_session(struct verify *v, const char *sid);
struct verify_queue *verify_find_queue(struct verify *v, const char *id);

/* Each looks at one part and adds what it finds. */
void verify_queue(struct verify *v, struct verify_queue *q);       /* rows, plan */
void verify_journal(struct verify *v, struct verify_session *s);   /* events, then rows of the session */
void verify_tasks(struct verify *v, struct verify_queue *q);       /* rows against the replay */
void verify_chain(struct verify *v, struct verify_session *s);     /* result records */
void verify_git(struct verify *v, struct verify_session *s);       /* refs, merges */
void verify_worktrees(struct verify *v);
void verify_items(struct verify *v, struct verify_queue *q);       /* of a queue of solutions */
void verify_item_strangers(struct verify *v);

/* Cut off between its rows and its refs, before its first event: a resume makes them. */
bool verify_unborn(const struct verify_session *s);
/* Cut off while it had nothing but its base: when it began, or when it was forgotten again. */
bool verify_about_to_be(const struct verify_session *s);

/* Does the row of the task name a record of another session of its queue? */
bool verify_before(const struct verify *v, const struct verify_session *s, size_t task, const char *hash);

/* Is it none of the journals' business where the task stands? */
bool verify_outside(const struct verify_queue *q, size_t task);

/* Is it the hash that the record must have? */
bool verify_sealed(const struct result_row *r);

#endif
