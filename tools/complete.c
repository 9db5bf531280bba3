/* complete: the hidden command behind the shells' completion. Everything comes from the tables of
 * commands and settings and from the store, so a script in a shell never has to know bosk. */
#include "complete.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "store/base/mem.h"
#include "supervisor/agents.h"
#include "supervisor/config.h"
#include "supervisor/queue/queue.h"
#include "supervisor/session.h"

/* Tasks of this many sessions are offered, the newest first. */
#define SESSIONS_MAX 20

struct typed {
	const struct cmd *cmd;      /* NULL while that is what is typed */
	const struct cmd_option *o; /* whose argument is typed, else NULL */
	const char *word;           /* what is typed, perhaps "" */
	const char *head;           /* "--name=" before it, or "" */
	size_t position;            /* among the words that are no options */
	bool only_words;            /* after "--" */
};

static void offer(const struct typed *t, const char *text, const char *what)
{
	AUTO_STR struct str line = {0};

	if (!str_starts(text, t->word))
		return;
	str_addf(&line, "%s%s", t->head, text);
	if (what && *what) {
		str_addc(&line, '\t');
		str_add_printable(&line, what, strlen(what), false);
	}
	puts(str_text(&line));
}

/* "keep|merge", "list | show": each of them. */
static void offer_words(const struct typed *t, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, " |");
		AUTO_FREE char *word = mem_printf("%.*s", (int)n, words);
		if (n)
			offer(t, word, NULL);
		words += n + strspn(words + n, " |");
	}
}

static void offer_settings(const struct typed *t)
{
	const char *equal = strchr(t->word, '=');
	struct config_info info;

	for (size_t i = 0; config_info(&info, i); i++) {
		AUTO_FREE char *key = mem_printf("%s=", info.name);
		if (!equal) {
			offer(t, key, info.preset);
		} else if (info.words && str_starts(t->word, key)) {
			AUTO_FREE char *head = mem_printf("%s%s", t->head, key);
			struct typed value = {.word = equal + 1, .head = head};
			offer_words(&value, info.words);
		}
	}
}

static void offer_gates(const struct typed *t, const struct site *site)
{
	struct config config = {0};
	struct plan_faults faults = {0};
	struct strv none = {0};

	if (config_load(&config, gitx_top(site->git), &none, &faults) == 0)
		for (size_t i = 0; i < config.n_gates; i++)
			offer(t, config.gates[i].name, config.gates[i].run);
	plan_faults_fini(&faults);
	config_fini(&config);
}

static void offer_agents(const struct typed *t, const struct site *site)
{
	struct config config = {0};
	struct plan_faults faults = {0};
	struct strv none = {0};
	AUTO_STRV struct strv names = {0};

	if (config_load(&config, gitx_top(site->git), &none, &faults) == 0)
		agents_names(&config, &names);
	for (size_t i = 0; i < names.n; i++)
		offer(t, names.v[i], NULL);
	plan_faults_fini(&faults);
	config_fini(&config);
}

static void offer_branches(const struct typed *t, const struct site *site)
{
	AUTO_STRV struct strv refs = {0};
	struct err ignored = {0};

	if (gitx_ref_list(site->git, "refs/heads/", &refs, &ignored) != 0)
		return;
	for (size_t i = 0; i < refs.n; i++)
		offer(t, refs.v[i] + strlen("refs/heads/"), NULL);
}

/* Sessions the command can do something with. */
static bool fits(const struct typed *t, const struct site *site, const char *sid,
                 const struct manifest_row *m)
{
	if (str_eq(t->cmd->name, "stop"))
		return session_live(site, sid);
	if (str_eq(t->cmd->name, "resume"))
		return session_resumable(site, sid, m) && !session_live(site, sid);
	return true;
}

static void offer_sessions(const struct typed *t, struct site *site)
{
	AUTO_STRV struct strv ids = {0};
	struct err ignored = {0};

	if (session_list(site, &ids, &ignored) != 0)
		return;
	for (size_t i = ids.n; i-- > 0;) {
		struct manifest_row m = {0};
		if (session_manifest(site, ids.v[i], &m, &ignored) != 0)
			continue;
		if (fits(t, site, ids.v[i], &m))
			offer(t, ids.v[i], session_state(site, ids.v[i], &m));
		rec_fini(&manifest_row_rec, &m);
	}
}

