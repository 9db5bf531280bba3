/* bosk report [SID] */
#include "cmd.h"
#include "supervisor/site.h"
#include "supervisor/status.h"

static const struct cmd_option options[] = {
	{"json", 0, NULL, "batch_results as JSON"},
	{"yaml", 0, NULL, "execution_result as YAML"},
};

static int run(const struct cmd_line *l)
{
	struct site site;
	struct session s = {.lock_fd = -1};
	struct err e = {0};
	AUTO_STR struct str out = {0};
	char sid[SEAL_SID];
	const char *name = cmd_word(l, 0);

	if (cmd_flag(l, "json") && cmd_flag(l, "yaml")) {
		err_set(&e, ERR_USAGE, "--json or --yaml, not both");
		return cmd_fail(&e);
	}
	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = session_find(&site, name, "report", NULL, sid, &e);
	if (rc == 0)
		rc = session_load(&s, &site, sid, &e);
	if (rc == 0)
		rc = cmd_flag(l, "json")   ? report_json(&s, &out, &e)
		     : cmd_flag(l, "yaml") ? report_yaml(&s, &out, &e)
		                           : report_text(&s, &out, &e);
	session_fini(&s);
	site_close(&site);
	if (rc != 0)
		return cmd_fail(&e);
	cmd_print(&out);
	return 0;
}

const struct cmd cmd_report_entry = {.name = "report",
                                     .args = "[SID]",
                                     .summary = "what landed, what is ready, what needs you",
                                     CMD_OPTIONS(options),
                                     .max_rest = 1,
                                     .run = run};
