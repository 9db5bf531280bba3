/* land_ask: how a session is to be landed, as words of its manifest, so that a resume asks the same (declared in
 * land_private.h). */
#include "land_private.h"

#include <string.h>

#include "store/base/mem.h"

#define HOW "how="
#define TASK "task="
#define WAS "was="

static const char *word(const struct session *s, const char *key)
{
	const struct strv *words = &s->manifest.landing;

	for (size_t i = 0; i < words->n; i++)
		if (str_starts(words->v[i], key))
			return words->v[i] + strlen(key);
	return NULL;
}

const char *land_ask_was(const struct session *s)
{
	return word(s, WAS);
}

void land_ask_keep(struct session *s, const struct land_ask *ask)
{
	struct strv *words = &s->manifest.landing;

	/* A landing that is asked for anew, after one that was cut off or cannot be, is of the same session. */
	AUTO_FREE char *was = mem_strdup(land_ask_was(s));
	strv_fini(words);
	if (!str_eq(s->manifest.state, "landing"))
		strv_addf(words, WAS "%s", s->manifest.state);
	else if (was)
		strv_addf(words, WAS "%s", was);
	strv_addf(words, HOW "%s", ask->how);
	if (ask->fetch)
		strv_add(words, "fetch");
	if (ask->draft)
		strv_add(words, "draft");
	if (ask->force_red)
		strv_add(words, "force-red");
	if (ask->instead)
		strv_add(words, "instead");
	for (size_t i = 0; ask->tasks && i < ask->tasks->n; i++)
		strv_addf(words, TASK "%s", ask->tasks->v[i]);
}

void land_ended(struct session *s)
{
	struct strv left = {0};

	for (size_t i = 0; i < s->manifest.landing.n; i++)
		if (!str_starts(s->manifest.landing.v[i], WAS))
			strv_add(&left, s->manifest.landing.v[i]);
	strv_fini(&s->manifest.landing);
	s->manifest.landing = left;
}

const char *land_how(const struct session *s)
{
	const char *how = word(s, HOW);

	return how ? how : s->row.land ? s->row.land : "keep";
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
	                         .force_red = strv_has(words, "force-red"),
	                         .instead = strv_has(words, "instead")};
	for (size_t i = 0; i < words->n; i++)
		if (str_starts(words->v[i], TASK))
			strv_add(tasks, words->v[i] + strlen(TASK));
}
