/* help_man: the commands as a part of the manual page bosk(1), in mdoc. Written by the build into
 * the page (CMakeLists.txt), so that the page and the program cannot disagree. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "help_private.h"

/* Text of a line: what troff would take for its own is escaped, and a hyphen can be copied. */
static void put(const char *text, size_t n)
{
	if (n && (*text == '.' || *text == '\''))
		printf("\\&");
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\\')
			printf("\\e");
		else
			printf("%s%c", text[i] == '-' ? "\\" : "", text[i]);
}


/* Each on a line of its own, as mdoc wants them. */
static void put_sentences(const char *text, size_t n)
{
	while (n) {
		const char *end = memmem(text, n, ". ", 2);
		size_t part = end ? (size_t)(end + 2 - text) : n;
		put(text, end ? part - 1 : part);
		putchar('\n');
		text += part;
		n -= part;
	}
}

/* Paragraphs; lines that begin with a blank stay as they are. */
static void put_details(const char *text)
{
	bool literal = false;

	for (size_t n; *text; text += *text == '\n') {
		n = strcspn(text, "\n");
		bool indented = *text == ' ';
		if (indented != literal)
			printf(indented ? ".Bd -literal\n" : ".Ed\n");
		literal = indented;
		if (!n && text[1])
			printf(".Pp\n");
		if (literal)
			put(text, n), putchar('\n');
		else
			put_sentences(text, n);
		text += n;
	}
	if (literal)
		printf(".Ed\n");
}

/* A macro's argument: words, quoted. */
static void put_argument(const char *text)
{
	putchar('"');
	put(text, strlen(text));
	putchar('"');
}

static void put_option(const struct cmd_option *o)
{
	printf(".It ");
	if (o->letter)
		printf("Fl %c , ", o->letter);
	printf("Fl \\-");
	put(o->name, strlen(o->name));
	if (o->arg) {
		printf(" Ar ");
		put_argument(o->arg);
	}
	putchar('\n');
	put(o->help, strlen(o->help));
	printf(".\n");
}

static void put_command(const struct cmd *c)
{
	const struct help_text *t = help_text(c);
	struct help_code code;

	printf(".Ss bosk %s\n.Nm bosk %s\n.Op Ar options\n", c->name, c->name);
	if (*c->args) {
		printf(".Ar ");
		put_argument(c->args);
		putchar('\n');
	}
	printf(".Pp\n%c", toupper((unsigned char)*c->summary));
	put(c->summary + 1, strlen(c->summary + 1));
	printf(".\n");
	if (c->details) {
		printf(".Pp\n");
		put_details(c->details);
	}
	if (c->n_options) {
		printf(".Bl -tag -width Ds\n");
		for (size_t i = 0; i < c->n_options; i++)
			put_option(&c->options[i]);
		printf(".El\n");
	}
	printf(".Pp\nExamples:\n.Bd -literal -offset indent\n");
	for (const char *line = t->example; *line; line += strcspn(line, "\n") + 1) {
		put(line, strcspn(line, "\n"));
		putchar('\n');
	}
	printf(".Ed\n");
	for (size_t i = 0; help_code(&code, t, i); i++)
		if ((code.letter == '0' && t->ok) || (code.letter == '1' && t->not_ok)) {
			printf(".Pp\nExit status %s:\n", code.number);
			put(code.meaning, strlen(code.meaning));
			printf(".\n");
		}
}

void help_manual(void)
{
	printf(".Bl -tag -width Ds\n");
	for (size_t i = 0; i < cmd_common_count; i++)
		put_option(&cmd_common[i]);
	printf(".El\n");
	for (size_t i = 0; i < cmd_count; i++)
		put_command(cmd_list[i]);
}
