/* bosk queue add | list | dag | show | export | remove: queues of solutions in the store. */
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "queue_export.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/queue/queue.h"

static const struct cmd_option options[] = {
	{"json", 0, NULL, "list, show: as JSON"},
	{"brief", 0, NULL, "list, show: as JSON, five keys of each"},
	{"queue", 0, "ID", "add: of a folder only this one; dag, show: this one"},
	{"as", 0, "ID", "add: under this id"},
	{"all", 0, NULL, "add: of a folder also those that are not active"},
	{"format", 0, "seed|ccw", "export: how results of bosk's own runs are written (default ccw)"},
	{"to", 0, "FOLDER", "export: into a folder such as .workflow/issues"},
	{"out", 0, "FILE", "export: into this file"},
};

/* ---- add ---- */

static void say_faults(const struct plan_faults *faults)
{
	AUTO_STR struct str text = {0};

	plan_faults_print(faults, &text);
	cmd_show(&text, stderr);
	log_error("the queue has %zu fault%s; nothing was added", faults->n, faults->n == 1 ? "" : "s");
}

static int add_plan(struct site *site, const struct plan *p, const char *as, struct err *e)
{
	struct queue_added added;
	AUTO_STR struct str text = {0};
	int rc = queue_add(&added, site, p, as, e);

	if (rc == 0 && added.known)
		str_addf(&text, "queue %s is there already, and %s: %zu item%s, %zu ready\n", added.id,
		         added.differs.n ? "stays as it is in the store" : "is as it was", added.items,
		         added.items == 1 ? "" : "s", added.ready);
	else if (rc == 0)
		str_addf(&text, "queue %s: %zu item%s, %zu ready\n", added.id, added.items, added.items == 1 ? "" : "s",
		         added.ready);
	if (rc == 0)
		batch_warn_known(&added);
	cmd_print(&text);
	queue_added_fini(&added);
	return rc;
}

/* One queue of a file or folder. */
static int add_one(const struct cmd_line *l, const struct batch *b, struct site *site, const char *file,
                   const char *queue, bool active_only, size_t *added)
{
	struct plan plan = {0};
	struct plan_faults faults = {0};
	struct err e = {0};
	int code = batch_queue_file(file, queue, b, site, &plan, &faults);

	if (code) {
		say_faults(&faults);
	} else if (!plan.queue) {
		log_error("%s is no queue of issues but a plan of the kind \"%s\": bosk run %s", file, plan.kind, file);
		code = 2;
	} else if (active_only && !str_eq(plan.queue->row.status, "active")) {
		log_info("%s is %s: not added without --all", file, plan.queue->row.status);
	} else {
		++*added;
		batch_warn(&plan);
		if (add_plan(site, &plan, cmd_value(l, "as"), &e) != 0)
			code = cmd_fail(&e);
	}
	plan_faults_fini(&faults);
	plan_fini(&plan);
	return code;
}

/* A file, or a folder: what is active in it. */
static int add_path(const struct cmd_line *l, const struct batch *b, struct site *site, const char *path)
{
	const char *queue = cmd_value(l, "queue");
	AUTO_STRV struct strv files = {0};
	struct err e = {0};
	size_t added = 0;
	int code = 0;

	if (queue || !fs_is_dir(path))
		return add_one(l, b, site, path, queue, false, &added);
	if (plan_queue_files(&files, path, &e) != 0)
		return cmd_fail(&e);
	if (cmd_value(l, "as") && files.n > 1) {
		log_error("--as is for one queue, and %s has %zu: say which with --queue ID", path, files.n);
		return 2;
	}
	for (size_t i = 0; !code && i < files.n; i++)
		code = add_one(l, b, site, files.v[i], NULL, !cmd_flag(l, "all"), &added);
	if (!code && !added) {
		log_error("none of the queues in %s is active; --all adds the others", path);
		code = 2;
	}
	return code;
}

static int add(const struct cmd_line *l, struct site *site)
{
	struct batch b = {0};
	struct err e = {0};
	const char *as = cmd_value(l, "as");

	if (as && plan_id_fault(as)) {
		log_error("--as %s: %s", as, plan_id_fault(as));
		return 2;
	}
	if (as && l->rest.n > 2) {
		log_error("--as is for one queue");
		return 2;
	}
	/* Every page is read before anything is written. */
	int rc = site_open(site, l->dir, SITE_CHECK, &e);
	int code = rc == 0 ? cmd_config(l, site, &b.config) : cmd_fail(&e);
	site_close(site);
	if (!code && site_open(site, l->dir, SITE_WRITE, &e) != 0)
		code = cmd_fail(&e);
	for (size_t i = 1; !code && i < l->rest.n; i++)
		code = add_path(l, &b, site, l->rest.v[i]);
	batch_fini(&b);
	return code;
}

/* ---- list, dag, show ---- */

/* The queue that is meant: named, or the first active one. NULL: there is none, and why is said in *e. */
static char *which(const struct cmd_line *l, struct site *site, struct err *e)
{
	const char *id = cmd_value(l, "queue") ? cmd_value(l, "queue") : cmd_word(l, 1);
	AUTO_STRV struct strv active = {0};

	if (id)
		return mem_strdup(id);
	if (queue_active(&active, site, e) != 0)
		return NULL;
	if (active.n)
		return mem_strdup(active.v[0]);
	err_set(e, ERR_MISSING, "No active queue");
	return NULL;
}

