/* bosk rescue list | show | restore: saved work of what was removed, stopped or failed. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "page.h"
#include "store/base/clock.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "supervisor/orphans/saved.h"

static const struct cmd_option options[] = {
	{"json", 0, NULL, "list: one JSON object"},
};

static void print_json(const struct saved_list *l)
{
	struct json_t *j = json_map(), *list = json_list();
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < l->n; i++) {
		struct json_t *one = json_map();
		AUTO_STR struct str iso = {0};
		clock_add_iso(&iso, l->v[i].time_ms);
		json_put_text(one, "name", l->v[i].name);
		json_put_text(one, "ref", l->v[i].ref);
		json_put_text(one, "commit", l->v[i].commit.hex);
		json_put_text(one, "time", iso.p);
		json_put_text(one, "subject", l->v[i].subject);
		json_add(list, one);
	}
	json_put_u64(j, "schema", 1);
	json_put(j, "saved", list);
	json_write(j, true, &text);
	str_addc(&text, '\n');
	cmd_print(&text);
	json_free(j);
}

static void print(const struct saved_list *l)
{
	AUTO_STR struct str text = {0};
	size_t wide = 0;

	for (size_t i = 0; i < l->n; i++)
		wide = strlen(l->v[i].name) > wide ? strlen(l->v[i].name) : wide;
	for (size_t i = 0; i < l->n; i++) {
		AUTO_STR struct str iso = {0};
		clock_add_iso(&iso, l->v[i].time_ms);
		str_addf(&text, "%-*s  %s  %s\n", (int)wide, l->v[i].name, iso.p, l->v[i].subject);
	}
	if (!l->n)
		log_info("no saved work");
	cmd_print(&text);
}

static int show(struct site *site, const struct saved *s)
{
	struct git g = {.cwd = gitx_top(site->git)};

	return page_git(&g, GIT_ARGS("log", "-1", "--first-parent", "-m", "--stat", "--patch", "--no-ext-diff",
	                             "--no-textconv", "--no-show-signature", s->commit.hex, "--"), NULL);
}

static int restore(struct site *site, const struct saved *s, const char *wanted, struct err *e)
{
	AUTO_FREE char *branch = wanted ? mem_strdup(wanted) : mem_printf("rescued-%s", strchr(s->name, '/') + 1);
	AUTO_FREE char *ref = NULL;

	for (char *p = branch; !wanted && *p; p++)
		if (*p == '/')
			*p = '-';
	if (!gitx_branch_name_ok(branch))
		return err_set(e, ERR_USAGE, "%s is no name for a branch", branch);
	ref = mem_printf("refs/heads/%s", branch);
	if (gitx_ref_move(site->git, ref, NULL, &s->commit, "bosk: rescue restore", e) != 0) {
		if (e->kind == ERR_MOVED)
			err_set(e, ERR_USAGE, "there is a branch %s already; name another: bosk rescue restore %s BRANCH",
			        branch, s->name);
		return -1;
	}
	AUTO_STR struct str text = {0};
	str_addf(&text, "branch %s is at %.12s: git switch %s\n", branch, s->commit.hex, branch);
	cmd_print(&text);
	return 0;
}

static int act(const struct cmd_line *l, struct site *site)
{
	const char *verb = cmd_word(l, 0), *name = cmd_word(l, 1);
	bool list = str_eq(verb, "list");
	struct saved_list all = {0};
	struct err e = {0};
	int code = 0;

	int rc = saved_all(&all, site, list ? name : NULL, &e);
	const struct saved *s = rc == 0 && !list ? saved_find(&all, name, &e) : NULL;
	if (rc != 0 || (!list && !s))
		code = e.kind == ERR_MISSING ? (cmd_fail(&e), 1) : cmd_fail(&e);
	else if (list && cmd_flag(l, "json"))
		print_json(&all);
	else if (list)
		print(&all);
	else if (str_eq(verb, "show"))
		code = show(site, s);
	else if (restore(site, s, cmd_word(l, 2), &e) != 0)
		code = cmd_fail(&e);
	saved_fini(&all);
	return code;
}

static int run(const struct cmd_line *l)
{
	static const struct cmd_verb verbs[] = {{"list", "[SID]", 1, 2, false, act},
	                                        {"show", "NAME", 2, 2, false, act},
	                                        {"restore", "NAME [BRANCH]", 2, 3, false, act}};

	return cmd_verbs(l, verbs, MEM_COUNT(verbs));
}

const struct cmd cmd_rescue_entry = {.name = "rescue",
                                     .args = "list | show | restore",
                                     .summary = "saved work of something removed",
                                     .details =
	"list [SID]                what bosk gc, a stop, a failure or a crash left in no branch\n"
	"show NAME                 the changes; NAME is as the list prints it, or its beginning\n"
	"restore NAME [BRANCH]     make a branch of it; nothing is checked out\n",
                                     CMD_OPTIONS(options),
                                     .min_rest = 1,
                                     .max_rest = 3,
                                     .run = run};
