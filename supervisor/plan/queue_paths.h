/* queue_paths: which files of the repository people mean when they write of them. */
#ifndef BOSK_QUEUE_PATHS_H
#define BOSK_QUEUE_PATHS_H

#include "plan.h"

/* Normal (plan_path_fault), none twice; at most PLAN_MAX_LIST + 1, and then there are more. */
struct queue_path_list {
	struct strv list;
	uint16_t *slots; /* a table of these; NULL = there are few */
};

struct queue_paths {
	struct queue_path_list sure;
	struct queue_path_list doubt; /* what else it may be: a file may be called "a - b.c" */
	struct strv wrong;  /* what is no path of the repository: "\"../x\" is left out: a path must ..." */
};

/* Those of one entry of a list: "a.c", "`a.c`:12-20", "new: a.c", "a.c - why", "a.c (why)", "a.c, b.c and c.c", with \ as
 * /. {a,b} stands for anything. "/a.c" is a.c, and the repository's own folder (ctx->top, ctx->root; ctx may be NULL) is
 * cut off. More files than are meant only make items wait for each other. */
void queue_paths_read(struct queue_paths *p, const struct plan_context *ctx, const char *text);
/* All of it, once, into an empty list: first what is sure, then the rest while there is room for PLAN_MAX_LIST. */
void queue_paths_take(struct queue_paths *p, struct strv *files);
void queue_paths_fini(struct queue_paths *p);

#endif
