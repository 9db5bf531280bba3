/* cmd: parsing command lines by the tables of cmd.h (getopt_long does the work). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "help.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "supervisor/config.h"
#include "supervisor/session.h"
#include "supervisor/site.h"
#include "worker/git.h"
#include "worker/secret.h"

const struct cmd_option cmd_common[] = {
	{"directory", 'C', "DIR", "work as if started in DIR"},
	{"set", 'c', "KEY=VALUE", "set a configuration key for this call"},
	{"quiet", 'q', NULL, "errors and data only"},
	{"verbose", 'v', NULL, "say more"},
	{"help", 'h', NULL, "this text"},
};
const size_t cmd_common_count = MEM_COUNT(cmd_common);

static const struct cmd_option *option_at(const struct cmd *c, size_t i)
{
	return i < c->n_options ? &c->options[i] : &cmd_common[i - c->n_options];
}

int cmd_verbs(const struct cmd_line *l, const struct cmd_verb *verbs, size_t n)
{
	AUTO_STR struct str all = {0};
	struct site site = {0};
	struct err e = {0};

	for (size_t i = 0; i < n; i++) {
		const struct cmd_verb *v = &verbs[i];
		str_addf(&all, "%s%s%s%s", i == 0 ? "" : i + 1 < n ? ", " : ", or ", v->name, *v->words ? " " : "", v->words);
		if (!str_eq(cmd_word(l, 0), v->name))
			continue;
		if (l->rest.n < v->min || l->rest.n > v->max) {
			log_error("bosk %s %s%s%s", l->cmd->name, v->name, *v->words ? " " : "", v->words);
			return 2;
		}
		if (v->changes && getenv("BOSK_TASK")) {
			log_error("bosk %s %s inside a task (BOSK_TASK=%s) is refused", l->cmd->name, v->name, getenv("BOSK_TASK"));
			return 2;
		}
		int rc = cmd_git(&e);
		if (rc == 0 && !v->changes)
			rc = site_open(&site, l->dir, SITE_READ, &e);
		int code = rc == 0 ? v->run(l, &site) : cmd_fail(&e);
		site_close(&site);
		return code;
	}
	log_error("bosk %s %s; not '%s'", l->cmd->name, str_text(&all), cmd_word(l, 0) ? cmd_word(l, 0) : "");
	return 2;
}

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; i < cmd_count; i++)
		if (strcmp(cmd_list[i]->name, name) == 0)
			return cmd_list[i];
	return NULL;
}

int cmd_unknown(const char *word)
{
	AUTO_FREE const char **names = mem_array(cmd_count, sizeof *names);
	for (size_t i = 0; i < cmd_count; i++)
		names[i] = cmd_list[i]->name;
	const char *near = str_nearest(word, names, cmd_count);
	log_error("unknown command '%s'%s%s%s; see bosk help", word, near ? ": did you mean '" : "",
	          near ? near : "", near ? "'?" : "");
	return 2;
}

static int unknown_option(const struct cmd *c, const char *word)
{
	size_t n = c->n_options + cmd_common_count;
	AUTO_FREE const char **names = mem_array(n, sizeof *names);
	AUTO_FREE char *bare = mem_strdup(word);

	for (size_t i = 0; i < n; i++)
		names[i] = option_at(c, i)->name;
	bare[strcspn(bare, "=")] = '\0';
	const char *near = str_starts(bare, "--") ? str_nearest(bare + 2, names, n) : NULL;
	log_error("bosk %s: unknown option '%s'%s%s%s; see bosk help %s", c->name, bare,
	          near ? ": did you mean '--" : "", near ? near : "", near ? "'?" : "", c->name);
	return 2;
}

static int take(struct cmd_line *out, const struct cmd_option *o, const char *arg)
{
	if (strcmp(o->name, "directory") == 0)
		out->dir = arg;
	else if (strcmp(o->name, "set") == 0)
		strv_add(&out->config, arg);
	else if (strcmp(o->name, "quiet") == 0)
		log_set(LOG_QUIET);
	else if (strcmp(o->name, "verbose") == 0)
		log_set(LOG_VERBOSE);
	strv_add(&out->names, o->name);
	strv_add(&out->values, arg ? arg : "");
	return 0;
}

/* Options of one command from argv[0] = its name on. */
static int parse_options(struct cmd_line *out, int argc, char **argv)
{
	const struct cmd *c = out->cmd;
	size_t n = c->n_options + cmd_common_count;
	AUTO_FREE struct option *longs = mem_array(n + 1, sizeof *longs);
	AUTO_STR struct str shorts = {0};

	str_add(&shorts, ":");
	for (size_t i = 0; i < n; i++) {
		const struct cmd_option *o = option_at(c, i);
		longs[i] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL,
		                           256 + (int)i};
		if (o->letter)
			str_addf(&shorts, "%c%s", o->letter, o->arg ? ":" : "");
	}
	opterr = 0;
	optind = 0; /* start afresh: the GNU way */
	for (int got; (got = getopt_long(argc, argv, shorts.p, longs, NULL)) != -1;) {
		if (got == '?' && optopt >= 256) {
			log_error("bosk %s: option '--%s' takes no argument", c->name,
			          option_at(c, (size_t)optopt - 256)->name);
			return 2;
		}
		if (got == '?')
			return unknown_option(c, optopt ? (char[]){'-', (char)optopt, '\0'}
			                                : argv[optind - 1]);
		if (got == ':') {
			log_error("bosk %s: option '%s' needs an argument", c->name, argv[optind - 1]);
			return 2;
		}
		/* The beginning of a name would do for getopt, until another option begins like it. */
		const char *word = argv[optind - (optarg && optarg == argv[optind - 1] ? 2 : 1)];
		size_t i = got >= 256 ? (size_t)got - 256 : 0;
		if (got >= 256 && strcspn(word + 2, "=") != strlen(longs[i].name))
			return unknown_option(c, word);
		while (got < 256 && option_at(c, i)->letter != got)
			i++;
		int code = take(out, option_at(c, i), optarg);
		if (code)
			return code;
	}
	for (int i = optind; i < argc; i++)
		strv_add(&out->rest, argv[i]);
	return 0;
}

