/* stories_find: which files a folder of stories holds, and which one a key means. */
#include "stories.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "worker/story.h"

/* Where the tools that write stories put them, from the top of the repository. */
static const char *const usual[] = {
	"docs/sprint-artifacts", "_bmad-output/implementation-artifacts", "_bmad-output/sprint-artifacts",
	"output/sprint-artifacts", "sprint-artifacts", "docs/stories", "stories",
};

/* ---- folders ---- */

struct search {
	struct plan_loader *l;
	struct strv files;   /* what may be a story */
	bool quiet;          /* say nothing of what is none */
};

static bool starts(const char *name, const char *prefix)
{
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_markdown(const char *name)
{
	size_t n = strlen(name);
	return n > 3 && strcasecmp(name + n - 3, ".md") == 0;
}

static void take_file(struct search *s, const char *path, const char *name)
{
	static const char *const others[] = {"README", "index", "template", "session-report"};

	if (!is_markdown(name))
		return;
	for (size_t i = 0; i < MEM_COUNT(others); i++) {
		if (!starts(name, others[i]))
			continue;
		AUTO_STR struct str shown = {0};
		str_add_printable(&shown, path, strlen(path), false);
		if (!s->quiet)
			strv_addf(&s->l->warnings, "%s is skipped: its name begins with %s", shown.p, others[i]);
		return;
	}
	strv_add(&s->files, path);
}

static bool too_many(struct search *s, const char *folder)
{
	size_t *seen = &s->l->stories->seen;

	if (++*seen == STORIES_MAX_FILES)
		plan_fault(s->l, folder, NULL, NULL, NULL,
		           "more than %d files lie in the folders of stories: name a smaller one", STORIES_MAX_FILES);
	return *seen >= STORIES_MAX_FILES;
}

/* Follows no links to folders; hidden ones and reports of what is done are left out. */
static void search(struct search *s, const char *folder, size_t depth)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort);

	if (n < 0) {
		struct err e = {0};
		err_sys(&e, "cannot be read");
		plan_fault(s->l, folder, NULL, NULL, NULL, "%s", e.text);
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
		struct stat st;
		bool taken = name[0] != '.' && !too_many(s, folder) && lstat(path, &st) == 0;
		if (taken && S_ISDIR(st.st_mode)) {
			if (strcasecmp(name, "completions") != 0 && depth < STORIES_MAX_DEPTH)
				search(s, path, depth + 1);
		} else if (taken && (S_ISREG(st.st_mode) || (S_ISLNK(st.st_mode) && !fs_is_dir(path)))) {
			take_file(s, path, name);
		}
		free(entries[i]);
	}
	free(entries);
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static int by_key(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int order = strverscmp(base_name(x), base_name(y)); /* 3-2 before 3-10 */
	return order ? order : strcmp(x, y);
}

static void find(struct search *s, const char *folder)
{
	AUTO_FREE char *plain = mem_strdup(folder);
	size_t n = strlen(plain);

	while (n > 1 && plain[n - 1] == '/')
		plain[--n] = '\0';
	if (!s->l->stories)
		s->l->stories = mem_alloc(sizeof *s->l->stories);
	search(s, plain, 0);
	if (s->files.n)
		qsort(s->files.v, s->files.n, sizeof *s->files.v, by_key);
}

void stories_folder(struct plan_loader *l, const char *folder)
{
	struct search s = {.l = l};

	find(&s, folder);
	for (size_t i = 0; i < s.files.n; i++)
		stories_file(l, s.files.v[i], true);
	strv_fini(&s.files);
}

/* The stories of `folder` have their states in `file`, which lies elsewhere. */
static void folder_of(struct plan_loader *l, const char *folder, const char *file)
{
	AUTO_FREE char *top = realpath(l->ctx->top, NULL), *real = realpath(file, NULL);
	const char *path = top && real ? stories_path(real, top) : NULL;

	if (!l->stories)
		l->stories = mem_alloc(sizeof *l->stories);
	if (path && story_is_status(path))
		mem_set(&l->stories->sprint, path);
	stories_folder(l, folder);
	mem_set(&l->stories->sprint, NULL);
}

