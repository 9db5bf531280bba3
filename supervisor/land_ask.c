/* land_ask: how a session is to be landed, as words of its manifest, so that a resume asks the same (declared in
 * land_private.h). */
#include "land_private.h"

#include <string.h>

#include "store/base/mem.h"

#define HOW "how="
#define TASK "task="

void land_ask_keep(struct session *s, const struct land_ask *ask)
{
	struct strv *words = &s->manifest.landing;

	strv_fini(words);
	strv_addf(words, HOW "%s", ask->how);
	if (ask->fetch)
		strv_add(words, "fetch");
	if (ask->draft)
		strv_add(words, "draft");
	if (ask->force_red)
		strv_add(words, "force-red");
	for (size_t i = 0; ask->tasks && i < ask->tasks->n; i++)
		strv_addf(words, TASK "%s", ask->tasks->v[i]);
}

const char *land_how(const struct session *s)
{
	const struct strv *words = &s->manifest.landing;

	for (size_t i = 0; i < words->n; i++)
		if (str_starts(words->v[i], HOW))
			return words->v[i] + strlen(HOW);
	return s->row.land ? s->row.land : "keep";
}

bool land_asked(const struct session *s)
{
	return !str_eq(land_how(s), "keep");
}

void land_ask_read(const struct session *s, struct land_ask *ask, struct strv *tasks)
{
	const struct strv *words = &s->manifest.landing;

	*ask = (struct land_ask){.how = land_how(s),
	                         .tasks = tasks,
	                         .fetch = strv_has(words, "fetch"),
	                         .draft = strv_has(words, "draft"),
	                         .force_red = strv_has(words, "force-red")};
	for (size_t i = 0; i < words->n; i++)
		if (str_starts(words->v[i], TASK))
			strv_add(tasks, words->v[i] + strlen(TASK));
}