/* Before the command: -C DIR and -c KEY=VALUE, as with git; and what people try first. *at moves on to
 * the command; with -h and -V out->cmd is set. 0 or the exit code. */
static int parse_before(struct cmd_line *out, int argc, char **argv, int *at)
{
	static const char *const names[] = {"--quiet", "--verbose", "--help", "--version"};

	for (; *at < argc && argv[*at][0] == '-' && !out->cmd; ++*at) {
		const char *word = argv[*at];
		bool dir = strcmp(word, "-C") == 0, config = strcmp(word, "-c") == 0;
		if ((dir || config) && *at + 1 == argc) {
			log_error("option '%s' needs an argument; see bosk help", word);
			return 2;
		} else if (dir) {
			out->dir = argv[++*at];
		} else if (config) {
			strv_add(&out->config, argv[++*at]);
		} else if (strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0) {
			log_set(LOG_QUIET);
		} else if (strcmp(word, "-v") == 0 || strcmp(word, "--verbose") == 0) {
			log_set(LOG_VERBOSE);
		} else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
			out->cmd = &cmd_help_entry;
		} else if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
			out->cmd = &cmd_version_entry;
		} else {
			const char *near = str_nearest(word, names, MEM_COUNT(names));
			log_error("unknown option '%s' before the command%s%s%s; see bosk help", word,
			          near ? ": did you mean '" : " (a command's own options come after it)",
			          near ? near : "", near ? "'?" : "");
			return 2;
		}
	}
	return 0;
}