static int list(const struct cmd_line *l, struct site *site)
{
	bool brief = cmd_flag(l, "brief");
	AUTO_STR struct str text = {0};
	struct err e = {0};
	int rc;

	if (brief || cmd_flag(l, "json"))
		rc = queue_list_json(site, brief, cmd_print, &e);
	else
		rc = queue_list_text(site, &text, &e);
	if (rc != 0)
		return cmd_fail(&e);
	if (!text.len && !brief && !cmd_flag(l, "json"))
		log_info("no queues in this repository; bosk queue add FILE makes one");
	cmd_print(&text);
	return 0;
}

static int dag(const struct cmd_line *l, struct site *site)
{
	struct queue q = {0};
	struct err e = {0};
	AUTO_FREE char *id = which(l, site, &e);
	int code = 0;

	if (!id || queue_load(&q, site, id, &e) != 0) {
		queue_dag_none(e.text, cmd_print);
		code = err_exit_code(&e);
	} else {
		queue_dag_json(&q, cmd_print);
	}
	queue_fini(&q);
	return code;
}

static int show(const struct cmd_line *l, struct site *site)
{
	bool brief = cmd_flag(l, "brief"), json = brief || cmd_flag(l, "json");
	struct err e = {0};
	AUTO_STR struct str text = {0};
	AUTO_FREE char *id = which(l, site, &e);

	int rc = !id    ? -1
	         : json ? queue_show_json(site, id, brief, cmd_print, &e)
	                : queue_show_text(site, id, &text, &e);
	if (rc == 0) {
		cmd_print(&text);
		return 0;
	}
	if (json && e.kind == ERR_MISSING)
		queue_show_none(e.text, cmd_print);
	return cmd_fail(&e);
}

static int export(const struct cmd_line *l, struct site *site)
{
	struct err e = {0};
	AUTO_STRV struct strv all = {0};
	AUTO_FREE char *id = which(l, site, &e);

	/* One that is over is exported as well. */
	if (!id && queue_list(&all, site, &e) == 0 && all.n == 1)
		id = mem_strdup(all.v[0]);
	return id ? queue_export(l, site, id) : cmd_fail(&e);
}

/* ---- remove ---- */

static int remove_one(const struct cmd_line *l, struct site *site)
{
	struct batch b = {0};
	struct queue_removed removed;
	struct err e = {0};
	AUTO_STR struct str text = {0};
	const char *id = cmd_word(l, 1);
	int code = cmd_config(l, site, &b.config);

	if (!code && queue_remove(&removed, site, id, b.config.orphan_max_age_ms, &e) != 0)
		code = cmd_fail(&e);
	if (!code) {
		str_addf(&text, "queue %s is removed, with %zu item%s", id, removed.items, removed.items == 1 ? "" : "s");
		if (removed.changed)
			str_addf(&text, "; what had become of %zu of them since it was added is lost", removed.changed);
		str_addc(&text, '\n');
		cmd_print(&text);
	}
	batch_fini(&b);
	return code;
}

static int remove_queue(const struct cmd_line *l, struct site *site)
{
	struct err e = {0};

	int rc = site_open(site, l->dir, SITE_CHECK, &e);
	bool none = rc == 0 && !site->db;
	site_close(site);
	if (none)
		rc = err_set(&e, ERR_MISSING, "there is no queue %s; bosk queue list", cmd_word(l, 1));
	if (rc == 0)
		rc = site_open(site, l->dir, SITE_WRITE, &e);
	return rc == 0 ? remove_one(l, site) : cmd_fail(&e);
}

static int run(const struct cmd_line *l)
{
	static const struct cmd_verb verbs[] = {
		{"add", "PLAN...", 2, SIZE_MAX, true, add}, {"list", "", 1, 1, false, list},
		{"dag", "[ID]", 1, 2, false, dag},          {"show", "[ID]", 1, 2, false, show},
		{"export", "[ID]", 1, 2, false, export},    {"remove", "ID", 2, 2, true, remove_queue}};

	return cmd_verbs(l, verbs, MEM_COUNT(verbs));
}

const struct cmd cmd_queue_entry = {.name = "queue",
                                    .args = "add | list | dag | show | export | remove",
                                    .summary = "queues of solutions of issues",
                                    .details =
	"add PLAN...   a queue file, or a folder with issues.jsonl, solutions/ and queues/, into the store:\n"
	"              bosk run --queue ID works on it, and so does who calls bosk next and bosk done\n"
	"list          the queues, by priority\n"
	"dag [ID]      what can start now, and batch by batch what comes then, as JSON; without ID the\n"
	"              first active queue\n"
	"show [ID]     its items\n"
	"export [ID]   its file as it is now: what has changed since it was added is changed, all else is\n"
	"              as it was; with --to FOLDER its issues, solutions and entry in the index, too\n"
	"remove ID     out of the store; its files stay\n",
                                    CMD_OPTIONS(options),
                                    .min_rest = 1,
                                    .max_rest = -1,
                                    .run = run};
