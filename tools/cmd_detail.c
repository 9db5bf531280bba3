/* bosk detail ITEM: an item of a queue with its whole solution. Changes nothing. */
#include <stdio.h>

#include "cmd.h"
#include "store/base/mem.h"
#include "supervisor/queue/item_json.h"

static const struct cmd_option options[] = {
	{"queue", 0, "ID", "of this queue"},
};

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct queue_item item = {0};
	struct err e = {0};
	AUTO_STR struct str out = {0};
	AUTO_FREE char *queue = NULL;
	size_t ordinal;
	int code = 0;

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = queue_find_item(&queue, &ordinal, &site, cmd_word(l, 0), cmd_value(l, "queue"), &e);
	if (rc == 0)
		rc = queue_item_load(&item, &site, queue, ordinal, &e);
	if (rc != 0) {
		item_json_status("error", NULL, e.text, &out);
		code = err_exit_code(&e);
	} else if (!item_json_detail(queue, &item, &out)) {
		code = 1;
	}
	cmd_print(&out);
	queue_item_fini(&item);
	site_close(&site);
	return code;
}

const struct cmd cmd_detail_entry = {.name = "detail",
                                     .args = "ITEM",
                                     .summary = "an item of a queue, with its whole solution",
                                     .details =
	"ITEM is S-1, of the first active queue that has it, or QUE-x:S-1. Printed as JSON; nothing changes.\n",
                                     CMD_OPTIONS(options),
                                     .min_rest = 1,
                                     .max_rest = 1,
                                     .run = run};
