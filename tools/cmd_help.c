/* bosk help [COMMAND] */
#include <string.h>

#include "cmd.h"
#include "store/base/log.h"

static int run(const struct cmd_line *l)
{
	const char *name = cmd_word(l, 0);

	if (!name) {
		cmd_overview();
		return 0;
	}
	for (size_t i = 0; i < cmd_count; i++)
		if (strcmp(cmd_list[i]->name, name) == 0) {
			cmd_help(cmd_list[i]);
			return 0;
		}
	log_error("there is no command '%s'; bosk help lists them", name);
	return 2;
}

const struct cmd cmd_help_entry = {
	.name = "help", .args = "[COMMAND]", .summary = "what a command does", .max_rest = 1, .run = run};
