/* worktree_look: what is there at a path that a session's manifest names? Nothing is taken over, brought
 * forward or removed before this was asked: a path is no proof (promise B3). */
#ifndef BOSK_WORKTREE_LOOK_H
#define BOSK_WORKTREE_LOOK_H

#include "slot.h"

enum worktree_kind {
	WORKTREE_NONE,  /* neither a folder, nor anything that git knows of one */
	WORKTREE_HALF,  /* what a killed `git worktree add` or `remove` left: nobody ever worked, or works, in it */
	WORKTREE_GONE,  /* the session's own, but somebody removed its folder: HEAD and index are left */
	WORKTREE_OURS,  /* the session's own */
	WORKTREE_OTHER, /* anything else: never touched */
};

/* By s->init: the path, the session's id and the repository. *admin (owned by the caller) is its admin folder
 * when git knows of one, *why (the same) a clause such as "it is a symbolic link" for WORKTREE_OTHER. A worktree
 * is a session's own when git has it locked in the session's name, or its admin folder holds the session's mark. One
 * in which nothing can have been done yet may lack both: a power cut took them. */
enum worktree_kind worktree_look(const struct slot *s, char **admin, char **why);

/* The mark: `at` is the admin folder. LEAVING: from here on it may be removed half. */
enum worktree_mark { WORKTREE_MADE, WORKTREE_LEAVING };
int worktree_mark(const struct slot *s, const char *admin, enum worktree_mark mark, struct err *e);
bool worktree_marked(const struct slot *s, const char *admin, enum worktree_mark mark);

/* Did the session make this admin folder? By its name, its mark or what git was told to lock it with: where a plan
 * names the path, the name is the plan's. */
bool worktree_made_by(const struct slot *s, const char *admin);

/* What git is told to lock the session's worktrees with. The caller owns it. */
char *worktree_reason(const struct slot *s);

/* Of a WORKTREE_HALF with this admin folder: a commondir that holds nothing yet, with which every git command that looks at
 * all worktrees ends, gets its text. It stays half made, also when this is cut off. */
int worktree_link(const struct slot *s, const char *admin, struct err *e);

#endif
