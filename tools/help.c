/* help: the help texts on the terminal, made of the tables. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "help_private.h"
#include "store/base/mem.h"

static const struct help_code codes[] = {
	{'0', "0", "everything asked for was integrated and the final tip is green; landed, if asked"},
	{'1', "1", "some task was not integrated, the final tip is red, or it did not land as asked"},
	{'2', "2", "usage, configuration or plan error: nothing was started"},
	{'3', "3", "stopped by a limit; bosk resume goes on"},
	{'4', "4", "the environment: git, disk, a missing tool, gates red on the base, a damaged store"},
	{'5', "5", "a live session or another owner holds it"},
	{'b', "70", "a bug in bosk"},
	{'s', "129, 130, 143", "stopped by a signal, state saved; bosk resume goes on"},
};

const struct help_text *help_text(const struct cmd *c)
{
	static const struct help_text none = {.example = "", .codes = "", .also = ""};
	for (const struct help_text *t = help_texts; t->command; t++)
		if (strcmp(t->command, c->name) == 0)
			return t;
	return &none;
}

const char *help_code(struct help_code *out, const struct help_text *t, size_t i)
{
	if (i >= MEM_COUNT(codes))
		return NULL;
	*out = codes[i];
	if (out->letter == '0' && t->ok)
		out->meaning = t->ok;
	if (out->letter == '1' && t->not_ok)
		out->meaning = t->not_ok;
	return out->letter == 'b' || strchr(t->codes, out->letter) ? out->number : "";
}

static void print_option(const struct cmd_option *o)
{
	AUTO_FREE char *left = mem_printf("%s%c%s --%s%s%s", o->letter ? "-" : " ",
	                                  o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
	                                  o->arg ? " " : "", o->arg ? o->arg : "");
	/* A long one has a line of its own. */
	printf("  %s%s%*s%s\n", left, strlen(left) > 24 ? "\n  " : "",
	       strlen(left) > 24 ? 25 : 25 - (int)strlen(left), "", o->help);
}

/* Lines of text, each two blanks in. */
static void print_lines(const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		printf("  %.*s\n", (int)n, text);
	}
}

void help_command(const struct cmd *c)
{
	const struct help_text *t = help_text(c);
	struct help_code code;

	printf("usage: bosk %s [OPTIONS]%s%s\n\n", c->name, *c->args ? " " : "", c->args);
	printf("%s\n", c->summary);
	if (c->details)
		printf("\n%s", c->details);
	if (c->n_options)
		printf("\noptions:\n");
	for (size_t i = 0; i < c->n_options; i++)
		print_option(&c->options[i]);
	printf("\noptions of every command:\n");
	for (size_t i = 0; i < cmd_common_count; i++)
		print_option(&cmd_common[i]);
	printf("\nexample%s:\n", strchr(t->example, '\n') && strchr(t->example, '\n')[1] ? "s" : "");
	print_lines(t->example);
	printf("\nexit codes:\n");
	for (size_t i = 0; help_code(&code, t, i); i++)
		if (*help_code(&code, t, i))
			printf("  %-4s%s%s\n", code.number, strlen(code.number) > 3 ? "  " : "", code.meaning);
	printf("\nsee also: bosk help ");
	for (const char *word = t->also; *word; word += strspn(word, " ")) {
		size_t n = strcspn(word, " ");
		printf("%.*s%s", (int)n, word, word[n] ? ", " : "; ");
		word += n;
	}
	printf("man bosk\n");
}

void help_overview(void)
{
	printf("usage: bosk [-C DIR] [-c KEY=VALUE] COMMAND [OPTIONS] [WORDS]\n\n"
	       "Runs a batch of coding tasks unattended, each in its own git worktree.\n\ncommands:\n");
	for (size_t i = 0; i < cmd_count; i++)
		printf("  %-10s %s\n", cmd_list[i]->name, cmd_list[i]->summary);
	printf("\nbosk help COMMAND, or bosk COMMAND --help, says more of one; man bosk, man bosk.yaml and\n"
	       "man bosk-plan say everything. To begin:\n\n"
	       "  bosk plan plan.yaml      check a plan, change nothing\n"
	       "  bosk run plan.yaml       work on it\n"
	       "  bosk report              what came out\n"
	       "  bosk land --merge        bring it to your branch\n"
	       "\nexit codes:\n");
	for (size_t i = 0; i < MEM_COUNT(codes); i++)
		printf("  %-4s%s%s\n", codes[i].number, strlen(codes[i].number) > 3 ? "  " : "",
		       codes[i].meaning);
}
