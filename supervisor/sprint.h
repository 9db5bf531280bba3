/* sprint: the states of stories in sprint-status.yaml (formats.md [3-2], S3.17). Agents leave it alone; bosk brings it up
 * to date by counting, once nothing more of a session will run, as a commit of its own on the integration branch. Only
 * values change: comments, order, quotes and line ends stay. */
#ifndef BOSK_SPRINT_H
#define BOSK_SPRINT_H

#include "core.h"

enum { SPRINT_MAX_BYTES = 256 << 10 };

/* What its commits say in their last paragraph: the files. */
#define SPRINT_TRAILER "Bosk-Sprint-Status"

/* ---- sprint_text.c: pure ---- */

/* done | review | in-progress, of how many boxes are ticked, and how many of the open ones wait for an answer, or for a
 * human. Static text. `total` is not 0. */
const char *sprint_state(uint64_t total, uint64_t checked, uint64_t blocked, uint64_t human);

struct sprint_line {
	const char *story;  /* the name of its file without .md */
	const char *state;  /* what it is to be */
	char *was;          /* out: what it was, the caller owns it; NULL: it is that already, or is left alone */
	const char *why;    /* out: why it is left alone, a static clause about it; NULL: it is not */
};

/* The text with the lines' states in it goes to *out, byte for byte the same elsewhere. ERR_USAGE, as a clause about the
 * file: it is not what can be changed; then *out and the lines say nothing. */
int sprint_edit(struct str *out, const char *text, size_t n, struct sprint_line *lines, size_t n_lines, struct err *e);

/* Where `ours` differs from `base` in states and in nothing else, these go into `theirs`, by their keys: to *out. False:
 * it differs otherwise, or `theirs` has other states there than `base` had. */
bool sprint_merge(struct str *out, const struct str *base, const struct str *ours, const struct str *theirs);

/* ---- sprint.c ---- */

/* Nothing more will run. False: there is nothing to do. Else sprint_step does it, and calls finish_gates after it. */
bool sprint_begin(struct core *c);
void sprint_step(struct core *c); /* after each commit of a turn */
void sprint_done(struct core *c); /* the refs are at its commit: into this turn */

/* ---- sprint_told.c ---- */

/* Is this commit, by what it says of itself, one of these of the session? */
bool sprint_is(struct gitx *g, const struct oid *commit, const char *sid);
/* Changes that the session made, four texts each: commit, story, what it was, what it is. */
void sprint_told(const struct session *s, struct strv *out);

#endif
