/* skills: finds skills in their folders and reads each once for a plan. */
#include "skills.h"

#include <dirent.h>
#include <fnmatch.h>
#include <string.h>

#include "folders.h"
#include "front.h"
#include "manifest.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/boxes.h"

struct skills {
	struct strv folders; /* in the order they are asked */
	struct strv remote;  /* sources that are not fetched */
	struct skill **v;
	size_t n;
};

/* ---- folders ---- */

static void add_folders(struct strv *out, const char *base, const struct strv *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		AUTO_FREE char *path = folders_path(base, texts->v[i]);
		size_t n = path ? strlen(path) : 0;
		while (n > 1 && path[n - 1] == '/')
			path[--n] = '\0';
		if (path && !strv_has(out, path))
			strv_add(out, path);
	}
}

static void read_manifest(struct plan_loader *l, const char *folder, struct manifest *all)
{
	AUTO_FREE char *path = mem_printf("%s/manifest.yaml", folder), *why = NULL;
	AUTO_STR struct str text = {0};
	struct plan_faults found = {0};
	struct manifest m;

	int rc = folders_read(l->ctx, path, &text, &why);
	if (rc < 0)
		plan_fault(l, path, NULL, NULL, NULL, "%s", why);
	if (rc <= 0)
		return;
	if (manifest_parse(&m, path, str_text(&text), text.len, &found) == 0) {
		add_folders(&all->local, folder, &m.local);
		add_folders(&all->sources, folder, &m.sources);
		add_folders(&all->baseline, folder, &m.baseline);
		for (size_t i = 0; i < m.remote.n; i++)
			strv_add(&all->remote, m.remote.v[i]);
		manifest_fini(&m);
	}
	for (size_t i = 0; i < found.n; i++) {
		plan_faults_add(l->faults, path, found.v[i].line, found.v[i].column, NULL, found.v[i].key, "%s",
		                found.v[i].message);
		l->bad = true;
	}
	plan_faults_fini(&found);
}

static struct skills *all(struct plan_loader *l)
{
	const struct plan_context *ctx = l->ctx;
	struct manifest said = {0};
	AUTO_STRV struct strv usual = {0};

	if (l->skills)
		return l->skills;
	struct skills *s = l->skills = mem_alloc(sizeof *s);
	strv_add(&usual, "skills");
	strv_add(&usual, "~/skills");
	add_folders(&s->folders, ctx->top, ctx->skills && ctx->skills->n ? ctx->skills : &usual);
	for (size_t i = 0; i < s->folders.n; i++)
		read_manifest(l, s->folders.v[i], &said);
	add_folders(&s->folders, NULL, &said.local); /* all of them are absolute by now */
	add_folders(&s->folders, NULL, &said.sources);
	add_folders(&s->folders, NULL, &said.baseline);
	s->remote = said.remote;
	said.remote = (struct strv){0};
	manifest_fini(&said);
	return s;
}

/* ---- one skill ---- */

static void nowhere(struct plan_reader *r, const struct yaml_node *at, const char *name)
{
	const struct skills *s = r->l->skills;
	AUTO_STR struct str where = {0}, remote = {0};

	folders_list(&s->folders, &where);
	folders_list(&s->remote, &remote);
	PLAN_FAULT(r, at, "skills", "there is no skill \"%s\": no %s/SKILL.md in %s%s%s; folders of skills are the "
	           "setting `skills`", name, name, where.len ? where.p : "any folder",
	           remote.len ? "; other sources of the manifest are not fetched: " : "",
	           str_text(&remote));
}

const struct skill *skills_find(struct plan_reader *r, const struct yaml_node *at, const char *name)
{
	struct plan_loader *l = r->l;
	const char *wrong = plan_id_fault(name);

	if (wrong || !l->ctx) {
		PLAN_FAULT(r, at, "skills", "\"%.80s\": %s", name,
		           wrong ? "a skill's name is that of its folder: letters, digits, . _ and -; no pattern here"
		                 : "there is no folder of skills here");
		return NULL;
	}
	struct skills *s = all(l);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i]->name, name) == 0)
			return s->v[i];
	for (size_t i = 0; i < s->folders.n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s/SKILL.md", s->folders.v[i], name), *why = NULL;
		AUTO_STR struct str text = {0};
		int rc = folders_read(l->ctx, path, &text, &why);
		if (rc < 0) {
			PLAN_FAULT(r, at, "skills", "\"%s\": %s", name, why);
			return NULL;
		}
		if (rc == 0)
			continue;
		/* Its front matter is for finding it, and often no valid YAML. */
		struct skill *found = mem_alloc(sizeof *found);
		found->name = mem_strdup(name);
		found->body = mem_strdup(str_text(&text) + boxes_front(str_text(&text), text.len));
		s->v = mem_grow(s->v, s->n + 1, sizeof *s->v);
		s->v[s->n++] = found;
		return found;
	}
	nowhere(r, at, name);
	return NULL;
}

/* ---- patterns ---- */

bool skills_is_pattern(const char *text)
{
	return text[strcspn(text, "*?[")] != '\0';
}

void skills_match(struct plan_loader *l, const char *pattern, struct strv *out)
{
	AUTO_STRV struct strv found = {0};

	if (!l->ctx)
		return;
	struct skills *s = all(l);
	for (size_t i = 0; i < s->folders.n; i++) {
		struct dirent **entries;
		int n = scandir(s->folders.v[i], &entries, NULL, NULL);
		for (int k = 0; k < n; k++) {
			const char *name = entries[k]->d_name;
			AUTO_FREE char *path = mem_printf("%s/%s/SKILL.md", s->folders.v[i], name);
			if (!plan_id_fault(name) && fnmatch(pattern, name, FNM_PERIOD) == 0 && fs_exists(path))
				strv_add(&found, name);
			free(entries[k]);
		}
		if (n >= 0)
			free(entries);
	}
	strv_sort(&found);
	for (size_t i = 0; i < found.n; i++)
		if (!i || strcmp(found.v[i - 1], found.v[i]) != 0)
			strv_add(out, found.v[i]);
}

void skills_free(struct skills *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i]->name);
		free(s->v[i]->body);
		free(s->v[i]);
	}
	free(s->v);
	strv_fini(&s->folders);
	strv_fini(&s->remote);
	free(s);
}