/* TASK; SID/TASK once a slash was typed. */
static void offer_tasks(const struct typed *t, struct site *site)
{
	AUTO_STRV struct strv ids = {0}, seen = {0};
	struct err ignored = {0};

	if (session_list(site, &ids, &ignored) != 0)
		return;
	for (size_t i = ids.n; i-- > 0 && ids.n - i <= SESSIONS_MAX;) {
		struct session s = {.lock_fd = -1};
		if (session_load(&s, site, ids.v[i], &ignored) == 0)
			for (size_t k = 0; k < s.plan.n; k++) {
				const char *id = s.plan.tasks[k].id;
				AUTO_FREE char *full = strchr(t->word, '/') ? mem_printf("%s/%s", s.sid, id)
				                                            : mem_strdup(id);
				if (str_starts(full, t->word) && !strv_has(&seen, full)) {
					offer(t, full, session_task_shown(&s, k));
					strv_add(&seen, full);
				}
			}
		session_fini(&s);
	}
}

/* Queues of solutions. */
static void offer_queues(const struct typed *t, struct site *site)
{
	AUTO_STRV struct strv ids = {0};
	struct err ignored = {0};

	if (queue_list(&ids, site, &ignored) != 0)
		return;
	for (size_t i = 0; i < ids.n; i++)
		offer(t, ids.v[i], "queue");
}

/* Items of the active ones; QUE-x:S-1 once a colon was typed. */
static void offer_items(const struct typed *t, struct site *site)
{
	AUTO_STRV struct strv ids = {0}, seen = {0};
	struct err ignored = {0};

	if (queue_active(&ids, site, &ignored) != 0)
		return;
	for (size_t i = 0; i < ids.n; i++) {
		struct queue q;
		if (queue_load(&q, site, ids.v[i], &ignored) == 0)
			for (size_t k = 0; k < q.n; k++) {
				AUTO_FREE char *full = mem_printf("%s:%s", q.id, q.links[k].id);
				const char *name = strchr(t->word, ':') ? full : q.links[k].id;
				if (str_starts(name, t->word) && !strv_has(&seen, name)) {
					offer(t, name, queue_word(q.states[k]));
					strv_add(&seen, name);
				}
			}
		queue_fini(&q);
	}
}

/* What an argument of this name in the help can be. */
static void offer_argument(const struct typed *t, const char *name)
{
	static const struct {
		const char *name;
		void (*offer)(const struct typed *, struct site *);
	} stored[] = {{"SID", offer_sessions}, {"TASK", offer_tasks}, {"ITEM", offer_items}};
	const char *option = t->o ? t->o->name : "";
	struct site site;
	struct err ignored = {0};

	if (islower((unsigned char)*name)) {
		offer_words(t, name);
	} else if (str_eq(name, "KEY=VALUE")) {
		offer_settings(t);
	} else if (str_eq(name, "COMMAND")) {
		for (size_t i = 0; i < cmd_count; i++)
			offer(t, cmd_list[i]->name, cmd_list[i]->summary);
	} else if (str_eq(name, "DIR") || str_eq(name, "PATH")) {
		puts(":dir");
	} else if (str_eq(name, "PLAN") || str_starts(name, "FILE") || str_eq(name, "F")) {
		puts(":file");
	} else if (str_eq(name, "CMD")) {
		puts(":command");
	} else {
		if (site_open(&site, ".", SITE_READ, &ignored) == 0) {
			for (size_t i = 0; i < MEM_COUNT(stored); i++)
				if (str_eq(name, stored[i].name) ||
				    (str_eq(name, "ID") && str_eq(stored[i].name, "TASK") &&
				     str_eq(option, "task")))
					stored[i].offer(t, &site);
			if (str_eq(name, "ID") && str_eq(option, "queue"))
				offer_queues(t, &site);
			if (str_eq(name, "BRANCH") || str_eq(name, "REV"))
				offer_branches(t, &site);
			if (str_eq(option, "gate") || str_eq(option, "excuse"))
				offer_gates(t, &site);
			if (str_eq(option, "agent"))
				offer_agents(t, &site);
		}
		site_close(&site);
	}
}

