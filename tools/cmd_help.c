/* bosk help [COMMAND] */
#include "cmd.h"
#include "help.h"

static int run(const struct cmd_line *l)
{
	const char *name = cmd_word(l, 0);
	const struct cmd *c = name ? cmd_find(name) : NULL;

	if (name && !c)
		return cmd_unknown(name);
	if (c)
		help_command(c);
	else
		help_overview();
	return 0;
}

const struct cmd cmd_help_entry = {
	.name = "help", .args = "[COMMAND]", .summary = "what a command does", .max_rest = 1, .run = run};
