/* story: what an agent that was to close a story left of it: its result is read, ticks that it may not set or cannot
 * account for are set back before gates and commit, and what it came to is told. For tasks with a story only. */
#ifndef BOSK_STORY_H
#define BOSK_STORY_H

#include "attempt.h"

/* Is it by its name the file in which all stories have a line? Only bosk writes it, when the session is over. */
bool story_is_status(const char *path);

/* Is the story at the task's base what was planned? Else blocked. */
enum step story_begin(struct attempt *r);

/* The result of the run: in BOSK_RESULT_FILE, else at the end of its output. */
enum step story_read(struct attempt *r, const struct str *output);

/* r->tree is what the agent left: it becomes what is taken of that, in index and worktree too. */
enum step story_settle(struct attempt *r);

/* The agent changed nothing at all: that is right when nothing was left for it, else blocked. */
enum step story_unchanged(struct attempt *r);

/* Borrowed by the message until story_end. */
void story_report(const struct attempt *r, struct msg_result *m);
void story_end(struct attempt *r);

#endif
