/* prompt: the text an agent gets. */
#include "prompt.h"

#include <string.h>

#include "gate.h"

static const char rules[] =
	"\n## Rules\n\n"
	"- Work in the current folder only. Do not touch other folders, branches or the git configuration.\n"
	"- Do not commit: what you leave in the folder is committed for you.\n"
	"- Never stop to ask. When something blocks you, say so in the file named by BOSK_RESULT_FILE\n"
	"  ({\"status\": \"blocked\", \"reason\": \"...\"}) and go on with what you can do.\n";

void prompt_feedback(const struct gate_report *r, struct str *out)
{
	/* A fence longer than any in the output, so that the output cannot close it. */
	size_t fence = 3, run = 0;
	for (size_t i = 0; i < r->tail.len; i++) {
		run = r->tail.p[i] == '`' ? run + 1 : 0;
		if (run >= fence)
			fence = run + 1;
	}
	str_addf(out, "The gate `%s` did not pass (%s, %s). It ran: %s\n\nThe end of its output:\n\n",
	         r->red, r->verdict, r->why, r->red_run);
	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < fence; i++)
			str_addc(out, '`');
		str_addc(out, '\n');
		if (side == 0) {
			str_add_printable(out, str_text(&r->tail), r->tail.len, true);
			if (out->p[out->len - 1] != '\n')
				str_addc(out, '\n');
		}
	}
	str_add(out, "\nYour earlier changes are still in the folder. Mend them so that every gate passes.\n");
}

void prompt_write(const struct msg_task *t, const char *feedback, struct str *out)
{
	str_addf(out, "# Task %s%s%s\n", t->id, t->title ? ": " : "", t->title ? t->title : "");
	if (t->prompt)
		str_addf(out, "\n%s\n", t->prompt);
	else if (t->run)
		str_addf(out, "\nThe command that does this task:\n\n    %s\n", t->run);
	if (feedback)
		str_addf(out, "\n## What the last attempt came to\n\n%s", feedback);
	str_add(out, rules);
}
