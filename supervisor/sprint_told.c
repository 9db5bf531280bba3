/* sprint_told: what the commits of the sprint status say. Git is asked, so that it is known also where the store was made
 * again. */
#include <string.h>

#include "sprint.h"
#include "store/base/mem.h"

bool sprint_is(struct gitx *g, const struct oid *commit, const char *sid)
{
	AUTO_FREE char *of = gitx_trailer(g, commit, "Bosk-Session"), *file = gitx_trailer(g, commit, SPRINT_TRAILER);
	struct oid parents[2];
	struct err ignored = {0};
	size_t n = 0;

	return file && str_eq(of, sid) && gitx_parents(g, commit, parents, 2, &n, &ignored) == 0 && n == 1;
}

/* "story: was -> is" */
static void add_line(struct strv *out, const char *commit, const char *line, size_t n)
{
	AUTO_FREE char *story = mem_strndup(line, n);
	char *was = strstr(story, ": "), *is = NULL;

	for (char *p = was ? was + 2 : NULL; p && (p = strstr(p, " -> ")); p++)
		is = p;
	if (!is)
		return;
	*was = *is = '\0';
	strv_add(out, commit);
	strv_add(out, story);
	strv_add(out, was + 2);
	strv_add(out, is + 4);
}

void sprint_told(const struct session *s, struct strv *out)
{
	for (size_t i = 0; i < s->manifest.sprint.n; i++) {
		AUTO_STR struct str text = {0};
		struct oid commit;
		struct err ignored = {0};
		if (!oid_parse(&commit, s->manifest.sprint.v[i]) ||
		    gitx_message(s->site->git, &commit, &text, &ignored) != 0)
			continue;
		const char *line = strstr(str_text(&text), "\n\n");
		for (line = line ? line + 2 : ""; *line && *line != '\n';) {
			size_t n = strcspn(line, "\n");
			add_line(out, commit.hex, line, n);
			line += n + (line[n] == '\n');
		}
	}
}
