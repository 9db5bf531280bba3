/* bosk status [SID] */
#include "cmd.h"
#include "supervisor/site.h"
#include "supervisor/status.h"

static const struct cmd_option options[] = {
	{"json", 0, NULL, "as JSON", false},
	{"watch", 0, NULL, "show again whenever something changes", true},
};

static int run(const struct cmd_line *l)
{
	struct site site;
	struct err e = {0};
	AUTO_STR struct str out = {0};
	char sid[SEAL_SID];
	const char *name = cmd_word(l, 0);

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0 && name)
		rc = session_find(&site, name, "status", NULL, sid, &e);
	if (rc == 0)
		rc = cmd_flag(l, "json") ? status_json(&site, name ? sid : NULL, &out, &e)
		                         : status_text(&site, name ? sid : NULL, &out, &e);
	site_close(&site);
	if (rc != 0)
		return cmd_fail(&e);
	cmd_print(&out);
	return 0;
}

const struct cmd cmd_status_entry = {.name = "status",
                                     .args = "[SID]",
                                     .summary = "sessions, tasks and worktrees",
                                     CMD_OPTIONS(options),
                                     .max_rest = 1,
                                     .run = run};
