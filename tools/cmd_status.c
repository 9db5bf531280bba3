/* bosk status [SID] */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "supervisor/site.h"
#include "supervisor/status.h"
#include "supervisor/view_out.h"
#include "watch.h"

static const struct cmd_option options[] = {
	{"json", 0, NULL, "as JSON"},
	{"watch", 0, NULL, "show again whenever something changes, until Ctrl-C"},
};

static int show(const struct cmd_line *l, struct site *site, struct str *out, struct err *e)
{
	const char *name = cmd_word(l, 0);
	char sid[SEAL_SID];

	if (name && session_find(site, name, "status", NULL, sid, e) != 0)
		return -1;
	return cmd_flag(l, "json") ? status_json(site, name ? sid : NULL, !cmd_flag(l, "watch"), out, e)
	                           : status_text(site, name ? sid : NULL, out, e);
}

/* On a terminal the text takes the place of the one before; else an empty line is between them, and with
 * --json each is one line. */
static void show_again(const struct str *text, bool json, bool first)
{
	bool terminal = view_out_terminal(1) && !json;

	if (terminal)
		fputs("\033[H\033[2J", stdout);
	else if (!first && !json)
		fputc('\n', stdout);
	cmd_print(text);
	fflush(stdout);
}

static int keep_showing(const struct cmd_line *l, struct site *site, struct err *e)
{
	struct watch w;
	AUTO_STR struct str last = {0};
	bool over = false;

	int rc = watch_open(&w, site, e);
	while (rc == 0 && !over) {
		AUTO_STR struct str now = {0};
		if (!site->db) { /* the first run makes it */
			site_close(site);
			rc = site_open(site, l->dir, SITE_READ, e);
		}
		if (rc == 0)
			rc = show(l, site, &now, e);
		if (rc == 0 && strcmp(str_text(&now), str_text(&last)) != 0) {
			show_again(&now, cmd_flag(l, "json"), !last.len);
			str_clear(&last);
			str_add(&last, str_text(&now));
		}
		if (rc == 0)
			rc = watch_wait(&w, site, &over, e);
	}
	watch_close(&w);
	return rc;
}

static int run(const struct cmd_line *l)
{
	struct site site;
	struct err e = {0};
	AUTO_STR struct str out = {0};

	int rc = site_open(&site, l->dir, SITE_READ, &e);
	if (rc == 0)
		rc = cmd_flag(l, "watch") ? keep_showing(l, &site, &e) : show(l, &site, &out, &e);
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
