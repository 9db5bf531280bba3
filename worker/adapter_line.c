/* adapter_line: what a line of an agent's stream means to a person who watches: a command, a file, the beginning of a text.
 * Knows no program: looks for keys that they share. Never judges. */
#include <string.h>

#include "adapter_private.h"
#include "store/base/mem.h"

enum { MAX_DEPTH = 8, MAX_MEMBERS = 400, MAX_SHOWN = 200 };

struct found {
	const char *command, *tool, *file, *text;
	size_t members; /* looked at */
};

static bool any_of(const char *key, const char *const keys[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}
#define ANY_OF(key, keys) any_of((key), (keys), MEM_COUNT(keys))

static void note(struct found *f, const char *key, const char *value)
{
	static const char *const tools[] = {"tool", "tool_name", "toolName", "name"};
	static const char *const files[] = {"file_path", "filePath", "path", "pattern", "url", "query"};
	static const char *const texts[] = {"text", "content", "deltaContent", "message", "result"};

	if (!*value)
		return;
	if (!f->command && strcmp(key, "command") == 0)
		f->command = value;
	else if (!f->tool && ANY_OF(key, tools))
		f->tool = value;
	else if (!f->file && ANY_OF(key, files))
		f->file = value;
	else if (!f->text && ANY_OF(key, texts))
		f->text = value;
}

static void search(const struct json_t *j, int depth, struct found *f)
{
	const char *key;
	const struct json_t *value;
	void *at = NULL;

	for (size_t i = 0; depth && i < json_count(j) && f->members < MAX_MEMBERS; i++, f->members++)
		search(json_nth(j, i), depth - 1, f);
	while (depth && f->members++ < MAX_MEMBERS && json_member(j, &at, &key, &value)) {
		const char *text = json_text(value);
		if (text)
			note(f, key, text);
		else
			search(value, depth - 1, f);
	}
}

/* What was said to the agent, and what its tools answered, is nothing that it does. */
static bool not_its_own(const struct json_t *j)
{
	static const char *const others[] = {"user", "system", "init", "tool_result", "user.message", "result", "step_start",
	                                     "step_finish", "rate_limit_event"};
	const char *type = json_get_text(j, "type"), *role = json_get_text(j, "role");

	return (type && (ANY_OF(type, others) || strncmp(type, "session.", 8) == 0 || strncmp(type, "model.", 6) == 0)) ||
	       (role && strcmp(role, "user") == 0);
}

bool adapter_line_of(const struct json_t *j, struct str *out)
{
	struct found f = {0};
	AUTO_STR struct str line = {0};

	if (not_its_own(j))
		return false;
	search(j, MAX_DEPTH, &f);
	if (f.command)
		str_addf(&line, "$ %.1000s", f.command);
	else if (f.tool && f.file)
		str_addf(&line, "%.100s %.1000s", f.tool, f.file);
	else if (f.text)
		str_addf(&line, "%.1000s", f.text + strspn(f.text, " \t\r\n"));
	else if (f.tool)
		str_addf(&line, "%.100s", f.tool);
	size_t n = strcspn(str_text(&line), "\r\n");
	if (n > MAX_SHOWN) {
		n = MAX_SHOWN;
		while (n && ((unsigned char)line.p[n] & 0xc0) == 0x80) /* not inside a character */
			n--;
	}
	str_add_printable(out, str_text(&line), n, false);
	return n > 0;
}
