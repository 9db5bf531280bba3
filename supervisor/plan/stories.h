/* stories: Markdown files whose checkboxes are the work, read into a plan (formats.md S3). For the plan*.c and
 * stories*.c files. What is read here is foreign text: it is compared and quoted, and nothing in it is followed. */
#ifndef BOSK_STORIES_H
#define BOSK_STORIES_H

#include "plan_private.h"
#include "worker/boxes.h"

enum {
	STORIES_MAX = 2000,       /* in one run */
	STORIES_MAX_FILES = 20000, /* entries of the folders that are searched */
	STORIES_MAX_DEPTH = 16,
	STORIES_MAX_REFS = 1000    /* of one kind in one story */
};

/* Where a dependency was found, the first of them that says anything counts. */
enum stories_source { STORIES_TOLD, STORIES_FILES, STORIES_PHRASES, STORIES_EPIC };

struct story_path {
	char *path;
	bool makes; /* the task creates it; else it uses it */
};

struct story {
	char *key;    /* the file's name without .md */
	char *id;     /* the same as a task may have it */
	char *file;   /* as faults name it */
	char *path;   /* from the top of the checkout */
	char *title;  /* the first heading, NULL = none */
	char *epic;   /* of "3-5-2-slug" or "Story 3-5.2": "3-5"; NULL = its name and title have no number */
	uint64_t number;
	char *text;
	size_t len;
	struct boxes boxes;
	/* What it needs, as it is written. */
	bool told;            /* it says what it depends on, maybe nothing */
	struct strv asked, mentioned;
	struct story_path *paths; /* of its boxes */
	size_t n_paths;
	/* ... and which stories these are. */
	enum stories_source source;
	uint32_t *needs;
	size_t n_needs;
	const char *category; /* CLEAN, CLOSEABLE, NEEDS_PIPELINE */
	char *sprint; /* see task_def */
};

struct stories {
	struct story *v;
	size_t n;
	size_t seen; /* entries of folders */
	bool full;   /* that was said */
	char *sprint; /* of the folder that is just read */
};

/* stories_find.c: what was given is a folder, a file that tells of one (sprint-status.yaml), or no file but a key.
 * False of a key: it is none. */
void stories_folder(struct plan_loader *l, const char *folder);
void stories_status(struct plan_loader *l, const char *file, const struct yaml_node *root);
bool stories_key(struct plan_loader *l, const char *key);

/* stories_read.c: one more story, if it is one; else a fault, or of what a folder holds (`found`) a warning why not. */
void stories_file(struct plan_loader *l, const char *file, bool found);
void stories_text(struct plan_loader *l, const char *file, const char *path, const char *text, size_t n, bool found);
/* "3.2", "3-5.2", "18b-1" at the beginning of the text: how many bytes, 0 = no number. `epic` takes all but the last
 * part, joined by "-"; the caller owns it. */
size_t stories_number(const char *text, char **epic, uint64_t *number);
/* A path without the folder `top`, both as realpath gives them; NULL: it is not in it. */
const char *stories_path(const char *real, const char *top);
void stories_free(struct stories *s); /* NULL allowed */

/* stories_refs.c: fills told, asked, mentioned and paths from the text; warns of front matter that cannot be
 * read. */
void stories_refs(struct plan_loader *l, struct story *s);

/* stories_needs.c: which stories each needs; then `order` has them so that each comes after those. Their categories are
 * known. */
void stories_needs(struct plan_loader *l, uint32_t *order);

/* stories_prompt.c: what the agent is told. The caller owns it. */
char *stories_prompt(const struct plan_stories *how, const struct story *s);

/* stories.c: once all are read: tasks of them, in an order that their dependencies allow. */
void stories_finish(struct plan_loader *l);

#endif