/* A list of the states of stories says no more than where stories are: in the folder it names, else beside it. */
void stories_status(struct plan_loader *l, const char *file, const struct yaml_node *root)
{
	const struct yaml_node *said = yaml_get(root, "story_location");
	AUTO_FREE char *folder = mem_strdup(file);
	char *slash = strrchr(folder, '/');

	if (slash)
		slash[slash == folder] = '\0';
	if (said && said->kind == YAML_SCALAR && l->ctx && l->ctx->top) {
		static const char hole[] = "{project-root}/";
		const char *name = said->text + (str_starts(said->text, hole) ? strlen(hole) : 0);
		AUTO_FREE char *path = mem_printf("%s/%s", l->ctx->top, name);
		if (!plan_path_fault(name, NULL) && fs_is_dir(path)) {
			folder_of(l, path, file);
			return;
		}
	}
	stories_folder(l, slash ? folder : ".");
}

/* ---- keys ---- */

/* The folder that keys are looked up in, NULL = there is none; the caller owns it. */
static char *home(const struct plan_loader *l)
{
	const char *top = l->ctx->top, *given = l->ctx->stories ? l->ctx->stories->folder : "";

	if (*given)
		return *given == '/' ? mem_strdup(given) : mem_printf("%s/%s", top, given);
	for (size_t i = 0; i < MEM_COUNT(usual); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", top, usual[i]);
		if (fs_is_dir(path))
			return mem_steal(&path);
	}
	return NULL;
}

/* Is the name one that the key may stand for, in the way number `way`? `dash` and `dot`: of its number; NULL = it has
 * none. */
static bool matches(const char *name, const char *key, const char *dash, const char *dot, int way)
{
	static const char *const forms[] = {"%s.md", "story-%s.md", "%s-", "story-%s-", "story-%s.md"};
	AUTO_STR struct str want = {0};
	const char *hole = way < 2 ? key : way < 4 ? dash : dot;

	if (!hole)
		return false;
	for (const char *p = forms[way]; *p; p++) {
		if (*p != '%')
			str_addc(&want, *p);
		else
			str_add(&want, hole), p++;
	}
	return way == 2 || way == 3 ? starts(name, want.p) : strcasecmp(name, want.p) == 0;
}

enum { WAYS = 5 };

static void look_up(struct plan_loader *l, const struct strv *files, const char *key, size_t *found)
{
	const char *plain = key + (starts(key, "story-") ? 6 : 0);
	AUTO_FREE char *epic = NULL;
	AUTO_FREE char *dash = NULL, *dot = NULL;
	AUTO_STRV struct strv hits = {0};
	uint64_t number;

	/* Only a number stands for what begins with it, not "3-2-export" for another story 3-2. */
	size_t n = stories_number(plain, &epic, &number);
	if (n && !plain[n]) {
		dash = mem_printf("%s-%llu", epic, (unsigned long long)number);
		dot = mem_printf("%s.%llu", epic, (unsigned long long)number);
	}
	for (int way = 0; way < WAYS && !hits.n; way++)
		for (size_t i = 0; i < files->n; i++)
			if (matches(base_name(files->v[i]), plain, dash, dot, way))
				strv_add(&hits, files->v[i]);
	*found = hits.n;
	if (!hits.n)
		return;
	if (hits.n > 1) {
		AUTO_STR struct str text = {0};
		for (size_t i = 1; i < hits.n; i++)
			str_addf(&text, "%s%s", i > 1 ? ", " : "", hits.v[i]);
		strv_addf(&l->warnings, "%s stands for %s; these begin alike: %s", key, hits.v[0], text.p);
	}
	stories_file(l, hits.v[0], false);
}

bool stories_key(struct plan_loader *l, const char *key)
{
	AUTO_FREE char *epic = NULL;
	uint64_t number;
	const char *plain = key + (starts(key, "story-") ? 6 : 0);
	size_t n = stories_number(plain, &epic, &number), found = 0;
	bool numbered = n && (!plain[n] || plain[n] == '-');

	if (!l->ctx || !l->ctx->top || strchr(key, '/') || plan_id_fault(key))
		return false;
	AUTO_FREE char *folder = home(l);
	if (!folder && !numbered)
		return false;
	if (!folder) {
		plan_fault(l, key, NULL, NULL, NULL,
		           "there is no such file, and no folder of stories to look this key up in: name the folder as "
		           "stories.folder in bosk.yaml");
		return true;
	}
	struct search s = {.l = l, .quiet = true};
	if (fs_is_dir(folder))
		find(&s, folder);
	look_up(l, &s.files, key, &found);
	strv_fini(&s.files);
	if (!found && numbered)
		plan_fault(l, key, NULL, NULL, NULL, "there is no such file, and no story of this key in %s", folder);
	return found || numbered;
}
