/* bosk init: look at the checkout, propose a bosk.yaml, write it after a yes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "init_look.h"
#include "store/base/fs.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/agents_show.h"
#include "supervisor/config_agents.h"
#include "supervisor/site.h"

static const struct cmd_option options[] = {
	{"print", 0, NULL, "only show it"},
	{"yes", 'y', NULL, "write it without asking"},
};

/* A text in single quotes, as YAML wants it. */
static void add_quoted(struct str *out, const char *text)
{
	str_addc(out, '\'');
	for (const char *p = text; *p; p++)
		str_add(out, *p == '\'' ? "''" : (char[]){*p, '\0'});
	str_addc(out, '\'');
}

static void add_names(struct str *out, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++)
		str_addf(out, "%s%s", i ? ", " : "", names->v[i]);
}

static void add_gates(struct str *out, const struct init_look *look)
{
	str_add(out, "# What must hold after every task, in this order; the first red one goes back to the task's\n"
	             "# agent. They run once on the base too: red there, and nothing starts.\n");
	if (!look->n) {
		str_add(out, "# No checks were recognised here. For example:\n"
		             "#   - name: test\n#     run: make test\n#     timeout: 10m\n");
	}
	str_add(out, "gates:\n");
	for (size_t i = 0; i < look->n; i++) {
		str_addf(out, "  - name: %s\n    run: ", look->gates[i].name);
		add_quoted(out, look->gates[i].run);
		str_add(out, "\n");
		if (i == 0)
			str_add(out, "    # timeout: 10m           # default 30m\n"
			             "    # paths: [\"src/**\"]      # only when such a file changed\n");
	}
	/* Last: what the others are red for is mended first. */
	str_add(out, "  - name: security\n"
	             "    builtin: secrets         # passwords, tokens and keys in what a task adds\n");
}

static void add_agents(struct str *out, const struct init_look *look, const struct config *config)
{
	if (!look->agents.n)
		return;
	str_add(out, "\n# Agents found on the PATH: ");
	add_names(out, &look->agents);
	str_addf(out, ". This one works on tasks with a prompt that name none\n# (or: bosk run PLAN --agent NAME).\nagent: %s\n",
	         look->agents.v[0]);
	for (size_t i = 0; i < look->agents.n; i++) {
		const struct msg_agent *def = config_agents_get(config, look->agents.v[i]);
		AUTO_STR struct str line = {0};
		agents_show_command(def, false, NULL, true, &line);
		str_addf(out, "# %s\n#   command: ", def->name);
		str_add_printable(out, line.p, line.len, false);
		str_add(out, "\n#   rights:  ");
		const char *rights = agents_show_rights(def, false);
		str_add_printable(out, rights, strlen(rights), false);
		str_add(out, "\n");
	}
	str_addf(out, "# All rights of yours: bosk run --autonomy full, or  agents: {%s: {autonomy: full}}  in your own\n"
	         "# config.yaml; here that would not count.\n", look->agents.v[0]);
}

static void propose(struct str *out, const struct init_look *look, const struct config *config)
{
	str_add(out, "# How bosk works in this repository. `bosk doctor --config` shows every key, its value and\n"
	             "# where that came from.\n");
	if (look->from.n) {
		str_add(out, "# Proposed by `bosk init` from: ");
		add_names(out, &look->from);
		str_add(out, "\n");
	}
	str_add(out, "\njobs: 3                        # tasks at once, each in a worktree of its own\n\n");
	add_gates(out, look);
	str_add(out, "\n# What a new worktree needs before work can start.\nworktrees:\n");
	if (look->setup) {
		str_add(out, "  setup: ");
		add_quoted(out, look->setup);
		str_add(out, "   # once in each, again when a lock file changes\n");
	} else {
		str_add(out, "  setup: ''                    # a command, once in each worktree\n");
	}
	str_add(out, "  copy: []                     # ignored files to bring along, such as .env\n\n");
	str_add(out, "land: keep                     # merge: onto the branch you started from, when all went well\n"
	             "protect: [bosk.yaml]           # a task that changes these needs a human\n");
	add_agents(out, look, config);
}

/* What is proposed is read back as a configuration before anybody sees it. */
static int check(const char *path, const struct str *text)
{
	struct config config = {0};
	struct plan_faults faults = {0};
	AUTO_STRV struct strv sources = {0};
	AUTO_STR struct str said = {0};

	strv_add(&sources, path);
	strv_add(&sources, text->p);
	int rc = config_load_sources(&config, &sources, &faults);
	plan_faults_print(&faults, &said);
	if (rc != 0)
		log_error("the proposal for %s is not a configuration: %s", path, said.p);
	plan_faults_fini(&faults);
	config_fini(&config);
	return rc;
}

/* A yes on standard input; end of input is a no. */
static bool agreed(const char *path)
{
	char answer[64] = "";

	fflush(stdout);
	AUTO_STR struct str question = {0};
	str_addf(&question, "Write %s? [y/N] ", path);
	cmd_show(&question, stderr);
	if (!fgets(answer, sizeof answer, stdin))
		fputc('\n', stderr);
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static int write_new(const char *path, const struct str *text, struct err *e)
{
	/* O_EXCL: one that came meanwhile is not written over. */
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno == EEXIST ? err_set(e, ERR_USAGE, "%s is there already", path)
		                       : err_sys(e, "cannot make %s", path);
	if (fs_write_all(fd, text->p, text->len, e) == 0)
		return 0;
	unlink(path);
	return err_wrap(e, "%s", path);
}

static int offer(const struct cmd_line *l, const char *top)
{
	AUTO_FREE char *path = mem_printf("%s/bosk.yaml", top);
	AUTO_STR struct str text = {0};
	struct init_look look;
	struct config config;
	struct plan_faults faults = {0};
	struct err e = {0};

	if (!cmd_flag(l, "print") && fs_exists(path)) {
		log_error("%s is there already; bosk init --print shows what it would propose", path);
		return 2;
	}
	if (config_load(&config, NULL, &l->config, &faults) != 0) {
		plan_faults_print(&faults, &text);
		cmd_show(&text, stderr);
		plan_faults_fini(&faults);
		return 2;
	}
	init_look(&look, top, &config);
	propose(&text, &look, &config);
	init_look_fini(&look);
	config_fini(&config);
	if (check(path, &text) != 0)
		return 70;
	cmd_print(&text);
	if (cmd_flag(l, "print"))
		return 0;
	if (!cmd_flag(l, "yes") && !agreed(path)) {
		log_info("nothing was written");
		return 1;
	}
	if (write_new(path, &text, &e) != 0)
		return cmd_fail(&e);
	log_info("wrote %s; try the checks with: bosk plan PLAN, then bosk run PLAN", path);
	return 0;
}

static int run(const struct cmd_line *l)
{
	struct site site = {0};
	struct err e = {0};

	int code = site_open(&site, l->dir, SITE_READ, &e) == 0 ? offer(l, gitx_top(site.git)) : cmd_fail(&e);
	site_close(&site);
	return code;
}

const struct cmd cmd_init_entry = {.name = "init",
                                   .args = "",
                                   .summary = "propose a bosk.yaml for this repository",
                                   CMD_OPTIONS(options),
                                   .run = run};
