/* bosk verify: do the store, the journal, the results, the refs and the worktrees agree? */
#include <stdio.h>

#include "cmd.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/json.h"
#include "supervisor/verify/mend.h"

enum { LOOKS = 5 };

static const struct cmd_option options[] = {
	{"repair", 0, NULL, "put right what can be, from the journal and from git"},
	{"json", 0, NULL, "one JSON object"},
};

static void print_json(const struct verify *v)
{
	AUTO_STR struct str text = {0};
	struct json_t *j = json_map(), *list = json_list();

	json_put_u64(j, "schema", 1);
	json_put_flag(j, "agree", v->problems == 0);
	json_put_u64(j, "sessions", v->sessions);
	json_put_u64(j, "tasks", v->tasks);
	json_put_u64(j, "events", v->events);
	json_put_u64(j, "results", v->results);
	for (size_t i = 0; i < v->n; i++) {
		struct json_t *f = json_map();
		json_put_text(f, "of", v->v[i].sid);
		json_put_text(f, "text", v->v[i].text);
		json_put_flag(f, "note", v->v[i].note);
		json_add(list, f);
	}
	json_put(j, "findings", list);
	json_write(j, true, &text);
	str_addc(&text, '\n');
	cmd_print(&text);
	json_free(j);
}

static void print(const struct verify *v)
{
	AUTO_STR struct str text = {0};

	for (size_t i = 0; i < v->n; i++)
		str_addf(&text, "%s%s%s%s\n", v->v[i].note ? "note: " : "", v->v[i].sid ? v->v[i].sid : "",
		         v->v[i].sid ? ": " : "", v->v[i].text);
	str_addf(&text, "%zu sessions, %zu tasks, %zu events, %zu results: ", v->sessions, v->tasks, v->events,
	         v->results);
	if (v->problems)
		str_addf(&text, "%zu disagreements\n", v->problems);
	else
		str_add(&text, "all agree\n");
	cmd_print(&text);
}

static bool same(const struct verify *a, const struct verify *b)
{
	bool is = a->n == b->n;
	for (size_t i = 0; is && i < a->n; i++)
		is = str_eq(a->v[i].sid, b->v[i].sid) && str_eq(a->v[i].text, b->v[i].text);
	return is;
}

/* Others go on while store and git are read one after the other: what disagrees must do so twice. */
static int look_twice(struct verify *v, struct site *site, struct err *e)
{
	int rc = verify_all(v, site, NULL, e);

	for (int i = 0; rc == 0 && v->problems && verify_moving(v) && i < LOOKS; i++) {
		struct verify before = *v;
		rc = verify_all(v, site, NULL, e);
		bool settled = rc == 0 && same(v, &before);
		verify_fini(&before);
		if (settled)
			break;
	}
	return rc;
}

static int look(const struct cmd_line *l, struct site *site, struct err *e)
{
	struct verify v;
	int rc = look_twice(&v, site, e);

	if (rc == 0 && cmd_flag(l, "json"))
		print_json(&v);
	else if (rc == 0)
		print(&v);
	bool agree = v.problems == 0;
	verify_fini(&v);
	return rc != 0 ? cmd_fail(e) : agree ? 0 : 1;
}

/* Puts right what it finds, and says what that was. */
static int repair(struct site *site, struct err *e)
{
	AUTO_STRV struct strv said = {0};
	AUTO_STR struct str text = {0};
	int rc = mend_all(site, &said, e);

	if (site->aside)
		str_addf(&text, "repaired: the damaged store was moved to %s\n", site->aside);
	for (size_t i = 0; i < said.n; i++)
		str_addf(&text, "repaired: %s\n", said.v[i]);
	cmd_show(&text, stderr);
	return rc;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct err e = {0};
	bool mend = cmd_flag(l, "repair");

	int rc = cmd_git(&e);
	if (rc == 0)
		rc = site_open(&site, l->dir, mend ? SITE_REPAIR : SITE_VERIFY, &e);
	if (rc == 0 && mend)
		rc = repair(&site, &e);
	int code = rc == 0 ? look(l, &site, &e) : cmd_fail(&e);
	site_close(&site);
	return code;
}

const struct cmd cmd_verify_entry = {.name = "verify",
                                     .args = "",
                                     .summary = "store, journal, refs and worktrees agree",
                                     .details =
	"Reads all of the store and compares it with itself and with git: rows with the journal they were\n"
	"made with, the chain of result records, refs, merges, plans and worktrees. Changes nothing without\n"
	"--repair. Exit code 1 when something disagrees.\n",
                                     CMD_OPTIONS(options),
                                     .run = run};
