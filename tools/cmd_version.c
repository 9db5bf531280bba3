/* bosk version */
#include <stdio.h>

#include "cmd.h"

static int run(const struct cmd_line *l)
{
	(void)l;
	printf("bosk %s\n", BOSK_VERSION);
	return 0;
}

const struct cmd cmd_version_entry = {
	.name = "version", .args = "", .summary = "the version of bosk", .run = run};
