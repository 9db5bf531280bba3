/* saved: listing and naming refs of saved work. */
#include "saved.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "worker/git.h"

enum { FIELDS = 4, NAMES_MAX = 10 };

void saved_fini(struct saved_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].ref);
		free(l->v[i].subject);
	}
	free(l->v);
	*l = (struct saved_list){0};
}

/* One line for each: ref, commit, time, subject, a NUL between them. */
static void add(struct saved_list *l, const char *const field[FIELDS], const char *sid)
{
	struct saved s = {.ref = mem_strdup(field[0])};
	uint64_t seconds = 0;

	s.name = s.ref + strlen("refs/bosk/");
	const char *of = strchr(s.name, '/');
	bool fits = of && (!sid || (str_starts(of + 1, sid) && of[1 + strlen(sid)] == '/'));
	if (!fits || !oid_parse(&s.commit, field[1])) {
		free(s.ref);
		return;
	}
	if (str_u64(field[2], &seconds))
		s.time_ms = seconds * 1000;
	s.subject = mem_strdup(field[3]);
	l->v = mem_grow(l->v, l->n + 1, sizeof *l->v);
	l->v[l->n++] = s;
}

int saved_all(struct saved_list *out, struct site *site, const char *sid, struct err *e)
{
	struct git git = {.cwd = gitx_common_dir(site->git)};
	AUTO_STR struct str text = {0};

	*out = (struct saved_list){0};
	if (git_run(&git, &text,
	            GIT_ARGS("for-each-ref", "--sort=refname", "--sort=-committerdate",
	                     "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:subject)",
	                     "refs/bosk/rescue/", "refs/bosk/keep/"), e) != 0)
		return -1;
	for (const char *p = str_text(&text), *end = p + text.len; p < end;) {
		const char *field[FIELDS];
		for (size_t i = 0; i < FIELDS; i++) {
			field[i] = p;
			char *stop = memchr(p, i + 1 == FIELDS ? '\n' : '\0', (size_t)(end - p));
			if (!stop)
				return err_set(e, ERR_ENV, "git for-each-ref was not understood");
			*stop = '\0';
			p = stop + 1;
		}
		add(out, field, sid);
	}
	return 0;
}

/* `name` is all of `whole`, or its beginning up to a slash. */
static bool begins(const char *whole, const char *name)
{
	size_t n = strlen(name);
	return strncmp(whole, name, n) == 0 && (whole[n] == '\0' || whole[n] == '/' || (n && name[n - 1] == '/'));
}

const struct saved *saved_find(const struct saved_list *l, const char *name, struct err *e)
{
	const struct saved *found = NULL;
	AUTO_STR struct str names = {0};
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct saved *s = &l->v[i];
		const char *part = strchr(s->name, '/') + 1, *of_task = strchr(part, '/');
		if (strcmp(s->name, name) == 0 || strcmp(s->ref, name) == 0 || strcmp(part, name) == 0)
			return s;
		if (!begins(s->name, name) && !begins(part, name) && !(of_task && begins(of_task + 1, name)))
			continue;
		found = s;
		if (n++ < NAMES_MAX)
			str_addf(&names, "\n  %s", s->name);
	}
	if (n == 1)
		return found;
	if (!n)
		err_set(e, ERR_MISSING, "there is no saved work of the name %s: bosk rescue list", name);
	else
		err_set(e, ERR_USAGE, "%s may be any of these%s:%s", name, n > NAMES_MAX ? ", and more" : "",
		        str_text(&names));
	return NULL;
}
