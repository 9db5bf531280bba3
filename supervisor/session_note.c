/* session_note: what the report must say beside the states, in the manifest: each once, and no longer than it is true
 * (declared in session.h). Records nothing. */
#include "session.h"

#include <stdlib.h>

#include "store/base/mem.h"
#include "worker/planted.h"

bool session_note_planted(struct session *s)
{
	struct planted *p = session_guard(s);
	size_t before = s->manifest.notes.n;
	struct err e = {0};

	if (planted_check(p, gitx_main_top(s->site->git), &e) != 0 && !strv_has(&s->manifest.notes, e.text))
		strv_add(&s->manifest.notes, e.text);
	for (size_t i = 0; i < p->found.n; i++)
		if (!strv_has(&s->manifest.notes, p->found.v[i]))
			strv_add(&s->manifest.notes, p->found.v[i]);
	return s->manifest.notes.n != before;
}

void session_note_stays(struct session *s, const char *what, const char *name, const char *why)
{
	session_note_gone(s, what, name);
	strv_addf(&s->manifest.notes, "the %s %s stays: %s", what, name, why ? why : "");
}

void session_note_gone(struct session *s, const char *what, const char *name)
{
	AUTO_FREE char *said = mem_printf("the %s %s stays: ", what, name);
	struct strv *notes = &s->manifest.notes;
	size_t kept = 0;

	for (size_t i = 0; i < notes->n; i++)
		if (str_starts(notes->v[i], said))
			free(notes->v[i]);
		else
			notes->v[kept++] = notes->v[i];
	if (kept == notes->n)
		return;
	notes->n = kept;
	notes->v[kept] = NULL;
}