/* Word number `position` of "[TASK...]", "ID", "list | show": the caller owns it, NULL = none. */
static char *positional(const char *args, size_t position)
{
	if (strchr(args, '|'))
		return position == 0 ? mem_strdup(args + strspn(args, "[(")) : NULL;
	for (size_t i = 0;; i++) {
		args += strspn(args, "[ ");
		size_t n = strcspn(args, " ].");
		bool more = str_starts(args + n, "...");
		if (!n)
			return NULL;
		if (i == position || more)
			return mem_printf("%.*s", (int)n, args);
		args += n + strspn(args + n, "].");
	}
}

static const struct cmd_option *option_at(const struct cmd *c, size_t i)
{
	size_t own = c ? c->n_options : 0;
	return i < own ? &c->options[i] : i - own < cmd_common_count ? &cmd_common[i - own] : NULL;
}

/* Its option, without or with "=..."; NULL = none. */
static const struct cmd_option *option_of(const struct cmd *c, const char *word)
{
	const struct cmd_option *o;

	for (size_t i = 0; (o = option_at(c, i)); i++) {
		size_t n = strlen(o->name);
		if (str_starts(word, "--") && strncmp(word + 2, o->name, n) == 0 &&
		    (!word[2 + n] || word[2 + n] == '='))
			return o;
		if (word[0] == '-' && o->letter && word[1] == o->letter && !word[2])
			return o;
	}
	return NULL;
}

static void offer_options(const struct typed *t)
{
	const struct cmd_option *o;

	for (size_t i = 0; (o = option_at(t->cmd, i)); i++) {
		AUTO_FREE char *name = mem_printf("--%s", o->name);
		AUTO_FREE char *letter = o->letter ? mem_printf("-%c", o->letter) : NULL;
		/* Before the command some have their letter only (cmd.c). */
		if (t->cmd || !o->arg)
			offer(t, name, o->help);
		if (letter && !t->word[strspn(t->word, "-")])
			offer(t, letter, o->help);
	}
	if (!t->cmd)
		offer(t, "--version", "the version of bosk");
}

/* What the words before the last one say. */
static void look_at(struct typed *t, int argc, char **argv)
{
	for (int i = 0; i + 1 < argc; i++) {
		const char *word = argv[i];
		t->o = NULL;
		if (t->only_words || word[0] != '-' || !word[1]) {
			if (t->cmd)
				t->position++;
			else
				t->cmd = cmd_find(word);
			if (!t->cmd)
				t->only_words = true; /* no such command: nothing to offer */
		} else if (strcmp(word, "--") == 0) {
			t->only_words = true;
		} else {
			t->o = option_of(t->cmd, word);
			if (t->o && (!t->o->arg || strchr(word, '=')))
				t->o = NULL;
			if (t->o && i + 2 < argc) {
				if (strcmp(t->o->name, "directory") == 0 && chdir(argv[i + 1]) != 0)
					t->only_words = true; /* nothing to know of there */
				i++;
				t->o = NULL;
			}
		}
	}
}

int complete_main(int argc, char **argv)
{
	struct typed t = {.word = argc > 1 ? argv[argc - 1] : "", .head = ""};
	AUTO_FREE char *head = NULL, *name = NULL;
	const char *equal = strchr(t.word, '=');

	look_at(&t, argc - 1, argv + 1);
	if (!t.o && !t.only_words && equal && str_starts(t.word, "--")) {
		t.o = option_of(t.cmd, t.word);
		if (!t.o || !t.o->arg)
			return 0;
		t.head = head = mem_printf("%.*s", (int)(equal + 1 - t.word), t.word);
		t.word = equal + 1;
	}
	if (t.o)
		offer_argument(&t, t.o->arg);
	else if (!t.only_words && t.word[0] == '-')
		offer_options(&t);
	else if (!t.cmd && !t.only_words)
		offer_argument(&t, "COMMAND");
	else if (t.cmd && (name = positional(t.cmd->args, t.position)))
		offer_argument(&t, name);
	return 0;
}