int cmd_parse(struct cmd_line *out, int argc, char **argv)
{
	*out = (struct cmd_line){.dir = "."};
	int at = 1, code = parse_before(out, argc, argv, &at);

	if (code || out->cmd)
		return code;
	if (at == argc) {
		help_overview();
		return 2;
	}
	out->cmd = cmd_find(argv[at]);
	if (!out->cmd)
		return cmd_unknown(argv[at]);
	code = parse_options(out, argc - at, argv + at);
	if (code)
		return code;
	int n = (int)out->rest.n;
	if (cmd_flag(out, "help"))
		return 0;
	/* As if started there: plan files and all. */
	if (strcmp(out->dir, ".") != 0 && chdir(out->dir) != 0) {
		log_error("cannot go to %s: %s", out->dir, strerror(errno));
		return 4;
	}
	out->dir = ".";
	if (n < out->cmd->min_rest || (out->cmd->max_rest >= 0 && n > out->cmd->max_rest)) {
		log_error("usage: bosk %s %s", out->cmd->name, out->cmd->args);
		return 2;
	}
	return 0;
}

void cmd_line_fini(struct cmd_line *l)
{
	strv_fini(&l->config);
	strv_fini(&l->names);
	strv_fini(&l->values);
	strv_fini(&l->rest);
}

const char *cmd_value(const struct cmd_line *l, const char *name)
{
	for (size_t i = l->names.n; i-- > 0;)
		if (strcmp(l->names.v[i], name) == 0)
			return l->values.v[i];
	return NULL;
}

bool cmd_flag(const struct cmd_line *l, const char *name)
{
	return cmd_value(l, name) != NULL;
}

void cmd_values(const struct cmd_line *l, const char *name, struct strv *out)
{
	for (size_t i = 0; i < l->names.n; i++)
		if (strcmp(l->names.v[i], name) == 0)
			strv_add(out, l->values.v[i]);
}

const char *cmd_word(const struct cmd_line *l, size_t i)
{
	return i < l->rest.n ? l->rest.v[i] : NULL;
}

int cmd_number(const struct cmd_line *l, const char *name, uint64_t min, uint64_t max,
               uint64_t fallback, uint64_t *out, struct err *e)
{
	const char *text = cmd_value(l, name);

	*out = fallback;
	if (!text)
		return 0;
	if (!str_u64(text, out) || *out < min || *out > max)
		return err_set(e, ERR_USAGE, "--%s takes a whole number from %llu to %llu, not '%s'", name,
		               (unsigned long long)min, (unsigned long long)max, text);
	return 0;
}

int cmd_git(struct err *e)
{
	unsigned major, minor;
	return git_version(&major, &minor, e);
}

int cmd_fail(const struct err *e)
{
	log_error("%s", e->text);
	if (e->where)
		log_debug("(%s, %s)", e->where, err_kind_name(e->kind));
	return err_exit_code(e);
}

void cmd_print(const struct str *text)
{
	cmd_show(text, stdout);
}

void cmd_show(const struct str *text, FILE *to)
{
	AUTO_STR struct str shown = {0};
	str_add_printable(&shown, str_text(text), text->len, true);
	fwrite(str_text(&shown), 1, shown.len, to);
}

int cmd_config(const struct cmd_line *l, const struct site *site, struct config *out)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str text = {0};

	if (config_load(out, gitx_top(site->git), &l->config, &faults) == 0) {
		plan_faults_fini(&faults);
		secret_init(&out->secrets);
		for (size_t i = 0; i < config_warnings(out)->n; i++)
			log_warn("%s", config_warnings(out)->v[i]);
		return 0;
	}
	plan_faults_print(&faults, &text);
	fwrite(text.p, 1, text.len, stderr);
	log_error("the configuration has %zu fault%s; nothing was started", faults.n,
	          faults.n == 1 ? "" : "s");
	plan_faults_fini(&faults);
	return 2;
}

int cmd_config_kept(const struct session *s, struct config *out)
{
	struct plan_faults faults = {0};
	AUTO_STR struct str text = {0};

	int rc = config_load_sources(out, &s->row.config, &faults);
	if (rc == 0) {
		secret_init(&out->secrets);
	} else {
		plan_faults_print(&faults, &text);
		log_error("the configuration kept with session %s is not understood:\n%s", s->sid, text.p);
	}
	plan_faults_fini(&faults);
	return rc == 0 ? 0 : 4;
}
