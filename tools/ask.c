/* ask: questions with a few answers each. Written to standard error, as all that is not data. */
#include "ask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "store/base/mem.h"

struct choice {
	const char *label, *means;
	const char *option, *value; /* what is added to the command line; NULL = nothing */
};

struct question {
	const char *text, *header;
	const char *said[3]; /* options that answer it */
	struct choice choices[3];
};

static const struct question questions[] = {
	{"Select executor type:", "Executor", {"agent"}, {
		{"Codex (Recommended)", "Autonomous coding with full write access", "agent", "codex"},
		{"Gemini", "Large context analysis and implementation", "agent", "gemini"},
		{"Agent", "Claude Code sub-agent for complex tasks", "agent", "agent"}}},
	{"Execution mode:", "Mode", {"dry-run"}, {
		{"Execute (Recommended)", "Run all ready solutions", NULL, NULL},
		{"Dry-run", "Show DAG and batches without executing", "dry-run", ""}}},
	{"Use git worktrees for parallel isolation?", "Worktree", {"no-worktree", "worktree"}, {
		{"Yes (Recommended for parallel)", "Each executor works in isolated worktree branch", NULL, NULL},
		{"No", "Work directly in current directory (serial only)", "no-worktree", ""}}},
	{"When it is done, what to do with its branch?", "Merge", {"land", "dry-run"}, {
		{"Create PR (Recommended)", "Push branch and create pull request - safest for parallel execution", "land", "pr"},
		{"Merge to main", "Merge branch (requires clean main)", "land", "merge"},
		{"Keep branch", "Keep branch for manual handling", "land", "keep"}}},
};

static const struct question landing[] = {
	{"What to do with the session's branch?", "Merge", {"pr", "merge", "keep"}, {
		{"Create PR (Recommended)", "Push branch and create pull request - safest for parallel execution", "pr", ""},
		{"Merge to main", "Merge branch (requires clean main)", "merge", ""},
		{"Keep branch", "Keep branch for manual handling", "keep", ""}}},
};

/* By its number, or by the first word of its label. */
static const struct choice *chosen(const struct question *q, const char *answer)
{
	for (size_t i = 0; i < MEM_COUNT(q->choices) && q->choices[i].label; i++) {
		const char *label = q->choices[i].label;
		size_t n = strcspn(label, " ");
		if ((answer[0] == (char)('1' + i) && !answer[1]) || (strlen(answer) == n && strncasecmp(answer, label, n) == 0))
			return &q->choices[i];
	}
	return NULL;
}

/* NULL at the end of input. */
static const struct choice *put(const struct question *q)
{
	AUTO_FREE char *line = NULL;
	size_t room = 0;

	fprintf(stderr, "\n%s\n", q->text);
	for (size_t i = 0; i < MEM_COUNT(q->choices) && q->choices[i].label; i++)
		fprintf(stderr, "  %zu. %s - %s\n", i + 1, q->choices[i].label, q->choices[i].means);
	for (;;) {
		fprintf(stderr, "%s: ", q->header);
		fflush(stderr);
		if (getline(&line, &room, stdin) < 0)
			return NULL;
		char *word = line + strspn(line, " \t");
		for (size_t n = strlen(word); n && isspace((unsigned char)word[n - 1]);)
			word[--n] = '\0';
		const struct choice *c = chosen(q, word);
		if (c)
			return c;
		fprintf(stderr, "a number, or the first word of an answer\n");
	}
}

static bool answered(const struct cmd_line *l, const struct question *q)
{
	for (size_t i = 0; i < MEM_COUNT(q->said) && q->said[i]; i++)
		if (cmd_flag(l, q->said[i]))
			return true;
	return false;
}

static int ask(struct cmd_line *l, const struct question *list, size_t n, const char *instead, struct err *e)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return err_set(e, ERR_USAGE, "--ask needs a terminal: give %s instead; nothing was started", instead);
	for (size_t i = 0; i < n; i++) {
		if (answered(l, &list[i]))
			continue;
		const struct choice *c = put(&list[i]);
		if (!c) {
			fputc('\n', stderr);
			return err_set(e, ERR_USAGE, "there was no answer; nothing was started");
		}
		if (c->option) {
			strv_add(&l->names, c->option);
			strv_add(&l->values, c->value);
		}
	}
	return 0;
}

/* The line with what was answered is run. */
static int with_answers(const struct cmd_line *l, const struct question *list, size_t n, const char *instead,
                        int (*run)(const struct cmd_line *l))
{
	struct cmd_line asked = {.cmd = l->cmd, .dir = l->dir};
	struct err e = {0};

	strv_copy(&asked.config, &l->config);
	strv_copy(&asked.names, &l->names);
	strv_copy(&asked.values, &l->values);
	strv_copy(&asked.rest, &l->rest);
	int code = ask(&asked, list, n, instead, &e) == 0 ? run(&asked) : cmd_fail(&e);
	cmd_line_fini(&asked);
	return code;
}

int ask_run(const struct cmd_line *l, int (*run)(const struct cmd_line *l))
{
	return with_answers(l, questions, MEM_COUNT(questions), "--agent NAME, --dry-run, --no-worktree or --land", run);
}

int ask_land(const struct cmd_line *l, int (*run)(const struct cmd_line *l))
{
	return with_answers(l, landing, MEM_COUNT(landing), "--pr, --merge or --keep", run);
}

int ask_full(const struct cmd_line *l, struct err *e)
{
	AUTO_FREE char *line = NULL;
	size_t room = 0;

	if (!cmd_flag(l, "autonomy") || cmd_flag(l, "yes") || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return 0;
	fprintf(stderr, "--autonomy full: agents may do whatever you may, without being asked or held back. Is that meant? [y/N] ");
	fflush(stderr);
	bool answered = getline(&line, &room, stdin) >= 0;
	if (!answered)
		fputc('\n', stderr);
	else
		line[strcspn(line, "\r\n")] = '\0';
	if (answered && (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0))
		return 0;
	return err_set(e, ERR_USAGE, "%s; nothing was started", answered ? "that was no yes" : "there was no answer");
}
