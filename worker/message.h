/* message: what the commit of a task says. Its form is that of the plan's kind, from the table in
 * message.c; trailers are always the last paragraph, alone. */
#ifndef BOSK_MESSAGE_H
#define BOSK_MESSAGE_H

#include <stdint.h>

#include "slot.h"

/* Messages of the commits that the agent made itself and that HEAD of the worktree reaches, newest first; after
 * them that of the task's commit before its merge had to be repaired. Empty for kinds that take nothing from them. */
void message_own(struct slot *s, const struct msg_task *t, const struct oid *base, struct strv *out);

/* What is known of the work; borrowed. */
struct message_facts {
	const struct strv *own;     /* as above */
	const struct strv *changed; /* paths */
	const struct strv *gates;   /* name=verdict */
};

/* What had to be replaced is told in `notes`. Pure. */
void message_write(const struct msg_task *t, const struct message_facts *f, uint64_t attempt, struct strv *notes,
                   struct str *out);

#endif
