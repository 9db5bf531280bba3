/* front: gives what is between the two fences to the YAML reader. */
#include "front.h"

#include <string.h>

#include "worker/boxes.h"

/* Does it begin with a line that would be a fence, if another one followed? */
static bool opens(const char *text, size_t n)
{
	if (n < 3 || memcmp(text, "---", 3) != 0)
		return false;
	for (size_t i = 3; i < n && text[i] != '\n'; i++)
		if (!text[i] || !strchr(" \t\r", text[i]))
			return false;
	return true;
}

int front_read(struct front *out, const char *file, const char *text, size_t n, struct plan_faults *faults)
{
	size_t mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, end = boxes_front(text, n);

	*out = (struct front){.body = end};
	if (!opens(text + mark, n - mark))
		return 0;
	if (!end) {
		plan_faults_add(faults, file, 1, 1, NULL, NULL,
		                "front matter begins here and has no end: a second line --- is missing");
		return -1;
	}
	while (text[end - 1] != '-') /* without the second fence; the first is YAML, too */
		end--;
	struct yaml *doc = yaml_parse(file, text + mark, end - 3 - mark, faults);
	if (!doc)
		return -1;
	const struct yaml_node *root = yaml_root(doc);
	if (root->kind == YAML_MAP) {
		out->doc = doc;
		return 0;
	}
	bool empty = yaml_is_null(root);
	if (!empty)
		plan_faults_add(faults, file, root->line, root->column, NULL, NULL,
		                "front matter must be a mapping, not %s", yaml_what(root));
	yaml_free(doc);
	return empty ? 0 : -1;
}

void front_fini(struct front *f)
{
	yaml_free(f->doc);
	*f = (struct front){0};
}
